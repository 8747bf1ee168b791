"""Reports that other servers make, before whoever runs this one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from coop import accounts, operators, reports
from coop.errors import NotFound
from coop.reports import Report
from federation import ids
from federation.instance import Instance
from web import inside, session, shown
from web.pages import moderation
from web.session import text
from web.shown import Person

LATEST = 20  # on a page


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


routes = [
    Route("/moderation/reports", get_reports, methods=["GET"]),
    Route("/moderation/reports", deal_with, methods=["POST"]),
]
