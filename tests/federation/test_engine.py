"""The workers together: each goes on whatever befalls the others, and stopping leaves nothing half done."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from sqlalchemy import event, text
from sqlalchemy.engine import ExceptionContext
from structlog.testing import capture_logs

from federation import engine, settling
from tests.federation.receiver import Receiver, knows, lane_to, says, states
from tests.federation.test_lanes import Hanging
from tests.fediverse import Fediverse, Studio

PATIENCE = 30  # seconds, on a machine that has much else to do


@asynccontextmanager
async def running(studio: Studio) -> AsyncIterator[None]:
    """With its workers going, in real time."""
    task = asyncio.create_task(engine.run(studio.instance))
    try:
        with capture_logs():  # to print where something fails takes longer than all else here
            async with asyncio.timeout(PATIENCE):
                yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def one_to_write_to(fediverse: Fediverse, attic: Studio, *slow: str) -> tuple[Receiver, str, Hanging]:
    social = Receiver(fediverse)
    dora = social.actor("dora")
    await knows(attic, dora)
    client = attic.instance.client
    client.transport = wires = Hanging(client.transport, set(slow))
    return social, dora, wires


async def test_what_is_published_goes_out_at_once(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    social, dora, wires = await one_to_write_to(fediverse, attic)

    async with running(attic):
        uri = await says(attic, [dora], settle=False)
        while uri not in [one["id"] for one in social.received]:
            wires.passed.clear()
            await wires.passed.wait()

    assert fediverse.requests


async def test_a_worker_that_fails_stops_no_other(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    social, dora, wires = await one_to_write_to(fediverse, attic)
    store = attic.instance.store

    with store.engine.begin() as connection:
        connection.execute(text("ALTER TABLE receipts RENAME TO not_there"))
    async with running(attic):
        await says(attic, [dora], settle=False)
        while not social.posts:
            wires.passed.clear()
            await wires.passed.wait()
    with store.engine.begin() as connection:
        connection.execute(text("ALTER TABLE not_there RENAME TO receipts"))

    assert len(social.posts) == 1


async def test_stopping_lets_go_of_what_is_under_way_and_blames_nobody(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    social, dora, wires = await one_to_write_to(fediverse, attic, "social.example")
    await says(attic, [dora], settle=False)

    async with running(attic):
        await wires.reached.wait()
    lane = await lane_to(attic)

    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert (await states(attic), lane.failures, lane.error) == (["waiting"], 0, None)
    wires.answer.set()
    async with running(attic):
        while not social.posts:
            wires.passed.clear()
            await wires.passed.wait()


async def test_a_database_that_cannot_be_written_at_the_start_is_waited_for(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    social, dora, wires = await one_to_write_to(fediverse, attic)
    store = attic.instance.store
    await says(attic, [dora], settle=False)
    await attic.does(lambda tx: settling.claim(tx, (), 10))  # and the power fails

    with store.engine.begin() as connection:
        connection.execute(text("ALTER TABLE lanes RENAME TO not_there"))
    failed, loop = asyncio.Event(), asyncio.get_running_loop()

    def tell(_: ExceptionContext) -> None:
        loop.call_soon_threadsafe(failed.set)

    event.listen(store.engine, "handle_error", tell)
    async with running(attic):
        await failed.wait()
        event.remove(store.engine, "handle_error", tell)  # other databases of the tests have the same dialect
        with store.engine.begin() as connection:
            connection.execute(text("ALTER TABLE not_there RENAME TO lanes"))
        while not social.posts:
            wires.passed.clear()
            await wires.passed.wait()

    assert len(social.posts) == 1
