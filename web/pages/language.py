"""In which language pages speak to whoever is logged in."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from coop import looks
from coop.errors import Trouble
from federation.instance import Instance
from web import inside, session
from web.pages.settings import PLACES
from web.session import text

LANGUAGES = {"en": "English", "de": "Deutsch"}


async def get_language(request: Request) -> Response:
    here: Instance = request.scope["instance"]
    visitor = await session.inhabitant(request)

    def read(db: Session) -> dict[str, Any]:
        chosen, done = visitor.account.language or "", request.query_params.get("done", "")
        mine = inside.insider(db, visitor, here.home)
        return {**mine, "places": PLACES, "languages": LANGUAGES, "chosen": chosen, "done": done}

    return inside.page(request, "language.html", await here.store.read(read))


async def choose_language(request: Request) -> Response:
    here: Instance = request.scope["instance"]
    sent = await session.form_of(request)
    visitor = await session.inhabitant(request)
    tag = text(sent, "language") or None
    if tag is not None and tag not in LANGUAGES:
        raise Trouble("choose one of the languages that are offered; nothing was changed")
    await here.store.write(lambda tx: looks.choose_language(tx, visitor.account.id, tag))
    return inside.go("/settings/language?done=language")


routes = [
    Route("/settings/language", get_language, methods=["GET"]),
    Route("/settings/language", choose_language, methods=["POST"]),
]
