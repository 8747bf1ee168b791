from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests import databases as kinds
from tests.databases import Databases, Files, Server
from tests.fediverse import Fediverse

# A loaded machine is slow, not wrong: no test here asserts a time.
# What chance finds is found while working; the run that decides whether something lands tries the same every time.
settings.register_profile(
    "patient", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize="CI" in os.environ
)
settings.load_profile("patient")

# Where there is a file system in memory: what most tests wait for otherwise is a disk that has written.
MEMORY, ENOUGH = Path("/dev/shm"), 2**31  # noqa: S108 - the folder is made by pytest, for its user alone
if MEMORY.is_mount() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ENOUGH:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))

HERE = Path(__file__).parent
ON_BOTH = ("federation", "coop", "between")  # what depends on how a database does things


def pytest_addoption(parser: pytest.Parser) -> None:
    words = "where tests keep things; by default SQLite, and for some PostgreSQL too, if it is installed, each once"
    parser.addoption("--database", choices=["sqlite", "postgresql"], help=words)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """What is long, or a key made for this run, is no name of a test: it would be another in each worker."""
    return f"{argname} of {len(val)}" if isinstance(val, str | bytes) and len(val) > 80 else None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what needs databases on those that were asked for, or that are there."""
    if "databases" not in metafunc.fixturenames:
        return
    folder = metafunc.definition.path.relative_to(HERE).parts[0]
    both = ["sqlite", "postgresql"] if folder in ON_BOTH and kinds.programs() else ["sqlite"]
    asked = metafunc.config.getoption("--database")
    only = metafunc.definition.get_closest_marker("on")
    metafunc.parametrize("databases", only.args if only else [asked] if asked else both, indirect=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On the second database each test runs once: its other parameters ask the same of it."""
    if config.getoption("--database"):
        return
    first: dict[str, pytest.Item] = {}
    for item in items:
        if _on_postgresql(item):
            first.setdefault(item.nodeid.partition("[")[0], item)
    once = {*first.values()}
    left_out = [item for item in items if _on_postgresql(item) and item not in once]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item in once or not _on_postgresql(item)]


def _on_postgresql(item: pytest.Item) -> bool:
    return isinstance(item, pytest.Function) and "postgresql" in item.nodeid.partition("[")[2]


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """The one server of this process, started when the first test asks for it."""
    with kinds.postgresql() as server:
        yield server


@pytest.fixture
def databases(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Databases]:
    if request.param == "sqlite":
        yield Files(tmp_path)
        return
    server: Server = request.getfixturevalue("postgresql")
    yield server
    server.empty_all()


@pytest.fixture
async def fediverse(databases: Databases) -> AsyncIterator[Fediverse]:
    fediverse = Fediverse(databases)
    yield fediverse
    await fediverse.close()
