"""The workers of an instance, kept going: receipts in, lanes out, upkeep."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial

import structlog

from federation.instance import Instance
from federation.lanes import Lanes
from federation.receipts import Receipts
from federation.store import Unavailable
from federation.upkeep import Upkeep

LOOK_UP = 0.5  # seconds: another process (the command line) may have written something, a back-off may be over
LULL = 0.05  # seconds without mail, after which it is worked through
PATIENCE = 5.0  # seconds that it waits for a lull at most
PAUSE = 5.0  # seconds, while the database cannot be written

log = structlog.get_logger()


async def run(here: Instance, *, alone: bool = True) -> None:
    """Work until cancelled. `alone`: no other process delivers from this database, so what it held is free again."""
    lanes, receipts = Lanes(here, takes_over=alone), Receipts(here)
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_keep_going(here, "lanes", lanes.work))
            tasks.create_task(_keep_going(here, "receipts", partial(_catch_up, here, receipts)))
            tasks.create_task(_keep_going(here, "upkeep", Upkeep(here).work))
    finally:
        lanes.stop()


async def _catch_up(here: Instance, receipts: Receipts) -> None:
    """Take in first, work afterwards: while mail comes piece after piece, what it means can wait a little."""
    arrived, until = here.store.topic("receipts"), time.monotonic() + PATIENCE
    more = True
    while more:
        while time.monotonic() < until and await _is_set(arrived, LULL):
            arrived.clear()
        more = await receipts.work()


async def _is_set(event: asyncio.Event, seconds: float) -> bool:
    """Whether it is set, now or within so many seconds."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True


async def _keep_going(here: Instance, topic: str, work: Callable[[], Awaitable[object]]) -> None:
    """Work whenever `topic` is woken, and look for work now and then."""
    changed = here.store.topic(topic)
    while True:
        changed.clear()
        try:
            await work()
        except Unavailable as error:
            log.warning("worker.pauses", worker=topic, reason=str(error))
            await asyncio.sleep(PAUSE)
        except Exception:  # a bug in one worker must not stop the others, nor the server
            log.exception("worker.failed", worker=topic)
            await asyncio.sleep(PAUSE)
        await _is_set(changed, LOOK_UP)
