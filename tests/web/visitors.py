"""Who comes by: a browser, a program, or something odd, without any socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import unquote

import httpx
from starlette.types import Message

from tests.fediverse import Fediverse, Studio

BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"}
PROGRAM = {"accept": "application/activity+json"}


def visiting(studio: Studio, client: str = "127.0.0.1", app: Any = None) -> httpx.AsyncClient:
    """A client of the studio's application that comes from the address `client`."""
    transport = httpx.ASGITransport(app or studio.app, client=(client, 4711))
    return httpx.AsyncClient(transport=transport, base_url=studio.home)


async def ask(studio: Studio, url: str, headers: Mapping[str, str] = PROGRAM, method: str = "GET") -> httpx.Response:
    async with visiting(studio) as client:
        return await client.request(method, url, headers=dict(headers))


async def ask_literally(studio: Studio, path: str) -> tuple[int, bytes]:
    """Status and body that answer a GET of `path` as it is; clients resolve ``..`` before they send anything."""
    answer: list[Message] = []
    ended = asyncio.Event()
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "scheme": "https",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", studio.host.encode()), *((n.encode(), v.encode()) for n, v in BROWSER.items())],
        "client": ("127.0.0.1", 4711),
        "server": (studio.host, 443),
    }

    async def receive() -> Message:
        await ended.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        answer.append(message)
        if message["type"] == "http.response.body" and not message.get("more_body"):
            ended.set()

    await studio.app(scope, receive, send)
    return answer[0]["status"], b"".join(one.get("body", b"") for one in answer)


async def post(studio: Studio, path: str, body: Any, **headers: str) -> httpx.Response:
    """An unsigned POST, of type activity+json unless `headers` (``_`` for ``-``) say otherwise."""
    given = {"content-type": "application/activity+json"} | {k.replace("_", "-"): v for k, v in headers.items()}
    async with visiting(studio) as client:
        return await client.post(path, content=body, headers=given)


async def neighbours(fediverse: Fediverse) -> tuple[Studio, Studio]:
    """Ada in the attic, and Bo above the shop, who follows her."""
    attic, shop = await fediverse.studio("attic"), await fediverse.studio("shop")
    await shop.follows(attic)
    await fediverse.settle()
    return attic, shop


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part
