"""Passkeys: what a device signs with to say who logs in. The private half never leaves the device."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from coop.accounts import Account
from coop.errors import Conflict, NotFound, Trouble
from coop.events import Departed, listens
from federation.store import Transaction
from federation.tables import Row

MAX = 20  # of one account
MAX_NAME = 60  # characters


class Passkey(Row):
    """One device, or one of the keychains that several share."""

    __tablename__ = "passkeys"

    id: Mapped[str] = mapped_column(primary_key=True)  # the credential's, in base64url
    account: Mapped[int] = mapped_column(index=True)
    public: Mapped[bytes]  # in COSE
    count: Mapped[int]  # of signatures, as far as the device counts them
    name: Mapped[str]
    made: Mapped[datetime]
    used: Mapped[datetime | None] = mapped_column(default=None)


def add(tx: Transaction, account: int, id_: str, public: bytes, count: int, name: str) -> None:
    """Raise `Trouble` for one too many, `Conflict` if it is somebody's already."""
    if (tx.db.scalar(select(func.count()).where(Passkey.account == account)) or 0) >= MAX:
        raise Trouble("%(most)s passkeys are enough: take one away first", most=MAX)
    name = " ".join(name.split())[:MAX_NAME] or "A device"
    if not tx.add_new(Passkey, id=id_, account=account, public=public, count=count, name=name, made=tx.now, used=None):
        raise Conflict("that passkey is known here already")


def find(db: Session, id_: str) -> Passkey:
    """One of somebody who may log in. Raise `NotFound`."""
    usable = select(Passkey).join(Account, Account.id == Passkey.account).where(~Account.suspended)
    found = db.scalar(usable.where(Passkey.id == id_))
    if found is None:
        raise NotFound("that passkey is not known here: log in with your password, and add it in the settings")
    return found


def was_used(tx: Transaction, id_: str, count: int) -> None:
    row = tx.db.get(Passkey, id_)
    if row is not None:
        row.count, row.used = count, tx.now


def take_away(tx: Transaction, account: int, id_: str) -> None:
    tx.db.execute(delete(Passkey).where(Passkey.id == id_, Passkey.account == account))


def of(db: Session, account: int) -> Sequence[Passkey]:
    return db.scalars(select(Passkey).where(Passkey.account == account).order_by(Passkey.made)).all()


@listens(Departed)
def forget(tx: Transaction, event: Departed) -> None:
    gone = select(Account.id).where(Account.uri == event.actor)
    tx.db.execute(delete(Passkey).where(Passkey.account.in_(gone)))
