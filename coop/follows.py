"""Following: who wants to hear from whom, and whether they agreed."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Index, Select, UniqueConstraint, and_, bindparam, delete, event, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column, object_session

from activitypub.document import Document, Json
from activitypub.origin import Activity
from coop import accounts, blocks
from coop.accounts import Account
from coop.errors import NotFound, Trouble
from coop.events import Blocked, Departed, Notice, listens, tell
from federation import ids, known, outbox
from federation.prepared import Prepared
from federation.registry import expands, receives
from federation.store import Transaction
from federation.tables import Actor, Row

State = Literal["asked", "accepted"]

ANSWERED = timedelta(days=30)  # so long an answer is kept: whoever asks again is answered again (P-327)


class Follow(Row):
    """Somebody here or elsewhere follows somebody; at least one of the two lives here."""

    __tablename__ = "follows"
    __table_args__ = (UniqueConstraint("follower", "followed"), Index(None, "followed", "state", "id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    uri: Mapped[str] = mapped_column(index=True)  # of the Follow, which its answer names
    follower: Mapped[str]
    followed: Mapped[str]
    state: Mapped[State]
    since: Mapped[datetime]


_FOLLOWERS_HERE = Prepared(
    select(Follow.follower)
    .join(Account, Account.uri == Follow.follower)
    .where(Follow.followed == bindparam("of"), Follow.state == "accepted")
)
_BETWEEN = select(Follow).where(Follow.follower == bindparam("follower"), Follow.followed == bindparam("followed"))
_KNOWN = Prepared(
    select(Follow.id, Follow.uri, Follow.state).where(
        Follow.follower == bindparam("follower"), Follow.followed == bindparam("followed")
    )
)
_NAME = Prepared(update(Follow).where(Follow.id == bindparam("follow")).values(uri=bindparam("uri")))
_ASKS = Prepared(select(Account.approves_followers).where(Account.uri == bindparam("of")))


# --- Out ---------------------------------------------------------------------------------------------------------


def follow(tx: Transaction, follower: str, followed: str) -> Follow:
    """Ask to follow. Asking again sends the same request once more (Appendix A2).

    Raise `known.Missing` for an actor that nobody here has met, `Trouble` for oneself.
    """
    if follower == followed:
        raise Trouble("nobody follows themselves; your own posts are in your feed anyway")
    actor = known.actor(tx.db, followed)
    row = find(tx.db, follower, followed)
    if row is None:
        uri = outbox.new_uri(tx)
        row = _new(tx, uri, follower, followed)
        tx.db.add(row)
        tx.db.flush()
        outbox.publish(tx, _activity(row), [actor.uri])
    elif row.state == "asked":
        outbox.publish_again(tx, row.uri, [actor.uri])
    return row


def unfollow(tx: Transaction, follower: str, followed: str) -> None:
    """Raise `NotFound` if `follower` does not follow that actor."""
    row = find(tx.db, follower, followed)
    if row is None:
        raise NotFound("you do not follow them")
    undo = {"id": f"{row.uri}/undo", "type": "Undo", "actor": follower, "to": [followed], "object": _activity(row)}
    tx.db.delete(row)
    tx.db.flush()
    outbox.publish(tx, undo, [followed])


def disown(tx: Transaction, follower: str, followed: str) -> None:
    """Take back what is taken for a Follow elsewhere, and of which nobody here knows, not even by what name it goes."""
    follow = {"type": "Follow", "actor": follower, "object": followed}
    undo = {"id": outbox.new_uri(tx), "type": "Undo", "actor": follower, "to": [followed], "object": follow}
    outbox.publish(tx, undo, [followed], until=tx.now + ANSWERED)


def approve(tx: Transaction, account: str, follower: str) -> None:
    """Let somebody follow who asked for it. Raise `NotFound` if nobody did."""
    row = find(tx.db, follower, account)
    if row is None or row.state != "asked":
        raise NotFound("they did not ask to follow you, or you agreed already")
    row.state = "accepted"
    tx.db.flush()
    if known.is_local(tx.db, follower):
        tell(tx, Notice("follow accepted", follower, account, account))
    _answer(tx, "Accept", account, follower, _asked(row))


def reject(tx: Transaction, account: str, follower: str) -> None:
    """Say no to somebody who asked to follow, or send a follower away. Raise `NotFound` if there is none such."""
    row = find(tx.db, follower, account)
    if row is None:
        raise NotFound("they neither follow you nor asked to")
    tx.db.delete(row)
    tx.db.flush()
    if known.is_local(tx.db, follower):
        tell(tx, Notice("follow rejected", follower, account, account))
    _answer(tx, "Reject", account, follower, _asked(row))


# --- In ----------------------------------------------------------------------------------------------------------


@receives("Follow")
def receive_follow(tx: Transaction, activity: Activity) -> None:
    """Take the follower at once, or ask the account first. A repeated Follow is answered again (P-120)."""
    follower = known.actor(tx.db, activity.actor)
    followed = known.account(tx.db, activity.uri("object"))
    uri = activity.uri("id") or _nameless(follower.uri)
    if _refuses(tx.db, followed, follower):
        _answer(tx, "Reject", followed.uri, follower.uri, _echo(activity))
        return
    if known.was_undone(tx.db, uri, activity.actor):
        return
    if _take(tx, uri, follower, followed) == "accepted":
        _answer(tx, "Accept", followed.uri, follower.uri, _echo(activity))


def _take(tx: Transaction, uri: str, follower: Actor, followed: Actor) -> State:
    """What becomes of a request by that name."""
    number: int | None = None
    state: State
    for number, name, state in _KNOWN.rows(tx.db, follower=follower.uri, followed=followed.uri):
        if name != uri:  # they ask again: some servers do, day after day
            _NAME.run(tx.db, follow=number, uri=uri)
        if state == "accepted" or not follower.local:
            return state
    if number:  # it was written down when it was sent, and arrives only now
        row = tx.db.get_one(Follow, number)
    else:
        row = _new(tx, uri, follower.uri, followed.uri)
        tx.db.add(row)
    _admit(tx, row)
    tx.db.flush()
    return row.state


@receives("Accept", "Follow")
def receive_accept(tx: Transaction, activity: Activity) -> None:
    """Somebody agrees that one of us follows them. An answer to nothing, or by another, has no effect (P-317)."""
    row = _answered(tx.db, activity)
    if row is not None and row.state == "asked":
        gain(tx, row)


@receives("Reject", "Follow")
def receive_reject(tx: Transaction, activity: Activity) -> None:
    """Also after an Accept: then the following ends."""
    row = _answered(tx.db, activity)
    if row is not None:
        lose(tx, row)


def gain(tx: Transaction, row: Follow) -> None:
    """One of us follows from now on whom they asked to."""
    row.state = "accepted"
    tell(tx, Notice("follow accepted", row.follower, row.followed, row.followed))


def lose(tx: Transaction, row: Follow) -> None:
    """One of us follows no more, for who is followed, or their server, says so."""
    tx.db.delete(row)
    tell(tx, Notice("follow rejected", row.follower, row.followed, row.followed))


@receives("Undo", "Follow")
def receive_undo(tx: Transaction, activity: Activity) -> None:
    """By the embedded Follow, or by its id alone; one that comes before its Follow is remembered (P-121)."""
    undone = activity.embedded("object")
    uri = activity.uri("object")
    about = Follow.uri == uri
    if undone is not None and known.may_be_named_anew(activity, undone):
        about |= Follow.followed == undone.uri("object")
    row = tx.db.scalar(select(Follow).where(Follow.follower == activity.actor, about))
    if row is not None:
        tx.db.delete(row)
    elif uri:
        known.remember_undone(tx, uri, activity.actor)


@listens(Blocked)
def end(tx: Transaction, block: Blocked) -> None:
    """A block ends following, both ways; who followed and lives elsewhere is told so, without a reason."""
    for row in tx.db.scalars(_between(block.by, block.blocked)).all():
        if known.is_local(tx.db, row.followed) and row.followed == block.by:
            reject(tx, row.followed, row.follower)
        elif known.is_local(tx.db, row.follower) and row.follower == block.by:
            unfollow(tx, row.follower, row.followed)
        else:
            tx.db.delete(row)
    tx.db.flush()


@listens(Departed)
def forget(tx: Transaction, departed: Departed) -> None:
    tx.db.execute(delete(Follow).where(or_(Follow.follower == departed.actor, Follow.followed == departed.actor)))
    tx.db.info.pop("followers here", None)


# --- Queries -----------------------------------------------------------------------------------------------------


def followers(of: str) -> Select[str]:
    return select(Follow.follower).where(Follow.followed == of, Follow.state == "accepted")


def following(of: str) -> Select[str]:
    return select(Follow.followed).where(Follow.follower == of, Follow.state == "accepted")


def followers_here(db: Session, of: str) -> frozenset[str]:
    """Those of us who follow an actor; looked up once in a session, for many activities are of the same few."""
    memory: dict[str, frozenset[str]] = db.info.setdefault("followers here", {})
    if of not in memory:
        memory[of] = frozenset(uri for (uri,) in _FOLLOWERS_HERE.rows(db, of=of))
    return memory[of]


@event.listens_for(Follow, "after_insert")
@event.listens_for(Follow, "after_update")
@event.listens_for(Follow, "after_delete")
def _look_again(_: object, __: object, row: Follow) -> None:
    if session := object_session(row):
        session.info.pop("followers here", None)


def requests(to: str) -> Select[str]:
    """Who waits to be allowed to follow, longest first."""
    return select(Follow.follower).where(Follow.followed == to, Follow.state == "asked").order_by(Follow.id)


def find(db: Session, follower: str, followed: str) -> Follow | None:
    return db.scalar(_BETWEEN, {"follower": follower, "followed": followed})


@expands
def expand(db: Session, uris: Collection[str]) -> Select[str] | None:
    """The followers collection of one of us stands for its followers (P-160)."""
    owners = db.scalars(select(Actor.uri).where(Actor.followers.in_(uris), Actor.local)).all()
    theirs = (Follow.followed.in_(owners), Follow.state == "accepted")
    return select(Follow.follower).where(*theirs) if owners else None


def _between(one: str, other: str) -> Select[Follow]:
    pairs = (
        and_(Follow.follower == one, Follow.followed == other),
        and_(Follow.follower == other, Follow.followed == one),
    )
    return select(Follow).where(or_(*pairs))


def _new(tx: Transaction, uri: str, follower: str, followed: str) -> Follow:
    return Follow(id=ids.new(tx.now), uri=uri, follower=follower, followed=followed, state="asked", since=tx.now)


def _admit(tx: Transaction, row: Follow) -> None:
    """Take a follower, unless the account wants to be asked; a project has nobody who would be told."""
    waits = bool(_ASKS.value(tx.db, of=row.followed))
    row.state = "asked" if waits else "accepted"
    if not waits and known.is_local(tx.db, row.follower):
        tell(tx, Notice("follow accepted", row.follower, row.followed, row.followed))
    if row.followed in accounts.numbers(tx.db):
        tell(tx, Notice("follow request" if waits else "follow", row.followed, row.follower, row.follower))


def _refuses(db: Session, followed: Actor, follower: Actor) -> bool:
    is_elsewhere = followed.gone or Document(followed.document).has("movedTo")
    return bool(is_elsewhere) or followed.type == "Application" or blocks.exists(db, followed.uri, follower.uri)


def _answered(db: Session, activity: Activity) -> Follow | None:
    """Our own Follow that the sender answers: by its id, else by whom it was between (P-120)."""
    row = db.scalar(select(Follow).where(Follow.uri == activity.uri("object")))
    if row is None and (embedded := activity.embedded("object")):
        row = find(db, embedded.uri("actor") or "", activity.actor)
    return row if row and row.followed == activity.actor and known.is_local(db, row.follower) else None


def _activity(row: Follow) -> Json:
    return {"id": row.uri, "type": "Follow", "actor": row.follower, "object": row.followed, "to": [row.followed]}


def _asked(row: Follow) -> Json:
    """The Follow as its sender knows it; what it did not name itself gets no name from us."""
    told = _activity(row)
    return {name: value for name, value in told.items() if name != "id"} if row.uri == _nameless(row.follower) else told


def _nameless(follower: str) -> str:
    return f"{follower}#follow"


def _echo(follow: Document) -> Json:
    """The Follow as it was received: GoToSocial finds it by nothing else (P-120)."""
    unwanted = ("@context", "proof", "signature")
    return {name: value for name, value in follow.json.items() if name not in unwanted}


def _answer(tx: Transaction, kind: str, by: str, to: str, follow: Json) -> None:
    answer = {"id": outbox.new_uri(tx), "type": kind, "actor": by, "to": [to], "object": follow}
    outbox.publish(tx, answer, [to], until=tx.now + ANSWERED)
