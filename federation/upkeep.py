"""What is done now and then: the chores and errands that are registered, and what federation itself asks of others."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

import structlog
from sqlalchemy import Select, select

import federation.forgetting  # noqa: F401 - so that its chores are registered
from activitypub.document import Document
from activitypub.errors import ProtocolError
from federation import discovery, hints, registry, settling
from federation.client import Unreachable
from federation.instance import Instance
from federation.registry import Chore, Errand, errand
from federation.store import Transaction, Unavailable
from federation.tables import Actor

EVERY = timedelta(minutes=1)
AT_ONCE = 20  # servers asked in one round, for each purpose
NAMES = timedelta(days=1)  # after which a name that led nowhere is asked about again

T = TypeVar("T")
Task = TypeVar("Task", Chore, Errand)

log = structlog.get_logger()


@dataclass(slots=True)
class Upkeep:
    """The worker of one instance.

    Statements of chores are written anew each time: to remember one takes some 30 KB, and there are many, for once an
    hour. Whoever does them all the time `remembers` them.
    """

    here: Instance
    remembers: bool = False
    _due: dict[Chore | Errand, datetime] = field(default_factory=dict)

    async def work(self) -> None:
        """Do all that it is time for."""
        await self.do_chores()
        await self.run_errands()

    async def do_chores(self) -> bool:
        """What is done in the database now and then. Return whether some of it is not finished."""
        once = partial(_do_once, remembers=self.remembers)
        return await self._do(registry.chores(), lambda chore: self.here.store.write(partial(once, chore)))

    async def run_errands(self) -> None:
        """What is asked of others now and then."""
        await self._do(registry.errands(), lambda errand: errand(self.here))

    async def _do(
        self, tasks: Collection[tuple[Task, timedelta]], do: Callable[[Task], Awaitable[bool | None]]
    ) -> bool:
        unfinished = False
        for task, every in tasks:
            if (now := self.here.now()) < self._due.get(task, now):
                continue
            more = bool(await _tried(task.__name__, do(task)))
            self._due[task] = now if more else now + every
            unfinished |= more
        return unfinished


def _do_once(chore: Chore, tx: Transaction, remembers: bool) -> bool:
    if not remembers:
        tx.db.connection().execution_options(compiled_cache=None)
    return chore(tx)


async def _tried(what: str, doing: Awaitable[T], about: str = "") -> T | None:
    """What comes of it; ``None`` if it fails, for what is wrong with one must not stop the others."""
    try:
        return await doing
    except Unavailable as error:
        log.warning("upkeep.waits", what=what, about=about, reason=str(error))
    except Exception:
        log.exception("upkeep.failed", what=what, about=about)
    return None


async def _ask_all(here: Instance, ask: Callable[[Instance, str], Awaitable[object]], whom: Collection[str]) -> None:
    await asyncio.gather(*(_tried(ask.__name__, ask(here, one), one) for one in whom))


@errand(EVERY)
async def confirm_names(here: Instance) -> None:
    """Of actors whose handle nobody has confirmed by WebFinger yet (P-017)."""
    nameless = await here.store.read(lambda db: db.scalars(_nameless(here.now())).all())
    await _ask_all(here, discovery.confirm_address, nameless)


@errand(EVERY)
async def refresh(here: Instance) -> None:
    """Ask again who those are that are heard from, and were not asked for a day (P-075)."""
    await _ask_all(here, _ask_again, [here.stale.pop() for _ in range(min(len(here.stale), AT_ONCE))])


@errand(EVERY)
async def probe(here: Instance) -> None:
    """See whether hosts that were given up are there again (P-167)."""
    await _ask_all(here, _probe, await here.store.write(lambda tx: settling.to_probe(tx, AT_ONCE)))


async def _ask_again(here: Instance, uri: str) -> None:
    """Bring an actor up to date, keys and name included; one that its server deleted is deleted here (P-075, P-118)."""
    try:
        if await discovery.refresh(here, uri):
            await discovery.confirm_address(here, uri)
        else:
            await hints.follow(here, Document({"type": "Delete", "actor": uri, "object": uri}))
    except (ProtocolError, Unreachable) as error:
        log.info("actor.not_refreshed", actor=uri, reason=str(error))


async def _probe(here: Instance, host: str) -> None:
    """If it is there again, what waits for it is sent."""
    scheme = here.home.partition("://")[0]
    try:
        answer = await here.client.get(f"{scheme}://{host}/.well-known/nodeinfo", accept="application/json")
    except (ProtocolError, Unreachable):
        return
    if answer.is_success:
        await here.store.write(lambda tx: settling.hear_from(tx, [host]))


def _nameless(now: datetime) -> Select[str]:
    unasked = Actor.address_asked.is_(None) | (Actor.address.is_(None) & (Actor.address_asked < now - NAMES))
    return select(Actor.uri).where(unasked, ~Actor.local, Actor.gone.is_(None)).order_by(Actor.id.desc()).limit(AT_ONCE)
