"""What is still to be asked of others, and how far that has got: what they said while this server slept (P-173), and
before anybody here followed them; what is missing of a conversation.

The law: what is to be asked is a row until it is answered, so a power cut forgets nothing; a server that does not
answer is asked again later, at its own pace, and keeps nobody else waiting.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import ColumnElement, Index, Select, case, delete, func, literal, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from activitypub.origin import host
from federation import settling
from federation.store import Transaction
from federation.tables import Row, partial

What = Literal["outbox", "log", "parcel", "catalogue", "offers", "ancestor", "reply", "replies"]
ASLEEP: tuple[What, ...] = ("outbox", "log", "parcel")  # that were missed in a sleep

LEASE = timedelta(minutes=5)  # longer than any turn of a server takes; after a crash the visit is due again then
PAUSE = 1.0  # seconds between two turns of a server that has more to tell, spread by chance
MAX_FAILURES = 24  # in a row: with the time between them, about a week
SERVERS = 20  # that are asked at once
SOME = 200  # visits that are looked at in one round


class Visit(Row):
    """An actor whose outbox is to be read, or a project whose log is, back to `since`; a buddy who keeps parcels; or an
    address to be asked for a conversation.
    """

    __tablename__ = "visits"
    __table_args__ = (Index(None, "what", "due"), partial("thread", where="thread IS NOT NULL"))

    whom: Mapped[str] = mapped_column(primary_key=True)
    what: Mapped[What] = mapped_column(primary_key=True)
    since: Mapped[datetime]
    due: Mapped[datetime]
    page: Mapped[str | None] = mapped_column(default=None)  # where to read on; None at the beginning
    pages: Mapped[int] = mapped_column(default=0)  # that were read
    failures: Mapped[int] = mapped_column(default=0)  # in a row
    thread: Mapped[str | None] = mapped_column(default=None)  # the conversation that it belongs to


def plan(tx: Transaction, what: What, whom: Select[str], since: datetime) -> None:
    """Have all of `whom` asked, from their latest word on; one that is still to be asked, as far back as before."""
    begun = literal(since, Visit.since.type)
    some = whom.subquery()
    start = (begun, literal(tx.now, Visit.due.type), literal(0), literal(0))
    rows = select(some.c[0], literal(what), *start).where(literal(True))  # or SQLite takes ON for that of a join
    columns = ["whom", "what", "since", "due", "pages", "failures"]
    earlier = case((Visit.since < begun, Visit.since), else_=begun)
    anew = {"since": earlier, "due": tx.now, "page": None, "pages": 0, "failures": 0}
    insert = tx.insert(Visit).from_select(columns, rows)
    tx.db.execute(insert.on_conflict_do_update(index_elements=["whom", "what"], set_=anew))


def add(tx: Transaction, what: What, uri: str, thread: str, due: datetime | None = None) -> bool:
    """Have something asked for a conversation; return whether nobody wanted to know it before."""
    new = {"whom": uri, "what": what, "thread": thread, "since": tx.now, "due": due or tx.now}
    return tx.add_new(Visit, **new, page=None, pages=0, failures=0)


def is_any_due(db: Session, what: Collection[What], now: datetime) -> bool:
    return db.scalar(select(Visit.whom).where(Visit.what.in_(what), Visit.due <= now).limit(1)) is not None


def claim(tx: Transaction, what: Collection[What], most: int = SOME) -> dict[str, list[Visit]]:
    """Take `most` of those that are due, of up to `SERVERS` servers, for the length of a lease; by their hosts."""
    due = select(Visit).where(Visit.what.in_(what), Visit.due <= tx.now).order_by(Visit.due).limit(most)
    claimed: dict[str, list[Visit]] = {}
    for visit in tx.db.scalars(due.with_for_update(skip_locked=True)):
        home = host(visit.whom)
        if home in claimed or len(claimed) < SERVERS:
            visit.due = tx.now + LEASE
            claimed.setdefault(home, []).append(visit)
    tx.db.flush()
    return claimed


def go_on(tx: Transaction, visit: Visit, page: str | None, pages: int) -> None:
    """There is more to read, from `page` on, when the server has had a rest."""
    tx.db.execute(update(Visit).where(*_still(visit)).values(page=page, pages=pages, failures=0, due=_rested(tx.now)))


def stand_back(tx: Transaction, visit: Visit) -> None:
    """The turn of its server was over before it came to this one."""
    tx.db.execute(update(Visit).where(*_still(visit)).values(due=_rested(tx.now)))


def _rested(now: datetime) -> datetime:
    """When a server has had a rest that has just had its turn."""
    return now + timedelta(seconds=PAUSE * random.uniform(0.5, 1.5))  # noqa: S311 - it spreads a crowd, it hides nothing


def fail(tx: Transaction, visit: Visit, most: int = MAX_FAILURES) -> bool:
    """Nobody answered: ask again later, at last never. Return whether it is given up."""
    failures = visit.failures + 1
    if failures >= most:
        finish(tx, visit)
        return True
    later = tx.now + settling.backoff(failures)
    tx.db.execute(update(Visit).where(*_still(visit)).values(failures=failures, due=later))
    return False


def finish(tx: Transaction, visit: Visit) -> None:
    tx.db.execute(delete(Visit).where(*_still(visit)))


def left(db: Session) -> dict[str, int]:
    """How many are still to be made, by what they are about."""
    numbers = db.execute(select(Visit.what, func.count().label("number")).group_by(Visit.what))
    return {row.what: row.number for row in numbers}


def is_anybody_yet_unasked(db: Session) -> bool:
    """Whether there are servers that would answer, as far as we know, and have not told what we slept through."""
    missed = (Visit.what.in_(ASLEEP), Visit.failures == 0)
    return db.scalar(select(Visit.whom).where(*missed).limit(1)) is not None


def _still(visit: Visit) -> Sequence[ColumnElement[bool]]:
    """That it is the same as when it was claimed: meanwhile it may have been planned anew."""
    return (Visit.whom == visit.whom, Visit.what == visit.what, Visit.due == visit.due)
