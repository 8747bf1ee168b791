"""The way out: the one seam between us and the network. aiohttp is loaded by whoever is the first to ask somebody."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any, Protocol, cast

import certifi
from yarl import URL

from activitypub.sentence import Sentence
from federation.answer import Unreachable
from federation.guard import Guard, Limits, NotAllowed, Resolve

if TYPE_CHECKING:
    from aiohttp import ClientConnectorError, ClientSession
    from aiohttp.abc import AbstractResolver

MAX_PER_HOST = 4  # connections (P-168)
KEEP_ALIVE = 4  # seconds; less than any server's, the shortest being 5 (uvicorn, Node.js)
DNS_CACHE = 60  # seconds


class Chunks(Protocol):
    """The body of an answer, as it comes."""

    def iter_chunked(self, n: int) -> AsyncIterable[bytes]: ...


class Response(Protocol):
    """An answer of which the head is here: aiohttp's, as far as we need it."""

    @property
    def status(self) -> int: ...
    @property
    def raw_headers(self) -> Iterable[tuple[bytes, bytes]]: ...
    @property
    def content(self) -> Chunks: ...


class Transport(Protocol):
    def request(
        self, method: str, url: URL, headers: dict[str, str], body: bytes | None = None
    ) -> AbstractAsyncContextManager[Response]:
        """Send what is given and nothing else; neither follow nor unpack what comes back.

        Raise `Unreachable` or `OSError` if no answer comes of it, `ValueError` for what cannot be sent.
        """

    async def close(self) -> None: ...


class GuardedTransport:
    """The way out over aiohttp, with the `Guard` at the door. Opened by its first request."""

    def __init__(self, guard: Guard) -> None:
        self.guard = guard
        self._session: ClientSession | None = None

    @asynccontextmanager
    async def request(
        self, method: str, url: URL, headers: dict[str, str], body: bytes | None = None
    ) -> AsyncIterator[Response]:
        import aiohttp

        if self._session is None:
            self._session = self._open()
        if self.guard.is_crowded:
            headers = {**headers, "connection": "close"}
        try:
            async with self._session.request(
                method, url, headers=headers, data=body, allow_redirects=False
            ) as response:
                yield response
        except aiohttp.ClientError as error:
            raise Unreachable(reason(error, url.host or "")) from error

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
        await self.guard.close()

    def _open(self) -> ClientSession:
        import aiohttp

        connector = aiohttp.TCPConnector(
            ssl=tls(),
            resolver=cast("AbstractResolver", self.guard),
            socket_factory=self.guard.open,
            ttl_dns_cache=DNS_CACHE,
            keepalive_timeout=KEEP_ALIVE,
            limit=0,  # whoever sends decides how much at once
            limit_per_host=MAX_PER_HOST,
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("Accept", "Accept-Encoding", "User-Agent"),
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(sock_connect=self.guard.limits.connect),  # the client counts the whole
            trust_env=False,
        )


def transport(allow_private: bool, limits: Limits | None = None, lookup: Resolve | None = None) -> Transport:
    """The one way out. With `allow_private` (development, LAN, VPN) it leads to private addresses, too.

    `lookup` gives the addresses of a host and a port; without it the system does.
    """
    return GuardedTransport(Guard(allow_private, limits or Limits(), lookup))


def tls() -> ssl.SSLContext:
    """With certifi's authorities, or those in SSL_CERT_FILE or SSL_CERT_DIR; TLS 1.2 at least (P-169)."""
    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    return ssl.create_default_context(cafile=file or (None if folder else certifi.where()), capath=folder)


def reason(error: BaseException, host: str) -> str:
    """Why `host` could not be asked, in a sentence for operators."""
    import aiohttp

    match error:
        case aiohttp.ClientConnectorError():
            return _unconnected(error, host)
        case aiohttp.ServerDisconnectedError() | aiohttp.ClientPayloadError() | aiohttp.ClientOSError():
            return Sentence("%(host)s hung up in the middle", host=host)
        case TimeoutError():
            return Sentence("%(host)s took too long to connect", host=host)
        case aiohttp.ClientError():
            return Sentence("%(host)s does not speak HTTP as we do: %(why)s", host=host, why=str(error)[:200])
    return Sentence("%(host)s cannot be reached: %(why)s", host=host, why=error)


def _unconnected(error: ClientConnectorError, host: str) -> str:
    wrong: Any = error.os_error
    if isinstance(wrong, NotAllowed):
        refused: str = wrong.args[0]
        return refused
    if isinstance(wrong, socket.gaierror):
        return Sentence("%(host)s has no address", host=host)
    if isinstance(wrong, ConnectionRefusedError):
        return Sentence("%(host)s refuses connections", host=host)
    if isinstance(wrong, ssl.SSLCertVerificationError):
        return Sentence(
            "the certificate of %(host)s does not verify: %(why)s",
            host=host,
            why=wrong.verify_message,
        )
    if isinstance(wrong, ssl.SSLError):
        return Sentence("%(host)s and we have no TLS in common: %(why)s", host=host, why=wrong.reason or wrong)
    return Sentence("%(host)s cannot be reached: %(why)s", host=host, why=wrong.strerror or wrong)
