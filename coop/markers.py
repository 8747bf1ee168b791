"""How far somebody has read, so that they find again what is new to them, in whatever browser or program they use."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from sqlalchemy import delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from coop.accounts import Account
from coop.events import Departed, listens
from federation.store import Transaction
from federation.tables import Row

Timeline = Literal["home"]


class Marker(Row):
    """The newest that an account has seen of something that goes on."""

    __tablename__ = "markers"

    account: Mapped[int] = mapped_column(primary_key=True)
    timeline: Mapped[Timeline] = mapped_column(primary_key=True)
    place: Mapped[int]  # of a `feed.Entry`
    at: Mapped[datetime]


def place(db: Session, account: int, timeline: Timeline) -> int | None:
    """The newest that they have seen; ``None`` if they never looked."""
    return db.scalar(select(Marker.place).where(Marker.account == account, Marker.timeline == timeline))


def move(tx: Transaction, account: int, timeline: Timeline, place: int) -> None:
    """They have seen all up to `place`; it never goes back."""
    new = {"place": place, "at": tx.now}
    insert = tx.insert(Marker).values(account=account, timeline=timeline, **new)
    tx.db.execute(
        insert.on_conflict_do_update(
            index_elements=["account", "timeline"], set_=new, where=Marker.place < insert.excluded.place
        )
    )


@listens(Departed)
def forget(tx: Transaction, event: Departed) -> None:
    gone = select(Account.id).where(Account.uri == event.actor)
    tx.db.execute(delete(Marker).where(Marker.account.in_(gone)))
