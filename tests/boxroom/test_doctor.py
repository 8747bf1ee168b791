"""The doctor: what is well is said to be, and what is not comes with what to do."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy.orm import Session

from boxroom import doctor
from federation.store import connect
from federation.tables import Lane
from tests.boxroom.house import House


def examines(house: House, *arguments: str) -> tuple[int, dict[str, dict[str, Any]]]:
    result = house.runs("doctor", *arguments, "--json")
    assert result.stderr == ""
    return result.exit_code, {one["what"]: one for one in json.loads(result.stdout)}


def test_a_studio_that_is_well_is_told_so(house: House) -> None:
    with house.open():
        status, found = examines(house)

    assert status == 0, found
    assert {name: one["state"] for name, one in found.items()} == {
        "permissions": "well",
        "disk": "well",
        "database": "well",
        "database version": "well",
        "writing": "well",
        "keys": "well",
        "backup": "look",  # there is none yet
        "delivery": "well",
        "name": "well",
        "proxy": "well",
        "address": "well",
        "profile": "well",
        "inbox": "well",
        "clock": "look",  # nobody else is known here whose clock could be compared
    }


def test_a_server_that_nobody_can_reach_is_told_so(house: House) -> None:
    status, found = examines(house)

    assert status == 1
    assert {found[name]["state"] for name in ("address", "profile", "inbox")} == {"must"}
    assert f"301 to {house.url}" in found["address"]["todo"]
    assert examines(house, "--offline")[0] == 0


@pytest.mark.proves("P-079")
def test_a_folder_that_others_can_look_into_is_to_be_closed(house: House) -> None:
    (house.folder / "boxroom.db").chmod(0o644)

    status, found = examines(house, "--offline")

    assert status == 1
    assert found["permissions"]["todo"] == f"chmod go= {house.folder / 'boxroom.db'}"


def test_a_key_that_is_gone_or_another_is_noticed(house: House) -> None:
    with closing(sqlite3.connect(house.folder / "boxroom.db")) as database, database:
        [(one,), (other,)] = database.execute(
            "SELECT id FROM keys WHERE use = 'assertionMethod' ORDER BY id"
        ).fetchall()
        database.execute("UPDATE keys SET private = (SELECT private FROM keys WHERE id = ?) WHERE id = ?", (one, other))
        database.execute("UPDATE keys SET private = NULL WHERE id = ?", (one,))

    status, found = examines(house, "--offline")
    said = house.runs("doctor", "--offline").stdout

    assert status == 1
    assert found["keys"]["state"] == "must"
    assert "lacks a private key" in said
    assert "does not fit its public one" in said
    assert "restore a backup" in said


def test_a_damaged_database_is_noticed_before_it_is_opened(house: House) -> None:
    file = house.folder / "boxroom.db"
    octets = bytearray(file.read_bytes())
    octets[8192:60000] = bytes(len(octets[8192:60000]))
    file.write_bytes(octets)

    status, found = examines(house, "--offline")

    assert status == 1
    assert found["database"]["state"] == "must"
    assert "boxroom restore" in found["database"]["todo"]
    assert "writing" not in found


def test_a_server_that_was_given_up_can_be_woken_by_hand(house: House) -> None:
    with given_up(house, "asleep.example"):
        _, found = examines(house, "--offline")
        assert "asleep.example was given up" in found["delivery"]["said"]
        assert found["delivery"]["todo"] == "boxroom wake asleep.example"
        assert "boxroom wake" in house.runs("status").stdout

        house.does("wake", "Asleep.example")

        [way] = house.shows("status")["condition"]["lanes"]
        assert (way["parked"], way["next_try"] is not None) == (None, True)


@pytest.mark.parametrize(
    ("free", "state"),
    [(50_000_000, "must"), (500_000_000, "look"), (50_000_000_000, "well")],
)
def test_a_disk_that_fills_up_is_noticed(free: int, state: str) -> None:
    assert doctor.space(free).state == state


@contextmanager
def given_up(house: House, host: str) -> Iterator[None]:
    """A lane that nobody has answered at for long."""
    engine, moment = connect(f"sqlite:///{house.folder / 'boxroom.db'}"), datetime(2026, 1, 1, tzinfo=UTC)
    with Session(engine) as db, db.begin():
        db.add(Lane(host=host, due=moment, failures=40, failing_since=moment, parked=moment, error="no answer"))
    engine.dispose()
    yield
