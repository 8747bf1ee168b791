"""Whole servers that nothing is taken from and nothing is sent to: for whoever runs this one, with the common list."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from coop import blocks, lists, operators
from coop.errors import Trouble
from coop.lists import Kind, Luggage
from federation.instance import Instance
from federation.store import Transaction
from federation.tables import BlockedDomain
from web import inside, session
from web.languages import _, told
from web.pages import moderation
from web.session import text

LATEST = 100  # servers on a page
SOME = 50  # in one transaction


async def get_servers(request: Request) -> Response:
    return await servers(request)


async def servers(request: Request, typed: tuple[str, str] = ("", ""), trouble: str = "") -> Response:
    """The list, by name; with what was `typed` in vain."""
    here: Instance = request.scope["instance"]
    visitor = await session.inhabitant(request)
    after = request.query_params.get("after", "")

    def read(db: Session) -> dict[str, Any]:
        operators.check(db, visitor.account.id)
        query = select(BlockedDomain).where(BlockedDomain.host > after).order_by(BlockedDomain.host)
        rows = db.scalars(query.limit(LATEST + 1)).all()
        return {
            **inside.insider(db, visitor, here.home),
            "places": moderation.places(db, visitor.account.id),
            "servers": rows[:LATEST],
            "number": db.scalar(select(func.count()).select_from(BlockedDomain)),
            "more": rows[LATEST - 1].host if len(rows) > LATEST else "",
            "typed": typed,
            "trouble": trouble,
            "done": request.query_params.get("done", "")[:6],
        }

    return inside.page(request, "servers.html", await here.store.read(read), 422 if trouble else 200)


async def block(request: Request) -> Response:
    sent = await inside.from_operator(request)
    typed = text(sent, "host").strip()[:300], text(sent, "reason").strip()[:300]
    try:
        await _write(request, lambda tx: blocks.block_domain(tx, *typed))
    except Trouble as error:
        return await servers(request, typed, _("Nothing was done: %(why)s.") % {"why": told(error)})
    return inside.go("/moderation/servers")


async def unblock(request: Request) -> Response:
    host = text(await inside.from_operator(request), "host")
    await _write(request, lambda tx: blocks.unblock_domain(tx, host))
    return inside.go("/moderation/servers")


async def bring(request: Request) -> Response:
    """Block all the servers of a list; those that are blocked already stay as they are."""
    sent = await inside.from_operator(request)
    try:
        luggage = await uploaded(sent, "servers")
    except Trouble as error:
        return await servers(request, trouble=_("Nothing was done: %(why)s.") % {"why": told(error)})
    finally:
        await sent.close()
    for first in range(0, len(luggage.names), SOME):
        await _write(request, partial(_block_some, luggage, luggage.names[first : first + SOME]))
    return inside.go(f"/moderation/servers?done={len(luggage.names)}")


async def uploaded(sent: FormData, kind: Kind | None) -> Luggage:
    """The list that was chosen. Raise `Trouble` if there is none in it, or as `lists.parse` does."""
    file = sent.get("file")
    if not isinstance(file, UploadFile) or not file.filename:
        raise Trouble("choose a file first: a list that Mastodon exports, or one with a name in each line")
    return lists.parse(file.filename[-100:], await file.read(), kind)


def _block_some(luggage: Luggage, names: Sequence[str], tx: Transaction) -> None:
    for name in names:
        blocks.block_domain(tx, name, luggage.reasons.get(name, ""))


async def take_along(request: Request) -> Response:
    """The list as a file."""
    here: Instance = request.scope["instance"]
    visitor = await session.inhabitant(request)

    def read(db: Session) -> str:
        operators.check(db, visitor.account.id)
        return lists.servers(db)

    return as_file(await here.store.read(read), "blocked_domains.csv")


def as_file(content: str, name: str) -> Response:
    headers = {**inside.PRIVATE, "Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, headers=headers, media_type="text/csv")


async def _write(request: Request, work: Callable[[Transaction], object]) -> None:
    here: Instance = request.scope["instance"]
    await here.store.write(work)


routes = [
    Route("/moderation/servers", get_servers, methods=["GET"]),
    Route("/moderation/servers", block, methods=["POST"]),
    Route("/moderation/servers/lift", unblock, methods=["POST"]),
    Route("/moderation/servers/list", bring, methods=["POST"]),
    Route("/moderation/servers.csv", take_along, methods=["GET"]),
]
