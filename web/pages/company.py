"""Whom somebody follows and who follows them, as far as that is known here and for whoever asks to know."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from coop import circles
from coop.errors import NotFound
from federation import ids
from federation.instance import Instance
from federation.tables import Actor
from web import inside, session, shown
from web.languages import N_
from web.shown import Person

LATEST = 50  # on a page
FEW = 6  # of them, on the page of whoever it is

LISTS = {"following": N_("Whom they follow"), "followers": N_("Who follows them")}
_WHO = {"following": circles.following, "followers": circles.followers}


def at(db: Session, uri: str) -> Actor:
    """Raise `NotFound` if nobody here has met them."""
    actor = db.scalar(select(Actor).where(Actor.uri == uri, Actor.gone.is_(None)))
    if actor is None:
        raise NotFound("nobody is known here by that address: look for them under People")
    return actor


def a_few(db: Session, here: Instance, me: str, of: str) -> list[tuple[str, str, list[Person], int]]:
    """Of each list its name, its title, some who are on it, and how many there are."""
    return [(name, title, *_few(db, here, name, me, of)) for name, title in LISTS.items()]


def _few(db: Session, here: Instance, name: str, me: str, of: str) -> tuple[list[Person], int]:
    query = select(Actor).where(_WHO[name](me, of), Actor.gone.is_(None))
    rows = db.scalars(query.order_by(Actor.id.desc()).limit(FEW))
    number = db.scalar(select(func.count()).select_from(query.subquery())) or 0
    return [shown.person(one, here.home) for one in rows], number


async def get_company(request: Request) -> Response:
    here: Instance = request.scope["instance"]
    visitor = await session.inhabitant(request)
    uri, name = request.query_params.get("is", ""), request.query_params.get("show", "")
    name = name if name in LISTS else "following"
    before = ids.from_slug(request.query_params.get("before", ""))

    def read(db: Session) -> dict[str, Any]:
        person = shown.person(at(db, uri), here.home)
        query = select(Actor).where(_WHO[name](visitor.uri, uri), Actor.gone.is_(None))
        query = query if before is None else query.where(Actor.id < before)
        rows = db.scalars(query.order_by(Actor.id.desc()).limit(LATEST + 1)).all()
        return {
            **inside.insider(db, visitor, here.home),
            "person": person,
            "people": [shown.person(one, here.home) for one in rows[:LATEST]],
            "older": ids.slug(rows[LATEST - 1].id) if len(rows) > LATEST else "",
            "lists": LISTS,
            "shown": name,
        }

    return inside.page(request, "company.html", await here.store.read(read))


routes = [Route("/who/knows", get_company, methods=["GET"])]
