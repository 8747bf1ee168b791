"""Another server, on a real socket of this machine, that answers whatever a test wants it to."""

from __future__ import annotations

import asyncio
import itertools
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp  # noqa: F401 - the first request would load it, which takes longer than some tests wait
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from federation.client import Client
from federation.guard import Limits
from federation.transport import Transport, transport

AS2 = "application/activity+json"
WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Asked:
    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def scheme(self) -> str:
        """In which dialect it was signed, if it was."""
        return "rfc9421" if "signature-input" in self.headers else "cavage" if "signature" in self.headers else ""


@dataclass(slots=True)
class Peer:
    """`answers` has what each path is answered with; `odd` has what writes answers that are none."""

    name: str = "127.0.0.1"
    port: int = 0
    scheme: str = "http"
    answers: dict[str, bytes | Callable[[Asked], bytes]] = field(default_factory=dict)
    odd: dict[str, Callable[[asyncio.StreamWriter], Awaitable[None]]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0

    def url(self, path: str = "/") -> str:
        return f"{self.scheme}://{self.name}:{self.port}{path}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                await self._answer(await _read(reader), writer)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return
        finally:
            writer.transport.abort()

    async def _answer(self, asked: Asked, writer: asyncio.StreamWriter) -> None:
        self.asked.append(asked)
        path = asked.target.partition("?")[0]
        if path in self.odd:
            await self.odd[path](writer)
        else:
            answer = self.answers.get(path, reply(404))
            writer.write(answer if isinstance(answer, bytes) else answer(asked))


async def _read(reader: asyncio.StreamReader) -> Asked:
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").strip().split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    method, target, _ = first.split(" ")
    return Asked(method, target, headers, await reader.readexactly(int(headers.get("content-length", 0))))


def reply(status: int = 200, body: bytes = b"", **headers: str) -> bytes:
    """An answer as it is on the wire; in names of headers ``_`` stands for ``-``."""
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([f"HTTP/1.1 {status} So", f"Content-Length: {len(body)}", *lines, "", ""]).encode() + body


def document(body: str, content_type: str = AS2) -> bytes:
    return reply(200, body.encode(), Content_Type=content_type)


@asynccontextmanager
async def listening(peer: Peer, context: ssl.SSLContext | None = None) -> AsyncIterator[Peer]:
    """`peer`, reachable on a free port of 127.0.0.1 by whatever name it has."""
    held: list[tuple[asyncio.StreamWriter, asyncio.Task[None]]] = []

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.append((writer, asyncio.create_task(peer.serve(reader, writer))))

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=context)
    peer.port, peer.scheme = server.sockets[0].getsockname()[1], "https" if context else "http"
    try:
        yield peer
    finally:
        server.close()
        for writer, task in held:
            task.cancel()
            writer.transport.abort()
        await asyncio.gather(*(task for _, task in held), return_exceptions=True)
        await asyncio.gather(*(writer.wait_closed() for writer, _ in held), return_exceptions=True)


def certificate(folder: Path, name: str) -> Path:
    """A file with a key and a certificate for `name` that is signed by nobody but itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number(), now - WEEK, now + WEEK)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    file = folder / f"{name}.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(private + made.public_bytes(Encoding.PEM))
    return file


def tls(file: Path) -> ssl.SSLContext:
    """For a server that shows the `certificate` in `file`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


START = datetime(2026, 11, 22, 12, tzinfo=UTC)
QUICK = Limits(dns=0.2, connect=0.5, total=0.5, document=20_000, answer=1_000)


def ticking() -> Callable[[], datetime]:
    """A clock on which a second passes with each look."""
    seconds = itertools.count()
    return lambda: START + timedelta(seconds=next(seconds))


@asynccontextmanager
async def asking(outside: Transport | None = None, limits: Limits = QUICK) -> AsyncIterator[Client]:
    """A client for whom every name leads to this machine, or one that goes out by way of `outside`."""

    async def here(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    way = outside or transport(True, limits, here)
    client = Client(way, "https://home.example", ticking(), agent="Boxroom/1", allow_private=True, limits=limits)
    try:
        yield client
    finally:
        await client.close()
