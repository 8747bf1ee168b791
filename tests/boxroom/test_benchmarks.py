"""The benchmarks fill the tables by hand: they break when a table changes, and nobody would notice before a release."""

from __future__ import annotations

from pathlib import Path

from benchmarks import finding, projects, rows


def test_shows_core_4_the_benchmarks_know_the_tables(tmp_path: Path) -> None:
    assert rows.cost_per_delivery(tmp_path, 100) > 0
    feed = rows.feed_page(tmp_path, 100)
    assert min(feed.asked, feed.shown) > 0
    assert finding.words(tmp_path, 100, turns=20).median > 0
    assert finding.skills(tmp_path, 50, turns=20)[1] > 0


def test_the_benchmarks_know_what_a_project_is(tmp_path: Path) -> None:
    cost = projects.measure(tmp_path, 2 * projects.MEMBERS + 50)

    assert min(cost.read, cost.derived, cost.one_more) > 0
