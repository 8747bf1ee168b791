"""Row ids are in the order of time, never the same twice, and short in an address."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from federation import ids

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ROW_IDS = some.integers(0, 2**63 - 1)
MOMENTS = some.integers(0, 65 * 365 * 86400).map(
    lambda seconds: datetime(2025, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)


@given(MOMENTS, some.integers(1, 10**9))
def test_what_is_later_has_a_greater_id(moment: datetime, milliseconds: int) -> None:
    assert ids.new(moment) < ids.new(moment + timedelta(milliseconds=milliseconds + 1))


def test_within_one_millisecond_they_are_counted_up() -> None:
    made = [ids.new(NOW) for _ in range(10_000)]

    assert made == sorted(set(made))


def test_they_are_counted_up_whatever_is_named_in_between() -> None:
    """As when many old posts come at once: each has an id of now, and its place in the feed one of its own day."""
    made = []
    for number in range(10_000):
        made.append(ids.new(NOW))
        ids.new(NOW - timedelta(minutes=number % 500))

    assert made == sorted(set(made))


def test_threads_never_get_the_same() -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: ids.new(NOW), range(8_000)))

    assert len(set(made)) == 8_000


@pytest.mark.parametrize("past", [datetime(1970, 1, 1, tzinfo=UTC), datetime(2024, 12, 31, tzinfo=UTC)])
def test_what_is_older_than_the_count_is_first_and_has_an_address_too(past: datetime) -> None:
    """A small computer without a battery begins in 1970, and old posts have old dates."""
    made = [ids.new(past) for _ in range(100)]

    assert len(set(made)) == 100
    assert 0 <= max(made) < ids.new(NOW)
    assert [ids.from_slug(ids.slug(one)) for one in made] == made


@given(some.integers(0, 30 * 365 * 24), some.integers(1, 10_000))
def test_what_was_before_the_count_is_in_order_as_well(hours: int, later: int) -> None:
    """Posts of others are older than Boxroom; they are told apart by some minutes."""
    before = datetime(1995, 1, 1, tzinfo=UTC) + timedelta(hours=hours)

    assert ids.new(before) < ids.new(before + timedelta(hours=later))


@given(ROW_IDS)
def test_a_slug_leads_back_to_its_id(row_id: int) -> None:
    assert ids.from_slug(ids.slug(row_id)) == row_id


@given(ROW_IDS, ROW_IDS)
def test_slugs_are_in_the_order_of_their_ids(one: int, other: int) -> None:
    assert (ids.slug(one) < ids.slug(other)) == (one < other)


@given(some.text())
def test_any_text_is_the_slug_of_one_id_or_of_none(text: str) -> None:
    row_id = ids.from_slug(text)

    assert row_id is None or ids.slug(row_id) == text


@pytest.mark.parametrize("text", ["", "0", "zzzzzzzzzzzzz", "00000000000000", "0000000000o00", "000000000000٣"])
def test_what_only_looks_like_a_slug_is_none(text: str) -> None:
    assert ids.from_slug(text) is None
