"""Who stays out, and what is not heard: people whom somebody here blocks or mutes, and words they would rather miss."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from coop import blocks, mutes, operators
from coop.blocks import Block
from coop.errors import Trouble
from federation import discovery, ids
from federation.instance import Instance
from federation.store import Transaction
from federation.tables import Actor
from web import inside, session, shown
from web.doing import EXPECTED
from web.languages import N_, _, told
from web.session import text

LATEST = 50  # people on a page
LONGEST = 2_000  # characters of an address

MINE = {"/moderation": N_("People"), "/moderation/words": N_("Words")}
OF_ALL = {"/moderation/servers": N_("Servers"), "/moderation/reports": N_("Reports")}  # for whoever runs this one

ACTS: dict[str, Callable[[Transaction, str, str], None]] = {"block": blocks.block, "mute": mutes.mute}


def places(db: Session, account: int) -> dict[str, str]:
    """The pages that there are for an account, by their addresses."""
    return MINE | (OF_ALL if operators.runs_it(db, account) else {})


async def get_people(request: Request) -> Response:
    return await people(request)


async def people(request: Request, asked: str = "", trouble: str = "") -> Response:
    """Those who are blocked, the latest first, and those who are muted; `asked` was typed in vain."""
    here: Instance = request.scope["instance"]
    visitor = await session.inhabitant(request)
    before = ids.from_slug(request.query_params.get("before", ""))

    def read(db: Session) -> dict[str, Any]:
        query = select(Block).where(Block.by == visitor.uri).order_by(Block.id.desc())
        query = query if before is None else query.where(Block.id < before)
        rows = db.scalars(query.limit(LATEST + 1)).all()
        met = shown.people(db, {row.blocked for row in rows}, here.home)
        muted = db.scalars(mutes.listing(visitor.account.id).limit(LATEST * 4)).all() if before is None else []
        return {
            **inside.insider(db, visitor, here.home),
            "places": places(db, visitor.account.id),
            "blocked": [(met[row.blocked], row.since) for row in rows[:LATEST]],
            "older": ids.slug(rows[LATEST - 1].id) if len(rows) > LATEST else "",
            "muted": [shown.person(one, here.home) for one in muted],
            "first": before is None,
            "asked": asked,
            "trouble": trouble,
        }

    return inside.page(request, "moderation.html", await here.store.read(read), 422 if trouble else 200)


async def keep_out(request: Request) -> Response:
    """Block or mute somebody by their address, whichever button was pressed."""
    here: Instance = request.scope["instance"]
    sent = await session.form_of(request)
    visitor = await session.inhabitant(request)
    asked, act = text(sent, "asked").strip()[:LONGEST], ACTS.get(text(sent, "act"))
    try:
        if act is None:
            raise Trouble("say whether to block or to mute them")
        found = await discovery.lookup(here, asked)
        if not isinstance(found, Actor):
            raise Trouble("that is not somebody’s address, which looks like ada@attic.example")
        await discovery.completing(here, lambda tx: act(tx, visitor.uri, found.uri))
    except EXPECTED as error:
        return await people(request, asked, _("Nothing was done: %(why)s.") % {"why": told(error)})
    return inside.go("/moderation")


routes = [
    Route("/moderation", get_people, methods=["GET"]),
    Route("/moderation", keep_out, methods=["POST"]),
]
