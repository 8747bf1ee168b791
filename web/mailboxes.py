"""Mailboxes: where others leave what somebody shall have on waking, and where that somebody fetches it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from activitypub.document import Json
from coop import mailboxes
from coop.mailboxes import PAGE, PATH, Held
from federation.client import is_activity_type
from federation.instance import Instance
from federation.tables import Actor
from web import collections, limits
from web.collections import Listing
from web.documents import FOR_ONE, NOT_HERE, SIGN
from web.readers import headers, message, reader_of


async def mailbox(request: Request) -> Response:
    return await (_left(request) if request.method == "POST" else _fetched(request))


async def _left(request: Request) -> Response:
    """Somebody leaves a parcel, or its owner says that it may go; bounded and verified as for an inbox."""
    here: Instance = request.scope["instance"]
    given = headers(request.scope)
    if not is_activity_type(given.get("content-type", "")):
        raise HTTPException(415, "a parcel has the Content-Type application/activity+json")
    buddy = await _whose(request)
    body = await limits.read_body(given, request.receive)
    await mailboxes.take(here, message(request.scope, given, body), buddy, request.scope.get("came_from"))
    return Response(status_code=202)


async def _fetched(request: Request) -> Response:
    """What is held for whoever asks. Who is not one of those learns no more than at an address where nothing is."""
    here: Instance = request.scope["instance"]
    owner, buddy = await reader_of(request.scope), await _whose(request)
    if owner is None:
        raise HTTPException(401, SIGN)
    if not await here.store.read(lambda db: mailboxes.is_agreed(db, owner, buddy)):
        raise HTTPException(404, NOT_HERE)
    listing = Listing(mailboxes.held_for(owner, buddy), Held.id, _written, oldest_first=True, size=PAGE)
    return await collections.answer(request, listing, FOR_ONE)


async def _whose(request: Request) -> str:
    """Raise `HTTPException` 404 unless somebody lives here who could have a mailbox."""
    here: Instance = request.scope["instance"]
    uri = (here.home + request.url.path).removesuffix(f"/{PATH}")
    owner = select(Actor.uri).where(Actor.uri == uri, Actor.local, Actor.gone.is_(None))
    if (found := await here.store.read(lambda db: db.scalar(owner))) is None:
        raise HTTPException(404, NOT_HERE)
    return found


def _written(row: Sequence[Any]) -> Json:
    held: Held = row[1]
    return {"id": mailboxes.address(held.buddy, held), **held.parcel.write()}


routes = [Route(f"/actors/{{id}}/{PATH}", mailbox, methods=["GET", "POST"])]
