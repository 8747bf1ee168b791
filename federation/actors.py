"""Remembering actors of other servers: what their document says, and every key that it ever listed."""

from __future__ import annotations

import msgspec
from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from activitypub import keys
from activitypub.actor import RFC9421
from activitypub.actor import Actor as Profile
from activitypub.document import Document
from activitypub.errors import Forbidden, Malformed
from activitypub.origin import host, site
from federation import ids, registry, settling
from federation.registry import keeps
from federation.store import Transaction
from federation.tables import Actor, Delivery, Key

MAX_SIZE = 262_144  # octets of an actor's document, as JSON: twice what fifty full fields take (P-327)
MAX_KEYS = 100  # of one actor, retired ones included, that are kept (P-327)


@keeps("Actor")
def keep(tx: Transaction, document: Document) -> Actor:
    """Store what an actor's own server says of it, just fetched from its id. Raise `ProtocolError` if unreadable.

    Its inbox is on the same server: else it could have mail for others go its way, and keep it there.
    """
    profile = Profile.read(document)
    if len(msgspec.json.encode(document.json)) > MAX_SIZE:
        raise Malformed(f"the document of {profile.id} is longer than {MAX_SIZE:,} octets")
    row = tx.db.scalar(select(Actor).where(Actor.uri == profile.id))
    if row is not None and row.local:
        raise Forbidden(f"{profile.id} lives here; nobody else can say who that is")
    if site(host(profile.inbox)) != site(host(profile.id)):
        raise Malformed(f"{profile.id} has its inbox on another server, {profile.inbox}")
    if row is None:
        row = _new(tx, profile, document)
        tx.db.add(row)
    row.type, row.handle, row.name, row.document = profile.type, profile.handle, profile.name, document.json
    row.inbox, row.shared_inbox = profile.inbox, profile.shared_inbox
    row.followers, row.featured, row.aware = profile.followers, profile.featured, profile.aware
    row.fetched, row.gone = tx.now, None
    _keep_keys(tx, document)
    if RFC9421 in profile.implements:
        settling.expect(tx, row.host, "rfc9421")
    tx.db.flush()
    registry.tell_met(tx, row)
    return row


def _new(tx: Transaction, profile: Profile, document: Document) -> Actor:
    return Actor(
        id=ids.new(tx.now),
        uri=profile.id,
        host=host(profile.id),
        type=profile.type,
        handle=profile.handle,
        name=profile.name,
        inbox=profile.inbox,
        document=document.json,
        first_seen=tx.now,
        fetched=tx.now,
        needed=tx.now,
    )


def _keep_keys(tx: Transaction, document: Document) -> None:
    """Keys that prove documents are retired when they are not listed any more: what they proved stays proven (P-243).

    Those that only signed requests are forgotten. An id belongs to whoever listed it first.
    """
    listed = {key.id: key for key in reversed(keys.listed(document))}
    about = or_(Key.owner == document.id, Key.id.in_(listed))
    known = {row.id: row for row in tx.db.scalars(select(Key).where(about))}
    room = MAX_KEYS - len(known)
    for key in listed.values():
        public = keys.write_pem(key.public)
        row = known.pop(key.id, None)
        if row is None and room > 0:
            room -= 1
            tx.db.add(Key(id=key.id, owner=key.owner, use=key.use, public=public, first_seen=tx.now, last_seen=tx.now))
        elif row is not None and row.owner == key.owner and (row.public == public or row.use == "publicKey"):
            if row.public != public:
                tx.wakes("keyring")
            row.public, row.last_seen, row.retired = public, tx.now, None
    for row in known.values():
        if row.retired is None:
            tx.wakes("keyring")
        if row.use == "publicKey":
            tx.db.delete(row)
        row.retired = row.retired or tx.now


def has_left(tx: Transaction, uri: str) -> None:
    """The actor was deleted by its server: nothing more is sent there (P-116)."""
    row = tx.db.scalar(select(Actor).where(Actor.uri == uri, ~Actor.local))
    if row is None:
        return
    row.gone = row.gone or tx.now
    tx.db.execute(update(Key).where(Key.owner == uri, Key.retired.is_(None)).values(retired=tx.now))
    tx.wakes("keyring")
    shared = select(Actor.inbox).where(Actor.inbox == row.inbox, Actor.uri != uri, Actor.gone.is_(None))
    waiting = (Delivery.inbox == row.inbox, Delivery.state == "waiting", Delivery.inbox.not_in(shared))
    tx.db.execute(delete(Delivery).where(*waiting))


def by_address(db: Session, address: str) -> Actor | None:
    """Whose proven ``name@host`` that is (P-017)."""
    return db.scalar(select(Actor).where(Actor.address == address.removeprefix("@").lower(), Actor.gone.is_(None)))
