"""Actors, objects and activities under their own addresses, as documents for programs (P-019, P-029 to P-036)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from activitypub import context
from activitypub.document import Json
from activitypub.note import tombstone
from coop import access
from federation import known
from federation.instance import Instance
from federation.tables import Activity, Actor, Object
from web.languages import N_
from web.negotiation import ACTIVITY_JSON, wants_document
from web.readers import reader_of

NOT_HERE = N_("there is nothing at this address, or it is not for everybody")
SIGN = "sign the request: what is here is read by those who say who they are"
INBOX = "an inbox is written to with POST, and read by its owner alone"
NEGOTIATED = {"Vary": "Accept"}
SIGNED = {"Vary": "Accept, Signature, Signature-Input"}
FOR_ALL = {"Cache-Control": "public, max-age=180", "Access-Control-Allow-Origin": "*"}
FOR_ONE = {"Cache-Control": "private, no-store"}

TERMS: Mapping[str, list[Any]] = {
    "Proposal": context.OFFER,
    "Agreement": context.AGREEMENT,
    "Endorsement": context.ENDORSEMENT_NOTE,
    "EndorsementRequest": context.ENDORSEMENT_REQUEST,
}


def actor_document(actor: Actor) -> Response:
    """An actor, readable by anybody, since its keys are in it (P-034)."""
    if actor.gone:
        return document(tombstone(actor.uri, actor.type, actor.gone), NEGOTIATED | FOR_ALL, 410)
    return document(actor.document, NEGOTIATED | FOR_ALL)


def object_document(request: Request, row: Object, embedded: Mapping[str, Json] = MappingProxyType({})) -> Response:
    """Something said here, with what stands in it in place of an address."""
    here: Instance = request.scope["instance"]
    headers = SIGNED | (FOR_ALL if is_open(here, row) else FOR_ONE)
    if row.deleted:
        return document(tombstone(row.uri, former_type(row), row.deleted), headers, 410)
    return document({**with_context(row), **embedded}, headers)


async def find(request: Request, uri: str) -> Object:
    """The object of ours at `uri`, if whoever asks may read it.

    Raise `HTTPException` 404 for what is not there and for what is not theirs, alike (P-035, P-337), 401 where whoever
    asks has to say who they are (P-034).
    """
    here: Instance = request.scope["instance"]
    row = await here.store.read(lambda db: known.find(db, uri))
    row = row if row is not None and row.local else None
    if row is not None and is_open(here, row):
        return row
    reader = await reader_of(request.scope)
    if row is None or not await here.store.read(lambda db: access.may_read(db, row, reader)):
        raise HTTPException(404, NOT_HERE)
    if reader is None and wants_document(request.headers.get("accept", ""), otherwise=True):
        raise HTTPException(401, SIGN)
    return row


def is_open(here: Instance, row: Object) -> bool:
    """Whether anybody may read it without saying who they are."""
    return row.visibility in access.EVERYBODY and not here.authorized_fetch


async def get_activity(request: Request) -> Response:
    """An activity of ours, in the words in which it went out."""
    here: Instance = request.scope["instance"]
    uri = here.home + request.url.path
    row = await here.store.read(lambda db: _activity(db, uri, here.home))
    if row is None or not row.public or here.authorized_fetch:
        reader = await reader_of(request.scope)
        if row is None or not await here.store.read(lambda db: access.may_read_activity(db, row, reader)):
            raise HTTPException(404, NOT_HERE)
        if reader is None:
            raise HTTPException(401, SIGN)
    about = await here.store.read(lambda db: known.find(db, row.object)) if row.type == "Create" else None
    headers = SIGNED | (FOR_ALL if row.public and not here.authorized_fetch else FOR_ONE)
    if about is not None and about.deleted:
        return document(tombstone(row.uri, row.type, about.deleted), headers, 410)
    return Response(as_it_is_now(row, about), headers=headers, media_type=ACTIVITY_JSON)


def _activity(db: Session, uri: str, home: str) -> Activity | None:
    row = db.scalar(select(Activity).where(Activity.uri == uri))
    return row if row is not None and row.actor.startswith(f"{home}/") else None


def as_it_is_now(row: Activity, about: Object | None) -> bytes:
    """The body of an activity; that of a Create tells of its object as it is since its last edit, without the proof."""
    if about is None or about.updated is None:
        return row.body
    said: Json = msgspec.json.decode(row.body)
    said.pop("proof", None)
    return msgspec.json.encode({**said, "object": about.document})


def with_context(row: Object) -> Json:
    """The document of an object, with the context in which all its terms have a meaning."""
    of_posts = context.ROOM_NOTE if row.visibility == "project" else context.NOTE
    return {"@context": TERMS.get(row.type, of_posts), **row.document}


def former_type(row: Object) -> str:
    return str(row.document.get("formerType", "Note"))


def document(json: Json, headers: Mapping[str, str], status: int = 200) -> Response:
    return Response(msgspec.json.encode(json), status, {**headers}, ACTIVITY_JSON)
