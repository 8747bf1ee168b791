"""Endorsements as seals that can be turned over, and the copies that outlast their giver's server (P-242, P-243)."""

from __future__ import annotations

import msgspec
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from activitypub.document import Json
from coop import endorsements, identities, verdicts
from coop.endorsements import Endorsement
from federation.instance import Instance
from federation.tables import Object
from web import documents, linked, shown
from web.rendering import page
from web.shown import Seal

SHOWN = 40


def seals_of(db: Session, here: Instance, subject: str) -> list[Seal]:
    """What visitors of a profile see, the latest first."""
    rows = endorsements.shown_of(*identities.same(db, subject)).limit(SHOWN)
    return shown.seals(db, verdicts.with_verdicts(db, rows, here.now()), here.home)


async def note_page(request: Request, row: Object) -> Response:
    """The page of one that was given here."""
    here: Instance = request.scope["instance"]
    found = await here.store.read(lambda db: _one(db, here, Endorsement.id == row.id))
    return page(request, "endorsement.html", {"seal": found, "url": row.uri, "linked": said(found)}, alternate=row.uri)


async def get_shown(request: Request) -> Response:
    """The page of one that is shown here, wherever it was given: it stays when its giver's server goes.

    One that was taken back is still shown, as such; only its copy is not given away any more (P-243, P-245).
    """
    here: Instance = request.scope["instance"]
    hash_ = request.path_params["hash"]

    def read(db: Session) -> Seal:
        if verdicts.shown(db, hash_) is None:
            raise HTTPException(404, documents.NOT_HERE)
        return _one(db, here, Endorsement.hash == hash_)

    url = here.home + request.url.path
    found = await here.store.read(read)
    return page(request, "endorsement.html", {"seal": found, "url": url, "linked": said(found)})


def said(seal: Seal) -> Json | None:
    """What programs may make of it; nothing, if it does not hold."""
    return linked.graph(linked.review(seal)) if seal.holds else None


async def get_copy(request: Request) -> Response:
    here: Instance = request.scope["instance"]
    found: Json | None = await here.store.read(lambda db: verdicts.served(db, request.path_params["hash"]))
    if found is None:
        raise HTTPException(404, documents.NOT_HERE)
    return Response(msgspec.json.encode(found), headers=documents.FOR_ALL, media_type="application/json")


def _one(db: Session, here: Instance, which: ColumnElement[bool]) -> Seal:
    judged = verdicts.with_verdicts(db, select(Endorsement).where(which).limit(1), here.now())
    [seal] = shown.seals(db, judged, here.home)
    return seal


routes = [
    Route("/endorsements/{hash}.json", get_copy),
    Route("/endorsements/{hash}", get_shown),
]
