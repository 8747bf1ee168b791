"""Saying something, answering, liking and passing on; a conversation, for whoever is logged in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from sqlalchemy.orm import Session
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from activitypub import markdown
from activitypub.audience import Visibility
from activitypub.errors import ProtocolError
from coop import conversations, feed, posts, reactions
from coop.errors import NotFound, Trouble
from coop.posts import Draft
from federation import discovery, known
from federation.client import Gone, Unreachable
from federation.instance import Instance
from federation.outbox import TooLong
from federation.store import Transaction, Unavailable
from federation.tables import Object
from web import inside, session
from web.languages import N_, _
from web.lines import lines
from web.once import new_key
from web.session import text

AUDIENCES: dict[Visibility, str] = {
    "public": N_("Everybody"),
    "unlisted": N_("Everybody, quietly"),
    "followers": N_("Those who follow me"),
    "direct": N_("Only those I name"),
}
MENTIONED = 20  # addresses that are looked up before something is said


EXPECTED = (Trouble, ProtocolError, Unreachable, Gone, Unavailable, TooLong)


@dataclass(frozen=True, slots=True)
class Words:
    """What stands in the box where one writes: nothing, or what was typed and why it was not said."""

    text: str = ""
    warning: str = ""
    visibility: str = "public"
    reply_to: str = ""
    trouble: str = ""

    @property
    def audiences(self) -> dict[Visibility, str]:
        return AUDIENCES

    @property
    def key(self) -> str:
        """Another one for each form, by which it is known if it is sent twice."""
        return new_key()


# --- Saying something ----------------------------------------------------------------------------------------------


async def say(request: Request) -> Response:
    """Publish what was typed; if that cannot be, the page comes back with all of it."""
    here: Instance = request.scope["instance"]
    sent = await session.form_of(request)
    visitor = await session.inhabitant(request)
    words, once = _words(sent), request.scope["once"]

    async def publish() -> str:
        await meet(here, words.text)
        return await discovery.completing(here, lambda tx: posts.publish(tx, visitor.uri, _draft(words)).uri)

    try:
        uri = await once.do(f"{visitor.browser} {text(sent, 'key')}", publish)
    except EXPECTED as error:
        return await _again(request, words, _in_words(error))
    return inside.go(f"/read?of={quote(uri, safe='')}" if words.reply_to else "/today")


def _words(sent: FormData) -> Words:
    return Words(*(text(sent, name) for name in ("text", "warning", "visibility", "reply_to")))


def _draft(words: Words) -> Draft:
    if words.visibility not in AUDIENCES:
        raise Trouble("choose for whom it is")
    return Draft(words.text, words.visibility, words.warning.strip(), words.reply_to or None)


async def meet(here: Instance, words: str) -> None:
    """Look up whoever is mentioned and not known yet; nobody's absence keeps one from speaking."""
    for address in markdown.addresses(words)[:MENTIONED]:
        with suppress(ProtocolError, Unreachable, Gone):
            await discovery.lookup(here, address)


async def _again(request: Request, words: Words, trouble: str) -> Response:
    from web.pages import today

    words = replace(words, trouble=trouble)
    if words.reply_to:
        return await reading(request, words.reply_to, words, 422)
    return await today.today(request, words, 422)


def _in_words(error: Exception) -> str:
    if isinstance(error, Unavailable):
        return _("Nothing can be stored here now, and nothing was said. Try again in a minute.")
    return _("It was not said: %(why)s.") % {"why": _(str(error))}


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
            raise Trouble(_("nothing was done: %(why)s") % {"why": _(str(error))}) from error
        return inside.go(session.way_back(text(sent, "back")))

    return endpoint


# --- Reading -------------------------------------------------------------------------------------------------------


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
        values = {
            **inside.insider(db, visitor, here.home),
            "lines": lines(db, rows, visitor.uri, here.home),
            "of": row.uri,
            "waiting": conversations.waiting(db, row),
            "words": words or Words(visibility=row.visibility, reply_to=row.uri),
            "may_choose": row.visibility != "project",
        }
        return row, values

    row, values = await here.store.read(read)
    with suppress(Unavailable):
        await here.store.write(lambda tx: conversations.complete(tx, row))
    return inside.page(request, "conversation.html", values, status)


routes = [
    Route("/say", say, methods=["POST"]),
    Route("/read", get_conversation, methods=["GET"]),
    Route("/like", does(reactions.like), methods=["POST"]),
    Route("/unlike", does(reactions.unlike), methods=["POST"]),
    Route("/boost", does(reactions.boost), methods=["POST"]),
    Route("/unboost", does(reactions.unboost), methods=["POST"]),
    Route("/take-back", does(posts.delete), methods=["POST"]),
]
