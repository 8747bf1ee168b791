"""Finding by command: who can do something, and why; what was said."""

from __future__ import annotations

from tests.boxroom.house import House
from tests.boxroom.test_everyday import with_bo


def test_who_can_do_something_is_answered_with_reasons(house: House) -> None:
    with_bo(house)
    bo = ("--as", "bo")
    house.does("profile", "--skill", "Schriftsatz", "--availability", "ab März", "--place", "Linz", "--remote", *bo)

    [found] = house.shows("who", "typesetting", "maps")
    line = house.does("who", "typesetting")

    assert (found["name"], found["availability"], found["place"]) == ("Bo above the shop", "ab März", "Linz")
    assert found["skills"] == [{"asked": "typesetting", "skill": "Schriftsatz", "how": "synonym"}]
    assert found["ways"] == []
    assert found["because"] == [
        "Schriftsatz, for typesetting",
        "ab März",
        "Linz or remote",
        "Bo above the shop lives in your studio",
    ]
    assert "Schriftsatz, for typesetting; ab März; Linz or remote; Bo above the shop lives in your studio" in line


def test_who_is_narrowed_down_and_says_when_there_is_nobody(house: House) -> None:
    with_bo(house)
    house.does("profile", "--skill", "Typesetting", "--availability", "booked", "--on-site", "--as", "bo")

    assert len(house.shows("who", "typesetting", "--limit", "1")) == 1
    assert house.shows("who", "typesetting", "--available") == []
    assert house.shows("who", "typesetting", "--remote") == []
    assert house.shows("who", "typesetting", "--place", "Linz") == []
    nobody = house.runs("who", "typesetting", "--place", "Linz")
    assert (nobody.exit_code, nobody.stdout) == (0, "")
    assert "Nobody you know says so, nor whom they know: typesetting." in nobody.stderr
    assert house.runs("who").exit_code == 2
    assert "name one to 8 skills" in house.fails("who", " ")


def test_whether_strangers_find_me_is_my_choice(house: House) -> None:
    hint = house.runs("profile", "--skill", "Typesetting").stderr
    before = house.shows("profile")

    house.does("profile", "--discoverable")

    assert "--discoverable" in hint
    assert (before["discoverable"], house.shows("profile")["discoverable"]) == (False, True)
    assert "--discoverable" not in house.runs("profile", "--skill", "Maps").stderr


def test_what_was_said_is_found_by_its_words(house: House) -> None:
    with_bo(house)
    first = house.does("post", "Who lets me borrow a *ladder*?")
    second = house.does("offer", "create", "--title", "Ladders to lend", "--text", "All sizes", "--as", "bo")

    assert [one["uri"] for one in house.shows("search", "LADDER")] == [second, first]
    assert [one["text"] for one in house.shows("search", "borrow", "ladder")] == ["Who lets me borrow a ladder?"]
    assert [one["uri"] for one in house.shows("search", "ladder", "--kind", "offer")] == [second]
    for name in ("bo", f"bo@{house.url.partition('://')[2]}", house.shows("whoami", "--as", "bo")["uri"]):
        assert [one["uri"] for one in house.shows("search", "ladder", "--from", name)] == [second]
    assert len(house.shows("search", "ladder", "--limit", "1")) == 1
    assert "Who lets me borrow a ladder?" in house.does("search", "borrow")


def test_a_search_that_finds_nothing_says_so(house: House) -> None:
    nothing = house.runs("search", "ladder", '"OR')

    assert (nothing.exit_code, nothing.stdout) == (0, "")
    assert 'Nothing that you may read has these words: ladder "OR' in nothing.stderr
    assert "nobody here has heard of bo@shop.example" in house.fails("search", "ladder", "--from", "bo@shop.example")
    assert house.runs("search").exit_code == 2
    assert house.runs("search", "x", "--kind", "song").exit_code == 2


def test_what_is_for_others_is_not_found(house: House) -> None:
    with_bo(house)
    house.does("post", "The ladder is for nobody but my followers", "--visibility", "followers")

    assert house.shows("search", "ladder", "--as", "bo") == []
    assert len(house.shows("search", "ladder")) == 1
