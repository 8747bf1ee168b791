"""Reporting somebody to whoever runs their server."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from coop import feed, reports
from coop.errors import NotFound, Trouble
from federation import discovery
from federation.instance import Instance
from federation.store import Transaction
from federation.tables import Actor, Object
from web import inside, session, shown
from web.doing import EXPECTED
from web.languages import _, told
from web.once import new_key
from web.session import text

POSTS = 5  # among which one may choose


@dataclass(frozen=True, slots=True)
class Typed:
    words: str = ""
    posts: frozenset[str] = field(default_factory=frozenset)


async def get_report(request: Request) -> Response:
    return await report(request, request.query_params.get("about", ""))


async def report(request: Request, about: str, typed: Typed | None = None, trouble: str = "") -> Response:
    """The form to report somebody elsewhere, with what they said lately. Raise `NotFound` for a stranger."""
    here: Instance = request.scope["instance"]
    visitor = await session.inhabitant(request)

    def read(db: Session) -> dict[str, Any]:
        actor = db.scalar(select(Actor).where(Actor.uri == about, Actor.gone.is_(None)))
        if actor is None or actor.local:
            raise NotFound("nobody of another server is known here by that address: look for them under People")
        rows = db.scalars(feed.profile(about, visitor.uri).limit(POSTS)).all()
        return {
            **inside.insider(db, visitor, here.home),
            "person": shown.person(actor, here.home),
            "server": actor.host,
            "posts": shown.posts(db, rows, here.home),
            "longest": reports.MAX_TEXT,
            "key": new_key(),
            "typed": typed or Typed(),
            "trouble": trouble,
        }

    return inside.page(request, "report.html", await here.store.read(read), 422 if trouble else 200)


async def send(request: Request) -> Response:
    here: Instance = request.scope["instance"]
    sent = await session.form_of(request)
    visitor = await session.inhabitant(request)
    about, once = text(sent, "about"), request.scope["once"]
    typed = Typed(text(sent, "words"), frozenset(one for one in sent.getlist("post") if isinstance(one, str)))

    async def tell() -> str:
        def check_and_send(tx: Transaction) -> None:
            seen = set(tx.db.scalars(feed.profile(about, visitor.uri).limit(POSTS).with_only_columns(Object.uri)))
            if not typed.posts <= seen:
                raise Trouble("they have said something new meanwhile: choose again what it is about")
            reports.send(tx, about, typed.words, sorted(typed.posts))

        await discovery.completing(here, check_and_send)
        return f"/who?is={quote(about, safe='')}"

    try:
        return inside.go(await once.do(f"{visitor.browser} {text(sent, 'key')}", tell))
    except EXPECTED as error:
        return await report(request, about, typed, _("It was not reported: %(why)s.") % {"why": told(error)})


routes = [
    Route("/report", get_report, methods=["GET"]),
    Route("/report", send, methods=["POST"]),
]
