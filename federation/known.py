"""Looking up what we already know; what we do not know yet is fetched by raising `Missing`."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from activitypub import keys, proof
from activitypub.audience import Visibility
from activitypub.document import Document
from activitypub.errors import Forbidden, Unverified
from activitypub.origin import MAX_URI, Activity, owner
from federation import ids, registry
from federation.prepared import Prepared
from federation.store import Transaction
from federation.tables import Activity as Done
from federation.tables import Actor, Key, Object, Receipt

TOMBSTONE = "Tombstone"
MAX_TARGETS = 8  # that are looked at, to find out which collection an activity is about
_ABOUT_COLLECTIONS = frozenset({"Add", "Remove", "Join"})


# Built once: on the way of every activity, building a query costs more than running it.
_ACTOR = select(Actor).where(Actor.uri == bindparam("uri"))
_ACTORS = select(Actor).where(Actor.uri.in_(bindparam("uris", expanding=True)))
_OBJECTS = select(Object).where(Object.uri.in_(bindparam("uris", expanding=True)))
_OBJECT = select(Object).where(Object.uri == bindparam("uri"))
_OBJECT_ID = Prepared(select(Object.id).where(Object.uri == bindparam("uri")))
_OBJECT_TYPE = Prepared(select(Object.type).where(Object.uri == bindparam("uri")))
_ACTOR_ID = Prepared(select(Actor.id).where(Actor.uri == bindparam("uri")))
_SENT = Prepared(select(Done.type).where(Done.uri == bindparam("uri")))
_RECEIVED = Prepared(select(Receipt.type).where(Receipt.uri == bindparam("uri"), Receipt.actor == bindparam("by")))
_LOCAL = select(Actor.uri).where(Actor.local)


@dataclass(slots=True)
class _Memory:
    """What one session has looked up already: a batch of activities asks for the same few actors again and again."""

    actors: dict[str, Actor] = field(default_factory=dict)
    objects: dict[str, Object | None] = field(default_factory=dict)  # ``None``: it is not known
    local: frozenset[str] | None = None


class Missing(Exception):
    """The transaction needs `uri`. Its caller fetches it, outside the transaction, and runs it again.

    `check` raises a `ProtocolError` if what is found there is not to be kept.
    """

    def __init__(self, uri: str, check: Callable[[Transaction, Document], None] | None = None) -> None:
        super().__init__(uri)
        self.uri = uri
        self.check = check


class TooEarly(Exception):
    """What it rests on is not here yet, and is on its way to us by itself: it is tried again later."""


def actor(db: Session, uri: str) -> Actor:
    """Raise `Missing` if we have never met that actor."""
    memory = _memory(db)
    if (found := memory.actors.get(uri)) is None:
        if (found := db.scalar(_ACTOR, {"uri": uri})) is None:
            raise Missing(uri)
        memory.actors[uri] = found
    return found


def look_up(db: Session, actors: Collection[str], objects: Collection[str]) -> None:
    """Have those that we know of them at hand, for all that a batch of activities asks."""
    memory = _memory(db)
    memory.actors |= {row.uri: row for row in db.scalars(_ACTORS, {"uris": list(actors)})}
    memory.objects |= dict.fromkeys(objects)
    memory.objects |= {row.uri: row for row in db.scalars(_OBJECTS, {"uris": list(objects)})}


def remember_undone(tx: Transaction, uri: str, by: str) -> None:
    """An Undo came before what it undoes: `was_undone` will say so for its actor, and for nobody else's words."""
    bury(tx, _undone(uri, by), by)


def was_undone(db: Session, uri: str, by: str) -> bool:
    """Whether its actor's Undo was here before the activity itself (P-121)."""
    return is_known(db, _undone(uri, by))


def may_be_named_anew(undo: Activity, undone: Document) -> bool:
    """Whether what an Undo embeds is found by what it says, too: Lemmy gives it another id than when it was done.

    Not in an Undo that carries a proof: anybody may pass that on years later, when the same was done again (P-305).
    """
    return undone.uri("id") is None or not undo.has("proof")


def _undone(uri: str, by: str) -> str:
    return f"{by}#undone-{hashlib.sha256(uri.encode()).hexdigest()}"  # short enough for an index, whatever `uri` is


def account(db: Session, uri: str | None) -> Actor:
    """The one of us whose URI that is. Raise `Forbidden` if nobody here has it."""
    if uri is None or not is_local(db, uri):
        raise Forbidden(f"{uri} does not live here")
    return actor(db, uri)


def is_local(db: Session, uri: str) -> bool:
    return uri in locals_of(db)


def locals_of(db: Session) -> frozenset[str]:
    """Everybody who lives here, the server itself and projects included."""
    memory = _memory(db)
    if memory.local is None:
        memory.local = frozenset(db.scalars(_LOCAL))
    return memory.local


def somebody_moved_in(db: Session) -> None:
    """An actor of ours is new: look again who lives here."""
    _memory(db).local = None


def _memory(db: Session) -> _Memory:
    memory: _Memory | None = db.info.get("known")
    if memory is None:
        memory = db.info["known"] = _Memory()
    return memory


def is_known(db: Session, uri: str) -> bool:
    """Whether we have the object at `uri`, or had it before it was deleted."""
    return _OBJECT_ID.value(db, uri=uri) is not None


def unknown(db: Session, uris: Collection[str]) -> list[str]:
    """Those of `uris`, each once and in their order, at which we never had an object."""
    had = set(db.scalars(select(Object.uri).where(Object.uri.in_(uris))))
    return [uri for uri in dict.fromkeys(uris) if uri not in had]


def find(db: Session, uri: str | None) -> Object | None:
    """The object at `uri`, deleted ones included; ``None`` if we have it not."""
    if not uri:
        return None
    memory = _memory(db)
    if uri not in memory.objects:
        memory.objects[uri] = db.scalar(_OBJECT, {"uri": uri})
    return memory.objects[uri]


def thing(tx: Transaction, uri: str) -> Object:
    """The object at `uri`. Raise `Missing` if it has to be fetched, `Forbidden` if it is deleted or not to be had."""
    found = find(tx.db, uri)
    if found is None:
        if uri.startswith(f"{tx.home}/"):
            raise Forbidden(f"there is no {uri}")
        raise Missing(uri)
    if found.deleted:
        raise Forbidden(f"{uri} was deleted")
    return found


def kind_of(db: Session, activity: Activity) -> str | None:
    """What an activity is about: the kind of its object, embedded or known by its URI, or of its collection.

    Some activities, such as the statements of a project's log, are of a kind themselves.
    """
    if name := registry.kind_of_activity(activity):
        return name
    if activity.type in _ABOUT_COLLECTIONS:
        targets = (*activity.uris("target"), *activity.uris("origin"), *activity.uris("object"))
        return next((name for uri in targets[:MAX_TARGETS] if (name := registry.collection_at(db, uri))), None)
    if (embedded := activity.embedded("object")) and embedded.type:
        return registry.kind(embedded)
    uri = activity.uri("object")
    if uri is None:
        return None
    # Each of these is one look-up by a unique index; the first that knows the URI tells.
    if found := _OBJECT_TYPE.value(db, uri=uri):
        return str(found)
    if _ACTOR_ID.value(db, uri=uri):
        return "Actor"
    if heard := activity.hearsay.get(uri):
        return registry.kind(heard)
    sent: str | None = _SENT.value(db, uri=uri)
    return sent or _RECEIVED.value(db, uri=uri, by=activity.actor)


def proven(tx: Transaction, document: Document) -> Document:
    """`document` itself, once its own author's proof is checked (FEP-8b32), whoever passed it on.

    Raise `Missing` if we do not know the author's keys, `Unverified` if the proof does not hold.
    """
    author = owner(document)
    if author is None:
        raise Unverified("nobody is named as the author")
    actor(tx.db, author)
    check_proof(tx.db, document, tx.now)
    return document


def check_proof(db: Session, document: Document, now: datetime) -> None:
    """Raise `Unverified` unless `document` has a valid proof by its owner, with a key that we know."""
    proof.verify(document.json, lambda key_id: key(db, key_id), now)


def key(db: Session, key_id: str) -> keys.Key | None:
    """Also a key that its owner has listed only formerly: what it proved then stays proven (P-243)."""
    return keys_of(db, [key_id]).get(key_id)


def keys_of(db: Session, key_ids: Collection[str]) -> dict[str, keys.Key]:
    """The same of several, by their ids, in one query."""
    rows = db.scalars(select(Key).where(Key.id.in_(key_ids), Key.use != "keyAgreement"))  # which signs nothing
    return {row.id: keys.Key(row.id, row.owner, keys.load_pem(row.public), row.use) for row in rows}


def keep(tx: Transaction, document: Document, *, author: str, visibility: Visibility, local: bool = False) -> Object:
    """Store a new object. Whether it may be stored (owner, origin, audience) is decided before."""
    row = keep_new(tx, document, author=author, visibility=visibility, local=local)
    if row is None:
        raise Forbidden(f"{document.id} is known already")
    return row


def keep_new(
    tx: Transaction,
    document: Document,
    *,
    author: str,
    visibility: Visibility,
    local: bool = False,
    number: int | None = None,
) -> Object | None:
    """The same; ``None`` if an object of that URI is known already, or was before it was deleted.

    Its row id, by which it stands in every list, is one of now unless its `number` is given.
    """
    row = tx.keep_new(
        Object,
        id=ids.new(tx.now) if number is None else number,
        uri=document.id,
        type=registry.kind(document),
        author=author,
        local=local,
        visibility=visibility,
        reply_to=_findable(document.uri("inReplyTo")),
        conversation=_findable(document.uri("context") or document.uri("conversation")),
        published=published(document, tx.now),
        updated=document.time("updated"),
        document=document.json,
        deleted=None,
    )
    if row is not None:
        row.was_read(document)
        _memory(tx.db).objects[row.uri] = row
    return row


def _findable(uri: str | None) -> str | None:
    """`uri`, unless no index could hold it."""
    return uri if uri and uri.isprintable() and len(uri.encode()) <= MAX_URI else None


def bury(tx: Transaction, uri: str, author: str) -> None:
    """Remember that `uri` is deleted, even if we never had it: a late original is then ignored (P-112, P-115)."""
    tombstone = {"id": uri, "type": TOMBSTONE}
    row = find(tx.db, uri)
    if row is None:
        row = keep(tx, Document(tombstone), author=author, visibility="direct")
    else:
        tombstone["formerType"] = row.document.get("type", "Object")
    row.document, row.deleted = tombstone, row.deleted or tx.now
    tx.db.flush()


def published(document: Document, now: datetime) -> datetime:
    """When it says it was published; never later than `now`, since the future sorts above everything."""
    return min(document.time("published") or now, now)
