"""How a server is doing: what it holds, what waits, and for whom."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from coop import accounts, backups, waking
from coop.follows import Follow
from coop.reports import Report
from coop.waking import Slept
from federation.tables import Actor, Delivery, Lane, Object, Receipt


@dataclass(frozen=True, slots=True)
class Way:
    """The lane to one host: how much waits, since when nobody answers, and when it is tried again."""

    host: str
    waiting: int
    failures: int
    failing_since: datetime | None
    parked: datetime | None
    next_try: datetime | None
    error: str | None
    reached: datetime | None


@dataclass(frozen=True, slots=True)
class Trouble:
    """A receipt that could not be worked through."""

    id: int
    uri: str
    actor: str
    error: str | None


@dataclass(frozen=True, slots=True)
class Condition:
    accounts: int
    posts: int  # said here and not deleted
    objects: int  # everything known, whoever said it
    actors: int
    followers: int
    following: int
    receipts_waiting: int
    receipts_failed: int
    deliveries_waiting: int
    reports: int  # that nobody has dealt with
    saved: datetime | None  # when the last good backup was made
    slept: Slept | None  # the last time that this server was not there
    lanes: list[Way]  # those with something waiting, or that fail
    failed: list[Trouble]  # the latest


def condition(db: Session) -> Condition:
    local = select(Actor.uri).where(Actor.local)
    accepted = Follow.state == "accepted"

    def count(query: Select[int]) -> int:
        return db.scalar(query) or 0

    return Condition(
        accounts=accounts.count(db),
        posts=count(_number(Object.id).where(Object.local, Object.deleted.is_(None))),
        objects=count(_number(Object.id)),
        actors=count(_number(Actor.id)),
        followers=count(_number(Follow.id).where(Follow.followed.in_(local), accepted)),
        following=count(_number(Follow.id).where(Follow.follower.in_(local), accepted)),
        receipts_waiting=count(_number(Receipt.id).where(Receipt.state == "waiting")),
        receipts_failed=count(_number(Receipt.id).where(Receipt.state == "failed")),
        deliveries_waiting=count(_number(Delivery.id).where(Delivery.state == "waiting")),
        reports=count(_number(Report.id).where(Report.done.is_(None))),
        saved=saved.at if (saved := backups.last(db)) else None,
        slept=waking.last_sleep(db),
        lanes=lanes(db),
        failed=failed(db),
    )


def lanes(db: Session, limit: int | None = None, skip: int = 0) -> list[Way]:
    """The lanes that somebody may worry about, those with most waiting first."""
    backlog = func.count(Delivery.id)
    waiting = (Delivery.lane == Lane.host) & (Delivery.state == "waiting")
    query = select(Lane, backlog).outerjoin(Delivery, waiting).group_by(Lane.host)
    worrying = query.having((backlog > 0) | (Lane.failures > 0)).order_by(backlog.desc(), Lane.host)
    return [_way(lane, number) for lane, number in db.execute(worrying.limit(limit).offset(skip))]


def failed(db: Session, limit: int = 20) -> list[Trouble]:
    rows = db.scalars(select(Receipt).where(Receipt.state == "failed").order_by(Receipt.id.desc()).limit(limit))
    return [Trouble(row.id, row.uri, row.actor, row.error) for row in rows]


def _way(lane: Lane, waiting: int) -> Way:
    next_try = None if lane.parked else lane.due
    since = lane.failing_since
    return Way(lane.host, waiting, lane.failures, since, lane.parked, next_try, lane.error, lane.reached)


def _number(column: object) -> Select[int]:
    return select(func.count(column))  # type: ignore[arg-type]
