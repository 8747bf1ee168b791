"""What somebody said on another server before they lived here, brought along as posts of their account here.

The law: nobody is told. A copy goes to no inbox, into no feed and makes no notification; it is where people look for
it, on the profile, in its outbox and in search, at its own day. Its name follows from whose it is and from the name it
had, so it is made once, however often it is brought, and not again once it was deleted here. The name it had belongs to
its own server: no copy claims it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from html import escape

from sqlalchemy import select
from sqlalchemy.orm import Session

from activitypub import audience, context, html
from activitypub.audience import Visibility
from activitypub.document import Document
from activitypub.note import Note
from activitypub.poll import Poll
from coop import access, essays, media, search
from coop.events import Shown
from coop.media import Stored
from federation import ids, known, outbox
from federation.store import Transaction
from federation.tables import Activity, Object

NEIGHBOURS = 100  # places beside its own that are looked at for one that is free


@dataclass(frozen=True, slots=True)
class Past:
    """A post as its own server has it, and the files of it that lie in the folder of this one."""

    note: Note
    visibility: Visibility  # ``public`` or ``unlisted``
    files: tuple[Stored, ...] = ()

    @property
    def is_empty(self) -> bool:
        """As it is if all it had was a picture that nobody can be shown."""
        return not self.files and self.note.poll is None and not html.plain(self.note.content)


def name_of(home: str, account: str, original: str) -> str:
    """How the copy of what was said at `original` is called, if `account` brings it along."""
    digest = hashlib.sha256(f"{account}\n{original}".encode()).digest()
    return f"{home}/notes/{ids.slug(int.from_bytes(digest[:8]) >> 1)}"


def is_here(db: Session, home: str, account: str, original: str) -> bool:
    """Whether `account` has brought it along before, whatever became of it since."""
    return known.is_known(db, name_of(home, account, original))


def bring(tx: Transaction, account: str, past: Past) -> Object | None:
    """Keep a copy of what `account` said elsewhere, and tell nobody. ``None`` if it is here already.

    Raise `Trouble` or `outbox.TooLong` for what cannot be kept; its files are swept away then.
    """
    if is_here(tx.db, tx.home, account, past.note.id):
        return None
    note = _copy(tx, account, past)
    travelling = essays.travelling(note)
    number = _free(tx.db, ids.first(note.published or tx.now)) or ids.new(tx.now)
    document = Document(travelling.write())
    outbox.record(tx, _create(document), number)
    row = known.keep_new(tx, document, author=account, visibility=past.visibility, local=True, number=number)
    assert row is not None, f"{note.id} was not here"  # noqa: S101 - it was looked for, and its place is free
    essays.keep(tx, row, note.content)
    media.belong(tx, Shown(row))
    search.put(tx, [row])
    return row


def _copy(tx: Transaction, account: str, past: Past) -> Note:
    """It is for everybody and names nobody: whom it once mentioned was told by its own server."""
    was = past.note
    uri = name_of(tx.home, account, was.id)
    answered, conversation = _answered(tx, account, was.in_reply_to)
    uploads = [media.keep(tx, account, one).name for one in past.files]
    addressed = audience.addressed(past.visibility, known.account(tx.db, account).followers)
    return replace(
        was,
        id=uri,
        url=uri,
        author=account,
        type="Note",
        content=was.content + _results(was.poll),
        to=tuple(addressed["to"]),
        cc=tuple(addressed["cc"]),
        published=min(was.published or tx.now, tx.now),
        updated=min(was.updated, tx.now) if was.updated else None,
        in_reply_to=answered,
        context=conversation or f"{uri}/context",
        audience=None,
        mentions=(),
        attachments=media.attach(tx, account, uploads),
        poll=None,
    )


def _answered(tx: Transaction, account: str, uri: str | None) -> tuple[str | None, str | None]:
    """What it answers and the conversation of that: their own as its copy, what is not for everybody as nothing."""
    copy = known.find(tx.db, name_of(tx.home, account, uri)) if uri else None
    found = copy or known.find(tx.db, uri)
    if found is None or found.deleted:
        return uri, None
    return (found.uri, found.conversation) if found.visibility in access.EVERYBODY else (None, None)


def _results(poll: Poll | None) -> str:
    """A poll is over once it is here: nobody votes on a copy."""
    if poll is None:
        return ""
    options = "".join(f"<li>{escape(name, quote=False)}: {votes}</li>" for name, votes in poll.options)
    return html.clean(f"<ul>{options}</ul>")


def _create(document: Document) -> dict[str, object]:
    written = document.json
    told = {name: written[name] for name in ("to", "cc", "published")}
    head = {"@context": context.NOTE, "id": f"{document.id}/activity", "type": "Create"}
    return {**head, "actor": written["attributedTo"], **told, "object": written}


def _free(db: Session, place: int) -> int | None:
    """The first row id from `place` on that neither an object nor an activity has; ``None`` if it is crowded there."""
    around = range(place, place + NEIGHBOURS)
    taken = {
        number
        for table in (Object, Activity)
        for number in db.scalars(select(table.id).where(table.id >= place, table.id < around.stop))
    }
    return next((number for number in around if number not in taken), None)
