"""Pictures of others, for whoever is logged in here: by what they belong to, never by an address that was asked for."""

from __future__ import annotations

from functools import partial

from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from activitypub.actor import Actor as Profile
from activitypub.document import Document
from activitypub.errors import ProtocolError
from activitypub.note import Note
from coop import access, media
from coop.errors import NotFound
from coop.remote_media import Gallery, Use
from federation import ids
from federation.instance import Instance
from federation.tables import Actor, Object
from web import documents, session

KEPT = {"Cache-Control": "private, max-age=86400", "Vary": "Cookie"}
_SANDBOX = {"Content-Security-Policy": "default-src 'none'; sandbox", "Cross-Origin-Resource-Policy": "same-origin"}


async def get_seen(request: Request, use: Use) -> Response:
    """The face of a person, or a picture in a post that whoever asks may read."""
    visitor = await session.inhabitant(request)
    here: Instance = request.scope["instance"]
    gallery: Gallery | None = request.scope["gallery"]
    number, place = ids.from_slug(request.path_params["of"]) or 0, request.path_params.get("place", 0)
    if use == "face":
        url, reader = await here.store.read(lambda db: _face(db, number)), None
    else:
        url, reader = await here.store.read(lambda db: _in_post(db, number, place, visitor.uri))
    if gallery is None or url is None:
        raise HTTPException(404, documents.NOT_HERE)
    try:
        row = await gallery.picture(url, use, reader)
    except NotFound as error:
        raise HTTPException(404, str(error), {"Cache-Control": "private, max-age=600"}) from None
    return FileResponse(
        media.path(gallery.folder, row.name or ""), headers={**_SANDBOX, **KEPT}, media_type=row.media_type
    )


def _face(db: Session, number: int) -> str | None:
    actor = db.get(Actor, number)
    icon = Profile.read(Document(actor.document)).icon if actor else None
    return icon.url if icon else None


def _in_post(db: Session, number: int, place: int, reader: str) -> tuple[str | None, str | None]:
    """Where it is, and in whose name it has to be asked for: what is for everybody, nobody need be known to read."""
    row = db.get(Object, number)
    if row is None or row.deleted or not access.may_read(db, row, reader):
        return None, None
    try:
        attached = Note.read(row.said).attachments
    except ProtocolError:
        return None, None
    found = attached[place] if place < len(attached) else None
    url = found.url if found and found.kind == "Image" else None
    return url, None if row.visibility in access.EVERYBODY else reader


routes = [
    Route("/seen/face/{of}", partial(get_seen, use="face"), methods=["GET"]),
    Route("/seen/post/{of}/{place:int}", partial(get_seen, use="post"), methods=["GET"]),
]
