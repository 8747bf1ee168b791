"""A project as those who are in it see it: what is said there, who is in it, and what its leads decide."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from activitypub import html
from activitypub.statement import Role, Statement
from coop import faces, projects, vouchers
from coop.logins import Visitor
from coop.membership import INVITERS, WRITERS
from coop.projects import View
from federation import ids
from federation.instance import Instance
from federation.tables import Object
from web import inside, session, shown
from web.lines import lines
from web.pages.projects import where
from web.shown import Person
from web.writing import Words

LATEST = 20  # posts on a page
FIELDS = ("address", "role", "days", "text", "name", "public")
NOTHING: Mapping[str, str] = MappingProxyType(dict.fromkeys(FIELDS, ""))


@dataclass(frozen=True, slots=True)
class Place:
    """A project, as one of those who are or were in it sees it."""

    view: View
    role: Role | None
    members: tuple[tuple[Person, Role], ...]

    @property
    def reading(self) -> str:
        return where(self.view.project.uri)

    @property
    def leads(self) -> bool:
        return self.role == "lead"

    @property
    def may_write(self) -> bool:
        return self.role in WRITERS

    @property
    def may_invite(self) -> bool:
        return self.role in INVITERS


@dataclass(frozen=True, slots=True)
class Asked:
    """Somebody who is invited, or asks to be let in."""

    who: Person
    said: Statement


async def get_project(request: Request) -> Response:
    asked = request.query_params
    return await project_page(request, asked.get("is", ""), asked.get("show", ""))


async def project_page(
    request: Request,
    uri: str,
    show: str = "",
    typed: Mapping[str, str] = NOTHING,
    trouble: str = "",
    words: Words | None = None,
) -> Response:
    """One part of a project, with what was `typed` there, or the `words` in the box where one writes.

    Raise `NotFound` for whoever never was in it.
    """
    here: Instance = request.scope["instance"]
    visitor = await session.inhabitant(request)
    show = show if show in PARTS else "talk"

    def read(db: Session) -> dict[str, Any]:
        place = place_of(db, uri, visitor, here)
        return {
            **inside.insider(db, visitor, here.home),
            **PARTS[show](db, request, place, visitor),
            "path": "/projects",
            "room": place,
            "project": place.view.project,
            "show": show,
            "back": where(uri, "" if show == "talk" else show),
            "typed": typed,
            "trouble": trouble,
            "words": words or Words(visibility="project", project=uri),
        }

    status = 422 if trouble or (words and words.trouble) else 200
    return inside.page(request, f"project-{show}.html", await here.store.read(read), status)


def place_of(db: Session, uri: str, visitor: Visitor, here: Instance) -> Place:
    """Raise `NotFound` for whoever never was in it."""
    view = projects.show(db, uri, visitor.uri, here.now())
    people = shown.people(db, [one.uri for one in view.members], here.home)
    roles = {one.uri: one.role for one in view.members}
    role = None if view.kept else roles.get(visitor.uri)
    return Place(view, role, tuple((people[uri], roles[uri]) for uri in roles))


def _talk(db: Session, request: Request, place: Place, visitor: Visitor) -> dict[str, Any]:
    here: Instance = request.scope["instance"]
    before = ids.from_slug(request.query_params.get("before", ""))
    query = projects.talk(place.view.project.uri, place.view.kept)
    query = query if before is None else query.where(Object.id < before)
    rows = db.scalars(query.limit(LATEST + 1)).all()
    return {
        "lines": lines(db, rows[:LATEST], visitor.uri, here.home),
        "older": ids.slug(rows[LATEST - 1].id) if len(rows) > LATEST else "",
        "first": before is None,
    }


def _people(db: Session, request: Request, place: Place, visitor: Visitor) -> dict[str, Any]:
    here: Instance = request.scope["instance"]
    view, unsure = place.view, db.scalars(vouchers.unconfirmed(place.view.project.uri)).all()
    asked = [one.subject or "" for one in view.invitations] + [one.author for one in view.requests]
    people = shown.people(db, (*asked, *unsure), here.home)
    return {
        "invited": _asked(view.invitations, people, by_subject=True),
        "requests": _asked(view.requests, people, by_subject=False),
        "unsure": [people[uri] for uri in unsure],
    }


def _asked(said: Iterable[Statement], people: Mapping[str, Person], *, by_subject: bool) -> list[Asked]:
    return [Asked(people[(one.subject or "") if by_subject else one.author], one) for one in said]


def _settings(db: Session, request: Request, place: Place, visitor: Visitor) -> dict[str, Any]:
    project = place.view.project
    here: Instance = request.scope["instance"]
    return {
        "text": html.plain(project.summary),
        "is_here": faces.is_here(db, project),
        "face": shown.people(db, [project.face], here.home)[project.face],
    }


PARTS = {"talk": _talk, "people": _people, "settings": _settings}

routes = [Route("/project", get_project, methods=["GET"])]
