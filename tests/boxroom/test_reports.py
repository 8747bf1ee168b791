"""What other servers complain of, as whoever runs this one reads it and ticks it off."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy.orm import Session

from activitypub.document import Document
from activitypub.origin import own_words
from coop import reports
from federation.store import Transaction, connect
from tests.boxroom.house import House

ODD = "Ladders,\u202e <b>again</b> \u001b[31m"


def complained(house: House) -> House:
    """Two reports have come in."""
    engine = connect(f"sqlite:///{house.folder / 'boxroom.db'}")
    me = house.shows("whoami")["uri"]
    with Session(engine) as db, db.begin():
        for number, text in enumerate(("Spam!", ODD)):
            flag = {"id": f"https://social.example/flags/{number}", "type": "Flag", "content": text, "object": [me]}
            activity = own_words(Document({**flag, "actor": "https://social.example/actor"}))
            reports.receive(Transaction(db, datetime.now(UTC), house.url), activity)
    engine.dispose()
    return house


@pytest.mark.proves("P-124")
def test_reports_wait_until_somebody_says_that_they_are_done(house: House) -> None:
    complained(house)
    odd, spam = house.shows("reports")
    status, text = house.shows("status")["condition"], house.does("status")

    house.does("reports", "done", str(odd["id"]))

    assert (spam["server"], spam["text"], spam["done"]) == ("social.example", "Spam!", None)
    assert spam["about"] == odd["about"] == [house.shows("whoami")["uri"]]
    assert status["reports"] == 2
    assert "wait for you: 2 (see them with: boxroom reports)" in text
    assert [(one["id"], bool(one["done"])) for one in house.shows("reports", "list")] == [
        (spam["id"], False),
        (odd["id"], True),
    ]
    assert [one["id"] for one in house.shows("reports", "--limit", "1")] == [spam["id"]]
    assert house.shows("status")["condition"]["reports"] == 1
    assert "no open report" in house.fails("reports", "done", str(odd["id"]))


@pytest.mark.proves("P-124", "P-315")
def test_reports_are_printed_as_those_of_a_server_and_obey_nobody(house: House) -> None:
    complained(house)

    listed = house.does("reports", "--data", str(house.folder))
    told = house.shows("notifications")

    assert "social.example" in listed
    assert "Ladders, again" in listed
    assert not set("\u202e\u001b") & set(listed)
    assert [(one["kind"], one["by"], one["address"]) for one in told] == [("report", "social.example", None)] * 2


def test_without_reports_status_says_nothing_of_them(house: House) -> None:
    assert "reports" not in house.does("status")
    assert house.shows("reports") == []
