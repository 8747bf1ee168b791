"""What we keep for others while they sleep: sealed parcels, for those alone with whom that is agreed.

The law: a parcel is taken only for somebody for whom one of us agreed to hold, from whoever proves to have sent it, and
within the quota of both; it is acknowledged once it is on disk. Its owner alone is handed any, and says what may go.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import ColumnElement, Index, Select, UniqueConstraint, delete, func, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from activitypub.document import Document
from activitypub.errors import Forbidden, ProtocolError, Unverified
from activitypub.message import Request
from activitypub.origin import host, site
from activitypub.parcel import Parcel
from coop import blocks
from coop.events import Blocked, Departed, listens
from federation import ids, inbox
from federation.instance import Instance
from federation.registry import chore
from federation.store import Transaction
from federation.tables import Row

PATH = "mailbox"
FOR_ONE = 2_000, 32 * 1024 * 1024  # parcels for one owner, and their octets: more than is said to anybody in a month
FROM_ONE = 500, 8 * 1024 * 1024  # of them, from all of one site, or one sender would take the place of all others
KEPT = timedelta(days=30)  # as long as lanes keep what they hold for a studio that sleeps
PAGE = 10  # parcels, of which the longest fit into a document that is read
SOME = 200


class Buddy(Row):
    """`buddy` keeps a mailbox for `owner`, or is asked to; one of the two lives here."""

    __tablename__ = "buddies"
    __table_args__ = (UniqueConstraint("owner", "buddy"), Index(None, "buddy", "state"))

    id: Mapped[int] = mapped_column(primary_key=True)
    uri: Mapped[str] = mapped_column(unique=True)  # of the mailbox: its owner's name for what is agreed
    owner: Mapped[str]
    buddy: Mapped[str]
    since: Mapped[datetime]
    state: Mapped[Literal["asked", "agreed"]] = mapped_column(default="asked")
    handed: Mapped[datetime | None] = mapped_column(default=None)  # when the owner was last handed what was held


class Held(Row):
    """A parcel that `sender` left with `buddy`, one of us, for `owner`."""

    __tablename__ = "parcels"
    __table_args__ = (Index(None, "owner", "buddy", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    owner: Mapped[str]
    buddy: Mapped[str]
    sender: Mapped[str]
    site: Mapped[str]  # of the sender
    key: Mapped[str]  # of the owner, with which it is sealed
    sealed: Mapped[bytes]
    size: Mapped[int]

    @property
    def parcel(self) -> Parcel:
        return Parcel(self.sender, self.owner, self.key, self.sealed)


class Full(ProtocolError):
    """There is no more room in a mailbox."""

    status = 429


async def take(here: Instance, request: Request, buddy: str, came_from: str | None = None) -> None:
    """Answer for a POST to the mailbox of `buddy`: return once it is on disk what is held, or what is not any more.

    Raise `Full`, and as `inbox.sender_of` does.
    """
    inbox.check_digests(request)
    signer = await inbox.sender_of(here, request, came_from)
    document = Document.parse(request.body)
    if document.require("actor") != signer:
        raise Unverified(f"it is signed by {signer}, who can leave or fetch nothing in the name of another")
    if document.type == "Read":
        read = document.uris("object")[:PAGE]
        await here.store.write(lambda tx: clear(tx, buddy, signer, read))
    else:
        parcel = Parcel.read(document)
        await here.store.write(lambda tx: hold(tx, buddy, parcel))


def hold(tx: Transaction, buddy: str, parcel: Parcel) -> None:
    """Keep it for its owner. Raise `Forbidden` unless that is agreed, `Full`."""
    agreed = select(Buddy).where(Buddy.owner == parcel.owner, Buddy.buddy == buddy, Buddy.state == "agreed")
    if tx.db.scalar(agreed.with_for_update()) is None or blocks.exists(tx.db, buddy, parcel.sender):
        raise Forbidden("nothing is taken here for them")
    home, size = site(host(parcel.sender)), len(parcel.sealed)
    theirs = _between(parcel.owner, buddy)
    if _is_over(tx.db, size, FOR_ONE, theirs) or _is_over(tx.db, size, FROM_ONE, theirs, Held.site == home):
        raise Full("the mailbox has no room for more; keep it, and send it when they are awake")
    named = {"owner": parcel.owner, "buddy": buddy, "sender": parcel.sender, "site": home, "key": parcel.key_id}
    tx.db.add(Held(id=ids.new(tx.now), sealed=parcel.sealed, size=size, **named))


def clear(tx: Transaction, buddy: str, owner: str, read: Iterable[str]) -> None:
    """Forget what its owner has by now. Raise `Forbidden` unless something is held for them at all."""
    agreed = (Buddy.owner == owner, Buddy.buddy == buddy, Buddy.state == "agreed")
    if not tx.db.execute(update(Buddy).where(*agreed).values(handed=tx.now)).rowcount:  # type: ignore[attr-defined]
        raise Forbidden("nothing is held here for you")
    numbers = [number for uri in read if (number := ids.from_slug(uri.rpartition("#")[2])) is not None]
    tx.db.execute(delete(Held).where(_between(owner, buddy), Held.id.in_(numbers)))


def empty(tx: Transaction, row: Buddy) -> None:
    """It is not agreed any more: nothing of it is kept."""
    tx.db.execute(delete(Held).where(_between(row.owner, row.buddy)))


@listens(Blocked)
def drop(tx: Transaction, event: Blocked) -> None:
    """Whom a buddy blocks, nothing is held of any more."""
    tx.db.execute(delete(Held).where(Held.sender == event.blocked, Held.buddy == event.by))


@listens(Departed)
def forget_actor(tx: Transaction, event: Departed) -> None:
    """What a sender left who is no more is kept: it may be just what says so."""
    theirs = or_(Held.owner == event.actor, Held.buddy == event.actor)
    tx.db.execute(delete(Held).where(theirs))


@chore(timedelta(hours=1))
def forget(tx: Transaction) -> bool:
    old = tx.db.scalars(select(Held.id).where(Held.id < ids.first(tx.now - KEPT)).limit(SOME)).all()
    tx.db.execute(delete(Held).where(Held.id.in_(old)))
    return len(old) == SOME


# --- Queries -----------------------------------------------------------------------------------------------------


def held_for(owner: str, buddy: str) -> Select[int, Held]:
    """Oldest first: what one sender left is in the order in which it was said."""
    return select(Held.id, Held).where(_between(owner, buddy)).order_by(Held.id)


def is_agreed(db: Session, owner: str, buddy: str) -> bool:
    agreed = (Buddy.owner == owner, Buddy.buddy == buddy, Buddy.state == "agreed")
    return db.scalar(select(Buddy.id).where(*agreed)) is not None


def buddies_of(db: Session, owner: str) -> tuple[str, ...]:
    """Those who agreed to hold for `owner`, the first first."""
    agreed = (Buddy.owner == owner, Buddy.state == "agreed")
    return tuple(db.scalars(select(Buddy.buddy).where(*agreed).order_by(Buddy.id)))


def how_much(db: Session, row: Buddy) -> tuple[int, int]:
    """How many parcels one of us holds, and their octets."""
    return _sums(db, _between(row.owner, row.buddy))


def amounts(db: Session, buddy: str) -> dict[str, tuple[int, int]]:
    """The same for each owner for whom it holds anything."""
    rows = select(Held.owner, func.count(), func.sum(Held.size)).where(Held.buddy == buddy).group_by(Held.owner)
    return {owner: (number, int(octets)) for owner, number, octets in db.execute(rows)}


def address(buddy: str, row: Held) -> str:
    return f"{buddy}/{PATH}#{ids.slug(row.id)}"


def _between(owner: str, buddy: str) -> ColumnElement[bool]:
    return (Held.owner == owner) & (Held.buddy == buddy)


def _is_over(db: Session, size: int, quota: tuple[int, int], *of: ColumnElement[bool]) -> bool:
    number, octets = _sums(db, *of)
    return number >= quota[0] or octets + size > quota[1]


def _sums(db: Session, *of: ColumnElement[bool]) -> tuple[int, int]:
    row = db.execute(select(func.count(), func.coalesce(func.sum(Held.size), 0)).where(*of)).one()
    return row[0], int(row[1])
