"""An invitation to a project, as the one who is invited sees it: by whom, into what, who is there, until when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from activitypub.statement import Role
from coop import invitations, projects, statements
from coop.admission import Invitation
from coop.errors import NotFound
from coop.statements import Project
from federation.instance import Instance
from web import doing, inside, session, shown
from web.pages.projects import where
from web.session import text
from web.shown import Person

SHOWN = 40  # members


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody is asked into; `project` is none if it is a group of other software."""

    row: Invitation
    by: Person
    name: str
    project: Project | None
    members: tuple[tuple[Person, Role], ...]
    more: int  # members who are not shown
    is_open: bool
    is_in: bool


async def get_invitation(request: Request) -> Response:
    return await invitation_page(request, request.query_params.get("is", ""))


async def invitation_page(request: Request, uri: str, typed: str = "", trouble: str = "") -> Response:
    """The page, with the word to the inviter that was `typed`. Raise `NotFound` for what is no invitation to them."""
    here: Instance = request.scope["instance"]
    visitor = await session.inhabitant(request)

    def read(db: Session) -> dict[str, Any]:
        return {
            **inside.insider(db, visitor, here.home),
            "path": "/projects",
            "asked": _asked(db, uri, visitor.uri, here),
            "typed": typed,
            "trouble": trouble,
        }

    return inside.page(request, "invited.html", await here.store.read(read), 422 if trouble else 200)


def _asked(db: Session, uri: str, me: str, here: Instance) -> Asked:
    row = db.scalar(invitations.called(uri).where(Invitation.invitee == me).limit(1))
    if row is None:
        raise NotFound("there is no such invitation to you")
    project = statements.find(db, row.project)
    is_open, is_in = row.is_open(here.now()), projects.role_of(db, row.project, me) is not None
    room = statements.room_of(db, project) if project and (is_open or is_in) else None
    members = [*room.members.values()] if room else []
    people = shown.people(db, [row.inviter, row.project, *(one.uri for one in members[:SHOWN])], here.home)
    named = tuple((people[one.uri], one.role) for one in members[:SHOWN])
    name = project.name if project else people[row.project].name
    return Asked(row, people[row.inviter], name, project, named, len(members) - len(named), is_open, is_in)


async def accept(request: Request) -> Response:
    """Come in; and to the project, or for a group of other software to all that one is in."""
    here: Instance = request.scope["instance"]
    sent = await session.form_of(request)
    visitor = await session.inhabitant(request)
    uri = text(sent, "invitation")

    try:
        await doing.done(request, sent, lambda tx: invitations.accept(tx, visitor.uri, uri))
    except doing.EXPECTED as error:
        return await invitation_page(request, uri, trouble=doing.in_words(error))
    asked = await here.store.read(lambda db: _asked(db, uri, visitor.uri, here))
    return inside.go(where(asked.row.project) if asked.is_in else "/projects")


async def decline(request: Request) -> Response:
    sent = await session.form_of(request)
    visitor = await session.inhabitant(request)
    uri, words = text(sent, "invitation"), text(sent, "text")
    try:
        await doing.done(request, sent, lambda tx: invitations.decline(tx, visitor.uri, uri, words))
    except doing.EXPECTED as error:
        return await invitation_page(request, uri, words, doing.in_words(error))
    return inside.go("/projects")


routes = [
    Route("/invitation", get_invitation, methods=["GET"]),
    Route("/invitation/accept", accept, methods=["POST"]),
    Route("/invitation/decline", decline, methods=["POST"]),
]
