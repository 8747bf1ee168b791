"""Ways out for tests: what a client would send goes to a function instead, as a request of `httpx`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
from yarl import URL

from federation.transport import Response


@dataclass(frozen=True, slots=True)
class Heard:
    """An answer of `httpx`, as a client hears it."""

    response: httpx.Response

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def raw_headers(self) -> list[tuple[bytes, bytes]]:
        return self.response.headers.raw

    @property
    def content(self) -> Heard:
        return self

    async def iter_chunked(self, n: int) -> AsyncIterator[bytes]:
        assert isinstance(self.response.stream, httpx.AsyncByteStream)
        async for chunk in self.response.stream:
            yield chunk


class Wires:
    """Whoever inherits says in `carry` what becomes of a request; an error of `httpx` is one of the network."""

    @asynccontextmanager
    async def request(
        self, method: str, url: URL, headers: dict[str, str], body: bytes | None = None
    ) -> AsyncIterator[Response]:
        try:
            response = await self.carry(httpx.Request(method, str(url), headers=headers, content=body))
        except httpx.TransportError as error:
            raise OSError(str(error)) from error
        try:
            yield Heard(response)
        finally:
            await response.aclose()

    async def carry(self, request: httpx.Request) -> httpx.Response:
        raise NotImplementedError

    async def close(self) -> None:
        pass
