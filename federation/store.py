"""The one way to the database: plain functions over a `Session`, run off the event loop.

The law: a transaction is a function, and functions cannot await, so nothing can wait for the network while it holds
the database. A write returns once what it did is on disk; writes that wait together are committed together. What fails
inside a transaction is undone alone (`Transaction.attempt`).
"""

from __future__ import annotations

import asyncio
import queue
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from contextvars import copy_context
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, InternalError, OperationalError
from sqlalchemy.orm import Session, make_transient_to_detached
from sqlalchemy.orm.instrumentation import manager_of_class

from federation.prepared import Prepared, insert_of, say, way
from federation.tables import Row
from federation.topics import Topics

R = TypeVar("R", bound=Row)
T = TypeVar("T")
Item = TypeVar("Item")
Clock = Callable[[], datetime]

# Of the database itself, and not of what was asked of it; the latter is what a read-only PostgreSQL raises.
FAULTS = (OperationalError, InternalError)


class Unavailable(Exception):
    """The database cannot be written now (disk full, locked, read-only). Nothing of this write was stored."""


class _NotBegun(Unavailable):
    """Nobody can write at all now: it is of no use to try one by one."""


class _Spoilt(Unavailable):
    """What cannot be undone by itself stands in the transaction: all of it is done anew, with savepoints."""


# What an attempt does so that it can be undone alone: nothing, since most succeed or fail before they write, and then
# there is nothing to undo; a quick savepoint; one of the session, which rolls back beyond those that it does not know.
_Care = Literal["hopes", "saves", "is careful"]


@dataclass(slots=True)
class Transaction:
    """What a function may use while it writes: the session, the moment, and where we live."""

    db: Session
    now: datetime
    home: str
    topics: set[str] = field(default_factory=set)
    care: _Care = "hopes"

    def insert(self, table: type[Row]) -> sqlite.Insert:
        """An INSERT that knows ``ON CONFLICT``, in the words of the database in use."""
        return insert_of(self.db.get_bind().dialect.name)(table)

    def add_new(self, table: type[Row], **values: Any) -> bool:
        """Insert a row unless one with the same unique values is there already; return whether it is new.

        It goes past the session: the row is not an object in it.
        """
        return bool(_insert_new(table, tuple(values)).run(self.db, **values))

    def add_all_new(self, table: type[Row], rows: Sequence[dict[str, Any]]) -> None:
        """The same for rows that all have the same columns, with one statement."""
        _insert_new(table, tuple(rows[0])).run_all(self.db, rows)

    def keep_new(self, table: type[R], **values: Any) -> R | None:
        """The same with a row that is an object in the session from then on; ``None`` if it is not new.

        Columns that are not in `values` are read when somebody asks for them.
        """
        if not self.add_new(table, **values):
            return None
        row: R = manager_of_class(table).new_instance()  # as if it had just been read
        vars(row).update(values)
        make_transient_to_detached(row)
        self.db.add(row)
        return row

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """What is done inside is undone, and it alone, if it raises. Raise `Unavailable` if all is undone with it."""
        self.db.flush()
        savepoint = self.db.begin_nested() if self.care == "is careful" else _Savepoint(self.db, self.care == "hopes")
        try:
            yield
            savepoint.commit()
        except BaseException:
            savepoint.rollback()
            self.db.info.clear()  # what was looked up may be undone, too
            raise

    def wakes(self, topic: str) -> None:
        """Once this is committed, wake whoever waits for `topic`."""
        self.topics.add(topic)


class _Savepoint:
    """Several times as quick as the session's own. One that `hopes` is none, as far as the database can tell it later
    whether anything was written.
    """

    def __init__(self, db: Session, hopes: bool) -> None:
        driver, _ = way(db)
        self._db, self._driver = db, driver
        self._written: int | None = getattr(driver, "total_changes", None) if hopes else None
        if self._written is None:
            _say(driver, "SAVEPOINT attempt")

    def commit(self) -> None:
        self._db.flush()
        if self._written is None:
            _say(self._driver, "RELEASE SAVEPOINT attempt")

    def rollback(self) -> None:
        """Raise `_Spoilt` if it hoped in vain."""
        self._db.expunge_all()
        if self._written is None:
            _say(self._driver, "ROLLBACK TO SAVEPOINT attempt")
            _say(self._driver, "RELEASE SAVEPOINT attempt")
        elif self._written != self._driver.total_changes:  # SQLite's has it
            raise _Spoilt("what was written cannot be undone alone")


def _say(driver: DBAPIConnection, statement: str) -> None:
    try:
        driver.cursor().execute(statement)
    except Exception as error:  # each driver has its own; all mean that the transaction is lost, as when a disk is full
        raise Unavailable(str(error)) from error


@cache
def _insert_new(table: type[Row], columns: tuple[str, ...]) -> Prepared:
    return Prepared(lambda insert: insert(table).on_conflict_do_nothing().inline(), *columns)


@dataclass(slots=True)
class _Job:
    work: Callable[..., Any]
    done: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop
    item: Any = None  # for `work` to do together with others
    shared: bool = False
    value: Any = None
    error: BaseException | None = None

    @property
    def kind(self) -> object:
        """Equal among neighbours whose items can be done together."""
        return self.work if self.shared else id(self)

    def finish(self) -> None:
        if self.done.done():
            return
        if self.error is None:
            self.done.set_result(self.value)
        else:
            self.done.set_exception(self.error)


def _do(tx: Transaction, jobs: list[_Job]) -> set[str]:
    """Do one job, or several of a kind; return which topics wake."""
    for job in jobs:
        job.value = job.error = None
    first = jobs[0]
    try:
        with tx.attempt():
            first.value = first.work(tx, [job.item for job in jobs]) if first.shared else first.work(tx)
    except (*FAULTS, Unavailable):
        raise
    except Exception as error:
        if len(jobs) > 1:
            raise  # each is done alone, then
        first.error = error  # it goes to whoever asked for this write
        return set()
    return tx.topics


class Store:
    """One database. SQLite has one writer thread; PostgreSQL has several, and retries what it finds in conflict."""

    BATCH = 128  # writes in one commit
    GATHERING = 0.004  # seconds; while many write, a commit waits for more, since it costs as much as ten writes
    READERS = 4
    CONFLICTS = 8  # with other writers, after which a write is given up

    def __init__(self, url: str, home: str, clock: Clock) -> None:
        self.home = home
        self.clock = clock
        self.engine = connect(url)
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._readers = ThreadPoolExecutor(self.READERS, "store-reader")
        self.topics = Topics()
        self._closed = False
        # There, what two writers do at once must come to what they would do one after the other, as it is with SQLite.
        options = {} if self.engine.dialect.name == "sqlite" else {"isolation_level": "SERIALIZABLE"}
        self._for_writing = self.engine.execution_options(**options)
        writers = 4 if options else 1
        self._writers = [threading.Thread(target=self._write_forever, name="store-writer") for _ in range(writers)]
        for writer in self._writers:
            writer.daemon = True
            writer.start()

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in a transaction; return after it is committed. If it raises, it alone is rolled back.

        Raise `Unavailable` if the database cannot be written. `work` may run twice (after a conflict with another
        process), so it must have no effect outside its transaction.
        """
        result: T = await self._put(work)
        return result

    async def write_together(self, work: Callable[[Transaction, list[Item]], None], item: Item) -> None:
        """As `write`, for what many ask for at once: `work` is run once for all items that wait next to each other.

        If it raises, it is run for each alone, so that none fails for a neighbour.
        """
        await self._put(work, item, shared=True)

    def _put(self, work: Callable[..., Any], item: object = None, shared: bool = False) -> asyncio.Future[Any]:
        if self._closed:
            raise Unavailable("the database is closed")
        loop = asyncio.get_running_loop()
        job = _Job(work, loop.create_future(), loop, item, shared)
        self._jobs.put(job)
        return job.done

    async def read(self, work: Callable[[Session], T]) -> T:
        """What `work` finds, in one consistent view. Raise `Unavailable` if the database cannot be read.

        It has the context of whoever waits for it, so that it knows which language they speak.
        """
        within = copy_context().run
        return await asyncio.get_running_loop().run_in_executor(self._readers, within, self._read, work)

    def topic(self, name: str) -> asyncio.Event:
        """Set after each commit that `Transaction.wakes` it; the one who waits for it clears it."""
        return self.topics.event(name)

    def close(self) -> None:
        """End when all writes that were asked for are done."""
        self._closed = True
        for _ in self._writers:
            self._jobs.put(None)
        for writer in self._writers:
            writer.join()
        self._readers.shutdown()
        self.engine.dispose()

    def _read(self, work: Callable[[Session], T]) -> T:
        try:
            with Session(self.engine, expire_on_commit=False) as db:
                return work(db)
        except FAULTS as error:
            raise Unavailable(f"the database cannot be read: {_reason(error)}") from error

    def _write_forever(self) -> None:
        batch: list[_Job] = []
        while (first := self._jobs.get()) is not None:
            if len(batch) > 1:
                time.sleep(self.GATHERING)
            batch = [first]
            while len(batch) < self.BATCH and not self._jobs.empty():
                if (more := self._jobs.get()) is None:
                    self._jobs.put(None)
                    break
                batch.append(more)
            topics = self._commit_together(batch)
            for loop in {job.loop for job in batch}:
                with suppress(RuntimeError):  # it is closed, so nobody waits any more
                    loop.call_soon_threadsafe(self._answer, [job for job in batch if job.loop is loop], topics)

    def _commit_together(self, batch: list[_Job], care: _Care = "hopes", conflicts: int = 0) -> set[str]:
        """Commit the batch; if that fails, once more one by one and with care, so that nobody fails for a neighbour."""
        in_vain = False
        try:
            return self._commit(batch, care)
        except _Spoilt:
            in_vain = True  # it is no reason for what goes wrong next
        except BaseException as error:  # noqa: BLE001 - it goes to all who wait; the thread serves the next
            if _is_conflict(error) and conflicts < self.CONFLICTS:
                time.sleep(random.uniform(0, 0.002 * 2**conflicts))  # noqa: S311 - so that the two do not meet again
                return self._commit_together(batch, care, conflicts + 1)
            if care == "is careful" or isinstance(error, _NotBegun):
                for job in batch:
                    job.error = _explained(error)
                return set()
        if in_vain:
            return self._commit_together(batch, "saves", conflicts)
        return set().union(*(self._commit_together([job], "is careful") for job in batch))

    def _commit(self, batch: list[_Job], care: _Care) -> set[str]:
        topics: set[str] = set()
        with Session(self._for_writing, expire_on_commit=False) as db, db.begin():
            _begin(db)
            for _, jobs in groupby(batch, key=lambda job: job.kind):
                topics |= _do(Transaction(db, self.clock(), self.home, care=care), [*jobs])
        return topics

    def _answer(self, batch: list[_Job], topics: set[str]) -> None:
        for name in topics:
            self.topics.wake(name)
        for job in batch:
            job.finish()


def connect(url: str) -> Engine:
    """An engine for `url`, for SQLite with the settings that survive a power cut (``synchronous=FULL``)."""
    if not url.startswith("sqlite"):
        return create_engine(url, pool_pre_ping=True, json_serializer=_json, json_deserializer=_unjson)
    engine = create_engine(url, json_serializer=_json, json_deserializer=_unjson)

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, below
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "busy_timeout=5000",
            "temp_store=MEMORY",  # what a savepoint may have to undo; else each writes a file
            "cache_size=-8000",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        writes = threading.current_thread().name == "store-writer"
        say(connection, "BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def database_file(url: str) -> Path | None:
    """Where a SQLite database lies; ``None`` for PostgreSQL."""
    return Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite") else None


def _begin(db: Session) -> None:
    try:
        db.connection()
    except DBAPIError as error:
        raise _NotBegun(_reason(error)) from error


def _is_conflict(error: BaseException) -> bool:
    """Whether PostgreSQL asks to do it again: it could not be serialised, or there was a deadlock."""
    return getattr(getattr(error, "orig", None), "sqlstate", None) in ("40001", "40P01")


def _explained(error: BaseException) -> BaseException:
    """As `Unavailable`, if the database is why: in its first words, since what is tried after that fails, too."""
    first: BaseException | None = None
    link: BaseException | None = error
    while link is not None:
        first = link if isinstance(link, DBAPIError | Unavailable) else first
        link = link.__context__
    if first is None:
        return error
    return Unavailable(f"the database cannot be written: {_reason(first)}")


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _unjson(text: str) -> Any:
    return msgspec.json.decode(text)


def _reason(error: BaseException) -> str:
    return str(getattr(error, "orig", None) or error).strip().splitlines()[0]
