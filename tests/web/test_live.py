"""Pages that stay open are told that there is something new; what it is they ask for themselves."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Message

import web.app
from coop import accounts, logins, posts
from coop.arrivals import ARRIVALS
from coop.posts import Draft
from tests.fediverse import Fediverse, Studio
from tests.web.inhabitants import Inhabitant, at_home
from tests.web.lively import lively
from tests.web.test_collections import says
from tests.web.visitors import neighbours


class Stream:
    """What a browser hears that listens."""

    def __init__(self) -> None:
        self.status = 0
        self.heard: asyncio.Queue[str] = asyncio.Queue()
        self.gone = asyncio.Event()

    async def send(self, message: Message) -> None:
        self.status = message.get("status", self.status)
        if message["type"] == "http.response.body":
            await self.heard.put(message.get("body", b"").decode())

    async def receive(self) -> Message:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def next(self) -> str:
        """The next that is told; the end is empty."""
        return await asyncio.wait_for(self.heard.get(), 20)


@asynccontextmanager
async def listening(one: Inhabitant, query: str = "", last: str = "") -> AsyncIterator[Stream]:
    stream = Stream()
    one.studio.app.watching.pause = 0
    cookies = "; ".join(f"{name}={value}" for name, value in one.client.cookies.items())
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "https",
        "path": "/live",
        "raw_path": b"/live",
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(b"host", one.studio.host.encode()), (b"cookie", cookies.encode())],
        "client": ("127.0.0.1", 4711),
        "server": (one.studio.host, 443),
    }
    if last:
        scope["headers"].append((b"last-event-id", last.encode()))
    task = asyncio.create_task(one.studio.app(scope, stream.receive, stream.send))
    try:
        assert "here" in await stream.next()
        yield stream
    finally:
        stream.gone.set()
        await asyncio.wait_for(task, 20)


def told(studio: Studio) -> str:
    return f"since={studio.instance.store.topics.told(ARRIVALS)}"


async def test_a_page_is_told_that_something_came_and_not_what(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    one = await at_home(shop)

    async with listening(one, told(shop)) as stream:
        await says(attic, "The kiln is hot")
        await fediverse.settle()
        heard = await stream.next()

    assert stream.status == 200
    assert heard.startswith("event: arrived\nid: ")
    assert "kiln" not in heard


async def test_what_came_before_the_page_listened_is_told_at_once(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    one = await at_home(shop)
    before = told(shop)
    await says(attic, "The kiln is hot")
    await fediverse.settle()

    async with listening(one, before) as stream:
        heard = await stream.next()
    number = heard.partition("id: ")[2].partition("\n")[0]
    async with listening(one, before, last=number) as later:
        await shop.does(lambda tx: posts.publish(tx, shop.uri, Draft("Mine")))
        again = await later.next()

    assert "arrived" in heard
    assert f"id: {number}" not in again  # what was heard is not told twice


@pytest.mark.parametrize("odd", ["since=nonsense", "since=-1", f"since={'9' * 400}", "since=%F0%9F%95%AF", ""])
async def test_whatever_a_page_says_that_it_knows_it_is_told_the_number(fediverse: Fediverse, odd: str) -> None:
    attic, _ = await neighbours(fediverse)
    one = await at_home(attic)

    async with listening(one, odd) as stream:
        assert "arrived" in await stream.next()


async def test_nobody_listens_without_a_login_nor_after_it(fediverse: Fediverse) -> None:
    attic, _ = await neighbours(fediverse)
    one = await at_home(attic)
    number = await attic.instance.store.read(lambda db: accounts.named(db, "attic").id)

    async with listening(one, told(attic)) as stream:
        await attic.does(lambda tx: logins.leave_everywhere(tx, number))
        await attic.does(lambda tx: posts.publish(tx, attic.uri, Draft("Secretly", "followers")))
        assert await stream.next() == ""  # it ends

    answer = await one.sees("/live")
    assert (answer.status_code, answer.text) == (204, "")


async def test_nobody_has_more_windows_open_than_they_can_look_through(fediverse: Fediverse) -> None:
    attic, _ = await neighbours(fediverse)
    one = await at_home(attic)
    attic.app.watching.most = 1

    async with listening(one, told(attic)):
        refused = await one.sees("/live")
    async with listening(one, told(attic)) as again:
        assert again.status == 200

    assert refused.status_code == 429
    assert "close some" in refused.text


async def test_who_listens_does_not_keep_the_server_from_stopping(fediverse: Fediverse) -> None:
    attic, _ = await neighbours(fediverse)
    app = web.app.create({attic.host: attic.instance})
    attic.app = app
    one = await at_home(attic)

    async with listening(one, told(attic)) as stream:
        app.hang_up()
        assert await stream.next() == ""


LISTS = ("/today", "/board", "/projects", "/people", "/notifications", "/conversations", "/vouching", "/promises")


def regions(page: str) -> set[str]:
    """What of a page fetches itself anew."""
    return {found for tag in re.findall(r"<[^>]* fresh\"[^>]*>|<[^>]*\"fresh\"[^>]*>", page) for found in ids(tag)}


def ids(tag: str) -> list[str]:
    return re.findall(r' id="([^"]+)"', tag)


async def test_where_nothing_is_yet_what_comes_first_is_seen_as_soon(tmp_path: Path) -> None:
    house = await lively(tmp_path)

    for path in LISTS:
        busy, empty = regions((await house.ada.sees(path)).text), regions((await house.nobody.sees(path)).text)
        assert busy == empty != set(), path
    await house.fediverse.close()
