from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from activitypub.document import Document
from activitypub.poll import MAX_OPTIONS, Poll
from tests.activitypub.documents import XSS, hostile, read

ENDS = datetime(2026, 1, 18, 10, tzinfo=UTC)


@pytest.mark.proves("P-127")
def test_a_poll_is_written_as_mastodon_reads_it() -> None:
    assert Poll((("Cream", 2), ("White", 1)), ends=ENDS, voters=3).write() == {
        "endTime": "2026-01-18T10:00:00Z",
        "votersCount": 3,
        "oneOf": [
            {"type": "Note", "name": "Cream", "replies": {"type": "Collection", "totalItems": 2}},
            {"type": "Note", "name": "White", "replies": {"type": "Collection", "totalItems": 1}},
        ],
    }


@pytest.mark.proves("P-110", "P-127")
def test_the_poll_of_a_mastodon_is_read() -> None:
    assert Poll.read(read("mastodon-question")) == Poll((("Cream", 2), ("White", 1)), ends=ENDS, voters=3)


@pytest.mark.proves("P-127")
@given(
    some.lists(some.tuples(some.sampled_from(["a", "b", "ç"]), some.integers(0, 9)), min_size=1, max_size=3),
    some.booleans(),
    some.booleans(),
)
def test_a_poll_that_we_write_we_read(options: list[tuple[str, int]], multiple: bool, closed: bool) -> None:
    poll = Poll(tuple(options), multiple, ENDS, closed, 4)

    assert Poll.read(Document(poll.write())) == poll


@pytest.mark.proves("P-111")
def test_a_poll_has_five_hundred_options_at_most() -> None:
    poll = Poll.read(Document({"anyOf": [{"name": "x"}] * 10_000}))

    assert poll is not None
    assert (len(poll.options), MAX_OPTIONS) == (500, 500)


@pytest.mark.proves("P-314")
@pytest.mark.parametrize("name", XSS)
def test_an_option_is_one_line_of_text(name: str) -> None:
    poll = Poll.read(Document({"oneOf": {"type": "Note", "name": f"{name}\n\u202e"}}))

    assert poll is not None
    assert all(text.isprintable() for text, _ in poll.options)


@given(hostile("oneOf", "anyOf", "closed", "endTime", "votersCount"))
def test_any_json_is_a_poll_or_none(json: dict[str, Any]) -> None:
    poll = Poll.read(Document(json))

    assert poll is None or poll.options
