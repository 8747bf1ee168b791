"""What is due when, as a calendar that other programs subscribe to (RFC 5545), at an address that is a secret.

Calendar programs cannot sign in or sign requests; so whoever has the address reads the calendar, and a new address
makes the old one worthless.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from activitypub import html
from coop import commitments
from coop.commitments import Commitment
from coop.errors import NotFound
from coop.events import Departed, listens
from coop.statements import Project
from federation.store import Transaction
from federation.tables import Actor, Row

if TYPE_CHECKING:
    from icalendar import Event  # several MiB, which are imported where a calendar is written

MAX_EVENTS = 500  # the first that are due
MAX_TITLE = 200  # characters
MAX_TEXT = 2_000


class CalendarAddress(Row):
    """The address at which somebody's calendar is served; only a hash of it is kept."""

    __tablename__ = "calendar_addresses"

    account: Mapped[str] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    since: Mapped[datetime]


def new_address(tx: Transaction, account: str) -> str:
    """A new address for the calendar of `account`; the one it had before is of no use any more."""
    token = secrets.token_urlsafe(32)
    tx.db.merge(CalendarAddress(account=account, token_hash=_hash(token), since=tx.now))
    tx.db.flush()
    return f"{tx.home}/calendars/{token}.ics"


@listens(Departed)
def close(tx: Transaction, event: Departed) -> None:
    tx.db.execute(delete(CalendarAddress).where(CalendarAddress.account == event.actor))


def account_of(db: Session, token: str) -> str:
    """Whose calendar it is that has this address. Raise `NotFound` if it is nobody's any more."""
    found = db.scalar(select(CalendarAddress.account).where(CalendarAddress.token_hash == _hash(token)))
    if found is None:
        raise NotFound("there is no such calendar")
    return found


def written(db: Session, account: str, now: datetime) -> bytes:
    """What `account` has to do, and what others do for them, as far as it is agreed, has a date and is not over."""
    from icalendar import Calendar

    calendar = Calendar()
    calendar.add("prodid", "-//Boxroom//commitments//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", "Commitments")
    dated = commitments.of(account).where(Commitment.state == "agreed", Commitment.due.is_not(None))
    for row in db.scalars(dated.limit(MAX_EVENTS)).all():
        other = row.receiver if row.provider == account else row.provider
        name = db.scalar(select(Actor.name).where(Actor.uri == other)) or other
        project = db.scalar(select(Project.name).where(Project.uri == row.project)) or row.project
        whose = f"for {name}" if row.provider == account else f"by {name}"
        calendar.add_component(event_of(row, whose, project, now))
    body: bytes = calendar.to_ical()
    return body


def event_of(row: Commitment, whose: str, project: str, now: datetime) -> Event:
    """One commitment; all words in it are others', and each stays in its line."""
    from icalendar import Event

    text = html.single_line(html.plain(row.text), MAX_TEXT)
    event = Event()
    event.add("uid", row.root)
    event.add("dtstamp", row.made)
    event.add("dtstart", row.due)
    event.add("summary", html.single_line(f"{text[:MAX_TITLE]} ({whose})", 2 * MAX_TITLE))
    event.add("description", f"{text}\n\n{html.single_line(project, MAX_TITLE)}, {row.standing(now)}")
    event.add("url", row.project)
    event.add("transp", "TRANSPARENT")  # it is a deadline, and takes no time of the day
    return event


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
