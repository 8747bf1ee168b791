"""Posts and offers that were looked for: nobody sent them to us, and they may be old.

The law: they are kept among what was said when they were, so that nothing takes them for news. Nobody is notified of
them, nothing of them is passed on, and no project boosts them; but if one is sent to us after all, it was on its way,
and then all that happens as with any other.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.orm import Mapped, mapped_column

from activitypub.document import Document
from activitypub.errors import Malformed
from coop import offers, posts
from coop.events import Sent, Shown, listens
from federation import registry
from federation.registry import chore
from federation.store import Transaction
from federation.tables import Row

LATE = timedelta(days=40)  # servers try for a week or a month; then nothing is on its way any more


class Find(Row):
    """A post that is here because it was looked for, and when."""

    __tablename__ = "finds"

    object: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]


def keep(tx: Transaction, document: Document) -> None:
    """Raise `Malformed` for what is neither post nor offer, and as their keepers do."""
    kind = registry.kind(document)
    if kind == "Proposal":
        offers.keep(tx, document, found=True)
    elif kind in posts.READABLE:
        posts.keep(tx, document, found=True)
    else:
        raise Malformed(f"{document.id} is neither a post nor an offer")


@listens(Shown)
def remember(tx: Transaction, event: Shown) -> None:
    if event.found:
        tx.add_new(Find, object=event.object.id, at=tx.now)


@listens(Sent)
def notify(tx: Transaction, event: Sent) -> None:
    """It was on its way when it was found."""
    if tx.db.execute(delete(Find).where(Find.object == event.object.id)).rowcount:  # type: ignore[attr-defined]
        posts.tell_named(tx, event.object)


@chore(timedelta(hours=6))
def forget(tx: Transaction) -> bool:
    tx.db.execute(delete(Find).where(Find.at < tx.now - LATE))
    return False
