"""Leaving with somebody's buddies what waits for them, once their server has not answered for a while.

The law: what is left is left besides. Its lane keeps it as if there were no buddy, so one that loses or withholds it
takes nothing from anybody. Each is left once with each buddy, in order, and one that refuses is left alone for a day:
whoever names a buddy who never agreed sends nobody more than that one request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import msgspec
import structlog
from sqlalchemy import ColumnElement, Select, delete, or_, select, update
from sqlalchemy import Row as Found
from sqlalchemy.orm import Mapped, aliased, mapped_column

from activitypub.actor import Actor as Profile
from activitypub.document import Document
from activitypub.errors import Malformed, ProtocolError
from activitypub.origin import host, origin
from activitypub.parcel import MAX_CONTENT, Parcel, SealingKey
from federation import discovery, ids, known, settling
from federation.client import Gone, Unreachable
from federation.instance import Instance, NoKey
from federation.registry import chore, errand, met
from federation.store import Transaction
from federation.tables import Activity, Actor, Delivery, Lane, Row

EVERY = timedelta(minutes=1)
SILENT = timedelta(hours=1)  # so long a server is not asleep but restarting, or its line is down: its lane will do
SETTLED = timedelta(minutes=1)  # after it was published, a delivery is in its place: no earlier one comes after it
REFUSED = timedelta(days=1)  # so long a mailbox that refused something is not asked again
LEASE = timedelta(minutes=10)  # longer than any turn takes
TURN = timedelta(seconds=30)  # so long a buddy's server may be slow, in one turn
LOOKED_AT = 200  # mailboxes in one round
AT_ONCE = 20  # servers of buddies
SOME = 20  # deliveries that are left with one in a turn
PERMANENT = range(400, 500)

log = structlog.get_logger()


class Mailbox(Row):
    """`owner`, an actor of another server, says that `buddy` holds for them; what is left there, and how it goes."""

    __tablename__ = "mailboxes"

    owner: Mapped[str] = mapped_column(primary_key=True)
    buddy: Mapped[str] = mapped_column(primary_key=True)
    due: Mapped[datetime] = mapped_column(index=True)
    last: Mapped[int] = mapped_column(default=0)  # the delivery that was left last
    failures: Mapped[int] = mapped_column(default=0)  # in a row


@dataclass(frozen=True, slots=True)
class Turn:
    """What is to be left now in one mailbox."""

    owner: str
    buddy: str
    failures: int
    waiting: Sequence[Found[int, str, bytes]]  # the delivery, its sender, what is sent


@met
def note(tx: Transaction, actor: Actor) -> None:
    """Whom the document of an actor names; a buddy on the same server would sleep with it, and we are awake."""
    if actor.local:
        return
    homes = origin(actor.uri), origin(tx.home)
    named = [one for one in Profile.read(Document(actor.document)).buddies if _is_elsewhere(one, homes)]
    tx.db.execute(delete(Mailbox).where(Mailbox.owner == actor.uri, Mailbox.buddy.not_in(named)))
    for one in named:
        tx.add_new(Mailbox, owner=actor.uri, buddy=one, due=tx.now, last=0, failures=0)


@chore(timedelta(hours=1))
def forget(tx: Transaction) -> bool:
    """Of those who are not known here any more (P-327)."""
    alive = select(Actor.uri).where(Actor.gone.is_(None))
    tx.db.execute(delete(Mailbox).where(Mailbox.owner.not_in(alive)))
    return False


@errand(EVERY)
async def leave(here: Instance) -> None:
    """Bring to the buddies of those who sleep what waits for them: to several at once, to each one after the other."""
    if turns := await here.store.write(_claim):
        await asyncio.gather(*(_take_turn(here, one) for one in turns))


def _claim(tx: Transaction) -> list[Turn]:
    """The mailboxes for which something is to be left now, of different servers; held for the length of a lease."""
    turns: dict[str, Turn] = {}
    rows = _asleep(tx.now).limit(LOOKED_AT).with_for_update(of=Mailbox, skip_locked=True)
    for mailbox, owner in tx.db.execute(rows).all():
        waiting = tx.db.execute(_waiting(mailbox, owner, tx.now)).all()
        if not waiting:
            mailbox.due = tx.now + EVERY
        elif host(mailbox.buddy) not in turns and len(turns) < AT_ONCE:
            mailbox.due = tx.now + LEASE
            turns[host(mailbox.buddy)] = Turn(mailbox.owner, mailbox.buddy, mailbox.failures, waiting)
    tx.db.flush()
    return [*turns.values()]


def _asleep(now: datetime) -> Select[Mailbox, Actor]:
    """Those due whose owner's server has been silent for so long. One that answers with an error of its own is there;
    one whose proxy does, may not be.
    """
    silent = (Lane.host == Actor.host, Lane.failures > 0, Lane.failing_since <= now - SILENT, ~_refuses())
    due = select(Mailbox, Actor).join(Actor, Actor.uri == Mailbox.owner).join(Lane, Lane.host == Actor.host)
    return due.where(*silent, Mailbox.due <= now, Actor.gone.is_(None)).order_by(Mailbox.due)


def _refuses() -> ColumnElement[bool]:
    return Lane.error.startswith(Lane.host + f"{settling.ANSWERS}4")


def _waiting(mailbox: Mailbox, owner: Actor, now: datetime) -> Select[int, str, bytes]:
    """What is on its way to `owner`; and to all on their server, if nobody else there has a buddy for that."""
    other, theirs = aliased(Actor), select(Mailbox.owner)
    before = select(other.id).where(other.uri.in_(theirs), other.shared_inbox == owner.shared_inbox)
    shared = (Delivery.inbox == owner.shared_inbox) & ~before.where(other.id < owner.id).exists()
    waits = (Delivery.lane == owner.host, Delivery.state == "waiting", Delivery.id > mailbox.last)
    settled = Activity.id < ids.first(now - SETTLED)
    query = select(Delivery.id, Delivery.sender, Activity.body).join(Activity, Activity.id == Delivery.activity)
    query = query.where(*waits, settled, or_(Delivery.inbox == owner.inbox, shared))
    return query.order_by(Delivery.id).limit(SOME)


async def _take_turn(here: Instance, turn: Turn) -> None:
    """Leave one after the other, and write down each; stop at the first that is not taken, and when time is up."""
    until = here.now() + TURN
    try:
        place, key = await _place(here, turn)
        for delivery, sender, body in turn.waiting:
            if len(body) <= MAX_CONTENT and Document.reread(body).has("proof"):  # or nobody could tell whose it is
                await _leave(here, place, Parcel.seal(body, sender, key))
            is_over = delivery == turn.waiting[-1][0] or here.now() > until
            await here.store.write(partial(_go_on, turn=turn, delivery=delivery, is_over=is_over))
            if is_over:
                break
    except (Unreachable, Gone, ProtocolError, NoKey) as error:
        log.info("parcel.not_left", owner=turn.owner, buddy=turn.buddy, reason=str(error))
        later = isinstance(error, Unreachable)
        await here.store.write(partial(_fail, turn=turn, may_be_there_soon=later))


async def _place(here: Instance, turn: Turn) -> tuple[str, SealingKey]:
    """Where the buddy's own server says that its mailbox is, and the owner's key. Raise if either says nothing."""
    buddy = await discovery.completing(here, lambda tx: Document(known.actor(tx.db, turn.buddy).document))
    owner = await here.store.read(lambda db: Document(known.actor(db, turn.owner).document))
    place, key = Profile.read(buddy).mailbox, SealingKey.of(owner)
    if place is None or key is None:
        raise Malformed(f"{turn.buddy} has no mailbox, or {turn.owner} no key for one")
    return place, key


async def _leave(here: Instance, place: str, parcel: Parcel) -> None:
    """Raise `Unreachable` unless it is taken, `Malformed` if it is refused."""
    if await here.blocks(host(place)):
        raise Malformed(f"{host(place)} is blocked here")
    body = msgspec.json.encode(parcel.write())
    answer, _ = await here.client.post(place, body, await here.signer(parcel.sender))
    if answer.status in PERMANENT:
        raise Malformed(f"{place} answers {answer.status}")
    if not answer.is_success:
        raise Unreachable(f"{place} answers {answer.status}")


def _go_on(tx: Transaction, turn: Turn, delivery: int, is_over: bool) -> None:
    values = {"last": delivery, "failures": 0, "due": tx.now if is_over else tx.now + LEASE}
    tx.db.execute(update(Mailbox).where(*_still(turn)).values(values))


def _fail(tx: Transaction, turn: Turn, may_be_there_soon: bool) -> None:
    failures = turn.failures + 1
    later = settling.backoff(failures) if may_be_there_soon else REFUSED
    tx.db.execute(update(Mailbox).where(*_still(turn)).values(failures=failures, due=tx.now + later))


def _is_elsewhere(uri: str, homes: Collection[str]) -> bool:
    try:
        return origin(uri) not in homes
    except Malformed:
        return False


def _still(turn: Turn) -> tuple[ColumnElement[bool], ...]:
    return Mailbox.owner == turn.owner, Mailbox.buddy == turn.buddy
