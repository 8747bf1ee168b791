from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from sqlalchemy import text

from federation.store import connect
from federation.tables import Row
from tests import databases as kinds
from tests.boxroom.house import House, found
from tests.databases import Server


@pytest.fixture(autouse=True)
def nothing_stays() -> Iterator[None]:
    """The program sets up its process; the next test begins without that."""
    before = os.umask(0o077)
    os.umask(before)
    yield
    os.umask(before)
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> House:
    """A studio that nobody has used: keys take long to make, so tests get copies of it."""
    return found(tmp_path_factory.mktemp("founded") / "data", "ada", "--name", "Ada in the attic")


@pytest.fixture
def house(founded: House, tmp_path: Path) -> House:
    """Ada's studio, just set up. Its server does not run."""
    shutil.copytree(founded.folder, tmp_path / "data")
    return House(tmp_path / "data", founded.url, founded.handle)


@pytest.fixture
def empty_postgresql(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a database of PostgreSQL without any table."""
    if kinds.programs() is None:
        pytest.skip("PostgreSQL is not installed")
    server: Server = request.getfixturevalue("postgresql")
    url = server.new("empty")
    engine = connect(url)
    Row.metadata.drop_all(engine)
    yield url
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE IF EXISTS alembic_version"))
    Row.metadata.create_all(engine)  # for the next test that gets this database
    engine.dispose()
    server.empty_all()
