"""From an offer to what was done, by command, as two who live in one house."""

from __future__ import annotations

import json
from pathlib import Path

import icalendar
import pytest

from tests.boxroom.house import House
from tests.boxroom.test_everyday import with_bo

OFFER = ("offer", "create", "--need", "--title", "A catalogue", "--text", "Two columns.")
BO = ("--as", "bo")


@pytest.fixture
def agreed(house: House) -> tuple[House, str]:
    """They have talked, and agreed on less and later than was offered."""
    with_bo(house)
    offer = house.does(*OFFER, "--amount", "-2400", "--currency", "EUR")
    first = house.does("offer", "respond", offer, "--text", "I can.", "--amount", "2200", *BO)
    talk = house.shows("offer", "show", offer)
    due = ("--due", "2036-12-24")
    second = house.does("offer", "counter", first, "--text", "For less?", "--amount", "2000", *due)
    house.does("offer", "accept", second, *BO)

    assert (talk["status"], talk["responses"][0]["amount"]) == ("in talks", "2200")
    assert [one["state"] for one in house.shows("offer", "show", offer)["responses"]] == ["accepted", "countered"]
    [agreement] = house.shows("agreement", "list")
    return house, agreement["uri"]


def test_what_was_agreed_on_is_shown_and_checked(agreed: tuple[House, str], tmp_path: Path) -> None:
    house, uri = agreed
    file = tmp_path / "agreement.json"

    shown = house.shows("agreement", "show", uri, *BO)
    house.does("agreement", "save", uri, str(file))
    sound = house.shows("agreement", "verify", str(file))
    file.write_bytes(file.read_bytes().replace(b'"2000"', b'"9000"'))
    altered = house.fails("agreement", "verify", str(file))

    assert (shown["verdict"], shown["amount"], shown["due"][:10], shown["text"]) == (
        "signed by both",
        "2000",
        "2036-12-24",
        "For less?",
    )
    assert sound["verdict"] == "signed by both"
    assert "altered: the proof does not match" in altered
    assert "For less?" in house.does("agreement", "show", uri)


def test_it_opens_a_project_whose_commitments_are_kept(agreed: tuple[House, str]) -> None:
    house, uri = agreed
    project = house.does("agreement", "open", uri, "--name", "Catalogue")
    [invitation] = house.shows("project", "list", *BO)["invitations"]
    house.does("project", "accept", invitation["uri"], *BO)
    [work] = house.shows("commitments", "--mine", *BO)
    [money] = house.shows("commitments", "--mine")

    assert (work["text"], work["standing"], work["project"]) == ("A catalogue", "open", project)
    assert (money["text"], money["due"]) == ("2,000 EUR for: A catalogue", None)
    assert house.shows("commitments", "--to-me", "--project", "Catalogue") == [work]
    house.does("commitment", "change", work["uri"], "--text", "A catalogue, and an index", "--due", "2037-01-31", *BO)
    house.does("commitment", "accept", work["uri"])
    house.does("commitment", "keep", work["uri"], "--show", *BO)
    house.does("commitment", "keep", work["uri"], "--show", "--text", "Thank you!")
    house.does("commitment", "release", money["uri"], *BO)
    versions = [(one["standing"], one["text"]) for one in house.shows("commitment", "show", work["uri"])]
    assert versions == [("replaced", "A catalogue"), ("kept", "A catalogue, and an index")]
    over = {(one["standing"], one["shown"]) for one in house.shows("commitments", "--over")}
    assert over == {("kept", True), ("released", False)}
    house.does("agreement", "done", uri, "--text", "All of it.")
    assert house.shows("agreement", "show", uri, *BO)["state"] == "done"


def test_one_promises_asks_declines_and_withdraws(agreed: tuple[House, str]) -> None:
    house, uri = agreed
    house.does("agreement", "open", uri, "--name", "Catalogue")
    [invitation] = house.shows("project", "list", *BO)["invitations"]
    house.does("project", "accept", invitation["uri"], *BO)
    create = ("commitment", "create", "Catalogue")

    lent = house.does(*create, "bo", "--text", "Lend me the press.", "--ask", "--hours", "2")
    paper = house.does(*create, house.address, "--text", "Bring paper.", *BO)
    asked = [one["waits_for_you"] for one in house.shows("commitments", *BO) if one["uri"] == lent]
    house.does("commitment", "decline", lent, "--reason", "It is broken.", *BO)
    house.does("commitment", "withdraw", paper, *BO)

    assert asked == [True]
    found = [house.shows("commitment", "show", one)[0] for one in (lent, paper)]
    assert [(one["standing"], one["reason"]) for one in found] == [("declined", "It is broken."), ("withdrawn", "")]
    assert "nothing to answer" in house.fails("commitment", "accept", paper)
    assert house.does("commitment", "show", paper).startswith("withdrawn: Bring paper. (by bo@")


def test_what_is_due_is_a_calendar(agreed: tuple[House, str]) -> None:
    house, uri = agreed
    house.does("agreement", "open", uri, "--name", "Catalogue")
    [invitation] = house.shows("project", "list", *BO)["invitations"]
    house.does("project", "accept", invitation["uri"], *BO)

    calendar = icalendar.Calendar.from_ical(house.runs("commitments", "--ical").stdout)
    address = json.loads(house.does("commitments", "--address", "--json"))["uri"]

    [event] = calendar.walk("VEVENT")
    assert str(event["SUMMARY"]) == "A catalogue (by Bo above the shop)"
    assert address.startswith(f"{house.url}/calendars/")
    assert "A catalogue" in house.does("commitments")


def test_an_accepted_answer_opens_a_project_in_one_step(house: House) -> None:
    with_bo(house)
    offer = house.does(*OFFER, "--currency", "EUR")
    response = house.does("offer", "respond", offer, "--text", "I can.", *BO)

    house.does("offer", "accept", response, "--project", "Catalogue")

    [agreement] = house.shows("agreement", "list")
    [invitation] = house.shows("project", "list", *BO)["invitations"]
    assert agreement["project"] == invitation["project"]
    assert "a project for it already" in house.fails("agreement", "open", agreement["uri"], "--name", "Again")
