"""The one HTTP client: guarded, bounded, signed. What it raises is drawn in `answer`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache, partial
from types import MappingProxyType
from urllib.parse import urljoin

import idna
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from yarl import URL

from activitypub import signatures
from activitypub.document import Document
from activitypub.errors import Forbidden, Malformed
from activitypub.message import Request, Scheme
from activitypub.origin import origin
from federation.answer import AS2, Answer, Gone, Refused, Unreachable, is_activity_type, read_all, read_head
from federation.guard import Limits
from federation.transport import Response, Transport, transport

__all__ = [
    "ACTIVITY_JSON",
    "Answer",
    "Client",
    "Gone",
    "Limits",
    "Refused",
    "Scheme",
    "Signer",
    "Unreachable",
    "is_activity_type",
    "transport",
]

ACTIVITY_JSON = "application/activity+json"
ACCEPT = f'{ACTIVITY_JSON}, application/ld+json; profile="{AS2}"'
CLOCKS = 31  # hosts whose clocks we compare with ours
CHUNK = 16 * 1024  # octets of an answer that are looked at together

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_OTHER: dict[Scheme, Scheme] = {"cavage": "rfc9421", "rfc9421": "cavage"}


@dataclass(frozen=True, slots=True)
class Signer:
    """In whose name a request is made."""

    key_id: str
    key: RSAPrivateKey


@dataclass(frozen=True, slots=True)
class _Address:
    """A URL exactly as it will be sent, for the signature covers every octet of it."""

    url: URL
    origin: str  # "https://host[:port]"
    host: str
    target: str


class Client:
    """Asks other servers, and none but those that `transport` leads to.

    `home` is our own origin, `agent` the ``User-Agent``: ``Boxroom/VERSION (+HOME/)``. Close it when done.
    """

    def __init__(
        self,
        transport: Transport,
        home: str,
        clock: Callable[[], datetime],
        *,
        agent: str,
        allow_private: bool = False,
        limits: Limits | None = None,
    ) -> None:
        self.transport = transport
        self.home = _address(home)
        self.clock = clock
        self.agent = agent
        self.allow_private = allow_private
        self.limits = limits or Limits()
        self._signing = ThreadPoolExecutor(2, "sign")  # RSA releases the interpreter, and a small machine has two cores
        self._clocks: dict[str, timedelta] = {}

    def within(self, limits: Limits) -> Client:
        """The same one with other limits."""
        other = copy(self)
        other.limits = limits
        return other

    @property
    def clock_error(self) -> timedelta | None:
        """How far our clock is ahead of the others', by the median of three or more hosts (P-056)."""
        return sorted(self._clocks.values())[(len(self._clocks) - 1) // 2] if len(self._clocks) > 2 else None

    async def get(self, uri: str, signer: Signer | None = None, accept: str = ACCEPT) -> Answer:
        """Whatever is at `uri`, or where it redirects to, up to three times; every hop is signed anew (P-074, P-172).

        Raise `Unreachable` if nobody answers in time, `Malformed` for an address that is not one, an answer beyond our
        limits or a redirect that leads nowhere, `Forbidden` for an address of ours.
        """
        address = self._allowed(uri)
        return await self._in_time(address, self._followed(address, signer, accept))

    async def document(self, uri: str, signer: Signer | None = None) -> Document:
        """The document that has its id at `uri`, or at the same server's other address for it (P-104, P-301).

        The document's own id is to be used from then on. Raise `Gone`, `Refused` or `Unreachable` if there is none,
        `Malformed` if what is there is not it, and as `get` does.
        """
        document, url = await self._document(uri, signer)
        if document.id not in (uri.partition("#")[0], url):
            stated = document.id
            document, url = await self._document(stated, signer)
            if document.id != stated:
                raise Malformed("%(stated)s says that it is %(id)s", stated=stated, id=document.id)
        return document

    async def post(
        self,
        inbox: str,
        body: bytes,
        signer: Signer,
        dialect: Scheme | None = None,
        digest: str | None = None,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> tuple[Answer, Scheme | None]:
        """Deliver `body`, and say which dialect was understood, if any: to be passed next time, for a day at most.

        An unknown host is knocked with cavage first, because one widespread server answers 202 to RFC 9421 and drops
        the mail; a host that does not understand the first gets one more knock in the other dialect (P-071, P-072).
        `digest` is `digest.of` the body, `headers` are sent beside the usual ones. Redirects are not followed (P-165).
        Raise `Unreachable`, or as `get` does.
        """
        address = self._allowed(inbox)
        first = dialect or "cavage"
        answer = await self._deliver(address, body, signer, first, digest, headers)
        if answer.is_success:
            return answer, first
        if answer.status in (400, 401) or (first == "rfc9421" and answer.status >= 400):
            with suppress(Unreachable):
                second = await self._deliver(address, body, signer, _OTHER[first], digest, headers)
                if second.is_success:
                    return second, _OTHER[first]
        return answer, None

    async def close(self) -> None:
        self._signing.shutdown(wait=False)
        await self.transport.close()

    def _allowed(self, uri: str) -> _Address:
        address = _address(uri)
        if address.host == self.home.host and (not self.allow_private or address.origin == self.home.origin):
            raise Forbidden("%(uri)s is here, and not to be fetched from elsewhere", uri=uri)  # P-108
        if address.url.scheme != "https" and not self.allow_private:
            raise Malformed("%(uri)s is not an https address", uri=uri)
        return address

    def _redirected(self, address: _Address, location: str) -> _Address:
        """Raise `Malformed` for a redirect from https to http (P-309), and as `_allowed` does."""
        onward = self._allowed(_joined(address, location))
        if address.url.scheme == "https" and onward.url.scheme != "https":
            raise Malformed("%(url)s redirects from https to http", url=address.url)
        return onward

    async def _document(self, uri: str, signer: Signer | None) -> tuple[Document, str]:
        """What is at `uri` and where it came from. Raise `Malformed` unless its id is on that very server (P-301)."""
        answer = await self.get(uri, signer)
        document = Document.parse(answer.document_body())
        if origin(document.id) != origin(answer.url):
            raise Malformed("%(url)s speaks for %(id)s, which is on another server", url=answer.url, id=document.id)
        return document, answer.url

    async def _in_time(self, address: _Address, asking: Awaitable[Answer]) -> Answer:
        """What comes of it. Raise `Unreachable` if it takes long: who sends an octet now and then never stalls."""
        try:
            async with asyncio.timeout(self.limits.total):
                return await asking
        except TimeoutError as error:
            raise Unreachable(
                "%(host)s did not answer within %(total)s seconds", host=address.host, total=self.limits.total
            ) from error

    async def _followed(self, address: _Address, signer: Signer | None, accept: str) -> Answer:
        visited = [address.url]
        while True:
            answer = await self._knock(address, signer, accept)
            location = answer.headers.get("location")
            if answer.status not in _REDIRECTS or location is None:
                return answer
            address = self._redirected(address, location)
            if address.url in visited or len(visited) > self.limits.redirects:
                raise Malformed(
                    "%(url)s redirects in a circle, or more than %(redirects)s times",
                    url=visited[0],
                    redirects=self.limits.redirects,
                )
            visited.append(address.url)

    async def _knock(self, address: _Address, signer: Signer | None, accept: str) -> Answer:
        """One hop of a GET: unsigned, or signed in each way that the other side may want to see (P-060, P-071)."""
        headers = {"accept": accept, "accept-encoding": "gzip"}
        if signer is None:
            return await self._send("GET", address, headers)
        answer = None
        for scheme, target in _ways(address.target):
            signed = await self._signed("GET", address, headers, b"", signer, scheme, target=target)
            another = await self._send("GET", address, signed)
            if another.status not in (400, 401):
                return another
            answer = answer or another
        assert answer is not None  # noqa: S101 - there is always one way
        return answer

    async def _deliver(
        self,
        address: _Address,
        body: bytes,
        signer: Signer,
        scheme: Scheme,
        digest: str | None,
        more: Mapping[str, str],
    ) -> Answer:
        headers = {"content-type": ACTIVITY_JSON, **more}
        signed = await self._signed("POST", address, headers, body, signer, scheme, digest)
        return await self._in_time(address, self._send("POST", address, signed, body))

    async def _signed(
        self,
        method: str,
        address: _Address,
        headers: dict[str, str],
        body: bytes,
        signer: Signer,
        scheme: Scheme,
        digest: str | None = None,
        target: str | None = None,
    ) -> dict[str, str]:
        request = Request(method, address.origin, target or address.target, headers, body)
        sign = partial(signatures.sign, scheme, request, signer.key_id, signer.key, self.clock(), digest)
        return {**headers, **await asyncio.get_running_loop().run_in_executor(self._signing, sign)}

    async def _send(self, method: str, address: _Address, headers: dict[str, str], body: bytes | None = None) -> Answer:
        """One request on the wire. Raise `Unreachable` if no answer comes of it."""
        headers["user-agent"] = self.agent
        try:
            async with self.transport.request(method, address.url, headers, body) as response:
                return await self._read(method, address, response)
        except (OSError, ValueError) as error:  # the last of what they are written with
            raise Unreachable("%(host)s cannot be reached: %(why)s", host=address.host, why=error) from error

    async def _read(self, method: str, address: _Address, response: Response) -> Answer:
        headers: dict[str, str] = {}
        for raw_name, raw in response.raw_headers:
            name, value = raw_name.decode("latin-1").lower(), raw.decode("latin-1")
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        self._compare_clock(address.host, headers.get("date", ""))
        chunks = response.content.iter_chunked(CHUNK)
        if method == "GET":
            body = await read_all(chunks, headers.get("content-encoding", "").lower(), self.limits)
        else:
            body = await read_head(chunks, self.limits.answer)
        return Answer(response.status, headers, body, str(address.url))

    def _compare_clock(self, host: str, date: str) -> None:
        theirs = _moment(date)
        if theirs is None:
            return
        if host not in self._clocks and len(self._clocks) >= CLOCKS:
            del self._clocks[next(iter(self._clocks))]
        self._clocks[host] = self.clock() - theirs


@lru_cache(4096)
def _address(uri: str) -> _Address:
    """Raise `Malformed` unless `uri` is a web address (P-331) that is spelled alike however often it is read."""
    origin(uri)
    try:
        url = URL(uri.partition("#")[0])
        name = url.raw_host or ""
        name.encode("idna")  # as who looks it up will do: no part of it is empty, nor longer than 63
        host = name.rstrip(".")
        alike = bool(host) and str(url) == str(URL(str(url)))
        if "xn--" in host:
            idna.decode(host)  # some servers' names are names in no language, and each library reads them as it likes
    except ValueError as error:
        raise Malformed("%(uri)s is not a web address", uri=repr(uri[:200])) from error
    if not alike:
        raise Malformed("%(uri)s can be read in two ways", uri=repr(uri[:200]))
    return _Address(url, f"{url.scheme}://{url.host_port_subcomponent}", host, url.raw_path_qs)


@lru_cache(64)  # answers that come together are of the same second
def _moment(date: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(date)
        return found.replace(tzinfo=found.tzinfo or UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _joined(address: _Address, location: str) -> str:
    try:
        return urljoin(str(address.url), location)
    except ValueError as error:
        raise Malformed(
            "%(url)s redirects to %(location)s, which is not an address", url=address.url, location=repr(location[:200])
        ) from error


def _ways(target: str) -> Iterator[tuple[Scheme, str]]:
    """How to sign a GET, until somebody is content: some verify without the query (P-060)."""
    yield "cavage", target
    if "?" in target:
        yield "cavage", target.partition("?")[0]
    yield "rfc9421", target
