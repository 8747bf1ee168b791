"""A buddy that is killed again and again while parcels are left with it and fetched from it.

The real program on real sockets. What it acknowledged it keeps until its owner has it; what its owner says may go is
handed over no more.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import msgspec
import pytest
from sqlalchemy import select

from activitypub import context
from activitypub.collection import read_items
from activitypub.document import Document
from activitypub.parcel import Parcel
from coop import accounts, mailboxes
from coop.mailboxes import Buddy, Held
from federation import ids
from federation.client import Signer, Unreachable
from federation.store import Store, Transaction
from tests.boxroom.house import House, found
from tests.crash.world import Person, people
from tests.federation.stranger import rsa

KILLS = 5
SENDERS = 4
PARCELS = 5  # that each of them leaves while the buddy lives

pytestmark = pytest.mark.xdist_group("crash")  # not beside itself, nor what measures time


@dataclass(slots=True)
class Village:
    """Who leaves things for `owner` with the buddy who keeps the mailbox `box`."""

    house: House
    box: str
    owner: Person
    senders: list[Person]
    chance: Random
    posted: Counter[str] = field(default_factory=Counter)  # how often each parcel was left, answered or not
    handed: dict[str, str] = field(default_factory=dict)  # which parcel lay there under which id
    cleared: set[str] = field(default_factory=set)  # ids that the buddy was told may go, and said yes

    async def day(self, seconds: float | None) -> None:
        """A life of the buddy's: after so many `seconds` the power fails, else it ends when all is fetched."""
        life = ExitStack()
        server = await asyncio.to_thread(life.enter_context, self.house.open())
        work = [asyncio.create_task(self._leaves(person)) for person in self.senders]
        if seconds is not None:
            work.append(asyncio.create_task(self._fetches()))
            await asyncio.sleep(seconds)
            server.kill()
        await asyncio.gather(*work)
        while seconds is None and await self._fetch():
            pass
        await asyncio.to_thread(life.close)

    async def _leaves(self, person: Person) -> None:
        """First again what was not acknowledged, as every server does, then something new."""
        lost = [one for one in person.written if one["id"] not in person.acknowledged]
        start = len(person.written)
        names = [f"{person.uri}/parcels/{number}" for number in range(start, start + PARCELS)]
        key = f"{self.owner.uri}#sealing-key"
        new = [{"id": name, **Parcel(person.uri, self.owner.uri, key, name.encode()).write()} for name in names]
        for parcel in [*lost, *new]:
            if parcel in new:
                person.written.append(parcel)
            self.posted[parcel["id"]] += 1
            if not await person.sends(self.box, parcel):
                return
            await asyncio.sleep(self.chance.uniform(0, 0.02))

    async def _fetches(self) -> None:
        """As long as somebody is there who answers."""
        with suppress(Unreachable):
            while True:
                await self._fetch()

    async def _fetch(self) -> bool:
        """Take what lies there, and say that it may go; whether there was anything. Raise `Unreachable`."""
        await asyncio.sleep(self.chance.uniform(0, 0.05))
        signer = Signer(f"{self.owner.uri}#main-key", rsa(0))
        first = (await self.owner.client.document(self.box, signer)).require("first")
        page = read_items(await self.owner.client.document(first, signer))
        names = [self._takes(one) for one in page if isinstance(one, Document)]
        if not names:
            return False
        read = {"@context": context.PLAIN, "type": "Read", "actor": self.owner.uri, "object": names}
        answer, _ = await self.owner.client.post(self.box, msgspec.json.encode(read), signer, "cavage")
        assert answer.is_success, answer
        self.cleared.update(names)
        return True

    def _takes(self, held: Document) -> str:
        assert held.id not in self.cleared, "it was handed over, and said to be gone"
        sealed = Parcel.read(held).sealed.decode()
        assert self.handed.setdefault(held.id, sealed) == sealed
        return held.id


@pytest.fixture
def house(tmp_path: Path) -> House:
    return found(tmp_path / "bo", "bo")


@pytest.fixture
def store(house: House) -> Iterator[Store]:
    """The buddy's database, opened by this process."""
    store = Store(f"sqlite:///{house.folder / 'boxroom.db'}", house.url, lambda: datetime.now(UTC))
    yield store
    store.close()


async def agrees(store: Store, owner: str) -> str:
    """Have whoever lives there hold for `owner`; return the mailbox."""

    def agree(tx: Transaction) -> str:
        buddy = accounts.first(tx.db).uri
        tx.db.add(
            Buddy(id=ids.new(tx.now), uri=f"{owner}/mailbox", owner=owner, buddy=buddy, since=tx.now, state="agreed")
        )
        return f"{buddy}/{mailboxes.PATH}"

    return await store.write(agree)


@pytest.mark.timeout(120)
async def test_a_buddy_that_is_killed_loses_nothing_and_hands_nothing_over_that_was_cleared(
    house: House, store: Store
) -> None:
    seed = int(os.environ.get("BOXROOM_TEST_SEED", "20261122"))
    print(f"BOXROOM_TEST_SEED={seed}")
    chance = Random(seed)

    async with people(SENDERS + 1, chance) as [owner, *senders]:
        village = Village(house, await agrees(store, owner.uri), owner, senders, chance)
        for _ in range(KILLS):
            await village.day(chance.uniform(0.05, 0.6))
        acknowledged = set().union(*(person.acknowledged for person in senders))
        fetched = len(village.cleared)
        await village.day(None)

    written = {parcel["id"] for person in senders for parcel in person.written}
    times = Counter(village.handed.values())
    assert acknowledged <= times.keys(), "something was acknowledged and is not there"
    assert times.keys() == written, "everything arrived in the end"
    assert times <= village.posted, "nothing lay there twice that was left once"
    assert await store.read(lambda db: db.scalars(select(Held.id)).all()) == []
    again = (village.posted - Counter(dict.fromkeys(written, 1))).total()
    print(f"{KILLS} kills; {len(written)} parcels, {fetched} of them fetched between those, {again} left anew")
