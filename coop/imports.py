"""Archives that those who live here sent ahead, one of each: looked at first, and brought along when they say so.

The law: nothing is brought before whoever sent it has seen what it would be. Whatever is cut short begins anew, which
makes nothing twice; when it is over, only what became of it is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from coop.accounts import Account
from coop.arrivals import ARRIVALS
from coop.errors import Conflict, NotFound
from coop.events import Departed, listens
from federation.store import Transaction
from federation.tables import Row

IMPORTS = "imports"  # the topic
FOLDER = "arrived"  # beside that of uploads; in it they lie until they are brought along
MAX_SIZE = 8 * 1024**3  # octets: what some ten thousand pictures take
SPARE = 200 * 1024**2  # octets of the disk that are left free
State = Literal["looking", "looked", "bringing", "brought", "failed"]


class Import(Row):
    """What was sent, where it lies as long as it is needed, and what became of it so far."""

    __tablename__ = IMPORTS

    account: Mapped[int] = mapped_column(primary_key=True)
    file: Mapped[str]  # its name in the folder of those that arrived
    name: Mapped[str]  # as it is called by whoever sent it
    state: Mapped[State]
    since: Mapped[datetime]
    entries: Mapped[int]  # read so far
    brought: Mapped[dict[str, Any]]  # how many of what
    left_out: Mapped[dict[str, Any]]
    here_already: Mapped[int]  # posts
    error: Mapped[str]

    @property
    def is_busy(self) -> bool:
        return self.state in ("looking", "bringing")


def at(db: Session, account: int) -> Import | None:
    return db.get(Import, account)


def waiting(db: Session) -> list[Import]:
    """Those that are to be looked at or brought, the oldest first."""
    busy = Import.state.in_(("looking", "bringing"))
    return list(db.scalars(select(Import).where(busy).order_by(Import.since)))


def files(db: Session) -> set[str]:
    """The names of those that are still needed."""
    return {*db.scalars(select(Import.file).where(Import.state.in_(("looking", "looked", "bringing"))))}


def take_in(tx: Transaction, account: int, file: str, name: str) -> str | None:
    """Have an archive looked at, in place of any before, whose file is returned. Raise as `forget` does."""
    before = forget(tx, account)
    tx.add_new(Import, account=account, file=file, name=name, state="looking", since=tx.now, **_NOTHING)
    tx.wakes(IMPORTS)
    return before


def confirm(tx: Transaction, account: int) -> None:
    """Have it brought along. Raise `NotFound` if none was looked at."""
    row = at(tx.db, account)
    if row is None or row.state != "looked":
        raise NotFound("there is no archive to be brought along: send it first")
    row.state, row.entries, row.brought, row.left_out, row.here_already = "bringing", 0, {}, {}, 0
    tx.wakes(IMPORTS)


def forget(tx: Transaction, account: int) -> str | None:
    """Let go of it, and of what became of it; return its file. Raise `Conflict` while it is at work."""
    row = at(tx.db, account)
    if row is None:
        return None
    if row.is_busy:
        raise Conflict("your archive is at work: wait until it is done")
    tx.db.delete(row)
    tx.db.flush()
    return row.file


def note(
    tx: Transaction,
    account: int,
    *,
    entries: int | None = None,
    state: State | None = None,
    counted: tuple[Mapping[str, int], Mapping[str, int], int] | None = None,
    error: str = "",
) -> None:
    """How far it has got, or what became of it: how many of what were brought, left out, and were here already."""
    values: dict[str, Any] = {"error": error}
    values |= {} if entries is None else {"entries": entries}
    values |= {} if state is None else {"state": state}
    if counted is not None:
        values |= {"brought": {**counted[0]}, "left_out": {**counted[1]}, "here_already": counted[2]}
    tx.db.execute(update(Import).where(Import.account == account).values(values))
    tx.wakes(ARRIVALS)  # whoever looks at how far it is sees it


@listens(Departed)
def leave(tx: Transaction, event: Departed) -> None:
    theirs = select(Account.id).where(Account.uri == event.actor)
    tx.db.execute(delete(Import).where(Import.account.in_(theirs)))


_NOTHING: dict[str, Any] = {"entries": 0, "brought": {}, "left_out": {}, "here_already": 0, "error": ""}
