"""Passing on replies to our followers' conversations, so that they see the whole of them (ActivityPub 7.1.2, P-171)."""

from __future__ import annotations

from sqlalchemy import select

from activitypub.audience import PUBLIC_ALIASES
from activitypub.document import Document
from activitypub.errors import ProtocolError
from activitypub.origin import Activity
from federation import known, outbox, registry
from federation.store import Transaction
from federation.tables import Object

FORWARDED = frozenset({"Create", "Update", "Delete", "Like", "Announce", "Undo"})
MAX_COLLECTIONS = 8  # of ours that are looked at, of all that an activity is addressed to (P-332)


def consider(tx: Transaction, activity: Activity, body: bytes) -> None:
    """Pass `activity` on, byte for byte, if it answers one of us before our followers' eyes and proves itself.

    Without a proof the receivers could not verify it, so it is not forwarded. It happens once: a receipt is unique.
    """
    if activity.type not in FORWARDED or not activity.has("proof") or known.is_local(tx.db, activity.actor):
        return
    addressed = (*activity.uris("to"), *activity.uris("cc"))
    if PUBLIC_ALIASES.isdisjoint(addressed) or (author := _whom_it_answers(tx, activity)) is None:
        return
    here = [uri for uri in addressed if uri.startswith(f"{tx.home}/")][:MAX_COLLECTIONS]
    members = registry.expansion_of(tx.db, here)
    if members is None:
        return
    try:
        known.check_proof(tx.db, Document.parse(body), tx.now)
    except ProtocolError:
        return
    outbox.forward(tx, body, author, members)


def _whom_it_answers(tx: Transaction, activity: Activity) -> str | None:
    """The one of us whose object this is about or replies to, or is about a reply to."""
    embedded, object = activity.embedded("object"), known.find(tx.db, activity.uri("object"))
    answered = [embedded and embedded.uri("inReplyTo"), object and object.reply_to]  # a tombstone says it no more
    about = [activity.uri("object"), *answered]
    return tx.db.scalar(select(Object.author).where(Object.uri.in_(about), Object.local).limit(1))
