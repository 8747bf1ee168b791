"""Statements that go past SQLAlchemy's machinery mean the same as through it, on every database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import bindparam, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from federation.prepared import Prepared
from federation.store import Store, Transaction
from federation.tables import Lane, Object, Receipt
from tests.databases import Databases
from tests.federation.test_store import opened

LANE = Prepared(select(Lane).where(Lane.host == bindparam("host"), Lane.failures == 0).limit(1))
FAILED = Prepared(update(Lane).where(Lane.host == bindparam("of")).values(failures=bindparam("failures")))
DOCUMENT = Prepared(select(Object.document, Object.published).where(Object.uri == bindparam("uri")))


@pytest.fixture
async def store(databases: Databases) -> AsyncIterator[Store]:
    store = opened(databases.new("garage"))
    yield store
    store.close()


async def test_what_is_written_is_read_back_as_it_was(store: Store) -> None:
    def write(tx: Transaction) -> None:
        said = {"id": 7, "uri": "https://attic.example/notes/1", "type": "Note", "author": "https://attic.example/ada"}
        tx.add_new(Object, **said, published=tx.now, document={"content": "25 % — ok?"}, visibility="public")
        assert DOCUMENT.rows(tx.db, uri=said["uri"]) == [({"content": "25 % — ok?"}, tx.now)]
        row = tx.db.scalars(select(Object)).one()
        assert (row.document, row.published, row.local) == ({"content": "25 % — ok?"}, tx.now, False)

    await store.write(write)


async def test_what_is_not_given_gets_its_default(store: Store) -> None:
    def write(tx: Transaction) -> None:
        about = {"uri": "https://attic.example/1", "type": "Like", "actor": "https://attic.example/ada", "body": b"{}"}
        assert tx.add_new(Receipt, **about, proven=True, received=tx.now, due=tx.now)
        assert not tx.add_new(Receipt, **about, proven=True, received=tx.now, due=tx.now)
        row = tx.db.scalars(select(Receipt)).one()
        assert (row.state, row.attempts, row.error, row.due) == ("waiting", 0, None, tx.now)

    await store.write(write)


async def test_constants_of_a_statement_need_not_be_given(store: Store) -> None:
    def write(tx: Transaction) -> None:
        tx.add_new(Lane, host="attic.example", due=tx.now + timedelta(hours=1))
        assert LANE.value(tx.db, host="attic.example") == "attic.example"
        assert FAILED.run(tx.db, of="attic.example", failures=3) == 1
        assert FAILED.run(tx.db, of="nobody.example", failures=3) == 0
        assert LANE.value(tx.db, host="attic.example") is None

    await store.write(write)


async def test_it_fails_as_every_other_statement_does(store: Store) -> None:
    def write(tx: Transaction) -> None:
        tx.add_new(Lane, host="attic.example", failures=None)

    with pytest.raises(IntegrityError) as told:
        await store.write(write)
    assert isinstance(told.value, DBAPIError)
