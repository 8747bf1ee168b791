"""Whether two servers agree on who follows whom: a digest of some followers, beside what is sent to them (FEP-8fcf)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from activitypub.errors import Malformed
from activitypub.origin import origin

HEADER = "collection-synchronization"
MAX_HEADER = 8_192  # characters

_PARAMETER = re.compile(r'\s*(\w+)\s*=\s*"([^"]*)"\s*(?:,|$)|\s*(\S)')
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Announcement:
    """What a sender says of those of its followers who live where this is read."""

    collection: str  # of all its followers
    url: str  # of those alone
    digest: str

    @classmethod
    def read(cls, header: str) -> Announcement:
        """Raise `Malformed` unless it has all three, each once, on one server."""
        given: dict[str, str] = {}
        for found in _PARAMETER.finditer(header[:MAX_HEADER]):
            name, value, junk = found.groups()
            if junk or name in given:
                raise Malformed('Collection-Synchronization is not a list of name="value", each name once')
            given[name] = value
        collection, url = given.get("collectionId", ""), given.get("url", "")
        digest = given.get("digest", "").lower()
        if not _DIGEST.fullmatch(digest) or origin(collection) != origin(url):
            raise Malformed(
                "Collection-Synchronization has no digest, or a url on another server than its collectionId"
            )
        return cls(collection, url, digest)

    def write(self) -> str:
        return f'collectionId="{self.collection}", url="{self.url}", digest="{self.digest}"'


def digest_of(followers: Iterable[str]) -> str:
    """The digest of a set of actors by their ids: the same in whatever order they come."""
    combined = 0
    for one in followers:
        combined ^= int.from_bytes(hashlib.sha256(one.encode()).digest())
    return f"{combined:064x}"
