"""Likes, emoji reactions and boosts of posts, in and out; each can be taken back.

How many there are is counted as they come and go, so that a page of posts never counts anything.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import datetime
from typing import Literal

from sqlalchemy import (
    ColumnElement,
    Index,
    ScalarSelect,
    Select,
    UniqueConstraint,
    bindparam,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from activitypub import audience, html
from activitypub.document import Document, Json, timestamp
from activitypub.errors import Forbidden, Malformed
from activitypub.origin import Activity, own_words
from activitypub.sentence import Sentence
from coop import access, blocks, follows
from coop.errors import NotFound, Trouble
from coop.events import Blocked, Departed, Edited, Erased, Notice, Shown, listens, tell
from federation import dispatch, ids, known, outbox
from federation.prepared import Prepared
from federation.registry import receives
from federation.store import Transaction
from federation.tables import Actor, Object, Row

Kind = Literal["like", "emoji", "boost"]
_NOT_DONE: dict[Kind, str] = {
    "like": Sentence("you did not like that"),
    "emoji": Sentence("you did not react to that"),
    "boost": Sentence("you did not boost that"),
}

MAX_EMOJI = 12  # different ones by one actor on one post (P-122)
WRAPPED = frozenset({"Create", "Update", "Delete", "Like", "EmojiReact", "Announce", "Undo"})  # FEP-1b12

_PICTURE = "[\u00a9\u00ae\u203c-\u3299\U0001f000-\U0001faff][\ufe0f\U0001f3fb-\U0001f3ff]*"
_EMOJI = re.compile(
    "[\U0001f1e6-\U0001f1ff]{2}|[0-9#*]\ufe0f?\u20e3"
    f"|{_PICTURE}(?:\u200d{_PICTURE}){{0,8}}[\U000e0020-\U000e007f]{{0,8}}"
)
_NAMED = re.compile(r":[A-Za-z0-9_.@-]{1,100}:")


class Reaction(Row):
    """One actor's like, emoji or boost of one post."""

    __tablename__ = "reactions"
    __table_args__ = (UniqueConstraint("object", "kind", "actor", "emoji"), Index(None, "actor", "object"))

    id: Mapped[int] = mapped_column(primary_key=True)
    uri: Mapped[str] = mapped_column(index=True)  # of the activity
    kind: Mapped[Kind]
    actor: Mapped[str]
    object: Mapped[int]
    since: Mapped[datetime]
    emoji: Mapped[str] = mapped_column(default="")  # the character, or ``:name:``
    icon: Mapped[str | None] = mapped_column(default=None)  # the address of the picture of a ``:name:``


class Tally(Row):
    """How often a post was liked (emoji included) and boosted, as far as we have heard."""

    __tablename__ = "tallies"

    object: Mapped[int] = mapped_column(primary_key=True)
    likes: Mapped[int] = mapped_column(default=0)
    boosts: Mapped[int] = mapped_column(default=0)


def _counted(count: str) -> Prepared:
    """One reaction more on an object, or with a negative ``more`` one less."""
    first = {"object": bindparam("object"), "likes": 0, "boosts": 0, count: bindparam("first")}
    more = {count: getattr(Tally, count) + bindparam("more")}
    return Prepared(
        lambda insert: insert(Tally).values(first).on_conflict_do_update(index_elements=["object"], set_=more)
    )


_LIKED, _BOOSTED = _counted("likes"), _counted("boosts")
_FORGET = [Prepared(delete(table).where(table.object == bindparam("of"))) for table in (Reaction, Tally)]


# --- Out ---------------------------------------------------------------------------------------------------------


def like(tx: Transaction, account: str, uri: str) -> Reaction:
    """Raise `NotFound` for what `account` may not see, `known.Missing` if it has to be fetched first."""
    post = _seen(tx, account, uri)
    row = _find(tx.db, account, post, "like")
    if row is None:
        row = _new(tx, outbox.new_uri(tx), "like", account, post)
        _add(tx, row, post)
        outbox.publish(tx, _written(tx.db, row, post), [post.author])
    return row


def unlike(tx: Transaction, account: str, uri: str) -> None:
    """Raise `NotFound` if `account` does not like that post."""
    _take_back(tx, account, uri, "like")


def boost(tx: Transaction, account: str, uri: str) -> Reaction:
    """Show a post to one's followers. Raise as `like` does, `Trouble` for a post that is not public (P-231)."""
    post = _seen(tx, account, uri)
    if not _is_boostable(post, account):
        raise Trouble("it is not for everybody, so it cannot be boosted")
    row = _find(tx.db, account, post, "boost")
    if row is None:
        row = _new(tx, outbox.new_uri(tx), "boost", account, post)
        _add(tx, row, post)
        outbox.publish(tx, _written(tx.db, row, post), *_boost_goes_to(tx, row, post), collapse=True)
    return row


def unboost(tx: Transaction, account: str, uri: str) -> None:
    """Raise `NotFound` if `account` did not boost that post."""
    _take_back(tx, account, uri, "boost")


def _take_back(tx: Transaction, account: str, uri: str, kind: Kind) -> None:
    post = known.find(tx.db, uri)
    row = _find(tx.db, account, post, kind) if post else None
    if post is None or row is None:
        raise NotFound(_NOT_DONE[kind])
    _remove(tx, row)
    undone = _written(tx.db, row, post)
    addressed: Json = {name: undone[name] for name in ("to", "cc") if name in undone}
    undo: Json = {"id": f"{row.uri}/undo", "type": "Undo", "actor": account, **addressed, "object": undone}
    if kind == "boost":
        outbox.publish(tx, undo, *_boost_goes_to(tx, row, post), collapse=True)
    else:
        outbox.publish(tx, undo, [post.author])


def _seen(tx: Transaction, account: str, uri: str) -> Object:
    known.account(tx.db, account)
    post = known.thing(tx, uri)
    if not access.may_read(tx.db, post, account):
        raise NotFound("there is no post %(uri)s", uri=uri)
    return post


def _written(db: Session, row: Reaction, post: Object) -> Json:
    """As Mastodon reads it (Appendix A3): an Undo of it embeds the same."""
    activity: Json = {"id": row.uri, "type": "Like", "actor": row.actor, "object": post.uri, "to": [post.author]}
    if row.kind == "boost":
        public = post.visibility in access.EVERYBODY
        crowd = known.account(db, row.actor).followers
        addressed = audience.addressed("public" if public else "followers", crowd, [post.author])
        activity |= {"type": "Announce", "published": timestamp(row.since), **addressed}
    return activity


def _boost_goes_to(tx: Transaction, row: Reaction, post: Object) -> tuple[list[str], Select[str]]:
    return [post.author], follows.followers(row.actor)


# --- In ----------------------------------------------------------------------------------------------------------


@receives("Like")
@receives("EmojiReact")
def receive_like(tx: Transaction, activity: Activity) -> None:
    """A like or an emoji; one for a post that we do not have says nothing to us (P-122)."""
    post = known.find(tx.db, activity.require("object"))
    if post is None or post.deleted or known.was_undone(tx.db, activity.id, activity.actor):
        return
    known.actor(tx.db, activity.actor)
    if not access.may_read(tx.db, post, activity.actor):
        raise Forbidden(f"{activity.actor} may not see {post.uri}")
    emoji, icon = _emoji(activity)
    if activity.type == "EmojiReact" and not emoji:
        raise Malformed("content is no emoji")
    row = _new(tx, activity.id, "emoji" if emoji else "like", activity.actor, post)
    row.emoji, row.icon = emoji, icon
    if emoji and _emojis_by(tx.db, activity.actor, post) >= MAX_EMOJI:
        raise Forbidden(f"{activity.actor} has reacted with {MAX_EMOJI} emoji already")
    _add(tx, row, post)


@receives("Announce")
def receive_boost(tx: Transaction, activity: Activity) -> None:
    """A boost, by somebody whom one of us follows or of something that we have; what it embeds is a reference (P-123).

    A group passes on activities in the same way (FEP-1b12).
    """
    uri = activity.require("object")
    wrapped = activity.hearsay.get(uri)
    if wrapped is not None and wrapped.type in WRAPPED:
        return _unwrap(tx, activity.actor, wrapped)
    is_wanted = follows.followers_here(tx.db, activity.actor) or known.find(tx.db, uri)
    if not is_wanted or known.was_undone(tx.db, activity.id, activity.actor):
        return None
    known.actor(tx.db, activity.actor)
    post = known.thing(tx, uri)
    if not _is_boostable(post, activity.actor):
        raise Forbidden(f"{post.uri} is not for everybody (P-316)")
    if blocks.exists(tx.db, post.author, activity.actor):
        raise Forbidden(f"{activity.actor} may not boost {post.uri}")
    return _add(tx, _new(tx, activity.id, "boost", activity.actor, post), post)


@receives("Undo", "Like", "EmojiReact", "Announce")
@receives("Undo")
def receive_undo(tx: Transaction, activity: Activity) -> None:
    """By id, or by what the undone activity says of itself; one that comes before it is remembered (P-121)."""
    said = activity.embeddeds("object") or [Document({"id": uri}) for uri in activity.uris("object")]
    for undone in said:
        row = _undone(tx.db, activity, undone)
        if row is not None:
            _remove(tx, row)
        elif uri := undone.uri("id"):
            known.remember_undone(tx, uri, activity.actor)


def _unwrap(tx: Transaction, group: str, inner: Document) -> None:
    """An activity in a group's Announce counts if its own author proved it; a post in it is fetched (P-123)."""
    if not follows.followers_here(tx.db, group):
        return
    if inner.has("proof"):
        activity = own_words(inner)
        blocks.check_domain(tx.db, activity.actor)
        known.proven(tx, inner)
        dispatch.dispatch(tx, activity)
    elif inner.type == "Create" and (uri := inner.uri("object")):
        known.thing(tx, uri)


def _undone(db: Session, activity: Activity, undone: Document) -> Reaction | None:
    row = db.scalar(select(Reaction).where(Reaction.uri == undone.uri("id"), Reaction.actor == activity.actor))
    kinds = {"Like": ("like", "emoji"), "EmojiReact": ("emoji",), "Announce": ("boost",)}.get(undone.type)
    if row is not None or kinds is None or not known.may_be_named_anew(activity, undone):
        return row
    same = (Reaction.actor == activity.actor, Reaction.kind.in_(kinds), Reaction.emoji == _emoji(undone)[0])
    about = Object.uri == undone.uri("object")
    return db.scalar(select(Reaction).join(Object, Object.id == Reaction.object).where(*same, about).limit(1))


def _emoji(activity: Document) -> tuple[str, str | None]:
    """One emoji, or the ``:name:`` of a picture in a tag with its address; a like with any other words is a like."""
    said = activity.text("content") or activity.text("_misskey_reaction")
    if _EMOJI.fullmatch(said):
        return said, None
    if not _NAMED.fullmatch(said):
        return "", None
    for tag in activity.embeddeds("tag")[:MAX_EMOJI]:
        icon = tag.embedded("icon")
        url = html.safe_url(icon.uri("url") or icon.uri("href")) if icon else None
        if url and tag.text("name").strip(":") == said.strip(":"):
            return said, url
    return "", None


def _is_boostable(post: Object, actor: str) -> bool:
    return post.visibility in access.EVERYBODY or (post.visibility == "followers" and post.author == actor)


# --- Keeping and counting ----------------------------------------------------------------------------------------


def _new(tx: Transaction, uri: str, kind: Kind, actor: str, post: Object) -> Reaction:
    return Reaction(id=ids.new(tx.now), uri=uri, kind=kind, actor=actor, object=post.id, since=tx.now)


def _add(tx: Transaction, row: Reaction, post: Object) -> None:
    """Keep and count a reaction, once, and tell of it."""
    values = {name: getattr(row, name) for name in ("id", "uri", "kind", "actor", "object", "since", "emoji", "icon")}
    if not tx.add_new(Reaction, **values):
        return
    _count(tx, row, 1)
    is_boost = row.kind == "boost"
    if known.is_local(tx.db, post.author) and post.author != row.actor:
        tell(tx, Notice("boost" if is_boost else "like", post.author, row.actor, post.uri))
    if is_boost:
        tell(tx, Shown(post, row.actor))


def _remove(tx: Transaction, row: Reaction) -> None:
    if tx.db.execute(delete(Reaction).where(Reaction.id == row.id)).rowcount:  # type: ignore[attr-defined]
        _count(tx, row, -1)


def _count(tx: Transaction, row: Reaction, more: int) -> None:
    (_BOOSTED if row.kind == "boost" else _LIKED).run(tx.db, object=row.object, first=max(more, 0), more=more)


@listens(Edited)
def tell_boosters(tx: Transaction, event: Edited) -> None:
    """Whoever here boosted a post stands for what it says now."""
    boosts = (Reaction.object == event.object.id, Reaction.kind == "boost", Reaction.actor != event.object.author)
    boosters = select(Actor.uri).where(Actor.local, Actor.uri.in_(select(Reaction.actor).where(*boosts)))
    for booster in tx.db.scalars(boosters).all():
        tell(tx, Notice("edit", booster, event.object.author, event.object.uri))


@listens(Erased)
def forget_post(tx: Transaction, event: Erased) -> None:
    for statement in _FORGET:
        statement.run(tx.db, of=event.object.id)


@listens(Departed)
def forget_actor(tx: Transaction, event: Departed) -> None:
    _forget(tx, select(Reaction.id).where(Reaction.actor == event.actor))


@listens(Blocked)
def forget_each_other(tx: Transaction, event: Blocked) -> None:
    """What two who blocked each other made of each other's posts ends with everything else between them (P-124)."""
    for actor, author in ((event.by, event.blocked), (event.blocked, event.by)):
        theirs = select(Reaction.id).join(Object, Object.id == Reaction.object)
        _forget(tx, theirs.where(Reaction.actor == actor, Object.author == author))


def _forget(tx: Transaction, which: Select[int]) -> None:
    """Delete reactions and count what is left, in three statements however many there are."""
    affected = tx.db.scalars(select(Reaction.object).where(Reaction.id.in_(which)).distinct()).all()
    tx.db.execute(delete(Reaction).where(Reaction.id.in_(which)))
    for start in range(0, len(affected), 500):
        counts = {"likes": _how_many(Reaction.kind != "boost"), "boosts": _how_many(Reaction.kind == "boost")}
        tx.db.execute(update(Tally).where(Tally.object.in_(affected[start : start + 500])).values(counts))


def _how_many(kind: ColumnElement[bool]) -> ScalarSelect[int]:
    return select(func.count()).where(Reaction.object == Tally.object, kind).correlate(Tally).scalar_subquery()


# --- Queries -----------------------------------------------------------------------------------------------------


def tallies(db: Session, posts: Collection[int]) -> dict[int, Tally]:
    """How often each of `posts` was liked and boosted; one of which nobody said anything is not in it."""
    return {row.object: row for row in db.scalars(select(Tally).where(Tally.object.in_(posts)))}


def by(db: Session, actor: str, posts: Collection[int]) -> dict[int, set[Kind]]:
    """What `actor` did with each of `posts`; one that they left alone is not in it."""
    found: dict[int, set[Kind]] = {}
    for row in db.scalars(select(Reaction).where(Reaction.actor == actor, Reaction.object.in_(posts))):
        found.setdefault(row.object, set()).add(row.kind)
    return found


def _find(db: Session, actor: str, post: Object, kind: Kind) -> Reaction | None:
    same = (Reaction.object == post.id, Reaction.kind == kind, Reaction.actor == actor, Reaction.emoji == "")
    return db.scalar(select(Reaction).where(*same))


def _emojis_by(db: Session, actor: str, post: Object) -> int:
    mine = (Reaction.object == post.id, Reaction.actor == actor, Reaction.kind == "emoji")
    return db.scalar(select(func.count()).select_from(Reaction).where(*mine)) or 0
