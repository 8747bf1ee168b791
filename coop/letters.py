"""Invitations for those whose software shows none: a direct post with an address where they can be read (P-258)."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from html import escape

from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session, mapped_column

from activitypub.note import Note
from activitypub.statement import Statement
from coop import mentions, posts, statements
from coop.errors import NotFound
from coop.statements import Entry, Project
from federation import known, outbox
from federation.store import Transaction
from federation.tables import Actor, Row

OPEN_FOR = timedelta(days=30)  # what says not until when it is open


class Letter(Row):
    """The address at which somebody reads what they are invited to; only a hash of it is kept."""

    __tablename__ = "invitation_letters"

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    invitation: Mapped[str]  # the URI of the Invite
    until: Mapped[datetime]


def write(tx: Transaction, place: Project, invite: Statement, actor: Actor) -> str:
    """Tell somebody whose software shows no invitations, as a direct post (P-258); return the address that it gives."""
    token = secrets.token_urlsafe(16)
    until = invite.until or tx.now + OPEN_FOR
    tx.db.add(Letter(token_hash=_hash(token), invitation=invite.id, until=until))
    page = f"{tx.home}/invitations/{token}"
    inviter = known.actor(tx.db, invite.author).name
    what = f"{escape(inviter)} invites you to the project “{escape(place.name)}”"
    first = f'{what}: <a href="{page}">{page.partition("://")[2]}</a>'
    send(tx, invite.author, actor, invite.text, first)
    return page


def send(tx: Transaction, author: str, to: Actor, text: str, first: str = "") -> None:
    """A direct post to one person, known by address or not: `text`, and `first` beside their name, both as HTML."""
    profile = escape(mentions.profile_page(to))
    handle = f'<a href="{profile}" class="u-url mention">@<span>{escape(to.handle)}</span></a>'
    note = Note(
        id=(uri := outbox.new_uri(tx, "notes")),
        author=author,
        content=f'<p><span class="h-card">{handle}</span> {first}</p>{text}',
        to=(to.uri,),
        published=tx.now,
        url=uri,
        context=uri,
        mentions=(mentions.mention(to),),
    )
    posts.publish_note(tx, note, "direct")


def read(db: Session, token: str, now: datetime) -> tuple[Project, Statement]:
    """What the holder of `token` is invited to. Raise `NotFound` once it has expired, was answered or withdrawn."""
    letter = db.scalar(select(Letter).where(Letter.token_hash == _hash(token), Letter.until > now))
    entry = db.scalar(select(Entry).where(Entry.uri == letter.invitation, ~Entry.held)) if letter else None
    if entry:
        place = statements.at(db, entry.project)
        if open_one := statements.room_of(db, place).invitations.get(entry.uri):
            return place, open_one
    raise NotFound("there is no such invitation, or it has expired")


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
