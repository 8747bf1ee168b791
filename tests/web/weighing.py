"""Weighing pages: how often one asks the database, and how much goes over the wire before it can be read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from sqlalchemy import event

from federation.store import Store
from tests.web.inhabitants import Inhabitant

MOST = 20  # statements
LARGEST = 100_000  # octets, as they are sent: pages uncompressed, for what is secret in one could be guessed otherwise

_WRITTEN = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")
_LOADED = re.compile(r'<(?:link rel="(?:stylesheet|icon)" href|script[^>]* src|use href)="(/static/[^"#]+)')


@contextmanager
def statements(store: Store) -> Iterator[list[str]]:
    """What the driver of SQLite is told meanwhile, past whatever is between it and us; words for transactions aside."""
    told: list[str] = []

    def note(text: str) -> None:
        if text.lstrip().startswith(_WRITTEN):
            told.append(text)

    def watch(connection: Any, *_: object) -> None:
        connection.set_trace_callback(note)

    def leave(connection: Any, *_: object) -> None:
        if connection is not None:
            connection.set_trace_callback(None)

    event.listen(store.engine, "checkout", watch)  # those that write are of the same pool
    event.listen(store.engine, "checkin", leave)
    try:
        yield told
    finally:
        event.remove(store.engine, "checkout", watch)
        event.remove(store.engine, "checkin", leave)


async def octets(one: Inhabitant, path: str) -> int:
    """Of a page and of all that it loads of us, pictures aside, with their headers, for who was never there before."""
    pages = [await one.sees(path)]
    pages += [await one.sees(loaded) for loaded in sorted({*_LOADED.findall(pages[0].text)})]
    return sum(_sent(page) for page in pages)


def _sent(answer: httpx.Response) -> int:
    headers = sum(len(name) + len(value) + 4 for name, value in answer.headers.raw)
    return int(answer.headers["content-length"]) + headers
