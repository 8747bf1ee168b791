"""What one server says that it saw of a key at its owner's: when, and in which documents of that actor (P-244).

Nothing in it is proven but what the key itself signed: the statement, in those documents, of whom it belongs to. All
else is the word of whoever says it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Self

from activitypub import context, identity, keys
from activitypub.document import Document, Json, timestamp
from activitypub.endorsement import Snapshot
from activitypub.errors import Malformed
from activitypub.keys import Key

PATH: Final = "/witness"
MAX_AHEAD = timedelta(minutes=5)  # so much their clock may be off
_MAX_SNAPSHOTS = 2  # as it was first seen, and last
_TOLD: Final = ("@context", "id", "type", "preferredUsername", "publicKey", "assertionMethod")


@dataclass(frozen=True, slots=True)
class Sighting:
    """`key` was seen with its owner from `first` to `last`, in documents that looked as in `snapshots`."""

    key: Key
    first: datetime
    last: datetime
    snapshots: tuple[Snapshot, ...] = ()

    @property
    def by_itself(self) -> bool:
        """Whether the key signed, in what was seen, that it is its owner: that needs nobody's word."""
        named = identity.DID + keys.write_multikey(self.key.public)
        seen = (one.actor for one in self.snapshots if one.actor.uri("id") == self.key.owner)
        return any(named in identity.proven(one) for one in seen)

    @classmethod
    def read(cls, document: Document, key_id: str, owner: str, now: datetime) -> Self:
        """Raise `Malformed` unless it is about the key `key_id` of `owner`, and of times that have been."""
        entry = document.embedded("key")
        found = keys.listed(Document({"id": owner, "assertionMethod": [entry.json]})) if entry else ()
        first, last = document.time("firstSeen"), document.time("lastSeen")
        if not found or found[0].id != key_id or first is None or last is None or not first <= last <= now + MAX_AHEAD:
            raise Malformed(f"{document.uri('id')} does not tell when which key was seen")
        several = document.embeddeds("actorSnapshots")[:_MAX_SNAPSHOTS]
        seen = ((one.embedded("actor"), one.time("seenAt")) for one in several)
        return cls(found[0], first, last, tuple(Snapshot(actor, when) for actor, when in seen if actor and when))

    def write(self, uri: str) -> Json:
        """As it is served at `uri`. Of an actor's documents no more than its keys and what those say they are."""
        return {
            "@context": context.PLAIN,
            "id": uri,
            "key": keys.as_multikey(self.key),
            "firstSeen": timestamp(self.first),
            "lastSeen": timestamp(self.last),
            "actorSnapshots": [
                {"actor": _reduced(one.actor), "seenAt": timestamp(one.seen)} for one in self.snapshots[:_MAX_SNAPSHOTS]
            ],
        }


def _reduced(actor: Document) -> Json:
    told: Json = {name: actor.json[name] for name in _TOLD if name in actor.json}
    return {**told, "attachment": [*identity.listed(actor)]}
