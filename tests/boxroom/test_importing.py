"""Lists that Mastodon exports: read as they are, and followed or blocked one by one."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from boxroom.cli import moving
from coop import lists
from coop.errors import Trouble
from coop.lists import Kind, Luggage
from federation.client import Unreachable
from tests.boxroom.house import House
from tests.boxroom.test_everyday import with_bo

FOLLOWS = (
    "Account address,Show boosts,Notify on new posts,Languages\nbo@shop.example,true,false,\nCleo@box.example,true\n"
)


def put(folder: Path, text: str, name: str = "list.csv") -> Path:
    file = folder / name
    file.write_bytes(text.encode())
    return file


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("list.csv", FOLLOWS, Luggage("follows", ("bo@shop.example", "cleo@box.example"))),
        ("list.csv", "\ufeff" + FOLLOWS, Luggage("follows", ("bo@shop.example", "cleo@box.example"))),
        (
            "following_accounts.csv",
            "@bo@shop.example\r\nbo@shop.example\r\n\r\n",
            Luggage("follows", ("bo@shop.example",)),
        ),
        ("blocked_accounts.csv", "bo@shop.example\n", Luggage("blocks", ("bo@shop.example",))),
        ("blocked_domains.csv", "spam.example\nAds.example\n", Luggage("servers", ("spam.example", "ads.example"))),
        ("list.csv", "#domain,#severity\nspam.example,suspend\n", Luggage("servers", ("spam.example",))),
        (
            "list.csv",
            "#domain,#severity,#reject_media,#public_comment\nads.example,suspend,false,Ads\nloud.example,silence,false,",
            Luggage("servers", ("ads.example",), {"ads.example": "Ads"}),
        ),
        ("following.csv", "", Luggage("follows", ())),
    ],
)
def test_a_list_says_what_it_is_or_its_file_does(tmp_path: Path, name: str, text: str, found: Luggage) -> None:
    assert lists.read(put(tmp_path, text, name)) == found


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        ("bo@shop.example\n", None, "does not say what it lists: name it with --list"),
        ("not an address\n", "follows", "'not an address' in list.csv is not an address, like ada@attic.example"),
        ("bo@shop.example\n", "servers", "is not the name of a server"),
        ("https://shop.example/bo\n", "blocks", "is not an address"),
        ("a" * (lists.MAX_SIZE + 1), "follows", "larger than any such list"),
        ("\n".join(f"n{number}@shop.example" for number in range(lists.MAX_NAMES + 1)), "follows", "divide it"),
    ],
)
def test_what_is_no_such_list_is_refused_in_words(tmp_path: Path, text: str, kind: Kind | None, said: str) -> None:
    with pytest.raises(Trouble, match=said):
        lists.read(put(tmp_path, text), kind)


@given(some.binary(max_size=300))
def test_any_file_is_a_list_or_refused(tmp_path_factory: pytest.TempPathFactory, octets: bytes) -> None:
    file = tmp_path_factory.mktemp("any") / "list.csv"
    file.write_bytes(octets)

    with suppress(Trouble):
        assert lists.read(file, "blocks").kind == "blocks"


def test_a_list_is_followed_and_who_cannot_be_found_is_named(house: House, tmp_path: Path) -> None:
    with_bo(house)
    host = house.url.partition("://")[2]
    file = put(tmp_path, f"{FOLLOWS.splitlines()[0]}\nbo@{host},true\none@localhost:9,true\ntwo@localhost:9,true\n")

    told = house.shows("import", str(file))
    again = house.runs("import", str(file))

    assert (told["list"], told["done"], [*told["failed"]]) == ("follows", 1, ["one@localhost:9", "two@localhost:9"])
    assert [one["address"] for one in house.shows("following")] == [f"bo@{host}"]
    assert again.stdout == "1 of 3 followed\n"
    assert "one@localhost:9: " in again.stderr


async def test_a_server_that_is_silent_is_asked_for_one_of_its_people_alone() -> None:
    asked = []

    async def follow(name: str) -> None:
        asked.append(name)
        if name.endswith("silent.example"):
            raise Unreachable("silent.example does not answer")
        if name.startswith("nobody"):
            raise Trouble("nobody has that address")

    names = ("bo@shop.example", "one@silent.example", "nobody@shop.example", "two@silent.example", "cleo@shop.example")
    failed = await moving._each(names, follow)

    assert sorted(asked) == sorted({*names} - {"two@silent.example"})
    assert failed == {
        "one@silent.example": "silent.example does not answer",
        "nobody@shop.example": "nobody has that address",
        "two@silent.example": "silent.example does not answer",
    }


def test_lists_of_people_and_of_servers_are_blocked(house: House, tmp_path: Path) -> None:
    with_bo(house)
    host = house.url.partition("://")[2]
    house.does("follow", f"bo@{host}")

    people = house.does("import", str(put(tmp_path, f"bo@{host}\n", "blocked_accounts.csv")))
    servers = house.does("import", "--list", "servers", str(put(tmp_path, "spam.example\nads.example\n")))

    assert (people, servers) == ("1 of 1 blocked", "2 of 2 blocked")
    assert house.shows("following") == []
    assert house.does("unblock", "spam.example")


def test_a_file_that_is_no_list_ends_in_one_line(house: House, tmp_path: Path) -> None:
    assert "does not say what it lists" in house.fails("import", str(put(tmp_path, "bo@shop.example\n")))
    assert house.runs("import", str(tmp_path / "none.csv")).exit_code == 2
