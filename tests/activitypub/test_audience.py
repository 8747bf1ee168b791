from __future__ import annotations

from typing import Any, get_args

import pytest
from hypothesis import given

from activitypub.audience import (
    MAX_RECIPIENTS,
    PUBLIC,
    Visibility,
    addressed,
    recipients,
    visibility,
    without_blind,
)
from activitypub.document import Document
from tests.activitypub.documents import hostile, read, strings

ADA, BO, CY = "https://ada.example/actors/ada", "https://bo.example/actors/bo", "https://cy.example/actors/cy"
FOLLOWERS = f"{ADA}/followers"


@pytest.mark.proves("P-113", "P-110")
@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"to": [PUBLIC], "cc": [FOLLOWERS]}, "public"),
        ({"to": "as:Public"}, "public"),
        ({"to": {"id": PUBLIC}}, "public"),
        ({"to": [BO, "Public"]}, "public"),
        ({"to": [FOLLOWERS], "cc": [PUBLIC]}, "unlisted"),
        ({"cc": "as:Public"}, "unlisted"),
        ({"to": [FOLLOWERS], "cc": [BO]}, "followers"),
        ({"to": [BO], "cc": FOLLOWERS}, "followers"),
        ({"to": [BO]}, "direct"),
        ({"to": [f"{BO}/followers"]}, "direct"),
        ({"to": [BO], "audience": PUBLIC}, "direct"),
        ({"to": [BO], "bto": PUBLIC, "bcc": FOLLOWERS}, "direct"),
        ({"to": [PUBLIC.lower()]}, "direct"),
        (
            {"to": [], "audience": "https://ada.example/projects/p", "context": "https://ada.example/projects/p"},
            "direct",
        ),
        ({}, "direct"),
    ],
)
def test_to_and_cc_alone_make_the_visibility(said: dict[str, Any], expected: Visibility) -> None:
    assert visibility(Document(said), FOLLOWERS) == expected


@pytest.mark.proves("P-113")
@pytest.mark.parametrize(
    ("note", "expected"),
    [({}, "public"), ({"to": [BO]}, "direct"), ({"cc": [PUBLIC]}, "unlisted"), ({"to": []}, "direct")],
)
def test_the_activity_is_asked_only_where_the_object_says_nothing(note: dict[str, Any], expected: Visibility) -> None:
    assert visibility(Document(note), FOLLOWERS, Document({"to": [PUBLIC]})) == expected


def test_nobody_follows_an_author_without_followers() -> None:
    assert visibility(Document({"to": [FOLLOWERS]}), None) == "direct"


@pytest.mark.proves("P-161")
@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("public", {"to": [PUBLIC], "cc": [FOLLOWERS, BO, CY]}),
        ("unlisted", {"to": [FOLLOWERS, BO, CY], "cc": [PUBLIC]}),
        ("followers", {"to": [FOLLOWERS], "cc": [BO, CY]}),
        ("direct", {"to": [BO, CY], "cc": [], "directMessage": True}),
        ("project", {"to": [BO, CY], "cc": []}),
    ],
)
def test_each_visibility_is_addressed_as_all_servers_understand_it(kind: Visibility, expected: dict[str, Any]) -> None:
    assert addressed(kind, FOLLOWERS, [BO, CY, BO]) == expected


@pytest.mark.proves("P-113", "P-161")
@pytest.mark.parametrize("kind", get_args(Visibility))
def test_what_we_address_is_read_as_what_it_was(kind: Visibility) -> None:
    read_again = visibility(Document(addressed(kind, FOLLOWERS, [BO])), FOLLOWERS)

    assert read_again == ("direct" if kind == "project" else kind)


@pytest.mark.proves("P-160")
def test_recipients_are_everybody_but_the_public_and_ourselves() -> None:
    activity = {"actor": {"id": ADA}, "to": [PUBLIC, BO, ADA], "cc": FOLLOWERS, "bto": [CY], "bcc": {"id": BO}}
    activity |= {"audience": ["as:Public", "Public", "https://ada.example/projects/p"]}

    assert recipients(Document(activity)) == (BO, FOLLOWERS, CY, "https://ada.example/projects/p")


@pytest.mark.proves("P-111", "P-332")
def test_ten_thousand_recipients_are_a_thousand() -> None:
    crowd = [f"https://a{number}.example/u" for number in range(10_000)]

    assert recipients(Document({"actor": ADA, "to": crowd})) == tuple(crowd[:MAX_RECIPIENTS])


@pytest.mark.proves("P-160")
def test_blind_copies_leave_neither_the_activity_nor_its_object() -> None:
    note = {"id": "https://ada.example/notes/1", "to": [BO], "bto": [CY], "bcc": CY}
    activity = {"type": "Announce", "to": [BO], "bcc": [CY], "object": {"type": "Create", "bto": CY, "object": note}}

    seen = without_blind({**activity, "bto": [CY]})

    assert CY not in strings(seen)
    assert seen["object"]["object"] == {"id": "https://ada.example/notes/1", "to": [BO]}
    assert note["bto"] == [CY]
    assert without_blind({"object": [note, "x"]}) == {"object": [seen["object"]["object"], "x"]}


@given(hostile("to", "cc", "bto", "audience", "actor", "object"))
def test_any_json_has_a_visibility_and_recipients(json: dict[str, Any]) -> None:
    document = Document(json)

    assert visibility(document, FOLLOWERS, document) in get_args(Visibility)
    assert isinstance(without_blind(json), dict)
    assert len(recipients(document)) <= MAX_RECIPIENTS


@pytest.mark.proves("P-113")
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mastodon-note", "public"),
        ("gotosocial-note", "unlisted"),
        ("mastodon-question", "followers"),
        ("pleroma-direct", "direct"),
        ("fedify-note", "public"),
        ("expanded-note", "public"),
    ],
)
def test_the_visibility_of_what_others_send(name: str, expected: Visibility) -> None:
    document = read(name)

    assert visibility(document, f"{document.uri('attributedTo')}/followers") == expected
