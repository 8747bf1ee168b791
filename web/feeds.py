"""What somebody says and offers, as Atom for those who read it in a feed reader (RFC 4287)."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Select
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from coop import accounts, feed
from coop.posts import READABLE
from federation.instance import Instance
from federation.tables import Actor, Object
from web import shown
from web.languages import N_, _
from web.rendering import render

ENTRIES = 20
ATOM = "application/atom+xml"
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def posts_by(author: str) -> Select[Object]:
    """What somebody said to all, answers to others left out, latest first."""
    return feed.profile(author).where(Object.type.in_(READABLE), Object.reply_to.is_(None))


def offers_by(author: str) -> Select[Object]:
    return feed.profile(author).where(Object.type == "Proposal")


def endpoint(what: str, query: Callable[[str], Select[Object]]) -> Callable[[Request], Awaitable[Response]]:
    async def get(request: Request) -> Response:
        here: Instance = request.scope["instance"]
        address = here.home + request.url.path

        def read(db: Session) -> dict[str, Any]:
            actor = db.get_one(Actor, accounts.named(db, request.path_params["handle"]).id)
            rows = db.scalars(query(actor.uri).limit(ENTRIES)).all()
            updated: datetime = max((one.updated or one.published for one in rows), default=actor.first_seen)
            person = shown.person(actor, here.home)
            return {"person": person, "posts": shown.posts(db, rows, here.home), "updated": updated}

        values = await here.store.read(read)
        title = _(what) % {"name": values["person"].name}
        body = _NOT_XML.sub("", render(here, "feed.atom", address=address, title=title, **values))
        return fresh(request, body.encode())

    return get


def fresh(request: Request, body: bytes) -> Response:
    """The feed, or only that it has not changed since it was asked for last (RFC 9110, section 13)."""
    tag = f'"{sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "public, max-age=300", "Vary": "Accept-Language"}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=ATOM)


routes = [
    Route("/@{handle}/posts.atom", endpoint(N_("%(name)s: posts"), posts_by)),
    Route("/@{handle}/offers.atom", endpoint(N_("%(name)s: offers"), offers_by)),
]
