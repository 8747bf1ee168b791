"""What pages cost: the time until Today is there as HTML; how much is sent for each, and how often each asks."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import httpx
from sqlalchemy import select

import web.app
from boxroom.assemble import now
from coop import logins
from coop.accounts import Account
from federation.client import Client
from federation.instance import Instance
from federation.store import Store, Transaction
from federation.transport import transport
from tests.web.every_page import every_page
from tests.web.lively import lively
from tests.web.weighing import octets, statements
from web.pages.today import LATEST
from web.session import Browser


async def today(store: Store, turns: int) -> list[float]:
    """Seconds of each request for Today, after the first few, which warm up."""
    home, browser = store.home, Browser.new()

    def enter(tx: Transaction) -> None:
        logins.enter(tx, browser.key, tx.db.scalars(select(Account.id)).one(), "a benchmark")

    await store.write(enter)
    client = Client(transport(False), home, now, agent=f"Boxroom/benchmark (+{home}/)")
    app = web.app.create({home.partition("://")[2]: Instance(home, store, client)})
    headers = {"accept": "text/html", "cookie": f"__Host-boxroom={browser.secret}"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=home, headers=headers) as visitor:
        took = [await _seconds(visitor) for _ in range(turns + turns // 10)]
    await client.close()
    return took[-turns:]


async def _seconds(visitor: httpx.AsyncClient) -> float:
    began = time.perf_counter()
    page = await visitor.get("/today")
    took = time.perf_counter() - began
    if page.status_code != 200 or page.text.count("h-entry") != LATEST:
        raise SystemExit(f"Today is not there: {page.status_code}")
    return took


@dataclass(frozen=True, slots=True)
class Heaviest:
    """Of all pages the one that most is sent for, and the one that asks the database most often."""

    octets: int
    sent_for: str
    statements: int
    asked_by: str


async def heaviest(folder: Path) -> Heaviest:
    """In a house where much is going on."""
    house = await lively(folder)
    sizes, asked = dict[str, int](), dict[str, int]()
    for path in every_page(house):
        with statements(house.attic.instance.store) as told:
            await house.ada.sees(path)
        sizes[path], asked[path] = await octets(house.ada, path), len(told)
    await house.fediverse.close()
    large, busy = max(sizes, key=sizes.__getitem__), max(asked, key=asked.__getitem__)
    return Heaviest(sizes[large], large, asked[busy], busy)
