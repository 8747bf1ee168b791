"""What concerns somebody here, in words, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from activitypub import html
from coop import feed
from coop.events import Kind
from coop.notifications import Notification
from federation.tables import Object
from web import shown
from web.rendering import start
from web.shown import Person

WORDS: Mapping[Kind, str] = {
    "follow": "follows you",
    "follow request": "would like to follow you",
    "follow accepted": "lets you follow them",
    "follow rejected": "does not want you to follow them",
    "mention": "mentioned you",
    "reply": "answered you",
    "like": "likes what you said",
    "boost": "passed on what you said",
    "edit": "changed what you had passed on",
    "response": "answers your offer",
    "response accepted": "agrees with your answer to their offer",
    "response declined": "declined your answer to their offer",
    "counter-offer": "proposes other terms",
    "agreement done": "says that what you agreed is done",
    "commitment": "proposes a promise",
    "commitment accepted": "agreed to a promise",
    "commitment declined": "declined a promise",
    "commitment done": "says that a promise is kept",
    "commitment kept": "confirmed that you kept a promise",
    "commitment released": "released a promise",
    "endorsement": "vouches for your work",
    "endorsement revoked": "took an endorsement back",
    "endorsement request": "asks you to vouch for their work",
    "endorsement declined": "would rather not vouch for your work",
    "invitation": "invites you into a project",
    "invitation accepted": "came into the project that you invited them to",
    "invitation declined": "declined your invitation",
    "invitation withdrawn": "took their invitation back",
    "request to join": "would like to join your project",
    "request declined": "did not let you join their project",
    "role": "gave you another part in a project",
    "removal": "took you out of a project",
    "leave": "left your project",
    "report": "reports somebody who lives here",
    "move": "has moved, and you follow them there",
    "buddy request": "asks you to keep their mail while they sleep",
    "buddy accepted": "keeps your mail while you sleep",
    "buddy declined": "would rather not keep your mail",
    "buddy left": "keeps your mail no more",
}


@dataclass(frozen=True, slots=True)
class Told:
    """A line about something that happened."""

    by: Person
    words: str
    at: datetime
    is_new: bool
    about: str  # where it can be read; empty if nowhere
    excerpt: str


def told(db: Session, rows: Sequence[Notification], reader: str, home: str) -> list[Told]:
    """The lines about `rows`, in their order; nothing is quoted that `reader` may not read any more."""
    people = shown.people(db, {row.by for row in rows}, home)
    wanted = {row.about for row in rows if row.about}
    found = db.scalars(select(Object).where(Object.uri.in_(wanted), Object.deleted.is_(None))).all()
    seen = {one.uri: one for one in feed.readable(db, found, reader)}
    return [_told(row, people[row.by], seen.get(row.about)) for row in rows]


def _told(row: Notification, by: Person, about: Object | None) -> Told:
    quoted = start(html.plain(about.said.text("summary") or about.said.text("content")), 120) if about else ""
    return Told(by, WORDS[row.kind], row.at, row.read is None, about.uri if about else "", quoted)
