"""What was said here, each on a page of its own: posts, offers, endorsements; and what was said under a hashtag.

Every address here is also that of a document; which of the two is answered is negotiated (P-030).
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from sqlalchemy import String, cast, select
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from coop import access, conversations, essays, posts
from coop.accounts import Account
from federation import known
from federation.instance import Instance
from federation.store import Unavailable
from federation.tables import Object
from web import collections, documents, linked, shown
from web.pages import seals
from web.pages.public import LATEST, card, is_for_program
from web.rendering import page
from web.shown import Post


async def get_object(request: Request) -> Response:
    """A post, an offer, or whatever else was said here, to whoever may read it."""
    here: Instance = request.scope["instance"]
    row = await documents.find(request, here.home + request.url.path)
    if is_for_program(request) or row.type not in _PAGES:
        return documents.object_document(request, row, await here.store.read(lambda db: collections.at_once(db, row)))
    if row.deleted:
        raise HTTPException(410, "this was taken back by whoever wrote it")
    return await _PAGES[row.type](request, row)


async def post_page(request: Request, row: Object) -> Response:
    here: Instance = request.scope["instance"]

    def read(db: Session) -> dict[str, Any]:
        [post] = shown.posts(db, [row], here.home, whole=row.uri)
        if whole := essays.whole(db, row.uri):
            post = replace(post, note=replace(post.note, content=whole))
        return {"post": post, **around(db, post)}

    await look_around(here, row)
    return page(
        request, "post.html", await here.store.read(read), alternate=row.uri, private=not documents.is_open(here, row)
    )


async def offer_page(request: Request, row: Object) -> Response:
    here: Instance = request.scope["instance"]

    def read(db: Session) -> dict[str, Any]:
        [post] = shown.posts(db, [row], here.home)
        hung = card(db, here, row)
        return {"post": post, "card": hung, "linked": linked.graph(linked.offer(hung)), **around(db, post)}

    await look_around(here, row)
    return page(
        request, "offer.html", await here.store.read(read), alternate=row.uri, private=not documents.is_open(here, row)
    )


_PAGES = {
    **dict.fromkeys(posts.READABLE, post_page),
    "Proposal": offer_page,
    "Endorsement": seals.note_page,
}


def around(db: Session, post: Post) -> dict[str, Any]:
    """What a post answers, and what answers it, as far as everybody may see that."""
    parent = known.find(db, post.note.in_reply_to)
    is_open = parent is not None and not parent.deleted and access.may_read(db, parent, None)
    answered = shown.posts(db, [parent], post.home) if parent and is_open else []
    replies = db.scalars(posts.replies(post.note.id).limit(LATEST)).all()
    return {"answered": answered, "replies": shown.posts(db, replies, post.home)}


async def look_around(here: Instance, row: Object) -> None:
    """Have what is missing of a conversation asked for, now and then: whoever looks at a page waits for nobody."""
    if await here.store.read(lambda db: conversations.is_wanted_by_anybody(db, row, here.now())):
        with suppress(Unavailable):
            await here.store.write(lambda tx: conversations.complete_for_anybody(tx, row))


async def get_tag(request: Request) -> Response:
    """Where the hashtags of what was written here lead: to all that was said here under them."""
    here: Instance = request.scope["instance"]
    name = request.path_params["name"].lower()
    written = f'"href":"{here.home}/tags/{quote(name)}"'

    def read(db: Session) -> list[Post]:
        seen = (Object.visibility == "public", Object.deleted.is_(None), Object.author.in_(select(Account.uri)))
        query = select(Object).where(*seen, cast(Object.document, String).contains(written, autoescape=True))
        return shown.posts(db, db.scalars(query.order_by(Object.id.desc()).limit(LATEST)), here.home)

    return page(request, "tag.html", {"name": name, "posts": await here.store.read(read)})


async def get_skill(request: Request) -> Response:
    """A skill has an address of its own on the wire (P-220); what is said of it stands under its hashtag."""
    return RedirectResponse(f"/tags/{quote(request.path_params['name'].replace('-', ''))}", 302)


routes = [
    Route("/tags/{name}", get_tag),
    Route("/skills/{name}", get_skill),
]
