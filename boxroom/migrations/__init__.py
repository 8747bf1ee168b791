"""The database's shape, and the way from any older one. A newer one than this program knows is left alone.

Alembic is imported only when there is something to do: a server that starts every day must not pay for it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from boxroom.settings import Wrong
from federation.store import connect, database_file

VERSIONS = Path(__file__).parent / "versions"
_TURN = 0x626F786D  # whose turn it is to migrate, among the processes that share a PostgreSQL


def known() -> list[str]:
    """Every version that this program knows, oldest first: they are named by date."""
    return sorted(file.stem for file in VERSIONS.glob("[0-9]*.py"))


def ensure_current(url: str, is_served: Callable[[], bool]) -> str | None:
    """Bring the database at `url` up to date if it is not; return the version that it had, or ``None`` if it was.

    A SQLite database is copied first, beside itself. Raise `Wrong` if it is newer than this program, or if it would
    change beneath a server that runs.
    """
    engine = connect(url)
    try:
        had = version(engine)
        if had == known()[-1]:
            return None
        if had is not None and had not in known():
            raise Wrong(f"the database is of a newer Boxroom ({had}): install that one, or restore a backup")
        if is_served():
            raise Wrong("the database has to be brought up to date: stop the server that is using it first")
        if had is not None and (file := database_file(url)) is not None:
            copy(file, file.with_name(f"{file.name}.{had}"))
        upgrade(engine)
        return had or "nothing"
    finally:
        engine.dispose()


def version(engine: Engine) -> str | None:
    """The version of a database; ``None`` of an empty one."""
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
        return found


def upgrade(engine: Engine, to: str = "head") -> None:
    """Run all migrations up to `to`. Processes that start at the same time wait for each other."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    with engine.begin() as connection:
        _take_turn(connection)
        config.attributes["connection"] = connection
        command.upgrade(config, to)


def copy(database: Path, to: Path) -> None:
    """Copy a SQLite database, whoever is using it meanwhile; what `to` held is replaced."""
    to.unlink(missing_ok=True)
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(to)) as target:
        source.backup(target)
    to.chmod(0o600)


def _take_turn(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_TURN})"))
