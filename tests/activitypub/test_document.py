from __future__ import annotations

from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from activitypub.document import MAX_DEPTH, MAX_ENTRIES, MAX_NUMBER, MAX_STRING, Document, timestamp
from activitypub.errors import Malformed, ProtocolError
from tests.activitypub.documents import NAMES, load, read, values


@pytest.mark.proves("P-312")
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"text"',
        b"null",
        b"1",
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":-Infinity}',
        b'{"a":1e999}',
        b'{"a":1' + b"0" * 5000 + b"}",
        b'{"a":"\\ud800"}',
        b'{"a":"\\udc00\\ud800"}',
        b'{"a":"\xed\xa0\x80"}',
        b'{"a":"\xff"}',
        b'\xef\xbb\xbf{"a":1}',
        '{"a":1}'.encode("utf-16"),
        '{"a":1}'.encode("utf-16-le"),
        '{"a":1}'.encode("utf-32"),
        b'{"a":1}{"b":2}',
        b'{"a":1,}',
        b"{'a':1}",
        b'{"a":1}//',
        b'{"a":"\n"}',
        b'{"a":01}',
        b'{"a":1,"a":2}',
        b'{"a":{"b":1,"b":1}}',
        b'{"a":"x\\u0000y"}',
        b'{"a":"\\\\\\u0000"}',
        b'{"a":[{"\\u0000":1}]}',
        b'[{"a":1}]',
        b'{"a":[{"id":1},{"id":1,"\\u0069d":2}]}',
        b'{"a":":","a":":"}',
        b'{"a" :1,"a"\t\r\n:2}',
        b'{"a":"\\":","a":"\\"\\\\"}',
        b'{"a":"' + b"x" * (MAX_STRING + 1) + b'"}',
        b'{"a":' * 100_000,
        b"[" * 100_000,
        b'{"a":' * 200 + b"1" + b"}" * 200,
    ],
)
def test_what_is_no_sound_json_object_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        Document.parse(body)


@pytest.mark.proves("P-312")
@pytest.mark.parametrize(
    "body",
    [
        b'{"__proto__":{"admin":true},"constructor":1}',
        b'{"a":"b:c","d":["e:f",{"g":"\\"h\\":1"}]}',
        b'{"a\\"b:":1,"a\\\\":2}',
        b'{"a":"\\\\u0000 is how it is written, and \\\\\\\\u0000 how that is"}',
        b' \n{"a" : 1}\t',
        b'{"a":"' + b"x" * MAX_STRING + b'"}',
        b'{"a":123456789012345678901234567890}',
        b"{}",
    ],
)
def test_what_only_looks_odd_is_read_as_it_is(body: bytes) -> None:
    document = Document.parse(body)

    assert document.json == msgspec.json.decode(body)


@pytest.mark.proves("P-312")
@given(some.integers(min_value=1, max_value=120), some.sampled_from([(b'{"a":', b"}"), (b"[", b"]")]))
def test_depth_is_bounded(depth: int, brackets: tuple[bytes, bytes]) -> None:
    opening, closing = brackets
    body = b'{"a":' + opening * depth + b"1" + closing * depth + b"}"

    try:
        Document.parse(body)
    except Malformed:
        assert depth > MAX_DEPTH - 4
    else:
        assert depth < MAX_DEPTH


@pytest.mark.proves("P-313")
@pytest.mark.parametrize("piece", [b'"', b"\\", b'\\"', b'"a"', b"{", b'{"":', b"[", b":", b'"\\', b"0", b"-"])
def test_a_megabyte_of_one_thing_is_refused(piece: bytes) -> None:
    with pytest.raises(Malformed):
        Document.parse(b'{"a":' + piece * (1_000_000 // len(piece)))


@pytest.mark.proves("P-312")
@given(some.binary() | some.text().map(str.encode) | some.dictionaries(some.text(), values).map(msgspec.json.encode))
def test_any_bytes_are_a_document_or_a_protocol_error(body: bytes) -> None:
    try:
        document = Document.parse(body)
    except ProtocolError:
        return
    assert document.json == msgspec.json.decode(body)


@pytest.mark.proves("P-110", "P-312")
@given(some.dictionaries(some.sampled_from(["a", "aMap", "as:a", "type", "@type", "id"]), values))
def test_readers_never_fail_but_by_protocol_error(json: dict[str, object]) -> None:
    document = Document(json)

    found = [document.uris("a"), document.strings("a"), document.types, list(document.embeddeds("a"))]
    assert all(isinstance(one, list | tuple) for one in found)
    assert isinstance(document.text("a"), str)
    assert 0 <= document.number("a") <= MAX_NUMBER
    assert document.flag("a") in (True, False)
    assert (moment := document.time("a")) is None or moment.utcoffset() is not None
    with suppress(ProtocolError):
        assert document.id


@pytest.mark.proves("P-110")
@pytest.mark.parametrize(
    ("value", "uris"),
    [
        ("https://a.example/1", ("https://a.example/1",)),
        (["https://a.example/1", "https://a.example/2"], ("https://a.example/1", "https://a.example/2")),
        ({"id": "https://a.example/1", "type": "Person"}, ("https://a.example/1",)),
        ([{"type": "Person", "id": "https://a.example/1"}, None, 7], ("https://a.example/1",)),
        ({"type": "Link", "href": "https://a.example/1"}, ("https://a.example/1",)),
        ({"id": None}, ()),
        ("", ()),
        (None, ()),
        ("bear:?t=secret&u=https://a.example/1", ("https://a.example/1",)),
        ("bear:?t=secret", ("bear:?t=secret",)),
        ("bear:?u=https://a.example/%00", ("bear:?u=https://a.example/%00",)),
    ],
)
def test_a_uri_comes_bare_embedded_or_listed(value: object, uris: tuple[str, ...]) -> None:
    assert Document({"actor": value}).uris("actor") == uris


@pytest.mark.proves("P-110")
@pytest.mark.parametrize(
    ("json", "text"),
    [
        ({"content": "a"}, "a"),
        ({"contentMap": {"de": "b", "en": "c"}}, "b"),
        ({"content": None, "contentMap": {"de": "b"}}, "b"),
        ({"content": {"@value": "d", "@language": "en"}}, "d"),
        ({"content": ["", {"@value": "e"}]}, "e"),
        ({"content": 7, "contentMap": []}, ""),
    ],
)
def test_text_comes_plain_tagged_or_mapped_by_language(json: dict[str, object], text: str) -> None:
    assert Document(json).text("content") == text


@pytest.mark.proves("P-110")
@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-01-15T10:00:00Z", "2026-01-15T10:00:00Z"),
        ("2026-01-15T11:00:00.123456789+01:00", "2026-01-15T10:00:00Z"),
        ("2026-01-15T10:00:00.1Z", "2026-01-15T10:00:00Z"),
        ("2026-01-15T10:00:00", "2026-01-15T10:00:00Z"),
        ("2026-01-15T05:00:00-0500", "2026-01-15T10:00:00Z"),
        ("10000-01-15T10:00:00Z", None),
        ("0001-01-01T00:00:00+10:00", None),
        ("yesterday", None),
        (1768471200, None),
    ],
)
def test_a_time_comes_with_any_zone_and_fraction(written: object, read: str | None) -> None:
    moment = Document({"published": written}).time("published")

    assert (timestamp(moment) if moment else None) == read


@pytest.mark.proves("P-110")
@pytest.mark.parametrize(
    ("value", "number"),
    [(3, 3), ("3", 3), (-3, 0), ("-3", 0), ("three", 0), (10**30, MAX_NUMBER), ([4], 4), (None, 0), ("²", 0), (2.5, 0)],
)
def test_a_number_comes_as_a_string_too_and_stays_within_bounds(value: object, number: int) -> None:
    assert Document({"totalItems": value}).number("totalItems") == number


@pytest.mark.proves("P-110")
@pytest.mark.parametrize(
    ("value", "flag"), [(True, True), ("true", True), (False, False), (None, False), ("yes", False)]
)
def test_a_flag_comes_as_a_string_too(value: object, flag: bool) -> None:
    assert Document({"sensitive": value}).flag("sensitive") is flag


@pytest.mark.proves("P-208")
@pytest.mark.parametrize("name", ["purpose", "vf:purpose", "https://w3id.org/valueflows/ont/vf#purpose"])
def test_a_term_is_known_by_its_short_prefixed_and_full_name_whatever_the_context_says(name: str) -> None:
    document = Document({"@context": {"purpose": "https://elsewhere.example/#x"}, name: "offer"})

    assert document.text("purpose") == "offer"


@pytest.mark.proves("P-110")
@pytest.mark.parametrize(
    "context", [None, "https://www.w3.org/ns/activitystreams", "http://www.w3.org/ns/activitystreams#", [{"a": "b"}]]
)
def test_a_document_is_read_alike_under_any_context_or_none(context: object) -> None:
    document = Document({"@context": context, "type": ["Unknown", "Note"], "content": "a"})

    assert (document.types, document.text("content")) == (("Unknown", "Note"), "a")


@pytest.mark.proves("P-110")
@pytest.mark.parametrize("name", NAMES)
def test_documents_of_others_are_kept_whole(name: str) -> None:
    assert read(name).json == load(name)


@pytest.mark.proves("P-111", "P-332")
def test_of_an_endless_list_only_so_much_is_read() -> None:
    document = Document({"to": [f"https://{number}.example/" for number in range(10_000)], "tag": [{}] * 10_000})

    assert len(document.uris("to")) == len(list(document.embeddeds("tag"))) == MAX_ENTRIES


@pytest.mark.proves("P-110")
@pytest.mark.parametrize(
    ("types", "decides"),
    [
        ("Note", "Note"),
        ("Unheard", "Unheard"),
        (["Note"], "Note"),
        (["Unheard", "Note"], "Note"),
        (["schema:Thing", "Question", "Note"], "Question"),
        (["Unheard", "Unseen"], "Unheard"),
        ([7, {"id": "x"}, "Person"], "Person"),
        ([], ""),
        (None, ""),
    ],
)
def test_the_first_type_that_means_something_decides(types: object, decides: str) -> None:
    for name in ("type", "@type"):
        assert Document({name: types}).type == decides
