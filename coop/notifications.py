"""What needs somebody's attention here: written down when it happens, the latest first, never without bound."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import Index, Select, UniqueConstraint, bindparam, delete, func, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from coop import accounts, blocks, mutes
from coop.accounts import Account
from coop.events import Blocked, Departed, Erased, Kind, Notice, listens
from federation import ids
from federation.prepared import Prepared
from federation.registry import chore
from federation.store import Transaction
from federation.tables import Row, partial

KEPT = 2_000  # for each account; the oldest give way, or a crowd of strangers could fill the disk
MANY = 100  # unread ones are counted up to here


class Notification(Row):
    """Something that concerns an account, once, however often it happens."""

    __tablename__ = "notifications"
    __table_args__ = (
        UniqueConstraint("about", "by", "kind", "account"),  # in the order in which it is also searched
        Index(None, "account", "id"),
        partial("account", where="read IS NULL"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account: Mapped[int]
    kind: Mapped[Kind]
    by: Mapped[str]
    about: Mapped[str]  # the URI of the object or the actor; empty if it is about neither
    at: Mapped[datetime]
    read: Mapped[datetime | None] = mapped_column(default=None)


_MENTIONING = ("endorsement", "endorsement request")  # posts: whom they mention needs to be told but once
_FORGET = Prepared(
    delete(Notification).where(Notification.about == bindparam("of"), Notification.kind != "endorsement revoked")
)


@listens(Notice)
def note(tx: Transaction, event: Notice) -> None:
    """Write it down, unless it comes from somebody with whom there is a block (P-322)."""
    account = accounts.numbers(tx.db).get(event.to)
    if account is None or event.by == event.to or blocks.exists(tx.db, event.to, event.by):
        return
    about = {"kind": event.kind, "by": event.by, "about": event.about or ""}
    if event.kind in _MENTIONING:
        told = (Notification.account == account, Notification.kind == "mention", Notification.about == event.about)
        tx.db.execute(delete(Notification).where(*told))
    tx.add_new(Notification, id=ids.new(tx.now), account=account, at=tx.now, **about)


@chore(timedelta(minutes=10))
def forget_oldest(tx: Transaction) -> bool:
    for account in accounts.numbers(tx.db).values():
        newest = select(Notification.id).where(Notification.account == account).order_by(Notification.id.desc())
        last = tx.db.scalar(newest.offset(KEPT).limit(1))
        if last is not None:
            tx.db.execute(delete(Notification).where(Notification.account == account, Notification.id <= last))
    return False


def mark_read(tx: Transaction, account: int, until: int, kinds: Collection[Kind] = ()) -> None:
    """Everything up to the notification `until` was seen, or all of some kinds."""
    seen = [Notification.account == account, Notification.id <= until, Notification.read.is_(None)]
    seen += [Notification.kind.in_(kinds)] if kinds else []
    tx.db.execute(update(Notification).where(*seen).values(read=tx.now))


@listens(Blocked)
def hide(tx: Transaction, event: Blocked) -> None:
    for account, other in ((event.by, event.blocked), (event.blocked, event.by)):
        mine = Notification.account.in_(select(Account.id).where(Account.uri == account))
        tx.db.execute(delete(Notification).where(mine, Notification.by == other))


@listens(Erased)
def forget_post(tx: Transaction, event: Erased) -> None:
    """What was told about a post goes with it, but that an endorsement was taken back is told by its going."""
    _FORGET.run(tx.db, of=event.object.uri)


@listens(Departed)
def forget_actor(tx: Transaction, event: Departed) -> None:
    gone = Notification.account.in_(select(Account.id).where(Account.uri == event.actor))
    tx.db.execute(delete(Notification).where(or_(gone, Notification.by == event.actor)))


def listing(account: int, before: int | None = None, kinds: Collection[Kind] = ()) -> Select[Notification]:
    """Latest first, older than the notification `before`, all or those of some kinds.

    There is nothing in it of whom the account mutes.
    """
    rows = select(Notification).where(Notification.account == account, ~mutes.hides(account, Notification.by))
    rows = rows.where(Notification.kind.in_(kinds)) if kinds else rows
    if before is not None:
        rows = rows.where(Notification.id < before)
    return rows.order_by(Notification.id.desc())


def unread(db: Session, account: int) -> int:
    """How many were not seen yet; `MANY` stands for that many or more."""
    new = select(Notification.id).where(Notification.account == account, Notification.read.is_(None))
    new = new.where(~mutes.hides(account, Notification.by)).limit(MANY)
    return db.scalar(select(func.count()).select_from(new.subquery())) or 0
