"""When this server was awake, and what was said while it slept.

A machine at home is switched off, or its lid is closed. Whichever it was, the clock has gone on much further than from
one beat to the next; so that is all that is looked at, at a start and while it runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from activitypub.document import Document
from coop import visits
from coop.admission import Invitation
from coop.events import Woken, tell
from coop.posts import READABLE
from coop.revisions import Revision
from coop.statements import Entry
from federation import ids
from federation.instance import Instance
from federation.registry import errand
from federation.store import Transaction
from federation.tables import Object, Receipt, Row

BEAT = timedelta(minutes=5)
GAP = timedelta(minutes=30)  # since the last beat: whoever was not heard for less is sent everything again anyway
LATE = timedelta(days=7)  # so long after waking something may come that was said before
RUSH = timedelta(minutes=2)  # after waking, in which lanes of others bring what waited there
LONGEST = timedelta(hours=1)  # then it is told what came, even if there may be more

_ONE = {"posts": "post", "offers": "offer", "answers": "answer", "endorsements": "endorsement"}
_ONE |= {"invitations": "invitation", "edits": "edit"}
_KINDS = {
    **dict.fromkeys(READABLE, "posts"),
    "Proposal": "offers",
    "Agreement": "answers",
    "Endorsement": "endorsements",
}

log = structlog.get_logger()


class Waking(Row):
    """A time in which this server was awake; `until` moves on with each beat of the last one."""

    __tablename__ = "wakings"

    id: Mapped[int] = mapped_column(primary_key=True)
    since: Mapped[datetime]
    until: Mapped[datetime]
    told: Mapped[datetime | None] = mapped_column(default=None)  # when the log was told what had been missed


@dataclass(frozen=True, slots=True)
class Slept:
    """From when to when, how much of it that others said then is here by now, and how many are still to be asked."""

    since: datetime
    until: datetime
    came: dict[str, int]  # "posts": 14, "offers": 2; without what there was none of
    outboxes_left: int
    logs_left: int

    @property
    def sentence(self) -> str:
        """Like "14 posts, 2 offers, 1 invitation while you slept"."""
        named = [f"{number} {_ONE[kind] if number == 1 else kind}" for kind, number in self.came.items()]
        return f"{', '.join(named) or 'nothing'} while you slept"


@errand(BEAT)
async def beat(here: Instance) -> None:
    """Notice that time has passed without us, and have everything done that is to be done then."""
    if slept := await here.store.write(_beat):
        log.info("server.woken", asleep_since=slept.isoformat())


@errand(timedelta(minutes=1))
async def report(here: Instance) -> None:
    """Tell whoever reads the log what was missed, once it is here."""
    if found := await here.store.write(_report):
        log.info("server.caught_up", came=found.sentence, outboxes_left=found.outboxes_left, logs_left=found.logs_left)


def wake(tx: Transaction, since: datetime) -> None:
    """Have everything asked for that others said since then."""
    tell(tx, Woken(since))


def lose_touch(tx: Transaction) -> None:
    """Count as having slept since the last beat, however short that was: what came meanwhile is not here."""
    last = tx.db.scalar(select(Waking).order_by(Waking.id.desc()).limit(1))
    if last is not None:
        last.until -= GAP


def last_sleep(db: Session) -> Slept | None:
    """``None`` if it was always awake, as far as anybody knows."""
    found = db.scalars(select(Waking).order_by(Waking.id.desc()).limit(2)).all()
    if len(found) < 2:
        return None
    woken, before = found
    left = visits.left(db)
    came = _came(db, before.until, woken.since)
    return Slept(before.until, woken.since, came, left.get("outbox", 0), left.get("log", 0))


def _beat(tx: Transaction) -> datetime | None:
    """Since when we slept, if we did. To wake up for so short a time that nobody was told of it is to sleep on."""
    periods = select(Waking).order_by(Waking.id.desc()).limit(2).with_for_update()
    last, before, *_ = [*tx.db.scalars(periods), None, None]
    if last is not None and tx.now <= last.until + GAP:
        last.until = tx.now  # also if the clock was set back
        return None
    tx.db.add(Waking(id=ids.new(tx.now), since=tx.now, until=tx.now))
    if last is None:
        return None
    forgotten = before and (before if last.told else last)
    if forgotten:
        tx.db.delete(forgotten)
    tx.db.flush()
    wake(tx, last.until)
    return last.until


def _report(tx: Transaction) -> Slept | None:
    last = tx.db.scalar(select(Waking).order_by(Waking.id.desc()).limit(1))
    if last is None or last.told or tx.now < last.since + RUSH:
        return None
    if tx.now < last.since + LONGEST and (visits.is_anybody_yet_unasked(tx.db) or _is_anything_new(tx.db)):
        return None
    last.told = tx.now
    return last_sleep(tx.db)


def _is_anything_new(db: Session) -> bool:
    new = select(Receipt.id).where(Receipt.state == "waiting", Receipt.attempts == 0)
    return db.scalar(new.limit(1)) is not None


def _came(db: Session, since: datetime, woken: datetime) -> dict[str, int]:
    """What others said between the two, and came here afterwards."""
    came = dict.fromkeys(_ONE, 0)
    ids_after = (ids.first(woken), ids.first(woken + LATE))
    later = (Object.id.between(*ids_after), ~Object.local, Object.deleted.is_(None))
    said = select(Object.type, func.count()).where(*later, Object.published.between(since, woken))
    for kind, number in db.execute(said.group_by(Object.type)):
        if name := _KINDS.get(kind):
            came[name] += number
    edited = select(func.count(Revision.object.distinct())).join(Object, Object.id == Revision.object)
    had = (Object.id < ids.first(woken), ~Object.local)
    changed = (Revision.id.between(*ids_after), *had, Object.updated.between(since, woken))
    came["edits"] = db.scalar(edited.where(*changed)) or 0
    invited = select(Entry.document).join(Invitation, Invitation.uri == Entry.uri)
    invites = db.scalars(invited.where(Invitation.id.between(*ids_after))).all()
    when = [Document(one).time("published") for one in invites]
    came["invitations"] = sum(one is not None and since <= one <= woken for one in when)
    return {name: number for name, number in came.items() if number}
