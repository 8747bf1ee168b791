"""How the domain plugs in: a feature registers its functions here, federation finds them.

A feature in `coop` says what kinds of object it recognises, keeps and receives. Nothing else has to change for it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import Select, select, union
from sqlalchemy.orm import Session

from activitypub.document import Document
from activitypub.origin import Activity
from activitypub.vocabulary import ACTORS
from federation.store import Transaction

if TYPE_CHECKING:
    from federation.instance import Instance
    from federation.tables import Actor

Handler = Callable[[Transaction, Activity], object]
Keeper = Callable[[Transaction, Document], object]
Chore = Callable[[Transaction], bool]
Errand = Callable[["Instance"], Awaitable[None]]
Met = Callable[[Transaction, "Actor"], object]
Needs = Callable[[Collection[str]], "Select[str]"]
Expansion = Callable[[Session, Collection[str]], "Select[str] | None"]
F = TypeVar("F", bound=Callable[..., object])

_handlers: dict[tuple[str, str | None], Handler] = {}
_by_kind: set[str] = set()  # activities that are handled only for objects of some kind
_keepers: dict[str, Keeper] = {}
_recognisers: dict[str, Callable[[Document], bool]] = {}
_recognised_activities: dict[str, Callable[[Document], bool]] = {}
_collections: dict[str, Callable[[Session, str], bool]] = {}
_expansions: list[Expansion] = []
_met: list[Met] = []
_needs: list[Needs] = []
_chores: list[tuple[Chore, timedelta]] = []
_errands: list[tuple[Errand, timedelta]] = []


def receives(activity: str, *of: str) -> Callable[[F], F]:
    """Register the decorated function for `activity`, or for `activity` of an `of` (``"Undo"`` of a ``"Follow"``).

    `of` are kinds of the activity's object (see `kind`); for ``Add``, ``Remove`` and ``Join`` it is the collection
    that they are about (see `collection`). The function runs in the transaction that marks the receipt done, after
    the sender is verified and the origin rules hold. It may raise `federation.known.Missing` to have something
    fetched first, and is then called again; a `ProtocolError` refuses the activity.
    """

    def register(handler: F) -> F:
        for one in of or (None,):
            if (activity, one) in _handlers:
                raise ValueError(f"{activity} of {one} is already handled by {_handlers[activity, one]}")
            _handlers[activity, one] = handler
        if of:
            _by_kind.add(activity)
        return handler

    return register


def keeps(*kinds: str) -> Callable[[F], F]:
    """Register the decorated function to store objects of `kinds` that were fetched from where they live."""

    def register(keeper: F) -> F:
        _keepers.update(dict.fromkeys(kinds, keeper))
        return keeper

    return register


def recognises(kind: str) -> Callable[[F], F]:
    """Register the decorated predicate: a document that it holds for is a `kind`, whatever its type says (P-209)."""

    def register(predicate: F) -> F:
        _recognisers[kind] = predicate  # type: ignore[assignment]
        return predicate

    return register


def recognises_activity(kind: str) -> Callable[[F], F]:
    """Register the decorated predicate: an activity that it holds for is a `kind` itself, whatever it is about."""

    def register(predicate: F) -> F:
        _recognised_activities[kind] = predicate  # type: ignore[assignment]
        return predicate

    return register


def collection(name: str) -> Callable[[F], F]:
    """Register the decorated ``(db, uri) -> bool``: whether `uri` is somebody's `name` collection."""

    def register(predicate: F) -> F:
        _collections[name] = predicate  # type: ignore[assignment]
        return predicate

    return register


def expands(expansion: Expansion) -> Expansion:
    """Register the decorated ``(db, uris)``: whom those stand for that are collections of a feature's, if any is."""
    _expansions.append(expansion)
    return expansion


def needs(query: Needs) -> Needs:
    """Register the decorated ``(uris)``: the query for those of some actors that a feature refers to.

    All others are forgotten after a while, if they live elsewhere (P-327).
    """
    _needs.append(query)
    return query


def met(function: Met) -> Met:
    """Register the decorated ``(tx, actor)`` for every actor of another server whose document was just fetched."""
    _met.append(function)
    return function


def chore(every: timedelta) -> Callable[[Chore], Chore]:
    """Register the decorated function to be run that often, for what need not be done at once.

    It does a little, for no transaction takes long, and returns whether there is more to do.
    """

    def register(function: Chore) -> Chore:
        _chores.append((function, every))
        return function

    return register


def chores() -> tuple[tuple[Chore, timedelta], ...]:
    """In the order of their files, in whatever order these were imported."""
    return tuple(sorted(_chores, key=_place))


def errand(every: timedelta) -> Callable[[Errand], Errand]:
    """Register the decorated coroutine to be run that often, for what is to be asked of others."""

    def register(function: Errand) -> Errand:
        _errands.append((function, every))
        return function

    return register


def errands() -> tuple[tuple[Errand, timedelta], ...]:
    """In the order of their files, in whatever order these were imported."""
    return tuple(sorted(_errands, key=_place))


def _place(task: tuple[Chore | Errand, timedelta]) -> str:
    return task[0].__module__


def kind(document: Document) -> str:
    """What a document is to us: by what it has (P-209), else ``"Actor"`` for all actors, else its type."""
    for name, holds in _recognisers.items():
        if holds(document):
            return name
    return "Actor" if document.type in ACTORS else document.type


def kind_of_activity(activity: Document) -> str | None:
    """The kind that an activity is by what it has; ``None`` for most, which are what they are about."""
    return next((name for name, holds in _recognised_activities.items() if holds(activity)), None)


def handler_for(activity: str, of: str | None) -> Handler | None:
    return _handlers.get((activity, of)) or _handlers.get((activity, None))


def keeper_for(kind: str) -> Keeper | None:
    return _keepers.get(kind)


def collection_at(db: Session, uri: str) -> str | None:
    """The name of the collection that `uri` is; ``None`` if it is none that we know."""
    return next((name for name, holds in _collections.items() if holds(db, uri)), None)


def expansion_of(db: Session, uris: Collection[str]) -> Select[str] | None:
    """The members of those of `uris` that are collections which we keep: followers, or members of a project.

    However many there are, that is one query of each feature that keeps some (P-332).
    """
    found = [members for expand in _expansions if (members := expand(db, uris)) is not None]
    if not found:
        return None
    everyone = union(*found).subquery()
    return select(everyone.c[0])


def tell_met(tx: Transaction, actor: Actor) -> None:
    """Let every feature read what the document of an actor says to it."""
    for function in _met:
        function(tx, actor)


def needed(db: Session, uris: Collection[str]) -> set[str]:
    """Those of some actors that any feature refers to."""
    return {uri for query in _needs for uri in db.scalars(query(uris))}


def depends_on_kind(activity: str) -> bool:
    """Whether anybody handles `activity` only for objects of some kind, so that it is worth finding out."""
    return activity in _by_kind


def handled() -> frozenset[tuple[str, str | None]]:
    """Every pair that is received here, for FEDERATION.md and its test."""
    return frozenset(_handlers)
