"""What posts said before they were edited: the last few times, and no more of it than people write (P-327)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Index, bindparam, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from coop.events import Erased, listens
from federation import ids, outbox
from federation.prepared import Prepared
from federation.store import Transaction
from federation.tables import Object, Row

KEPT = 20  # of each post; the oldest give way


class Revision(Row):
    """What a post said before it was edited."""

    __tablename__ = "revisions"
    __table_args__ = (Index(None, "object", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    object: Mapped[int]
    replaced: Mapped[datetime]
    document: Mapped[dict[str, Any]]


_FORGET = Prepared(delete(Revision).where(Revision.object == bindparam("of")))


def keep(tx: Transaction, row: Object) -> None:
    """Keep what `row` says now, before something else is said there."""
    if len(msgspec.json.encode(row.document)) > outbox.MAX_BODY:
        return  # most servers would not even have taken it
    tx.db.add(Revision(id=ids.new(tx.now), object=row.id, replaced=tx.now, document=row.document))
    tx.db.flush()
    newest = select(Revision.id).where(Revision.object == row.id).order_by(Revision.id.desc())
    if (last := tx.db.scalar(newest.offset(KEPT).limit(1))) is not None:
        tx.db.execute(delete(Revision).where(Revision.object == row.id, Revision.id <= last))


@listens(Erased)
def forget(tx: Transaction, event: Erased) -> None:
    """What is deleted is not to be found in its history either."""
    _FORGET.run(tx.db, of=event.object.id)


def history(db: Session, row: Object) -> list[Revision]:
    """What a post said before, oldest first."""
    return list(db.scalars(select(Revision).where(Revision.object == row.id).order_by(Revision.id)))
