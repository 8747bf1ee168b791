"""Who is the same person at another address: whoever listed the same recovery key there (FEP-c390).

The law: what was seen to belong together is remembered, for one of the two servers may be gone when it matters. A key
is nobody's at an address whose own server did not list it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import delete, select
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column

from activitypub import identity
from activitypub.document import Document
from coop import accounts, profiles
from coop.errors import NotFound
from federation import known
from federation.registry import chore, met
from federation.store import Transaction
from federation.tables import Actor, Row

MAX_SAME = 8  # addresses of one person that are looked at, those known for longest first


class Identity(Row):
    """`key`, a ``did:key``, said that it is `actor`, and the server of that actor said so, too."""

    __tablename__ = "identities"

    actor: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True, index=True)
    since: Mapped[datetime]


def adopt(tx: Transaction, account: str, key: Ed25519PrivateKey) -> list[str]:
    """Let `account`, one of us, go by a recovery key, in place of any that it had; others are told.

    Return the other addresses that are known here to be the same person's. The key itself is not kept.
    """
    row = accounts.at(tx.db, account)
    if row is None:
        raise NotFound("nobody of that name lives here")
    row.recovery = identity.sign(key, account, tx.now)
    tx.db.flush()
    profiles.announce(tx, row)
    remember(tx, known.account(tx.db, account))
    return same(tx.db, account)[1:]


@met
def remember(tx: Transaction, actor: Actor) -> None:
    """Whoever is met with a recovery key is known by it from then on."""
    said = Document(actor.document)
    for key in sorted(identity.proven(said) - identity.signing(said)):
        tx.add_new(Identity, actor=actor.uri, key=key, since=tx.now)


@chore(timedelta(hours=1))
def forget(tx: Transaction) -> bool:
    """Of those who are not known here any more (P-327)."""
    tx.db.execute(delete(Identity).where(Identity.actor.not_in(select(Actor.uri))))
    return False


def same(db: Session, actor: str) -> list[str]:
    """`actor`, then the other addresses of the same person."""
    one, other = aliased(Identity), aliased(Identity)
    there = select(other.actor).join(one, one.key == other.key).where(one.actor == actor, other.actor != actor)
    return [actor, *db.scalars(there.order_by(other.since, other.actor).limit(MAX_SAME))]
