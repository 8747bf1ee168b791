"""What one does every day, by command: say, show, describe oneself, keep some people away."""

from __future__ import annotations

import io
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy.orm import Session

from coop import accounts
from coop.vouchers import Voucher
from federation.store import Transaction, connect
from federation.tables import Receipt
from tests.boxroom.house import House


def with_bo(house: House) -> House:
    """Bo moves in with Ada."""
    engine, now = connect(f"sqlite:///{house.folder / 'boxroom.db'}"), datetime.now(UTC)
    with Session(engine) as db, db.begin():
        accounts.create(Transaction(db, now, house.url), "bo", "Bo above the shop", "person", accounts.new_keys())
    engine.dispose()
    return house


def picture(folder: Path) -> Path:
    octets = io.BytesIO()
    Image.new("RGB", (64, 48), "orange").save(octets, "PNG")
    file = folder / "desk.png"
    file.write_bytes(octets.getvalue())
    return file


def test_several_live_in_one_studio_and_say_who_acts(house: House) -> None:
    with_bo(house)

    ada, bo = house.does("post", "I am Ada"), house.does("post", "I am Bo", "--as", "@Bo")

    assert [one["uri"] for one in house.shows("outbox")] == [ada]
    assert [one["uri"] for one in house.shows("outbox", "--as", "bo")] == [bo]
    assert house.shows("whoami", "--as", "bo")["name"] == "Bo above the shop"
    assert house.shows("whoami")["others"] == 1
    assert "somebody else's" in house.fails("delete", bo)


@pytest.mark.proves("P-078")
def test_everybody_gets_new_keys_at_once_or_after_a_day(house: House) -> None:
    with_bo(house)

    house.does("rotate")
    with closing(sqlite3.connect(house.folder / "boxroom.db")) as database:
        announced = dict(database.execute("SELECT id, retired FROM keys"))
    busy = house.fails("rotate")
    examined = house.shows("doctor", "--offline")
    house.does("rotate", "--stolen")

    assert len(announced) == 12
    assert not any(announced.values())
    assert "within the last day" in busy
    assert {one["state"] for one in examined if one["what"] == "keys"} == {"well"}
    with closing(sqlite3.connect(house.folder / "boxroom.db")) as database:
        left = database.execute("SELECT id FROM keys WHERE retired IS NULL AND private IS NOT NULL").fetchall()
    assert sorted(name.partition("#")[2] for (name,) in left) == ["ed25519-key-3"] * 3 + ["main-key-3"] * 3


def test_neighbours_follow_each_other_without_any_network(house: House) -> None:
    with_bo(house)
    house.does("profile", "--approve-followers")
    house.does("follow", house.address, "--as", "bo")
    with house.open():
        house.waits_for("followers", until="asked")
        house.does("approve", "bo")
        house.waits_for("following", "--as", "bo", until="accepted")
        house.does("reject", "bo")
        house.waits_for_the_end_of("following", "--as", "bo", of="accepted")


def test_a_picture_is_attached_with_what_is_to_be_seen(house: House, tmp_path: Path) -> None:
    said = house.does("post", "My desk", "--attach", str(picture(tmp_path)), "--alt", "A desk, very orange")

    [file] = (house.folder / "media").iterdir()
    with closing(sqlite3.connect(house.folder / "boxroom.db")) as database:
        [(document,)] = database.execute("SELECT document FROM objects WHERE uri = ?", (said,))
    assert "A desk, very orange" in document
    assert file.name in document


def test_a_profile_is_changed_piece_by_piece(house: House, tmp_path: Path) -> None:
    house.does("profile", "--bio", "I *draw*", "--skill", "Design", "--skill", "Lettering", "--pronouns", "she/her")
    house.does("profile", "--availability", "From March", "--avatar", str(picture(tmp_path)))

    shown = house.shows("profile")
    assert (shown["bio"], shown["skills"], shown["availability"]) == ("I *draw*", ["Design", "Lettering"], "From March")
    assert shown["avatar"].startswith(f"{house.url}/media/")


def test_what_is_no_picture_is_no_avatar(house: House, tmp_path: Path) -> None:
    file = tmp_path / "letter.txt"
    file.write_text("dear Bo")

    assert "no picture" in house.fails("profile", "--avatar", str(file))


@pytest.mark.parametrize("visibility", ["public", "unlisted", "followers"])
def test_a_post_is_for_whom_it_says_and_can_be_edited_and_deleted(house: House, visibility: str) -> None:
    said = house.does("post", "First", "--visibility", visibility, "--warning", "Long")
    [shown] = house.shows("outbox")
    assert (shown["visibility"], shown["warning"], shown["text"]) == (visibility, "Long", "First")

    house.does("edit", said, "Second", "--warning", "")
    assert [(one["text"], one["warning"]) for one in house.shows("outbox")] == [("Second", "")]

    house.does("delete", said)
    assert house.shows("outbox") == []
    assert "nobody elsewhere" not in house.does("outbox")


def test_a_whole_server_is_blocked_and_unblocked(house: House) -> None:
    house.does("block", "spam.example", "--reason", "spam")
    with closing(sqlite3.connect(house.folder / "boxroom.db")) as database:
        assert database.execute("SELECT host, reason FROM blocked_domains").fetchall() == [("spam.example", "spam")]
    assert "blocked" in house.fails("follow", "x@spam.example")

    house.does("unblock", "spam.example")
    assert "blocked" not in house.fails("follow", "x@spam.example")


def test_somebody_is_blocked_and_unblocked(house: House) -> None:
    with_bo(house)

    house.does("block", "bo")
    house.does("unblock", "bo")

    assert "you do not block them" in house.fails("unblock", "bo")


def test_an_offer_lives_from_open_to_withdrawn(house: House) -> None:
    words = ("--title", "Lettering", "--text", "By hand", "--skill", "Letters", "--amount", "80", "--currency", "EUR")
    offer = house.does("offer", "create", *words, "--per", "hour", "--place", "Graz", "--until", "2099-12-24")

    [shown] = house.shows("offer", "list", "--mine", "--skill", "letters")
    assert (shown["price"], shown["place"], shown["status"]) == ("80 EUR per hour", "Graz", "open")
    assert (shown["amount"], shown["least"], shown["most"]) == ("80", "80", "80")
    assert "Lettering" in house.does("offer", "list")
    assert "By hand" in house.does("offer", "show", offer)

    house.does("offer", "withdraw", offer)
    assert house.shows("offer", "list") == []
    assert house.shows("offer", "show", offer)["status"] == "withdrawn"
    assert "withdrawn already" in house.fails("offer", "fill", offer)


@pytest.mark.parametrize(
    ("words", "price"),
    [
        (("--amount", "400-600", "--currency", "eur"), "400 to 600 EUR"),
        (("--amount", "-600", "--currency", "EUR"), "up to 600 EUR"),
        (("--amount", "400-", "--currency", "EUR"), "from 400 EUR"),
        (("--currency", "GBP", "--per", "day"), "negotiable, in GBP per day"),
        ((), None),
    ],
)
def test_a_price_may_be_a_range_or_left_open(house: House, words: tuple[str, ...], price: str | None) -> None:
    house.does("offer", "create", "--title", "Lettering", "--text", "By hand", *words)

    [shown] = house.shows("offer", "list", "--mine")
    assert (shown["price"], shown["amount"]) == (price, None)


def test_what_could_not_be_taken_in_is_listed_and_tried_again(house: House) -> None:
    engine, now = connect(f"sqlite:///{house.folder / 'boxroom.db'}"), datetime.now(UTC)
    with Session(engine) as db, db.begin():
        row = Receipt(
            uri="https://bo.example/1",
            actor="https://bo.example/bo",
            type="Like",
            body=b"{}",
            proven=True,
            received=now,
            due=now,
        )
        row.state, row.error = "failed", "a bug"
        db.add(row)
    engine.dispose()

    [failed] = house.shows("status")["condition"]["failed"]
    assert (failed["actor"], failed["error"]) == ("https://bo.example/bo", "a bug")
    assert "boxroom replay ID" in house.does("status")

    assert house.shows("replay", str(failed["id"])) == {"replayed": 1}
    assert house.shows("replay") == {"replayed": 0}
    assert house.shows("status")["condition"]["receipts_waiting"] == 1


def test_a_project_is_founded_by_one_and_found_by_its_name(house: House) -> None:
    uri = house.does("project", "create", "--name", "Bakery", "--text", "Bread")

    house.does("project", "post", "bakery", "Anybody here?")

    shown = house.shows("project", "show", "BAKERY")
    assert (shown["uri"], shown["role"], [one["text"] for one in shown["talk"]]) == (uri, "lead", ["Anybody here?"])
    assert "needs a lead" in house.fails("project", "leave", uri)
    assert "Bakery" in house.does("project", "list")


@pytest.mark.proves("P-251")
def test_who_asks_to_join_is_shown_with_what_to_do_about_it(house: House) -> None:
    with_bo(house)
    uri = house.does("project", "create", "--name", "Bakery")
    with house.open():
        wish = house.does("project", "join", uri, "--as", "bo")
        house.waits_for("project", "list", until=wish)

    listed, shown = house.does("project", "list"), house.does("project", "show", "bakery")
    [request] = house.shows("project", "show", "bakery")["requests"]

    for page in (listed, shown):
        assert f"bo@{house.address.partition('@')[2]} asks to be let into Bakery" in page
        assert f"boxroom project accept {wish}" in page
    assert (request["uri"], request["project"], request["by"]) == (
        wish,
        uri,
        house.shows("whoami", "--as", "bo")["uri"],
    )
    assert "asked already" in house.fails("project", "join", uri, "--as", "bo")
    assert "only a lead" in house.fails("project", "decline", wish, "--as", "bo")
    assert "`boxroom project list` shows what does" in house.fails("project", "accept", uri)

    house.does("project", "decline", wish)

    assert house.shows("project", "list")["requests"] == []
    assert "nobody asks that any more" in house.fails("project", "accept", wish)


@pytest.mark.proves("P-243")
def test_a_project_says_whose_keys_nobody_but_its_members_confirmed(house: House) -> None:
    uri, owner = house.does("project", "create", "--name", "Bakery"), "https://bo.example/bo"
    engine, now = connect(f"sqlite:///{house.folder / 'boxroom.db'}"), datetime.now(UTC)
    with Session(engine) as db, db.begin():
        by = "https://cy.example/cy"
        db.add(Voucher(id=1, project=uri, key=f"{owner}#key", owner=owner, public="", by=by, since=now))
    engine.dispose()

    assert house.shows("project", "show", uri)["unconfirmed"] == [owner]
    assert f"{owner} could not be asked" in house.does("project", "show", uri)


def test_empty_places_say_what_will_be_there(house: House) -> None:
    for place in ("feed", "notifications", "outbox", "followers", "following"):
        result = house.runs(place)
        assert (result.exit_code, result.stdout) == (0, "")
        assert result.stderr
        assert house.shows(place) == []
