"""Reading what those whom we follow said while this server slept, where they live (P-173).

The law: an outbox is the word of its own server about its own actor and of nothing else. What it lists becomes a
receipt, as if it had been sent, so one path leads to its effect and nothing takes effect twice. The way back ends where
this server fell asleep, never at something that is known: lanes resume meanwhile, and bring the latest first.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable
from contextlib import suppress
from datetime import datetime, timedelta

import structlog
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from activitypub.document import Document
from activitypub.errors import ProtocolError
from activitypub.origin import origin
from coop import rounds, visits
from coop.accounts import Account
from coop.events import Woken, listens
from coop.follows import Follow
from coop.visits import Visit
from federation import discovery, inbox
from federation.client import Gone
from federation.discovery import Budget, Exhausted
from federation.instance import Instance
from federation.registry import errand
from federation.store import Transaction
from federation.tables import Actor, Object, Receipt

MAX_PAGES = 25  # of one outbox: a thousand things that we list, more than anybody says in a week
SLACK = timedelta(hours=1)  # so much their clock may be off, or their lane late, from when we fell asleep on
CROWDED = 5_000  # receipts that wait to be worked through; then there is no hurry to find more

log = structlog.get_logger()


@listens(Woken)
def plan(tx: Transaction, event: Woken) -> None:
    """Everybody elsewhere whom somebody here follows is to be asked."""
    ours = select(Follow.followed).join(Account, Account.uri == Follow.follower).where(Follow.state == "accepted")
    elsewhere = select(Actor.uri).where(Actor.uri.in_(ours), ~Actor.local, Actor.gone.is_(None))
    visits.plan(tx, "outbox", elsewhere, event.since)


@errand(rounds.EVERY)
async def read(here: Instance) -> None:
    """Read on in the outboxes that are due: of several servers at once, of each one after the other."""
    if await here.store.read(lambda db: visits.is_any_due(db, ["outbox"], here.now()) and not _is_crowded(db)):
        await rounds.go(here, ["outbox"], _read)


def _is_crowded(db: Session) -> bool:
    waiting = select(Receipt.id).where(Receipt.state == "waiting").limit(CROWDED).subquery()
    return db.scalar(select(func.count()).select_from(waiting)) == CROWDED


async def _read(here: Instance, visit: Visit, within: Budget) -> None:
    """Raise as `rounds.read_on` does."""
    outbox, reader = await here.store.read(lambda db: rounds.collection_of(db, visit, "outbox"))
    await rounds.read_on(
        here, visit, within, outbox, lambda page: _take(here, visit, page, reader, within), MAX_PAGES, reader
    )


async def _take(here: Instance, visit: Visit, page: list[str | Document], reader: str | None, within: Budget) -> bool:
    """Keep what is on a page, the oldest first; return whether it reaches back to when we fell asleep."""
    asleep = visit.since - SLACK
    addresses = [one for one in page if isinstance(one, str)]
    had = await here.store.read(lambda db: _received(db, addresses))
    unknown = [one for one in dict.fromkeys(addresses) if one not in had]
    documents = [one for one in page if isinstance(one, Document)]

    def keep(tx: Transaction) -> list[str]:
        inbox.keep_listed(tx, visit.whom, [one for one in reversed(documents) if not _is_before(one, asleep)])
        return _edited(tx.db, visit.whom, documents)

    try:
        async for one in _fetched(here, visit, unknown, reader, within):
            documents.append(one)  # noqa: PERF401 - one by one, so that what came before an error is kept
    finally:  # what is here is kept, even if the turn is over
        edited = await here.store.write(keep)
    for uri in edited:
        await _refreshed(here, uri, within)
    return any(_is_before(one, asleep) for one in documents) or any(when < asleep for when in had.values())


def _received(db: Session, activities: Collection[str]) -> dict[str, datetime]:
    """Those of some activities that came here, and when."""
    rows = db.execute(select(Receipt.uri, Receipt.received).where(Receipt.uri.in_(activities)))
    return {row.uri: row.received for row in rows}


async def _fetched(
    here: Instance, visit: Visit, addresses: Iterable[str], reader: str | None, within: Budget
) -> AsyncIterator[Document]:
    """What is at those of the addresses that are on the same server. Raise `Exhausted`, `Unreachable`."""
    for one in addresses:
        within.spend(one, here.now())
        with suppress(ProtocolError, Gone):
            if origin(one) == origin(visit.whom):
                yield await here.document(one, reader)


def _is_before(activity: Document, moment: datetime) -> bool:
    """Whether it says that it is older; what says nothing may be new."""
    said = activity.embedded("object")
    published = activity.time("published") or (said.time("published") if said else None)
    return published is not None and published < moment


def _edited(db: Session, actor: str, activities: Iterable[Document]) -> list[str]:
    """What we have of the actor's in an older version than is listed: that it was edited, an outbox does not tell."""
    embedded = [one for activity in activities if (one := activity.embedded("object"))]
    updated = {uri: when for one in embedded if (uri := one.uri("id")) and (when := one.time("updated"))}
    ours = select(Object).where(Object.uri.in_(updated), Object.author == actor, Object.deleted.is_(None))
    return [row.uri for row in db.scalars(ours) if updated[row.uri] > (row.updated or row.published)]


async def _refreshed(here: Instance, uri: str, within: Budget) -> None:
    """Raise `Exhausted`, `Unreachable`; what is wrong with one post alone keeps no other away."""
    try:
        await discovery.fetch(here, uri, within)
    except Exhausted:
        raise
    except (ProtocolError, Gone) as error:
        log.info("edit.not_read", object=uri, reason=str(error))
