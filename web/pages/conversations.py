"""Letters: what is said to a few alone, as conversations between the same people."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from activitypub import html
from activitypub.errors import ProtocolError
from coop import blocks, correspondence, feed
from coop.errors import NotFound, Trouble
from federation import discovery, ids
from federation.client import Gone, Unreachable
from federation.instance import Instance
from federation.store import Unavailable
from federation.tables import Actor, Object
from web import inside, session, shown, writing
from web.doing import EXPECTED
from web.languages import _, told
from web.rendering import start
from web.session import text
from web.shown import Person, Post
from web.writing import ASK, MAX_FORM, Words

LATEST = 30  # conversations, and letters of one, on a page
EXCERPT = 140  # characters


@dataclass(frozen=True, slots=True)
class Thread:
    """A conversation, as it stands in the list of them."""

    circle: str
    others: list[Person]
    last: str
    is_mine: bool  # the last word
    at: datetime
    unread: int


@dataclass(frozen=True, slots=True)
class Sheet:
    """A letter in its conversation."""

    post: Post
    is_mine: bool


# --- All of them -------------------------------------------------------------------------------------------------


async def get_letters(request: Request) -> Response:
    here: Instance = request.scope["instance"]
    visitor = await session.inhabitant(request)
    before = ids.from_slug(request.query_params.get("before", ""))

    def read(db: Session) -> dict[str, Any]:
        rows = db.execute(correspondence.latest(visitor.account.id, before).limit(LATEST + 1)).all()
        threads = _threads(db, [(*row,) for row in rows[:LATEST]], visitor.uri, here.home)
        older = ids.slug(rows[LATEST - 1][1]) if len(rows) > LATEST else ""
        return {**inside.insider(db, visitor, here.home), "threads": threads, "older": older}

    return inside.page(request, "letters.html", await here.store.read(read))


def _threads(db: Session, rows: list[tuple[str, int, int]], me: str, home: str) -> list[Thread]:
    """In the order of `rows`; of a letter that is not to be read any more only that there was one."""
    last = {one.id: one for one in db.scalars(select(Object).where(Object.id.in_([number for _, number, _ in rows])))}
    blocks.look_up(db, me, {one.author for one in last.values()})
    seen = {one.id for one in feed.readable(db, [*last.values()], me) if not one.deleted}
    circles = {number: correspondence.people(one) - {me} for number, one in last.items()}
    met = shown.people(db, frozenset[str]().union(*circles.values()), home)
    return [
        Thread(
            circle=circle,
            others=sorted((met[uri] for uri in circles[number]), key=lambda one: one.name),
            last=start(html.plain(_first(last[number])), EXCERPT) if number in seen else "",
            is_mine=last[number].author == me,
            at=last[number].published,
            unread=unread,
        )
        for circle, number, unread in rows
        if number in last
    ]


def _first(row: Object) -> str:
    return row.said.text("summary") or row.said.text("content")


# --- One of them -------------------------------------------------------------------------------------------------


async def get_thread(request: Request) -> Response:
    return await thread_page(request, request.query_params.get("who", ""))


async def thread_page(request: Request, circle: str, words: Words | None = None, status: int = 200) -> Response:
    """What was said between these people, the last of it below, with the box to go on; by that it is read."""
    here: Instance = request.scope["instance"]
    visitor = await session.inhabitant(request)
    before = ids.from_slug(request.query_params.get("before", ""))

    def read(db: Session) -> tuple[int, dict[str, Any]]:
        rows = db.scalars(correspondence.between(visitor.account.id, circle, before).limit(LATEST + 1)).all()
        if not rows:
            raise NotFound("there is no such conversation of yours, or nothing is left of it")
        others = correspondence.people(rows[0]) - {visitor.uri}
        letters = feed.readable(db, rows[:LATEST], visitor.uri)
        posts = shown.posts(db, reversed(letters), here.home)
        values = {
            **inside.insider(db, visitor, here.home),
            "letters": [Sheet(one, one.note.author == visitor.uri) for one in posts],
            "between": sorted(shown.people(db, others, here.home).values(), key=lambda one: one.name),
            "older": ids.slug(rows[LATEST - 1].id) if len(rows) > LATEST else "",
            "words": words or Words(who=circle),
        }
        return rows[0].id, values

    newest, values = await here.store.read(read)
    with suppress(Unavailable):
        await here.store.write(lambda tx: correspondence.mark_read(tx, visitor.account.id, circle, newest))
    return inside.page(request, "letter.html", values, status)


async def answer(request: Request) -> Response:
    """Go on with a conversation, with all who are in it."""
    here: Instance = request.scope["instance"]
    visitor = await session.inhabitant(request)
    sent = await session.form_of(request, MAX_FORM)
    words = await writing.words_of(request, visitor.uri, sent)
    last = correspondence.between(visitor.account.id, words.who).limit(1)
    found = await here.store.read(lambda db: db.scalar(last))
    if found is None:
        raise NotFound("there is no such conversation of yours, or nothing is left of it")

    async def people() -> frozenset[str]:
        return correspondence.people(found)

    return await _send(request, sent, words, people)


# --- A new one ---------------------------------------------------------------------------------------------------


async def get_new(request: Request) -> Response:
    """A sheet of paper; if it is told to whom, and they are known, with their address on it."""
    here: Instance = request.scope["instance"]
    to = request.query_params.get("to", "").strip()
    found = await here.store.read(lambda db: db.scalar(select(Actor).where(Actor.uri == to, Actor.gone.is_(None))))
    if found is not None:
        to = f"@{found.address}" if found.address else found.uri
    return await new_page(request, Words(to=to))


async def new_page(request: Request, words: Words, status: int = 200) -> Response:
    here: Instance = request.scope["instance"]
    visitor = await session.inhabitant(request)
    mine = await here.store.read(lambda db: inside.insider(db, visitor, here.home))
    return inside.page(request, "new-letter.html", {**mine, "words": words}, status)


async def begin(request: Request) -> Response:
    """Write to whoever is named, each looked up where they live."""
    here: Instance = request.scope["instance"]
    visitor = await session.inhabitant(request)
    sent = await session.form_of(request, MAX_FORM)
    words = await writing.words_of(request, visitor.uri, sent)
    return await _send(request, sent, words, partial(_named, here, words.to))


async def _named(here: Instance, to: str) -> frozenset[str]:
    """The URIs of all who are named, by their addresses. Raise `Trouble` for whom nobody finds."""
    given = [one for one in to.replace(",", " ").split() if one]
    if not 1 <= len(given) <= correspondence.MAX_PEOPLE:
        raise Trouble(_("say to whom it goes, by one to %(most)s addresses") % {"most": correspondence.MAX_PEOPLE})
    found = set()
    for one in given:
        try:
            somebody = await discovery.lookup(here, one)
        except (ProtocolError, Unreachable, Gone) as error:
            raise Trouble(_("%(name)s was not found: %(why)s") % {"name": one[:100], "why": told(error)}) from error
        if not isinstance(somebody, Actor):
            raise Trouble(_("%(name)s is something that was said, and nobody to write to") % {"name": one[:100]})
        found.add(somebody.uri)
    return frozenset(found)


async def _send(
    request: Request, sent: FormData, words: Words, people: Callable[[], Awaitable[frozenset[str]]]
) -> Response:
    """Once, however often the form is sent; what cannot be sent comes back."""
    here: Instance = request.scope["instance"]
    visitor = await session.inhabitant(request)

    async def write() -> str:
        between = await people()
        await discovery.completing(
            here,
            lambda tx: (
                correspondence.write(tx, visitor.uri, between, words.text, writing.beside(tx, visitor.uri, words)).uri
            ),
        )
        return correspondence.circle(between - {visitor.uri})

    try:
        if new := await writing.upload(request, visitor.uri, sent):
            words = replace(words, files=(*words.files, *new))
            raise Trouble(_(ASK))
        circle = await request.scope["once"].do(f"{visitor.browser} {text(sent, 'key')}", write)
    except EXPECTED as error:
        words = replace(words, trouble=_not_sent(error))
        return await (thread_page(request, words.who, words, 422) if words.who else new_page(request, words, 422))
    return inside.go(f"/conversations/with?who={circle}#last")


def _not_sent(error: Exception) -> str:
    if isinstance(error, Unavailable):
        return _("Nothing can be stored here now, and your letter was not sent. Try again in a minute.")
    return _("Your letter was not sent: %(why)s.") % {"why": told(error)}


routes = [
    Route("/conversations", get_letters, methods=["GET"]),
    Route("/conversations/with", get_thread, methods=["GET"]),
    Route("/conversations/with", answer, methods=["POST"]),
    Route("/conversations/new", get_new, methods=["GET"]),
    Route("/conversations/new", begin, methods=["POST"]),
]
