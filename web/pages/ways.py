"""How whoever is logged in knows somebody: a page of its own, since it asks the database as often as most pages do."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from coop import paths
from coop.errors import NotFound
from federation.instance import Instance
from federation.tables import Actor
from web import inside, session, shown


async def get_ways(request: Request) -> Response:
    """Whom they follow who follows, works with or vouches for somebody, in words."""
    here: Instance = request.scope["instance"]
    visitor = await session.inhabitant(request)
    uri, now = request.query_params.get("is", ""), here.now()

    def read(db: Session) -> dict[str, Any]:
        actor = db.scalar(select(Actor).where(Actor.uri == uri, Actor.gone.is_(None)))
        if actor is None:
            raise NotFound("nobody is known here by that address: look for them under People")
        return {
            **inside.insider(db, visitor, here.home),
            "person": shown.person(actor, here.home),
            "ways": paths.all_words(db, paths.ways(db, visitor.uri, uri, now)),
        }

    return inside.page(request, "ways.html", await here.store.read(read))


routes = [Route("/who/ways", get_ways, methods=["GET"])]
