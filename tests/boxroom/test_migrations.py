"""The database's shape: the migrations make just what the program expects, and touch nothing that is newer."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from boxroom import folder, migrations
from boxroom.settings import Wrong
from coop import search
from federation.store import connect
from federation.tables import Row
from tests.boxroom.house import House


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without any table."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    url: str = request.getfixturevalue("empty_postgresql")
    return url


def test_the_migrations_make_what_the_tables_say(empty: str) -> None:
    assert migrations.ensure_current(empty, lambda: False) == "nothing"

    engine = connect(empty)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "compare_server_default": True,
                "include_name": lambda name, kind, _: kind != "table" or name.partition("_")[0] != "search",
            },
        )
        assert compare_metadata(context, Row.metadata) == []
    engine.dispose()


def test_the_migrations_make_the_index_of_words(empty: str) -> None:
    migrations.ensure_current(empty, lambda: False)

    engine = connect(empty)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT words FROM search")).all() == []
    dialect = engine.dialect.name
    engine.dispose()
    scripts = "".join((migrations.VERSIONS / f"{name}.py").read_text() for name in migrations.known())
    assert all(statement in scripts for statement in search.TABLES[dialect])


def test_a_database_that_is_up_to_date_is_left_alone(empty: str) -> None:
    migrations.ensure_current(empty, lambda: False)

    assert migrations.ensure_current(empty, lambda: pytest.fail("nobody needs to ask")) is None


def test_the_newest_migration_is_the_last_by_name_and_by_history() -> None:
    config = Config()
    config.set_main_option("script_location", str(migrations.VERSIONS.parent))
    script = ScriptDirectory.from_config(config)

    assert script.get_current_head() == migrations.known()[-1]
    assert [one.revision for one in reversed(list(script.walk_revisions()))] == migrations.known()


@pytest.mark.parametrize("command", [("status",), ("migrate",), ("post", "Hello")])
def test_a_database_of_a_newer_program_is_refused(house: House, command: tuple[str, ...]) -> None:
    _pretend(house, "2031_01_01_from_the_future")

    line = house.fails(*command)

    assert "newer Boxroom (2031_01_01_from_the_future)" in line


def test_a_server_refuses_a_database_of_a_newer_program(house: House) -> None:
    _pretend(house, "2031_01_01_from_the_future")

    with house.starts("serve", "--port", "0") as server:
        assert server.wait(60) == 1
    assert "newer Boxroom" in house.log
    assert "Traceback" not in house.log


def test_an_older_database_is_copied_before_it_is_changed(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    said = house.does("post", "Before")
    older = migrations.known()[-1]
    done: list[str] = []
    monkeypatch.setattr(migrations, "known", lambda: [older, "2031_01_01_next"])
    monkeypatch.setattr(migrations, "upgrade", lambda engine: done.append(str(engine.url)))

    had = migrations.ensure_current(f"sqlite:///{house.folder / 'boxroom.db'}", lambda: False)

    assert had == older
    assert len(done) == 1
    copy = house.folder / f"boxroom.db.{older}"
    with closing(sqlite3.connect(copy)) as database:
        assert database.execute("SELECT uri FROM objects").fetchall() == [(said,)]
    assert copy.stat().st_mode & 0o077 == 0


def test_a_database_does_not_change_beneath_a_server_that_runs(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrations, "known", lambda: [_version(house), "2031_01_01_next"])

    with folder.serving(house.folder), pytest.raises(Wrong, match="stop the server"):
        migrations.ensure_current(f"sqlite:///{house.folder / 'boxroom.db'}", lambda: folder.is_served(house.folder))


def test_migrating_says_that_there_is_nothing_to_do(house: House) -> None:
    assert "up to date" in house.runs("migrate").stderr


def _pretend(house: House, version: str) -> None:
    with closing(sqlite3.connect(house.folder / "boxroom.db")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = ?", (version,))


def _version(house: House) -> str:
    with closing(sqlite3.connect(house.folder / "boxroom.db")) as database:
        version: str = database.execute("SELECT version_num FROM alembic_version").fetchone()[0]
        return version
