"""Who is in a project, and what it says of itself: what its leads and members decide about that, by forms."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import get_args

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from activitypub import html
from activitypub.statement import Role
from coop import accounts, faces, invitations, joining, projects
from coop.errors import Trouble
from federation.store import Transaction
from web import doing, inside, session
from web.languages import _
from web.pages.project import FIELDS, project_page
from web.pages.projects import where
from web.session import text

ROLES: dict[str, Role] = {one: one for one in get_args(Role)}

Act = Callable[[Transaction, str, str, FormData], object]  # by whom, in which project, what was sent


def decides(act: Act, show: str) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint that does this in the project which the form names, and goes back to the part that it is in."""

    async def endpoint(request: Request) -> Response:
        sent = await session.form_of(request)
        visitor = await session.inhabitant(request)
        uri = text(sent, "project")
        try:
            await doing.done(request, sent, lambda tx: act(tx, visitor.uri, uri, sent))
        except doing.EXPECTED as error:
            return await _again(request, sent, show, error)
        return inside.go(where(uri, show))

    return endpoint


async def _again(request: Request, sent: FormData, show: str, error: Exception) -> Response:
    typed = {name: text(sent, name) for name in FIELDS}
    return await project_page(request, text(sent, "project"), show, typed, doing.in_words(error))


# --- Who is in it --------------------------------------------------------------------------------------------------


async def invite(request: Request) -> Response:
    """Ask somebody in, by their address on any server."""
    sent = await session.form_of(request)
    visitor = await session.inhabitant(request)
    uri = text(sent, "project")
    try:
        terms = role_in(sent), text(sent, "text"), timedelta(days=_days(sent))
        other = await doing.somebody(request.scope["instance"], text(sent, "address"))
        await doing.done(request, sent, lambda tx: invitations.invite(tx, visitor.uri, uri, other.uri, *terms).id)
    except doing.EXPECTED as error:
        return await _again(request, sent, "people", error)
    return inside.go(where(uri, "people"))


def role_in(sent: FormData) -> Role:
    role = ROLES.get(text(sent, "role"))
    if role is None:
        raise Trouble(_("say as what they would be in it"))
    return role


def _days(sent: FormData) -> int:
    typed = text(sent, "days").strip()
    if not typed.isdecimal() or len(typed) > 3:
        raise Trouble(_("say for how many days it is open, such as 30"))
    return int(typed)


def _withdraw(tx: Transaction, me: str, uri: str, sent: FormData) -> None:
    invitations.withdraw(tx, me, uri, text(sent, "invitation"))


def _let_in(tx: Transaction, me: str, uri: str, sent: FormData) -> None:
    joining.accept(tx, me, uri, text(sent, "request"), role_in(sent))


def _turn_down(tx: Transaction, me: str, uri: str, sent: FormData) -> None:
    joining.decline(tx, me, uri, text(sent, "request"))


def _give_role(tx: Transaction, me: str, uri: str, sent: FormData) -> None:
    projects.give_role(tx, me, uri, text(sent, "member"), role_in(sent))


def _remove(tx: Transaction, me: str, uri: str, sent: FormData) -> None:
    projects.remove(tx, me, uri, text(sent, "member"))


def _leave(tx: Transaction, me: str, uri: str, sent: FormData) -> None:
    projects.leave(tx, me, uri)


# --- What it says of itself ----------------------------------------------------------------------------------------


def _edit(tx: Transaction, me: str, uri: str, sent: FormData) -> None:
    """What was left as it stood is not said anew: as it stood in the form, it had lost its links and its emphasis."""
    project = projects.led(tx.db, me, uri)
    name, words, public = text(sent, "name").strip(), text(sent, "text"), bool(text(sent, "public"))
    said = (
        None if name == project.name else name,
        None if words.strip() == html.plain(project.summary) else words,
        None if public == project.public else public,
    )
    if said != (None, None, None):
        projects.edit(tx, me, uri, said[0], said[1], public=said[2])


async def move(request: Request) -> Response:
    """Have what others follow of it on this server."""
    sent = await session.form_of(request)
    visitor = await session.inhabitant(request)
    uri = text(sent, "project")
    pair = await asyncio.to_thread(accounts.new_keys)
    try:
        await doing.done(request, sent, lambda tx: faces.move(tx, visitor.uri, uri, pair))
    except doing.EXPECTED as error:
        return await _again(request, sent, "settings", error)
    return inside.go(where(uri, "settings"))


routes = [
    Route("/project/invite", invite, methods=["POST"]),
    Route("/project/withdraw", decides(_withdraw, "people"), methods=["POST"]),
    Route("/project/let-in", decides(_let_in, "people"), methods=["POST"]),
    Route("/project/turn-down", decides(_turn_down, "people"), methods=["POST"]),
    Route("/project/role", decides(_give_role, "people"), methods=["POST"]),
    Route("/project/remove", decides(_remove, "people"), methods=["POST"]),
    Route("/project/leave", decides(_leave, ""), methods=["POST"]),
    Route("/project/edit", decides(_edit, "settings"), methods=["POST"]),
    Route("/project/move", move, methods=["POST"]),
]
