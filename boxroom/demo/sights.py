"""What there is to be seen in a studio's database, as questions that facts are made of."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.orm import Session

from activitypub.document import Document
from activitypub.html import plain
from boxroom.demo.studio import Studio
from coop import accounts, feed, follows
from coop.events import Kind
from coop.notifications import Notification
from federation import known
from federation.tables import Object

Query = Callable[[Session], object]


def reads(who: Studio, uri: str, *words: str, boosted_by: Studio | None = None) -> Query:
    """Whether a post with `words` in it is in somebody's feed, there because of a boost if that is asked for."""

    def query(db: Session) -> bool:
        account = accounts.first(db).id
        rows = db.execute(feed.home(account).where(Object.uri == uri)).all()
        by = boosted_by.me if boosted_by else None
        return any(entry.boosted_by == by and _contains(row, words) for entry, row in rows)

    return query


def has(uri: str, *words: str) -> Query:
    """Whether something that was said is known, with `words` in it."""
    return lambda db: (row := known.find(db, uri)) is not None and not row.deleted and _contains(row, words)


def is_erased(uri: str) -> Query:
    """Whether nothing is left of it but that it was deleted."""
    return lambda db: (row := known.find(db, uri)) is not None and row.deleted and not _contains(row)


def never_heard(uri: str) -> Query:
    return lambda db: known.find(db, uri) is None


def is_told(kind: Kind, *by: Studio) -> Query:
    """Whether somebody was told that each of `by` did something that concerns them."""
    told = select(Notification.by).where(Notification.kind == kind)
    return lambda db: {one.me for one in by} <= set(db.scalars(told))


def is_followed(who: Studio, *by: Studio) -> Query:
    """Whether all of `by` follow `who`, and were let in."""
    return lambda db: {one.me for one in by} <= set(db.scalars(follows.followers(who.me)))


def knows(who: Studio, *words: str) -> Query:
    """Whether what somebody says of themselves, with all of `words`, is known."""

    def query(db: Session) -> bool:
        document = Document(known.actor(db, who.me).document)
        said = " ".join((plain(document.text("summary")), *_told(document)))
        return all(one in said for one in words)

    return query


def _told(document: Document) -> list[str]:
    return [plain(one.text("value")) for one in document.embeddeds("attachment")]


def _contains(row: Object, words: tuple[str, ...] = ("",)) -> bool:
    """Whether the text, the warning or the pictures' descriptions of a post have all `words`; only those of some."""
    document = row.said
    pictures = [one.text("name") for one in document.embeddeds("attachment")]
    said = " ".join((plain(document.text("content")), document.text("summary"), *pictures)).strip()
    return bool(said) and all(one in said for one in words)
