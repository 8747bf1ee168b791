"""Reading ActivityStreams documents as servers really write them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import msgspec

from activitypub.errors import Malformed
from activitypub.vocabulary import TYPES

Json = dict[str, Any]

MAX_DEPTH = 32  # P-100, step 6: far beyond what any server sends, far below what a recursive function stands
MAX_STRING = 512 * 1024  # characters
MAX_ENTRIES = 1_000  # of one list; the rest is not read, however many are sent (P-111, P-332)
MAX_NUMBER = 2**53 - 1  # beyond it numbers mean different things to different readers (P-082)

# The vocabularies whose terms we read, by the prefixes that servers give them (P-208).
PREFIXES = {
    "as:": "https://www.w3.org/ns/activitystreams#",
    "box:": "https://w3id.org/boxroom#",
    "forge:": "https://forgefed.org/ns#",
    "gts:": "https://gotosocial.org/ns#",
    "om2:": "http://www.ontology-of-units-of-measure.org/resource/om-2/",
    "schema:": "http://schema.org#",
    "sec:": "https://w3id.org/security#",
    "toot:": "http://joinmastodon.org/ns#",
    "vf:": "https://w3id.org/valueflows/ont/vf#",
}
_NUL, _BACKSLASH = rb"\u0000", rb"\\"  # as they are escaped; a string has the former in no other way
_END_OF_KEY = re.compile(rb'"\s*+:')
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_FRACTION = re.compile(r"\.(\d{1,6})\d*")


class Document:
    """A JSON document as its author wrote it: read tolerantly, kept whole.

    A property may be a string, an object with an ``id``, or a list of either; the readers below accept all three
    (P-110). An absent or odd property is ``None`` or empty; only `require` raises. Unknown properties stay in `json`,
    so that a proof over the document still verifies after a round trip (FEP-8b32).
    """

    __slots__ = ("_embedded", "_has_prefixes", "_uris", "json")

    def __init__(self, json: Json) -> None:
        self.json = json
        self._has_prefixes: bool | None = None  # once somebody asked for what is not there
        self._uris: dict[str, tuple[str, ...]] = {}  # by property: the same few are asked for again and again
        self._embedded: dict[str, list[Document]] = {}

    @classmethod
    def parse(cls, body: bytes) -> Document:
        """Raise `Malformed` unless `body` is one JSON object in UTF-8 of bounded depth, no key twice, no U+0000."""
        try:
            value = msgspec.json.decode(body)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
            raise Malformed(f"the body is not JSON: {error}") from error
        if not isinstance(value, dict):
            raise Malformed("the body is not a JSON object")
        if _has_a_key_twice(body, _keys_within_limits(value)):
            raise Malformed("the body has an object with the same key twice")
        if _NUL in body and _NUL in body.replace(_BACKSLASH, b""):
            raise Malformed("the body has U+0000 in a string, which not every database can keep")
        return cls(value)

    @classmethod
    def reread(cls, body: bytes) -> Document:
        """What `parse` has accepted once already."""
        return cls(msgspec.json.decode(body))

    @property
    def id(self) -> str:
        """Raise `Malformed` if the document has none."""
        return self.require("id")

    @property
    def type(self) -> str:
        """The first of its types that means something here, else its first (P-110)."""
        if isinstance(only := self.json.get("type"), str):
            return only
        types = self.types
        return next((one for one in types if one in TYPES), next(iter(types), ""))

    @property
    def types(self) -> tuple[str, ...]:
        only = self.json.get("type")
        return (only,) if isinstance(only, str) else self.strings("type") or self.strings("@type")

    def get(self, name: str) -> Any:
        """The property under its short name, a prefixed name or its full IRI (P-208)."""
        if (value := self.json.get(name)) is not None:
            return value
        if self._has_prefixes is None:
            self._has_prefixes = ":" in "".join(self.json)
        if not self._has_prefixes:
            return None
        spelled = (spelling + name for pair in PREFIXES.items() for spelling in pair)
        return next((self.json[one] for one in spelled if self.json.get(one) is not None), None)

    def has(self, name: str) -> bool:
        return self.get(name) is not None

    def uri(self, name: str) -> str | None:
        found = self.uris(name)
        return found[0] if found else None

    def uris(self, name: str) -> tuple[str, ...]:
        if (found := self._uris.get(name)) is None:
            value = self.get(name)
            ids = [value] if isinstance(value, str) else self._ids(name) if value else []  # the first, mostly
            found = self._uris[name] = tuple([_address(uri) for uri in ids if uri])
        return found

    def strings(self, name: str) -> tuple[str, ...]:
        return tuple(one for one in self._list(name) if isinstance(one, str))

    def text(self, name: str) -> str:
        """The property as text; failing that, the first entry of its language map (``contentMap``)."""
        value = self.get(name)
        if isinstance(value, str) and value:
            return value
        found = [_plain(one) for one in (*self._list(name), *self._languages(name))]
        return next((one for one in found if one), "")

    def number(self, name: str) -> int:
        """From 0 to `MAX_NUMBER`; a number in a string counts, anything else is 0."""
        value = next(iter(self._list(name)), 0)
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 16:
            value = int(value)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        return min(max(0, value), MAX_NUMBER) if isinstance(value, int) else 0

    def flag(self, name: str) -> bool:
        return next(iter(self._list(name)), False) in (True, "true")

    def time(self, name: str) -> datetime | None:
        """In UTC, which is also assumed where no zone is given; ``None`` if absent or not a time."""
        try:
            text = self.text(name)
            moment = datetime.fromisoformat(_FRACTION.sub(r".\1", text, count=1) if "." in text else text)
            return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
        except (ValueError, OverflowError):
            return None

    def embedded(self, name: str) -> Document | None:
        found = self.embeddeds(name)
        return found[0] if found else None

    def embeddeds(self, name: str) -> Sequence[Document]:
        if (found := self._embedded.get(name)) is None:
            found = self._embedded[name] = [Document(one) for one in self._list(name) if isinstance(one, dict)]
        return found

    def require(self, name: str) -> str:
        """Raise `Malformed` unless `name` holds a URI."""
        if uri := self.uri(name):
            return uri
        raise Malformed(f"{self.type or 'the document'} has no {name}")

    def _ids(self, name: str) -> list[str]:
        ids = [one.get("id") or one.get("href") if isinstance(one, dict) else one for one in self._list(name)]
        return [uri for uri in ids if isinstance(uri, str)]

    def _list(self, name: str) -> list[Any]:
        value = self.get(name)
        return value[:MAX_ENTRIES] if isinstance(value, list) else [] if value is None else [value]

    def _languages(self, name: str) -> list[Any]:
        value = self.json.get(f"{name}Map")
        return list(value.values()) if isinstance(value, dict) else []


def timestamp(moment: datetime) -> str:
    """`moment`, which is aware, as we write times: UTC, to the second, with ``Z`` (P-210)."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _address(uri: str) -> str:
    """The ``u`` of a bearcap ``bear:?t=…&u=…``; its token is for that address alone, and we hold none (P-110)."""
    if not uri.startswith("bear:?"):
        return uri
    found = parse_qs(uri[6:]).get("u", [uri])[0]
    return uri if "\0" in found else found  # `parse` saw it in its other spelling only


def _plain(value: Any) -> str:
    """A string, or the string in a language-tagged ``{"@value", "@language"}``."""
    text = value.get("@value") if isinstance(value, dict) else value
    return text if isinstance(text, str) else ""


def _has_a_key_twice(body: bytes, read: int) -> bool:
    """Whether `body` has more keys than the `read` ones that are left when of equal keys only the last counts."""
    if len(_END_OF_KEY.findall(body)) == read:  # it has no more than that: a string may look like a key, too
        return False
    return _STRING.sub(b"", body).count(b":") != read  # outside of strings a colon stands after each key alone


def _keys_within_limits(value: Json) -> int:
    """How many keys there are at any depth. Raise `Malformed` for what is nested or written too long."""
    keys, level = 0, [value]
    for _ in range(MAX_DEPTH):
        inner: list[Any] = []
        for outer in level:
            if isinstance(outer, dict):
                keys += len(outer)
                inner += outer.values()
            elif isinstance(outer, list):
                inner += outer
            elif isinstance(outer, str) and len(outer) > MAX_STRING:
                raise Malformed(f"a string in the body is longer than {MAX_STRING} characters")
        if not inner:
            return keys
        level = inner
    raise Malformed(f"the body is nested more than {MAX_DEPTH} deep")
