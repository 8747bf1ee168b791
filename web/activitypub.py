"""What other servers ask of us: the inboxes, and every document under its own address."""

from __future__ import annotations

from cachetools import TTLCache
from sqlalchemy import select
from starlette.exceptions import HTTPException
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from activitypub.sentence import Sentence
from federation import inbox
from federation.instance import Instance
from federation.tables import Actor
from web import collections, limits, mailboxes, rooms
from web.documents import INBOX, get_activity
from web.negotiation import ACTIVITY_JSON
from web.pages.public import get_actor
from web.pages.said import get_object
from web.readers import headers, message

KNOWN_INBOXES = 1_000
_ACCEPTED = {"type": "http.response.start", "status": 202, "headers": [(b"content-length", b"0")]}
_EMPTY = {"type": "http.response.body", "body": b""}
_TYPES = frozenset({ACTIVITY_JSON, "application/ld+json"})


class Inbox:
    """Where activities arrive. The checks before `inbox.accept` are steps 1 to 3 of P-100."""

    def __init__(self) -> None:
        self._open: TTLCache[str, bool] = TTLCache(KNOWN_INBOXES, 60)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        here: Instance = scope["instance"]
        if scope["method"] != "POST":
            raise HTTPException(405, INBOX, {"Allow": "POST"})
        await self._check_exists(here, here.home + scope["path"])
        given = headers(scope)
        if given.get("content-type", "").partition(";")[0].strip().lower() not in _TYPES:
            raise HTTPException(415, Sentence("an activity has the Content-Type %(type)s", type=ACTIVITY_JSON))
        body = await limits.read_body(given, receive)
        await inbox.accept(here, message(scope, given, body), scope.get("came_from"))
        await send(_ACCEPTED)
        await send(_EMPTY)

    async def _check_exists(self, here: Instance, uri: str) -> None:
        """Raise `HTTPException` 404 for an inbox that never was, 410 for one whose owner has left."""
        if uri == f"{here.home}/inbox" or uri in self._open:
            return
        owner = await here.store.read(lambda db: db.scalar(select(Actor).where(Actor.inbox == uri, Actor.local)))
        if owner is None:
            raise HTTPException(404, "nobody here has that inbox")
        if owner.gone:
            raise HTTPException(410, "whoever had that inbox has left")
        self._open[uri] = True


def inboxes() -> list[Route]:
    """Of all that is asked here, most is for them."""
    box = Inbox()
    paths = ("/inbox", "/actors/{id}/inbox", "/projects/{id}/inbox", "/actor/inbox")
    return [Route(path, box) for path in paths]


documents = [
    Route("/actor", get_actor),
    Route("/actors/{id}", get_actor),
    Route("/projects/{id}", get_actor),
    *mailboxes.routes,
    *rooms.routes,
    *collections.routes,
    Route("/activities/{id}", get_activity),
    Route("/{kind}/{id}/activity", get_activity),
    Route("/{kind}/{id}", get_object),
]
