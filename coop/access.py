"""Who may read what. Everything that shows an object to somebody asks here (P-035, P-318)."""

from __future__ import annotations

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from activitypub import audience
from activitypub.audience import Visibility
from activitypub.document import Document
from coop import blocks, follows, keepsakes, projects
from federation import known, registry
from federation.tables import Activity, Object

EVERYBODY = frozenset({"public", "unlisted"})


def may_read(db: Session, row: Object, reader: str | None) -> bool:
    """Whether `reader`, an actor here or elsewhere, or a stranger who is ``None``, may see an object.

    Its author, everyone it names and everyone a collection that it names stands for (followers, members of a project)
    may; so may anybody if it is public. Nobody may whom its author blocks. What is said in a project is for those who
    are in it now, whoever was when it was said (P-265); one of us who is in it no more may read on what was here then.
    """
    if reader is None:
        return row.visibility in EVERYBODY
    if reader == row.author:
        return True
    if blocks.exists(db, row.author, reader):
        return False
    if row.visibility == "project":
        kept = keepsakes.of(db, row.conversation, reader)
        is_in = projects.role_of(db, row.conversation or "", reader) is not None
        return is_in or (kept is not None and keepsakes.has(kept, row))
    if row.visibility in EVERYBODY or is_for(db, row.said, reader):
        return True
    follow = follows.find(db, reader, row.author) if row.visibility == "followers" else None
    return follow is not None and follow.state == "accepted"


def listeners(db: Session, visibility: Visibility, parent: Object | None) -> list[str]:
    """The followers of whoever is answered, where everybody may read along: as the collection that it is to others.

    The server that keeps it passes the answer on to them, so that they see the whole of the conversation (P-171).
    """
    if parent is None or visibility not in EVERYBODY or parent.visibility not in EVERYBODY:
        return []
    followers = known.actor(db, parent.author).followers
    return [followers] if followers else []


def may_read_activity(db: Session, row: Activity, reader: str | None) -> bool:
    """The same for an activity of ours."""
    if reader is None or reader == row.actor:
        return row.public or reader == row.actor
    about = known.find(db, row.object)
    if about is not None and about.visibility == "project":
        return may_read(db, about, reader)
    return not blocks.exists(db, row.actor, reader) and (row.public or is_for(db, Document.parse(row.body), reader))


def is_for(db: Session, document: Document, reader: str) -> bool:
    """Whether the audience of `document` has `reader` in it, collections that are kept here taken apart."""
    named = audience.recipients(document)
    if reader in named:
        return True
    members = registry.expansion_of(db, named)
    return members is not None and _has(db, members, reader)


def _has(db: Session, members: Select[str], reader: str) -> bool:
    everyone = members.subquery()
    return db.scalar(select(everyone.c[0]).where(everyone.c[0] == reader).limit(1)) is not None
