"""What the studios of a test are told."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from coop.events import Notice, listens
from federation.store import Transaction

_told: list[tuple[str, Notice]] = []


@listens(Notice)
def _listen(tx: Transaction, event: Notice) -> None:
    _told.append((tx.home, event))


@pytest.fixture
def told() -> Iterator[list[tuple[str, Notice]]]:
    """Every notice since the test began, with the home of the studio where it was told."""
    _told.clear()
    yield _told
    _told.clear()
