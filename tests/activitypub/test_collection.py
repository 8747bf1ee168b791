from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from activitypub.collection import MAX_ITEMS, MAX_PAGES, PAGE_SIZE, Walk, read_items, write_collection, write_page
from activitypub.document import Document
from tests.activitypub.documents import SCHEMES, hostile

OUTBOX = "https://ada.example/actors/ada/outbox"


def page(*items: object, **more: object) -> Document:
    return Document({"type": "OrderedCollectionPage", "orderedItems": [*items], **more})


def walk(pages: dict[str, Document]) -> Walk:
    """As far as `pages` lead, which must not be for ever."""
    walk, uri, steps = Walk(OUTBOX), OUTBOX, 0
    while (following := walk.take(pages.get(uri, Document({})))) and (steps := steps + 1) < 50:
        uri = following
    assert steps < 50
    return walk


@pytest.mark.proves("P-037")
def test_a_collection_and_its_pages_are_written_as_the_protocol_shows_them() -> None:
    collection = write_collection(OUTBOX, 61, f"{OUTBOX}?page=1", f"{OUTBOX}?page=last")
    first = write_page(f"{OUTBOX}?page=1", OUTBOX, ["https://ada.example/activities/1"], f"{OUTBOX}?page=2")

    assert collection == {
        "@context": ["https://www.w3.org/ns/activitystreams"],
        "id": OUTBOX,
        "type": "OrderedCollection",
        "totalItems": 61,
        "first": f"{OUTBOX}?page=1",
        "last": f"{OUTBOX}?page=last",
    }
    assert first == {
        "@context": ["https://www.w3.org/ns/activitystreams"],
        "id": f"{OUTBOX}?page=1",
        "type": "OrderedCollectionPage",
        "partOf": OUTBOX,
        "next": f"{OUTBOX}?page=2",
        "orderedItems": ["https://ada.example/activities/1"],
    }


@pytest.mark.proves("P-037")
def test_a_hidden_collection_has_a_number_and_no_pages() -> None:
    assert write_collection(OUTBOX, 3).keys() == {"@context", "id", "type", "totalItems"}


@pytest.mark.proves("P-037")
def test_a_page_has_forty_items_at_most() -> None:
    items = [f"https://ada.example/activities/{number}" for number in range(PAGE_SIZE + 1)]

    assert PAGE_SIZE == 40
    assert write_page(f"{OUTBOX}?page=1", OUTBOX, items[:-1])["orderedItems"] == items[:-1]
    with pytest.raises(ValueError, match="40"):
        write_page(f"{OUTBOX}?page=1", OUTBOX, items)


def test_what_we_write_can_be_walked() -> None:
    pages = {
        OUTBOX: write_collection(OUTBOX, 2, f"{OUTBOX}?page=1"),
        f"{OUTBOX}?page=1": write_page(f"{OUTBOX}?page=1", OUTBOX, ["https://a.example/1"], f"{OUTBOX}?page=2"),
        f"{OUTBOX}?page=2": write_page(f"{OUTBOX}?page=2", OUTBOX, [{"id": "https://a.example/2"}], None, OUTBOX),
    }

    found = walk({uri: Document(json) for uri, json in pages.items()})

    assert [one if isinstance(one, str) else one.id for one in found.items] == [
        "https://a.example/1",
        "https://a.example/2",
    ]
    assert found.total == 2


@pytest.mark.proves("P-110")
@pytest.mark.parametrize(
    "collection",
    [
        {"type": "Collection", "items": "https://a.example/1"},
        {"type": "OrderedCollection", "orderedItems": ["https://a.example/1"], "totalItems": "1"},
        {"type": "Collection", "first": {"type": "CollectionPage", "items": ["https://a.example/1"]}},
        {"type": "Collection", "first": {"id": f"{OUTBOX}?p", "type": "CollectionPage", "items": []}},
        {"type": "Collection", "first": f"{OUTBOX}?p"},
        {"type": "Collection", "first": {"type": "CollectionPage", "next": f"{OUTBOX}?p", "items": []}},
    ],
)
def test_a_collection_lists_embeds_or_names_its_items(collection: dict[str, Any]) -> None:
    assert walk({OUTBOX: Document(collection), f"{OUTBOX}?p": page("https://a.example/1")}).items == [
        "https://a.example/1"
    ]


@pytest.mark.proves("P-109", "P-311")
@pytest.mark.parametrize(
    "following",
    [OUTBOX, f"{OUTBOX}?1", "https://evil.example/1", "http://ada.example/1", "https://ada.example:8443/1", *SCHEMES],
)
def test_nobody_leads_us_in_circles_or_astray(following: str) -> None:
    start = Walk(OUTBOX)
    assert start.take(page(next=f"{OUTBOX}?1")) == f"{OUTBOX}?1"

    assert start.take(page("x", next=following)) is None
    assert start.items == ["x"]


@pytest.mark.proves("P-109", "P-311")
def test_an_endless_collection_ends_after_ten_pages() -> None:
    pages = {f"{OUTBOX}?{number}": page(f"{number}", next=f"{OUTBOX}?{number + 1}") for number in range(99)}

    assert len(walk({OUTBOX: page(first=f"{OUTBOX}?0"), **pages}).items) == MAX_PAGES == 10


@pytest.mark.proves("P-109", "P-111")
def test_a_collection_of_millions_ends_after_a_thousand_items() -> None:
    pages = {OUTBOX: page(*["x"] * 999, next=f"{OUTBOX}?1"), f"{OUTBOX}?1": page(*["y"] * 5000, next=f"{OUTBOX}?2")}

    assert walk(pages).items == ["x"] * 999 + ["y"]
    assert MAX_ITEMS == 1000


@given(hostile("id", "type", "first", "next", "items", "orderedItems", "totalItems"))
def test_any_json_can_be_walked(json: dict[str, Any]) -> None:
    found = walk({OUTBOX: Document(json)})

    assert found.total >= 0
    assert all(isinstance(one, str | Document) for one in read_items(Document(json)))
