"""When all that is here was last saved: for whoever would lose it otherwise, on a page or in a terminal."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session, mapped_column

from federation.store import Transaction
from federation.tables import Row

OLD = timedelta(days=8)  # one who saves once a week is not to be reminded


class Backup(Row):
    """The last one that was whole, in the only row; of that which it was restored from, a server does not know."""

    __tablename__ = "backups"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    file: Mapped[str]  # where it was written; it may be elsewhere by now
    octets: Mapped[int]


def record(tx: Transaction, at: datetime, file: str, octets: int) -> None:
    """Remember that a backup, begun `at`, is whole and on the disk."""
    tx.db.merge(Backup(id=1, at=at, file=file, octets=octets))


def last(db: Session) -> Backup | None:
    """The last good one; ``None`` if there never was any."""
    return db.scalar(select(Backup))
