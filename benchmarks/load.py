"""Sending requests that are ready, over plain sockets, so that the load takes as little of the machine as it can."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

import httptools

from benchmarks.wire import World

MIX = {"Create": 75, "Like": 10, "Announce": 5, "Follow": 5, "Update": 3, "Delete": 2}  # of a hundred


@dataclass(frozen=True, slots=True)
class Load:
    """What came of sending: how many were accepted, the seconds it took, and each answer's latency in seconds."""

    accepted: int
    seconds: float
    latencies: list[float]
    statuses: dict[int, int]

    def latency(self, share: float) -> float:
        return sorted(self.latencies)[min(len(self.latencies) - 1, int(len(self.latencies) * share))]


class Connection(asyncio.Protocol):
    """One connection, one request at a time."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.parser = httptools.HttpResponseParser(self)
        self.answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_message_complete(self) -> None:
        status, self.parser = self.parser.get_status_code(), httptools.HttpResponseParser(self)
        self.answer.set_result(status)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.answer.done():
            self.answer.set_exception(error or ConnectionResetError())

    async def send(self, request: bytes) -> int:
        self.answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return await self.answer


async def send_all(port: int, requests: list[bytes], connections: int, rate: float = 0) -> Load:
    """Send every request once, over so many connections; at `rate` a second, or as fast as they are answered."""
    loop, todo = asyncio.get_running_loop(), iter(enumerate(requests))
    statuses: Counter[int] = Counter()
    latencies: list[float] = []
    began = time.perf_counter()

    async def work() -> None:
        _, connection = await loop.create_connection(Connection, "127.0.0.1", port)
        for number, request in todo:
            planned = began + number / rate if rate else time.perf_counter()
            if (early := planned - time.perf_counter()) > 0:
                await asyncio.sleep(early)
            statuses[await connection.send(request)] += 1
            latencies.append(time.perf_counter() - planned)
        connection.transport.close()

    await asyncio.gather(*(work() for _ in range(connections)))
    accepted = sum(count for status, count in statuses.items() if status < 300)
    return Load(accepted, time.perf_counter() - began, latencies, dict(statuses))


def activities(world: World, count: int, target: str, run: str) -> list[tuple[int, dict[str, Any]]]:
    """`count` activities of all actors in turn, in the mix of an ordinary day."""
    chance = random.Random(7)
    kinds = chance.choices(list(MIX), list(MIX.values()), k=count)
    notes: dict[int, list[dict[str, Any]]] = {}
    found = []
    for number, wanted in enumerate(kinds):
        actor, name = number % world.size, f"{run}-{number}"
        mine = notes.setdefault(actor, [])
        kind = wanted if wanted in ("Follow", "Like", "Announce") or mine else "Create"
        about: Any = target if kind == "Follow" else mine[-1]["id"] if mine else ""
        if kind == "Create":
            about = world.note(actor, name, target)
            mine.append(about)
        elif kind == "Update":
            about = {**mine[-1], "content": "<p>edited</p>", "updated": mine[-1]["published"]}
        elif kind == "Delete":
            about = {"id": mine.pop()["id"], "type": "Tombstone"}
        elif kind != "Follow" and not mine:
            continue
        found.append((actor, world.activity(actor, kind, name, about)))
    return found
