from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given
from hypothesis import strategies as some

from activitypub import digest, rfc9421, signatures
from activitypub.errors import Malformed, ProtocolError, Unverified
from activitypub.message import Request
from tests.activitypub.rfc9421_by_hand import (
    BODY,
    CONTENT_DIGEST,
    COVER,
    ED25519,
    FRESH,
    GET,
    HEADERS,
    KEY,
    KEY_ID,
    NAMED,
    NOW,
    OTHER,
    POST,
    SIGNERS,
    UNIX,
    accept,
    changed,
    inputs,
    theirs,
)


@pytest.mark.proves("P-066")
def test_a_post_is_signed_as_mastodon_reads_it() -> None:
    added = signatures.sign("rfc9421", replace(POST, headers={}), KEY_ID, KEY, NOW)

    covered = (
        '("@method" "@target-uri" "content-digest");created=1768471200'
        ';keyid="https://ada.example/actors/01HZA#main-key";alg="rsa-v1_5-sha256"'
    )
    expected = (
        '"@method": POST\n'
        '"@target-uri": https://social.example/inbox\n'
        '"content-digest": sha-256=:AVq9f1zFei3ZS3WQ8ErYCEJzkF7jPsXOvq5iJ2qX+GI=:\n'
        f'"@signature-params": {covered}'
    )
    value = b64decode(added.pop("signature").removeprefix("sig1=:").removesuffix(":"))
    assert added == {"content-digest": CONTENT_DIGEST, "signature-input": f"sig1={covered}"}
    KEY.public_key().verify(value, expected.encode(), PKCS1v15(), SHA256())


@pytest.mark.proves("P-066")
def test_the_two_dialects_are_never_mixed() -> None:
    assert "digest" not in signatures.sign("rfc9421", POST, KEY_ID, KEY, NOW)
    assert "signature-input" not in signatures.sign("cavage", changed(POST, content_type="a/b"), KEY_ID, KEY, NOW)
    assert "content-digest" not in signatures.sign("rfc9421", GET, KEY_ID, KEY, NOW)


@pytest.mark.proves("P-062", "P-066")
@pytest.mark.parametrize("request_", [POST, GET], ids=["POST", "GET"])
def test_what_we_sign_verifies(request_: Request) -> None:
    added = signatures.sign("rfc9421", request_, KEY_ID, KEY, NOW)

    accept(changed(request_, **added))


@pytest.mark.proves("P-067")
def test_a_refusal_says_which_signature_would_do() -> None:
    assert rfc9421.accept_signature() == 'sig1=("@method" "@target-uri" "content-digest");created;keyid'
    assert rfc9421.accept_signature("GET") == 'sig1=("@method" "@target-uri");created;keyid'


@pytest.mark.proves("P-061")
def test_signature_input_decides_the_dialect() -> None:
    both = changed(theirs(), signature=f'keyId="{KEY_ID}",signature="AAAA"')

    with pytest.raises(Malformed):
        signatures.read(both, NOW)


@pytest.mark.proves("P-062")
@pytest.mark.parametrize(
    "cover",
    [
        COVER,
        "@method @target-uri @authority host date content-digest",  # Fedify
        "content-digest @authority @path @method",
        "@authority @request-target @method content-digest",
        "@method @authority @path @query @scheme content-digest",
    ],
)
def test_a_cover_that_binds_method_target_and_body_is_accepted(cover: str) -> None:
    accept(theirs(cover))


@pytest.mark.proves("P-062", "P-304", "P-305")
@pytest.mark.parametrize(
    "cover",
    [
        "",
        "@target-uri content-digest",
        "@method content-digest",
        "@method @target-uri",
        "@method @authority content-digest",
        "@method @path content-digest",
        "@method @request-target content-digest",
        "@method @path @query host content-digest",
    ],
)
def test_any_smaller_cover_is_refused(cover: str) -> None:
    with pytest.raises(Unverified, match="cover"):
        signatures.read(theirs(cover), NOW)


@pytest.mark.proves("P-062")
def test_a_query_is_covered_where_the_path_stands_alone() -> None:
    values = {"@method": "GET", "@path": "/users/mia", "@query": "?page=1", "@request-target": GET.target}

    accept(theirs("@method @authority @path @query", values=values, request=GET))
    accept(theirs("@method @authority @request-target", values=values, request=GET))
    with pytest.raises(Unverified, match="cover"):
        signatures.read(theirs("@method @authority @path", values=values, request=GET), NOW)


@pytest.mark.proves("P-062")
@pytest.mark.parametrize(
    "component",
    [
        '"@status"',
        '"@query-param";name="page"',
        '"@new-thing"',
        '"date";req',
        '"date";bs',
        '"date";sf',
        '"date";key="a"',
        '"date";tr',
        '"x-absent"',
        '"Date"',
        "date",
        "1",
    ],
)
def test_a_component_that_we_cannot_compute_is_refused(component: str) -> None:
    covered = inputs().replace(")", f" {component})", 1)

    with pytest.raises(Unverified, match="cover"):
        signatures.read(changed(theirs(), signature_input=f"sig1={covered}"), NOW)


@pytest.mark.proves("P-062")
def test_a_component_covered_twice_is_refused() -> None:
    with pytest.raises(Unverified, match="twice"):
        signatures.read(theirs(f"{COVER} @method"), NOW)


@pytest.mark.proves("P-062")
@pytest.mark.parametrize(
    "parameters",
    [
        FRESH,
        NAMED,
        f"{FRESH};keyid=token",
        f"{FRESH};keyid",
        f"{NAMED};created",
        f"{NAMED};created=1768471200.5",
        f'{NAMED};created="1768471200"',
        f"{FRESH}{NAMED};expires=@1768471200",
        f"{FRESH}{NAMED};expires",
    ],
)
def test_keyid_and_created_are_required(parameters: str) -> None:
    with pytest.raises(Unverified, match=r"keyid|expires"):
        signatures.read(theirs(parameters=parameters), NOW)


@pytest.mark.proves("P-051")
@pytest.mark.parametrize("key_id", ["acct:ada@ada.example", "test-key", ""])
def test_a_key_id_is_a_web_address(key_id: str) -> None:
    with pytest.raises(Unverified, match="not a web address"):
        signatures.read(theirs(parameters=f'{FRESH};keyid="{key_id}"'), NOW)


@pytest.mark.proves("P-063")
@pytest.mark.parametrize("algorithm", SIGNERS)
def test_each_algorithm_that_fits_the_key_verifies(algorithm: str) -> None:
    key = (ED25519 if algorithm == "ed25519" else KEY).public_key()

    accept(theirs(parameters=f'{FRESH}{NAMED};alg="{algorithm}"', signer=SIGNERS[algorithm]), key=key)


@pytest.mark.proves("P-063")
@pytest.mark.parametrize(("algorithm", "fine"), [*zip(SIGNERS, (True, False, False, True), strict=True)])
def test_without_alg_the_key_decides(algorithm: str, fine: bool) -> None:
    key = (ED25519 if algorithm == "ed25519" else KEY).public_key()
    request = theirs(signer=SIGNERS[algorithm])

    if fine:
        accept(request, key=key)
    else:
        with pytest.raises(Unverified, match="does not match the key"):
            accept(request, key=key)


@pytest.mark.proves("P-063")
@pytest.mark.parametrize("algorithm", SIGNERS)
def test_an_alg_that_does_not_fit_the_key_or_the_signature_is_refused(algorithm: str) -> None:
    parameters = f'{FRESH}{NAMED};alg="{algorithm}"'
    wrong = next(other for other in SIGNERS if other != algorithm)

    with pytest.raises(Unverified, match="does not match the key"):
        accept(theirs(parameters=parameters, signer=SIGNERS[wrong]))
    with pytest.raises(Unverified, match="does not match the key"):
        accept(
            theirs(parameters=parameters, signer=SIGNERS[algorithm]),
            key=(KEY if algorithm == "ed25519" else ED25519).public_key(),
        )


@pytest.mark.proves("P-063")
@pytest.mark.parametrize("algorithm", ['"hmac-sha256"', '"ecdsa-p256-sha256"', '"none"', '""', "ed25519", "?0"])
def test_an_unknown_alg_is_refused(algorithm: str) -> None:
    with pytest.raises(Unverified, match="algorithm"):
        signatures.read(theirs(parameters=f"{FRESH}{NAMED};alg={algorithm}"), NOW)


@pytest.mark.proves("P-063", "P-305")
@pytest.mark.parametrize(
    ("age", "fine"), [(0, True), (3900, True), (3901, False), (86400, False), (-3600, True), (-3601, False)]
)
def test_a_signature_holds_from_an_hour_before_created_to_65_minutes_after(age: int, fine: bool) -> None:
    request = theirs(parameters=f"{NAMED};created={UNIX - age}")

    if fine:
        accept(request)
    else:
        with pytest.raises(Unverified, match="future" if age < 0 else "expired"):
            signatures.read(request, NOW)


@pytest.mark.proves("P-063")
def test_expires_can_only_shorten_that() -> None:
    request = theirs(parameters=f"{FRESH}{NAMED};expires={UNIX + 60}")

    accept(request, NOW + timedelta(seconds=60))
    with pytest.raises(Unverified, match="expired"):
        signatures.read(request, NOW + timedelta(seconds=61))


@pytest.mark.proves("P-061")
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("signature_input", "sig1"),
        ("signature_input", 'sig1="a"'),
        ("signature_input", "sig1=("),
        ("signature_input", f"sig1={inputs()};created=1"),
        ("signature_input", f"sig1={inputs()}, sig1={inputs()}"),
        ("signature_input", "sig1=()🦆"),
        ("signature", "sig1=:!:"),
        ("signature", "sig1=AAAA"),
        ("signature", "sig1=(:AAAA:)"),
        ("signature", "Sig1=:AAAA:"),
        ("content_digest", "SHA-256=abc"),
    ],
)
def test_a_malformed_field_is_answered_400(field: str, value: str) -> None:
    with pytest.raises(Malformed) as caught:
        signatures.read(changed(theirs(), **{field: value}), NOW)

    assert caught.value.status == 400


@pytest.mark.proves("P-061")
@pytest.mark.parametrize("signature", [None, "sig2=:AAAA:", ""])
def test_a_label_without_its_partner_is_ignored(signature: str | None) -> None:
    with pytest.raises(Unverified, match="no label"):
        signatures.read(changed(theirs(), signature=signature), NOW)


@pytest.mark.proves("P-061")
def test_the_first_label_with_an_acceptable_key_and_cover_is_verified() -> None:
    good = theirs()
    value = good.headers["signature"].removeprefix("sig1=")

    def among(*others: str) -> Request:
        labels = [*others, inputs()]
        return changed(
            good,
            signature_input=", ".join(["alone=()", *(f"s{place}={label}" for place, label in enumerate(labels))]),
            signature=", ".join(f"s{place}={value}" for place in reversed(range(len(labels)))),
        )

    small, nameless, acct = inputs("@method"), inputs(parameters=FRESH), inputs(parameters=f'{FRESH};keyid="acct:a@b"')
    accept(among(small, nameless, acct))
    accept(among(inputs(f"{COVER} @new-thing")))
    with pytest.raises(Unverified, match="not a web address"):
        signatures.read(among(small, small, small, acct), NOW)
    with pytest.raises(Unverified, match="expired"):
        signatures.read(among(inputs(parameters=f"{NAMED};created=1")), NOW)


@pytest.mark.proves("P-064", "P-304")
def test_content_digest_is_that_of_the_body_whenever_it_is_covered() -> None:
    request = theirs()

    with pytest.raises(Unverified, match="not that of the body"):
        signatures.read(replace(request, body=b'{"a":2}'), NOW)
    with pytest.raises(Unverified, match="has no sha-256"):
        signatures.read(changed(request, content_digest=None), NOW)
    with pytest.raises(Unverified, match="not that of the body"):
        signatures.read(theirs(values={"@method": "GET"}, request=replace(POST, method="GET", body=b"x")), NOW)


@pytest.mark.proves("P-065")
def test_the_target_is_rebuilt_from_our_own_address_whatever_a_proxy_says() -> None:
    behind = changed(theirs(), host="127.0.0.1:8000", x_forwarded_host="eve.example", x_forwarded_proto="http")

    accept(behind)
    with pytest.raises(Unverified, match="does not match the key"):
        accept(replace(behind, origin="http://social.example"))


@pytest.mark.proves("P-065")
def test_the_target_is_taken_as_it_was_received() -> None:
    values = {"@target-uri": "https://social.example/inbox/%7Eada/a%2Fb"}

    accept(theirs(values=values, request=replace(POST, target="/inbox/%7Eada/a%2Fb")))
    with pytest.raises(Unverified, match="does not match the key"):
        accept(theirs(values=values, request=replace(POST, target="/inbox/~ada/a%2Fb")))


@pytest.mark.proves("P-062", "P-302", "P-304", "P-305")
@pytest.mark.parametrize(
    "change",
    [
        lambda request: replace(request, method="PUT"),
        lambda request: replace(request, target="/actors/eve/inbox"),
        lambda request: replace(request, origin="https://eve.example"),
        lambda request: replace(request, target="/inbox?of=eve"),
        lambda request: changed(request, date="Thu, 15 Jan 2026 10:00:01 GMT"),
        lambda request: changed(request, host="eve.example"),
        lambda request: changed(request, signature_input=request.headers["signature-input"].replace("00;", "01;")),
        lambda request: changed(request, signature_input=request.headers["signature-input"] + ";nonce=1"),
        lambda request: changed(replace(request, body=b"2"), content_digest=digest.write_content(digest.of(b"2"))),
    ],
)
def test_whatever_is_changed_on_the_way_is_noticed(change: Callable[[Request], Request]) -> None:
    request = theirs("@method @target-uri @authority host date content-digest")
    accept(request)

    with pytest.raises(Unverified, match="does not match the key"):
        accept(change(request))
    with pytest.raises(Unverified, match="does not match the key"):
        accept(request, key=OTHER.public_key())


@pytest.mark.proves("P-062")
def test_a_value_with_a_line_break_cannot_pose_as_another_component() -> None:
    with pytest.raises(Unverified, match="line break"):
        signatures.read(theirs(f"{COVER} date", request=changed(POST, date='now\n"host": eve.example')), NOW)


PIECES = some.sampled_from(
    ["sig1=", "sig2", '("@method" "@target-uri" "content-digest")', "()", FRESH, NAMED, ";alg=", ":AAAA:", ", ", '"']
)

FIELDS = some.one_of(some.text(), some.lists(PIECES | some.text(max_size=3)).map("".join))


@given(FIELDS, FIELDS, some.text(), some.sampled_from(["GET", "POST"]))
def test_no_field_breaks_the_reader(signature_input: str, signature: str, target: str, method: str) -> None:
    request = Request(method, "https://social.example", target, HEADERS, BODY)

    with pytest.raises(ProtocolError):
        signatures.read(changed(request, signature_input=signature_input, signature=signature), NOW).verify(
            KEY.public_key()
        )
