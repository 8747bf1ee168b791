"""Pictures and files that people here uploaded, to whoever may see what they belong to (P-268, P-300, P-338)."""

from __future__ import annotations

from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from coop import media
from coop.errors import NotFound
from coop.media import Media
from federation.instance import Instance
from web import documents, session
from web.readers import reader_of

# Whatever is in a file, a browser runs nothing of it.
_SANDBOX = {"Content-Security-Policy": "default-src 'none'; sandbox", "Cross-Origin-Resource-Policy": "cross-origin"}
_FOR_ALL = {"Cache-Control": "public, max-age=604800, immutable", "Access-Control-Allow-Origin": "*"}


async def get_media(request: Request) -> Response:
    here: Instance = request.scope["instance"]
    folder: Path | None = request.scope["media"]
    name = request.path_params["name"]
    if folder is None:
        raise HTTPException(404, documents.NOT_HERE)
    try:
        row, headers = await here.store.read(lambda db: media.readable(db, name, None)), _FOR_ALL
    except NotFound:
        row, headers = await _private(request, here, name), documents.FOR_ONE
    file = media.path(folder, name)
    if not file.is_file():
        raise HTTPException(404, documents.NOT_HERE)
    shown = "inline" if row.is_inline else "attachment"
    return FileResponse(
        file,
        headers={**_SANDBOX, **headers, "Vary": "Signature, Signature-Input, Cookie"},
        media_type=row.media_type,
        filename=row.filename or name,
        content_disposition_type=shown,
    )


async def _private(request: Request, here: Instance, name: str) -> Media:
    """A file that not everybody may see. Raise `HTTPException` 404 as for one that is not there."""
    visitor = await session.visitor_of(request)
    reader = visitor.uri if visitor else await reader_of(request.scope)
    try:
        return await here.store.read(lambda db: media.readable(db, name, reader))
    except NotFound:
        raise HTTPException(404, documents.NOT_HERE) from None


routes = [Route("/media/{name}", get_media)]
