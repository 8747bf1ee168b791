"""Access to what other software keeps, in ForgeFed's words: a ``Grant`` to whoever accepted an invitation (P-256).

The law: nobody is given what they did not ask for. A grant counts only if it fulfils an invitation that somebody here
accepted, and comes from whom their answer was for.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import UniqueConstraint, delete, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from activitypub.document import Document
from activitypub.errors import Forbidden, Malformed
from activitypub.origin import Activity, origin
from activitypub.statement import only, term
from coop import blocks
from coop.events import Blocked, Departed, listens
from federation import ids, known
from federation.registry import receives
from federation.store import Transaction
from federation.tables import Activity as Done
from federation.tables import Actor, Row

MAX_REVOKED = 20  # grants of one Revoke: there is one for each of us


class Grant(Row):
    """What somebody here may do at a resource elsewhere: the last that it granted, while it is not revoked."""

    __tablename__ = "grants"
    __table_args__ = (UniqueConstraint("resource", "holder"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    uri: Mapped[str]  # of the Grant: the capability
    resource: Mapped[str]
    holder: Mapped[str]
    since: Mapped[datetime | None]
    until: Mapped[datetime | None]


def capability(tx: Transaction, holder: str, people: Collection[str]) -> str | None:
    """The id of the ``Grant`` by which somebody here may act on a resource that is among `people` (P-257)."""
    theirs = (Grant.holder == holder, Grant.resource.in_(people))
    begun = or_(Grant.since.is_(None), Grant.since <= tx.now)
    ends = or_(Grant.until.is_(None), Grant.until > tx.now)
    return tx.db.scalar(select(Grant.uri).where(*theirs, begun, ends).order_by(Grant.id).limit(1))


def answer_to(db: Session, invitation: str, by: str) -> Done | None:
    """The ``Accept`` with which somebody here took an invitation."""
    return db.scalar(select(Done).where(Done.type == "Accept", Done.object == invitation, Done.actor == by).limit(1))


def is_meant(resource: Actor, place: str) -> bool:
    """Whether an invitation to `place` is one to `resource`: ForgeFed names the collection of its people instead.

    Only one of its own server, or anybody could say that what others are invited to is theirs.
    """
    document = Document(resource.document)
    collections = (*document.uris("collaborators"), *document.uris("members"))
    return place == resource.uri or (place in collections and origin(place) == origin(resource.uri))


@receives("Grant")
def receive(tx: Transaction, activity: Activity) -> None:
    """Keep what a resource grants somebody here, in place of what it granted them before.

    Raise `Forbidden` if they did not ask for it or it is over already, `Malformed` if its times cannot be read.
    """
    resource, holder = known.actor(tx.db, activity.actor), known.account(tx.db, only(activity, "target")).uri
    since, until = _time(activity, "startTime"), _time(activity, "endTime")
    if not _is_direct(activity) or (until is not None and until <= tx.now):
        raise Forbidden(f"{activity.id} gives nobody here access to {resource.uri}")
    answer = answer_to(tx.db, only(activity, "fulfills"), holder)
    people = Document.reread(answer.body).uris("to") if answer else ()
    if not any(is_meant(resource, one) for one in people):
        raise Forbidden(f"{holder} has accepted no such invitation to {resource.uri}")
    if known.was_undone(tx.db, activity.id, resource.uri) or blocks.exists(tx.db, holder, resource.uri):
        return
    tx.db.execute(delete(Grant).where(Grant.resource == resource.uri, Grant.holder == holder))
    row = {"uri": activity.id, "resource": resource.uri, "holder": holder, "since": since, "until": until}
    tx.add_new(Grant, id=ids.new(tx.now), **row)


@receives("Revoke")
def receive_revoke(tx: Transaction, activity: Activity) -> None:
    """A resource takes back what it granted; if that comes before the ``Grant``, it is remembered."""
    granted = {row.uri: row for row in tx.db.scalars(select(Grant).where(Grant.resource == activity.actor))}
    for uri in activity.uris("object")[:MAX_REVOKED]:
        if uri in granted:
            tx.db.delete(granted[uri])
        else:
            known.remember_undone(tx, uri, activity.actor)


@listens(Blocked)
def end(tx: Transaction, event: Blocked) -> None:
    both = (event.by, event.blocked)
    tx.db.execute(delete(Grant).where(Grant.holder.in_(both), Grant.resource.in_(both)))


@listens(Departed)
def let_go(tx: Transaction, event: Departed) -> None:
    tx.db.execute(delete(Grant).where(or_(Grant.holder == event.actor, Grant.resource == event.actor)))


def _is_direct(activity: Activity) -> bool:
    """Whether it is to be used, and at its very sender: not to be passed on, nor passed on itself."""
    return (
        activity.uris("context") == (activity.actor,)
        and [term(one) for one in activity.uris("allows")] == ["invoke"]
        and [term(one) for one in activity.uris("object")] not in ([], ["delegate"])
        and not activity.has("delegates")
    )


def _time(activity: Activity, name: str) -> datetime | None:
    """One that cannot be read would be no bound at all."""
    time = activity.time(name)
    if time is None and activity.has(name):
        raise Malformed(f"{name} is not a time")
    return time
