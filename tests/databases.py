"""Databases for tests, each with all tables and nothing in them: files of SQLite, or a PostgreSQL thrown away after."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Protocol

from sqlalchemy import Engine, create_engine, text

from federation.store import Store, connect
from federation.tables import Row

# What is lost when this machine fails is a test; `tests/crash` ends processes, never the kernel.
QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "shared_buffers=32MB", "max_connections=200")


class Databases(Protocol):
    """Where a test gets as many databases as it has studios."""

    def new(self, name: str) -> str:
        """The URL of an empty database."""
        ...


@dataclass(frozen=True, slots=True)
class Files:
    """Databases of SQLite in `folder`."""

    folder: Path

    def new(self, name: str) -> str:
        file = self.folder / f"{name}.db"
        file.write_bytes(_empty_file())
        return f"sqlite:///{file}"


@dataclass(slots=True)
class Server:
    """A PostgreSQL of our own. Its databases are emptied after a test and used again, since new ones take long."""

    url: str  # of the server, up to the name of a database
    _used: list[Engine] = field(default_factory=list)
    _free: list[Engine] = field(default_factory=list)

    def new(self, name: str) -> str:
        self._used.append(self._free.pop() if self._free else self._created())
        return self._used[-1].url.render_as_string(hide_password=False)

    def empty_all(self) -> None:
        """Take from the databases that the test had whatever it left there."""
        for engine in self._used:
            with engine.begin() as connection:
                connection.exec_driver_sql(_emptying())  # all with one word: there are many tables, most of them empty
        self._free += self._used
        self._used.clear()

    def close(self) -> None:
        for engine in (*self._used, *self._free):
            engine.dispose()

    def _created(self) -> Engine:
        name = f"studio{len(self._used)}"
        admin = create_engine(self.url.replace("/?", "/postgres?"), isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        admin.dispose()
        url = self.url.replace("/?", f"/{name}?")
        _create_tables(url)
        return connect(url)


def share_compiled(store: Store) -> None:
    """Let `store` use what others of its kind compiled: else each compiles all anew, which takes most of a test."""
    first = _firsts.setdefault(store.engine.dialect.name, store.engine)
    for engine in (store.engine, store._for_writing):
        engine.dialect, engine._compiled_cache = first.dialect, first._compiled_cache


_firsts: dict[str, Engine] = {}


@cache
def _emptying() -> str:
    tables = [*(table.name for table in reversed(Row.metadata.sorted_tables)), "search"]  # which no class describes
    return "".join(f"DELETE FROM {name};" for name in tables)  # noqa: S608 - the names are ours


@cache
def _empty_file() -> bytes:
    """What a new database of SQLite looks like: made once, since tables take longer than most tests."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "empty.db"
        _create_tables(f"sqlite:///{file}")
        return file.read_bytes()


def _create_tables(url: str) -> None:
    engine = connect(url)
    Row.metadata.create_all(engine)
    engine.dispose()


def programs() -> Path | None:
    """Where PostgreSQL's own programs are on this machine; ``None`` if they are not, or nobody may run them."""
    if os.geteuid() == 0 and not _another_user():
        return None
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    return next((file.parent for file in sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)), None)


@contextmanager
def postgresql() -> Iterator[Server]:
    """A PostgreSQL that listens at a socket in a folder of its own, until left."""
    bin_, user = programs(), _another_user() if os.geteuid() == 0 else None
    assert bin_ is not None
    folder = Path(tempfile.mkdtemp(prefix="boxroom-postgresql-"))
    if user:
        shutil.chown(folder, user)

    def run(program: str, *arguments: str) -> None:
        done = subprocess.run(
            [bin_ / program, "-D", folder / "data", *arguments],
            user=user,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert done.returncode == 0, done.stderr

    try:
        run("initdb", "--no-sync", "--auth=trust", "--username=boxroom", "--encoding=UTF8", "--no-locale")
        options = " ".join(["-k", str(folder), "-h ''", *(f"-c {setting}" for setting in QUICK)])
        run("pg_ctl", "start", "-w", "-l", str(folder / "log"), "-o", options)
        url = f"postgresql+psycopg://boxroom@/?host={folder}"
        server = Server(url)
        try:
            yield server
        finally:
            server.close()
            run("pg_ctl", "stop", "-w", "-m", "immediate")
    finally:
        shutil.rmtree(folder)


def _another_user() -> str | None:
    """Whom PostgreSQL may run as where we are root, since it refuses to be."""
    import pwd

    names = {entry.pw_name for entry in pwd.getpwall()}
    return next((name for name in ("postgres", "nobody") if name in names), None)
