"""Letters: direct posts, as conversations between the same people, and which of them one has read.

The law: a letter is whatever is said to nobody but those whom it names. Who may read it is decided by `access`, as of
any other post; here it is but written down for each of us with whom it was said, and whether it was read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import Index, Select, delete, exists, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from activitypub import audience
from activitypub.media import Media
from coop import accounts, blocks, posts
from coop.accounts import Account
from coop.blocks import Block
from coop.errors import Trouble
from coop.events import Blocked, Departed, Edited, Erased, Shown, listens
from coop.notifications import Notification
from coop.posts import Draft
from federation import known
from federation.registry import chore
from federation.store import Transaction
from federation.tables import Actor, Object, Row, partial

AT_ONCE = 200  # posts filed in one transaction
MANY = 100  # unread ones are counted up to here
MAX_PEOPLE = 20  # to whom one letter goes


class Letter(Row):
    """A direct post as one of us has it: in which circle of people it was said, and when it was read."""

    __tablename__ = "letters"
    __table_args__ = (
        Index(None, "account", "circle", "object"),
        Index(None, "object"),
        partial("account", "circle", where="read IS NULL"),
    )

    account: Mapped[int] = mapped_column(primary_key=True)
    object: Mapped[int] = mapped_column(primary_key=True)
    circle: Mapped[str]  # the hash of all others who are in it: it names nobody
    read: Mapped[datetime | None]


class Unfiled(Row):
    """A direct post from before there were letters: a migration asks for it to be filed."""

    __tablename__ = "unfiled"

    object: Mapped[int] = mapped_column(primary_key=True)


# --- Writing down ------------------------------------------------------------------------------------------------


@listens(Shown)
def remember(tx: Transaction, event: Shown) -> None:
    if event.boosted_by is None:
        _file(tx, event.object)


@listens(Edited)
def file_anew(tx: Transaction, event: Edited) -> None:
    """An edit may name somebody more, or nobody any more; what was read stays read."""
    row = event.object
    seen = {one.account: one.read for one in tx.db.scalars(select(Letter).where(Letter.object == row.id))}
    tx.db.execute(delete(Letter).where(Letter.object == row.id))
    _file(tx, row, seen)


def _file(tx: Transaction, row: Object, seen: dict[int, datetime | None] | None = None) -> None:
    if row.visibility != "direct" or row.type not in posts.READABLE:
        return
    everybody = people(row)
    for uri, account in accounts.numbers(tx.db).items():
        if uri in everybody and not blocks.exists(tx.db, uri, row.author):
            read = tx.now if uri == row.author else (seen or {}).get(account)
            tx.add_new(Letter, account=account, object=row.id, circle=circle(everybody - {uri}), read=read)


@chore(timedelta(seconds=30))
def file_old(tx: Transaction) -> bool:
    """File what a migration left to be filed, `AT_ONCE` posts of it; all of it counts as read."""
    waiting = tx.db.scalars(select(Unfiled.object).order_by(Unfiled.object).limit(AT_ONCE)).all()
    for row in tx.db.scalars(select(Object).where(Object.id.in_(waiting), Object.deleted.is_(None))).all():
        if tx.db.scalar(select(Letter.object).where(Letter.object == row.id).limit(1)) is None:
            _file(tx, row, dict.fromkeys(accounts.numbers(tx.db).values(), tx.now))
    tx.db.execute(delete(Unfiled).where(Unfiled.object.in_(waiting)))
    return len(waiting) == AT_ONCE


def people(row: Object) -> frozenset[str]:
    """Whoever wrote a letter, and all whom it is for."""
    return frozenset({row.author, *audience.recipients(row.said)})


def circle(others: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(sorted(others)).encode()).hexdigest()[:32]


@listens(Erased)
def forget(tx: Transaction, event: Erased) -> None:
    tx.db.execute(delete(Letter).where(Letter.object == event.object.id))


@listens(Blocked)
def hide(tx: Transaction, event: Blocked) -> None:
    for account, other in ((event.by, event.blocked), (event.blocked, event.by)):
        mine = Letter.account.in_(select(Account.id).where(Account.uri == account))
        theirs = exists().where(Object.id == Letter.object, Object.author == other)
        tx.db.execute(delete(Letter).where(mine, theirs))


@listens(Departed)
def clear(tx: Transaction, event: Departed) -> None:
    tx.db.execute(delete(Letter).where(Letter.account.in_(select(Account.id).where(Account.uri == event.actor))))


# --- Writing and reading -----------------------------------------------------------------------------------------


def write(tx: Transaction, author: str, to: Iterable[str], text: str, attachments: tuple[Media, ...] = ()) -> Object:
    """Send a letter to everybody in `to`, as an answer to the last one between just these, if there is one.

    Raise `Trouble` as `posts.publish` does, and for nobody or too many; `known.Missing` for whom nobody here has met.
    """
    others = tuple(dict.fromkeys(one for one in to if one != author))
    if not 1 <= len(others) <= MAX_PEOPLE:
        raise Trouble("a letter is for one to %(most)s others", most=MAX_PEOPLE)
    shut = select(Block.blocked).where(Block.by == author, Block.blocked.in_(others))
    if blocked := tx.db.scalar(shut.limit(1)):
        raise Trouble("you block %(name)s: lift that first", name=known.actor(tx.db, blocked).name)
    account = accounts.numbers(tx.db)[author]
    last = tx.db.scalar(between(account, circle(others)).limit(1))
    return posts.publish(
        tx, author, Draft(text, "direct", reply_to=last.uri if last else None, attachments=attachments, to=others)
    )


def latest(account: int, before: int | None = None) -> Select[str, int, int]:
    """Of each conversation its circle, its last letter and how many are unread, the latest first."""
    last = func.max(Letter.object)
    unread = func.count().filter(Letter.read.is_(None))
    rows = select(Letter.circle, last, unread).where(Letter.account == account).group_by(Letter.circle)
    return (rows if before is None else rows.having(last < before)).order_by(last.desc())


def between(account: int, circle: str, before: int | None = None) -> Select[Object]:
    """The letters of one conversation, latest first, older than `before`."""
    rows = select(Object).join(Letter, Letter.object == Object.id)
    rows = rows.where(Letter.account == account, Letter.circle == circle, Object.deleted.is_(None))
    return (rows if before is None else rows.where(Object.id < before)).order_by(Object.id.desc())


def unread(db: Session, account: int) -> int:
    """How many were not read yet; `MANY` stands for that many or more."""
    new = select(Letter.object).where(Letter.account == account, Letter.read.is_(None)).limit(MANY)
    return db.scalar(select(func.count()).select_from(new.subquery())) or 0


def mark_read(tx: Transaction, account: int, circle: str, until: int) -> None:
    """All letters of a conversation up to `until` were read, and so it is no news that they came."""
    seen = (Letter.account == account, Letter.circle == circle, Letter.object <= until, Letter.read.is_(None))
    about = select(Object.uri).join(Letter, Letter.object == Object.id).where(*seen)
    told = (Notification.account == account, Notification.read.is_(None), Notification.kind.in_(("mention", "reply")))
    tx.db.execute(update(Notification).where(*told, Notification.about.in_(about)).values(read=tx.now))
    tx.db.execute(update(Letter).where(*seen).values(read=tx.now))


def met(db: Session, uris: Iterable[str]) -> list[Actor]:
    """Those of `uris` whom we have met, by name."""
    return list(db.scalars(select(Actor).where(Actor.uri.in_({*uris})).order_by(Actor.name, Actor.uri)))
