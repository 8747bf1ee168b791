"""The files that never change while the program runs: read once, kept in memory."""

from __future__ import annotations

import gzip
from functools import cache
from importlib.resources import files

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from federation.instance import Instance

_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_FILES = {
    one.name: (one.read_bytes(), _TYPES[one.name.rpartition(".")[2]])
    for one in (files("web") / "static").iterdir()
    if one.name.rpartition(".")[2] in _TYPES
}
SMALL = 1_000  # octets, which are not worth to be packed
_HIDDEN = ("/inbox", "/actors/", "/authorize", "/login", "/way")  # nothing to be found there by searching


async def get_file(request: Request) -> Response:
    found = _FILES.get(request.path_params["name"])
    if found is None:
        raise HTTPException(404, "there is no such file")
    # Pages name a file with its digest, so that a changed one has another address.
    age = "31536000, immutable" if request.url.query else "3600"
    headers = {"Cache-Control": f"public, max-age={age}", "Vary": "Accept-Encoding"}
    if len(found[0]) < SMALL or "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(found[0], headers=headers, media_type=found[1])
    return Response(_packed(found[0]), headers={**headers, "Content-Encoding": "gzip"}, media_type=found[1])


@cache
def _packed(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


async def get_favicon(request: Request) -> Response:
    return RedirectResponse("/static/window.svg", 301)


async def get_robots(request: Request) -> Response:
    here: Instance = request.scope["instance"]
    lines = ["User-agent: *", *(f"Disallow: {one}" for one in _HIDDEN), "", f"Sitemap: {here.home}/sitemap.xml", ""]
    return Response("\n".join(lines), headers={"Cache-Control": "public, max-age=86400"}, media_type="text/plain")


routes = [
    Route("/static/{name}", get_file),
    Route("/favicon.ico", get_favicon),
    Route("/robots.txt", get_robots),
]
