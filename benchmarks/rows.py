"""Whether cost grows with what is stored: a delivery with the followers, a page of the feed with the posts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import insert, select

from benchmarks import pages
from boxroom.assemble import load_features, now
from coop import accounts, feed, posts
from coop.accounts import Account
from coop.follows import Follow
from coop.posts import Draft
from federation import ids
from federation.store import Store, Transaction
from federation.tables import Actor, Object, Row

PAGE = 20
CHUNK = 10_000
TURNS = 50


def cost_per_delivery(folder: Path, followers: int) -> float:
    """Seconds that publishing takes for each of so many followers, each on a host of its own."""
    with store_in(folder / f"followers-{followers}") as store:
        asyncio.run(fill(store, _followers, followers))
        took = [asyncio.run(_publish(store)) for _ in range(3)]
    return min(took) / followers


@dataclass(frozen=True, slots=True)
class Feed:
    """Seconds for a page of the home feed: to ask the database alone, and until Today is there as HTML."""

    asked: float
    shown: float


def feed_page(folder: Path, stored: int) -> Feed:
    """What a page of the home feed takes, the median of some, when so many posts are stored."""
    with store_in(folder / f"posts-{stored}") as store:
        asyncio.run(fill(store, _posts, stored))
        took = [asyncio.run(_page(store)) for _ in range(TURNS)]
        seen = asyncio.run(pages.today(store, TURNS))
    return Feed(median(took), median(seen))


@contextmanager
def store_in(folder: Path) -> Iterator[Store]:
    """A new database in `folder`, with one account."""
    load_features()
    folder.mkdir(parents=True)
    store = Store(f"sqlite:///{folder / 'rows.db'}", "https://garage.example", now)
    Row.metadata.create_all(store.engine)
    pair = accounts.new_keys()
    asyncio.run(store.write(lambda tx: accounts.create(tx, "garage", "Garage", "person", pair).id))
    try:
        yield store
    finally:
        store.close()


async def fill(store: Store, rows: Any, count: int) -> None:
    """Have ``rows(tx, numbers)`` write so many, some at a time."""
    for begin in range(0, count, CHUNK):
        numbers = range(begin, min(count, begin + CHUNK))
        await store.write(partial(rows, numbers=numbers))


def _followers(tx: Transaction, numbers: range) -> None:
    me = accounts.first(tx.db).uri
    uris = [f"https://h{number}.example/actors/a" for number in numbers]
    times = dict.fromkeys(("first_seen", "fetched", "needed"), tx.now)
    common = {"type": "Person", "handle": "a", "name": "A", "document": {}, **times}
    actors = [{"id": ids.new(tx.now), "uri": uri, "host": uri[8:-9], "inbox": f"{uri}/inbox", **common} for uri in uris]
    tx.db.execute(insert(Actor), actors)
    one = {"followed": me, "state": "accepted", "since": tx.now}
    tx.db.execute(insert(Follow), [{"id": ids.new(tx.now), "uri": f"{uri}/f", "follower": uri, **one} for uri in uris])


def _posts(tx: Transaction, numbers: range) -> None:
    me = accounts.first(tx.db).id
    made = datetime(2026, 1, 1, tzinfo=UTC)
    objects, entries = [], []
    for number in numbers:
        when = made + timedelta(seconds=number)
        author = f"https://h{number % 500}.example/actors/a"
        uri = f"https://h{number % 500}.example/notes/{number}"
        document = {"id": uri, "type": "Note", "attributedTo": author, "content": f"<p>Post {number} of many.</p>"}
        row = {"id": ids.new(when), "uri": uri, "type": "Note", "author": author, "published": when}
        objects.append({**row, "document": document, "visibility": "public"})
        entries.append({"account": me, "id": row["id"], "object": row["id"], "boosted_by": None})
    tx.db.execute(insert(Object), objects)
    tx.db.execute(insert(feed.Entry), entries)


async def _publish(store: Store) -> float:
    me = await store.read(lambda db: accounts.first(db).uri)
    began = time.perf_counter()
    await store.write(lambda tx: posts.publish(tx, me, Draft("To all of you.")).id)
    return time.perf_counter() - began


async def _page(store: Store) -> float:
    def page(db: Any) -> int:
        me = db.scalar(select(Account.id))
        return len(db.execute(feed.home(me).limit(PAGE)).all())

    began = time.perf_counter()
    if await store.read(page) != PAGE:
        raise SystemExit("the feed has no page")
    return time.perf_counter() - began
