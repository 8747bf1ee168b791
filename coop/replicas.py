"""Fetching what others have of a log and we lack, from any member's copy of it (P-253, P-254).

A statement that reached only some members is missed by the others once somebody says something after it: that waits,
and names what it waits for. So what was said is asked for, never what might have been.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from activitypub.collection import Walk
from activitypub.document import Document
from activitypub.errors import Malformed, ProtocolError
from activitypub.origin import origin
from activitypub.proof import hash_of
from coop import logbook, statements, visits
from coop.accounts import Account
from coop.events import Woken, listens
from coop.statements import Entry, Membership, Project
from coop.visits import Visit
from federation import discovery
from federation.client import Gone, Unreachable
from federation.instance import Absence, Instance
from federation.registry import errand
from federation.store import Transaction, Unavailable

EVERY = timedelta(minutes=1)
PATIENCE = timedelta(minutes=2)  # so long what is missing may be on its way by itself
AGAIN = timedelta(hours=1)  # after which a copy that did not help is asked again
AT_ONCE = 5  # projects that are seen to in one round
ENOUGH = 3  # copies that are read, to learn what was said last

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Gap:
    """What a project's log lacks here, where it may be had, and whose membership entitles us to it."""

    project: str
    missing: frozenset[str]
    replicas: tuple[str, ...]
    reader: str


@errand(EVERY)
async def catch_up(here: Instance) -> None:
    """Ask for statements that others come after, one copy of the log after the other, until none is missing."""
    for gap in await here.store.read(lambda db: gaps(db, here)):
        within = discovery.budget(here)
        for replica in gap.replicas:
            missing = await here.store.read(lambda db, gap=gap: _missing(db, gap.project))  # type: ignore[misc]
            if not missing:
                break
            if (absence := here.absences.get(replica)) and here.now() < absence.until:
                continue
            here.absences[replica] = Absence(here.now() + AGAIN, Unreachable, "it was asked not long ago")
            try:
                await _take(here, await _found(here, gap, replica, missing, within), within)
            except (ProtocolError, Unreachable, Gone) as error:
                log.info("replica.not_read", replica=replica, reason=str(error))


@listens(Woken)
def plan(tx: Transaction, event: Woken) -> None:
    """Every project that somebody here is in has members who may have said something last."""
    ours = select(Membership.project).join(Account, Account.uri == Membership.member)
    visits.plan(tx, "log", ours.distinct(), event.since)


@errand(EVERY)
async def hear_latest(here: Instance) -> None:
    """After we slept, ask for what nothing else that we have comes after: each of a few copies may know more."""
    if not await here.store.read(lambda db: visits.is_any_due(db, ["log"], here.now())):
        return
    claimed = await here.store.write(lambda tx: visits.claim(tx, ["log"], AT_ONCE))
    await asyncio.gather(*(_hear(here, visit) for some in claimed.values() for visit in some))


async def _hear(here: Instance, visit: Visit) -> None:
    gap = await here.store.read(lambda db: _gap(db, here, statements.find(db, visit.whom)))
    is_over = gap is None or not gap.replicas or await _is_told(here, gap)
    await here.store.write(lambda tx: visits.finish(tx, visit) if is_over else visits.fail(tx, visit))


async def _is_told(here: Instance, gap: Gap) -> bool:
    """Whether any member's copy could be read."""
    told, until = 0, here.now() + discovery.MAX_TIME
    for replica in gap.replicas:
        within = discovery.budget(here)
        try:
            await _take(here, await _latest(here, gap, replica, within), within)
        except (ProtocolError, Unreachable, Gone) as error:
            log.info("replica.not_read", replica=replica, reason=str(error))
        else:
            told += 1
        if told == ENOUGH or here.now() > until:
            break
    return told > 0


def gaps(db: Session, here: Instance) -> list[Gap]:
    """The projects in whose logs something waits for what we lack."""
    late = select(Entry.project).where(Entry.held, Entry.received < here.now() - PATIENCE)
    projects = db.scalars(select(Project).where(Project.uri.in_(late)).limit(AT_ONCE)).all()
    found = (_gap(db, here, project) for project in projects)
    return [gap for gap in found if gap is not None and gap.missing]


def _gap(db: Session, here: Instance, project: Project | None) -> Gap | None:
    if project is None:
        return None
    ours = select(Membership.member).join(Account, Account.uri == Membership.member)
    reader = db.scalar(ours.where(Membership.project == project.uri).limit(1))
    members = set(db.scalars(select(Membership.member).where(Membership.project == project.uri)))
    said = statements.said_in(db, project).values()
    copies = [one.replica for one in reversed(said) if one.replica and one.author in members]
    elsewhere = [uri for uri in dict.fromkeys([*copies, project.log]) if origin(uri) != origin(here.home)]
    return Gap(project.uri, _missing(db, project.uri), tuple(elsewhere), reader) if reader else None


def _missing(db: Session, project: str) -> frozenset[str]:
    held = db.scalars(select(Entry.document).where(Entry.project == project, Entry.held)).all()
    named = {before for one in held for before in one["after"]}
    return frozenset(_unknown(db, named))


async def _found(
    here: Instance, gap: Gap, replica: str, missing: Iterable[str], within: discovery.Budget
) -> list[Document]:
    """The statements that are missing and what they come after in turn, the newest first, since a log is long."""
    wanted, found = set(missing), list[Document]()
    async for page in _pages(here, replica, gap.reader, within):
        for hash_, document in page.items():
            if hash_ in wanted:
                found.append(document)
                wanted |= await here.store.read(lambda db, one=document: _unknown(db, one.strings("after")))  # type: ignore[misc]
                wanted.discard(hash_)
        if not wanted:
            break
    return found


async def _latest(here: Instance, gap: Gap, replica: str, within: discovery.Budget) -> list[Document]:
    """The statements that we do not have, the newest first, until a page has none."""
    found: list[Document] = []
    async for page in _pages(here, replica, gap.reader, within):
        unknown = await here.store.read(lambda db, page=page: _unknown(db, page))  # type: ignore[misc]
        if page and not unknown:
            break
        found += [document for hash_, document in page.items() if hash_ in unknown]
    return found


async def _pages(
    here: Instance, replica: str, reader: str, within: discovery.Budget
) -> AsyncIterator[dict[str, Document]]:
    """A copy of a log from its end on, page by page, each by the hashes of its statements."""
    walk, seen = Walk(replica), 0
    upcoming: str | None = replica
    while upcoming is not None:
        within.spend(upcoming, here.now())
        upcoming = walk.take(_backwards(await here.document(upcoming, reader)))
        page: dict[str, Document] = {}
        for document in (one for one in walk.items[seen:] if isinstance(one, Document)):
            with suppress(Malformed):
                page[hash_of(document.json)] = document
        yield page
        seen = len(walk.items)


def _backwards(page: Document) -> Document:
    """A collection or a page of it, so that it is read from its end."""
    turned = {"first": page.get("last") or page.get("first"), "next": page.get("prev")}
    items = page.get("orderedItems")
    return Document({**page.json, **turned, "orderedItems": items[::-1] if isinstance(items, list) else None})


def _unknown(db: Session, hashes: Iterable[str]) -> set[str]:
    named = set(hashes)
    return named - set(db.scalars(select(Entry.hash).where(Entry.hash.in_(named))))


async def _take(here: Instance, found: list[Document], within: discovery.Budget) -> None:
    """Learn what was found, the oldest first, each by its own author's proof; what cannot be, stops no other."""
    for document in reversed(found):
        try:
            await discovery.completing(here, lambda tx, one=document: logbook.learn(tx, one), within)  # type: ignore[misc]
        except (ProtocolError, Unreachable, Gone) as error:
            log.info("statement.refused", statement=document.id, reason=str(error))
        except Unavailable:
            raise
        except Exception:  # a bug must not keep a project's members apart
            log.exception("statement.failed", statement=document.id)
