"""Whom somebody here does not want to hear for a while: they are in no feed and no news of theirs. Nobody is told."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, exists, or_, select
from sqlalchemy.orm import Mapped, mapped_column

from coop import accounts
from coop.accounts import Account
from coop.errors import NotFound, Trouble
from coop.events import Departed, listens
from federation import known
from federation.store import Transaction
from federation.tables import Actor, Row


class Mute(Row):
    """Every relation stays: they may follow each other, and what is written is there when the mute is lifted."""

    __tablename__ = "mutes"

    account: Mapped[int] = mapped_column(primary_key=True)
    muted: Mapped[str] = mapped_column(primary_key=True, index=True)
    since: Mapped[datetime]


def mute(tx: Transaction, account: str, actor: str) -> None:
    """Hear nothing of `actor`. Nobody is told. Raise `known.Missing` for a stranger."""
    if account == actor:
        raise Trouble("you cannot mute yourself")
    known.actor(tx.db, actor)
    row = {"account": accounts.numbers(tx.db)[account], "muted": actor, "since": tx.now}
    tx.db.execute(tx.insert(Mute).values(row).on_conflict_do_nothing())


def unmute(tx: Transaction, account: str, actor: str) -> None:
    """Raise `NotFound` if `account` does not mute that actor."""
    one = (Mute.account == accounts.numbers(tx.db)[account], Mute.muted == actor)
    if not tx.db.execute(delete(Mute).where(*one)).rowcount:  # type: ignore[attr-defined]
        raise NotFound("you do not mute them")


def hides(account: Any, *by: Any) -> ColumnElement[bool]:
    """Whether an account, a number or a column, mutes one of those whose URIs are in the columns `by`."""
    return exists().where(Mute.account == account, or_(*(Mute.muted == one for one in by)))


def listing(account: int) -> Select[Actor]:
    """Whom an account mutes, by name."""
    mutes = select(Actor).join(Mute, Mute.muted == Actor.uri)
    return mutes.where(Mute.account == account).order_by(Actor.name, Actor.uri)


@listens(Departed)
def forget(tx: Transaction, event: Departed) -> None:
    gone = select(Account.id).where(Account.uri == event.actor)
    tx.db.execute(delete(Mute).where(or_(Mute.account.in_(gone), Mute.muted == event.actor)))
