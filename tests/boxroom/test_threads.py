"""A conversation by command: what is here of it, and what is on its way."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from tests.boxroom.house import House
from tests.boxroom.test_everyday import with_bo


def test_a_conversation_is_shown_from_any_of_its_posts_to_whoever_may_read_it(house: House) -> None:
    with_bo(house)
    first = house.does("post", "Who has a ladder?")
    second = house.does("post", "I have.", "--reply-to", first, "--as", "bo")
    aside = house.does("post", "It wobbles.", "--reply-to", first, "--visibility", "followers")

    shown = house.shows("thread", second)
    lines = house.runs("thread", second)

    assert [one["uri"] for one in shown["posts"]] == [first, second, aside]
    assert shown["waiting"] == {"above": 0, "below": 0, "lists": 0}
    assert lines.stdout.count("http") == 3
    assert lines.stderr == ""
    assert "there is no post" in house.fails("thread", aside, "--as", "bo")


def test_what_is_missing_is_said_to_be_on_its_way(house: House) -> None:
    post = house.does("post", "Yes")
    with closing(sqlite3.connect(house.folder / "boxroom.db")) as database:
        database.execute("UPDATE objects SET reply_to = 'https://elsewhere.example/1' WHERE uri = ?", (post,))
        database.commit()

    line = house.runs("thread", post).stderr

    assert "Still being fetched: what was said before." in line
    assert "it will ask when it starts" in line
    assert house.shows("thread", post)["waiting"] == {"above": 1, "below": 0, "lists": 0}
