"""Where something published here has got to, in words for its author."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from federation.tables import Activity, Delivery, Lane

MAX_NAMED = 5  # hosts that are named one by one
_ABOUT = ("Create", "Update", "Delete", "Offer", "Invite", "Accept", "Reject")


@dataclass(frozen=True, slots=True)
class Waiting:
    """A host that has not taken it yet; `due` is when it is tried next, ``None`` if only once it is heard of again."""

    host: str
    inboxes: int
    error: str | None
    due: datetime | None


@dataclass(frozen=True, slots=True)
class Refused:
    """A host that will not take it, and what it said."""

    host: str
    inboxes: int
    error: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How many inboxes have it, and what keeps the others from it."""

    delivered: int
    waiting: tuple[Waiting, ...]
    refused: tuple[Refused, ...]

    @property
    def is_complete(self) -> bool:
        return not self.waiting

    def sentences(self, now: datetime) -> list[str]:
        """Like "delivered to 12", "waiting for attic.example, which refuses connections; next try 14:05 UTC"."""
        told = [f"delivered to {self.delivered}"] if self.delivered else []
        told += [_of_waiting(one, now) for one in self.waiting[:MAX_NAMED]]
        if len(self.waiting) > MAX_NAMED:
            told.append(f"waiting for {len(self.waiting) - MAX_NAMED} more")
        told += [f"{one.host} does not take it: {one.error}" for one in self.refused[:MAX_NAMED]]
        if len(self.refused) > MAX_NAMED:
            told.append(f"{len(self.refused) - MAX_NAMED} more do not take it")
        return told or ["nobody elsewhere is to get it"]


def where_is(db: Session, uri: str) -> Progress:
    """Where the latest word about the object at `uri`, or the activity at `uri` itself, has got to.

    What was settled more than a month ago is forgotten, and counted no more.
    """
    about = (Activity.uri == uri) | ((Activity.object == uri) & Activity.type.in_(_ABOUT))
    activity = db.scalar(select(Activity.id).where(about).order_by(Activity.id.desc()).limit(1))
    how_many = func.count()
    columns = (Delivery.state, Delivery.lane, how_many, func.max(Delivery.error))
    of_it = select(*columns).where(Delivery.activity == activity).group_by(Delivery.state, Delivery.lane)
    by_state: dict[str, list[tuple[str, int, str | None]]] = {"waiting": [], "done": [], "refused": []}
    for state, host, count, error in db.execute(of_it.order_by(Delivery.lane)):
        by_state[state].append((host, count, error))
    return Progress(
        delivered=sum(count for _, count, _ in by_state["done"]),
        waiting=_waiting(db, by_state["waiting"]),
        refused=tuple(
            Refused(host, count, error or "it did not say why") for host, count, error in by_state["refused"]
        ),
    )


def _waiting(db: Session, found: list[tuple[str, int, str | None]]) -> tuple[Waiting, ...]:
    names = [host for host, _, _ in found]
    lanes = {lane.host: lane for lane in db.scalars(select(Lane).where(Lane.host.in_(names)))}
    return tuple(_behind(lanes.get(host), host, count) for host, count, _ in found)


def _behind(lane: Lane | None, host: str, count: int) -> Waiting:
    if lane is None:
        return Waiting(host, count, None, None)
    return Waiting(host, count, lane.error, None if lane.parked else lane.due)


def _of_waiting(one: Waiting, now: datetime) -> str:
    if one.error is None:
        return f"on its way to {one.host}"
    if one.due is None:
        return f"waiting to hear from {one.host} again, after: {one.error}"
    return f"waiting for {one.host}: {one.error}; next try {_when(one.due, now)}"


def _when(moment: datetime, now: datetime) -> str:
    if moment <= now:
        return "now"
    return f"{moment:%H:%M} UTC" if moment.date() == now.date() else f"{moment:%d %B, %H:%M} UTC"
