"""What the demo is made of: facts that are looked for, stories that come true or not, and a folder to play in."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from boxroom.demo import stage
from boxroom.demo.cast import ADA
from boxroom.demo.facts import kept, shown, watch
from boxroom.demo.stage import Stage
from boxroom.demo.story import Story
from boxroom.demo.studio import Studio
from boxroom.demo.telling import Teller
from boxroom.folder import serving
from boxroom.settings import Wrong
from coop.errors import NotFound
from federation.store import Transaction
from federation.tables import Lane, Receipt


def test_a_new_demo_removes_the_last_one_and_nothing_else(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "demo", tmp_path / "thesis"
    stage.clear(ours)
    (ours / "ada").mkdir()
    theirs.mkdir()
    (theirs / "chapter-1").write_text("Years of work")

    with serving(ours / "ada"), pytest.raises(Wrong, match="a demo is running in"):
        stage.clear(ours)
    stage.clear(ours)
    with pytest.raises(Wrong, match="nothing there was touched"):
        stage.clear(theirs)

    assert [one.name for one in ours.iterdir()] == [stage.MARK]
    assert (theirs / "chapter-1").read_text() == "Years of work"


@pytest.fixture
async def attic(tmp_path: Path) -> AsyncIterator[Studio]:
    """A studio whose server does not run."""
    studio = await Studio.found(tmp_path / "ada", ADA)
    yield studio
    await studio.closes()


async def test_a_fact_is_looked_for_until_it_holds(attic: Studio) -> None:
    answers = iter([False, None, "now it does"])
    outcome = await watch(kept(attic, "Ada has tea", lambda _: next(answers)), time.perf_counter(), 10, [attic])

    assert outcome.sentence == "Ada has tea"
    assert outcome.after is not None
    assert outcome.after >= 40  # milliseconds, for two of the three looks


async def test_a_fact_that_does_not_hold_says_what_may_have_kept_it(attic: Studio) -> None:
    def trouble(tx: Transaction) -> None:
        lost = {"uri": "https://shop.example/1", "actor": "https://shop.example/bo", "proven": True, "body": b"{}"}
        moment = {"received": tx.now, "due": tx.now, "state": "failed", "error": "no such tea"}
        tx.db.add(Receipt(type="Create", **lost, **moment))  # type: ignore[arg-type]
        tx.db.add(Lane(host=attic.host, error="the door is locked"))

    await attic.does(trouble)

    outcome = await watch(kept(attic, "Ada has tea", lambda _: 1 / 0), time.perf_counter(), 0.05, [attic])

    assert (outcome.sentence, outcome.after) == ("Ada has tea", None)
    assert outcome.reasons == (
        "ZeroDivisionError: division by zero",
        "Create from https://shop.example/bo is failed: no such tea",
        "Ada's mail to Ada waits: the door is locked",
    )


async def test_a_page_that_nobody_serves_shows_nothing(attic: Studio) -> None:
    page = shown(attic, "Ada's page is there", attic.page, to=attic)

    outcome = await watch(page, time.perf_counter(), 0.05, [])

    assert outcome.after is None
    assert outcome.reasons


async def test_a_story_came_true_only_if_all_of_it_did(attic: Studio, capsys: pytest.CaptureFixture[str]) -> None:
    story = Story(Stage(attic, attic, attic, attic), Teller(), 0.05)
    assert not story.came_true  # nothing was seen yet

    async def true(story: Story) -> None:
        await story.see(kept(attic, "Ada is there", lambda _: True))

    async def false(story: Story) -> None:
        await story.see(kept(attic, "The cats agree", lambda _: False))

    async def broken(story: Story) -> None:
        raise NotFound("the kettle is gone")

    await story.play([("First", true)])
    assert story.came_true
    await story.play([("Second", false), ("Third", broken), ("Fourth", true)])
    story.tell.summary(story.chapters)

    assert not story.came_true
    said = capsys.readouterr().out
    assert "      ✗ The cats agree: not in time" in said
    assert "          NotFound: the kettle is gone" in said
    assert said.endswith("2 of 4 facts do not hold:\n  ✗ The cats agree\n  ✗ Third: the story breaks off\n")


async def test_a_server_that_does_not_start_says_why(attic: Studio) -> None:
    (attic.folder / "boxroom.toml").write_text('url = "http://localhost:1"\nlog_level = "loud"\n')

    with pytest.raises(Wrong, match=r"Ada's server did not start; it said: .*log_level is one of"):
        await attic.wakes()
