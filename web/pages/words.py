"""Words that whoever is logged in would rather miss."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from coop import filters
from federation import ids
from federation.instance import Instance
from web import inside, session
from web.doing import EXPECTED
from web.languages import _, told
from web.pages.moderation import places
from web.session import text


async def get_words(request: Request) -> Response:
    return await words(request)


async def words(request: Request, typed: str = "", trouble: str = "") -> Response:
    here: Instance = request.scope["instance"]
    visitor = await session.inhabitant(request)

    def read(db: Session) -> dict[str, Any]:
        return {
            **inside.insider(db, visitor, here.home),
            "places": places(db, visitor.account.id),
            "filters": filters.of(db, visitor.uri),
            "longest": filters.MAX_WORDS,
            "typed": typed,
            "trouble": trouble,
        }

    return inside.page(request, "words.html", await here.store.read(read), 422 if trouble else 200)


async def add_words(request: Request) -> Response:
    here: Instance = request.scope["instance"]
    sent = await session.form_of(request)
    visitor = await session.inhabitant(request)
    typed = text(sent, "words")
    try:
        await here.store.write(lambda tx: filters.add(tx, visitor.uri, typed))
    except EXPECTED as error:
        return await words(request, typed, _("That is not hidden: %(why)s.") % {"why": told(error)})
    return inside.go("/moderation/words")


async def remove_words(request: Request) -> Response:
    here: Instance = request.scope["instance"]
    sent = await session.form_of(request)
    visitor = await session.inhabitant(request)
    number = ids.from_slug(text(sent, "filter"))
    await here.store.write(lambda tx: filters.remove(tx, visitor.uri, -1 if number is None else number))
    return inside.go("/moderation/words")


routes = [
    Route("/moderation/words", get_words, methods=["GET"]),
    Route("/moderation/words", add_words, methods=["POST"]),
    Route("/moderation/words/remove", remove_words, methods=["POST"]),
]
