"""Posts that an actor wants to be seen first: its ``featured`` collection."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Select, UniqueConstraint, bindparam, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from activitypub import audience
from activitypub.document import Json
from activitypub.errors import Forbidden
from activitypub.origin import Activity
from coop import access, follows, posts
from coop.errors import NotFound, Trouble
from coop.events import Departed, Erased, listens
from federation import ids, known, outbox
from federation.prepared import Prepared
from federation.registry import collection, receives
from federation.store import Transaction
from federation.tables import Actor, Object, Row

MAX_PINS = 5  # as on Mastodon, which shows no more
MAX_FOREIGN = 50


class Pin(Row):
    __tablename__ = "pins"
    __table_args__ = (UniqueConstraint("actor", "object"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    actor: Mapped[str]
    object: Mapped[int]
    since: Mapped[datetime]


_FORGET = Prepared(delete(Pin).where(Pin.object == bindparam("of")))


def pin(tx: Transaction, account: str, uri: str) -> None:
    """Raise `NotFound` or `NotAllowed` as `posts.own` does, `Trouble` for a private post or too many pins."""
    post = posts.own(tx.db, account, uri)
    if post.visibility not in access.EVERYBODY:
        raise Trouble("only a post that everybody may see can be pinned")
    if _find(tx.db, account, post) is not None:
        return
    if _count(tx.db, account) >= MAX_PINS:
        raise Trouble("you have pinned %(most)s posts already; unpin one first", most=MAX_PINS)
    _keep(tx, account, post)
    _tell_followers(tx, "Add", account, uri)


def unpin(tx: Transaction, account: str, uri: str) -> None:
    """Raise `NotFound` if `account` has not pinned that post."""
    post = posts.own(tx.db, account, uri)
    if _find(tx.db, account, post) is None:
        raise NotFound("it is not pinned")
    _drop(tx, account, post)
    _tell_followers(tx, "Remove", account, uri)


def _tell_followers(tx: Transaction, kind: str, account: str, uri: str) -> None:
    actor = known.account(tx.db, account)
    addressed = audience.addressed("public", actor.followers)
    activity: Json = {"id": outbox.new_uri(tx), "type": kind, "actor": account, **addressed}
    activity |= {"object": uri, "target": actor.featured}
    outbox.publish(tx, activity, also=follows.followers(account), collapse=True)


@collection("featured")
def is_featured(db: Session, uri: str) -> bool:
    return db.scalar(select(Actor.id).where(Actor.featured == uri).limit(1)) is not None


@receives("Add", "featured")
def receive_add(tx: Transaction, activity: Activity) -> None:
    """An actor pins a post of its own; one that we do not have is fetched for those who follow the actor (P-126)."""
    actor = _owner(tx, activity)
    for uri in activity.uris("object"):
        is_followed = bool(follows.followers_here(tx.db, actor))
        post = known.thing(tx, uri) if is_followed else known.find(tx.db, uri)
        if post is None or post.deleted:
            continue
        if post.author != actor:
            raise Forbidden(f"{uri} is not by {actor}")
        if _count(tx.db, actor) < MAX_FOREIGN:
            _keep(tx, actor, post)


@receives("Remove", "featured")
def receive_remove(tx: Transaction, activity: Activity) -> None:
    actor = _owner(tx, activity)
    for uri in activity.uris("object"):
        if post := known.find(tx.db, uri):
            _drop(tx, actor, post)


def _owner(tx: Transaction, activity: Activity) -> str:
    """Who sent it. Raise `Forbidden` unless the collection is their own."""
    actor = known.actor(tx.db, activity.actor)
    if actor.featured not in (*activity.uris("target"), *activity.uris("origin")):
        raise Forbidden(f"{activity.uri('target')} is not the featured collection of {actor.uri}")
    return actor.uri


@listens(Erased)
def forget_post(tx: Transaction, event: Erased) -> None:
    _FORGET.run(tx.db, of=event.object.id)


@listens(Departed)
def forget_actor(tx: Transaction, event: Departed) -> None:
    tx.db.execute(delete(Pin).where(Pin.actor == event.actor))


def pinned(actor: str) -> Select[Object]:
    """What everybody sees first on the page of an actor, the latest pin first."""
    posts = select(Object).join(Pin, Pin.object == Object.id).where(Pin.actor == actor, Object.deleted.is_(None))
    return posts.where(Object.visibility.in_(access.EVERYBODY)).order_by(Pin.id.desc())


def _keep(tx: Transaction, actor: str, post: Object) -> None:
    row = {"id": ids.new(tx.now), "actor": actor, "object": post.id, "since": tx.now}
    tx.db.execute(tx.insert(Pin).values(row).on_conflict_do_nothing())


def _drop(tx: Transaction, actor: str, post: Object) -> None:
    tx.db.execute(delete(Pin).where(Pin.actor == actor, Pin.object == post.id))


def _find(db: Session, actor: str, post: Object) -> Pin | None:
    return db.scalar(select(Pin).where(Pin.actor == actor, Pin.object == post.id))


def _count(db: Session, actor: str) -> int:
    return db.scalar(select(func.count()).select_from(Pin).where(Pin.actor == actor)) or 0
