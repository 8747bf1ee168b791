"""What happened, told within its transaction: a feature tells, the feed and the notifications above it listen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from activitypub.document import Json
from activitypub.statement import Role, Statement
from coop.membership import Room
from federation.store import Transaction
from federation.tables import Object

Kind = Literal[
    "follow",
    "follow request",
    "follow accepted",
    "follow rejected",
    "mention",
    "reply",
    "like",
    "boost",
    "edit",
    "response",
    "response accepted",
    "response declined",
    "counter-offer",
    "agreement done",
    "commitment",
    "commitment accepted",
    "commitment declined",
    "commitment done",
    "commitment kept",
    "commitment released",
    "endorsement",
    "endorsement revoked",
    "endorsement request",
    "endorsement declined",
    "invitation",
    "invitation accepted",
    "invitation declined",
    "invitation withdrawn",
    "request to join",
    "request declined",
    "role",
    "removal",
    "leave",
    "report",
    "move",
    "buddy request",
    "buddy accepted",
    "buddy declined",
    "buddy left",
]


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that concerns one of us."""

    kind: Kind
    to: str  # the account here
    by: str  # the actor; of a report the host alone
    about: str | None = None  # the URI of the object, of the actor, or of a report


@dataclass(frozen=True, slots=True)
class Shown:
    """Something to read has come: a post here or from elsewhere, or somebody's boost of one."""

    object: Object
    boosted_by: str | None = None
    found: bool = False  # it was looked for, and may be old; nobody sent it


@dataclass(frozen=True, slots=True)
class Sent:
    """A post was sent to us that is here already: twice, or because it had been looked for."""

    object: Object


@dataclass(frozen=True, slots=True)
class Edited:
    """What a post says, or who may see it, has changed; its row has the new document."""

    object: Object


@dataclass(frozen=True, slots=True)
class Erased:
    """A post was deleted by its author, and is a tombstone now; `activity` is the ``Delete`` as that author sent it."""

    object: Object
    activity: Json


@dataclass(frozen=True, slots=True)
class Blocked:
    """One actor wants nothing to do with another any more; at least one of them lives here."""

    by: str
    blocked: str


@dataclass(frozen=True, slots=True)
class Departed:
    """An actor is no more: deleted by its server, or about to be by themselves here."""

    actor: str


@dataclass(frozen=True, slots=True)
class Grown:
    """The log of a project has grown by `statements`, which stand; `room` is what follows from the whole of it now."""

    project: str
    room: Room
    before: Mapping[str, Role]  # who was a member until then, and as what
    statements: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Woken:
    """This server was not there from `since` until now; what others said meanwhile may have reached nobody here."""

    since: datetime


Event = Notice | Shown | Sent | Edited | Erased | Blocked | Departed | Grown | Woken
_listeners: dict[type, list[Callable[[Transaction, Event], None]]] = {}


def listens(to: type[Event]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register the decorated ``(tx, event) -> None`` for events of one type."""

    def register(listener: Callable[..., None]) -> Callable[..., None]:
        _listeners.setdefault(to, []).append(listener)
        return listener

    return register


def tell(tx: Transaction, event: Event) -> None:
    """Let everybody who listens write down what follows from `event`."""
    for listener in _listeners.get(type(event), ()):
        listener(tx, event)
