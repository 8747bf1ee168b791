"""The projects that somebody is in, was in, is invited to, or would like to be let into; and a new one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from activitypub.statement import Role
from coop import accounts, invitations, joining, keepsakes, projects, statements
from coop.admission import Invitation
from coop.statements import Membership, Project
from federation import ids
from federation.instance import Instance
from web import doing, inside, session, shown
from web.session import text
from web.shown import Person

LATEST = 30  # projects on a page
WAITING = 20  # invitations
ASKED = 2  # projects of which it is looked up who asks to be let in
FIELDS = ("name", "text", "public")


@dataclass(frozen=True, slots=True)
class Listed:
    """A project of somebody's, or one that they were in until then."""

    project: Project
    role: Role | None
    people: int
    until: datetime | None

    @property
    def reading(self) -> str:
        return where(self.project.uri)


@dataclass(frozen=True, slots=True)
class Letter:
    """An invitation, by whom, and into what as far as that is known here."""

    row: Invitation
    by: Person
    name: str

    @property
    def reading(self) -> str:
        return f"/invitation?is={quote(self.row.uri, safe='')}"


def where(uri: str, show: str = "") -> str:
    """Where a project, or a part of it, is shown to who is in it."""
    return f"/project?is={quote(uri, safe='')}" + (f"&show={show}" if show else "")


# --- All of them ---------------------------------------------------------------------------------------------------


async def get_projects(request: Request) -> Response:
    return await projects_page(request)


async def projects_page(request: Request, asked: str = "", trouble: str = "") -> Response:
    """The page, with what was `asked` for in the box where one asks to be let in, and why it cannot be."""
    here: Instance = request.scope["instance"]
    visitor = await session.inhabitant(request)
    left = request.query_params.get("show") == "left"
    before, me = ids.from_slug(request.query_params.get("before", "")), visitor.uri

    def read(db: Session) -> dict[str, Any]:
        found = _left(db, me, before) if left else _mine(db, me, before)
        return {
            **inside.insider(db, visitor, here.home),
            "path": "/projects",
            "listed": [one for one, _ in found[:LATEST]],
            "older": ids.slug(found[LATEST - 1][1]) if len(found) > LATEST else "",
            "letters": [] if left or before else _letters(db, me, here),
            "requests": [] if left or before else _requests(db, me, here.now()),
            "left": left,
            "done": request.query_params.get("done", "") == "asked",
            "asked": asked,
            "trouble": trouble,
        }

    return inside.page(request, "projects.html", await here.store.read(read), 422 if trouble else 200)


def _mine(db: Session, me: str, before: int | None) -> list[tuple[Listed, int]]:
    query = projects.projects_of(me)
    query = query if before is None else query.where(Project.id < before)
    rows = db.scalars(query.limit(LATEST + 1)).all()
    mine = select(Membership.project, Membership.role).where(Membership.member == me)
    roles = dict(db.execute(mine.where(Membership.project.in_(_uris(rows)))).all())
    people = _people(db, rows)
    return [(Listed(one, roles[one.uri], people[one.uri], None), one.id) for one in rows]


def _left(db: Session, me: str, before: int | None) -> list[tuple[Listed, int]]:
    query = keepsakes.kept_by(me).add_columns(keepsakes.Keepsake)
    query = query if before is None else query.where(keepsakes.Keepsake.id < before)
    return [(Listed(row[0], None, 0, row[1].since), row[1].id) for row in db.execute(query.limit(LATEST + 1))]


def _people(db: Session, rows: Sequence[Project]) -> dict[str, int]:
    """How many are in each."""
    count = select(Membership.project, func.count()).where(Membership.project.in_(_uris(rows)))
    return dict(db.execute(count.group_by(Membership.project)).all())


def _uris(rows: Sequence[Project]) -> list[str]:
    return [one.uri for one in rows]


def _letters(db: Session, me: str, here: Instance) -> list[Letter]:
    rows = db.scalars(invitations.invitations_for(me, here.now()).limit(WAITING)).all()
    people = shown.people(db, {uri for one in rows for uri in (one.inviter, one.project)}, here.home)
    names = select(Project.uri, Project.name).where(Project.uri.in_([one.project for one in rows]))
    known = dict(db.execute(names).all())
    return [Letter(one, people[one.inviter], known.get(one.project) or people[one.project].name) for one in rows]


def _requests(db: Session, me: str, now: datetime) -> list[tuple[Project, int]]:
    """How many ask to be let into what one leads, where somebody did last."""
    led = db.scalars(joining.asked_of(me).limit(ASKED)).all()
    counted = [(one, len(projects.requests(statements.room_of(db, one), now))) for one in led]
    return [(one, number) for one, number in counted if number]


async def ask(request: Request) -> Response:
    """Ask to be let into a project, by its address or its link."""
    here: Instance = request.scope["instance"]
    sent = await session.form_of(request)
    visitor = await session.inhabitant(request)
    asked = text(sent, "asked").strip()
    try:
        place = await doing.somebody(here, asked)
        await doing.done(request, sent, lambda tx: joining.ask(tx, visitor.uri, place.uri))
    except doing.EXPECTED as error:
        return await projects_page(request, asked, doing.in_words(error))
    return inside.go("/projects?done=asked")


# --- A new one -----------------------------------------------------------------------------------------------------


async def get_new(request: Request) -> Response:
    return await new_page(request, dict.fromkeys(FIELDS, ""))


async def new_page(request: Request, typed: dict[str, str], trouble: str = "") -> Response:
    here: Instance = request.scope["instance"]
    visitor = await session.inhabitant(request)
    mine = await here.store.read(lambda db: inside.insider(db, visitor, here.home))
    values = {**mine, "path": "/projects", "typed": typed, "trouble": trouble}
    return inside.page(request, "new-project.html", values, 422 if trouble else 200)


async def create(request: Request) -> Response:
    sent = await session.form_of(request)
    visitor = await session.inhabitant(request)
    typed = {name: text(sent, name) for name in FIELDS}
    said = (typed["name"], typed["text"])
    pair = await asyncio.to_thread(accounts.new_keys)
    try:
        uri = await doing.done(
            request,
            sent,
            lambda tx: projects.create(tx, visitor.uri, *said, pair, public=bool(typed["public"])).uri,
        )
    except doing.EXPECTED as error:
        return await new_page(request, typed, doing.in_words(error))
    return inside.go(where(uri))


routes = [
    Route("/projects", get_projects, methods=["GET"]),
    Route("/projects/ask", ask, methods=["POST"]),
    Route("/projects/new", get_new, methods=["GET"]),
    Route("/projects/new", create, methods=["POST"]),
]
