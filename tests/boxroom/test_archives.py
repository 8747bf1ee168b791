"""An archive from Mastodon becomes posts of the account here: once, on their own days, and without telling anybody."""

from __future__ import annotations

import json
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from activitypub.audience import PUBLIC
from activitypub.document import Json
from tests.boxroom.house import PATIENCE, House
from tests.boxroom.mastodon import FOLLOWERS, OLD, SKY, WHO, Form, attached, boost, files, packed, post

BO = f"{OLD}/users/bo"
OPTIONS = [
    {"type": "Note", "name": "A < B", "replies": {"type": "Collection", "totalItems": 12}},
    {"type": "Note", "name": "C", "replies": {"type": "Collection", "totalItems": 3}},
]
EVERYTHING: list[Json] = [
    post(
        1,
        f'<p>Hello <a href="{OLD}/tags/type" class="mention hashtag" rel="tag">#<span>type</span></a></p>',
        tag=[{"type": "Hashtag", "href": f"{OLD}/tags/type", "name": "#type"}],
    ),
    post(2, "<p>And more</p>", inReplyTo=f"{WHO}/statuses/1"),
    post(
        3, "<p>Blue</p>", attachment=[attached()], summary="Weather", sensitive=True, contentMap={"de": "<p>Blue</p>"}
    ),
    post(4, "<p>Quietly</p>", to=[FOLLOWERS], cc=[PUBLIC]),
    post(5, "<p>For friends</p>", to=[FOLLOWERS], cc=[]),
    post(6, "<p>For Bo alone</p>", to=[BO], cc=[]),
    boost(7),
    post(8, "<p>Yes<script>alert(1)</script></p>", updated="2019-01-09T10:00:00Z"),
    post(9, "<p>Which?</p>", type="Question", oneOf=OPTIONS, endTime="2019-01-10T08:30:00Z", votersCount=15),
    post(10, "<p>@bo yes</p>", inReplyTo=f"{BO}/statuses/1", tag=[{"type": "Mention", "href": BO, "name": "@bo"}]),
]


PROFILE = ["bio", "pronouns", "links", "avatar"]
LEFT_OUT = {"post for followers alone": 1, "direct message": 1, "boost": 1}


def kept(house: House) -> list[Json]:
    """The documents of all posts, in the order of their days."""
    file = house.folder / "all.json"
    house.does("export", str(file))
    exported: dict[str, Any] = json.loads(file.read_text())
    return sorted(exported["posts"], key=lambda one: str(one["published"]))


def uploads(house: House) -> int:
    return len([*(house.folder / "media").glob("*")])


@pytest.mark.parametrize("form", ["zip", "tar.gz", "tar"])
def test_an_archive_from_mastodon_is_brought_along(house: House, tmp_path: Path, form: Form) -> None:
    told = house.shows("import", str(packed(tmp_path, files(EVERYTHING), form)))

    assert told == {
        "list": "archive",
        "brought": {"post": 7, "picture": 1},
        "here_already": 0,
        "left_out": LEFT_OUT,
        "profile": PROFILE,
    }
    first, second, third, fourth, *_, poll, answer = found = kept(house)
    assert [one["published"][:10] for one in found] == [f"2019-01-{day:02}" for day in (1, 2, 3, 4, 8, 9, 10)]
    assert f'href="{OLD}/tags/type"' in first["content"]
    assert [(one["type"], one["name"]) for one in first["tag"]] == [("Hashtag", "#type")]
    assert second["inReplyTo"] == first["id"]
    assert (third["summary"], third["sensitive"], [*third["contentMap"]]) == ("Weather", True, ["de"])
    assert [(one["type"], one["name"], one["width"]) for one in third["attachment"]] == [("Image", "A sky", 64)]
    assert PUBLIC in fourth["cc"]
    assert (found[4]["content"], found[4]["updated"]) == ("<p>Yes</p>", "2019-01-09T10:00:00Z")
    assert poll["content"] == "<p>Which?</p><ul><li>A &lt; B: 12</li><li>C: 3</li></ul>"
    assert (answer["inReplyTo"], answer["tag"], BO in answer["cc"]) == (f"{BO}/statuses/1", [], False)
    assert not any(one["id"].startswith(OLD) for one in found)


def test_it_is_told_in_words_and_nothing_is_brought_twice(house: House, tmp_path: Path) -> None:
    file = packed(tmp_path, files(EVERYTHING))

    once, again = house.runs("import", str(file)), house.runs("import", str(file))

    left_out = "left out: 1 post for followers alone, 1 direct message, 1 boost\n"
    assert once.stdout == f"7 posts, 1 picture; {left_out}"
    assert "from it: bio, pronouns, links, avatar." in once.stderr
    assert "Likes and bookmarks stay in the archive." in once.stderr
    assert again.stdout == f"no new posts; 7 here already; {left_out}"
    assert (len(kept(house)), uploads(house)) == (7, 2)


def test_they_are_found_and_nobody_was_told(house: House, tmp_path: Path) -> None:
    house.does("import", str(packed(tmp_path, files(EVERYTHING))))

    [found] = house.shows("search", "quietly")
    assert found["published"] == "2019-01-04T08:30:00Z"
    assert (house.shows("feed"), house.shows("notifications")) == ([], [])


def test_what_a_profile_says_already_stays(house: House, tmp_path: Path) -> None:
    house.does("profile", "--bio", "Mine", "--link", "https://mine.example", "--pronouns", "they")

    told = house.shows("import", str(packed(tmp_path, files([]))))

    profile = house.shows("profile")
    assert told["profile"] == ["avatar"]
    assert (profile["name"], profile["bio"], profile["links"]) == ("Ada in the attic", "Mine", ["https://mine.example"])


def test_what_others_said_is_not_taken_for_ones_own(house: House, tmp_path: Path) -> None:
    theirs, inside, several = post(1), post(2), post(3, attributedTo=[WHO, BO])
    theirs["actor"] = BO
    inside["object"] |= {"id": f"{BO}/statuses/2", "attributedTo": BO}
    elsewhere = post(4, id="https://spam.example/notes/4")

    told = house.shows("import", str(packed(tmp_path, files([theirs, inside, several, elsewhere]))))

    assert (told["brought"], told["left_out"]) == ({}, {"post by others": 3, "entry of another kind": 1})
    assert kept(house) == []


@pytest.mark.parametrize(
    "odd",
    [
        {"type": "Like", "id": f"{WHO}/likes/1", "actor": WHO, "object": f"{BO}/statuses/1"},
        {"type": "Create", "id": f"{WHO}/1", "actor": WHO, "object": f"{WHO}/statuses/1"},
        {"type": ["Create"], "id": 5, "actor": WHO, "object": [[]]},
        {"type": "Create", "actor": WHO, "object": {"type": "Note", "attributedTo": WHO, "to": PUBLIC}},
        {"type": "Create", "actor": WHO, "object": {"a": "\0"}},
        [],
        None,
        "text",
        1e400,
    ],
)
def test_what_is_odd_is_left_out_and_the_rest_comes(house: House, tmp_path: Path, odd: Any) -> None:
    told = house.shows("import", str(packed(tmp_path, files([odd, post(2)]))))

    assert told["brought"] == {"post": 1}
    assert sum(told["left_out"].values()) == 1


def test_pictures_that_are_not_there_or_none_are_counted(house: House, tmp_path: Path) -> None:
    posts = [
        post(1, "<p>One</p>", attachment=[attached("../../../../etc/passwd"), attached("media_attachments/odd.png")]),
        post(2, "<p></p>", attachment=[attached("media_attachments/none.png")]),
        post(3, "<p>Three</p>", attachment=[attached(alt=None), attached(f"https://cdn.example/x/{SKY}", "n" * 3_000)]),
    ]
    inside = files(posts) | {"media_attachments/odd.png": b"neither a picture nor a film"}

    told = house.shows("import", str(packed(tmp_path, inside)))

    assert told["brought"] == {"post": 2, "picture": 2}
    assert told["left_out"] == {"file": 3, "empty post": 1}
    assert [len(one["attachment"]) for one in kept(house)] == [0, 2]


def test_one_killed_in_the_middle_is_finished_the_next_time(house: House, tmp_path: Path) -> None:
    """Whenever it happens, nothing is there by half and nothing twice."""
    many = [post(1, f"<p>Post {number}</p>", id=f"{WHO}/statuses/{number}") for number in range(500)]
    file = packed(tmp_path, files(many))
    for _ in range(2):
        before = counted(house)
        with house.starts("import", str(file)) as process:
            end = time.monotonic() + PATIENCE
            while counted(house) == before:
                assert time.monotonic() < end, house.log
            process.send_signal(signal.SIGKILL)
    there = counted(house)
    assert 0 < there < 500

    told = house.shows("import", str(file))

    assert (told["brought"], told["here_already"]) == ({"post": 500 - there}, there)
    assert sorted(one["content"] for one in kept(house)) == sorted(f"<p>Post {number}</p>" for number in range(500))
    assert house.runs("import", str(file)).stdout == "no new posts; 500 here already\n"


def counted(house: House) -> int:
    with closing(sqlite3.connect(house.folder / "boxroom.db")) as database:
        [number] = database.execute("SELECT count(*) FROM objects").fetchone()
        return int(number)


def test_what_is_no_archive_of_mastodon_ends_in_one_line(house: House, tmp_path: Path) -> None:
    inside = files(EVERYTHING)
    del inside["actor.json"]

    said = house.fails("import", str(packed(tmp_path, inside)))

    assert "archive-20190201000000-1f.zip: it has no actor.json and outbox.json" in said


def test_a_profile_that_could_not_be_written_here_is_taken_as_far_as_it_can(house: House, tmp_path: Path) -> None:
    fields = [
        {"type": "PropertyValue", "name": "Web", "value": f"https://type.example/{'a' * size}"} for size in (9, 3_000)
    ]
    who = {"name": "A\nB" * 50, "summary": "<p>" + "word " * 2_000, "attachment": fields, "icon": None}

    told = house.shows("import", str(packed(tmp_path, files([], **who))))

    assert (told["profile"], told["left_out"]) == (["bio", "links"], {})
    assert house.shows("profile")["links"] == [f"https://type.example/{'a' * 9}"]
