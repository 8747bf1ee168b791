"""What concerns somebody here, in words, and what to do about it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from sqlalchemy import select
from sqlalchemy.orm import Session

from activitypub import html
from coop import feed, filters
from coop.events import Kind
from coop.follows import Follow
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

PLACES: Mapping[Kind, str] = {  # where what a line is about is shown, if not among what was said
    "response": "/offer",
    "response accepted": "/offer",
    "response declined": "/offer",
    "counter-offer": "/offer",
    "agreement done": "/agreement",
    "commitment": "/promise",
    "commitment accepted": "/promise",
    "commitment declined": "/promise",
    "commitment done": "/promise",
    "commitment kept": "/promise",
    "commitment released": "/promise",
    "invitation": "/invitation",
    "invitation withdrawn": "/invitation",
    "invitation accepted": "/project",
    "invitation declined": "/project",
    "request to join": "/project",
    "role": "/project",
    "removal": "/project",
    "leave": "/project",
}


FILTERS: Mapping[str, tuple[str, tuple[Kind, ...]]] = {
    "all": (N_("All"), ()),
    "said": (N_("Said to you"), ("mention", "reply", "edit")),
    "liked": (N_("Liked and passed on"), ("like", "boost")),
    "people": (N_("Followers"), ("follow", "follow request", "follow accepted", "follow rejected", "move")),
    "work": (
        N_("Work"),
        (
            "response",
            "response accepted",
            "response declined",
            "counter-offer",
            "agreement done",
            "commitment",
            "commitment accepted",
            "commitment declined",
            "commitment done",
            "commitment kept",
            "commitment released",
        ),
    ),
    "vouching": (
        N_("Endorsements"),
        ("endorsement", "endorsement revoked", "endorsement request", "endorsement declined"),
    ),
    "projects": (
        N_("Projects"),
        (
            "invitation",
            "invitation accepted",
            "invitation declined",
            "invitation withdrawn",
            "request to join",
            "request declined",
            "role",
            "removal",
            "leave",
        ),
    ),
    "house": (N_("The house"), ("report", "buddy request", "buddy accepted", "buddy declined", "buddy left")),
}
TOGETHER: frozenset[Kind] = frozenset({"like", "boost"})  # many do the same with one thing: it is told once


@dataclass(frozen=True, slots=True)
class Told:
    """A line about something that happened; `more` are those who did the same with the same thing before."""

    by: Person
    words: str  # with a place for their name
    at: datetime
    is_new: bool
    about: str  # where it can be read; empty if nowhere
    excerpt: str
    kind: Kind
    more: tuple[Person, ...] = ()
    asks: bool = False  # to be let follow, and nobody has answered yet


def told(db: Session, rows: Sequence[Notification], reader: str, home: str) -> list[Told]:
    """The lines about `rows`, in their order; nothing is quoted that `reader` may not read any more."""
    people = shown.people(db, {row.by for row in rows}, home)
    wanted = {row.about for row in rows if row.about}
    found = db.scalars(select(Object).where(Object.uri.in_(wanted), Object.deleted.is_(None))).all()
    seen = {one.uri: one for one in feed.readable(db, found, reader)}
    unwanted = filters.of(db, reader)
    hidden = {uri for uri, one in seen.items() if filters.found(unwanted, one)}
    asking = _asking(db, {row.by for row in rows if row.kind == "follow request"}, reader)
    lines: dict[tuple[str, ...], list[Notification]] = {}
    for row in rows:
        same = (row.kind, row.about) if row.kind in TOGETHER else (row.kind, row.about, row.by)
        lines.setdefault(same, []).append(row)
    return [_told(some, people, seen.get(some[0].about), hidden, asking) for some in lines.values()]


def _asking(db: Session, some: set[str], reader: str) -> frozenset[str]:
    """Those of `some` who would like to follow and were not answered."""
    waiting = select(Follow.follower).where(Follow.follower.in_(some), Follow.followed == reader)
    return frozenset(db.scalars(waiting.where(Follow.state == "asked"))) if some else frozenset()


def _told(
    rows: Sequence[Notification],
    people: Mapping[str, Person],
    about: Object | None,
    hidden: Collection[str],
    asking: frozenset[str],
) -> Told:
    """One line about what happened once, or several times alike; the latest comes first."""
    row = rows[0]
    words = about.said.text("summary") or about.said.text("content") if about and about.uri not in hidden else ""
    return Told(
        by=people[row.by],
        words=WORDS[row.kind],
        at=row.at,
        is_new=any(one.read is None for one in rows),
        about=_where(row, about),
        excerpt=start(html.plain(words), 120),
        kind=row.kind,
        more=tuple(people[one.by] for one in rows[1:]),
        asks=row.kind == "follow request" and row.by in asking,
    )


def _where(row: Notification, about: Object | None) -> str:
    if place := PLACES.get(row.kind):
        return f"{place}?is={quote(row.about, safe='')}"
    return f"/read?of={quote(about.uri, safe='')}" if about else ""
