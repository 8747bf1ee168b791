"""What of the lanes is in the database: claiming those that are due, and writing down how their deliveries went."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Update, bindparam, func, select, update
from sqlalchemy.orm import Session

from activitypub.message import Scheme
from federation.store import Transaction
from federation.tables import Actor, Delivery, Lane

LEASE = timedelta(minutes=2)  # longer than any delivery takes; after a crash the lane is due again then
GIVE_UP = timedelta(days=7)  # a host that is silent for so long is parked (P-167)
GIVE_UP_PEER = timedelta(days=30)  # one on which somebody speaks our own words: studios sleep, and come back
UNAUTHORIZED = timedelta(hours=24)  # so long a 401 may be a clock or a cache; then it is final (P-165)
# Then a host is asked again which signature it takes, for its software may be another now, and drop what it accepts
# (P-072). To see that in its NodeInfo would take two requests a day; one more knock, if there is mail at all, tells it.
DIALECT_AGE = timedelta(days=1)
LONGEST_WAIT = timedelta(hours=24)  # that a Retry-After may ask for
PROBE = timedelta(days=1)  # so often a parked host is asked whether it is there again (P-167)

ANSWERS = " answers "  # after its host's name, in the error of a lane whose host is awake

Verdict = Literal["arrived", "refused", "failed"]

# Built once: on the way of every delivery, building a statement costs more than running it.
_AMONG = Lane.host.in_(bindparam("lanes", expanding=True))
_HOLD = update(Lane).where(_AMONG).values(due=bindparam("until"), held=True)
_HOLD_HEALTHY = _HOLD.values(failures=0, failing_since=None, error=None, reached=bindparam("now"))
_REST = update(Lane).where(_AMONG).values(due=None, held=False)
_UNREACHABLE = (Lane.failures > 0) & ~Lane.error.startswith(Lane.host + ANSWERS)
_SILENT = (_AMONG, Lane.due.is_not(None), Lane.parked.is_not(None) | (_UNREACHABLE & ~Lane.held))
_WAKE = update(Lane).where(*_SILENT).values(due=bindparam("now"), parked=None, failing_since=None)
_LEARN = update(Lane).where(Lane.host == bindparam("lane"))
_LEARN = _LEARN.values(dialect=bindparam("learnt"), dialect_learnt=bindparam("now"))
_ARRIVE = update(Delivery).where(Delivery.id.in_(bindparam("deliveries", expanding=True)))
_ARRIVE = _ARRIVE.values(state="done", settled=bindparam("now"), error=None)
_REFUSE = update(Delivery).where(Delivery.id == bindparam("delivery"))
_REFUSE = _REFUSE.values(state="refused", settled=bindparam("now"), error=bindparam("reason"))
_FIRST = select(func.min(Delivery.id)).where(Delivery.lane == Lane.host, Delivery.state == "waiting").scalar_subquery()
_HEADS = (
    select(
        Delivery.id, Lane.host, Delivery.inbox, Delivery.activity, Delivery.sender, Lane.dialect, Lane.dialect_learnt
    )
    .select_from(Lane)
    .join(Delivery, Delivery.id == _FIRST.correlate(Lane))
    .where(_AMONG)
)


@dataclass(frozen=True, slots=True)
class Parcel:
    """The head of a lane, with all that is needed to send it but the body, which many share."""

    id: int
    lane: str
    inbox: str
    activity: int
    sender: str
    dialect: Scheme | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a delivery went: arrived, refused for good, or failed for now."""

    parcel: Parcel
    verdict: Verdict
    reason: str = ""
    status: int = 0
    learnt: Scheme | None = None
    retry_after: timedelta | None = None


def claim(tx: Transaction, busy: Collection[str], limit: int) -> list[Parcel]:
    """Take up to `limit` lanes that are due, for the length of a lease, and give the head of each."""
    due = select(Lane.host).where(Lane.due <= tx.now, Lane.parked.is_(None))
    if busy:
        due = due.where(Lane.host.not_in(busy))
    hosts = tx.db.scalars(due.order_by(Lane.due).limit(limit).with_for_update(skip_locked=True)).all()
    return list(_lease(tx, sorted(hosts), _HOLD).values())


def expect(tx: Transaction, host: str, dialect: Scheme) -> None:
    """Mail to `host` starts with the `dialect` that it says it reads, unless it is known which it takes (P-073)."""
    unknown = Lane.dialect_learnt.is_(None) | (Lane.dialect_learnt <= tx.now - DIALECT_AGE)
    said = {"dialect": dialect, "dialect_learnt": tx.now}
    lane = tx.insert(Lane).values(host=host, failures=0, **said)
    tx.db.execute(lane.on_conflict_do_update(index_elements=["host"], set_=said, where=unknown))


def release(tx: Transaction) -> None:
    """Make the lanes due that an earlier run of this process, the only one, held when it ended."""
    tx.db.execute(update(Lane).where(Lane.held).values(due=tx.now, held=False))


def hear_from(tx: Transaction, hosts: Collection[str]) -> None:
    """A host that speaks to us is awake: what waits for it is sent now, unless it is being tried already (P-167).

    One that answers, only not as we would like, has been awake all the time: its own pace is kept.
    """
    tx.db.flush()
    values = {"lanes": list(hosts), "now": tx.now}
    if tx.db.connection().execute(_WAKE, values).rowcount:
        tx.wakes("lanes")


def wake(tx: Transaction, host: str) -> bool:
    """Try a host again at once, whatever it answered last; return whether anything waits for it.

    If it is being tried at this moment, it is left at that.
    """
    tx.db.flush()
    waiting = (Lane.host == host, Lane.due.is_not(None), Lane.parked.is_not(None) | ~Lane.held)
    tx.db.execute(update(Lane).where(*waiting).values(due=tx.now, parked=None, failing_since=None))
    tx.wakes("lanes")
    return tx.db.scalar(select(Lane.host).where(Lane.host == host, Lane.due.is_not(None))) is not None


def to_probe(tx: Transaction, limit: int) -> list[str]:
    """Hosts that were given up and not asked for a day; from now on they have been."""
    silent = select(Lane.host).where(Lane.parked.is_not(None), Lane.due <= tx.now).order_by(Lane.due).limit(limit)
    hosts = list(tx.db.scalars(silent.with_for_update(skip_locked=True)))
    tx.db.execute(update(Lane).where(Lane.host.in_(hosts)).values(due=tx.now + PROBE))
    return hosts


def settle(tx: Transaction, outcomes: Iterable[Outcome]) -> dict[str, Parcel]:
    """Write down how deliveries went, in a few statements for all of them; give the next head of each lane."""
    healthy: list[str] = []
    unwelcome: list[str] = []
    arrived, refused, learnt = list[Outcome](), list[Outcome](), list[Outcome]()
    for outcome in sorted(outcomes, key=lambda outcome: outcome.parcel.lane):  # in one order, or two lock each other
        if outcome.learnt and outcome.learnt != outcome.parcel.dialect:
            learnt.append(outcome)
        if outcome.verdict == "failed" and not _is_final(tx, outcome):
            _back_off(tx, outcome)
            continue
        (unwelcome if outcome.verdict == "failed" else healthy).append(outcome.parcel.lane)
        (arrived if outcome.verdict == "arrived" else refused).append(outcome)
    db = tx.db.connection()
    if learnt:
        db.execute(_LEARN, [{"lane": one.parcel.lane, "learnt": one.learnt, "now": tx.now} for one in learnt])
    if arrived:
        db.execute(_ARRIVE, {"deliveries": [one.parcel.id for one in arrived], "now": tx.now})
    if refused:
        db.execute(_REFUSE, [{"delivery": one.parcel.id, "reason": one.reason, "now": tx.now} for one in refused])
    return _lease(tx, healthy, _HOLD_HEALTHY) | _lease(tx, unwelcome, _HOLD)


def redirect(tx: Transaction, parcel: Parcel, inbox: str) -> None:
    """The actor behind an inbox has another one now: what waits for the old goes there (P-165)."""
    moved = (Delivery.inbox == parcel.inbox, Delivery.state == "waiting")
    taken = select(Delivery.activity).where(Delivery.inbox == inbox)
    tx.db.execute(update(Delivery).where(*moved, Delivery.activity.not_in(taken)).values(inbox=inbox))
    twice = {"state": "refused", "settled": tx.now, "error": f"it goes to {inbox} anyway"}
    tx.db.execute(update(Delivery).where(*moved).values(twice))


def _lease(tx: Transaction, hosts: Collection[str], hold: Update) -> dict[str, Parcel]:
    """Hold the lanes, give the head of each by its host, and let those rest that have nothing to send."""
    if not hosts:
        return {}
    # Held before looking, so that what another transaction is just queueing is either seen here or wakes the lane.
    db, until = tx.db.connection(), tx.now + LEASE
    db.execute(hold, {"lanes": hosts, "until": until, "now": tx.now})
    found = db.execute(_HEADS, {"lanes": hosts})
    heads = {row[1]: Parcel(*row[:5], _fresh(row[5], row[6], tx.now)) for row in found}
    if empty := [host for host in hosts if host not in heads]:
        db.execute(_REST, {"lanes": empty})
    return heads


def _fresh(dialect: Scheme | None, learnt: datetime | None, now: datetime) -> Scheme | None:
    return dialect if learnt and now < learnt + DIALECT_AGE else None


def _is_final(tx: Transaction, outcome: Outcome) -> bool:
    """A host that does not accept who we are, for a day, will not tomorrow (P-165)."""
    if outcome.status != 401:
        return False
    lane = tx.db.get_one(Lane, outcome.parcel.lane, populate_existing=True)
    return _unauthorized(lane) and lane.failing_since is not None and tx.now > lane.failing_since + UNAUTHORIZED


def _unauthorized(lane: Lane) -> bool:
    """Whether its host was answering, but not accepting who we are, already the last time."""
    return (lane.error or "").startswith(f"{lane.host}{ANSWERS}401")


def _back_off(tx: Transaction, outcome: Outcome) -> None:
    lane = tx.db.get_one(Lane, outcome.parcel.lane, populate_existing=True)
    lane.failures, lane.held = lane.failures + 1, False
    if lane.failing_since is None or (outcome.status == 401) != _unauthorized(lane):
        lane.failing_since = tx.now  # a host that wakes up with a wrong clock has its day from then on
    lane.error = outcome.reason
    wait = min(outcome.retry_after, LONGEST_WAIT) if outcome.retry_after else backoff(lane.failures)
    lane.due = tx.now + wait
    if tx.now > lane.failing_since + (GIVE_UP_PEER if _is_peer(tx.db, lane.host) else GIVE_UP):
        lane.parked, lane.due = tx.now, tx.now + PROBE
    tx.db.flush()


def _is_peer(db: Session, host: str) -> bool:
    return db.scalar(select(Actor.id).where(Actor.host == host, Actor.aware).limit(1)) is not None


def backoff(failures: int) -> timedelta:
    """How long to leave a host alone: 30 seconds, doubling to half a day, spread by chance (P-167)."""
    seconds = min(12 * 3600, 30 * 2 ** min(failures - 1, 20))
    return timedelta(seconds=seconds * random.uniform(0.5, 1.5))  # noqa: S311 - it spreads a crowd, it hides nothing


def who_has(db: Session, inbox: str) -> Actor | None:
    """One of the actors behind an inbox, its own or shared."""
    behind = (Actor.inbox == inbox) | (Actor.shared_inbox == inbox)
    return db.scalar(select(Actor).where(behind, Actor.gone.is_(None)).limit(1))
