"""Spare codes: printed, kept in a drawer, each good for one login when password and devices are lost."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from coop.accounts import Account
from coop.events import Departed, listens
from federation.store import Transaction
from federation.tables import Row

NUMBER = 8
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that looks like another
GROUPS, LONG = 4, 4  # 79 bits: nobody guesses one, so a quick hash will do


class SpareCode(Row):
    """One that was not used yet, as its hash."""

    __tablename__ = "spare_codes"

    hash: Mapped[str] = mapped_column(primary_key=True)
    account: Mapped[int] = mapped_column(index=True)
    made: Mapped[datetime]


def new(tx: Transaction, account: int) -> list[str]:
    """New ones in place of all that there were. They are told this once."""
    codes = make()
    tx.db.execute(delete(SpareCode).where(SpareCode.account == account))
    keep(tx, account, codes)
    return codes


def make() -> list[str]:
    """Codes that are nobody's yet."""
    return ["-".join(_group() for _ in range(GROUPS)) for _ in range(NUMBER)]


def keep(tx: Transaction, account: int, codes: Sequence[str]) -> None:
    """Let each of `codes` be good for one login. The codes themselves are not kept."""
    tx.add_all_new(SpareCode, [{"hash": _hash(code), "account": account, "made": tx.now} for code in codes])


def is_one(db: Session, account: int, code: str) -> bool:
    """Whether it is one of theirs, and was not used."""
    return db.scalar(select(SpareCode.made).where(*_of(account, code))) is not None


def use(tx: Transaction, account: int, code: str) -> bool:
    """Whether it is one of theirs; from now on it is not."""
    return tx.db.execute(delete(SpareCode).where(*_of(account, code))).rowcount == 1  # type: ignore[attr-defined, no-any-return]


def left(db: Session, account: int) -> int:
    return db.scalar(select(func.count()).where(SpareCode.account == account)) or 0


@listens(Departed)
def forget(tx: Transaction, event: Departed) -> None:
    gone = select(Account.id).where(Account.uri == event.actor)
    tx.db.execute(delete(SpareCode).where(SpareCode.account.in_(gone)))


def _of(account: int, code: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return SpareCode.hash == _hash(code), SpareCode.account == account


def _group() -> str:
    return "".join(secrets.choice(LETTERS) for _ in range(LONG))


def _hash(code: str) -> str:
    """Of the letters alone: people leave hyphens out, and write capitals."""
    return hashlib.sha256("".join(one for one in code.lower() if one in LETTERS).encode()).hexdigest()
