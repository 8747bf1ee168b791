"""Facts: what has to be so where something arrived, looked for until it is, or until it is too late."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from boxroom.demo.studio import Studio
from federation.tables import Delivery, Lane, Receipt

LOOK_EVERY = 0.02  # seconds


@dataclass(frozen=True, slots=True)
class Fact:
    """A sentence, and how to see in the studio `at` whether it is true."""

    at: Studio
    sentence: str
    holds: Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it went with a fact: after how many milliseconds it held, or ``None`` and what may be the reasons."""

    sentence: str
    after: int | None
    reasons: tuple[str, ...] = field(default=())


def kept(at: Studio, sentence: str, query: Callable[[Session], object]) -> Fact:
    """A fact that is in the database of the studio `at`."""

    async def holds() -> object:
        return await at.reads(query)

    return Fact(at, sentence, holds)


def shown(
    at: Studio, sentence: str, url: str, *words: str, to: Studio, status: int = 200, signed: bool = False
) -> Fact:
    """A fact that `to` sees at `url`, a page of the studio `at`: as a stranger, or asking by name if `signed`."""

    async def holds() -> bool:
        accept = "application/activity+json" if signed else "text/html"
        answered, body = await to.asks_for(url, signed=signed, accept=accept)
        return answered == status and all(one in body for one in words)

    return Fact(at, sentence, holds)


async def watch(fact: Fact, since: float, patience: float, everyone: Iterable[Studio]) -> Outcome:
    """Look until `fact` holds, for up to `patience` seconds; tell how long after `since` that was."""
    end = time.perf_counter() + patience
    error = ""
    while True:
        try:
            if await fact.holds():
                return Outcome(fact.sentence, max(0, round((time.perf_counter() - since) * 1000)))
        except Exception as caught:  # noqa: BLE001 - whatever it is, the fact does not hold, and the others are looked at
            error = f"{type(caught).__name__}: {caught}"
        if time.perf_counter() > end:
            reasons = await reasons_at(fact.at, everyone)
            return Outcome(fact.sentence, None, (*([error] if error else []), *reasons))
        await asyncio.sleep(LOOK_EVERY)


async def reasons_at(at: Studio, everyone: Iterable[Studio]) -> tuple[str, ...]:
    """What may have kept something from arriving in a studio, or from having its effect there."""
    found = await at.reads(_unworked)
    for sender in everyone:
        found += await sender.reads(lambda db, sender=sender: _undelivered(db, sender, at))  # type: ignore[misc]
    return tuple(found)


def _unworked(db: Session) -> list[str]:
    troubled = select(Receipt).where((Receipt.error.is_not(None)) | (Receipt.state == "waiting")).order_by(Receipt.id)
    return [f"{one.type} from {one.actor} is {one.state}: {one.error}" for one in db.scalars(troubled)]


def _undelivered(db: Session, sender: Studio, at: Studio) -> list[str]:
    lane = db.get(Lane, at.host)
    stuck = [f"{sender}'s mail to {at} waits: {lane.error}"] if lane and lane.error else []
    refused = select(Delivery.error).where(Delivery.lane == at.host, Delivery.state == "refused")
    return stuck + [f"{sender}'s mail to {at} was refused: {error}" for error in db.scalars(refused)]
