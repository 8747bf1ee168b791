"""How often somebody may come, and who counts as the same."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import httpx
import pytest
from starlette.exceptions import HTTPException

from federation import allowance
from federation.allowance import Allowance
from tests.fediverse import Fediverse
from tests.web.visitors import visiting
from web import limits
from web.limits import Rates, bucket, networks


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


async def here(scope: object, receive: object, send: object) -> None:
    """An application that is always there."""
    await send({"type": "http.response.start", "status": 204, "headers": []})  # type: ignore[operator]
    await send({"type": "http.response.body", "body": b""})  # type: ignore[operator]


async def come(rates: Rates, client: str, forwarded: str = "") -> bool:
    """Whether a request is let in."""
    headers = {"x-forwarded-for": forwarded} if forwarded else {}
    transport = httpx.ASGITransport(rates, client=(client, 1))
    async with httpx.AsyncClient(transport=transport, base_url="https://attic.example") as visitor:
        with suppress(HTTPException):
            return (await visitor.get("/", headers=headers)).status_code == 204
    return False


def strict(*proxies: str) -> Rates:
    return Rates(here, networks(proxies), Allowance(burst=2, rate=0.1, clock=Clock()))


@pytest.mark.proves("P-328")
async def test_whoever_comes_too_often_waits_and_others_do_not() -> None:
    rates = strict()

    assert [await come(rates, "203.0.113.1") for _ in range(3)] == [True, True, False]
    assert await come(rates, "203.0.113.2")
    rates.allowance.clock.now += 10  # type: ignore[attr-defined]
    assert [await come(rates, "203.0.113.1") for _ in range(2)] == [True, False]


@pytest.mark.proves("P-328")
async def test_one_customer_is_one_whatever_address_of_a_network_is_used() -> None:
    rates = strict()

    assert [await come(rates, f"2001:db8:1:2::{number}") for number in range(1, 4)] == [True, True, False]
    assert await come(rates, "2001:db8:1:3::1")
    assert bucket("::ffff:203.0.113.1") == bucket("203.0.113.1") == "203.0.113.1"


@pytest.mark.proves("P-328")
async def test_nobody_is_believed_about_who_they_are_but_a_proxy() -> None:
    open_to_all, behind_proxy = strict(), strict("10.0.0.0/8", "127.0.0.1")

    claims = [f"198.51.100.{number}" for number in range(3)]

    assert [await come(open_to_all, "203.0.113.1", one) for one in claims] == [True, True, False]
    assert [await come(behind_proxy, "203.0.113.1", one) for one in claims] == [True, True, False]
    assert [await come(behind_proxy, "10.0.0.1", one) for one in claims] == [True, True, True]
    assert [await come(behind_proxy, "127.0.0.1", f"{one}, 203.0.113.9") for one in claims] == [True, True, False]
    assert [await come(behind_proxy, "10.0.0.1", "198.51.100.77, 10.1.1.1") for _ in range(3)] == [True, True, False]


@pytest.mark.proves("P-328")
async def test_a_proxy_on_this_machine_is_believed_without_being_named() -> None:
    rates = strict()

    assert [await come(rates, "127.0.0.1", "198.51.100.1, 203.0.113.9") for _ in range(3)] == [True, True, False]
    assert [await come(rates, "::1", "203.0.113.9, 127.0.0.1")] == [False]
    assert await come(rates, "127.0.0.1", "203.0.113.10")


@pytest.mark.proves("P-328")
async def test_this_machine_itself_is_not_counted() -> None:
    rates = strict()

    assert all([await come(rates, one) for one in ("127.0.0.1", "::1", "127.0.0.53") for _ in range(3)])


@pytest.mark.proves("P-327")
def test_strangers_do_not_fill_the_memory() -> None:
    visitors = Allowance(clock=Clock())

    for number in range(allowance.REMEMBERED + 500):
        assert visitors.take(f"2001:db8:{number:x}::/64") == 0

    assert len(visitors._left) == allowance.REMEMBERED


@pytest.mark.proves("P-327")
@pytest.mark.parametrize("headers", [{"content-length": str(limits.MAX_BODY)}, {"transfer-encoding": "chunked"}])
async def test_whoever_sends_slowly_does_not_take_all_the_room(headers: dict[str, str]) -> None:
    arriving, answered = asyncio.Event(), asyncio.Event()

    async def slow(scope: object, receive: object, send: object) -> None:
        arriving.set()
        await answered.wait()
        await here(scope, receive, send)

    async def post(rates: Rates, client: str) -> int:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(rates, client=(client, 1)), base_url="https://attic.example"
        ) as visitor:
            try:
                return (await visitor.post("/inbox", headers=headers)).status_code
            except HTTPException as error:
                return error.status_code

    rates = Rates(slow)
    share = limits.HELD_FROM_ONE // limits.MAX_BODY
    waiting = [asyncio.create_task(post(rates, "203.0.113.1")) for _ in range(share)]
    await arriving.wait()
    one_more = await post(rates, "203.0.113.1")
    others = [asyncio.create_task(post(rates, f"198.51.100.{number // share}")) for number in range(8 * share)]
    refused = asyncio.as_completed(others)
    assert [await next(refused) for _ in range(share)] == [503] * share
    answered.set()

    assert one_more == 503
    assert await asyncio.gather(*waiting) == [204] * share
    assert sorted(await asyncio.gather(*others)) == [204] * 7 * share + [503] * share
    assert await post(rates, "203.0.113.1") == 204


@pytest.mark.proves("P-100", "P-328")
async def test_whoever_has_to_wait_is_told_for_how_long(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    async with visiting(attic, "203.0.113.1") as client:
        answers = [await client.get("/robots.txt") for _ in range(700)]

    refused = [one for one in answers if one.status_code == 429]

    assert refused
    assert int(refused[0].headers["retry-after"]) >= 1
    assert refused[0].json()["error"]
    async with visiting(attic, "203.0.113.2") as other:
        assert (await other.get("/robots.txt")).status_code == 200
