"""Full-text search over what one may read: FTS5 on SQLite, ``tsvector`` on PostgreSQL.

The words of an object are indexed soon after it came or was edited, and forgotten when it is deleted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import DDL, Select, bindparam, delete, event, literal_column, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from activitypub import html
from activitypub.document import Document
from coop import feed
from coop.events import Departed, Edited, Erased, Shown, listens
from federation.prepared import Prepared
from federation.registry import chore
from federation.store import Transaction
from federation.tables import Object, Row

AT_ONCE = 200  # objects indexed in one transaction
MAX_WORDS = 20_000  # characters of one object that are searched
MAX_TERMS = 10  # of one search
MAX_LOOKED_AT = 1_000  # hits for one page: most may be for others

TABLES: dict[str, tuple[str, ...]] = {
    "sqlite": (
        "CREATE VIRTUAL TABLE IF NOT EXISTS search USING fts5(words, tokenize = 'unicode61 remove_diacritics 2')",
    ),
    "postgresql": (
        "CREATE TABLE IF NOT EXISTS search (object BIGINT PRIMARY KEY, words TSVECTOR NOT NULL)",
        "CREATE INDEX IF NOT EXISTS ix_search_words ON search USING gin (words)",
    ),
}
"""What `Row.metadata` cannot say: the statements that make the index, for migrations."""

_TERM = re.compile(r"\w+")
_ID = {"sqlite": "rowid", "postgresql": "object"}
_MATCH = {"sqlite": "search MATCH :terms", "postgresql": "words @@ to_tsquery('simple', :terms)"}
_INSERT = {
    "sqlite": "INSERT INTO search (rowid, words) VALUES (:object, :words)",
    "postgresql": "INSERT INTO search (object, words) VALUES (:object, to_tsvector('simple', :words))",
}

for _dialect, _statements in TABLES.items():
    for _statement in _statements:
        event.listen(Row.metadata, "after_create", DDL(_statement).execute_if(dialect=_dialect))  # type: ignore[no-untyped-call]
    event.listen(Row.metadata, "after_drop", DDL("DROP TABLE IF EXISTS search").execute_if(dialect=_dialect))  # type: ignore[no-untyped-call]


class Unindexed(Row):
    """An object whose words are not in the index yet, or not as they are now."""

    __tablename__ = "unindexed"

    object: Mapped[int] = mapped_column(primary_key=True)


_FORGET = Prepared(delete(Unindexed).where(Unindexed.object == bindparam("of")))
_REMOVE = {dialect: Prepared(text(f"DELETE FROM search WHERE {column} = :object")) for dialect, column in _ID.items()}  # noqa: S608 - names of ours


@listens(Shown)
def remember(tx: Transaction, event: Shown) -> None:
    if event.boosted_by is None:
        tx.add_new(Unindexed, object=event.object.id)


@listens(Edited)
def renew(tx: Transaction, event: Edited) -> None:
    tx.add_new(Unindexed, object=event.object.id)


@chore(timedelta(seconds=2))
def index(tx: Transaction) -> bool:
    """Put the words of what has come into the index, `AT_ONCE` objects of it: nobody has to wait for that."""
    waiting = tx.db.scalars(select(Unindexed.object).order_by(Unindexed.object).limit(AT_ONCE)).all()
    there = select(Object.id, Object.document).where(Object.id.in_(waiting), Object.deleted.is_(None))
    words = [{"object": row.id, "words": words_of(Document(row.document))} for row in tx.db.execute(there)]
    _remove(tx, waiting)
    if words:
        tx.db.execute(text(_INSERT[_dialect_of(tx.db)]), words)
    tx.db.execute(delete(Unindexed).where(Unindexed.object.in_(waiting)))
    return len(waiting) == AT_ONCE


@listens(Erased)
def forget(tx: Transaction, event: Erased) -> None:
    _FORGET.run(tx.db, of=event.object.id)
    _REMOVE[_dialect_of(tx.db)].run(tx.db, object=event.object.id)


@listens(Departed)
def forget_all(tx: Transaction, event: Departed) -> None:
    theirs = f"DELETE FROM search WHERE {_ID[_dialect_of(tx.db)]} IN (SELECT id FROM objects WHERE author = :author)"  # noqa: S608 - a name of ours
    tx.db.execute(text(theirs), {"author": event.actor})


def matching(db: Session, words: str) -> Select[int]:
    """The row ids of objects that have all of `words`, each as a whole or as the beginning of one.

    Without a word in it, it finds nothing.
    """
    dialect = _dialect_of(db)
    found = _TERM.findall(words)[:MAX_TERMS]
    if dialect == "postgresql":
        terms = " & ".join(f"'{term}':*" for term in found)
    else:
        terms = " AND ".join(f'"{term}"*' for term in found)
    ids: Any = literal_column(_ID[dialect])
    condition = text(_MATCH[dialect]).bindparams(bindparam("terms", terms, unique=True)) if terms else text("1 = 0")
    return select(ids).select_from(text("search")).where(condition)


def posts(db: Session, reader: str | None, words: str, limit: int, before: int | None = None) -> list[Object]:
    """Up to `limit` posts that have all of `words` and that `reader` may read, latest first."""
    hits = select(Object).where(Object.id.in_(matching(db, words)), Object.deleted.is_(None))
    if before is not None:
        hits = hits.where(Object.id < before)
    latest = db.scalars(hits.order_by(Object.id.desc()).limit(MAX_LOOKED_AT)).all()
    found: list[Object] = []
    for start in range(0, len(latest), limit):
        found += feed.readable(db, latest[start : start + limit], reader)
        if len(found) >= limit:
            break
    return found[:limit]


def words_of(document: Document) -> str:
    """All that a document says in words, as plain text."""
    return "\n".join(filter(None, _said(document)))[:MAX_WORDS]


def _said(document: Document) -> Iterator[str]:
    for name in ("name", "summary", "content"):
        yield html.words(document.text(name))
    yield " ".join(document.strings("skill"))
    for attached in document.embeddeds("attachment"):
        yield html.words(attached.text("name"))


def _remove(tx: Transaction, objects: Sequence[int]) -> None:
    remove = _REMOVE[_dialect_of(tx.db)]
    for one in objects:
        remove.run(tx.db, object=one)


def _dialect_of(db: Session) -> str:
    return db.get_bind().dialect.name
