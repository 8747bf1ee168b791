"""Coming from another server and going to one as the same person, with whom one follows and blocks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from activitypub.actor import Actor as Profile
from activitypub.document import Document
from coop import imports, luggage, moving, operators
from coop.errors import Trouble
from coop.lists import Kind
from federation import discovery, known
from federation.instance import Instance
from federation.tables import Actor
from web import inside, session
from web.doing import EXPECTED
from web.languages import NN_, _, ngettext, told, written
from web.pages.servers import uploaded
from web.pages.settings import PLACES
from web.session import text

LONGEST = 2_000  # characters of an address
FAILED = 50  # names on a page
COUNTED = {  # what is in an archive, as `boxroom.archived` calls it
    "post": NN_("%(num)s post", "%(num)s posts"),
    "picture": NN_("%(num)s picture", "%(num)s pictures"),
    "file": NN_("%(num)s file", "%(num)s files"),
    "boost": NN_("%(num)s boost", "%(num)s boosts"),
    "direct message": NN_("%(num)s direct message", "%(num)s direct messages"),
    "post for followers alone": NN_("%(num)s post for followers alone", "%(num)s posts for followers alone"),
    "post by others": NN_("%(num)s post by others", "%(num)s posts by others"),
    "entry of another kind": NN_("%(num)s entry of another kind", "%(num)s entries of other kinds"),
    "long post": NN_("%(num)s long post", "%(num)s long posts"),
    "empty post": NN_("%(num)s empty post", "%(num)s empty posts"),
}


async def get_data(request: Request) -> Response:
    return await data(request)


async def data(request: Request, coming: str = "", going: str = "", trouble: str = "", secret: str = "") -> Response:
    """The page; `coming` and `going` are addresses that were typed in vain, `secret` is a new recovery key."""
    here: Instance = request.scope["instance"]
    visitor = await session.inhabitant(request)

    def read(db: Session) -> dict[str, Any]:
        actor = known.account(db, visitor.uri)
        return {
            **inside.insider(db, visitor, here.home),
            "places": PLACES,
            "runs_it": operators.runs_it(db, visitor.account.id),
            "left": luggage.left(db, visitor.account.id),
            "archive": imports.at(db, visitor.account.id),
            "counted": _counted,
            "failed": db.scalars(luggage.failed(visitor.account.id).limit(FAILED)).all(),
            "moved": moving.last_move(db, visitor.uri),
            "former": Profile.read(Document(actor.document)).also_known_as,
            "coming": coming,
            "going": going,
            "trouble": trouble,
            "secret": secret,
            "done": request.query_params.get("done", "") if not trouble else "",
        }

    return inside.page(request, "data.html", await here.store.read(read), 422 if trouble else 200)


def _counted(found: Mapping[str, int]) -> str:
    """``1,204 posts, 87 pictures``"""
    return ", ".join(ngettext(*COUNTED[what], number) % {"num": written(number)} for what, number in found.items())


# --- Bringing along ------------------------------------------------------------------------------------------------


async def bring(request: Request) -> Response:
    """A list of whom they follow or block, which is worked through in the background."""
    here: Instance = request.scope["instance"]
    sent = await session.form_of(request)
    visitor = await session.inhabitant(request)
    kinds: dict[str, Kind] = {"follows": "follows", "blocks": "blocks"}
    try:
        brought = await uploaded(sent, kinds.get(text(sent, "kind")))
        await here.store.write(lambda tx: luggage.take_in(tx, visitor.account.id, brought))
    except Trouble as error:
        return await data(request, trouble=_("Nothing was done: %(why)s.") % {"why": told(error)})
    finally:
        await sent.close()
    return inside.go("/settings/data?done=list")


async def forget_failed(request: Request) -> Response:
    here: Instance = request.scope["instance"]
    await session.form_of(request)
    visitor = await session.inhabitant(request)
    await here.store.write(lambda tx: luggage.forget_failed(tx, visitor.account.id))
    return inside.go("/settings/data")


# --- Coming and going ----------------------------------------------------------------------------------------------


async def come(request: Request) -> Response:
    """Say that another account is who they were, so that it can move here."""
    here: Instance = request.scope["instance"]
    sent = await session.form_of(request)
    visitor = await session.inhabitant(request)
    asked = text(sent, "former").strip()[:LONGEST]
    try:
        former = await _somebody(here, asked)
        await discovery.completing(here, lambda tx: moving.welcome(tx, visitor.uri, former.uri))
    except EXPECTED as error:
        return await data(request, coming=asked, trouble=_("Nothing was done: %(why)s.") % {"why": told(error)})
    return inside.go("/settings/data?done=former")


async def go(request: Request) -> Response:
    """Move on to another server. Whoever follows is asked to follow there, which cannot be taken back."""
    here: Instance = request.scope["instance"]
    sent = await session.form_of(request)
    visitor = await session.inhabitant(request)
    asked = text(sent, "target").strip()[:LONGEST]
    try:
        if not text(sent, "sure"):
            raise Trouble("tick that you are sure: it cannot be taken back")
        target = await _somebody(here, asked)
        if target.local:
            raise Trouble("they live on this server, too; to go by another name here, tell your followers")
        await discovery.fetch(here, target.uri)
        await discovery.completing(here, lambda tx: moving.move(tx, visitor.uri, target.uri))
    except EXPECTED as error:
        return await data(request, going=asked, trouble=_("Nothing was done: %(why)s.") % {"why": told(error)})
    return inside.go("/settings/data?done=moved")


async def _somebody(here: Instance, asked: str) -> Actor:
    found = await discovery.lookup(here, asked)
    if not isinstance(found, Actor):
        raise Trouble("that is not somebody’s address, which looks like ada@attic.example")
    return found


routes = [
    Route("/settings/data", get_data, methods=["GET"]),
    Route("/settings/data/list", bring, methods=["POST"]),
    Route("/settings/data/forget", forget_failed, methods=["POST"]),
    Route("/settings/data/come", come, methods=["POST"]),
    Route("/settings/data/go", go, methods=["POST"]),
]
