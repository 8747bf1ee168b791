"""Full-text search over what one may read: FTS5 on SQLite, ``tsvector`` on PostgreSQL.

The law: words leave the index in the transaction in which their object is edited or deleted; and nothing is shown
because it was found, but because whoever asks may read it now (`access`).

Words are folded and separated here, and each database just looks them up as they are: so both find the same, and
nothing that anybody types is taken for a command. The kind of an object and its author are words in the index, too, of
characters that no text has.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Any, Final, Literal

from sqlalchemy import DDL, bindparam, delete, event, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from activitypub import html
from activitypub.document import Document
from coop import feed, words
from coop.events import Departed, Edited, Erased, Shown, listens
from federation.prepared import Prepared
from federation.registry import chore
from federation.store import Transaction
from federation.tables import Object, Row

Kind = Literal["post", "offer", "endorsement"]

AT_ONCE = 200  # objects put in anew in one transaction
MAX_WORDS = 20_000  # characters of one object that are searched
MAX_TERMS = 10  # of one search
LAST = 2**63 - 1  # no object is newer
MAX_LOOKED_AT = 1_000  # hits for one page: most may be for others

TABLES: dict[str, tuple[str, ...]] = {
    "sqlite": ("CREATE VIRTUAL TABLE IF NOT EXISTS search USING fts5(words, tokenize = 'ascii')",),
    "postgresql": (
        "CREATE TABLE IF NOT EXISTS search (object BIGINT PRIMARY KEY, words TSVECTOR NOT NULL)",
        "CREATE INDEX IF NOT EXISTS ix_search_words ON search USING gin (words)",
    ),
}
"""What `Row.metadata` cannot say: the statements that make the index, for migrations."""

for _dialect, _statements in TABLES.items():
    for _statement in _statements:
        event.listen(Row.metadata, "after_create", DDL(_statement).execute_if(dialect=_dialect))  # type: ignore[no-untyped-call]
    event.listen(Row.metadata, "after_drop", DDL("DROP TABLE IF EXISTS search").execute_if(dialect=_dialect))  # type: ignore[no-untyped-call]

_KINDS: Final[dict[str, Kind]] = {"Proposal": "offer", "Endorsement": "endorsement"}  # all others are posts
_OURS: Final = "\ue000"  # of no script: no word of a text has it


_ID = {"sqlite": "rowid", "postgresql": "object"}
_WORDS = {"sqlite": ":words", "postgresql": "array_to_tsvector(string_to_array(:words, ' '))"}
_MATCH = {"sqlite": "search MATCH :terms", "postgresql": "words @@ CAST(:terms AS tsquery)"}
_TERM = {"sqlite": '"{}"', "postgresql": "'{}'"}
_BEGINNING = {"sqlite": '"{}"*', "postgresql": "'{}':*"}
_AND = {"sqlite": " AND ", "postgresql": " & "}

_ADD, _REMOVE, _REMOVE_ALL, _FIND = (
    {
        dialect: text(statement.format(id=id_, words=_WORDS[dialect], match=_MATCH[dialect]))
        for dialect, id_ in _ID.items()
    }
    for statement in (
        "INSERT INTO search ({id}, words) VALUES (:object, {words})",
        "DELETE FROM search WHERE {id} = :object",
        "DELETE FROM search WHERE {id} IN (SELECT id FROM objects WHERE author = :author)",
        "SELECT {id} FROM search WHERE {match} AND {id} < :before ORDER BY {id} DESC LIMIT :most",
    )
)
_PUT = {dialect: Prepared(statement) for dialect, statement in _ADD.items()}
_TAKE = {dialect: Prepared(statement) for dialect, statement in _REMOVE.items()}


class Unindexed(Row):
    """An object whose words are not in the index yet: a migration asks for it so."""

    __tablename__ = "unindexed"

    object: Mapped[int] = mapped_column(primary_key=True)


_FORGET = Prepared(delete(Unindexed).where(Unindexed.object == bindparam("of")))


# --- The index ---------------------------------------------------------------------------------------------------


@listens(Shown)
def remember(tx: Transaction, event: Shown) -> None:
    if event.boosted_by is None:
        put(tx, [event.object])


@listens(Edited)
def renew(tx: Transaction, event: Edited) -> None:
    _remove(tx, event.object.id)
    put(tx, [event.object])


@listens(Erased)
def forget(tx: Transaction, event: Erased) -> None:
    _remove(tx, event.object.id)


@listens(Departed)
def forget_all(tx: Transaction, event: Departed) -> None:
    tx.db.execute(_REMOVE_ALL[_dialect_of(tx.db)], {"author": event.actor})


@chore(timedelta(seconds=30))
def index(tx: Transaction) -> bool:
    """Put in what a migration left to be put in, `AT_ONCE` objects of it."""
    waiting = tx.db.scalars(select(Unindexed.object).order_by(Unindexed.object).limit(AT_ONCE)).all()
    put(tx, tx.db.scalars(select(Object).where(Object.id.in_(waiting), Object.deleted.is_(None))))
    tx.db.execute(delete(Unindexed).where(Unindexed.object.in_(waiting)))
    return len(waiting) == AT_ONCE


def put(tx: Transaction, some: Iterable[Object]) -> None:
    """Put in objects that are not in it."""
    _PUT[_dialect_of(tx.db)].run_all(tx.db, [_written(one) for one in some])


def _remove(tx: Transaction, number: int) -> None:
    _FORGET.run(tx.db, of=number)
    _TAKE[_dialect_of(tx.db)].run(tx.db, object=number)


def _written(one: Object) -> dict[str, Any]:
    """An object as it is found: by the words it says, and their singular, too; by its kind; by its author."""
    said = words.split(words_of(one.said))
    singular = [found for word in said if word[-1] == "s" and (found := words.singular(word)) is not word]
    ours = [_kind_word(_KINDS.get(one.type, "post")), _author_word(one.author)]
    return {"object": one.id, "words": " ".join([*said, *singular, *ours])}


def words_of(document: Document) -> str:
    """All that a document says in words, as plain text."""
    return "\n".join(filter(None, _said(document)))[:MAX_WORDS]


def _said(document: Document) -> Iterator[str]:
    for name in ("name", "summary", "content"):
        yield html.words(document.text(name))
    yield " ".join(document.strings("skill"))
    for name in ("attachment", "oneOf", "anyOf", "location"):
        for part in document.embeddeds(name):
            yield html.words(part.text("name"))


def _kind_word(kind: Kind) -> str:
    return f"{_OURS}{kind}"


@lru_cache(1024)
def _author_word(uri: str) -> str:
    return f"{_OURS}{hashlib.sha256(uri.encode()).hexdigest()[:20]}"


def _dialect_of(db: Session) -> str:
    return db.get_bind().dialect.name


# --- Queries -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for: all of `words`, in objects of one kind, by one author."""

    words: str
    kind: Kind | None = None
    author: str | None = None


def find(db: Session, reader: str | None, wanted: Search, limit: int, before: int | None = None) -> list[Object]:
    """Up to `limit` objects that have all the words and that `reader` may read, latest first, older than `before`.

    They have them whole, in the singular or plural; only if there are none at all, the last word as a beginning, for it
    may be half typed. Without a word in it, a search finds nothing.
    """
    whole = _terms(db, wanted, begins=False)
    if not whole:
        return []
    found = _page(db, reader, whole, limit, before)
    if found or (before is not None and _page(db, reader, whole, 1, None)):
        return found
    return _page(db, reader, _terms(db, wanted, begins=True), limit, before)


def _terms(db: Session, wanted: Search, *, begins: bool) -> str:
    dialect = _dialect_of(db)
    said = words.split(wanted.words)[:MAX_TERMS]
    narrowed = [*([_kind_word(wanted.kind)] if wanted.kind else [])]
    narrowed += [_author_word(wanted.author)] if wanted.author else []
    if not said:
        return ""
    *before, last = said
    end = _BEGINNING[dialect].format(last) if begins else _TERM[dialect].format(words.singular(last))
    whole = [*map(words.singular, before), *narrowed]
    return _AND[dialect].join([*map(_TERM[dialect].format, whole), end])


def _page(db: Session, reader: str | None, terms: str, limit: int, before: int | None) -> list[Object]:
    """The index has what matches from the newest on: it is asked for as many as a page needs, and for ever more."""
    found: list[Object] = []
    last, looked_at, most = before or LAST, 0, limit
    while len(found) < limit and looked_at < MAX_LOOKED_AT:
        numbers = db.scalars(_FIND[_dialect_of(db)], {"terms": terms, "before": last, "most": most}).all()
        found += feed.readable(db, _objects(db, numbers), reader)
        if len(numbers) < most:
            break
        last, looked_at, most = numbers[-1], looked_at + most, 2 * most
    return found[:limit]


def _objects(db: Session, numbers: Sequence[int]) -> Sequence[Object]:
    there = select(Object).where(Object.id.in_(numbers), Object.deleted.is_(None))
    return db.scalars(there.order_by(Object.id.desc())).all()
