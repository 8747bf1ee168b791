"""Collections and their pages: how we write ours, and how far we follow those of others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from activitypub import context
from activitypub.document import Document, Json
from activitypub.errors import Malformed
from activitypub.origin import origin

PAGE_SIZE = 40  # P-037
MAX_PAGES = 10  # P-109
MAX_ITEMS = 1_000  # P-109


def write_collection(uri: str, total: int, first: str | Json | None = None, last: str | None = None) -> Json:
    """A collection by its size and pages, of which the first may be in it.

    Without `first` its members are hidden, which Mastodon reads so (P-037).
    """
    pages = {"first": first, "last": last}
    written: Json = {"@context": context.PLAIN, "id": uri, "type": "OrderedCollection", "totalItems": total}
    return written | {name: page for name, page in pages.items() if page}


def write_page(
    uri: str, part_of: str, items: Sequence[str | Json], following: str | None = None, previous: str | None = None
) -> Json:
    """One page of the collection `part_of`, newest first. Raise `ValueError` beyond `PAGE_SIZE` items."""
    if len(items) > PAGE_SIZE:
        raise ValueError(f"a page has at most {PAGE_SIZE} items")
    written: Json = {"@context": context.PLAIN, "id": uri, "type": "OrderedCollectionPage", "partOf": part_of}
    pages = {"next": following, "prev": previous}
    return written | {name: page for name, page in pages.items() if page} | {"orderedItems": [*items]}


@dataclass(slots=True)
class Walk:
    """Through somebody's collection, page by page; whoever walks fetches what `take` asks for, until it asks no more.

    Bounded, on one origin, and never twice to the same place, whatever the pages say (P-109, P-311).
    """

    start: str
    items: list[str | Document] = field(default_factory=list)
    total: int = 0
    _seen: set[str] = field(default_factory=set)

    def take(self, page: Document) -> str | None:
        """Keep the items of `page`; the address of the next one to fetch, or ``None`` at the end."""
        self._seen.add(self.start)
        self.total = max(self.total, page.number("totalItems"))
        first = page.embedded("first") or Document({})
        listed = [*read_items(page), *read_items(first)]
        self.items = [*self.items, *listed][:MAX_ITEMS]
        if len(self.items) == MAX_ITEMS or len(self._seen) > MAX_PAGES:
            return None
        start = None if listed else page.uri("first")
        upcoming = page.uri("next") or start or first.uri("next")
        return self._unseen(upcoming) if upcoming else None

    def _unseen(self, uri: str) -> str | None:
        if uri in self._seen or not is_beside(uri, self.start):
            return None
        self._seen.add(uri)
        return uri


def read_items(page: Document) -> list[str | Document]:
    """What a collection or a page lists itself: a URI where it gives one, a document where it embeds one."""
    return [one for name in ("orderedItems", "items") for value in _list(page.get(name)) if (one := _item(value))]


def _item(value: Any) -> str | Document | None:
    if isinstance(value, dict):
        return Document(value)
    return value if isinstance(value, str) else None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def is_beside(uri: str, other: str) -> bool:
    """Whether both are on one origin, so that they may speak for each other; nothing is beside what is no address."""
    try:
        return origin(uri) == origin(other)
    except Malformed:
        return False
