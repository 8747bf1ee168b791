"""The engine room: what waits for whom, what could not be taken in, what is kept here, and whether all is well.

It is for whoever runs the server; of the rest who live here, each sees who holds their own mail.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from activitypub.nodeinfo import RELEASE
from activitypub.sentence import Sentence
from coop import backups, condition, operators, storage, visits, waking
from coop.errors import NotFound, Trouble
from federation import receipts, settling
from federation.instance import Instance
from federation.store import Transaction
from web import inside, session, shown
from web.languages import N_
from web.pages import buddies
from web.session import text

LANES = 50  # on a page
FAILED = 20  # the latest
MAX_DAYS = 60  # what others said, and one has missed
KINDS: dict[storage.Kind, str] = {
    "database": N_("The database: all that was said, and whom it knows"),
    "image": N_("Pictures"),
    "video": N_("Films"),
    "audio": N_("Sound"),
    "file": N_("Other files"),
    "mail": N_("Of the database, mail held for others while they sleep"),
}
THINGS = {
    "permissions": N_("Folder"),
    "disk": N_("Disk"),
    "database": N_("Database"),
    "database version": N_("Version of the database"),
    "writing": N_("Writing"),
    "keys": N_("Signing keys"),
    "backup": N_("Backup"),
    "delivery": N_("What goes to others"),
    "receipts": N_("What came from others"),
    "name": N_("Name"),
    "certificate": N_("Certificate"),
    "proxy": N_("Proxy"),
    "machine": N_("Way back"),
    "address": N_("Address"),
    "profile": N_("Profile"),
    "inbox": N_("Letterbox"),
    "clock": N_("Clock"),
}
STATES = {"well": N_("Well"), "look": N_("Look at this"), "must": N_("Something must be done")}


class Finding(Protocol):
    """What an examination found; its state is one of `STATES`."""

    @property
    def what(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def said(self) -> str: ...
    @property
    def todo(self) -> str: ...


async def get_engine(request: Request) -> Response:
    return await engine(request)


async def engine(
    request: Request, found: Sequence[Finding] = (), asked: str = "", trouble: str = "", keys: str = ""
) -> Response:
    """The page; with what was `found` when it was examined, whom they `asked` to hold their mail in vain, or why no new
    `keys` were made."""
    here: Instance = request.scope["instance"]
    visitor = await session.inhabitant(request)
    folder: Path | None = request.scope["media"]
    given = request.query_params.get("from", "")
    skip = int(given[:6]) if given.isdecimal() and given.isascii() else 0

    def read(db: Session) -> dict[str, Any]:
        runs_it = operators.runs_it(db, visitor.account.id)
        return {
            **inside.insider(db, visitor, here.home),
            **(_machine(db, here, skip) if runs_it else {}),
            "runs_it": runs_it,
            "keepers": buddies.keepers(db, visitor.uri, here.home),
            "asked": asked,
            "trouble": trouble,
            "keys": keys,
            "done": request.query_params.get("done", "") if not (trouble or keys) else "",
            "to_ask": sum(visits.left(db).values()) if runs_it else 0,
            "found": found,
            "states": STATES,
            "things": THINGS,
            "may_examine": request.scope["examine"] is not None,
            "free": shutil.disk_usage(folder.parent).free if folder and folder.parent.exists() else None,
        }

    return inside.page(request, "engine.html", await here.store.read(read), 422 if trouble or keys else 200)


def _machine(db: Session, here: Instance, skip: int) -> dict[str, Any]:
    lanes = condition.lanes(db, LANES + 1, skip)
    failed, saved = condition.failed(db, FAILED), backups.last(db)
    people = shown.people(db, {one.actor for one in failed}, here.home)
    return {
        "lanes": lanes[:LANES],
        "more": skip + LANES if len(lanes) > LANES else 0,
        "failed": [(one, people[one.actor]) for one in failed],
        "saved": saved,
        "is_old": saved is not None and saved.at < here.now() - backups.OLD,
        "shelves": [(KINDS[one.kind], one) for one in storage.shelves(db)],
        "release": RELEASE,
    }


async def wake(request: Request) -> Response:
    """Try a server again at once."""
    host = text(await inside.from_operator(request), "host").lower()
    await _does(
        request, lambda tx: settling.wake(tx, host), Sentence("nothing waits for %(host)s any more", host=host[:200])
    )
    return inside.go("/engine")


async def replay(request: Request) -> Response:
    """Try again what could not be taken in: one, or without a number all of it."""
    sent = await inside.from_operator(request)
    number = _number(text(sent, "receipt")) if text(sent, "receipt") else None
    await _does(request, lambda tx: receipts.replay(tx, number), "there is nothing of that to be tried again")
    return inside.go("/engine")


async def drop(request: Request) -> Response:
    number = _number(text(await inside.from_operator(request), "receipt"))
    await _does(request, lambda tx: receipts.drop(tx, number), "that is not there any more")
    return inside.go("/engine")


async def catch_up(request: Request) -> Response:
    """Have everybody asked what they said in the last days, as is done by itself after a sleep."""
    here: Instance = request.scope["instance"]
    typed = text(await inside.from_operator(request), "days")
    days = int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 4 else 0
    if not 1 <= days <= MAX_DAYS:
        raise Trouble("name one to %(most)s days", most=MAX_DAYS)
    await here.store.write(lambda tx: waking.wake(tx, tx.now - timedelta(days=days)))
    return inside.go("/engine?done=asked#back")


async def examine(request: Request) -> Response:
    """As ``boxroom doctor`` does, which takes a while."""
    await inside.from_operator(request)
    look = request.scope["examine"]
    if look is None:
        raise NotFound("nothing can be examined here; on the machine, `boxroom doctor` can")
    return await engine(request, await look())


async def _does(request: Request, act: Callable[[Transaction], object], nothing: str) -> None:
    """Raise `NotFound` with those words if it comes to nothing."""
    here: Instance = request.scope["instance"]

    def do(tx: Transaction) -> None:
        if not act(tx):
            raise NotFound(nothing)

    await here.store.write(do)


def _number(typed: str) -> int:
    if not (typed.isascii() and typed.isdecimal() and len(typed) <= 18):
        raise NotFound("that is not there any more")
    return int(typed)


routes = [
    Route("/engine", get_engine, methods=["GET"]),
    Route("/engine/wake", wake, methods=["POST"]),
    Route("/engine/replay", replay, methods=["POST"]),
    Route("/engine/drop", drop, methods=["POST"]),
    Route("/engine/catch-up", catch_up, methods=["POST"]),
    Route("/engine/examine", examine, methods=["POST"]),
]
