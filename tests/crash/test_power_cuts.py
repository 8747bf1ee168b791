"""A server that is killed again and again, at any moment: what it acknowledged it keeps, what it promised it does.

The real program on real sockets. What is killed is the process; that the disk keeps what was synced, the disk promises.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import TypeVar

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from coop import accounts, posts
from coop.notifications import Notification
from coop.posts import Draft
from federation.store import Store, Transaction
from federation.tables import Activity, Delivery, Lane, Object, Receipt
from tests.boxroom.house import PATIENCE, House, found
from tests.crash.world import Person, people

T = TypeVar("T")

KILLS = 20
READERS = 6
NOTES = 4  # that each of them writes while the server lives
POSTS = 2  # that the studio publishes meanwhile

pytestmark = pytest.mark.xdist_group("crash")  # not beside itself, nor what measures time


@pytest.fixture
def house(tmp_path: Path) -> House:
    return found(tmp_path / "attic")


@pytest.fixture
def store(house: House) -> Iterator[Store]:
    """The same database, opened by another process than the server: by this one, as the command line does."""
    store = Store(f"sqlite:///{house.folder / 'boxroom.db'}", house.url, lambda: datetime.now(UTC))
    yield store
    store.close()


async def until(store: Store, done: Callable[[Session], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not await store.read(done):
        assert time.monotonic() < end, await store.read(lambda db: db.scalars(select(Lane)).all())
        await asyncio.sleep(0.05)


def activity_of(said: list[str]) -> Callable[[Session], list[str]]:
    """Under which id each post went out."""

    def find(db: Session) -> list[str]:
        created = select(Activity.object, Activity.uri).where(Activity.type == "Create")
        found = {row.object: row.uri for row in db.execute(created)}
        return [found[uri] for uri in said]

    return find


def notes_by(crowd: list[Person]) -> Callable[[Session], Counter[str]]:
    authors = [person.uri for person in crowd]
    return lambda db: Counter(db.scalars(select(Object.uri).where(Object.author.in_(authors))))


def told(db: Session) -> Counter[str]:
    """Of which notes the studio's owner was told."""
    return Counter(db.scalars(select(Object.uri).join(Notification, Notification.about == Object.uri)))


def states(db: Session) -> set[str]:
    return {state for row in (Receipt, Delivery) for state in db.scalars(select(row.state))}


def is_settled(db: Session) -> bool:
    waits = [db.scalar(select(row.id).where(row.state == "waiting").limit(1)) for row in (Receipt, Delivery)]
    return waits == [None, None]


@dataclass(slots=True)
class Days:
    """The lives of a server: each ends at a moment that chance picks, and each leads to the next."""

    house: House
    store: Store
    crowd: list[Person]
    chance: Random
    owner: str
    said: list[str] = field(default_factory=list)

    async def one(self, seconds: float | None) -> None:
        """A life in which everybody has something to say; after so many `seconds` the power fails."""
        life = ExitStack()
        server = await asyncio.to_thread(life.enter_context, self.house.open())
        talk = [asyncio.create_task(self._writes(person)) for person in self.crowd]
        talk.append(asyncio.create_task(self._publishes()))
        if seconds is None:
            await asyncio.gather(*talk)
            await until(self.store, is_settled)
        else:
            await asyncio.sleep(seconds)
            server.kill()
            await asyncio.gather(*talk)
        await asyncio.to_thread(life.close)

    async def _writes(self, person: Person) -> None:
        """First again what was not acknowledged, as every server does, then something new."""
        lost = [one for one in person.written if one["id"] not in person.acknowledged]
        for activity in [*lost, *(person.writes(self.owner) for _ in range(NOTES))]:
            if not await person.sends(f"{self.owner}/inbox", activity):
                return

    async def _publishes(self) -> None:
        """By another process than the server, as the command line does: it is told of nothing, and finds out."""
        for _ in range(POSTS):
            await asyncio.sleep(self.chance.uniform(0, 0.2))
            self.said.append(await self.store.write(self._publish))

    def _publish(self, tx: Transaction) -> str:
        return posts.publish(tx, self.owner, Draft(f"Still here, having said {len(self.said)} things.")).uri


async def begin(house: House, store: Store, crowd: list[Person], chance: Random) -> Days:
    """Everybody follows the studio."""
    owner = await store.read(lambda db: accounts.first(db).uri)
    life = ExitStack()
    await asyncio.to_thread(life.enter_context, house.open())
    for person in crowd:
        follow = {"id": f"{person.uri}/follow", "type": "Follow", "actor": person.uri, "object": owner}
        assert await person.sends(f"{owner}/inbox", follow)
    await until(store, is_settled)
    await asyncio.to_thread(life.close)
    return Days(house, store, crowd, chance, owner)


@pytest.mark.proves("P-103", "P-164")
@pytest.mark.timeout(300)
async def test_nothing_acknowledged_is_lost_and_nothing_is_done_twice(house: House, store: Store) -> None:
    seed = int(os.environ.get("BOXROOM_TEST_SEED", "20261122"))
    print(f"BOXROOM_TEST_SEED={seed}")
    chance = Random(seed)

    async with people(READERS, chance) as crowd:
        days = await begin(house, store, crowd, chance)
        for _ in range(KILLS):
            await days.one(chance.uniform(0.02, 0.6))
        kept = await store.read(lambda db: set(db.scalars(select(Receipt.uri))))
        acknowledged = set().union(*(person.acknowledged for person in crowd))
        await days.one(None)
        activities = await store.read(activity_of(days.said))

    written = [note["object"]["id"] for person in crowd for note in person.written]
    assert acknowledged <= kept, "something was acknowledged and is not there"
    assert await store.read(lambda db: states(db)) == {"done"}
    assert await store.read(notes_by(crowd)) == Counter(written), "each is here, once"
    assert await store.read(told) == Counter(written), "its effect was had, once"
    for person in crowd:
        assert sorted(set(person.read), key=person.read.index) == activities, "each arrived, in order"
        assert person.read == sorted(person.read, key=activities.index), "nothing overtook anything"
        assert len(person.read) - len(activities) <= KILLS, "only what was under way was sent again"
    again = sum(len(person.read) - len(activities) for person in crowd)
    print(
        f"{KILLS} kills; {len(written)} notes in; {len(activities)} posts out to {READERS} hosts, {again} of them twice"
    )
