"""A first run in this process: the pages as they are served, on a folder and a port of this machine, and a browser."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from boxroom.first import Plot
from tests.boxroom.house import free_port
from tests.web.inhabitants import forms
from tests.web.visitors import BROWSER
from web.first import app
from web.first.beginning import Beginning

PASSWORD = "one lamp, two windows"


@dataclass
class FirstRun:
    """What the program does as long as there is no studio in `folder`."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    proxies: tuple[str, ...] = ()
    later: timedelta = timedelta()
    port: int = field(default_factory=free_port)
    ended: int = 0
    beginning: Beginning = field(init=False)
    app: ASGIApp = field(init=False)

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True, mode=0o700)
        self.starts()

    def starts(self) -> None:
        """As a process does that has just begun."""
        plot = Plot(self.folder, self.port, self.environment)
        self.beginning = Beginning(plot, plot.kept(), lambda: datetime.now(UTC) + self.later, self._end)
        self.app = app.create(self.beginning, self.proxies)

    def _end(self) -> None:
        self.ended += 1

    @property
    def home(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def link(self) -> str:
        return f"/first?key={self.beginning.key}"

    def browser(self, address: str = "127.0.0.1", home: str = "", **headers: str) -> Founder:
        transport = httpx.ASGITransport(self.answers, client=(address, 4711))
        given = {**BROWSER, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return Founder(httpx.AsyncClient(transport=transport, base_url=home or self.home, headers=given))

    async def answers(self, scope: Scope, receive: Receive, send: Send) -> None:
        """By the program that runs now."""
        await self.app(scope, receive, send)

    @asynccontextmanager
    async def is_served(self) -> AsyncIterator[None]:
        """At its port, for what asks by the address that the studio is to have."""
        server = uvicorn.Server(
            uvicorn.Config(self.answers, port=self.port, interface="asgi3", lifespan="off", log_config=None)
        )
        task = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 - it has no event
            await asyncio.sleep(0.01)
        try:
            yield
        finally:
            server.should_exit = True
            await task


@dataclass
class Founder:
    """A browser in which somebody founds a studio."""

    client: httpx.AsyncClient

    async def sees(self, path: str) -> httpx.Response:
        return await self.client.get(path)

    async def sends(self, page: str, action: str, **typed: str) -> httpx.Response:
        """Open `page`, fill in its form for `action` and send it; follow nothing."""
        return await self.sends_from((await self.sees(page)).text, action, **typed)

    async def sends_from(self, page: str, action: str, **typed: str) -> httpx.Response:
        form = next(one for one in forms(page) if one.action == action)
        return await self.client.post(action, data={**form.fields, **typed})

    async def says_whose(self, **other: str) -> httpx.Response:
        return await self.sends("/first", "/first", **{"name": "Ada Verne", "handle": "ada", "kind": "person", **other})

    async def looks_at(self, url: str = "") -> httpx.Response:
        where = "own" if url else "trial"
        return await self.sends("/first/address", "/first/address", where=where, url=url)

    async def comes_to_the_sheet(self, run: FirstRun, **way: str) -> httpx.Response:
        """All steps but the last, with an address for trying out."""
        await self.sees(run.link)
        await self.says_whose()
        async with run.is_served():
            await self.looks_at()
        await self.sends("/first/address", "/first/address/take")
        await self.sends("/first/way-in", "/first/way-in", **(way or {"way": "password", "password": PASSWORD}))
        return await self.sees("/first/sheet")

    async def founds(self, page: str) -> httpx.Response:
        return await self.sends_from(page, "/first/found", kept="yes")
