"""Lists that somebody brings along from elsewhere: whom they follow or block is looked up one by one, meanwhile.

The law: what was taken in is on the disk before anybody is told so, and each name leaves the list once it is done. One
that cannot be had stays with the reason, for whoever brought it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby

from sqlalchemy import ColumnElement, Select, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from activitypub.errors import ProtocolError
from coop import blocks, follows
from coop.accounts import Account
from coop.errors import Trouble
from coop.events import Departed, listens
from coop.lists import Kind, Luggage
from federation import discovery
from federation.client import Gone, Unreachable
from federation.instance import Instance
from federation.registry import errand
from federation.store import Transaction
from federation.tables import Actor, Row, partial

EVERY = timedelta(seconds=10)
SOME = 24  # names in one turn, each of which may take several requests
TRIES = 5  # the first again after an hour, the last after eight
SILENT = timedelta(hours=1)
AT_ONCE = 200  # rows in one statement


class Brought(Row):
    """A name on a list that has not been followed or blocked yet; `due` is ``None`` once it is given up."""

    __tablename__ = "luggage"
    __table_args__ = (partial("due", where="due IS NOT NULL"),)

    account: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[Kind] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)  # ``ada@attic.example``
    due: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None] = mapped_column(default=None)


def take_in(tx: Transaction, account: int, luggage: Luggage) -> None:
    """Remember all of a list of people; what was given up before is tried anew. Raise `Trouble` for one of servers."""
    if luggage.kind == "servers":
        raise Trouble("that is a list of servers, which whoever runs this one brings under Who stays out")
    fresh = {"due": tx.now, "tries": 0, "error": None}
    for first in range(0, len(luggage.names), AT_ONCE):
        some = luggage.names[first : first + AT_ONCE]
        rows = [{"account": account, "kind": luggage.kind, "name": name, **fresh} for name in some]
        insert = tx.insert(Brought).values(rows)
        tx.db.execute(insert.on_conflict_do_update(index_elements=["account", "kind", "name"], set_=fresh))


def forget_failed(tx: Transaction, account: int) -> None:
    tx.db.execute(delete(Brought).where(Brought.account == account, Brought.due.is_(None)))


def left(db: Session, account: int) -> int:
    """How many names still wait for their turn."""
    waiting = select(func.count()).where(Brought.account == account, Brought.due.is_not(None))
    return db.scalar(waiting) or 0


def failed(account: int) -> Select[Brought]:
    given_up = select(Brought).where(Brought.account == account, Brought.due.is_(None))
    return given_up.order_by(Brought.kind, Brought.name)


@errand(EVERY)
async def go(here: Instance) -> None:
    """Ask for some of those that are due: of each server one after the other, since a silent one is not asked again."""
    due = select(Brought, Account.uri).join(Account, Account.id == Brought.account).where(Brought.due <= here.now())
    some = await here.store.read(
        lambda db: [(row, uri) for row, uri in db.execute(due.order_by(Brought.due, Brought.name).limit(SOME))]
    )
    by_server = groupby(sorted(some, key=lambda one: _server(one[0])), key=lambda one: _server(one[0]))
    await asyncio.gather(*(_of_server(here, [*theirs]) for _, theirs in by_server))


async def _of_server(here: Instance, some: Sequence[tuple[Brought, str]]) -> None:
    silent = ""
    for row, account in some:
        try:
            if silent:
                raise Unreachable(silent)  # noqa: TRY301 - as it would be, after another half minute
            await _do(here, row, account)
        except Unreachable as error:
            silent = str(error)
            await _put_off(here, row, silent, may_be_there_later=True)
        except (Trouble, ProtocolError, Gone) as error:
            await _put_off(here, row, str(error), may_be_there_later=False)


async def _do(here: Instance, row: Brought, account: str) -> None:
    found = await discovery.lookup(here, f"@{row.name}")
    if not isinstance(found, Actor):
        raise Trouble("that is nobody")

    def act(tx: Transaction) -> None:
        if row.kind == "blocks":
            blocks.block(tx, account, found.uri)
        elif follows.find(tx.db, account, found.uri) is None:
            follows.follow(tx, account, found.uri)
        tx.db.execute(delete(Brought).where(*_itself(row)))

    await discovery.completing(here, act)


async def _put_off(here: Instance, row: Brought, reason: str, *, may_be_there_later: bool) -> None:
    def note(tx: Transaction) -> None:
        kept = tx.db.scalar(select(Brought).where(*_itself(row)))
        if kept is not None:
            kept.tries, kept.error = kept.tries + 1, reason
            again = may_be_there_later and kept.tries < TRIES
            kept.due = tx.now + SILENT * 2 ** (kept.tries - 1) if again else None
            tx.db.flush()

    await here.store.write(note)


def _itself(row: Brought) -> tuple[ColumnElement[bool], ...]:
    return Brought.account == row.account, Brought.kind == row.kind, Brought.name == row.name


def _server(row: Brought) -> str:
    return row.name.rpartition("@")[2]


@listens(Departed)
def forget(tx: Transaction, event: Departed) -> None:
    gone = select(Account.id).where(Account.uri == event.actor)
    tx.db.execute(delete(Brought).where(Brought.account.in_(gone)))
