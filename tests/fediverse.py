"""A fediverse for tests: real instances, real signatures, real databases; only the wires and the clock are ours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, TypeVar

import httpx
import msgspec
from sqlalchemy import select

import web.app
from activitypub.document import Json
from boxroom.assemble import load_features
from coop import accounts
from federation import discovery, registry
from federation.client import Answer, Client, Signer
from federation.instance import Instance
from federation.lanes import Lanes
from federation.receipts import Receipts
from federation.store import Store, Transaction
from federation.tables import Actor, Row
from federation.upkeep import Upkeep
from tests.databases import Databases, share_compiled
from tests.wires import Wires

T = TypeVar("T")
R = TypeVar("R", bound=Row)
ROUNDS = 200  # of work, in which everybody must have settled

load_features()


@cache
def key_pair(number: int) -> accounts.KeyPair:
    """RSA keys take long to make, so studios of all tests share a few."""
    return accounts.new_keys()


@dataclass
class Studio:
    """One instance with one account, and what its owner does."""

    instance: Instance
    app: Any
    uri: str
    lanes: Lanes
    receipts: Receipts
    upkeep: Upkeep
    fediverse: Fediverse

    @property
    def home(self) -> str:
        return self.instance.home

    @property
    def host(self) -> str:
        return self.home.partition("://")[2]

    @property
    def address(self) -> str:
        return f"{self.host.partition('.')[0]}@{self.host}"

    async def does(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in a transaction, after everything that it needs was fetched."""
        return await discovery.completing(self.instance, work)

    async def knows(self, table: type[R]) -> list[R]:
        """All rows of a table, in the order in which they were made."""
        rows = select(table).order_by(*table.__mapper__.primary_key)
        return await self.instance.store.read(lambda db: list(db.scalars(rows)))

    async def meets(self, other: Studio) -> Actor:
        """Look the other one up by address, as a person would."""
        found = await discovery.lookup(self.instance, other.address)
        assert isinstance(found, Actor)
        return found

    async def follows(self, other: Studio) -> None:
        from coop import follows

        await self.meets(other)
        await self.does(lambda tx: follows.follow(tx, self.uri, other.uri))

    async def gets(self, url: str, signed: bool = True) -> Answer:
        """What a server is answered that asks for `url` as a program, signed by our account or by nobody."""
        signer = await self.instance.signer(self.uri) if signed else None
        return await self.instance.client.get(url, signer)

    async def sends(self, inbox: str, activity: Json, signer: Signer | None = None) -> Answer:
        """What another server answers to an activity that we make up as we like, signed by us unless `signer` is."""
        signer = signer or await self.instance.signer(self.uri)
        answer, _ = await self.instance.client.post(inbox, msgspec.json.encode(activity), signer)
        return answer


@dataclass
class Plug(Wires):
    """What each studio's client is plugged into."""

    fediverse: Fediverse

    async def carry(self, request: httpx.Request) -> httpx.Response:
        return await self.fediverse.carry(request)


@dataclass
class Fediverse:
    """The network between studios. Close it when done; the fixture does."""

    databases: Databases
    now: datetime = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    studios: dict[str, Studio] = field(default_factory=dict)
    asleep: set[str] = field(default_factory=set)  # hosts that nobody can connect to
    strangers: dict[str, Callable[[httpx.Request], httpx.Response]] = field(default_factory=dict)  # other software
    requests: list[httpx.Request] = field(default_factory=list)  # all that went over the wires

    async def studio(self, name: str, kind: accounts.Kind = "person", **settings: Any) -> Studio:
        """Set up a studio at ``https://{name}.example`` whose owner goes by the same name."""
        instance = self._opened(name, self.databases.new(name), **settings)
        pair = key_pair(len(self.studios))
        await instance.store.write(lambda tx: accounts.create_instance_actor(tx, pair))
        uri = await instance.store.write(lambda tx: accounts.create(tx, name, name.title(), kind, pair).uri)
        studio = self._at_work(instance, uri)
        # Where nobody has done anything yet, chores come to nothing, and take half of a test.
        studio.upkeep._due |= {chore: self.now + every for chore, every in registry.chores()}
        return studio

    async def opens(self, name: str, url: str) -> Studio:
        """Open the studio of that name whose database is there already, as if its program had just been started."""
        instance = self._opened(name, url)
        return self._at_work(instance, await instance.store.read(lambda db: accounts.first(db).uri))

    def _opened(self, name: str, url: str, **settings: Any) -> Instance:
        home = f"https://{name}.example"
        client = Client(Plug(self), home, lambda: self.now, agent=f"Boxroom/test (+{home}/)")
        store = Store(url, home, lambda: self.now)
        share_compiled(store)
        return Instance(home, store, client, **settings)

    def _at_work(self, instance: Instance, uri: str) -> Studio:
        app = web.app.create({instance.home.partition("://")[2]: instance})
        studio = Studio(instance, app, uri, Lanes(instance), Receipts(instance), Upkeep(instance, remembers=True), self)
        self.studios[studio.host] = studio
        return studio

    async def settle(self) -> None:
        """Let everyone work until nobody has anything left to do at this hour."""
        for _ in range(ROUNDS):
            busy = [await self._work(studio) for studio in self.studios.values() if studio.host not in self.asleep]
            if not any(busy):
                return
        raise AssertionError("they keep each other busy for ever")

    async def _work(self, studio: Studio) -> bool:
        busy = (await studio.receipts.work() or studio.receipts.is_fetching) | await studio.lanes.work()
        await studio.receipts.finish()
        await studio.lanes.finish()
        return busy | await studio.upkeep.do_chores()

    def later(self, **time: float) -> None:
        self.now += timedelta(**time)

    async def carry(self, request: httpx.Request) -> httpx.Response:
        """Bring one request to whom it is for."""
        self.requests.append(request)
        host = request.url.netloc.decode()
        if host in self.strangers and host not in self.asleep:
            return self.strangers[host](request)
        if host not in self.studios or host in self.asleep:
            raise httpx.ConnectError("no route to host", request=request)
        response = await httpx.ASGITransport(self.studios[host].app).handle_async_request(request)
        response.headers["date"] = self.now.strftime("%a, %d %b %Y %H:%M:%S GMT")
        return response

    async def close(self) -> None:
        for studio in self.studios.values():
            await studio.instance.client.close()
            studio.instance.store.close()
