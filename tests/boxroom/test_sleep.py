"""A real server that was switched off for a while, and what its commands say of it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

from tests.boxroom.house import House


def was_awake(house: House, ago: timedelta) -> None:
    """As if its last beat had been so long ago."""
    with closing(sqlite3.connect(house.folder / "boxroom.db")) as db, db:
        then = (datetime.now(UTC) - ago).strftime("%Y-%m-%d %H:%M:%S.%f")
        db.execute("DELETE FROM wakings")
        db.execute("INSERT INTO wakings (id, since, until, told) VALUES (1, ?, ?, ?)", (then, then, then))


def test_a_server_notices_at_its_start_that_it_was_off_for_a_week(house: House) -> None:
    was_awake(house, timedelta(days=7))
    assert house.shows("status")["condition"]["slept"] is None

    with house.open():
        slept = house.waits_for("status", until='"outboxes_left"')["condition"]["slept"]

    assert slept.keys() == {"since", "until", "came", "outboxes_left", "logs_left"}
    away = datetime.fromisoformat(slept["until"]) - datetime.fromisoformat(slept["since"])
    assert (away.days, slept["came"]) == (7, {})
    assert "nothing while you slept, from 20" in house.does("status")
    assert "server.woken" in house.log


def test_one_may_ask_by_hand_what_was_missed(house: House) -> None:
    house.does("project", "create", "--name", "Bakery", "--text", "Bread")

    asked = house.shows("catch-up", "--days", "30")
    told = house.does("catch-up")

    assert asked == {"outboxes": 0, "logs": 1}
    assert told == "0 people's outboxes and 1 projects' logs are read when the server starts."
    with house.open():
        house.waits_for("catch-up", until='"logs": 1')
        assert "are read now" in house.does("catch-up")


def test_what_is_still_to_be_asked_is_told(house: House) -> None:
    was_awake(house, timedelta(hours=3))
    house.does("project", "create", "--name", "Bakery", "--text", "Bread")
    with closing(sqlite3.connect(house.folder / "boxroom.db")) as db, db:
        db.execute("INSERT INTO wakings (id, since, until) SELECT 2, datetime('now'), datetime('now')")
    house.does("catch-up")

    assert "still to be asked: 0 people's outboxes, 1 projects' logs" in house.does("status")
