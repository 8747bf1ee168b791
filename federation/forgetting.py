"""Forgetting what others left here and nobody needs any more, a little at a time (P-327).

The law: an actor goes only if nothing here refers to it, neither in the tables of federation nor in those of any
feature (`registry.needs`). So whatever is kept stays verifiable, for its author and the author's keys are kept with it
(P-243). All else that is lost is a request: whoever turns up again is fetched again.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Select, delete, exists, func, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute

from federation import registry
from federation.known import TOMBSTONE
from federation.registry import chore
from federation.store import Transaction
from federation.tables import Activity, Actor, Delivery, Key, Lane, Object, Receipt

EVERY = timedelta(minutes=1)
STRANGERS = timedelta(days=30)  # by then its key has not been used without asking its server again for three weeks
TOMBSTONES = timedelta(days=90)  # of what we never had: so long as a repeat is recognised, a late original is (P-112)
RECEIPTS = timedelta(days=90)  # so long a repeated activity is recognised (P-103)
DELIVERIES = timedelta(days=30)  # so long an author can see where a post got to
SILENCE = timedelta(days=30)  # after which what waits for a host that was given up is dropped
LANES = timedelta(days=30)  # so long something is remembered of a host that we have nothing for
SOME = 200  # in one transaction, so that none takes long; in a day they are more than any domain can make us fetch


@chore(EVERY)
def forget_strangers(tx: Transaction) -> bool:
    """Look at some who were not looked at for long; those that are needed have their time again."""
    unseen = select(Actor.uri).where(Actor.needed < tx.now - STRANGERS, ~Actor.local)
    some = set(tx.db.scalars(unseen.order_by(Actor.needed).limit(SOME)))
    if not some:
        return False
    needed = registry.needed(tx.db, some) | _needed(tx, some)
    tx.db.execute(update(Actor).where(Actor.uri.in_(needed)).values(needed=tx.now))
    tx.db.execute(delete(Key).where(Key.owner.in_(some - needed)))
    tx.db.execute(delete(Actor).where(Actor.uri.in_(some - needed)))
    return len(some) == SOME


def _needed(tx: Transaction, some: set[str]) -> set[str]:
    """Those who said something that is kept, whom something is on its way to or about, or who were just fetched."""
    refers = or_(
        Actor.fetched > tx.now - STRANGERS,
        select(Object.id).where(Object.author == Actor.uri, Object.deleted.is_(None)).exists(),
        select(Activity.id).where(Activity.actor == Actor.uri).exists(),
        select(Activity.id).where(Activity.object == Actor.uri).exists(),
        select(Delivery.id).where(Delivery.lane == Actor.host, Delivery.state == "waiting").exists(),
    )
    return set(tx.db.scalars(select(Actor.uri).where(Actor.uri.in_(some), refers)))


@chore(EVERY)
def forget_tombstones(tx: Transaction) -> bool:
    """Of what was taken back before it came. What was here before it was deleted is its feature's to forget."""
    old = (Object.deleted < tx.now - TOMBSTONES, Object.type == TOMBSTONE, ~Object.local)
    return _delete(tx, Object.id, select(Object.id).where(*old))


@chore(EVERY)
def forget_receipts(tx: Transaction) -> bool:
    first = select(Receipt.id, Receipt.received).order_by(Receipt.id).limit(SOME).subquery()  # they came in this order
    return _delete(tx, Receipt.id, select(first.c.id).where(first.c.received < tx.now - RECEIPTS))


@chore(EVERY)
def forget_activities(tx: Transaction) -> bool:
    """Those that were of use only to whoever got them, once they have."""
    waiting = exists().where(Delivery.activity == Activity.id, Delivery.state == "waiting")
    return _delete(tx, Activity.id, select(Activity.id).where(Activity.until < tx.now, ~waiting))


@chore(EVERY)
def forget_deliveries(tx: Transaction) -> bool:
    return _delete(tx, Delivery.id, select(Delivery.id).where(Delivery.settled < tx.now - DELIVERIES))


@chore(EVERY)
def give_up(tx: Transaction) -> bool:
    """What waits for hosts that have been silent for long is dropped."""
    dead = select(Lane.host).where(Lane.parked < tx.now - SILENCE)
    waiting = select(Delivery.id).where(Delivery.lane.in_(dead), Delivery.state == "waiting").limit(SOME)
    some = tx.db.scalars(waiting).all()
    dropped = {"state": "refused", "settled": tx.now, "error": "nobody was there for more than a month"}
    tx.db.execute(update(Delivery).where(Delivery.id.in_(some)).values(dropped))
    return len(some) == SOME


@chore(EVERY)
def forget_lanes(tx: Transaction) -> bool:
    """Of hosts that we have nothing for, and of those for which all was dropped."""
    last = func.coalesce(Lane.reached, Lane.failing_since, Lane.dialect_learnt)
    idle = Lane.due.is_(None) & (last < tx.now - LANES)
    empty = ~exists().where(Delivery.lane == Lane.host, Delivery.state == "waiting")
    return _delete(tx, Lane.host, select(Lane.host).where(idle | (Lane.parked < tx.now - SILENCE), empty))


def _delete(tx: Transaction, key: InstrumentedAttribute[Any], of: Select[Any]) -> bool:
    """Delete some of the rows whose `key` is one `of` these; return whether there are more."""
    some = tx.db.scalars(of.limit(SOME)).all()
    tx.db.execute(delete(key.class_).where(key.in_(some)))
    return len(some) == SOME
