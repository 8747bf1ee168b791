"""New keys for those who live here, without anybody losing touch with them (P-078).

The law: an actor signs with the oldest of its keys that is not retired. A new one is listed for a day before the old
one is retired, so that whoever hears of it in time has both. A stolen one is retired at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta

from sqlalchemy import Select, exists, select
from sqlalchemy.orm import Session, aliased

from coop import accounts, profiles, sealing
from coop.accounts import SEALING, KeyPair
from coop.errors import Conflict
from federation import known
from federation.registry import chore
from federation.store import Transaction
from federation.tables import Actor, Key

OVERLAP = timedelta(hours=24)  # both keys are listed, and the old one is used


def rotate(tx: Transaction, actor: str, pair: KeyPair, *, stolen: bool = False) -> None:
    """Give `actor`, one of us, the keys of `pair`: to be used in a day, or if the old ones are `stolen`, from now on.

    Raise `Conflict` if new ones are on their way already; of stolen ones, all are given up.
    """
    present = list(tx.db.scalars(_present(actor)))
    if stolen:
        for row in present:
            _retire(tx, row)
    elif len(present) > 2:
        raise Conflict("new keys were made within the last day: they are used when that is over")
    accounts.add_keys(tx, actor, pair)
    sealing.renew(tx, actor)
    _tell(tx, actor)


def signers(db: Session, instance: str) -> list[str]:
    """Everybody here who has keys: the `instance` itself, and all who live here."""
    return [instance, *accounts.numbers(db)]


def new_pairs(actors: Iterable[str]) -> dict[str, KeyPair]:
    """New keys for each; it takes a moment, which no transaction should wait for."""
    return {actor: accounts.new_keys() for actor in actors}


def rotate_all(tx: Transaction, pairs: Mapping[str, KeyPair], *, stolen: bool = False) -> None:
    """The same for all of them at once. Raise as `rotate` does, and change nothing then."""
    for actor, pair in pairs.items():
        rotate(tx, actor, pair, stolen=stolen)


@chore(timedelta(minutes=1))
def switch(tx: Transaction) -> bool:
    """Retire every key whose successor has been listed for long enough."""
    newer = aliased(Key)
    is_next = (newer.owner == Key.owner, newer.use == Key.use, newer.first_seen > Key.first_seen)
    listed = (newer.private.is_not(None), newer.retired.is_(None), newer.first_seen <= tx.now - OVERLAP)
    lives_here = exists().where(Actor.uri == Key.owner, Actor.gone.is_(None))  # who left keeps the keys of the farewell
    is_due = (Key.private.is_not(None), Key.retired.is_(None), exists().where(*is_next, *listed), lives_here)
    rows = list(tx.db.scalars(select(Key).where(*is_due)))
    for row in rows:
        _retire(tx, row)
    for actor in sorted({row.owner for row in rows}):
        _tell(tx, actor)
    return False


def _present(actor: str) -> Select[Key]:
    signing = (Key.private.is_not(None), Key.retired.is_(None), Key.use != SEALING)
    return select(Key).where(Key.owner == actor, *signing)


def _retire(tx: Transaction, row: Key) -> None:
    """Nothing is signed with it any more. What it proved stays proven, for which the public half is kept (P-243)."""
    row.private, row.retired = None, tx.now


def _tell(tx: Transaction, actor: str) -> None:
    tx.db.flush()
    tx.wakes("keys")
    tx.wakes("keyring")
    if account := accounts.at(tx.db, actor):
        profiles.announce(tx, account)
        return
    row = known.account(tx.db, actor)
    profiles.tell(tx, row, {**row.document, **accounts.public_keys(tx.db, actor).write(actor)})
