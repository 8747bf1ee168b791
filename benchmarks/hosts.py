"""Many remote servers in one process: they say who they are, take what is delivered, and misbehave as told.

    python -m benchmarks.hosts SIZE PORT FOLDER SAID

Commands come as lines of JSON on standard input, answers go to standard output.
"""

from __future__ import annotations

import asyncio
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import httptools
import msgspec
import uvloop

from benchmarks.wire import World


@dataclass
class Arrivals:
    """Which activity arrived at which host when, and how often."""

    hanging: int = 0  # the first so many hosts take a request and never answer
    delay: float = 0.0  # seconds before every second host answers
    times: dict[str, dict[int, list[float]]] = field(default_factory=dict)

    def note(self, host: int, body: bytes) -> None:
        activity = msgspec.json.decode(body)
        self.times.setdefault(activity["id"], {}).setdefault(host, []).append(time.time())


class Host(asyncio.Protocol):
    """One connection to one of the hosts."""

    def __init__(self, world: World, number: int, arrivals: Arrivals) -> None:
        self.world, self.number, self.arrivals = world, number, arrivals
        self.parser = httptools.HttpRequestParser(self)
        self.body, self.url, self.stays = bytearray(), b"", True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is none by its class

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self.url = url

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        method, body = self.parser.get_method(), bytes(self.body)
        self.stays = self.parser.should_keep_alive()
        self.body.clear()
        if method == b"GET":
            self.answer(b"200 OK", self.found())
        elif self.number >= self.arrivals.hanging:
            self.arrivals.note(self.number, body)
            if self.arrivals.delay and self.number % 2:
                asyncio.get_running_loop().call_later(self.arrivals.delay, self.answer, b"202 Accepted", b"")
            else:
                self.answer(b"202 Accepted", b"")

    def found(self) -> bytes:
        """What is at the address that was asked for: the actor, or what the actor said."""
        path, _, query = self.url.decode("latin-1").partition("?")
        if not path.endswith("/outbox"):
            return self.world.document(self.number)
        return self.world.outbox(self.number, int(query.removeprefix("page=")) if query else None)

    def answer(self, status: bytes, body: bytes) -> None:
        head = b"HTTP/1.1 %s\r\ncontent-type: application/activity+json\r\ncontent-length: %d\r\n\r\n"
        if not self.transport.is_closing():
            self.transport.write(head % (status, len(body)) + body)
            if not self.stays:
                self.transport.close()


def obey(command: dict[str, Any], arrivals: Arrivals) -> Any:
    """What is answered to one command."""
    match command["do"]:
        case "behave":
            arrivals.hanging, arrivals.delay = command["hanging"], command["delay"]
        case "arrivals":
            return {str(host): times for host, times in arrivals.times.get(command["activity"], {}).items()}
        case "count":
            return len(arrivals.times.get(command["activity"], {}))
        case "forget":
            arrivals.times.clear()
    return None


async def serve(world: World) -> None:
    loop, arrivals = asyncio.get_running_loop(), Arrivals()
    for number in range(world.size):
        factory = lambda number=number: Host(world, number, arrivals)  # noqa: E731 - bound now, called later
        await loop.create_server(factory, "127.0.0.1", world.port + number, backlog=512)
    reader = asyncio.StreamReader(limit=2**24)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    print("ready", flush=True)
    while line := await reader.readline():
        print(msgspec.json.encode(obey(msgspec.json.decode(line), arrivals)).decode(), flush=True)


if __name__ == "__main__":
    uvloop.run(serve(World(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]), said=int(sys.argv[4]))))
