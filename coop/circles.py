"""Whom those know whom we know: the `following` of everyone followed here, as far as it is served to us.

The law: what anybody follows is their own to tell. We read only what their server shows to the one of us who follows
them, and of those named there we keep cards only to show them if they want to be found (`cards.Card.findable`). All of
it is asked in the background, a little at a time; who looks for help asks nobody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from datetime import datetime, timedelta

import structlog
from sqlalchemy import ColumnElement, Index, Select, delete, exists, func, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Mapped, mapped_column

from activitypub import html
from activitypub.actor import Actor as Profile
from activitypub.collection import Walk
from activitypub.document import Document
from activitypub.errors import Malformed, ProtocolError
from activitypub.origin import host, origin, site
from coop.accounts import Account
from coop.cards import Card
from coop.events import Departed, listens
from coop.follows import Follow
from federation import discovery, known, registry
from federation.client import Gone, Unreachable
from federation.instance import Instance
from federation.registry import chore, errand, needs
from federation.store import Transaction
from federation.tables import Actor, Row

EVERY = timedelta(minutes=1)
CIRCLES = 3  # read in one round
CIRCLE = 500  # people of one circle, those followed last
ANEW = timedelta(days=2)  # after which a circle is read again
PEOPLE = 10  # asked in one round who they are
OF_ONE_SITE = 2  # of those: nobody is to be made to knock at one door all day
LOOKED_AT = 200  # people who are due, to choose from
SOON = timedelta(days=7)  # after which somebody who may be shown is asked again
LATE = timedelta(days=60)  # and somebody who may not; by then we have forgotten who they are

About = Callable[[InstrumentedAttribute[str]], ColumnElement[bool]]

log = structlog.get_logger()


class Circle(Row):
    """Somebody whom one of us follows, and when they were last asked whom they follow."""

    __tablename__ = "circles"

    actor: Mapped[str] = mapped_column(primary_key=True)
    asked: Mapped[datetime]


class Introduction(Row):
    """`by`, whom one of us follows, follows `of`."""

    __tablename__ = "introductions"
    __table_args__ = (Index(None, "of"), Index(None, "due"))

    by: Mapped[str] = mapped_column(primary_key=True)
    of: Mapped[str] = mapped_column(primary_key=True)
    due: Mapped[datetime]  # when to ask who `of` is


# --- Reading circles ---------------------------------------------------------------------------------------------


@errand(EVERY)
async def read_circles(here: Instance) -> None:
    """Ask some of those followed here who they are and whom they follow; where it is not served, not again soon."""
    for actor, reader in await here.store.read(lambda db: db.execute(_unread(here.now())).all()):
        await here.store.write(lambda tx, one=actor: _note_asked(tx, one))  # type: ignore[misc]
        try:
            await _renew(here, actor)
            people = await _people(here, actor, reader)
        except (ProtocolError, Unreachable, Gone) as error:
            log.info("circle.not_read", actor=actor, reason=str(error))
        else:
            await here.store.write(lambda tx, by=actor, of=people: _keep(tx, by, of))  # type: ignore[misc]


def _unread(now: datetime) -> Select[str, str]:
    """Whom somebody here follows and who was not asked lately; and the first of us who does."""
    followed = select(Follow.followed, func.min(Follow.follower)).join(Account, Account.uri == Follow.follower)
    followed = followed.join(Actor, Actor.uri == Follow.followed).outerjoin(Circle, Circle.actor == Follow.followed)
    is_due = or_(Circle.asked.is_(None), Circle.asked < now - ANEW)
    may_be_asked = (Follow.state == "accepted", ~Actor.local, Actor.gone.is_(None), is_due)
    return followed.where(*may_be_asked).group_by(Follow.followed).order_by(func.min(Follow.id)).limit(CIRCLES)


def _note_asked(tx: Transaction, actor: str) -> None:
    row = tx.insert(Circle).values(actor=actor, asked=tx.now)
    tx.db.execute(row.on_conflict_do_update(index_elements=["actor"], set_={"asked": tx.now}))


async def _renew(here: Instance, actor: str) -> None:
    """Ask who they are now, if nobody did for long: who is silent changes their card, too. Raise as `fetch` does."""
    row = await here.store.read(lambda db: known.actor(db, actor))
    if row.fetched < here.now() - ANEW:
        await discovery.fetch(here, actor)


async def _people(here: Instance, actor: str, reader: str) -> list[str]:
    """Whom `actor` follows, as their server tells `reader`. Raise as `Instance.document` does."""
    row = await here.store.read(lambda db: known.actor(db, actor))
    upcoming = Profile.read(Document(row.document)).following
    if upcoming is None:
        return []
    walk, within = Walk(upcoming), discovery.budget(here)
    while upcoming is not None and len(walk.items) < CIRCLE:
        within.spend(upcoming, here.now())
        upcoming = walk.take(await here.document(upcoming, reader))
    named = (one if isinstance(one, str) else one.uri("id") for one in walk.items)
    return [*dict.fromkeys(uri for uri in named if uri and _is_address(uri) and uri != actor)][:CIRCLE]


def _is_address(uri: str) -> bool:
    try:
        return html.safe_url(uri) == uri and bool(origin(uri))
    except Malformed:
        return False


def _keep(tx: Transaction, by: str, of: Collection[str]) -> None:
    """`by` follows just those, if one of us follows `by` still."""
    if tx.db.scalar(select(Follow.id).where(Follow.followed == by, Follow.state == "accepted").limit(1)) is None:
        return
    tx.db.execute(delete(Introduction).where(Introduction.by == by, Introduction.of.not_in(of)))
    if of:
        tx.add_all_new(Introduction, [{"by": by, "of": one, "due": tx.now} for one in of])


# --- Who they are ------------------------------------------------------------------------------------------------


@errand(EVERY)
async def meet(here: Instance) -> None:
    """Ask some of those who were named who they are, few of one site."""
    for uri in await here.store.write(_choose):
        try:
            await discovery.fetch(here, uri, check=_check)
        except (ProtocolError, Unreachable, Gone) as error:
            log.info("introduction.failed", actor=uri, reason=str(error))
        else:
            await here.store.write(lambda tx, of=uri: _postpone(tx, of))  # type: ignore[misc]


def _choose(tx: Transaction) -> list[str]:
    """Those who are asked now. They will not be asked again for long, whatever comes of it."""
    due = select(Introduction.of).where(Introduction.due <= tx.now).group_by(Introduction.of)
    people = tx.db.scalars(due.order_by(func.min(Introduction.due), Introduction.of).limit(LOOKED_AT)).all()
    asked = Counter[str]()
    chosen: list[str] = []
    for uri in people:
        asked[where := site(host(uri))] += 1
        if len(chosen) < PEOPLE and asked[where] <= OF_ONE_SITE:
            chosen.append(uri)
    fresh = select(Actor.uri).where(Actor.uri.in_(chosen), or_(Actor.local, Actor.fetched > tx.now - SOON))
    known_well = set(tx.db.scalars(fresh))
    tx.db.execute(update(Introduction).where(Introduction.of.in_(chosen)).values(due=tx.now + LATE))
    for uri in sorted(known_well):
        _postpone(tx, uri)
    return [uri for uri in chosen if uri not in known_well]


def _check(tx: Transaction, document: Document) -> None:
    if registry.kind(document) != "Actor":
        raise Malformed(f"{document.id} is nobody")


def _postpone(tx: Transaction, of: str) -> None:
    """Whoever may be shown is asked again before long, for cards change."""
    if tx.db.scalar(_findable([of])):
        tx.db.execute(update(Introduction).where(Introduction.of == of).values(due=tx.now + SOON))


# --- Forgetting --------------------------------------------------------------------------------------------------


@needs
def needed(some: Collection[str]) -> Select[str]:
    """Of those who are named, who may be shown."""
    return _findable(some).where(select(Introduction.by).where(Introduction.of == Actor.uri).exists())


@chore(timedelta(hours=1))
def clear(tx: Transaction) -> bool:
    """Forget whom those follow whom nobody here follows any more."""
    followed = select(Follow.followed).where(Follow.state == "accepted")
    tx.db.execute(delete(Introduction).where(Introduction.by.not_in(followed)))
    tx.db.execute(delete(Circle).where(Circle.actor.not_in(followed)))
    return False


@listens(Departed)
def forget(tx: Transaction, event: Departed) -> None:
    tx.db.execute(delete(Introduction).where(or_(Introduction.by == event.actor, Introduction.of == event.actor)))
    tx.db.execute(delete(Circle).where(Circle.actor == event.actor))


# --- Queries -----------------------------------------------------------------------------------------------------


def introductions(account: str, about: About) -> Select[str, str]:
    """Whom those follow whom `account` follows, and who does; `about` says who of them, by the column they stand in."""
    known = exists().where(Follow.follower == account, Follow.followed == Introduction.by, Follow.state == "accepted")
    return select(Introduction.by, Introduction.of).where(known, about(Introduction.of))


def following(account: str, by: str) -> ColumnElement[bool]:
    """Which actors somebody follows, as far as that is for `account`, one of us, to know."""
    told = introductions(account, lambda _: Introduction.by == by).with_only_columns(Introduction.of)
    mine = select(Follow.followed).where(Follow.follower == by, Follow.followed == account, Follow.state == "accepted")
    return or_(Actor.uri.in_(told), Actor.uri.in_(mine))


def followers(account: str, of: str) -> ColumnElement[bool]:
    """Which actors follow somebody, as far as that is for `account` to know."""
    told = introductions(account, lambda named: named == of).with_only_columns(Introduction.by)
    mine = select(Follow.follower).where(Follow.follower == account, Follow.followed == of, Follow.state == "accepted")
    return or_(Actor.uri.in_(told), Actor.uri.in_(mine))


def _findable(some: Collection[str]) -> Select[str]:
    return select(Actor.uri).join(Card, Card.id == Actor.id).where(Actor.uri.in_(some), Card.findable)
