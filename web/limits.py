"""How much strangers may ask of us: the size and time of a body, and how often they come (P-100, P-327, P-328)."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from activitypub.sentence import Sentence
from federation.allowance import Allowance

MAX_BODY = 1_048_576  # octets, as everybody accepts
HELD = 64 * MAX_BODY  # of all bodies that are arriving or being judged at one moment
HELD_FROM_ONE = HELD // 8  # of those from one address
BODY_TIME = 30.0  # seconds to send it in

_FORWARDED = b"x-forwarded-for"  # names are in lower case (ASGI)

Network = IPv4Network | IPv6Network


async def read_body(headers: Mapping[str, str], receive: Receive) -> bytes:
    """The body of a request, as sent. Raise `HTTPException` 413, 415 or 408 if it is too long, packed or slow."""
    length = headers.get("content-length", "0")
    if not length.isdecimal() or int(length[:20]) > MAX_BODY:
        raise HTTPException(413, Sentence("a body may have %(most)s bytes here", most=MAX_BODY))
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise HTTPException(415, "send the body as it is, without Content-Encoding")
    try:
        async with asyncio.timeout(BODY_TIME):
            return await _read(receive)
    except TimeoutError:
        raise HTTPException(
            408, Sentence("the body did not arrive within %(most)s seconds", most=int(BODY_TIME))
        ) from None


async def _read(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise HTTPException(400, "the connection ended before the body did")
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > MAX_BODY:
            raise HTTPException(413, Sentence("a body may have %(most)s bytes here", most=MAX_BODY))
    return body


@dataclass(slots=True)
class Room:
    """How much memory is left for bodies: whoever sends slowly, or much at once, shall not have all of it (P-327)."""

    _taken: Counter[str] = field(default_factory=Counter)

    @contextmanager
    def taken(self, who: str | None, octets: int) -> Iterator[None]:
        """Keep so much while a request is answered. Raise `HTTPException` 503 if there is no room for it."""
        who = who or ""
        if self._taken.total() + octets > HELD or (who and self._taken[who] + octets > HELD_FROM_ONE):
            raise HTTPException(503, "too much arrives at this moment; send it again soon", {"Retry-After": "30"})
        self._taken[who] += octets
        try:
            yield
        finally:
            self._taken[who] -= octets
            if not self._taken[who]:
                del self._taken[who]


@dataclass(slots=True)
class Rates:
    """Refuses whoever asks too often, or for too much at once.

    `proxies`, and one on this machine, are believed about whom they ask for; nobody else is.
    """

    app: ASGIApp
    proxies: tuple[Network, ...] = ()
    allowance: Allowance = field(default_factory=Allowance)
    room: Room = field(default_factory=Room)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope["came_from"] = who = self._who(scope)
        if who and (wait := self.allowance.take(who)):
            raise HTTPException(429, "that is too often; wait a little", {"Retry-After": str(int(wait) + 1)})
        if octets := _announced(scope):
            with self.room.taken(who, octets):
                await self.app(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def _who(self, scope: Scope) -> str | None:
        """Whose request counts against whom; ``None`` for this machine itself."""
        client = scope.get("client")
        came_by = client[0] if client else ""
        if (address := parse(came_by)) and self._trusts(address):
            forwarded = ",".join(value.decode("latin-1") for name, value in scope["headers"] if name == _FORWARDED)
            came_by = next((one for one in reversed(forwarded.split(",")) if not self._is_proxy(one)), came_by)
        return bucket(came_by.strip())

    def _is_proxy(self, text: str) -> bool:
        address = parse(text.strip())
        return address is not None and self._trusts(address)

    def _trusts(self, address: IPv4Address | IPv6Address) -> bool:
        return address.is_loopback or any(address in one for one in self.proxies)


def _announced(scope: Scope) -> int:
    """How many octets a body will take, at most; 0 without one."""
    found = dict(scope["headers"])  # names are in lower case (ASGI)
    length = found.get(b"content-length", b"")
    if length.isdigit():
        return min(int(length[:20]), MAX_BODY)
    return MAX_BODY if length or b"transfer-encoding" in found else 0


def networks(names: Iterable[str]) -> tuple[Network, ...]:
    """Addresses and networks as an operator writes them. Raise `ValueError` for what is none."""
    return tuple(ip_network(one, strict=False) for one in names)


@lru_cache(maxsize=1024)
def parse(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


@lru_cache(maxsize=1024)
def bucket(text: str) -> str | None:
    """What an address is counted under: all of an IPv6 network of one customer together (P-328)."""
    address = parse(text)
    if address is None:
        return text or None
    if address.is_loopback:
        return None
    return str(address) if isinstance(address, IPv4Address) else str(ip_network((address, 64), strict=False))
