"""Who is in a project, and its log, for those who may know (P-250, P-254)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from activitypub.document import Json
from coop import projects, statements
from coop.statements import Entry, Membership, Project
from federation import ids
from federation.instance import Instance
from web.collections import Listing, answer
from web.documents import FOR_ALL, FOR_ONE, NOT_HERE
from web.readers import reader_of


async def get_members(request: Request) -> Response:
    """Who is in a project, for its members and, if it is public, for anybody; else only how many they are."""
    here: Instance = request.scope["instance"]
    uri = here.home + request.url.path
    reader = await reader_of(request.scope)

    def read(db: Session) -> tuple[Project | None, bool]:
        project = db.scalar(select(Project).where(Project.members == uri))
        return project, project is not None and _may_see_members(db, project, reader)

    project, allowed = await here.store.read(read)
    if project is None:
        raise HTTPException(404, NOT_HERE)
    query = select(Membership.id, Membership.member).where(Membership.project == project.uri)
    listing = Listing(query, Membership.id, hidden=not allowed)
    return await answer(request, listing, FOR_ALL if project.public else FOR_ONE)


def _may_see_members(db: Session, project: Project, reader: str | None) -> bool:
    return project.public or (reader is not None and projects.role_of(db, project.uri, reader) is not None)


async def get_log(request: Request) -> Response:
    """Our copy of a project's log: whole statements, the oldest first, since later ones come after them."""
    here: Instance = request.scope["instance"]
    uri, slug = here.home + request.url.path, request.path_params["id"]
    reader = await reader_of(request.scope)

    def read(db: Session) -> Project | None:
        same = (Project.log == uri) | (Project.id == ids.from_slug(slug))
        project = db.scalar(select(Project).where(same))
        return project if project and reader and _may_read_log(db, project, reader, here.now()) else None

    project = await here.store.read(read)
    if project is None or statements.replica_of(here.home, project) != uri:
        raise HTTPException(404, NOT_HERE)
    query = statements.log(project.uri).with_only_columns(Entry.id, Entry.document)
    return await answer(request, Listing(query, Entry.id, _statement, oldest_first=True, from_end=True), FOR_ONE)


def _may_read_log(db: Session, project: Project, reader: str, now: datetime) -> bool:
    """Its members, and whoever is invited, to see who invites them to what, as long as they may accept."""
    if projects.role_of(db, project.uri, reader) is not None:
        return True
    return any(one.subject == reader for one in statements.room_of(db, project).invitations_at(now))


def _statement(row: Sequence[Any]) -> Json:
    document: Json = row[1]
    return document


routes = [Route("/projects/{id}/members", get_members), Route("/projects/{id}/log", get_log)]
