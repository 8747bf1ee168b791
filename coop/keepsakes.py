"""What those who live here keep of projects that they are in no more: a copy that can be read, and never grows.

The law: it is of what was here when they were still in it. Nothing that came later is in it, were it only the edit of
a post, whoever else here goes on to be a member.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Index, Select, UniqueConstraint, and_, delete, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from activitypub.statement import Role
from coop import accounts
from coop.events import Grown, listens
from coop.membership import Room
from coop.statements import Project, at, room_of
from federation import ids
from federation.store import Transaction
from federation.tables import Object, Row


class Keepsake(Row):
    """Somebody here was in a project until `since`; what has a smaller row id than this was here by then."""

    __tablename__ = "keepsakes"
    __table_args__ = (UniqueConstraint("project", "member"), Index(None, "member"))

    id: Mapped[int] = mapped_column(primary_key=True)
    project: Mapped[str]
    member: Mapped[str]
    role: Mapped[Role]  # the last they had
    since: Mapped[datetime]


@listens(Grown)
def keep(tx: Transaction, event: Grown) -> None:
    """Whoever is in it no longer keeps what they have; who is in it again needs no copy."""
    here = accounts.numbers(tx.db).keys()
    for member in sorted(here & event.before.keys() - event.room.members.keys()):
        mine = {"project": event.project, "member": member, "role": event.before[member]}
        tx.add_new(Keepsake, id=ids.new(tx.now), since=tx.now, **mine)
    back = sorted(here & event.room.members.keys())
    tx.db.execute(delete(Keepsake).where(Keepsake.project == event.project, Keepsake.member.in_(back)))


def forget(tx: Transaction, member: str) -> None:
    """`member` keeps nothing any more."""
    tx.db.execute(delete(Keepsake).where(Keepsake.member == member))


def of(db: Session, project: str | None, member: str) -> Keepsake | None:
    """What `member` kept of a project; None if they are in it, or never were."""
    return db.scalar(select(Keepsake).where(Keepsake.project == project, Keepsake.member == member))


def kept_by(member: str) -> Select[Project]:
    """The projects that somebody here was in, the one they left last first."""
    mine = select(Project).join(Keepsake, Keepsake.project == Project.uri)
    return mine.where(Keepsake.member == member).order_by(Keepsake.id.desc())


def room(db: Session, kept: Keepsake) -> Room:
    """Who was in the project when its keeper was so no more."""
    return room_of(db, at(db, kept.project), before=kept.id)


def has(kept: Keepsake, row: Object) -> bool:
    """Whether something that was said in the project, as it reads now, is in the copy."""
    return row.id < kept.id and (row.updated is None or row.updated <= kept.since)


def within(kept: Keepsake) -> ColumnElement[bool]:
    """The same, as a condition."""
    return and_(Object.id < kept.id, or_(Object.updated.is_(None), Object.updated <= kept.since))
