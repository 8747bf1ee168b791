"""Actors who change or go: ``Update`` and ``Delete`` of an actor, and the farewell of one of us."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from activitypub import keys
from activitypub.audience import PUBLIC
from activitypub.document import Document
from activitypub.errors import Forbidden
from activitypub.origin import Activity
from coop import accounts, posts
from coop.accounts import Account
from coop.errors import NotFound
from coop.events import Departed, tell
from coop.revisions import Revision
from federation import actors, known, outbox
from federation.registry import receives
from federation.store import Transaction
from federation.tables import Actor, Key, Object

RECENTLY = timedelta(minutes=1)  # so long what an actor's server said of it is the answer


def leave(tx: Transaction, account: str) -> None:
    """Delete an account of ours: its posts, its relations, and last of all itself, told to everybody we know (P-029).

    Its keys stay, so that this last message can be sent and verified. Raise `NotFound` if nobody here has that URI.
    """
    row = accounts.at(tx.db, account)
    if row is None:
        raise NotFound("nobody of that name lives here")
    actor = known.actor(tx.db, account)
    farewell = {"id": f"{account}#delete", "type": "Delete", "actor": account, "to": [PUBLIC], "object": account}
    tell(tx, Departed(account))
    everybody = select(Actor.uri).where(Actor.gone.is_(None), Actor.uri != account)
    outbox.publish(tx, farewell, also=everybody, collapse=True)
    _erase_posts(tx, account)
    tx.db.execute(delete(Account).where(Account.id == row.id))
    actor.gone, actor.name = tx.now, ""
    actor.document = {"id": account, "type": known.TOMBSTONE, "formerType": actor.type}
    tx.db.flush()


@receives("Delete", "Actor", known.TOMBSTONE)
def receive_delete(tx: Transaction, activity: Activity) -> None:
    """An actor deletes itself (P-116); nobody deletes another (P-319)."""
    about = activity.uris("object")
    if activity.actor not in about:
        posts.erase(tx, activity)
        return
    actor = known.actor(tx.db, activity.actor)
    if actor.gone is None:
        tell(tx, Departed(actor.uri))
        actors.has_left(tx, actor.uri)
        _erase_posts(tx, actor.uri)


@receives("Update", "Actor")
def receive_update(tx: Transaction, activity: Activity) -> None:
    """What an actor says of itself now (P-114).

    Its keys are believed only from its own address: if they differ, it is fetched. That it shares our rooms is believed
    from nowhere else either; here the software that made it is but an id (P-024).
    """
    if activity.uri("object") != activity.actor:
        raise Forbidden(f"{activity.actor} is not {activity.uri('object')}")
    row = known.actor(tx.db, activity.actor)
    document = activity.embedded("object")
    if row.local or row.gone or (document is not None and _is_older(document, row)):
        return
    if document is not None:
        _believe(tx, row, document)
    elif row.fetched < tx.now - RECENTLY:
        raise known.Missing(row.uri)


def _believe(tx: Transaction, row: Actor, document: Document) -> None:
    if _keys_differ(tx.db, document):
        raise known.Missing(row.uri)
    fetched, handle, aware = row.fetched, row.handle, row.aware
    actors.keep(tx, document)
    row.fetched, row.aware = fetched, aware  # its server has not been asked
    if row.handle != handle:
        row.address = row.address_asked = None  # it has to be confirmed again (P-017)


def _is_older(document: Document, row: Actor) -> bool:
    said, have = document.time("updated"), Document(row.document).time("updated")
    return said is not None and have is not None and said < have


def _keys_differ(db: Session, document: Document) -> bool:
    said = {(key.id, keys.write_pem(key.public)) for key in keys.listed(document)}
    have = select(Key.id, Key.public).where(Key.owner == document.id, Key.retired.is_(None))
    return said != {tuple(row) for row in db.execute(have)}


def _erase_posts(tx: Transaction, author: str) -> None:
    """Leave a tombstone of each post, whatever their number in three statements; other words stay proven (P-116)."""
    theirs = (Object.author == author, Object.type.in_(posts.READABLE), Object.deleted.is_(None))
    found = tx.db.execute(select(Object.id, Object.uri, Object.type).where(*theirs)).all()
    gone = [
        {"id": row.id, "deleted": tx.now, "document": {"id": row.uri, "type": known.TOMBSTONE, "formerType": row.type}}
        for row in found
    ]
    if gone:
        tx.db.execute(delete(Revision).where(Revision.object.in_(select(Object.id).where(*theirs))))
        tx.db.execute(update(Object), gone)
