"""Telling whoever looks at a page that there is something new, so that it fetches itself anew (server-sent events).

What is new is not told here: the page finds out, and shows what it would show to whoever opens it now.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from coop import logins
from coop.arrivals import ARRIVALS
from federation.instance import Instance
from web import inside, session

BREATH = 25.0  # seconds; proxies hang up on who is silent for longer, and we notice by it who is gone


@dataclass(slots=True)
class Watching:
    """Who looks now."""

    pause: float = 1.0  # seconds between two calls; what comes meanwhile comes together
    most: int = 20  # windows that one account may look through at once
    is_over: bool = False  # we are about to stop
    _windows: Counter[int] = field(default_factory=Counter)

    @contextmanager
    def window(self, account: int) -> Iterator[None]:
        """Count one more as long as it is open. Raise `HTTPException` 429 if there are too many."""
        if self._windows[account] >= self.most:
            raise HTTPException(429, "you look through many windows: close some", {"Retry-After": "60"})
        self._windows[account] += 1
        try:
            yield
        finally:
            self._windows[account] -= 1


async def get_live(request: Request) -> Response:
    """The stream; ``?since=`` is what the page that asks was told when it was opened."""
    visitor = await session.visitor_of(request)
    if visitor is None:
        return Response(status_code=204)  # do not try again (HTML, 9.2.3)
    since = request.headers.get("last-event-id") or request.query_params.get("since", "")
    known = int(since) if since.isascii() and since.isdecimal() and len(since) < 16 else 0
    calls = _calls(request, visitor.browser, visitor.account.id, known)
    first = await anext(calls)  # before anything is answered, since it may refuse
    return StreamingResponse(_all(first, calls), headers=inside.PRIVATE, media_type="text/event-stream")


async def _all(first: str, calls: AsyncIterator[str]) -> AsyncIterator[str]:
    yield first
    async for call in calls:
        yield call


async def _calls(request: Request, browser: str, account: int, known: int) -> AsyncIterator[str]:
    here: Instance = request.scope["instance"]
    watching: Watching = request.scope["watching"]
    with watching.window(account):
        yield ": here\n\n"
        while not watching.is_over:
            try:
                async with asyncio.timeout(BREATH):
                    heard = await here.store.topics.news(ARRIVALS, known)
            except TimeoutError:
                heard = known
            if watching.is_over or not await _is_in(here, browser, account):
                return
            yield f"event: arrived\nid: {heard}\ndata:\n\n" if heard != known else ": still here\n\n"
            known = heard
            await asyncio.sleep(watching.pause)


async def _is_in(here: Instance, browser: str, account: int) -> bool:
    """Whether they are still logged in, and the same as before."""
    now = here.now()
    visitor = await here.store.read(lambda db: logins.visitor(db, browser, now))
    return visitor is not None and visitor.account.id == account


routes = [Route("/live", get_live, methods=["GET"])]
