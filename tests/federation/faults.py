"""What may befall the file of a database, as SQLite itself reports it, for as long as a test wants it to."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

from sqlalchemy import event

from federation.store import Store, database_file


@contextmanager
def locked(store: Store) -> Iterator[None]:
    """Another program holds the database, and does not let go."""
    with _told(store), closing(_other(store)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


@contextmanager
def full(store: Store) -> Iterator[None]:
    """There is no room for one more page, nor in those that were given back."""
    with closing(_other(store)) as other:
        other.execute("VACUUM")
    with _told(store, "max_page_count = 1"):
        yield


@contextmanager
def read_only(store: Store) -> Iterator[None]:
    with _told(store, "query_only = ON"):
        yield


def _other(store: Store) -> sqlite3.Connection:
    """As another program has one."""
    path = database_file(str(store.engine.url))
    assert path is not None
    return sqlite3.connect(path, isolation_level=None)


@contextmanager
def _told(store: Store, *pragmas: str) -> Iterator[None]:
    """Every connection, and no other than those that begin now, does as the `pragmas` say, and waits for nobody."""

    def tell(connection: sqlite3.Connection, _: object) -> None:
        for pragma in ("busy_timeout = 50", *pragmas):
            connection.execute(f"PRAGMA {pragma}")

    event.listen(store.engine, "connect", tell)
    store.engine.dispose()
    yield
    event.remove(store.engine, "connect", tell)
    store.engine.dispose()
