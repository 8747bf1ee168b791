"""Following and answering from one's own server: visitors are led there, and those who live here come from others.

The law: nobody is sent anywhere. A page names the server that somebody said is theirs, and a link to a page of that
very server; they click, or they do not (P-330).
"""

from __future__ import annotations

from urllib.parse import quote

from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from activitypub import html
from activitypub.errors import Malformed, ProtocolError
from activitypub.origin import host
from activitypub.webfinger import Address
from federation import actors, discovery, known
from federation.allowance import Allowance
from federation.client import Gone, Unreachable
from federation.instance import Instance
from federation.tables import Actor, Object
from web import inside, session
from web.languages import _, told
from web.pages.people import place_of
from web.rendering import page, render
from web.session import text

LOOKUPS = 10, 1 / 30  # servers asked for one visitor, or one server for all visitors: at once, then every half minute
LONGEST = 2_000  # characters of an address
PRIVATE = {"Cache-Control": "private, no-store"}


# --- Going -------------------------------------------------------------------------------------------------------


async def get_way(request: Request) -> Response:
    return way_page(request, request.query_params.get("about", ""))


async def find_way(request: Request) -> Response:
    """Name the page of a visitor's own server on which they can follow or answer something of ours."""
    here: Instance = request.scope["instance"]
    sent = await session.sent_by_anybody(request)
    about, typed = text(sent, "about"), text(sent, "address").strip()[:LONGEST]
    _check(here, about)
    try:
        address = Address.parse(typed)
        if address.host == host(here.home):
            return inside.go(f"/authorize?uri={quote(about, safe='')}")
        _count(request, address.host)
        return way_page(request, about, typed, way=await discovery.way_in(here, address, about))
    except (ProtocolError, Unreachable, Gone) as error:
        return way_page(request, about, typed, trouble=f"{told(error)}.")


def way_page(request: Request, about: str, typed: str = "", way: str = "", trouble: str = "") -> Response:
    here: Instance = request.scope["instance"]
    _check(here, about)
    values = {"about": about, "typed": typed, "way": way, "trouble": trouble}
    return Response(render(here, "way.html", **values), 422 if trouble else 200, PRIVATE, "text/html")


def _check(here: Instance, about: str) -> None:
    """Raise `HTTPException` for what is not at this studio: we speak for nothing else."""
    if not about.startswith(f"{here.home}/") or html.safe_url(about) is None or len(about) > LONGEST:
        raise HTTPException(400, _("that is nothing that is here to follow or to answer"))


def _count(request: Request, server: str) -> None:
    """Raise `HTTPException` if this visitor, or all of them this server, had asked for too often."""
    allowance: Allowance = request.scope["lookups"]
    for name in (request.scope["came_from"], f"to {server}"):
        if name and (wait := allowance.take(name)):
            sentence = _("too many servers were asked for just now; wait a little, or copy the address instead")
            raise HTTPException(429, sentence, {"Retry-After": str(int(wait) + 1)})


# --- Coming ------------------------------------------------------------------------------------------------------


async def get_authorize(request: Request) -> Response:
    """Where other servers send those who say that they live here: to what they meant, which does nothing by itself."""
    here: Instance = request.scope["instance"]
    asked = request.query_params.get("uri", "").strip()
    link = html.safe_url(asked)
    try:
        wanted = link or f"@{Address.parse(asked)}"
    except Malformed:
        raise HTTPException(400, _("that is no address of somebody or something; search for it here instead")) from None
    if await session.visitor_of(request) is None:
        query = f"/authorize?uri={quote(asked, safe='')}"
        return page(request, "authorize.html", {"wanted": wanted, "link": link, "back": query}, private=True)
    found = await here.store.read(lambda db: known_as(db, wanted))
    return inside.go(place_of(found) if found else f"/search?q={quote(wanted, safe='')}")


def known_as(db: Session, address: str) -> Actor | Object | None:
    """Whoever or whatever is known here by an address or a link; nobody is asked."""
    if "://" not in address:
        return actors.by_address(db, address)
    somebody = db.scalar(select(Actor).where(Actor.uri == address, Actor.gone.is_(None)))
    something = known.find(db, address)
    return somebody or (something if something and not something.deleted else None)


routes = [
    Route("/authorize", get_authorize, methods=["GET"]),
    Route("/way", get_way, methods=["GET"]),
    Route("/way", find_way, methods=["POST"]),
]
