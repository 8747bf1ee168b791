"""Who may follow whoever is logged in, and who may find them."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from coop import profiles
from coop.profiles import Changes
from federation.instance import Instance
from web import inside, session
from web.pages.settings import PLACES
from web.session import text


async def get_privacy(request: Request) -> Response:
    here: Instance = request.scope["instance"]
    visitor = await session.inhabitant(request)

    def read(db: Session) -> dict[str, Any]:
        done = request.query_params.get("done", "")
        mine = inside.insider(db, visitor, here.home)
        return {**mine, "places": PLACES, "account": visitor.account, "done": done}

    return inside.page(request, "privacy.html", await here.store.read(read))


async def choose_privacy(request: Request) -> Response:
    here: Instance = request.scope["instance"]
    sent = await session.form_of(request)
    visitor = await session.inhabitant(request)
    chosen = Changes(
        approves_followers=bool(text(sent, "approves_followers")), discoverable=bool(text(sent, "discoverable"))
    )
    await here.store.write(lambda tx: profiles.edit(tx, visitor.uri, chosen).uri)
    return inside.go("/settings/privacy?done=privacy")


routes = [
    Route("/settings/privacy", get_privacy, methods=["GET"]),
    Route("/settings/privacy", choose_privacy, methods=["POST"]),
]
