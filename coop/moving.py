"""Moving: an actor that goes on under another address takes its followers along (P-026, P-125).

The law: both agree. The new one names the old one in ``alsoKnownAs``, as its own server says at that moment, and the
old one says where it went; nobody here is led to where only one of the two wants them, nor on and on within a week.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from activitypub.actor import Actor as Profile
from activitypub.document import Document
from activitypub.errors import Forbidden
from activitypub.origin import Activity
from coop import blocks, follows, profiles
from coop.errors import Conflict, Trouble
from coop.events import Notice, tell
from federation import known, outbox
from federation.registry import chore, receives
from federation.store import Transaction
from federation.tables import Actor, Receipt, Row

COOL_DOWN = timedelta(days=7)  # in which whoever moved is not followed on to yet another address
SETTLED = timedelta(days=30)  # in which one of us does not move once more
RECENTLY = timedelta(minutes=1)  # so long what an actor's server said of it is the answer
MAX_NAMES = 20  # under which one of us was known before


class Relocation(Row):
    """An actor moved lately, and whoever followed it here was led to where it went."""

    __tablename__ = "relocations"

    origin: Mapped[str] = mapped_column(primary_key=True)
    target: Mapped[str]
    since: Mapped[datetime] = mapped_column(index=True)


# --- Out ---------------------------------------------------------------------------------------------------------


def move(tx: Transaction, account: str, target: str) -> None:
    """Let one of us go on as `target`, whose server was just asked, and ask everybody who follows to follow that.

    Raise `Trouble` unless it names `account` as its former self, `Conflict` for who moved not long ago.
    """
    row = tx.db.get(Relocation, account)
    if row is not None and row.since > tx.now - SETTLED:
        raise Conflict(
            "you moved to %(target)s on %(day)s; you can move on after %(days)s days",
            target=row.target,
            day=row.since.date(),
            days=SETTLED.days,
        )
    if account == target:
        raise Trouble("that is where you are already")
    lead(tx, known.account(tx.db, account), known.actor(tx.db, target))
    _remember(tx, account, target)


def lead(tx: Transaction, actor: Actor, target: Actor) -> None:
    """Say that `actor`, one of us, goes on as `target`, and ask its followers to follow that.

    Raise `Trouble` unless the other names `actor` as its former self: nobody would be led anywhere.
    """
    if actor.uri not in Profile.read(Document(target.document)).also_known_as:
        raise Trouble(
            "%(uri)s has to say first that it was known as %(former)s: add that there as an alias",
            uri=target.uri,
            former=actor.uri,
        )
    profiles.tell(tx, actor, {**actor.document, "movedTo": target.uri})
    said = {"id": outbox.new_uri(tx), "type": "Move", "actor": actor.uri, "object": actor.uri, "target": target.uri}
    outbox.publish(tx, {**said, "to": [actor.followers]}, also=follows.followers(actor.uri), collapse=True)


def welcome(tx: Transaction, account: str, former: str) -> None:
    """Say that `account` was known as `former`, which may then move here. Raise `Trouble` beyond `MAX_NAMES`."""
    actor, old = known.account(tx.db, account), known.actor(tx.db, former)
    names = Profile.read(Document(actor.document)).also_known_as
    if old.uri not in names and old.uri != account:
        if len(names) >= MAX_NAMES:
            raise Trouble("you have %(most)s former names already, which is as many as can be checked", most=MAX_NAMES)
        profiles.tell(tx, actor, {**actor.document, "alsoKnownAs": [*names, old.uri]})


# --- In ----------------------------------------------------------------------------------------------------------


@receives("Move")
def receive(tx: Transaction, activity: Activity) -> None:
    """Lead those who follow one actor here to another: said by the old one (Mastodon), or by the new one (FEP-7628).

    Raise `Missing` to have both asked anew, `Forbidden` unless they agree. What the old one itself says is enough where
    its server cannot be asked any more; what the new one says is not.
    """
    old, new = activity.require("object"), activity.require("target")
    if activity.actor not in (old, new) or old == new:
        raise Forbidden(f"{activity.actor} cannot move {old}")
    people = follows.followers_here(tx.db, old)
    if not people or _is_cooling_down(tx, old):
        return
    target = _asked(tx, new)
    if target.gone or target.type == "Application" or old not in Profile.read(Document(target.document)).also_known_as:
        raise Forbidden(f"{new} does not name {old} in alsoKnownAs")
    attempts = tx.db.scalar(select(Receipt.attempts).where(Receipt.uri == activity.id))
    before = _asked(tx, old) if activity.actor == new or not attempts else known.actor(tx.db, old)
    if Profile.read(Document(before.document)).moved_to != new and (activity.actor == new or _is_fresh(tx, before)):
        raise Forbidden(f"{old} does not say by movedTo that it moved to {new}")
    _remember(tx, old, new)
    for one in sorted(people - {new}):
        _follow_on(tx, one, old, new)


@chore(timedelta(hours=1))
def clear(tx: Transaction) -> bool:
    tx.db.execute(delete(Relocation).where(Relocation.since < tx.now - SETTLED))
    return False


def _follow_on(tx: Transaction, follower: str, old: str, new: str) -> None:
    if blocks.exists(tx.db, follower, new):
        return
    if follows.find(tx.db, follower, new) is None:
        follows.follow(tx, follower, new)
    follows.unfollow(tx, follower, old)
    tell(tx, Notice("move", follower, old, new))


def _asked(tx: Transaction, uri: str) -> Actor:
    """An actor as its own server describes it at this moment. Raise `Missing` to have it asked."""
    row = known.actor(tx.db, uri)
    if not _is_fresh(tx, row):
        raise known.Missing(uri)
    return row


def _is_fresh(tx: Transaction, row: Actor) -> bool:
    return row.local or row.fetched > tx.now - RECENTLY


def _is_cooling_down(tx: Transaction, origin: str) -> bool:
    row = tx.db.get(Relocation, origin)
    return row is not None and row.since > tx.now - COOL_DOWN


def _remember(tx: Transaction, origin: str, target: str) -> None:
    tx.db.merge(Relocation(origin=origin, target=target, since=tx.now))
    tx.db.flush()


def last_move(db: Session, account: str) -> Relocation | None:
    """Where one of us moved within the last month."""
    return db.get(Relocation, account)
