"""Long posts: what travels is their beginning and where to read on; the whole is on a page of ours (P-166)."""

from __future__ import annotations

from dataclasses import replace

import msgspec
from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from activitypub import html
from activitypub.audience import PUBLIC
from activitypub.note import Note
from coop.errors import Trouble
from coop.events import Departed, Erased, listens
from federation import outbox
from federation.prepared import Prepared
from federation.store import Transaction
from federation.tables import Object, Row

FITS = outbox.MAX_BODY - 10_000  # octets of a note as JSON; who made it, for whom, its context and proof come on top
BEGINNING = 2_000  # characters of HTML
MAX_TEXT = 100_000  # characters of Markdown: a booklet, and what takes well below a second to be read


class Essay(Row):
    """All that a post says whose document has only the beginning of it."""

    __tablename__ = "essays"

    uri: Mapped[str] = mapped_column(primary_key=True)  # of the post
    content: Mapped[str]  # HTML


_FORGET = Prepared(delete(Essay).where(Essay.uri == bindparam("of")))


def check(text: str) -> None:
    """Raise `Trouble` if it is longer than anybody reads."""
    if len(text) > MAX_TEXT:
        raise Trouble("it is longer than %(most)s characters; write it in parts", most=MAX_TEXT)


def travelling(note: Note) -> Note:
    """`note` as others get it. Raise `Trouble` if that is not all of it, and the whole could not be shown here.

    Only what everybody may read is cut: a page that asks nobody who they are has no more for the few that it is for.
    """
    if PUBLIC not in (*note.to, *note.cc) or len(msgspec.json.encode(note.write())) <= FITS:
        return note
    if len(note.content) > html.MAX_HTML:
        raise Trouble("with all its links it is longer than %(most)s characters; write it in parts", most=html.MAX_HTML)
    onward = f"<p>The whole text: {html.link(note.id, rel='')}</p>"
    return replace(note, content=f"{html.beginning(note.content, BEGINNING)}\n{onward}")


def keep(tx: Transaction, row: Object, whole: str) -> Object:
    """Keep the whole of what the post says, if its document does not have it; return the post."""
    if row.updated:
        _FORGET.run(tx.db, of=row.uri)
    if row.document["content"] != whole:
        tx.add_new(Essay, uri=row.uri, content=whole)
    return row


def whole(db: Session, uri: str) -> str | None:
    """All that a post of ours says, as HTML; ``None`` if it is all in its document."""
    return db.scalar(select(Essay.content).where(Essay.uri == uri))


@listens(Erased)
def forget(tx: Transaction, event: Erased) -> None:
    _FORGET.run(tx.db, of=event.object.uri)


@listens(Departed)
def forget_all(tx: Transaction, event: Departed) -> None:
    theirs = select(Object.uri).where(Object.author == event.actor)
    tx.db.execute(delete(Essay).where(Essay.uri.in_(theirs)))
