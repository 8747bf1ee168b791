"""Pages for whoever is logged in: what each of them has beside what it shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from coop import correspondence, notifications, operators
from coop.logins import Visitor
from federation.instance import Instance
from federation.tables import Actor
from web import session, shown
from web.once import new_key
from web.rendering import render
from web.shown import Person

PRIVATE = {"Cache-Control": "private, no-store", "Vary": "Cookie"}


def insider(db: Session, visitor: Visitor, home: str) -> dict[str, Any]:
    """Who they are, whom else they may be, how they like their pages, and how much is new to them."""
    mine = [visitor.account.id, *(one.id for one in visitor.others)]
    met: dict[str, Person] = {
        row.uri: shown.person(row, home) for row in db.scalars(select(Actor).where(Actor.id.in_(mine)))
    }
    return {
        "me": met[visitor.uri],
        "others": [(one.id, met[one.uri]) for one in visitor.others],
        "theme": visitor.account.theme or "",
        "hue": "" if visitor.account.hue is None else str(visitor.account.hue),
        "unread": notifications.unread(db, visitor.account.id),
        "letters_unread": correspondence.unread(db, visitor.account.id),
    }


def page(request: Request, template: str, values: Mapping[str, Any], status: int = 200) -> Response:
    """A page that is for one browser alone, with what its forms need; `values` have those of `insider`."""
    here: Instance = request.scope["instance"]
    browser = session.browser_of(request)
    query = request.scope["query_string"].decode("latin-1")
    address = request.url.path + (f"?{query}" if query else "") if request.method == "GET" else "/today"
    given = {
        "token": browser.token,
        "key": new_key(),
        "path": request.url.path,
        "this_page": address,
        "told": request.scope.get("told", 0),
    }
    given |= {"is_inside": True, **values}
    response = Response(render(here, template, **given), status, PRIVATE, "text/html")
    return session.hand_out(request, response, browser) if browser.is_new else response


async def from_operator(request: Request) -> FormData:
    """What whoever runs this server sent with a form. Raise `NotAllowed` for the others who live here."""
    here: Instance = request.scope["instance"]
    sent = await session.form_of(request)
    visitor = await session.inhabitant(request)
    await here.store.read(lambda db: operators.check(db, visitor.account.id))
    return sent


def go(path: str) -> Response:
    """After something was done: the page that shows it, so that to reload it does nothing once more."""
    return RedirectResponse(path, 303, PRIVATE)
