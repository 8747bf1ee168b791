"""Asking somebody into a project of one's own, from where one sees who they are."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from coop import invitations
from federation import discovery
from federation.instance import Instance
from federation.store import Transaction
from web import inside, session, shown
from web.doing import EXPECTED
from web.languages import _
from web.once import new_key
from web.pages import company
from web.pages.people import who
from web.pages.vouching import reason
from web.session import text


async def get_invite(request: Request) -> Response:
    return await form(request, {"whom": request.query_params.get("whom", "")})


async def form(request: Request, typed: dict[str, str], trouble: str = "") -> Response:
    """Which project, and a word to them; with what was `typed` if it could not be sent."""
    here: Instance = request.scope["instance"]
    visitor = await session.inhabitant(request)

    def read(db: Session) -> dict[str, Any]:
        return {
            **inside.insider(db, visitor, here.home),
            "person": shown.person(company.at(db, typed["whom"]), here.home),
            "projects": db.scalars(invitations.inviting(visitor.uri)).all(),
            "typed": {"project": "", "text": "", **typed},
            "key": new_key(),
            "trouble": trouble,
        }

    return inside.page(request, "invite.html", await here.store.read(read), 422 if trouble else 200)


async def invite(request: Request) -> Response:
    """As a member: what else somebody may be is decided in the project."""
    here: Instance = request.scope["instance"]
    sent = await session.form_of(request)
    visitor = await session.inhabitant(request)
    typed = {name: text(sent, name) for name in ("whom", "project", "text")}
    whom, project, words = typed.values()

    def ask(tx: Transaction) -> str:
        return invitations.invite(tx, visitor.uri, project, whom, text=words.strip()).id

    try:
        key = f"{visitor.browser} {text(sent, 'key')}"
        await request.scope["once"].do(key, lambda: discovery.completing(here, ask))
    except EXPECTED as error:
        return await form(request, typed, _("They were not invited: %(reason)s.") % {"reason": reason(error)})
    return inside.go(who(whom))


routes = [
    Route("/who/invite", get_invite, methods=["GET"]),
    Route("/who/invite", invite, methods=["POST"]),
]
