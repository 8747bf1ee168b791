"""What one's own posts were typed as, in Markdown, so that whoever wrote one can change it. None of it travels."""

from __future__ import annotations

import re

from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from activitypub import html
from activitypub.note import Note
from coop import essays
from coop.events import Departed, Erased, listens
from federation.prepared import Prepared
from federation.store import Transaction
from federation.tables import Object, Row


class Source(Row):
    """What a post was typed as, last."""

    __tablename__ = "sources"

    object: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str]


_FORGET = Prepared(delete(Source).where(Source.object == bindparam("of")))


def keep(tx: Transaction, row: Object, text: str) -> None:
    _FORGET.run(tx.db, of=row.id)
    tx.add_new(Source, object=row.id, text=text)


def of(db: Session, row: Object) -> str:
    """What a post was typed as; of one out of an archive, or from before that was kept, the text of what it says."""
    typed = db.scalar(select(Source.text).where(Source.object == row.id))
    return _read_off(db, row) if typed is None else typed


def _read_off(db: Session, row: Object) -> str:
    note = Note.read(row.said)
    text = html.plain(essays.whole(db, row.uri) or note.content)
    for one in note.mentions:  # shown without their server
        name = one.name.removeprefix("@").partition("@")[0]
        text = re.sub(rf"(?<![\w@])@{re.escape(name)}(?![\w@.-])", lambda _, whole=one.name: whole, text)  # type: ignore[misc]
    return text


@listens(Erased)
def forget(tx: Transaction, event: Erased) -> None:
    _FORGET.run(tx.db, of=event.object.id)


@listens(Departed)
def forget_all(tx: Transaction, event: Departed) -> None:
    theirs = select(Object.id).where(Object.author == event.actor)
    tx.db.execute(delete(Source).where(Source.object.in_(theirs)))
