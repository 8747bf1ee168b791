from __future__ import annotations

import hashlib
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as some

from activitypub import digest
from activitypub.errors import Malformed, ProtocolError, Unverified

BODY = b'{"a":1}'
SHA256 = "AVq9f1zFei3ZS3WQ8ErYCEJzkF7jPsXOvq5iJ2qX+GI="  # PROTOCOL.md 2.3
SHA512 = b64encode(hashlib.sha512(BODY).digest()).decode()
OTHER = b64encode(bytes(32)).decode()


@pytest.mark.proves("P-057", "P-064")
def test_both_headers_are_written_from_one_digest() -> None:
    once = digest.of(BODY)

    assert digest.write(once) == f"SHA-256={SHA256}"
    assert digest.write_content(once) == f"sha-256=:{SHA256}:"


@pytest.mark.proves("P-057")
@pytest.mark.parametrize(
    "header",
    [
        f"SHA-256={SHA256}",
        f"sha-256={SHA256}",
        f" SHA-256={SHA256} , unixsum=30637",
        f"SHA-512={SHA512},SHA-256={SHA256}",
        f"MD5=AAAA,SHA-256={SHA256}",
    ],
)
def test_a_digest_of_the_body_is_accepted(header: str) -> None:
    digest.check(header, BODY)


@pytest.mark.proves("P-057", "P-304")
@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("", "has no SHA-256"),
        (f"SHA-512={SHA512}", "has no SHA-256"),
        ("SHA-256", "not that of the body"),
        (f"SHA-256={OTHER}", "not that of the body"),
        (f"SHA-256={SHA256[:-1]}", "not that of the body"),
        (f"SHA-256={SHA256} x", "not that of the body"),
        (f"SHA-256={SHA256},SHA-512={OTHER}", "sha-512 in Digest"),
        (f"SHA-256={SHA256}, SHA-256={OTHER}", "not that of the body"),
        (f"SHA-256={OTHER}, SHA-256={SHA256}", "not that of the body"),
    ],
)
def test_any_other_digest_is_refused(header: str, reason: str) -> None:
    with pytest.raises(Unverified, match=reason):
        digest.check(header, BODY)


@pytest.mark.proves("P-304")
def test_one_changed_byte_of_the_body_is_noticed_by_both() -> None:
    with pytest.raises(Unverified):
        digest.check(f"SHA-256={SHA256}", BODY.replace(b"1", b"2"))
    with pytest.raises(Unverified):
        digest.check_content(f"sha-256=:{SHA256}:", BODY.replace(b"1", b"2"))


@pytest.mark.proves("P-064")
@pytest.mark.parametrize(
    "header",
    [
        f"sha-256=:{SHA256}:",
        f"sha-512=:{SHA512}:",
        f"sha-256=:{SHA256}:, sha-512=:{SHA512}:",
        f"md5=:AAAA:, sha-256=:{SHA256}:;why=1",
    ],
)
def test_a_content_digest_of_the_body_is_accepted(header: str) -> None:
    digest.check_content(header, BODY)


@pytest.mark.proves("P-064")
@pytest.mark.parametrize(
    "header",
    [
        "",
        "md5=:AAAA:",
        f"sha-256=:{OTHER}:",
        f'sha-256="{SHA256}"',
        "sha-256",
        "sha-256=(1 2)",
        f"sha-256=:{SHA256}:, sha-512=:{OTHER}:",
        f"sha-256=:{OTHER}:, sha-512=:{SHA512}:",
    ],
)
def test_any_other_content_digest_is_refused(header: str) -> None:
    with pytest.raises(Unverified):
        digest.check_content(header, BODY)


@pytest.mark.proves("P-061", "P-304")
@pytest.mark.parametrize(
    "header",
    [f"SHA-256={SHA256}", f"sha-256=:{SHA256}", "sha-256=:!:", "ä", f"sha-256=:{OTHER}:, sha-256=:{SHA256}:"],
)
def test_a_content_digest_that_is_no_dictionary_or_says_a_thing_twice_is_malformed(header: str) -> None:
    with pytest.raises(Malformed):
        digest.check_content(header, BODY)


@given(some.text(), some.binary())
def test_no_header_breaks_the_check(header: str, body: bytes) -> None:
    for check in (digest.check, digest.check_content):
        with pytest.raises(ProtocolError):
            check(header, body)
