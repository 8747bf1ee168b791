"""Two studios on one machine, each a real server, that live together through the command line alone."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.boxroom.house import House, found

# All activity types of the Activity Vocabulary, section 3.
AS2 = {"Accept", "Add", "Announce", "Arrive", "Block", "Create", "Delete", "Dislike", "Flag", "Follow", "Ignore"}
AS2 |= {"Invite", "Join", "Leave", "Like", "Listen", "Move", "Offer", "Question", "Read", "Reject", "Remove"}
AS2 |= {"TentativeAccept", "TentativeReject", "Travel", "Undo", "Update", "View"}


@pytest.mark.timeout(300)
@pytest.mark.proves("P-205")
def test_two_studios_live_together_through_the_command_line_alone(tmp_path: Path) -> None:
    ada, bo = found(tmp_path / "ada", "ada"), found(tmp_path / "bo", "bo", "--kind", "studio")
    with ada.open(), bo.open():
        _they_follow_each_other(ada, bo)
        _they_talk(ada, bo)
        _they_agree_on_work(ada, bo)
        _they_vouch_for_each_other(ada, bo, tmp_path)
        _they_share_a_room(ada, bo)
        _one_asks_to_join(ada, bo)

        assert "Traceback" not in ada.does("status") + bo.does("status")
    said = _said(ada) | _said(bo)
    assert {"Accept", "Add", "Announce", "Create", "Delete", "Follow", "Invite", "Join", "Like", "Offer"} <= said <= AS2


def _said(house: House) -> set[str]:
    """The types of all activities that went out, as other servers read them."""
    with closing(sqlite3.connect(house.folder / "boxroom.db")) as db:
        return {json.loads(body)["type"] for (body,) in db.execute("SELECT body FROM activities")}


def _they_follow_each_other(ada: House, bo: House) -> None:
    bo.does("follow", ada.address)
    bo.waits_for("following", until="accepted")
    ada.does("follow", f"@{bo.address}")
    ada.waits_for("following", until="accepted")

    assert [one["address"] for one in ada.shows("followers")] == [bo.address]
    assert ada.waits_for("notifications", until='"follow"')[-1]["address"] == bo.address


def _they_talk(ada: House, bo: House) -> None:
    said = ada.does("post", f"Tea is *ready*, @{bo.address}")
    [post] = [one for one in bo.waits_for("feed", until=said) if one["uri"] == said]
    answer = bo.does("post", "On my way!", "--reply-to", said)
    bo.does("like", said)
    bo.does("boost", said)

    assert (post["text"], post["address"]) == ("Tea is ready, @bo", ada.address)
    assert [one["reply_to"] for one in ada.waits_for("feed", until=answer) if one["uri"] == answer] == [said]
    for kind in ("like", "boost", "reply"):
        ada.waits_for("notifications", until=f'"{kind}"')
    ada.waits_for("outbox", until='"delivered": 1')

    ada.does("edit", said, "Tea is cold")
    bo.waits_for("feed", until="Tea is cold")
    bo.does("delete", answer)
    ada.waits_for_the_end_of("feed", of=answer)


def _they_agree_on_work(ada: House, bo: House) -> None:
    words = ("--title", "A logo for a bakery", "--text", "Warm, round, one colour", "--need", "--skill", "Design")
    offer = ada.does("offer", "create", *words, "--amount", "450.50", "--currency", "eur", "--remote")
    [seen] = bo.waits_for("offer", "list", "--skill", "design", until=offer)
    assert (seen["amount"], seen["currency"], seen["purpose"], seen["remote"]) == ("450.50", "EUR", "needs", True)

    response = bo.does("offer", "respond", offer, "--text", "I would love to")
    [answer] = ada.waits_for("offer", "show", offer, until=response)["responses"]
    assert (answer["text"], answer["state"]) == ("I would love to", "open")

    ada.does("offer", "accept", response)
    bo.waits_for("notifications", until="response accepted")
    ada.does("offer", "fill", offer)
    bo.waits_for("offer", "show", offer, until="filled")


def _they_vouch_for_each_other(ada: House, bo: House, folder: Path) -> None:
    given = ada.does("endorse", bo.address, "--skill", "Lettering", "--text", "A steady hand", "--capacity", "client")
    [seen] = bo.waits_for("endorsements", bo.address, until="Lettering")
    assert (seen["uri"], seen["verdict"], seen["display"]) == (given, "valid, offline", "waiting")
    bo.does("endorsement", "accept", given)
    assert bo.shows("endorsements", bo.address, "--ask")[0]["verdict"] == "valid"

    copy = folder / "seal.json"
    bo.does("endorsement", "save", given, str(copy))
    assert bo.shows("endorsement", "verify", str(copy))["verdict"] == "valid, offline"
    assert House(folder / "nobody", "").shows("endorsement", "verify", str(copy))["verdict"] == "valid by copy"

    ada.does("endorse", "revoke", given)
    bo.waits_for("endorsements", bo.address, until="revoked")
    assert bo.runs("endorsement", "verify", str(copy)).exit_code == 1


def _they_share_a_room(ada: House, bo: House) -> None:
    project = ada.does("project", "create", "--name", "Bakery", "--text", "All that it needs")
    ada.does("project", "invite", "bakery", bo.address, "--text", "Come in")
    [asked] = bo.waits_for("project", "list", until="Come in")["invitations"]
    bo.does("project", "accept", asked["uri"])
    ada.waits_for("notifications", until="invitation accepted")
    assert {one["address"] for one in bo.waits_for("project", "show", project, until=bo.address)["people"]} == {
        ada.address,
        bo.address,
    }
    first = bo.does("project", "post", "Bakery", "First proofs tonight")
    ada.waits_for("project", "show", "Bakery", until=first)
    ada.does("project", "post", "Bakery", "At last!", "--reply-to", first)
    bo.waits_for("project", "show", "Bakery", until="At last!")


def _one_asks_to_join(ada: House, bo: House) -> None:
    choir, band = (bo.does("project", "create", "--name", name) for name in ("Choir", "Band"))
    wish, other = ada.does("project", "join", choir), ada.does("project", "join", band)
    bo.waits_for("project", "list", until=wish)
    requests = bo.waits_for("project", "list", until=other)["requests"]
    assert [(one["name"], one["address"]) for one in requests] == [("Band", ada.address), ("Choir", ada.address)]

    bo.does("project", "accept", wish)
    bo.does("project", "decline", other)
    ada.waits_for("notifications", until="request declined")
    [invitation] = ada.waits_for("project", "list", until=choir)["invitations"]
    ada.does("project", "accept", invitation["uri"])

    bo.waits_for("notifications", until="invitation accepted")
    assert {one["address"] for one in bo.shows("project", "show", "Choir")["people"]} == {ada.address, bo.address}
    assert bo.shows("project", "list")["requests"] == []
