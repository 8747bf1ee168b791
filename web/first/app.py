"""The application of a program that has no studio yet: pages for whoever has the link that it printed, and for nobody
else.

The law: only this machine and its proxies come as far as a page, and only the browser that opened the link, in time and
before any other, sees what is on it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from activitypub.errors import Malformed
from activitypub.origin import origin
from web import languages, limits, safety, static, wellknown
from web.errors import Errors
from web.first import pages
from web.first.beginning import Beginning
from web.limits import Network, Rates

TURN = 0.3  # seconds until the program listens for these pages no more, when the studio is founded
MARK = "/.well-known/boxroom/first-run"
_REFUSED = PlainTextResponse("There is no studio here yet. It is set up on the machine itself.\n", 403)


@dataclass(frozen=True, slots=True)
class Site:
    """The address under which these pages are asked for: no studio's yet, but it has what pages need of one."""

    home: str
    beginning: Beginning

    def now(self) -> datetime:
        return self.beginning.now()


def create(beginning: Beginning, trusted_proxies: Iterable[str] = ()) -> ASGIApp:
    """The application in which `beginning` becomes a studio."""
    proxies = limits.networks(trusted_proxies)
    arrived = Route(wellknown.ARRIVED, wellknown.post_arrived, methods=["POST"])
    routes = [Route(MARK, get_mark), Route("/hue.css", get_hue), arrived, *static.routes, *pages.routes]
    return Fence(beginning, proxies, Errors(Rates(Router(routes, redirect_slashes=False), proxies)))


async def get_hue(request: Request) -> Response:
    """The colour of one's own, that nobody has chosen yet: pages have the house's until then."""
    headers = {"Cache-Control": "private, max-age=3600"}  # the last page has it from those before
    return Response("", media_type="text/css", headers=headers)


async def get_mark(request: Request) -> JSONResponse:
    """By which the program knows itself, when it asks by the address that the studio is to have."""
    found = {"mark": request.scope["beginning"].mark, "host": request.headers.get("host", "")}
    return JSONResponse(found, headers={"Cache-Control": "no-store"})


class Fence:
    """Keeps out who comes from elsewhere, and puts the headers of safety on every answer."""

    def __init__(self, beginning: Beginning, proxies: tuple[Network, ...], app: ASGIApp) -> None:
        self.beginning = beginning
        self.proxies = proxies
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        home = _asked_under(scope)
        if home is None or not self._is_near(scope) or not scope["path"].isprintable():
            await _REFUSED(scope, receive, send)
            return
        scope.update(app=self.app, beginning=self.beginning, instance=Site(home, self.beginning), told=0)
        if self.beginning.is_founded and scope["method"] == "GET" and not scope["path"].startswith("/static/"):
            await asyncio.sleep(TURN)
            await _again(home, scope)(scope, receive, send)
            return
        with languages.speaking(languages.asked_for(scope)):
            await self.app(scope, receive, safety.adding(safety.headers(home), send))

    def _is_near(self, scope: Scope) -> bool:
        client = scope.get("client")
        address = limits.parse(client[0]) if client else None
        return address is not None and (address.is_loopback or any(address in one for one in self.proxies))


def _again(home: str, scope: Scope) -> Response:
    """What sends a browser to the same address once more, by a connection that the studio will answer."""
    query = scope["query_string"].decode("latin-1")
    where = quote(scope["path"]) + (f"?{query}" if query else "")
    return RedirectResponse(home + where, 307, {"Cache-Control": "no-store", "Connection": "close"})


def _asked_under(scope: Scope) -> str | None:
    """The origin that the browser shows: a proxy, which is near, says whether it is an encrypted one."""
    given = {name: value.decode("latin-1") for name, value in scope["headers"]}
    scheme = "https" if given.get(b"x-forwarded-proto") == "https" else "http"
    home = f"{scheme}://{given.get(b'host', '').lower()}"
    try:
        origin(home)
    except Malformed:
        return None
    return home
