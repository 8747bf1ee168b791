"""Reports: those that other servers make to whoever runs this one, and those that people here make to other servers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote

from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from coop import accounts, feed, operators, reports
from coop.errors import NotFound, Trouble
from coop.reports import Report
from federation import discovery, ids
from federation.instance import Instance
from federation.store import Transaction
from federation.tables import Actor, Object
from web import inside, session, shown
from web.languages import _
from web.once import new_key
from web.pages import moderation
from web.pages.saying import EXPECTED
from web.session import text
from web.shown import Person

LATEST = 20  # on a page
POSTS = 5  # among which one may choose


@dataclass(frozen=True, slots=True)
class Complaint:
    """A report as it is read: about whom, and about which posts."""

    number: str
    server: str
    people: list[Person]
    posts: list[str]
    text: str  # clean HTML
    at: datetime
    done: datetime | None


@dataclass(frozen=True, slots=True)
class Typed:
    words: str = ""
    posts: frozenset[str] = field(default_factory=frozenset)


# --- Received ------------------------------------------------------------------------------------------------------


async def get_reports(request: Request) -> Response:
    """Those that wait, or those that are dealt with, the latest first."""
    here: Instance = request.scope["instance"]
    visitor = await session.inhabitant(request)
    is_done, before = request.query_params.get("show") == "done", ids.from_slug(request.query_params.get("before", ""))

    def read(db: Session) -> dict[str, Any]:
        operators.check(db, visitor.account.id)
        query = reports.listing().where(Report.done.is_not(None) if is_done else Report.done.is_(None))
        rows = db.scalars((query if before is None else query.where(Report.id < before)).limit(LATEST + 1)).all()
        return {
            **inside.insider(db, visitor, here.home),
            "places": moderation.places(db, visitor.account.id),
            "reports": _complaints(db, rows[:LATEST], here.home),
            "older": ids.slug(rows[LATEST - 1].id) if len(rows) > LATEST else "",
            "is_done": is_done,
        }

    return inside.page(request, "reports.html", await here.store.read(read))


def _complaints(db: Session, rows: Any, home: str) -> list[Complaint]:
    ours = accounts.numbers(db)
    people = shown.people(db, {uri for row in rows for uri in row.about if uri in ours}, home)
    made = []
    for row in rows:
        about = [people[uri] for uri in row.about if uri in people], [uri for uri in row.about if uri not in people]
        made.append(Complaint(ids.slug(row.id), row.server, *about, row.text, row.at, row.done))
    return made


async def deal_with(request: Request) -> Response:
    here: Instance = request.scope["instance"]
    number = ids.from_slug(text(await inside.from_operator(request), "report"))
    if number is None:
        raise NotFound("there is no such report")
    await here.store.write(lambda tx: reports.deal_with(tx, number))
    return inside.go("/moderation/reports")


# --- Made ----------------------------------------------------------------------------------------------------------


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
        return await report(request, about, typed, _("It was not reported: %s.") % error)


routes = [
    Route("/moderation/reports", get_reports, methods=["GET"]),
    Route("/moderation/reports", deal_with, methods=["POST"]),
    Route("/report", get_report, methods=["GET"]),
    Route("/report", send, methods=["POST"]),
]
