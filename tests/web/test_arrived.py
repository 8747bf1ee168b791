"""What the doctor is told of a letter that came through a proxy."""

from __future__ import annotations

import httpx
import pytest

from tests.fediverse import Fediverse, Studio
from tests.web.visitors import ask, visiting
from web.limits import MAX_BODY
from web.wellknown import ARRIVED

SIGNED = {"Date": "x", "Digest": "x", "Signature": "x", "Signature-Input": "x", "Content-Digest": "x"}


async def tells(studio: Studio, headers: dict[str, str], client: str, body: bytes = b"{}") -> httpx.Response:
    async with visiting(studio, client) as visitor:
        return await visitor.post(ARRIVED, content=body, headers=headers)


async def test_a_letter_is_told_which_of_what_verifies_it_arrived(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")

    whole = await tells(attic, {**SIGNED, "Cookie": "secret", "X-Other": "x"}, "203.0.113.1")
    without = await tells(attic, {"Date": "x", "Signature": "x"}, "203.0.113.1")

    assert whole.json() == {"from": "203.0.113.1", "headers": sorted(name.lower() for name in SIGNED)}
    assert without.json()["headers"] == ["date", "signature"]
    assert whole.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("client", "forwarded", "told"),
    [
        ("127.0.0.1", {}, None),  # a proxy on this machine that does not say who asks
        ("127.0.0.1", {"X-Forwarded-For": "203.0.113.1"}, "203.0.113.1"),
        ("203.0.113.9", {"X-Forwarded-For": "203.0.113.1"}, "203.0.113.9"),  # no proxy of ours
    ],
)
async def test_whoever_asks_is_told_for_whom_they_are_taken(
    fediverse: Fediverse, client: str, forwarded: dict[str, str], told: str | None
) -> None:
    attic = await fediverse.studio("attic")

    assert (await tells(attic, forwarded, client)).json()["from"] == told


async def test_nobody_is_told_by_a_link_or_with_a_letter_that_is_too_long(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")

    assert (await ask(attic, ARRIVED)).status_code == 405
    assert (await tells(attic, {}, "203.0.113.1", bytes(MAX_BODY + 1))).status_code == 413
