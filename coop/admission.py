"""What others may invite somebody here to, and how much of it (P-255).

The law: by an invitation, and by nothing else, a stranger makes us keep a project. So what it has to be is checked
where it is learnt, whichever way it came, and one site has only so many that nobody has accepted (P-327).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import ColumnElement, Index, UniqueConstraint, and_, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from activitypub.errors import Forbidden
from activitypub.origin import host, site
from activitypub.statement import Role, Statement
from coop import accounts, blocks, statements
from coop.accounts import Account
from coop.statements import Entry
from federation import known
from federation.store import Transaction
from federation.tables import Row

State = Literal["open", "accepted", "declined", "withdrawn"]

MAX_OPEN = 20  # of one site (P-255)
DAY = timedelta(days=1)  # so long it counts even if it was short, or is taken back: it brought a project with it


class Invitation(Row):
    """Somebody here is asked into a project. One that is open past `until` has expired."""

    __tablename__ = "invitations"
    __table_args__ = (Index(None, "invitee", "state"), UniqueConstraint("project", "uri"), Index(None, "uri"))

    id: Mapped[int] = mapped_column(primary_key=True)
    uri: Mapped[str]  # of the Invite: its author may use one in several projects
    project: Mapped[str]  # of other software, whatever it named
    inviter: Mapped[str]
    invitee: Mapped[str]
    role: Mapped[Role]
    text: Mapped[str]  # clean HTML
    since: Mapped[datetime]
    until: Mapped[datetime | None]
    state: Mapped[State] = mapped_column(default="open")

    def is_open(self, now: datetime) -> bool:
        return self.state == "open" and (self.until is None or now < self.until)


def open_at(now: datetime) -> ColumnElement[bool]:
    """Those that wait for an answer, and for which there still is time."""
    return and_(Invitation.state == "open", or_(Invitation.until > now, Invitation.until.is_(None)))


def is_for_us(db: Session, said: Statement) -> bool:
    """Whether it invites somebody who lives here."""
    return said.kind == "invite" and accounts.at(db, said.subject or "") is not None


def is_first(db: Session, said: Statement) -> bool:
    """Whether it invites somebody here to a project that nobody here knows."""
    return is_for_us(db, said) and statements.find(db, said.project) is None


def check(tx: Transaction, said: Statement) -> None:
    """Raise `Forbidden` for an invitation that may not bring us a project. What is said in one that we know, may be."""
    if not is_first(tx.db, said):
        return
    if said.until is None or said.until <= tx.now:
        raise Forbidden(f"the invitation {said.id} has expired, or would never")
    if said.fingerprint is None:
        raise Forbidden(f"the invitation {said.id} does not say by its fingerprint which project it is to")
    if blocks.exists(tx.db, said.subject or "", said.author):
        raise Forbidden(f"{said.subject} is not to be invited by {said.author}")
    check_number(tx, said.author)


def check_number(tx: Transaction, inviter: str) -> None:
    if is_crowded(tx, inviter):
        raise Forbidden(f"{MAX_OPEN} invitations from {site(host(inviter))} wait for an answer here already")


def is_crowded(tx: Transaction, inviter: str) -> bool:
    """Whether as many of the inviter's site wait as anybody would read; those who live here are no crowd."""
    recent = or_(open_at(tx.now), Invitation.since > tx.now - DAY)
    shown = select(Invitation.inviter).where(Invitation.state != "accepted", recent)
    ours = Entry.subject.in_(select(Account.uri))
    held = select(Entry.author).where(Entry.held, Entry.kind == "invite", ours)
    home = site(host(inviter))
    number = sum(site(host(one)) == home for one in (*tx.db.scalars(shown), *tx.db.scalars(held)))
    return number >= MAX_OPEN and not known.is_local(tx.db, inviter)
