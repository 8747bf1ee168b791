"""The promises of the store: all or nothing, never for a neighbour's sake, and clear words when it cannot be."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractContextManager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from federation.store import Store, Transaction, Unavailable
from federation.tables import BlockedDomain
from tests.databases import Databases, Files
from tests.federation.faults import full, locked, read_only

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
async def store(databases: Databases) -> AsyncIterator[Store]:
    store = opened(databases.new("garage"))
    yield store
    store.close()


@pytest.fixture
async def file(tmp_path: Path) -> AsyncIterator[Store]:
    """A store in a file of SQLite, for what can only befall files."""
    store = opened(Files(tmp_path).new("garage"))
    yield store
    store.close()


def opened(url: str) -> Store:
    return Store(url, "https://garage.example", lambda: NOW)


def blocks(host: str) -> Callable[[Transaction], None]:
    """A write that leaves a row."""

    def work(tx: Transaction) -> None:
        tx.db.add(BlockedDomain(host=host, since=tx.now))
        tx.db.flush()

    return work


async def stored(store: Store) -> set[str]:
    return set(await store.read(lambda db: db.scalars(select(BlockedDomain.host)).all()))


async def test_what_is_written_is_there_when_the_write_returns(store: Store) -> None:
    answer = await store.write(lambda tx: (tx.now, tx.home))

    await store.write(blocks("loud.example"))

    assert answer == (NOW, "https://garage.example")
    assert await stored(store) == {"loud.example"}


async def test_of_ninety_writes_at_once_the_thirty_good_ones_are_stored(store: Store) -> None:
    def work(number: int) -> Callable[[Transaction], int]:
        def one(tx: Transaction) -> int:
            blocks(f"{number}.example" if number % 3 else "the-same.example")(tx)
            if number % 3 == 1:
                raise ValueError(number)
            if number % 3 == 2:
                return number
            blocks("taken.example")(tx)
            return number

        return one

    await store.write(blocks("taken.example"))

    results = await asyncio.gather(*(store.write(work(number)) for number in range(90)), return_exceptions=True)

    good = [number for number in range(90) if number % 3 == 2]
    assert [one for one in results if isinstance(one, int)] == good
    assert [type(results[number]) for number in (0, 1, 3, 4)] == [IntegrityError, ValueError] * 2
    assert await stored(store) == {"taken.example", *(f"{number}.example" for number in good)}


async def test_writes_that_wait_together_are_committed_together(file: Store) -> None:
    commits: list[object] = []
    event.listen(file.engine, "commit", commits.append)
    held, going = threading.Event(), threading.Event()

    def hold(tx: Transaction) -> None:
        going.set()
        held.wait(10)

    first = asyncio.create_task(file.write(hold))
    await asyncio.to_thread(going.wait, 10)
    others = [asyncio.create_task(file.write(blocks(f"{number}.example"))) for number in range(50)]
    await asyncio.sleep(0)
    held.set()
    await asyncio.gather(first, *others)

    assert len(commits) == 2


async def write_while_held(store: Store, *writes: Callable[[], Coroutine[Any, Any, object]]) -> list[object]:
    """What comes of writes that were all asked for while the writer was busy."""
    held, going = threading.Event(), threading.Event()

    def hold(tx: Transaction) -> None:
        going.set()
        held.wait(10)

    first = asyncio.create_task(store.write(hold))
    await asyncio.to_thread(going.wait, 10)
    waiting = [asyncio.create_task(write()) for write in writes]
    await asyncio.sleep(0)
    held.set()
    await first
    return await asyncio.gather(*waiting, return_exceptions=True)


async def test_what_neighbours_want_alike_is_done_for_all_of_them_at_once(file: Store) -> None:
    done: list[list[str]] = []

    def block_all(tx: Transaction, hosts: list[str]) -> None:
        done.append(hosts)
        tx.add_all_new(BlockedDomain, [{"host": host, "since": tx.now, "reason": ""} for host in hosts])

    def block(host: str) -> Callable[[], Coroutine[Any, Any, None]]:
        return lambda: file.write_together(block_all, host)

    same = partial(file.write, blocks("same.example"))
    await write_while_held(file, block("a"), block("b"), block("a"), same, block("c"), block("d"))

    assert done == [["a", "b", "a"], ["c", "d"]]
    assert await stored(file) == {"a", "b", "c", "d", "same.example"}


async def test_what_fails_for_one_is_done_for_its_neighbours(store: Store) -> None:
    def block_all(tx: Transaction, hosts: list[str]) -> None:
        for host in hosts:
            blocks(host)(tx)
            if host == "bad.example":
                raise ValueError(host)

    def block(host: str) -> Callable[[], Coroutine[Any, Any, None]]:
        return lambda: store.write_together(block_all, host)

    await store.write(blocks("taken.example"))
    names = ("a.example", "bad.example", "taken.example", "b.example")
    results = await write_while_held(store, *(block(name) for name in names))

    assert [type(one) for one in results] == [type(None), ValueError, IntegrityError, type(None)]
    assert await stored(store) == {"taken.example", "a.example", "b.example"}


async def test_a_row_that_is_there_already_is_told_from_a_new_one(store: Store) -> None:
    async def add() -> bool:
        return await store.write(lambda tx: tx.add_new(BlockedDomain, host="loud.example", since=tx.now, reason=""))

    assert [await add(), await add()] == [True, False]


async def test_an_attempt_that_fails_is_undone_alone(store: Store) -> None:
    def work(tx: Transaction) -> None:
        blocks("before.example")(tx)
        with suppress(ValueError), tx.attempt():
            blocks("inside.example")(tx)
            with tx.attempt():
                blocks("deep.example")(tx)
            raise ValueError
        with tx.attempt():
            blocks("after.example")(tx)

    await store.write(work)

    assert await stored(store) == {"before.example", "after.example"}


@pytest.mark.on("sqlite")
@pytest.mark.parametrize(("writes", "times"), [(False, 1), (True, 2)])
async def test_what_fails_before_it_writes_needs_no_undoing(store: Store, writes: bool, times: int) -> None:
    """SQLite says whether anything was written; only then is all of the transaction done anew, with savepoints."""
    runs = []

    def work(tx: Transaction) -> None:
        runs.append(tx.care)
        blocks("before.example")(tx)
        with suppress(ValueError), tx.attempt():
            if writes:
                blocks("inside.example")(tx)
            raise ValueError

    await store.write(work)

    assert await stored(store) == {"before.example"}
    assert runs == ["hopes", "saves"][:times]


async def test_an_attempt_that_the_database_refuses_is_undone_alone(store: Store) -> None:
    def work(tx: Transaction) -> None:
        blocks("before.example")(tx)
        with suppress(IntegrityError), tx.attempt():
            blocks("inside.example")(tx)
            blocks("before.example")(tx)
        blocks("after.example")(tx)

    await asyncio.gather(*(store.write(one) for one in (blocks("a.example"), work, blocks("b.example"))))

    assert await stored(store) == {"a.example", "before.example", "after.example", "b.example"}


async def test_whoever_waits_for_a_topic_is_woken_by_a_commit_and_by_nothing_else(store: Store) -> None:
    topic = store.topic("lanes")

    def wake(tx: Transaction) -> None:
        tx.wakes("lanes")

    def wake_and_fail(tx: Transaction) -> None:
        tx.wakes("lanes")
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        await store.write(wake_and_fail)
    woken_by_failure = topic.is_set()
    await store.write(wake)

    assert (woken_by_failure, topic.is_set()) == (False, True)


async def test_reads_go_on_during_a_long_write_and_see_nothing_of_it(store: Store) -> None:
    held, going = threading.Event(), threading.Event()

    def hold(tx: Transaction) -> None:
        blocks("loud.example")(tx)
        going.set()
        held.wait(10)

    writing = asyncio.create_task(store.write(hold))
    await asyncio.to_thread(going.wait, 10)
    during = await stored(store)
    held.set()
    await writing

    assert during == set()
    assert await stored(store) == {"loud.example"}


async def test_closing_ends_what_was_asked_for_and_takes_no_more(databases: Databases) -> None:
    url = databases.new("garage")
    store = opened(url)

    writes = [asyncio.create_task(store.write(blocks(f"{number}.example"))) for number in range(20)]
    await asyncio.sleep(0)
    store.close()
    await asyncio.gather(*writes)

    with pytest.raises(Unavailable, match="closed"):
        await store.write(blocks("late.example"))
    again = opened(url)
    assert len(await stored(again)) == 20
    again.close()


async def test_even_what_ends_a_program_does_not_end_the_writer(store: Store) -> None:
    def leave(tx: Transaction) -> None:
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        await store.write(leave)

    await store.write(blocks("loud.example"))
    assert await stored(store) == {"loud.example"}


def test_an_answer_that_nobody_waits_for_any_more_does_not_end_the_writer(tmp_path: Path) -> None:
    store = opened(Files(tmp_path).new("garage"))
    held, going = threading.Event(), threading.Event()

    def hold(tx: Transaction) -> None:
        going.set()
        held.wait(10)

    async def begin() -> None:
        task = asyncio.create_task(store.write(hold))
        await asyncio.to_thread(going.wait, 10)
        task.cancel()

    asyncio.run(begin())
    held.set()

    asyncio.run(store.write(blocks("loud.example")))
    assert asyncio.run(stored(store)) == {"loud.example"}
    store.close()


# --- When it cannot be written -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trouble", "words"),
    [(locked, "locked"), (full, "full"), (read_only, "readonly")],
    ids=["locked", "full", "readonly"],
)
async def test_what_cannot_be_stored_is_not_acknowledged_and_later_all_is_well(
    file: Store, trouble: Callable[[Store], AbstractContextManager[None]], words: str
) -> None:
    await file.write(blocks("before.example"))
    long = "x" * 5000  # more than the pages that there are still have room for

    with trouble(file):
        during = await asyncio.gather(
            *(file.write(blocks(f"{number}.{long}")) for number in range(20)), return_exceptions=True
        )
        read = await stored(file)

    assert {type(one) for one in during} == {Unavailable}
    assert words in str(during[0])
    assert "cannot be written" in str(during[0])
    assert read == {"before.example"}
    await file.write(blocks("after.example"))
    assert await stored(file) == {"before.example", "after.example"}


async def test_a_locked_database_is_waited_for_once_and_not_for_every_write(file: Store) -> None:
    said: list[str] = []
    event.listen(file.engine, "connect", lambda connection, _: connection.set_trace_callback(said.append))

    with locked(file):
        writes = [file.write(blocks(f"{number}.example")) for number in range(100)]
        await asyncio.gather(*writes, return_exceptions=True)

    assert 1 <= said.count("BEGIN IMMEDIATE") <= 2


async def test_a_write_that_asks_too_much_of_the_database_spoils_no_other(file: Store) -> None:
    def too_much(tx: Transaction) -> None:
        blocks("traceless.example")(tx)
        tx.db.execute(text("SELECT * FROM a_table_that_there_is_not"))

    results = await asyncio.gather(
        *(file.write(too_much if number == 5 else blocks(f"{number}.example")) for number in range(10)),
        return_exceptions=True,
    )

    assert [number for number, one in enumerate(results) if one is not None] == [5]
    assert isinstance(results[5], Unavailable)
    assert await stored(file) == {f"{number}.example" for number in range(10) if number != 5}


async def test_a_database_that_may_only_be_read_is_read(store: Store) -> None:
    is_sqlite = store.engine.dialect.name == "sqlite"

    def forbid(connection: Any, _: object) -> None:
        connection.execute("PRAGMA query_only = ON" if is_sqlite else "SET default_transaction_read_only = on")
        connection.commit()

    await store.write(blocks("before.example"))
    event.listen(store.engine, "connect", forbid)
    store.engine.dispose()

    during = await asyncio.gather(*(store.write(blocks(f"{n}.example")) for n in range(9)), return_exceptions=True)
    with pytest.raises(Unavailable, match=r"cannot be read: .*read-?only"):
        await store.read(lambda db: db.execute(text("DELETE FROM blocked_domains")))

    assert {type(one) for one in during} == {Unavailable}
    assert "cannot be written" in str(during[0])
    assert await stored(store) == {"before.example"}
    event.remove(store.engine, "connect", forbid)
    store.engine.dispose()
    await store.write(blocks("after.example"))


async def test_a_read_that_fails_says_so(store: Store) -> None:
    def read(db: Session) -> None:
        if db.get_bind().dialect.name == "sqlite":
            db.execute(text("SELECT * FROM a_table_that_there_is_not"))
        db.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    with pytest.raises(Unavailable, match="cannot be read"):
        await store.read(read)

    assert await stored(store) == set()


# --- Several processes -------------------------------------------------------------------------------------------


async def test_two_stores_on_one_database_lose_nothing_of_each_other(databases: Databases) -> None:
    """As the command line and a server, or several workers, do."""
    url = databases.new("garage")
    one, other = opened(url), opened(url)

    def count_up(tx: Transaction) -> None:
        row = tx.db.get(BlockedDomain, "counter.example", populate_existing=True)
        if row is None:
            row = BlockedDomain(host="counter.example", since=tx.now, reason="0")
            tx.db.add(row)
        row.reason = str(int(row.reason) + 1)
        tx.db.flush()

    await asyncio.gather(*(store.write(count_up) for _ in range(20) for store in (one, other)))

    reason = await one.read(lambda db: db.scalar(select(BlockedDomain.reason)))
    rows = await one.read(lambda db: db.scalar(select(func.count()).select_from(BlockedDomain)))
    assert (reason, rows) == ("40", 1)
    one.close()
    other.close()
