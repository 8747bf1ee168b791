"""What concerns somebody here, in words, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from activitypub import html
from coop import access
from coop.events import Kind
from coop.notifications import Notification
from federation.tables import Object
from web import shown
from web.languages import N_
from web.rendering import start
from web.shown import Person

WORDS: Mapping[Kind, str] = {
    "follow": N_("%(name)s follows you"),
    "follow request": N_("%(name)s would like to follow you"),
    "follow accepted": N_("%(name)s lets you follow them"),
    "follow rejected": N_("%(name)s does not want you to follow them"),
    "mention": N_("%(name)s mentioned you"),
    "reply": N_("%(name)s answered you"),
    "like": N_("%(name)s likes what you said"),
    "boost": N_("%(name)s passed on what you said"),
    "edit": N_("%(name)s changed what you had passed on"),
    "response": N_("%(name)s answers your offer"),
    "response accepted": N_("%(name)s agrees with your answer to their offer"),
    "response declined": N_("%(name)s declined your answer to their offer"),
    "counter-offer": N_("%(name)s proposes other terms"),
    "agreement done": N_("%(name)s says that what you agreed is done"),
    "commitment": N_("%(name)s proposes a promise"),
    "commitment accepted": N_("%(name)s agreed to a promise"),
    "commitment declined": N_("%(name)s declined a promise"),
    "commitment done": N_("%(name)s says that a promise is kept"),
    "commitment kept": N_("%(name)s confirmed that you kept a promise"),
    "commitment released": N_("%(name)s released a promise"),
    "endorsement": N_("%(name)s vouches for your work"),
    "endorsement revoked": N_("%(name)s took an endorsement back"),
    "endorsement request": N_("%(name)s asks you to vouch for their work"),
    "endorsement declined": N_("%(name)s would rather not vouch for your work"),
    "invitation": N_("%(name)s invites you into a project"),
    "invitation accepted": N_("%(name)s came into the project that you invited them to"),
    "invitation declined": N_("%(name)s declined your invitation"),
    "invitation withdrawn": N_("%(name)s took their invitation back"),
    "request to join": N_("%(name)s would like to join your project"),
    "request declined": N_("%(name)s did not let you join their project"),
    "role": N_("%(name)s gave you another part in a project"),
    "removal": N_("%(name)s took you out of a project"),
    "leave": N_("%(name)s left your project"),
    "report": N_("%(name)s reports somebody who lives here"),
    "move": N_("%(name)s has moved, and you follow them there"),
    "buddy request": N_("%(name)s asks you to keep their mail while they sleep"),
    "buddy accepted": N_("%(name)s keeps your mail while you sleep"),
    "buddy declined": N_("%(name)s would rather not keep your mail"),
    "buddy left": N_("%(name)s keeps your mail no more"),
}


@dataclass(frozen=True, slots=True)
class Told:
    """A line about something that happened."""

    by: Person
    words: str  # with a place for their name
    at: datetime
    is_new: bool
    about: str  # where it can be read; empty if nowhere
    excerpt: str


def told(db: Session, rows: Sequence[Notification], reader: str, home: str) -> list[Told]:
    """The lines about `rows`, in their order; nothing is quoted that `reader` may not read any more."""
    people = shown.people(db, {row.by for row in rows}, home)
    wanted = {row.about for row in rows if row.about}
    found = {one.uri: one for one in db.scalars(select(Object).where(Object.uri.in_(wanted), Object.deleted.is_(None)))}
    seen = {uri: one for uri, one in found.items() if access.may_read(db, one, reader)}
    return [_told(row, people[row.by], seen.get(row.about)) for row in rows]


def _told(row: Notification, by: Person, about: Object | None) -> Told:
    quoted = start(html.plain(about.said.text("summary") or about.said.text("content")), 120) if about else ""
    return Told(by, WORDS[row.kind], row.at, row.read is None, about.uri if about else "", quoted)
