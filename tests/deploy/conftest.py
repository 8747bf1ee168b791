from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import structlog

from tests.deploy.land import Land, lacking, land


@pytest.fixture(scope="module", autouse=True)
def nothing_stays() -> Iterator[None]:
    """The program sets up its process; the tests of others begin without that."""
    before = os.umask(0o077)
    os.umask(before)
    yield
    os.umask(before)
    structlog.reset_defaults()


@pytest.fixture(scope="module")
def country(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Land]:
    if why := lacking():
        pytest.skip(why)
    with land(tmp_path_factory.mktemp("land")) as made:
        yield made
