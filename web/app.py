"""The application: which studio a request is for, what holds for every answer, and all routes."""

from __future__ import annotations

import asyncio
import pkgutil
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType

from cachetools import TTLCache
from starlette.responses import PlainTextResponse
from starlette.routing import Router
from starlette.types import ASGIApp, Receive, Scope, Send

from coop.arrivals import ARRIVALS
from coop.remote_media import Gallery
from federation.allowance import Allowance
from federation.instance import Instance
from web import activitypub, calendars, feeds, files, languages, pages, previews, safety, sitemap, static, wellknown
from web.attempts import Attempts
from web.errors import Errors
from web.limits import Rates, networks
from web.once import Once
from web.pages import afar, engine, live, passkeys

OTHERS = (wellknown, static, files, feeds, calendars, previews, sitemap)

Examine = Callable[[], Awaitable[Sequence[engine.Finding]]]


def create(
    instances: Mapping[str, Instance],
    *,
    trusted_proxies: Iterable[str] = (),
    media: Mapping[str, Path] | None = None,
    examine: Examine | None = None,
) -> Front:
    """The application for the studios in `instances`, by the host that each is asked under.

    `trusted_proxies` are addresses or networks whose ``X-Forwarded-For`` is believed, `media` are the folders in which
    uploads lie, by host as well; `examine` looks whether all is well with the server.
    """
    routes = [route for place in (*OTHERS, *places()) for route in place.routes]
    routes.sort(key=lambda route: "{" in route.path)  # what is named goes before what may be anything
    router = Router([*activitypub.inboxes(), *routes, *activitypub.documents], redirect_slashes=False)
    return Front(instances, media or {}, examine, Errors(Rates(router, networks(trusted_proxies))))


def places() -> list[ModuleType]:
    """All that people look at: there is no list to extend."""
    return [import_module(f"web.pages.{one.name}") for one in pkgutil.iter_modules(pages.__path__)]


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
        self.watching = live.Watching()
        self.lookups = Allowance(*afar.LOOKUPS)
        self.painting = asyncio.Semaphore(1)
        self.challenges: TTLCache[str, bytes] = TTLCache(*passkeys.CHALLENGES)
        self.galleries = {name: Gallery(here, self.media[name]) for name, here in instances.items() if name in media}
        self._headers = {name: safety.headers(here.home) for name, here in instances.items()}

    def hang_up(self) -> None:
        """Let nobody wait for what is new any more: the server is about to stop."""
        self.watching.is_over = True
        for here in self.instances.values():
            here.store.topics.wake(ARRIVALS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        name = _host(scope)
        here = self.instances.get(name)
        if here is None or not scope["path"].isprintable():
            await _REFUSED(scope, receive, send)
            return
        scope["query_string"] = scope["query_string"].replace(_NUL, _ODD)
        scope["instance"] = here
        scope["media"] = self.media.get(name)
        scope["gallery"] = self.galleries.get(name)
        scope["told"] = here.store.topics.told(ARRIVALS)  # before anything is read for it
        scope.update(attempts=self.attempts, once=self.once, challenges=self.challenges)
        scope.update(watching=self.watching, examine=self.examine, lookups=self.lookups, painting=self.painting)
        scope["app"] = self.app  # so that the router raises what it refuses, and one place answers
        try:
            with languages.speaking(languages.asked_for(scope)):
                await self.app(scope, receive, safety.adding(self._headers[name], send))
        finally:
            if sent := scope.get("sent"):
                await sent.close()


_NUL, _ODD = b"%00", b"%01"  # not every database can be asked for the one; the other is nothing's name either
_REFUSED = PlainTextResponse("Nobody lives at this address. Check the name that you asked for.\n", 421)


def _host(scope: Scope) -> str:
    """The host that was asked for, without a port that goes without saying."""
    found = next((value for name, value in scope["headers"] if name == b"host"), b"")
    name = found.decode("latin-1").lower()
    return name.removesuffix(":443").removesuffix(":80")
