"""Promises over all projects: what one has to do for others, and they for one; what is due first comes first."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, not_
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from coop import calendars, commitments, fulfilment, statements
from coop.commitments import Commitment
from federation import ids
from federation.instance import Instance
from web import inside, session
from web.calendars import CALENDAR
from web.languages import N_
from web.promised import promised

LATEST = 40  # promises on a page
WAITING = 20  # that wait for an answer, above them
LISTS = {"": N_("Open"), "mine": N_("Yours to keep"), "to-me": N_("Owed to you"), "over": N_("Over")}


async def get_promises(request: Request) -> Response:
    return await promises_page(request)


async def promises_page(request: Request, address: str = "") -> Response:
    """One of the lists; with the `address` of the calendar, which is shown this once."""
    here: Instance = request.scope["instance"]
    visitor = await session.inhabitant(request)
    asked = {name: request.query_params.get(name, "") for name in ("show", "project", "after")}
    show = asked["show"] if asked["show"] in LISTS else ""
    me, project, after = visitor.uri, asked["project"] or None, ids.from_slug(asked["after"])

    def read(db: Session) -> dict[str, Any]:
        rows = db.scalars(_page(db, _listed(me, show, project), show, after).limit(LATEST + 1)).all()
        waiting = [] if show or after else db.scalars(_waiting(me, project).limit(WAITING)).all()
        found = promised(db, [*waiting, *rows[:LATEST]], me, here.home, here.now())
        place = statements.find(db, project)
        return {
            **inside.insider(db, visitor, here.home),
            "waiting": found[: len(waiting)],
            "promises": found[len(waiting) :],
            "older": ids.slug(rows[LATEST - 1].id) if len(rows) > LATEST else "",
            "lists": LISTS,
            "show": show,
            "project": project or "",
            "name": place.name if place else "",
            "address": address,
        }

    return inside.page(request, "promises.html", await here.store.read(read))


def _listed(me: str, show: str, project: str | None) -> Select[Commitment]:
    match show:
        case "mine":
            return commitments.mine(me, project).where(not_(_waits(me)))
        case "to-me":
            return commitments.to_me(me, project).where(not_(_waits(me)))
        case "over":
            ended = fulfilment.ended(me)
            return ended.where(Commitment.project == project) if project else ended
        case _:
            return commitments.of(me, project).where(not_(_waits(me)))


def _waiting(me: str, project: str | None) -> Select[Commitment]:
    return commitments.of(me, project).where(_waits(me))


def _waits(me: str) -> ColumnElement[bool]:
    return and_(Commitment.state == "proposed", Commitment.author != me)


def _page(db: Session, query: Select[Commitment], show: str, after: int | None) -> Select[Commitment]:
    """What comes after the last one of the page before."""
    if after is None:
        return query
    if show == "over":
        return query.where(Commitment.id < after)
    last = db.get(Commitment, after)
    return query.where(commitments.after(last)) if last else query


async def make_address(request: Request) -> Response:
    """A secret address at which calendar programs find what is due; the one before it is of no use any more."""
    here: Instance = request.scope["instance"]
    await session.form_of(request)
    visitor = await session.inhabitant(request)
    address = await here.store.write(lambda tx: calendars.new_address(tx, visitor.uri))
    return await promises_page(request, address)


async def get_file(request: Request) -> Response:
    """The same calendar as a file."""
    here: Instance = request.scope["instance"]
    visitor = await session.inhabitant(request)
    body = await here.store.read(lambda db: calendars.written(db, visitor.uri, here.now()))
    headers = inside.PRIVATE | {"Content-Disposition": 'attachment; filename="commitments.ics"'}
    return Response(body, headers=headers, media_type=CALENDAR)


routes = [
    Route("/promises", get_promises, methods=["GET"]),
    Route("/promises/calendar", make_address, methods=["POST"]),
    Route("/promises/file", get_file, methods=["GET"]),
]
