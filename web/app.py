"""The application: which studio a request is for, what holds for every answer, and all routes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from cachetools import TTLCache
from starlette.responses import PlainTextResponse
from starlette.routing import Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from federation.instance import Instance
from web import activitypub, calendars, feeds, files, languages, static, wellknown
from web.attempts import Attempts
from web.errors import Errors
from web.limits import Rates, networks
from web.once import Once
from web.pages import board, door, letters, notifications, passkeys, people, public, saying, seals, settings, today

OTHERS = (wellknown, static, files, feeds, calendars)
INSIDE = (door, passkeys, today, saying, board, people, notifications, settings)
PUBLIC = (seals, letters, public)

_CSP = (
    "default-src 'self'; script-src 'self'; style-src 'self'; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
_ALWAYS = {
    "content-security-policy": _CSP,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}
_OVER_TLS = {"strict-transport-security": "max-age=63072000"}


def create(
    instances: Mapping[str, Instance], *, trusted_proxies: Iterable[str] = (), media: Mapping[str, Path] | None = None
) -> ASGIApp:
    """The application for the studios in `instances`, by the host that each is asked under.

    `trusted_proxies` are addresses or networks whose ``X-Forwarded-For`` is believed, `media` are the folders in which
    uploads lie, by host as well.
    """
    routes = [route for place in (*OTHERS, *INSIDE, *PUBLIC) for route in place.routes]
    router = Router([*activitypub.inboxes(), *routes, *activitypub.documents], redirect_slashes=False)
    return Front(instances, media or {}, Errors(Rates(router, networks(trusted_proxies))))


class Front:
    """Finds the studio by the request's host, and puts the headers of safety on every answer."""

    def __init__(self, instances: Mapping[str, Instance], media: Mapping[str, Path], app: ASGIApp) -> None:
        self.instances = instances
        self.media = media
        self.app = app
        self.attempts = Attempts()
        self.once = Once()
        self.challenges: TTLCache[str, bytes] = TTLCache(*passkeys.CHALLENGES)
        self._headers = {name: _headers(here) for name, here in instances.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        name = _host(scope)
        here = self.instances.get(name)
        if here is None or not scope["path"].isprintable():
            await _REFUSED(scope, receive, send)
            return
        scope["instance"] = here
        scope["media"] = self.media.get(name)
        scope.update(attempts=self.attempts, once=self.once, challenges=self.challenges)
        scope["app"] = self.app  # so that the router raises what it refuses, and one place answers
        headers = self._headers[name]

        async def safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name for name, _ in message["headers"]}
                added = [pair for pair in headers if pair[0] not in given]
                message = {**message, "headers": [*message["headers"], *added]}
            await send(message)

        with languages.speaking(languages.accepted(_header(scope, b"accept-language"))):
            await self.app(scope, receive, safely)


_REFUSED = PlainTextResponse("Nobody lives at this address. Check the name that you asked for.\n", 421)


def _host(scope: Scope) -> str:
    """The host that was asked for, without a port that goes without saying."""
    name = _header(scope, b"host").lower()
    return name.removesuffix(":443").removesuffix(":80")


def _header(scope: Scope, name: bytes) -> str:
    found: bytes = next((value for one, value in scope["headers"] if one == name), b"")
    return found.decode("latin-1")


def _headers(here: Instance) -> list[tuple[bytes, bytes]]:
    named = _ALWAYS | (_OVER_TLS if here.home.startswith("https://") else {})
    return [(name.encode(), value.encode()) for name, value in named.items()]
