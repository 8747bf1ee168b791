"""Changing what one said: the words come back as they were typed, and go out again to whoever has them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from coop import posts, sources
from federation import discovery
from federation.instance import Instance
from web import inside, session, shown, writing
from web.doing import EXPECTED, in_words
from web.pages.saying import meet, read_at
from web.session import text
from web.writing import MAX_FORM, Words


async def get_change(request: Request) -> Response:
    return await change_page(request, request.query_params.get("of", ""))


async def change_page(request: Request, uri: str, words: Words | None = None, status: int = 200) -> Response:
    """A post of one's own to be changed, with the `words` that were typed so far. Raise as `posts.own` does."""
    here: Instance = request.scope["instance"]
    visitor = await session.inhabitant(request)

    def read(db: Session) -> dict[str, Any]:
        row = posts.changeable(db, visitor.uri, uri)
        [post] = shown.posts(db, [row], here.home)
        typed = Words(text=sources.of(db, row), warning=post.note.warning, changes=row.uri)
        return {**inside.insider(db, visitor, here.home), "post": post, "words": words or typed}

    return inside.page(request, "change.html", await here.store.read(read), status)


async def change(request: Request) -> Response:
    here: Instance = request.scope["instance"]
    visitor = await session.inhabitant(request)
    sent = await session.form_of(request, MAX_FORM)
    words, uri = await writing.words_of(request, visitor.uri, sent), text(sent, "changes")
    try:
        await meet(here, words.text)
        await discovery.completing(
            here, lambda tx: posts.edit(tx, visitor.uri, uri, words.text, words.warning.strip()).uri
        )
    except EXPECTED as error:
        return await change_page(request, uri, replace(words, trouble=in_words(error)), 422)
    return inside.go(read_at(uri))


routes = [
    Route("/change", get_change, methods=["GET"]),
    Route("/change", change, methods=["POST"]),
]
