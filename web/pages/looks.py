"""How pages look to whoever is logged in; and the studio's colour, on all pages that it has."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from coop import looks, operators
from federation.instance import Instance
from web import inside, session
from web.languages import N_
from web.pages.settings import PLACES
from web.session import text

THEMES = {"": N_("As this device has it"), "light": N_("Always light"), "dark": N_("Always dark")}
HUES = {
    8: N_("Rose"),
    38: N_("Brick"),
    68: N_("Amber"),
    98: N_("Straw"),
    128: N_("Moss"),
    158: N_("Fern"),
    188: N_("Lagoon"),
    218: N_("Sky"),
    248: N_("Harbour"),
    278: N_("Iris"),
    308: N_("Plum"),
    338: N_("Peony"),
}
KEPT = "public, max-age=300"  # of a colour that hardly ever changes


async def get_appearance(request: Request) -> Response:
    here: Instance = request.scope["instance"]
    visitor = await session.inhabitant(request)

    def read(db: Session) -> dict[str, Any]:
        return {
            **inside.insider(db, visitor, here.home),
            "places": PLACES,
            "themes": THEMES,
            "hues": HUES if operators.runs_it(db, visitor.account.id) else {},
            "done": request.query_params.get("done", ""),
        }

    return inside.page(request, "appearance.html", await here.store.read(read))


async def choose_theme(request: Request) -> Response:
    here: Instance = request.scope["instance"]
    sent = await session.form_of(request)
    visitor = await session.inhabitant(request)
    theme = text(sent, "theme") or None
    await here.store.write(lambda tx: looks.choose_theme(tx, visitor.account.id, theme))
    return inside.go("/settings/appearance?done=theme")


async def choose_hue(request: Request) -> Response:
    here: Instance = request.scope["instance"]
    chosen = text(await session.form_of(request), "hue")
    visitor = await session.inhabitant(request)
    degrees = {str(one): one for one in HUES}.get(chosen, -1) if chosen else None
    await here.store.write(lambda tx: looks.choose_hue(tx, visitor.account.id, degrees))
    return inside.go("/settings/appearance?done=hue")


async def get_hue(request: Request) -> Response:
    """The one line of style that is the studio's own; whoever runs it asks by the colour and sees it at once."""
    here: Instance = request.scope["instance"]
    degrees = await here.store.read(looks.hue)
    sheet = f":root {{ --hue: {degrees}; }}\n" if degrees is not None else ""
    return Response(sheet, headers={"Cache-Control": KEPT}, media_type="text/css")


routes = [
    Route("/settings/appearance", get_appearance, methods=["GET"]),
    Route("/settings/theme", choose_theme, methods=["POST"]),
    Route("/settings/hue", choose_hue, methods=["POST"]),
    Route("/hue.css", get_hue, methods=["GET"]),
]
