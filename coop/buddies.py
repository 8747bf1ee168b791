"""Who keeps a mailbox for whom: asked and answered by signed activities, ended by either side.

The law: nothing is held for anybody before both have said so, nor named in anybody's profile; and once either says that
it ends, what was held is gone.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from sqlalchemy import Select, and_, delete, func, or_, select
from sqlalchemy.orm import Session

from activitypub import context, mailbox
from activitypub.actor import MAX_BUDDIES
from activitypub.document import Json
from activitypub.errors import Forbidden, Malformed
from activitypub.origin import Activity, host, site
from coop import accounts, blocks, mailboxes, profiles, sealing
from coop.errors import Conflict, NotAllowed, NotFound, Trouble
from coop.events import Blocked, Departed, Kind, Notice, listens, tell
from coop.mailboxes import Buddy
from federation import ids, known, outbox
from federation.registry import chore, receives
from federation.store import Transaction

MAX_OWNERS = 10  # for whom one account holds: what is held of each may be as much as its quota
MAX_OPEN = 20  # requests of one site that wait for an answer here
ASKED = timedelta(days=60)  # so long a request waits for one


# --- Out ---------------------------------------------------------------------------------------------------------


def ask(tx: Transaction, account: str, of: str) -> Buddy:
    """Ask somebody elsewhere to hold what is sent to `account` while its server sleeps.

    Raise `known.Missing` for somebody whom nobody here has met, `Trouble`, `NotAllowed`, `Conflict`.
    """
    actor = known.actor(tx.db, of)
    if actor.local:
        raise Trouble("they live on this server, and sleep when you do: ask somebody elsewhere")
    if not actor.aware or actor.gone:
        raise Trouble("their server does not know what a buddy is: it needs Boxroom")
    if blocks.exists(tx.db, account, of):
        raise NotAllowed("you cannot ask them")
    mine = tx.db.scalars(select(Buddy.buddy).where(Buddy.owner == account)).all()
    if of in mine:
        raise Conflict("you asked them already; to end it: boxroom buddy drop")
    if len(mine) >= MAX_BUDDIES:
        raise Conflict("you may have %(most)s buddies, those included whom you asked; drop one first", most=MAX_BUDDIES)
    row = Buddy(id=ids.new(tx.now), uri=_name(tx, account), owner=account, buddy=of, since=tx.now)
    tx.db.add(row)
    tx.db.flush()
    _say(tx, "Offer", row, account)
    return row


def accept(tx: Transaction, account: str, owner: str) -> Buddy:
    """Hold from now on what is sent to `owner`. Raise `NotFound` unless they asked, `Conflict`."""
    row = _asked(tx.db, owner, account)
    held = select(func.count()).where(Buddy.buddy == account, Buddy.state == "agreed")
    if (tx.db.scalar(held) or 0) >= MAX_OWNERS:
        raise Conflict("you hold for %(most)s already; drop one of them first", most=MAX_OWNERS)
    row.state = "agreed"
    tx.db.flush()
    _announce(tx, account)  # where the mailbox is, if that was not known yet
    _say(tx, "Accept", row, account)
    return row


def decline(tx: Transaction, account: str, owner: str) -> None:
    """Raise `NotFound` unless `owner` waits for an answer."""
    _end(tx, _asked(tx.db, owner, account), account)


def drop(tx: Transaction, account: str, other: str) -> None:
    """End it, be `other` the buddy or the one who has one. Raise `NotFound` if there is nothing between them."""
    rows = tx.db.scalars(_between(account, other)).all()
    if not rows:
        raise NotFound("neither of you holds anything for the other")
    for row in rows:
        _end(tx, row, account)


def _end(tx: Transaction, row: Buddy, by: str) -> None:
    """The owner takes back what was asked for, the buddy refuses it, be it agreed or not."""
    _forget(tx, row)
    _say(tx, "Undo" if by == row.owner else "Reject", row, by)


def _say(tx: Transaction, kind: str, row: Buddy, by: str) -> None:
    to = row.buddy if by == row.owner else row.owner
    said: Json = {"id": outbox.new_uri(tx), "type": kind, "actor": by, "to": [to]}
    outbox.publish(tx, {"@context": context.MAILBOX, **said, "object": mailbox.write(row.uri, row.owner)}, [to])


# --- In ----------------------------------------------------------------------------------------------------------


@receives("Offer", mailbox.KIND)
def receive(tx: Transaction, activity: Activity) -> None:
    """Somebody asks one of us. Raise `ProtocolError` for what is not to be heard here."""
    document, owner = activity.embedded("object"), known.actor(tx.db, activity.actor)
    if document is None:
        raise Malformed("whoever asks for a mailbox says so in the activity itself")
    uri, buddy = mailbox.read(document, owner.uri), _addressed(tx.db, activity)
    if known.was_undone(tx.db, uri, owner.uri) or _find(tx.db, owner.uri, buddy):
        return
    _check(tx, owner.uri, buddy)
    tx.add_new(Buddy, id=ids.new(tx.now), uri=uri, owner=owner.uri, buddy=buddy, since=tx.now, state="asked")
    tell(tx, Notice("buddy request", buddy, owner.uri, owner.uri))


@receives("Accept", mailbox.KIND)
def receive_accept(tx: Transaction, activity: Activity) -> None:
    """An answer by anybody but who was asked has no effect (P-317)."""
    row = _answered(tx.db, activity)
    if row is not None and row.state == "asked":
        row.state = "agreed"
        sealing.ensure(tx, row.owner)
        tx.db.flush()
        _announce(tx, row.owner)
        _tell(tx, "buddy accepted", row.owner, row.buddy)


@receives("Reject", mailbox.KIND)
def receive_reject(tx: Transaction, activity: Activity) -> None:
    """Also after an Accept: then nothing is held there any more."""
    row = _answered(tx.db, activity)
    if row is not None:
        _tell(tx, "buddy declined" if row.state == "asked" else "buddy left", row.owner, row.buddy)
        _forget(tx, row)


@receives("Undo", mailbox.KIND)
def receive_undo(tx: Transaction, activity: Activity) -> None:
    """One that comes before its Offer is remembered (P-121)."""
    uri = activity.require("object")
    row = tx.db.scalar(select(Buddy).where(Buddy.uri == uri, Buddy.owner == activity.actor))
    if row is None:
        known.remember_undone(tx, uri, activity.actor)
        return
    if row.state == "agreed":
        _tell(tx, "buddy left", row.buddy, row.owner)
    _forget(tx, row)


@listens(Blocked)
def end(tx: Transaction, event: Blocked) -> None:
    """A block ends it both ways; the other side is told that, without a reason."""
    for row in tx.db.scalars(_between(event.by, event.blocked)).all():
        if known.is_local(tx.db, event.by):
            _end(tx, row, event.by)
        else:
            _forget(tx, row)


@listens(Departed)
def forget_actor(tx: Transaction, event: Departed) -> None:
    for row in tx.db.scalars(select(Buddy).where(or_(Buddy.owner == event.actor, Buddy.buddy == event.actor))).all():
        _forget(tx, row, leaving=event.actor)


@chore(timedelta(hours=1))
def forget(tx: Transaction) -> bool:
    """What nobody answered."""
    tx.db.execute(delete(Buddy).where(Buddy.state == "asked", Buddy.since < tx.now - ASKED))
    return False


def _forget(tx: Transaction, row: Buddy, leaving: str = "") -> None:
    """Whoever is no buddy any more is not named as one."""
    mailboxes.empty(tx, row)
    tx.db.delete(row)
    tx.db.flush()
    if row.state == "agreed" and row.owner != leaving:
        _announce(tx, row.owner)


def _check(tx: Transaction, owner: str, buddy: str) -> None:
    if blocks.exists(tx.db, owner, buddy):
        raise Forbidden(f"{buddy} is not to be asked by {owner}")
    home = site(host(owner))
    waiting = tx.db.scalars(select(Buddy.owner).where(Buddy.state == "asked", Buddy.owner != owner))
    if sum(site(host(one)) == home for one in waiting) >= MAX_OPEN:
        raise Forbidden(f"{MAX_OPEN} requests from {home} wait for an answer here already")


# --- Both --------------------------------------------------------------------------------------------------------


def _announce(tx: Transaction, account: str) -> None:
    """Let the profile of one of us say what is so now."""
    if (row := accounts.at(tx.db, account)) is not None:
        profiles.announce(tx, row)


def _tell(tx: Transaction, kind: Kind, to: str, by: str) -> None:
    tell(tx, Notice(kind, to, by, by))


def _name(tx: Transaction, account: str) -> str:
    return f"{account}#mailboxes/{ids.slug(ids.new(tx.now))}"


def _addressed(db: Session, activity: Activity) -> str:
    """The one of us who is asked. Raise `Forbidden` if that is nobody who could agree."""
    named = activity.uris("to")
    if len(named) != 1 or named[0] not in accounts.numbers(db):
        raise Forbidden("a mailbox is asked of one person, who lives here")
    return named[0]


# --- Queries -----------------------------------------------------------------------------------------------------


def concerning(account: str) -> Select[Buddy]:
    """Whom `account` has for a buddy, and for whom it is one, or was asked to be."""
    return select(Buddy).where(or_(Buddy.owner == account, Buddy.buddy == account)).order_by(Buddy.id)


def _between(one: str, other: str) -> Select[Buddy]:
    there = and_(Buddy.owner == one, Buddy.buddy == other)
    return select(Buddy).where(or_(there, and_(Buddy.owner == other, Buddy.buddy == one)))


def _find(db: Session, owner: str, buddy: str, state: Literal["asked", "agreed"] | None = None) -> Buddy | None:
    query = select(Buddy).where(Buddy.owner == owner, Buddy.buddy == buddy)
    return db.scalar(query if state is None else query.where(Buddy.state == state))


def _asked(db: Session, owner: str, buddy: str) -> Buddy:
    row = _find(db, owner, buddy, "asked")
    if row is None:
        raise NotFound("they did not ask you, or you answered already")
    return row


def _answered(db: Session, activity: Activity) -> Buddy | None:
    """What one of us asked of the sender."""
    asked = (Buddy.uri == activity.uri("object"), Buddy.buddy == activity.actor)
    row = db.scalar(select(Buddy).where(*asked))
    return row if row is not None and known.is_local(db, row.owner) else None
