"""The application: which studio a request is for, what holds for every answer, and all routes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from pathlib import Path

from cachetools import TTLCache
from starlette.responses import PlainTextResponse
from starlette.routing import Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from federation.instance import Instance
from web import activitypub, calendars, feeds, files, static, wellknown
from web.attempts import Attempts
from web.errors import Errors
from web.limits import Rates, networks
from web.once import Once
from web.pages import (
    board,
    buddies,
    complaints,
    door,
    engine,
    exports,
    language,
    letters,
    looks,
    luggage,
    moderation,
    notifications,
    passkeys,
    people,
    privacy,
    profile,
    public,
    reporting,
    saying,
    seals,
    servers,
    settings,
    today,
    words,
)

OTHERS = (wellknown, static, files, feeds, calendars)
INSIDE = (door, passkeys, today, saying, board, people, notifications, settings)
SETTINGS = (profile, privacy, looks, language, luggage, exports)
DESKS = (engine, buddies, moderation, words, servers, complaints, reporting)
PUBLIC = (seals, letters, public)

Examine = Callable[[], Awaitable[Sequence[engine.Finding]]]

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
    instances: Mapping[str, Instance],
    *,
    trusted_proxies: Iterable[str] = (),
    media: Mapping[str, Path] | None = None,
    examine: Examine | None = None,
) -> ASGIApp:
    """The application for the studios in `instances`, by the host that each is asked under.

    `trusted_proxies` are addresses or networks whose ``X-Forwarded-For`` is believed, `media` are the folders in which
    uploads lie, by host as well; `examine` looks whether all is well with the server.
    """
    routes = [route for place in (*OTHERS, *INSIDE, *SETTINGS, *DESKS, *PUBLIC) for route in place.routes]
    router = Router([*activitypub.inboxes(), *routes, *activitypub.documents], redirect_slashes=False)
    return Front(instances, media or {}, examine, Errors(Rates(router, networks(trusted_proxies))))


class Front:
    """Finds the studio by the request's host, and puts the headers of safety on every answer."""

    def __init__(
        self, instances: Mapping[str, Instance], media: Mapping[str, Path], examine: Examine | None, app: ASGIApp
    ) -> None:
        self.instances = instances
        self.media = media
        self.examine = examine
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
        scope.update(attempts=self.attempts, once=self.once, challenges=self.challenges, examine=self.examine)
        scope["app"] = self.app  # so that the router raises what it refuses, and one place answers
        headers = self._headers[name]

        async def safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name for name, _ in message["headers"]}
                added = [pair for pair in headers if pair[0] not in given]
                message = {**message, "headers": [*message["headers"], *added]}
            await send(message)

        await self.app(scope, receive, safely)


_REFUSED = PlainTextResponse("Nobody lives at this address. Check the name that you asked for.\n", 421)


def _host(scope: Scope) -> str:
    """The host that was asked for, without a port that goes without saying."""
    found = next((value for name, value in scope["headers"] if name == b"host"), b"")
    name = found.decode("latin-1").lower()
    return name.removesuffix(":443").removesuffix(":80")


def _headers(here: Instance) -> list[tuple[bytes, bytes]]:
    named = _ALWAYS | (_OVER_TLS if here.home.startswith("https://") else {})
    return [(name.encode(), value.encode()) for name, value in named.items()]
