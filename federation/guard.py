"""Where the client may connect: public addresses and web ports, checked at the moment of connecting.

The law: the address that was checked is the address that is connected. A name is resolved once, by us; one private
address among several refuses them all, because a mixed answer is an attack, not a choice. The socket factory sees
every address that is about to be connected, literal ones included, so nothing gets round it (P-306 to P-308).
"""

from __future__ import annotations

import asyncio
import resource
import socket
import weakref
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING, Any

from activitypub.origin import site
from activitypub.sentence import Sentence

if TYPE_CHECKING:
    from aiohttp import AddrInfoType
    from aiohttp.abc import ResolveResult

Resolve = Callable[[str, int], Awaitable[list[str]]]

MAX_KEPT = 2_000  # sockets; beyond these none is kept for another request
LOOKUPS = 64  # names that are looked up at once
LOOKUPS_OF_A_SITE = 4  # of them, or one domain with names that hang would have them all

# IANA's special-purpose registries, as far as they are not globally reachable. Not `ipaddress.is_global`, which
# differs from one Python to the next and lets multicast and fec0::/10 through (P-307).
_NOT_PUBLIC_4 = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",
            "240.0.0.0/4",
        ),
    )
)
_UNICAST_6 = IPv6Network("2000::/3")  # all that has been given out so far
_NOT_PUBLIC_6 = tuple(map(IPv6Network, ("2001::/23", "2001:db8::/32", "3fff::/20")))
_NAT64 = IPv6Network("64:ff9b::/96")

# Beyond the web's own ports only those above 1023, and of them none where a cache, database or the like believes
# whatever it reads line by line.
_WEB = frozenset({80, 443})
_NOT_WEB = frozenset(
    {1433, 1521, 1719, 1720, 1723, 2049, 2375, 2379, 3306, 3389, 3659, 4045, 4190, 5060, 5061, 5432, 5672, 6000, 6379}
    | {6566, 6660, 6661, 6662, 6663, 6664, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 9200, 10080, 11211, 27017}
)


class NotAllowed(OSError):
    """The guard refuses the way; its text says why."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may cost us (P-168, P-172). Times in seconds, sizes in octets."""

    dns: float = 5
    connect: float = 10  # TCP and TLS, 5 each; aiohttp counts them as one
    total: float = 30  # from the first octet sent to the last one read, redirects included
    document: int = 1_000_000  # decompressed
    ratio: int = 100  # of what was decompressed to what was sent
    answer: int = 64 * 1024  # of the answer to a POST
    redirects: int = 3


def is_public(address: str) -> bool:
    """Whether `address` is a literal one of global unicast, and so is every IPv4 address embedded in it (P-307)."""
    try:
        return "%" not in address and _is_public(ip_address(address))  # a zone is of this machine
    except ValueError:
        return False


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC_4)
    if embedded := _embedded(address):
        return all(map(_is_public, embedded))
    return address in _UNICAST_6 and not any(address in network for network in _NOT_PUBLIC_6)


def _embedded(address: IPv6Address) -> tuple[IPv4Address, ...]:
    """The IPv4 addresses where a packet to `address` may end: mapped, NAT64, 6to4, Teredo (server and client).

    IPv4-compatible addresses and the local NAT64 prefix 64:ff9b:1::/48 are not looked into: no public host has one.
    """
    if address in _NAT64:
        return (IPv4Address(int(address) & 0xFFFFFFFF),)
    single = address.ipv4_mapped or address.sixtofour
    return (single,) if single else address.teredo or ()


def is_web_port(port: int) -> bool:
    """Whether a web server may be there; no mail server, database or the like is ever spoken to."""
    return port in _WEB or (port > 1023 and port not in _NOT_WEB)


@dataclass(slots=True)
class Guard:
    """Resolver and socket factory of the one connector: what aiohttp calls an abstract resolver."""

    allow_private: bool
    limits: Limits
    lookup: Resolve | None = None  # instead of the system's resolver
    most_kept: int = field(default_factory=lambda: affordable(resource.getrlimit(resource.RLIMIT_NOFILE)[0]))
    _open: weakref.WeakSet[socket.socket] = field(default_factory=weakref.WeakSet)
    _threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(LOOKUPS, "dns"))
    _places: weakref.WeakValueDictionary[str, asyncio.Semaphore] = field(default_factory=weakref.WeakValueDictionary)

    @property
    def is_crowded(self) -> bool:
        return len(self._open) > self.most_kept

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Every address of `host`. Raise `NotAllowed` if one of them is private, `OSError` if there is none."""
        try:
            async with asyncio.timeout(self.limits.dns):
                addresses = await (self.lookup or self._lookup)(host, port)
        except TimeoutError as error:
            raise OSError(f"nobody said within {self.limits.dns:g} s what the address of {host} is") from error
        for address in addresses:
            self._check(address, host)
        return [_found(host, address, port) for address in addresses]

    def open(self, info: AddrInfoType) -> socket.socket:
        """A socket for exactly the address in `info`. Raise `NotAllowed` if it must not be connected."""
        family, kind, protocol, _, (address, port, *_) = info
        self._check(address, address)
        if not is_web_port(port):
            raise NotAllowed(
                Sentence("port %(port)s of %(address)s is not one for the web", port=str(port), address=address)
            )
        opened = socket.socket(family, kind, protocol)
        self._open.add(opened)
        return opened

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _check(self, address: str, host: str) -> None:
        if not (self.allow_private or is_public(address)):
            raise NotAllowed(Sentence("%(host)s is not on the public internet", host=host))

    async def _lookup(self, host: str, port: int) -> list[str]:
        # In threads of its own: names that hang must not keep the rest of the program from its threads. Whoever asked
        # gives up after a while, the thread does not: a place is free again when the system has answered.
        places = self._places.setdefault(site(host), asyncio.Semaphore(LOOKUPS_OF_A_SITE))
        await places.acquire()
        asked = self._threads.submit(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        asked.add_done_callback(partial(_leave, asyncio.get_running_loop(), places))
        found = await asyncio.wrap_future(asked)
        return list(dict.fromkeys(str(address[0]) for *_, address in found))


def _leave(loop: asyncio.AbstractEventLoop, places: asyncio.Semaphore, _: Future[Any]) -> None:
    with suppress(RuntimeError):  # nobody waits any more
        loop.call_soon_threadsafe(places.release)


def affordable(files: int) -> int:
    """How many sockets to keep of so many files that we may have open; what is left is for a fan-out to new hosts."""
    return MAX_KEPT if files == resource.RLIM_INFINITY else min(MAX_KEPT, files * 2 // 5)


def _found(host: str, address: str, port: int) -> ResolveResult:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
    return {"hostname": host, "host": address, "port": port, "family": family, "proto": 0, "flags": flags}
