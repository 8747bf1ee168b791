from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from activitypub.document import Document
from activitypub.errors import Forbidden, Malformed, ProtocolError
from activitypub.origin import host, origin, own_words, owner, page
from tests.activitypub.documents import SCHEMES, hostile

ADA, BO, EVE = "https://ada.example/actors/ada", "https://bo.example/actors/bo", "https://ada.example/actors/eve"


def note(author: str | None, uri: str) -> dict[str, Any]:
    return {"id": uri, "type": "Note", "content": "forged?"} | ({"attributedTo": author} if author else {})


def create(inner: object, **more: object) -> Document:
    return Document({"id": "https://ada.example/activities/1", "type": "Create", "actor": ADA, "object": inner, **more})


@pytest.mark.proves("P-104")
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://a.example/1", "https://a.example:443/2?x#y"),
        ("https://A.Example/1", "https://a.example/2"),
        ("HTTPS://a.example", "https://a.example/"),
        ("http://a.example", "http://a.example:80/x"),
        ("http://[::1]:8000/a", "http://[::1]:8000/b"),
    ],
)
def test_one_origin_is_one_scheme_host_and_port(one: str, other: str) -> None:
    assert origin(one) == origin(other)


@pytest.mark.proves("P-104")
@pytest.mark.parametrize(
    "other",
    [
        *("http://a.example/", "https://a.example:8443/", "https://a.example:0/", "https://a.example.evil.example/"),
        *("https://sub.a.example/", "https://a.example./", "https://b.example/https://a.example/"),
    ],
)
def test_another_scheme_host_or_port_is_another_origin(other: str) -> None:
    assert origin(other) != origin("https://a.example/")


@pytest.mark.proves("P-331", "P-314")
@pytest.mark.parametrize(
    "uri",
    [*SCHEMES, "https://a.example/a b", "https://a.example/\t", "https://a.example/\x7f", "acct:ada@a.example", "a"],
)
def test_what_is_no_clean_web_address_has_no_origin(uri: str) -> None:
    with pytest.raises(Malformed):
        origin(uri)


@pytest.mark.proves("P-331")
@given(some.text() | some.text().map("https://{}".format) | some.text().map("https://a.example{}".format))
def test_any_text_has_an_origin_or_is_malformed(uri: str) -> None:
    try:
        found = origin(uri)
    except Malformed:
        return
    assert origin(found) == found
    assert host(uri) in found


@pytest.mark.parametrize(
    ("uri", "lane"),
    [
        ("https://a.example/x", "a.example"),
        ("https://a.example:8443/x", "a.example:8443"),
        ("http://127.0.0.1:8000/x", "127.0.0.1:8000"),
        ("http://[::1]:8000/x", "[::1]:8000"),
        ("https://a.example:80/", "a.example:80"),
    ],
)
def test_a_host_has_its_port_if_that_is_an_odd_one(uri: str, lane: str) -> None:
    assert host(uri) == lane


@pytest.mark.proves("P-105")
@pytest.mark.parametrize(
    ("json", "expected"),
    [
        ({"type": "Person", "id": ADA, "attributedTo": BO}, ADA),
        ({"type": ["Alien", "Group"], "id": ADA, "attributedTo": BO}, ADA),
        ({"type": "Create", "actor": ADA, "attributedTo": BO}, ADA),
        ({"type": "Note", "attributedTo": [{"id": BO}]}, BO),
        ({"id": f"{ADA}#main-key", "owner": ADA, "publicKeyPem": ""}, ADA),
        ({"type": "Multikey", "controller": ADA}, ADA),
        ({"type": "Note"}, None),
        ({"type": "Note", "actor": BO, "attributedTo": ADA}, ADA),
        ({"type": "Like", "actor": BO, "attributedTo": ADA}, BO),
    ],
)
def test_a_document_is_the_word_of_its_owner(json: dict[str, Any], expected: str | None) -> None:
    assert owner(Document(json)) == expected


@pytest.mark.proves("P-104", "P-105", "P-106")
@pytest.mark.parametrize(
    "foreign",
    [
        note(BO, "https://bo.example/notes/1"),
        note(None, "https://bo.example/notes/1"),
        note(ADA, "https://bo.example/notes/1"),
        note(ADA, "https://ada.example:8443/notes/1"),
        note(ADA, "http://ada.example/notes/1"),
        note(EVE, "https://ada.example/notes/1"),
        note(BO, "https://ada.example/notes/1"),
        {"id": EVE, "type": "Person", "inbox": "https://evil.example/inbox", "attributedTo": ADA},
        {"id": EVE, "type": ["Note", "Person"], "attributedTo": ADA},
        {"id": "https://bo.example/activities/1", "type": "Create", "actor": BO, "object": "x"},
        {"id": f"{EVE}#main-key", "owner": EVE, "publicKeyPem": "…"},
        {"id": ["https://bo.example/notes/1"], "type": "Note", "attributedTo": BO},
        {"id": {"id": "https://bo.example/notes/1"}, "type": "Note"},
        {"as:id": "https://bo.example/notes/1", "type": "Note", "attributedTo": ADA},
        note(EVE, "https://ada.example/notes/1") | {"actor": ADA},
        note(ADA, "https://ada.example/notes/1") | {"actor": EVE},
        {"id": "https://ada.example/likes/1", "type": "Like", "actor": ADA, "attributedTo": EVE, "object": "x"},
    ],
)
def test_what_is_not_the_senders_to_say_is_reduced_to_its_uri(foreign: dict[str, Any]) -> None:
    uri = Document(foreign).id

    alone, nested = own_words(create(foreign)), own_words(create({"type": "Collection", "items": [{"x": [foreign]}]}))

    assert alone.json["object"] == uri
    assert nested.json["object"]["items"] == [{"x": [uri]}]
    assert alone.hearsay[uri].json == foreign


@pytest.mark.proves("P-104")
@pytest.mark.parametrize(
    "own",
    [
        note(ADA, "https://ada.example/notes/1"),
        note(ADA, "https://ADA.example:443/notes/1"),
        {"id": ADA, "type": "Person", "name": "Ada"},
        {"id": "https://ada.example/notes/1", "type": "Tombstone"},
        {"id": "https://ada.example/activities/1#part", "type": "Note", "attributedTo": ADA},
        {"type": "Agreement", "attributedTo": ADA, "stipulates": {"type": "Commitment"}},
        {"id": None, "type": "Note"},
        "https://bo.example/notes/1",
    ],
)
def test_the_senders_own_words_stay(own: object) -> None:
    activity = own_words(create(own))

    assert activity.json["object"] == own
    assert activity.hearsay == {}


def test_what_a_proof_covers_stays_as_it_was_signed() -> None:
    proof, context = {"id": "https://bo.example/p", "type": "DataIntegrityProof"}, [{"id": "https://bo.example/c"}]

    activity = own_words(create("x", proof=proof, **{"@context": context}))

    assert (activity.json["proof"], activity.json["@context"]) == (proof, context)


@pytest.mark.proves("P-105")
def test_an_activity_from_elsewhere_than_its_actor_is_forbidden() -> None:
    with pytest.raises(Forbidden):
        own_words(create("x", id="https://bo.example/activities/1"))


@pytest.mark.parametrize("actor", [None, [], [ADA, BO], 7, {"type": "Person"}, "bo", [ADA, ADA]])
def test_an_activity_has_exactly_one_actor(actor: object) -> None:
    with pytest.raises(Malformed):
        own_words(create("x", actor=actor))


def test_the_actor_may_be_embedded_and_is_still_only_named() -> None:
    activity = own_words(create("x", actor=[{"id": ADA, "type": "Person", "inbox": "https://evil.example/inbox"}]))

    assert activity.json["actor"] == activity.actor == ADA


@pytest.mark.proves("P-111")
def test_objects_are_nested_three_deep_at_most() -> None:
    inner: dict[str, Any] = {"type": "Note"}
    for _ in range(2):
        inner = {"type": "Announce", "object": inner}

    own_words(create(inner))
    with pytest.raises(Malformed):
        own_words(create({"type": "Announce", "object": inner}))


@pytest.mark.proves("P-104")
@given(hostile("id", "type", "actor", "object", "attributedTo", "owner", "target", "proof"), some.booleans())
def test_own_words_of_any_json_are_one_origins_or_a_protocol_error(json: dict[str, Any], with_actor: bool) -> None:
    sent = Document({**json, "actor": ADA} if with_actor else json)
    try:
        activity = own_words(sent)
    except ProtocolError:
        return
    for part in activity.embeddeds("object"):
        try:
            assert origin(part.id) == origin(activity.actor)
        except Malformed:
            assert part.uri("id") in (None, *SCHEMES) or not str(part.uri("id")).startswith("https://")


@pytest.mark.proves("P-003", "P-110")
@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://ada.example/@ada/1", "https://ada.example/@ada/1"),
        ([{"type": "Link", "href": "https://ada.example/w"}, "https://ada.example/v"], "https://ada.example/w"),
        (
            [
                {"type": "Link", "mediaType": "video/mp4", "href": "https://ada.example/1.mp4"},
                {"type": "Link", "mediaType": "text/html; charset=utf-8", "href": "https://ada.example/w"},
            ],
            "https://ada.example/w",
        ),
        ("https://bo.example/@ada/1", None),
        ("https://ada.example:8443/", None),
        ("javascript:alert(1)", None),
        (None, None),
        (7, None),
    ],
)
def test_a_page_is_on_the_host_of_its_document(url: object, expected: str | None) -> None:
    assert page(Document({"id": "https://ada.example/notes/1", "url": url})) == expected
