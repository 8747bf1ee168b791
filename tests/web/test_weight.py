"""What a page costs: how often it asks the database, and how much goes over the wire before it can be read."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import Engine, event

from federation.store import Store
from tests.web.every_page import every_page, routes
from tests.web.inhabitants import Inhabitant
from tests.web.lively import Lively, lively

MOST = 20  # statements
LARGEST = 100_000  # octets, as they are sent: uncompressed, with what the page loads of us, pictures aside
WRITTEN = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")

_LOADED = re.compile(r'<(?:link rel="(?:stylesheet|icon)" href|script[^>]* src|use href)="(/static/[^"#]+)')


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lively]:
    found = await lively(tmp_path_factory.mktemp("house"))
    yield found
    await found.fediverse.close()


@contextmanager
def statements(store: Store) -> Iterator[list[str]]:
    """What the driver of SQLite is told meanwhile, past whatever is between it and us; words for transactions aside."""
    told: list[str] = []

    def note(text: str) -> None:
        if text.lstrip().startswith(WRITTEN):
            told.append(text)

    def watch(connection: Any, *_: object) -> None:
        connection.set_trace_callback(note)

    def leave(connection: Any, *_: object) -> None:
        if connection is not None:
            connection.set_trace_callback(None)

    engines: tuple[Engine, ...] = (store.engine, store._for_writing)
    for engine in engines:
        event.listen(engine, "checkout", watch)
        event.listen(engine, "checkin", leave)
    try:
        yield told
    finally:
        for engine in engines:
            event.remove(engine, "checkout", watch)
            event.remove(engine, "checkin", leave)


async def octets(one: Inhabitant, path: str) -> int:
    """Of a page and of all that it loads, with their headers."""
    pages = [await one.sees(path)]
    pages += [await one.sees(loaded) for loaded in sorted({*_LOADED.findall(pages[0].text)})]
    return sum(
        len(page.content) + sum(len(name) + len(value) + 4 for name, value in page.headers.raw) for page in pages
    )


async def test_shows_home_3_no_page_asks_the_database_more_than_twenty_times(house: Lively) -> None:
    costly = {}
    for path in every_page(house):
        with statements(house.attic.instance.store) as told:
            page = await house.ada.sees(path)
        assert page.status_code < 400 or path in ("/nothing-here", "/@nobody"), (path, page.text)
        if len(told) > MOST:
            costly[path] = told

    assert {path: len(told) for path, told in costly.items()} == {}


async def test_shows_home_3_no_page_weighs_more_than_a_hundred_kilobytes(house: Lively) -> None:
    weights = {path: await octets(house.ada, path) for path in every_page(house)}

    assert len(weights) > len(routes())
    assert {path: weight for path, weight in weights.items() if weight > LARGEST} == {}
