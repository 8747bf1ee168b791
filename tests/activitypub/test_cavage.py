from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, SHA512
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from hypothesis import given
from hypothesis import strategies as some

from activitypub import cavage, digest, keys, signatures
from activitypub.errors import Malformed, ProtocolError, Unverified
from activitypub.message import Request
from tests.activitypub.cavage_by_hand import (
    BODY,
    COVER,
    ED25519,
    FRESH,
    GET,
    KEY,
    KEY_ID,
    NOW,
    OTHER,
    POST,
    SENT,
    UNIX,
    accept,
    changed,
    theirs,
)

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "cavage12.json").read_text())


def ours(request: Request, now: datetime = NOW) -> Request:
    added = signatures.sign("cavage", request, KEY_ID, KEY, now)
    return replace(request, headers={**request.headers, **added})


@pytest.mark.proves("P-060", "P-053")
def test_a_post_is_signed_as_all_of_the_fediverse_reads_it() -> None:
    added = signatures.sign("cavage", POST, KEY_ID, KEY, NOW)

    parameters, _, value = added.pop("signature").partition(",signature=")
    expected = (
        "(request-target): post /inbox\n"
        "host: social.example\n"
        "date: Thu, 15 Jan 2026 10:00:00 GMT\n"
        "digest: SHA-256=AVq9f1zFei3ZS3WQ8ErYCEJzkF7jPsXOvq5iJ2qX+GI=\n"
        "content-type: application/activity+json"
    )
    assert added == {name: SENT[name] for name in ("host", "date", "digest")}
    assert parameters == (
        f'keyId="{KEY_ID}",algorithm="rsa-sha256",headers="(request-target) host date digest content-type"'
    )
    KEY.public_key().verify(b64decode(value.strip('"')), expected.encode(), PKCS1v15(), SHA256())


@pytest.mark.proves("P-060")
def test_a_get_is_signed_with_its_query_and_without_a_digest() -> None:
    added = signatures.sign("cavage", replace(GET, origin="http://localhost:8001"), KEY_ID, KEY, NOW)

    parameters, _, value = added["signature"].partition(",signature=")
    expected = (
        "(request-target): get /users/mia?page=1\nhost: localhost:8001\ndate: Thu, 15 Jan 2026 10:00:00 GMT\n"
        "accept: application/activity+json"
    )
    assert set(added) == {"host", "date", "signature"}
    assert 'headers="(request-target) host date accept"' in parameters
    KEY.public_key().verify(b64decode(value.strip('"')), expected.encode(), PKCS1v15(), SHA256())


@pytest.mark.proves("P-060")
def test_the_port_is_named_only_if_it_is_an_odd_one_and_the_date_is_that_of_the_attempt() -> None:
    retry = NOW + timedelta(minutes=7)

    standard = signatures.sign("cavage", replace(POST, origin="https://social.example:443"), KEY_ID, KEY, retry)
    odd = signatures.sign("cavage", replace(POST, origin="https://social.example:8443"), KEY_ID, KEY, retry)

    assert (standard["host"], odd["host"]) == ("social.example", "social.example:8443")
    assert standard["date"] == "Thu, 15 Jan 2026 10:07:00 GMT"


@pytest.mark.proves("P-060")
def test_a_digest_that_is_known_is_not_made_again() -> None:
    added = signatures.sign("cavage", POST, KEY_ID, KEY, NOW, digest="of-the-caller")

    assert added["digest"] == "SHA-256=of-the-caller"


@pytest.mark.proves("P-053", "P-055", "P-060")
@pytest.mark.parametrize("request_", [POST, GET], ids=["POST", "GET"])
def test_what_we_sign_verifies(request_: Request) -> None:
    accept(ours(request_))


@pytest.mark.proves("P-053", "P-055")
@pytest.mark.parametrize(
    "cover",
    [
        "host date content-type digest (request-target)",  # Mastodon 4
        "(request-target) host date digest content-type",  # Mastodon 3
        "(request-target) date host digest",  # Misskey
        "(request-target) Host Date Digest",
    ],
)
def test_the_string_follows_the_senders_own_order(cover: str) -> None:
    accept(theirs(cover))


@pytest.mark.proves("P-053")
@pytest.mark.parametrize(
    "rewrite",
    [
        lambda text: f"Signature {text}",
        lambda text: text.replace(",", " , "),
        lambda text: text.replace("keyId=", "KEYID = "),
        lambda text: text.replace('algorithm="rsa-sha256"', "algorithm=rsa-sha256"),
        lambda text: f"{text},",
    ],
)
def test_parameters_are_read_as_loosely_as_they_are_written(rewrite: Callable[[str], str]) -> None:
    request = theirs()

    accept(changed(request, signature=rewrite(request.headers["signature"])))


@pytest.mark.proves("P-053")
def test_the_signature_may_stand_in_authorization() -> None:
    request = theirs()

    accept(changed(request, signature=None, authorization=f"Signature {request.headers['signature']}"))


@pytest.mark.proves("P-053")
def test_values_are_trimmed_and_the_target_is_signed_as_it_was_received() -> None:
    request = replace(POST, target="/inbox/%7Eada/a%2fb")

    accept(changed(theirs(request=request), content_type=" application/activity+json  ", host=" social.example "))
    with pytest.raises(Unverified, match="does not match the key"):
        accept(replace(theirs(request=request), target="/inbox/~ada/a/b"))


@pytest.mark.proves("P-053")
def test_lines_of_one_name_are_signed_joined() -> None:
    headers = {**SENT, "x-note": "one, two"}

    accept(theirs(f"{COVER} x-note", headers=headers))


@pytest.mark.proves("P-053")
@pytest.mark.parametrize(
    "more", ['keyId="https://eve.example/k"', 'KeyID="a"', 'signature="AAAA"', "created=1,created=1"]
)
def test_a_parameter_that_occurs_twice_is_malformed(more: str) -> None:
    request = theirs()

    with pytest.raises(Malformed, match="twice"):
        signatures.read(changed(request, signature=f"{request.headers['signature']},{more}"), NOW)


@pytest.mark.proves("P-053")
@pytest.mark.parametrize("junk", ["keyId", 'keyId="a', '"a"="b"', "=", 'keyId="a"signature="b"', "🦆"])
def test_what_is_no_list_of_parameters_is_malformed(junk: str) -> None:
    with pytest.raises(Malformed, match="not a list"):
        signatures.read(changed(POST, signature=junk), NOW)


@pytest.mark.proves("P-313")
@pytest.mark.parametrize("junk", ["a", 'a="b', ",", "a=1,"])
def test_junk_of_any_length_is_malformed_at_its_first_character(junk: str) -> None:
    with pytest.raises(Malformed, match=r"not a list|twice"):
        signatures.read(changed(POST, signature=junk + junk[-1] * 500_000), NOW)


@pytest.mark.proves("P-054")
@pytest.mark.parametrize(
    ("algorithm", "key", "hashed"),
    [
        ("rsa-sha256", KEY, SHA256()),
        ("RSA-SHA256", KEY, SHA256()),
        ("rsa-sha512", KEY, SHA512()),
        ("hs2019", KEY, SHA256()),
        ("hs2019", KEY, SHA512()),
        ("hs2019", ED25519, None),
        (None, KEY, SHA512()),
        (None, ED25519, None),
    ],
)
def test_the_algorithm_is_the_one_given_or_the_keys_own(algorithm: str | None, key: Any, hashed: Any) -> None:
    accept(theirs(algorithm=algorithm, key=key, hashed=hashed), key=key.public_key())


@pytest.mark.proves("P-054")
@pytest.mark.parametrize(
    ("algorithm", "key", "hashed"),
    [
        ("rsa-sha256", KEY, SHA512()),
        ("rsa-sha512", KEY, SHA256()),
        ("rsa-sha256", ED25519, None),
        ("hs2019", KEY, SHA1()),  # noqa: S303 - that we refuse it is the point
    ],
)
def test_another_algorithm_than_the_one_given_does_not_verify(algorithm: str, key: Any, hashed: Any) -> None:
    with pytest.raises(Unverified, match="does not match the key"):
        accept(theirs(algorithm=algorithm, key=key, hashed=hashed), key=key.public_key())


@pytest.mark.proves("P-054")
@pytest.mark.parametrize("algorithm", ["rsa-sha1", "none", "hmac-sha256", "ed25519", "rsa-sha256 "])
def test_an_unknown_algorithm_is_refused(algorithm: str) -> None:
    with pytest.raises(Unverified, match="algorithm"):
        signatures.read(theirs(algorithm=algorithm), NOW)


@pytest.mark.proves("P-054")
def test_without_algorithm_and_headers_only_created_is_covered() -> None:
    def refusal(algorithm: str) -> str:
        request = changed(POST, **SENT, signature=f'keyId="{KEY_ID}",signature="AAAA",created={UNIX}{algorithm}')
        with pytest.raises(Unverified) as caught:
            signatures.read(request, NOW)
        return str(caught.value)

    assert cavage._names({}, "hs2019") == ("(created)",)
    assert cavage._names({}, "rsa-sha256") == ("date",)
    assert refusal("") == refusal(',algorithm="rsa-sha256"')


@pytest.mark.proves("P-054")
@pytest.mark.parametrize(
    ("cover", "algorithm", "more"),
    [
        (FRESH, "rsa-sha256", f"created={UNIX}"),
        (FRESH, "rsa-sha512", f"created={UNIX}"),
        (FRESH, "hs2019", ""),
        (f"{COVER} (expires)", "hs2019", ""),
        (f"{COVER} (expires)", "rsa-sha256", f"expires={UNIX + 60}"),
    ],
)
def test_created_and_expires_need_their_parameter_and_hs2019(cover: str, algorithm: str, more: str) -> None:
    with pytest.raises(Unverified, match="goes with its parameter"):
        signatures.read(theirs(cover, algorithm, more=more), NOW)


@pytest.mark.proves("P-054")
@pytest.mark.parametrize(
    "signature", ['signature=""', 'signature="AA!AA"', 'signature="not base64"', 'signature="ÄÄ=="', ""]
)
def test_an_empty_or_unreadable_signature_is_refused(signature: str) -> None:
    with pytest.raises(Unverified, match="signature"):
        signatures.read(changed(POST, **SENT, signature=f'keyId="{KEY_ID}",headers="{COVER}",{signature}'), NOW)


@pytest.mark.proves("P-051")
@pytest.mark.parametrize(
    "key_id",
    [
        "acct:ada@ada.example",
        "main-key",
        "ftp://ada.example/k",
        "https://a@b.example/k",
        f"https://ada.example/{2048 * 'k'}",
    ],
)
def test_a_key_id_is_a_web_address(key_id: str) -> None:
    request = theirs()

    with pytest.raises(Unverified, match=r"key id"):
        signatures.read(changed(request, signature=request.headers["signature"].replace(KEY_ID, key_id)), NOW)


@pytest.mark.proves("P-051")
@pytest.mark.parametrize("path", ["#main-key", "/main-key", "/publickey", "?key=1"])
def test_a_key_id_may_be_a_fragment_or_a_path(path: str) -> None:
    request = theirs()
    key_id = f"https://ada.example/actors/01HZA{path}"

    signature = signatures.read(changed(request, signature=request.headers["signature"].replace(KEY_ID, key_id)), NOW)

    assert signature.key_id == key_id


@pytest.mark.proves("P-055", "P-304", "P-305")
@pytest.mark.parametrize("absent", ["(request-target)", "host", "date", "digest"])
def test_a_post_covers_target_host_date_and_digest(absent: str) -> None:
    cover = " ".join(name for name in COVER.split() if name != absent)

    with pytest.raises(Unverified, match="cover"):
        signatures.read(theirs(cover), NOW)


@pytest.mark.proves("P-055")
@pytest.mark.parametrize("absent", ["(request-target)", "host", "date"])
def test_a_get_covers_target_host_and_date(absent: str) -> None:
    cover = " ".join(name for name in ("(request-target)", "host", "date") if name != absent)

    with pytest.raises(Unverified, match="cover"):
        signatures.read(theirs(cover, request=GET), NOW)


@pytest.mark.proves("P-055")
def test_a_get_needs_no_digest_but_one_that_is_covered_has_to_match() -> None:
    empty = {**SENT, "digest": f"SHA-256={digest.of(b'')}"}

    accept(theirs("(request-target) host date", request=GET))
    accept(theirs(COVER, request=GET, headers=empty))
    with pytest.raises(Unverified, match="not that of the body"):
        signatures.read(theirs(COVER, request=GET), NOW)


@pytest.mark.proves("P-053", "P-055")
@pytest.mark.parametrize("cover", [f"{COVER} host", f"{COVER} x-absent"])
def test_a_header_covered_twice_or_absent_is_refused(cover: str) -> None:
    with pytest.raises(Unverified, match=r"twice|lacks"):
        signatures.read(theirs(cover), NOW)


@pytest.mark.proves("P-053", "P-304", "P-305")
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda request: replace(request, body=b'{"a":2}'), "not that of the body"),
        (lambda request: replace(request, method="PUT"), "does not match the key"),
        (lambda request: replace(request, target="/actors/eve/inbox"), "does not match the key"),
        (lambda request: replace(request, origin="https://eve.example"), "Host is not eve.example"),
        (lambda request: changed(request, date="Thu, 15 Jan 2026 10:00:01 GMT"), "does not match the key"),
        (lambda request: changed(request, content_type="text/plain"), "does not match the key"),
        (
            lambda request: changed(replace(request, body=b'{"a":2}'), digest="SHA-256=" + digest.of(b'{"a":2}')),
            "does not match the key",
        ),
        (lambda request: changed(request, digest=f"{SENT['digest']}, SHA-256=AAAA"), "not that of the body"),
        (lambda request: changed(request, digest=None), "has no SHA-256"),
        (lambda request: changed(request, date=None), "Date"),
        (lambda request: changed(request, content_type=None), "lacks"),
    ],
)
def test_whatever_is_changed_on_the_way_is_noticed(change: Callable[[Request], Request], reason: str) -> None:
    with pytest.raises(Unverified, match=reason):
        accept(change(ours(POST)))


@pytest.mark.proves("P-302")
def test_another_key_does_not_verify() -> None:
    for key in (OTHER.public_key(), ED25519.public_key()):
        with pytest.raises(Unverified, match="does not match the key"):
            accept(ours(POST), key=key)


@pytest.mark.proves("P-053")
def test_a_value_with_a_line_break_cannot_pose_as_another_header() -> None:
    headers = {**SENT, "x-note": "one\nx-other: two"}

    with pytest.raises(Unverified, match="line break"):
        signatures.read(theirs(f"{COVER} x-note", headers=headers), NOW)


def test_a_request_without_a_signature_is_told_so() -> None:
    for headers in ({}, {"authorization": "Bearer abc"}):
        with pytest.raises(Unverified, match="has no Signature"):
            signatures.read(replace(POST, headers={**SENT, **headers}), NOW)


@pytest.mark.proves("P-053")
@pytest.mark.parametrize("vector", VECTORS["signatures"], ids=lambda vector: vector["name"])
def test_the_vectors_of_the_draft_verify(vector: dict[str, Any]) -> None:
    request = Request(**{**VECTORS["request"], "body": VECTORS["request"]["body"].encode()})
    key = load_pem_public_key(VECTORS["pem"].encode())
    assert isinstance(key, RSAPublicKey)

    base = cavage.signing_string(request, tuple(vector["names"]), request.headers, request.target)

    assert keys.matches(key, "rsa-v1_5-sha256", b64decode(vector["value"]), base)
    assert not keys.matches(key, "rsa-v1_5-sha256", b64decode(vector["value"]), base + b"\n")
    digest.check(request.headers["digest"], request.body)


PARAMETERS = some.lists(
    some.tuples(
        some.sampled_from(["keyId", "algorithm", "headers", "signature", "created", "expires", "x"]),
        some.one_of(
            some.text(max_size=20),
            some.sampled_from(["hs2019", "rsa-sha256", COVER, FRESH, KEY_ID, "AAAA", str(UNIX), "9" * 40]),
        ),
    )
)


@given(
    PARAMETERS.map(lambda pairs: ",".join(f'{name}="{value}"' for name, value in pairs)) | some.text(),
    some.dictionaries(some.sampled_from(["host", "date", "digest", "authorization", "content-type"]), some.text()),
    some.sampled_from(["GET", "POST", "DELETE"]),
    some.text(),
)
def test_no_header_breaks_the_reader(signature: str, headers: dict[str, str], method: str, target: str) -> None:
    request = Request(method, "https://social.example", target, {**SENT, **headers, "signature": signature}, BODY)

    with pytest.raises(ProtocolError):
        signatures.read(request, NOW).verify(KEY.public_key())
