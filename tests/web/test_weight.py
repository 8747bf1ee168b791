"""What a page costs: how often it asks the database, and how much goes over the wire before it can be read."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from sqlalchemy import text

from federation.store import Transaction
from tests.web.every_page import bare_pages, every_page, routes
from tests.web.lively import Lively, lively
from tests.web.weighing import LARGEST, MOST, octets, statements

NOT_THERE = ("/nothing-here", "/@nobody")

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("weight"),
    pytest.mark.timeout(900),
]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lively]:
    found = await lively(tmp_path_factory.mktemp("house"))
    yield found
    await found.fediverse.close()


async def test_every_page_is_there(house: Lively) -> None:
    seen = {path: (await house.ada.sees(path)).status_code for path in every_page(house)}
    empty = {path: (await house.nobody.sees(path)).status_code for path in bare_pages()}

    assert {path: status for path, status in seen.items() if status != 200} == dict.fromkeys(NOT_THERE, 404)
    assert {path: status for path, status in empty.items() if status != 200} == {}


async def test_shows_home_3_no_page_asks_the_database_more_than_twenty_times(house: Lively) -> None:
    costly = {}
    for path in every_page(house):
        with statements(house.attic.instance.store) as told:
            await house.ada.sees(path)
        if len(told) > MOST:
            costly[path] = len(told)

    assert costly == {}


async def test_shows_home_3_no_page_weighs_more_than_a_hundred_kilobytes(house: Lively) -> None:
    weights = {path: await octets(house.ada, path) for path in every_page(house)}

    assert len(weights) > len(routes())
    assert {path: weight for path, weight in weights.items() if weight > LARGEST} == {}


async def test_what_is_asked_and_what_is_written_is_counted(house: Lively) -> None:
    store = house.attic.instance.store

    def write(tx: Transaction) -> None:
        tx.db.execute(text("UPDATE accounts SET place = place"))

    with statements(store) as told:
        await store.read(lambda db: db.execute(text("SELECT 1")).all())
        await store.write(write)
    before = len(told)
    await store.read(lambda db: db.execute(text("SELECT 1")).all())

    assert before == len(told) >= 2
    assert [one for one in told if one.startswith("UPDATE accounts")] != []
