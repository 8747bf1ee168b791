"""The digest of followers, and the header that carries it (FEP-8fcf)."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as some

from activitypub.errors import Malformed
from activitypub.synchronization import Announcement, digest_of

DIGEST = "c33f48cd341ef046a206b8a72ec97af65079f9a3a9b90eef79c5920dce45c61f"
GOOD = Announcement("https://a.example/1/followers", "https://a.example/1/some", DIGEST)


@pytest.mark.proves("P-170")
def test_the_digest_is_that_of_the_specification() -> None:
    assert digest_of(f"https://testing.example.org/users/{number}" for number in (2, 1)) == DIGEST
    assert digest_of([]) == "0" * 64


@pytest.mark.proves("P-170")
def test_what_we_write_we_read() -> None:
    assert Announcement.read(GOOD.write()) == GOOD
    assert Announcement.read(GOOD.write().replace(", ", ",")) == GOOD
    assert Announcement.read(GOOD.write().replace(DIGEST, DIGEST.upper())) == GOOD


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "digest",
        GOOD.write().replace("a.example/1/some", "b.example/1/some"),
        GOOD.write().replace(DIGEST, DIGEST[1:]),
        GOOD.write().replace("collectionId", "collection"),
        f"{GOOD.write()}, {GOOD.write()}",
        f"{GOOD.write()}, x",
        f"{' ' * 9_000}{GOOD.write()}",
    ],
)
def test_what_is_not_whole_is_refused(wrong: str) -> None:
    with pytest.raises(Malformed):
        Announcement.read(wrong)


@given(some.text() | some.from_regex(r'(collectionId|url|digest)="[^"]*"(, (url|digest)="[^"]*")*'))
def test_any_header_is_an_announcement_or_malformed(header: str) -> None:
    with suppress(Malformed):
        Announcement.read(header)
