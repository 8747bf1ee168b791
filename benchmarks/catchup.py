"""How long a studio takes, after a week of sleep, to have all that its peers said meanwhile."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from benchmarks.programs import hosts, running
from benchmarks.studio import set_up
from benchmarks.wire import World
from boxroom.assemble import assemble
from boxroom.settings import Settings
from coop import accounts
from coop.follows import Follow
from coop.waking import Waking
from federation import discovery, ids
from federation.instance import Instance
from federation.store import Transaction

PATIENCE = 300  # seconds, after which it counts as never
SLEEP = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Caught:
    seconds: float  # from its start until it had everything
    cpu: float
    requests: int  # of its peers' pages, as far as they list anything
    twice: int  # entries in the feed that are there more than once


def measure(module: str, port: int, folder: Path, peers: int, items: int) -> Caught:
    """`peers` who said `items` things each, forty to a page."""
    world, data = World(peers, 23_000, folder, said=items), folder / "asleep"
    data.mkdir(parents=True)
    with hosts(world):
        asyncio.run(_fall_asleep(world, port, data))
        with running(module, port, data) as program:
            began = time.monotonic()
            while (had := _count(data, "objects")) < peers * items and time.monotonic() < began + PATIENCE:
                time.sleep(0.1)
            seconds, cpu = time.monotonic() - began, program.cpu()
        if had != peers * items:
            raise SystemExit(f"{had:,} of {peers * items:,} came within {PATIENCE} seconds")
    return Caught(seconds, cpu, peers * -(-items // world.page), _count(data, "entries") - had)


async def _fall_asleep(world: World, port: int, data: Path) -> None:
    """Leave behind the database of a studio that follows all of them, and was last awake a week ago."""
    here = assemble(data, Settings(url=f"http://localhost:{port}", allow_private_network=True))
    try:
        await set_up(here)
        for number in range(world.size):
            await discovery.fetch(here, world.uri(number))
        await here.store.write(lambda tx: _follow_all(tx, here, world))
    finally:
        await here.client.close()
        here.store.close()


def _follow_all(tx: Transaction, here: Instance, world: World) -> None:
    me, then = accounts.first(tx.db).uri, tx.now - SLEEP
    for number in range(world.size):
        uri = f"{here.home}/activities/{number}"
        both = {"follower": me, "followed": world.uri(number), "state": "accepted"}
        tx.add_new(Follow, id=ids.new(tx.now), uri=uri, since=then, **both)
    tx.add_new(Waking, id=ids.new(then), since=then, until=then, told=then)


def _count(data: Path, table: str) -> int:
    with closing(sqlite3.connect(f"file:{data / 'boxroom.db'}?mode=ro", uri=True)) as db:
        return int(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608 - of two names of ours
