"""Saying something, answering, liking and passing on; a conversation, for whoever is logged in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import quote

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from activitypub import markdown
from activitypub.document import Document
from activitypub.errors import ProtocolError
from activitypub.note import Note
from coop import completing, conversations, feed, mentions, posts, reactions, revisions
from coop.errors import NotFound, Trouble
from federation import discovery, known
from federation.client import Gone, Unreachable
from federation.instance import Instance
from federation.store import Transaction, Unavailable
from federation.tables import Object
from web import inside, session, shown, writing
from web.doing import EXPECTED
from web.languages import _, told
from web.lines import lines
from web.session import text
from web.writing import ASK, MAX_FORM, Words

AROUND = 12  # posts that are shown before one in its conversation, and after it
MAX_PREVIEW = 50_000  # characters
PART = "text/html; part"  # what a page of ours asks for that needs no whole page
MENTIONED = 20  # addresses that are looked up before something is said


# --- Saying something ----------------------------------------------------------------------------------------------


async def say(request: Request) -> Response:
    """Publish what was typed; if that cannot be, the page comes back with all of it."""
    here: Instance = request.scope["instance"]
    visitor = await session.inhabitant(request)
    sent = await session.form_of(request, MAX_FORM)
    words, once = await writing.words_of(request, visitor.uri, sent), request.scope["once"]

    async def publish() -> str:
        await meet(here, words.text)
        return await discovery.completing(
            here, lambda tx: posts.publish(tx, visitor.uri, writing.attached(tx, visitor.uri, words)).uri
        )

    try:
        if new := await writing.upload(request, visitor.uri, sent):
            words = replace(words, files=(*words.files, *new))
            raise Trouble(_(ASK))
        uri = await once.do(f"{visitor.browser} {text(sent, 'key')}", publish)
    except EXPECTED as error:
        return await again(request, replace(words, trouble=_in_words(error)), 422)
    if words.project:
        return inside.go(f"/project?is={quote(words.project, safe='')}")
    return inside.go(read_at(uri) if words.reply_to else "/today")


async def attach(request: Request) -> Response:
    """Store files that are to go with what is being typed: the page comes back with them, or they alone."""
    visitor = await session.inhabitant(request)
    sent = await session.form_of(request, MAX_FORM)
    words = await writing.words_of(request, visitor.uri, sent)
    try:
        words = replace(words, files=(*words.files, *await writing.upload(request, visitor.uri, sent)))
    except EXPECTED as error:
        words = replace(words, trouble=_in_words(error))
    if request.headers.get("accept") == PART:
        return inside.page(request, "attached.html", {"words": words}, 422 if words.trouble else 200)
    return await again(request, words, 422 if words.trouble else 200)


async def get_attached(request: Request) -> Response:
    """Files that were uploaded before, for a page that remembers what was typed."""
    here: Instance = request.scope["instance"]
    visitor = await session.inhabitant(request)
    names = request.query_params.getlist("file")
    found = await here.store.read(lambda db: writing.files(db, visitor.uri, names))
    return inside.page(request, "attached.html", {"words": Words(files=found)})


async def get_completions(request: Request) -> Response:
    """Names and hashtags that begin as what is typed does."""
    here: Instance = request.scope["instance"]
    visitor = await session.inhabitant(request)
    begun = request.query_params.get("what", "")

    def read(db: Session) -> dict[str, Any]:
        if begun.startswith("#"):
            return {"people": (), "hashtags": completing.hashtags(db, visitor.account.id, begun)}
        found = completing.people(db, visitor.uri, begun)
        return {"people": [shown.person(one, here.home) for one in found], "hashtags": ()}

    return inside.page(request, "completions.html", await here.store.read(read))


async def preview(request: Request) -> Response:
    """What was typed as it will look, and the page with all of it."""
    here: Instance = request.scope["instance"]
    visitor = await session.inhabitant(request)
    sent = await session.form_of(request, MAX_FORM)
    words = await writing.words_of(request, visitor.uri, sent)
    looks = await here.store.read(lambda db: mentions.rendered(db, here.home, words.text[:MAX_PREVIEW]))
    return await again(request, replace(words, preview=looks), 200)


async def again(request: Request, words: Words, status: int) -> Response:
    """The page on which that was typed, with all of it."""
    from web.pages import changing, conversations, project, today

    if words.changes:
        return await changing.change_page(request, words.changes, words, status)
    if words.who:
        return await conversations.thread_page(request, words.who, words, status)
    if words.to:
        return await conversations.new_page(request, words, status)
    if words.reply_to:
        return await reading(request, words.reply_to, words, status)
    if words.project:
        return await project.project_page(request, words.project, words=words)
    return await today.today(request, words, status)


def _in_words(error: Exception) -> str:
    if isinstance(error, Unavailable):
        return _("Nothing can be stored here now, and nothing was said. Try again in a minute.")
    return _("It was not said: %(why)s.") % {"why": told(error)}


async def meet(here: Instance, words: str) -> None:
    """Look up whoever is mentioned and not known yet; nobody's absence keeps one from speaking."""
    for address in markdown.addresses(words)[:MENTIONED]:
        with suppress(ProtocolError, Unreachable, Gone):
            await discovery.lookup(here, address)


# --- What one makes of it ------------------------------------------------------------------------------------------


def does(act: Callable[[Transaction, str, str], object], with_: str = "of") -> Callable[[Request], Awaitable[Response]]:
    """The endpoint that does this with what the field `with_` names, and goes back to where its button was."""

    async def endpoint(request: Request) -> Response:
        here: Instance = request.scope["instance"]
        sent = await session.form_of(request)
        visitor = await session.inhabitant(request)
        uri = text(sent, with_)
        try:
            await discovery.completing(here, lambda tx: act(tx, visitor.uri, uri) and None)
        except (ProtocolError, Unreachable, Gone) as error:
            raise Trouble(_("nothing was done: %(why)s") % {"why": told(error)}) from error
        return inside.go(session.way_back(text(sent, "back")))

    return endpoint


# --- Reading -------------------------------------------------------------------------------------------------------


def read_at(uri: str) -> str:
    """Where something is read in its conversation by whoever is logged in."""
    return f"/read?of={quote(uri, safe='')}"


async def get_conversation(request: Request) -> Response:
    return await reading(request, request.query_params.get("of", ""), None)


async def reading(request: Request, uri: str, words: Words | None, status: int = 200) -> Response:
    """A post among all that was said before and after it. Raise `NotFound` for what is not theirs to read."""
    here: Instance = request.scope["instance"]
    visitor = await session.inhabitant(request)

    def read(db: Session) -> tuple[Object, dict[str, Any]]:
        row = known.find(db, uri)
        if row is None or row.deleted or not feed.readable(db, [row], visitor.uri):
            raise NotFound("there is nothing to read at this address any more, or it is not for you")
        rows = feed.conversation(db, row, visitor.uri)
        at = next((number for number, one in enumerate(rows) if one.id == row.id), 0)
        first, last = max(0, at - AROUND), at + AROUND
        values = {
            **inside.insider(db, visitor, here.home),
            "lines": lines(db, rows[first : last + 1], visitor.uri, here.home, whole=row.uri),
            "earlier": read_at(rows[first - 1].uri) if first else "",
            "later": read_at(rows[last + 1].uri) if last + 1 < len(rows) else "",
            "of": row.uri,
            "before": _before(db, row),
            "waiting": conversations.waiting(db, row),
            "words": words or Words(visibility=row.visibility, reply_to=row.uri),
            "may_choose": row.visibility != "project",
        }
        return row, values

    row, values = await here.store.read(read)
    with suppress(Unavailable):
        await here.store.write(lambda tx: conversations.complete(tx, row))
    return inside.page(request, "conversation.html", values, status)


@dataclass(frozen=True, slots=True)
class Before:
    """What a post said, and until when."""

    until: datetime
    content: str  # HTML, not clean
    warning: str


def _before(db: Session, row: Object) -> list[Before]:
    """Latest first."""
    if row.updated is None:
        return []
    said = [(one.replaced, Note.read(Document(one.document))) for one in revisions.history(db, row)]
    return [Before(until, note.content, note.warning) for until, note in reversed(said)]


routes = [
    Route("/say", say, methods=["POST"]),
    Route("/attach", attach, methods=["POST"]),
    Route("/attached", get_attached, methods=["GET"]),
    Route("/complete", get_completions, methods=["GET"]),
    Route("/preview", preview, methods=["POST"]),
    Route("/read", get_conversation, methods=["GET"]),
    Route("/like", does(reactions.like), methods=["POST"]),
    Route("/unlike", does(reactions.unlike), methods=["POST"]),
    Route("/boost", does(reactions.boost), methods=["POST"]),
    Route("/unboost", does(reactions.unboost), methods=["POST"]),
    Route("/take-back", does(posts.delete), methods=["POST"]),
]
