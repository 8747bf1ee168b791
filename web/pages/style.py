"""The living page of styles: every component that pages are made of, as the stylesheets have it now."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from federation.instance import Instance
from web import colours, samples
from web.rendering import page


async def get_style(request: Request) -> Response:
    here: Instance = request.scope["instance"]
    shown = {**samples.all_of_them(here.now()), "pairs": colours.pairs(), "texts": colours.TEXTS}
    return page(request, "style.html", {**shown, "token": "", "path": "/style", "uri": ""})


routes = [Route("/style", get_style)]
