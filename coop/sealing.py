"""The keys with which others seal what those who live here alone shall read.

The law: one key is listed at a time. What was sealed with an earlier one may still lie with a buddy, so its private
half is kept for as long as that may be, and no longer.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from activitypub import parcel
from coop.accounts import SEALING
from coop.events import Departed, listens
from federation import ids
from federation.registry import chore
from federation.store import Transaction
from federation.tables import Key

KEPT = timedelta(days=60)  # after it is not listed any more: its last parcel may be made late, and lie for a month


def ensure(tx: Transaction, account: str) -> None:
    """Give `account`, one of us, such a key, unless it has one."""
    if not _present(tx.db, account):
        _add(tx, account)


def renew(tx: Transaction, actor: str) -> None:
    """Have a new key listed in place of the one that `actor` has, if it has any."""
    if _present(tx.db, actor):
        listed = (Key.owner == actor, Key.use == SEALING, Key.retired.is_(None))
        tx.db.execute(update(Key).where(*listed).values(retired=tx.now))
        _add(tx, actor)


def private(db: Session, owner: str, key_id: str) -> str | None:
    """The private half, as PEM, of a key that `owner`, one of us, has or lately had."""
    ours = (Key.id == key_id, Key.owner == owner, Key.use == SEALING)
    return db.scalar(select(Key.private).where(*ours))


@chore(timedelta(hours=1))
def forget(tx: Transaction) -> bool:
    tx.db.execute(delete(Key).where(Key.use == SEALING, Key.retired < tx.now - KEPT))
    return False


@listens(Departed)
def forget_all(tx: Transaction, event: Departed) -> None:
    tx.db.execute(delete(Key).where(Key.use == SEALING, Key.owner == event.actor))


def _present(db: Session, actor: str) -> bool:
    listed = (Key.owner == actor, Key.use == SEALING, Key.retired.is_(None))
    return db.scalar(select(Key.id).where(*listed).limit(1)) is not None


def _add(tx: Transaction, actor: str) -> None:
    secret, public = parcel.new_key()
    about: dict[str, Any] = {"use": SEALING, "public": public, "private": secret}
    uri = f"{actor}#x25519-{ids.slug(ids.new(tx.now))}"
    tx.db.add(Key(id=uri, owner=actor, first_seen=tx.now, last_seen=tx.now, **about))
    tx.db.flush()
