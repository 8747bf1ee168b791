"""Fetching on waking what buddies hold for those who live here (P-173).

The law: a buddy is trusted to keep things, not to tell the truth. What it hands over is opened with the key of whom it
is for, proves itself like anything that is passed on, and becomes a receipt as if it had been sent: so nothing takes
effect twice. What does not is dropped; what is withheld still comes by its own lane. Whoever hands over without end is
not asked on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import msgspec
import structlog
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from activitypub import context
from activitypub.actor import Actor as Profile
from activitypub.collection import read_items
from activitypub.document import Document
from activitypub.errors import Malformed, ProtocolError
from activitypub.origin import origin
from activitypub.parcel import Parcel
from coop import sealing, visits
from coop.events import Woken, listens
from coop.mailboxes import FOR_ONE, PAGE, Buddy
from coop.visits import Visit
from federation import inbox, known, outbox
from federation.client import Gone, Unreachable
from federation.instance import Instance, NoKey
from federation.registry import chore, errand
from federation.store import Transaction
from federation.tables import Actor

EVERY = timedelta(seconds=2)
PAGES = 10  # of one buddy in a row; then others have their turn
MAX_PAGES = FOR_ONE[0] // PAGE  # after one waking: all that a buddy like us would hold of one of us
TURN = timedelta(seconds=30)  # so long it may answer slowly, in one turn

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Box:
    """Where `buddy` holds for `owner`, one of us."""

    owner: str
    buddy: str
    place: str


@listens(Woken)
def plan(tx: Transaction, event: Woken) -> None:
    """Every buddy of somebody here is to be asked."""
    ours = select(Actor.uri).where(Actor.local)
    buddies = select(Buddy.buddy).where(Buddy.owner.in_(ours), Buddy.state == "agreed").distinct()
    visits.plan(tx, "parcel", buddies, event.since)


@chore(timedelta(days=1))
def plan_daily(tx: Transaction) -> bool:
    """Also without a sleep: it may have been the line between us and others that was down."""
    plan(tx, Woken(tx.now))
    return False


@errand(EVERY)
async def collect(here: Instance) -> None:
    """Fetch from the buddies that are due: from several at once, from each one parcel after the other."""
    if not await here.store.read(lambda db: visits.is_any_due(db, ["parcel"], here.now())):
        return
    claimed = await here.store.write(lambda tx: visits.claim(tx, ["parcel"]))
    await asyncio.gather(*(_ask(here, visit) for some in claimed.values() for visit in some))


async def _ask(here: Instance, visit: Visit) -> None:
    """Give one buddy its turn, and write down whether it has more."""
    pages, more = visit.pages, False
    try:
        for box in await here.store.read(lambda db: _boxes(db, visit.whom)):
            read, more = await _fetch(here, box, min(PAGES, MAX_PAGES - pages))
            pages += read
            if more:
                break
    except Unreachable as error:
        log.info("buddy.not_reached", buddy=visit.whom, reason=error.reason)
        await here.store.write(lambda tx: visits.fail(tx, visit))
        return
    except (ProtocolError, Gone, NoKey) as error:
        log.info("buddy.has_nothing", buddy=visit.whom, reason=str(error))
    if more and pages < MAX_PAGES:
        await here.store.write(lambda tx: visits.go_on(tx, visit, None, pages))
    else:
        await here.store.write(lambda tx: visits.finish(tx, visit))


async def _fetch(here: Instance, box: Box, most: int) -> tuple[int, bool]:
    """Read the first page until it is empty, for what was taken in is not on it any more.

    Return how often it was read, and whether there is more.
    """
    first = (await here.document(box.place, box.owner)).require("first")
    if origin(first) != origin(box.place):
        raise Malformed(f"{first} is not where {box.place} is")
    until = here.now() + TURN
    for number in range(most):
        page = [one for one in read_items(await here.document(first, box.owner)) if isinstance(one, Document)]
        if not page:
            return number + 1, False
        await _take(here, box, page[:PAGE], until)
        if here.now() > until:
            return number + 1, True
    return most, True


async def _take(here: Instance, box: Box, page: Sequence[Document], until: datetime) -> None:
    """Keep what proves itself, then have the buddy forget what was looked at; not all, if keys take long to be had."""
    names: list[str] = []
    for one in page:
        if here.now() > until:
            break
        names += one.uris("id")
        try:
            content = await here.store.read(partial(_opened, owner=box.owner, held=one))
            await inbox.keep_held(here, content, box.buddy)
        except ProtocolError as error:
            log.warning("parcel.dropped", buddy=box.buddy, sender=one.uri("actor"), reason=str(error))
    read = {"id": await here.store.write(outbox.new_uri), "type": "Read", "actor": box.owner, "object": names}
    body = msgspec.json.encode({"@context": context.PLAIN, **read})
    answer, _ = await here.client.post(box.place, body, await here.signer(box.owner))
    if not answer.is_success:
        raise Unreachable(f"{box.place} answers {answer.status}")
    await here.store.write(partial(_was_handed, box=box))


def _boxes(db: Session, buddy: str) -> list[Box]:
    """For each of us whose buddy that is, where its own server says that the mailbox is."""
    place = Profile.read(Document(known.actor(db, buddy).document)).mailbox
    ours = (Buddy.buddy == buddy, Buddy.state == "agreed", Actor.local)
    owners = select(Buddy.owner).join(Actor, Actor.uri == Buddy.owner).where(*ours).order_by(Buddy.id)
    return [Box(owner, buddy, place) for owner in db.scalars(owners)] if place else []


def _opened(db: Session, owner: str, held: Document) -> bytes:
    """Raise `Malformed` unless it is sealed with a key of `owner`, and as it was."""
    parcel = Parcel.read(held)
    private = sealing.private(db, owner, parcel.key_id)
    if private is None:
        raise Malformed("it is sealed for somebody else, or with a key that is long gone")
    return parcel.open(private)


def _was_handed(tx: Transaction, box: Box) -> None:
    tx.db.execute(update(Buddy).where(Buddy.owner == box.owner, Buddy.buddy == box.buddy).values(handed=tx.now))
