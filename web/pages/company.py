"""How one knows somebody, whom they follow and who follows them: as far as it is for whoever asks to know."""

from __future__ import annotations

from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from coop import circles, paths
from coop.errors import NotFound
from federation import ids
from federation.instance import Instance
from federation.tables import Actor
from web import inside, session, shown
from web.languages import N_

LATEST = 50  # on a page

LISTS = {
    "ways": N_("How you know them"),
    "following": N_("Whom they follow"),
    "followers": N_("Who follows them"),
}
_WHO = {"following": circles.following, "followers": circles.followers}


def at(db: Session, uri: str) -> Actor:
    """Raise `NotFound` if nobody here has met them."""
    actor = db.scalar(select(Actor).where(Actor.uri == uri, Actor.gone.is_(None)))
    if actor is None:
        raise NotFound("nobody is known here by that address: look for them under People")
    return actor


async def get_company(request: Request) -> Response:
    here: Instance = request.scope["instance"]
    visitor = await session.inhabitant(request)
    uri, name = request.query_params.get("is", ""), request.query_params.get("show", "")
    name = name if name in LISTS else "ways"
    before = ids.from_slug(request.query_params.get("before", ""))

    def read(db: Session) -> dict[str, Any]:
        return {
            **inside.insider(db, visitor, here.home),
            **(_ways if name == "ways" else partial(_list, name=name, before=before))(db, here, visitor.uri, uri),
            "person": shown.person(at(db, uri), here.home),
            "lists": LISTS,
            "shown": name,
        }

    return inside.page(request, "company.html", await here.store.read(read))


def _ways(db: Session, here: Instance, me: str, other: str) -> dict[str, Any]:
    return {"ways": paths.all_in_words(db, paths.ways(db, me, other, here.now())), "people": [], "older": ""}


def _list(db: Session, here: Instance, me: str, other: str, name: str, before: int | None) -> dict[str, Any]:
    query = select(Actor).where(_WHO[name](me, other), Actor.gone.is_(None))
    query = query if before is None else query.where(Actor.id < before)
    rows = db.scalars(query.order_by(Actor.id.desc()).limit(LATEST + 1)).all()
    people = [shown.person(one, here.home) for one in rows[:LATEST]]
    return {"ways": [], "people": people, "older": ids.slug(rows[LATEST - 1].id) if len(rows) > LATEST else ""}


routes = [Route("/who/knows", get_company, methods=["GET"])]
