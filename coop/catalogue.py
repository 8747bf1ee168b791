"""What somebody said before anybody here followed them: their last posts, and all of their offers that are open.

The law: an outbox is the word of its own server about its own actor and of nothing else. Boosts in it are left out, for
they would have us ask others.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import structlog
from sqlalchemy import select

from activitypub.collection import MAX_PAGES, is_beside
from activitypub.document import Document
from activitypub.errors import Forbidden, Malformed, ProtocolError
from activitypub.note import author as author_of
from activitypub.proposal import Proposal
from activitypub.vocabulary import ACTIVITIES
from coop import finds, follows, rounds, visits
from coop.events import Notice, listens
from coop.rounds import Items
from coop.visits import Visit
from federation import known, registry
from federation.client import Gone
from federation.discovery import Budget, Exhausted
from federation.instance import Instance
from federation.registry import errand
from federation.store import Transaction
from federation.tables import Actor

POSTS = 40  # a page of ours, two of Mastodon's; whoever wants to read more looks at where they live

log = structlog.get_logger()


@listens(Notice)
def plan(tx: Transaction, event: Notice) -> None:
    """The first of us who follows somebody elsewhere has them asked; for the others it is here."""
    if event.kind != "follow accepted" or follows.followers_here(tx.db, event.by) - {event.to}:
        return
    elsewhere = select(Actor.uri).where(Actor.uri == event.by, ~Actor.local, Actor.gone.is_(None))
    visits.plan(tx, "catalogue", elsewhere, tx.now)
    if Document(known.actor(tx.db, event.by).document).uri("offers"):
        visits.plan(tx, "offers", elsewhere, tx.now)


@errand(rounds.EVERY)
async def read(here: Instance) -> None:
    await rounds.go(here, ["offers", "catalogue"], _ask)


async def _ask(here: Instance, visit: Visit, within: Budget) -> None:
    name = "offers" if visit.what == "offers" else "outbox"
    collection, reader = await here.store.read(lambda db: rounds.collection_of(db, visit, name))
    if reader is None:
        raise Malformed(f"nobody here follows {visit.whom} any more")
    if visit.what == "offers":
        await rounds.read_on(
            here, visit, within, collection, lambda page: _take_offers(here, visit, within, page), MAX_PAGES, reader
        )
    else:
        posts = _Posts(here, visit, within, reader)
        await rounds.read_on(here, visit, within, collection, posts.take, rounds.PAGES, reader)


# --- Offers ------------------------------------------------------------------------------------------------------


async def _take_offers(here: Instance, visit: Visit, within: Budget, page: Items) -> bool:
    """Fetch each one that we do not know; return whether that is enough, which it never is."""
    named = (one if isinstance(one, str) else one.uri("id") for one in page)
    theirs = [one for one in named if one and is_beside(one, visit.whom)]
    for uri in await here.store.read(lambda db: known.unknown(db, theirs)):
        try:
            await rounds.fetch(here, uri, within, partial(_check_offer, visit.whom), finds.keep)
        except Exhausted:
            raise
        except (ProtocolError, Gone) as error:
            log.info("offer.not_read", offer=uri, reason=str(error))
    return False


def _check_offer(whom: str, tx: Transaction, document: Document) -> None:
    """Raise `ProtocolError` unless it is an open offer of theirs."""
    if registry.kind(document) != "Proposal" or not Proposal.read(document).is_open(tx.now):
        raise Malformed(f"{document.id} is no open offer")
    _check_author(whom, document)


# --- Posts -------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Posts:
    """Keeps the last posts of an outbox, and knows when they are enough."""

    here: Instance
    visit: Visit
    within: Budget
    reader: str
    left: int = POSTS

    async def take(self, page: Items) -> bool:
        """Raise `Exhausted`, `Unreachable`; whatever was read by then is kept."""
        said = [one for item in page if (one := _object(item))][: self.left]
        documents: list[Document] = []
        try:
            for one in said:
                if document := await self._fetched(one) if isinstance(one, str) else one:
                    documents.append(document)
                self.left -= 1
        finally:
            await self.here.store.write(lambda tx: _keep(tx, self.visit.whom, documents[::-1]))
        return self.left == 0

    async def _fetched(self, uri: str) -> Document | None:
        """What is said at `uri`, or by the activity there, if it is on the same server and not known."""
        if uri in self.within.seen or not is_beside(uri, self.visit.whom):
            return None
        if await self.here.store.read(lambda db: known.is_known(db, uri)):
            return None
        self.within.spend(uri, self.here.now())
        with suppress(ProtocolError, Gone):
            document = await self.here.document(uri, self.reader)
            said = _object(document) if document.type in ACTIVITIES else document
            return said if isinstance(said, Document) else None
        return None


def _object(item: str | Document) -> str | Document | None:
    """What an item of an outbox says: itself, or by its address; of what only an address is given, that."""
    if isinstance(item, str):
        return item
    return item.embedded("object") or item.uri("object") if item.type == "Create" else None


def _keep(tx: Transaction, whom: str, documents: Iterable[Document]) -> None:
    """What is wrong with one post alone keeps no other away."""
    for document in documents:
        try:
            with tx.attempt():
                _check_author(whom, document)
                if not known.is_known(tx.db, document.id):
                    finds.keep(tx, document)
        except (ProtocolError, known.Missing) as error:
            log.info("post.not_read", by=whom, reason=str(error))


def _check_author(whom: str, document: Document) -> None:
    if author_of(document) != whom:
        raise Forbidden(f"{document.id} is not by {whom}")
