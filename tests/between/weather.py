"""A network in which anything may fail between any two studios, and whose studios may crash at any moment."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.fediverse import Fediverse, Studio

_AGENT = re.compile(r"\(\+https://([^/]+)/\)")


@dataclass
class Weather(Fediverse):
    """Whose databases are the files in `folder`. What is cut is cut both ways."""

    folder: Path = field(kw_only=True)
    cut: set[frozenset[str]] = field(default_factory=set)  # pairs of hosts that do not reach each other
    losing: dict[str, int] = field(default_factory=dict)  # of so many requests the next answers of a host are lost
    posted: list[httpx.Request] = field(default_factory=list)  # what arrived in inboxes, to be repeated

    async def carry(self, request: httpx.Request) -> httpx.Response:
        came = _AGENT.search(request.headers.get("user-agent", ""))
        sender, receiver = came[1] if came else "", request.url.netloc.decode()
        if frozenset((sender, receiver)) in self.cut or sender in self.asleep:
            raise httpx.ConnectError("no route to host", request=request)
        answer = await super().carry(request)
        if request.method == "POST":
            self.posted.append(request)
        if self.losing.get(receiver, 0) > 0:
            self.losing[receiver] -= 1
            raise httpx.ReadError("the connection broke", request=request)
        return answer

    async def works(self, studio: Studio) -> None:
        """Let one studio do what it has to do at this moment, unless it sleeps."""
        if studio.host not in self.asleep:
            await self._work(studio)

    async def goes_on(self, seconds: float) -> None:
        """Let time pass, and everybody do what they have to do then, errands included."""
        self.later(seconds=seconds)
        await self.settle()
        for studio in self.studios.values():
            if studio.host not in self.asleep:
                await studio.upkeep.run_errands()
        await self.settle()

    async def crashes(self, name: str) -> None:
        """End the program of a studio in the middle of its work, and start it again."""
        studio = self.studios[f"{name}.example"]
        if studio.host not in self.asleep:
            await studio.receipts.work()
            await studio.lanes.work()
            await asyncio.sleep(0)
        studio.lanes.stop()
        await asyncio.gather(studio.receipts.finish(), studio.lanes.finish(), return_exceptions=True)
        await self.closes(studio)
        reopened = await self.opens(name, f"sqlite:///{self.folder / name}.db")
        reopened.lanes.takes_over = True

    async def closes(self, studio: Studio) -> None:
        await studio.instance.client.close()
        studio.instance.store.close()
