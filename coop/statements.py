"""The logs of projects as they are stored, and what follows from them where queries find it (P-251 to P-254).

The law: the rows of `Membership` are no authority but a copy of what `membership.derive` says of a log, made in the
transaction that changed it (`coop.logbook`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Index, Select, UniqueConstraint, event, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column, object_session

from activitypub.document import Document
from activitypub.origin import origin
from activitypub.statement import Role, Statement
from coop import membership
from coop.errors import NotFound
from coop.history import History
from coop.membership import Room
from federation import ids
from federation.registry import expands
from federation.tables import Row


class Project(Row):
    """A project whose genesis we have: founded here, or one that somebody here is or was invited to."""

    __tablename__ = "projects"

    id: Mapped[int] = mapped_column(primary_key=True)
    uri: Mapped[str] = mapped_column(unique=True)
    fingerprint: Mapped[str]
    founder: Mapped[str]
    members: Mapped[str] = mapped_column(index=True)  # the address of its collection of members
    log: Mapped[str]
    since: Mapped[datetime]
    needed: Mapped[datetime]  # when last somebody here was seen to be in it or invited to it (P-327)
    name: Mapped[str] = mapped_column(default="")
    summary: Mapped[str] = mapped_column(default="")  # clean HTML
    public: Mapped[bool] = mapped_column(default=False)  # whether visitors are shown who is in it
    moved_to: Mapped[str | None] = mapped_column(default=None)  # the actor that is its public face now (P-259)

    @property
    def face(self) -> str:
        """The actor that can be followed, and boosts what is published for the project."""
        return self.moved_to or self.uri


class Entry(Row):
    """A statement as its author sent it. One that is `held` comes after others that we lack, and says nothing yet."""

    __tablename__ = "statements"
    __table_args__ = (Index(None, "project", "held", "id", "hash"), Index(None, "subject", "kind"))

    id: Mapped[int] = mapped_column(primary_key=True)
    hash: Mapped[str] = mapped_column(unique=True)
    uri: Mapped[str] = mapped_column(index=True)
    project: Mapped[str]
    kind: Mapped[str]
    author: Mapped[str]
    subject: Mapped[str | None]
    received: Mapped[datetime]
    held: Mapped[bool]
    document: Mapped[dict[str, Any]]


class Membership(Row):
    """Somebody who is in a project now; `capability` is the id of the statement that gave the role (P-257)."""

    __tablename__ = "memberships"
    __table_args__ = (UniqueConstraint("project", "member"), Index(None, "member"))

    id: Mapped[int] = mapped_column(primary_key=True)
    project: Mapped[str]
    member: Mapped[str]
    role: Mapped[Role]
    capability: Mapped[str]


@dataclass(frozen=True, slots=True)
class Marks:
    """How many entries there are, which is the last, and the sum of their numbers, modulo a prime."""

    count: int
    last: int
    sum: int


@dataclass(frozen=True, slots=True)
class Log:
    """What is said in a project where its entries have these marks."""

    marks: Marks
    said: dict[str, Statement]


@dataclass(slots=True)
class _Memory:
    """What a session has looked up: in one transaction the same is asked for again and again."""

    said: dict[tuple[str, int | None], Mapping[str, Statement]] = field(default_factory=dict)
    rooms: dict[tuple[str, int | None], Room] = field(default_factory=dict)


AT_ONCE = 500  # statements that are read by one query
MAX_ROOMS = 64
_ROW = (1 << 31) - 1  # modulo which numbers are summed, so that no sum overflows
_NOTHING = Log(Marks(0, 0, 0), {})

# What follows from the same statements is the same for every session, thread and instance; so it is remembered by what
# they are, and neither a rollback nor another process can make it wrong.
_read: dict[str, Statement] = {}  # by hash
_rooms: dict[bytes, Room] = {}  # by a hash of the hashes of all statements
_said: dict[tuple[str, int | None, int], Log] = {}  # what was last read of each, by project and database
_histories: dict[str, History] = {}  # the latest of each project, by its fingerprint; together as long as one may be


def find(db: Session, uri: str | None) -> Project | None:
    return db.scalar(select(Project).where(Project.uri == uri)) if uri else None


def at(db: Session, uri: str) -> Project:
    """Raise `NotFound` if we do not know that project."""
    if found := find(db, uri):
        return found
    raise NotFound("there is no project %(uri)s here", uri=uri)


def find_entry(db: Session, hash_: str) -> Entry | None:
    return db.scalar(select(Entry).where(Entry.hash == hash_))


def log(project: str) -> Select[Entry]:
    """The statements of a project that count for anything, in the order in which they came."""
    return select(Entry).where(Entry.project == project, ~Entry.held).order_by(Entry.id)


def said_in(db: Session, project: Project, *, before: int | None = None) -> dict[str, Statement]:
    """All that is said in a project, by hash, in the order in which it came; only `before` a row id if one is given."""
    memory = _memory(db).said
    if (found := memory.get((project.uri, before))) is None:
        found = memory[project.uri, before] = _said_in(db, project, before)
    return dict(found)


def _said_in(db: Session, project: Project, before: int | None) -> Mapping[str, Statement]:
    entries = log(project.uri) if before is None else log(project.uri).where(Entry.id < before)
    key = (project.uri, before, id(db.get_bind()))
    known = _said.pop(key, _NOTHING)
    marks = _marks(db, entries)
    if known.marks != marks:
        said = known.said | _find_said(db, entries.where(Entry.id > known.marks.last))
        grown = Marks(len(said), marks.last, known.marks.sum + _marks(db, entries, known.marks.last).sum)
        known = Log(marks, said if grown == marks else _find_said(db, entries))
    _said[key] = known
    while sum(len(one.said) for one in _said.values()) > membership.MAX_STATEMENTS:
        del _said[next(iter(_said))]  # as of histories
    return known.said


def _marks(db: Session, entries: Select[Entry], after: int = 0) -> Marks:
    """By which it is known, in a millisecond, whether there are other rows than before."""
    marks = (func.count(), func.coalesce(func.max(Entry.id), 0), func.coalesce(func.sum(Entry.id % _ROW), 0))
    rows = entries.with_only_columns(*marks).order_by(None).where(Entry.id > after)
    return Marks(*(int(one) for one in db.execute(rows).one()))


def _find_said(db: Session, entries: Select[Entry]) -> dict[str, Statement]:
    hashes = db.scalars(entries.with_only_columns(Entry.hash)).all()
    said = {one: _read.get(one) for one in hashes}
    unread = [one for one, statement in said.items() if statement is None]
    for start in range(0, len(unread), AT_ONCE):
        rows = db.scalars(select(Entry).where(Entry.hash.in_(unread[start : start + AT_ONCE])))
        said |= {row.hash: read(row) for row in rows}
    return {one: statement for one, statement in said.items() if statement is not None}


def read(row: Entry) -> Statement:
    """What an entry says. Whatever has the same hash says the same, so it is read and hashed once."""
    if (found := _read.get(row.hash)) is None:
        if len(_read) >= membership.MAX_STATEMENTS:
            _read.clear()
        found = _read[row.hash] = Statement.read(Document(row.document))
    return found


def room_of(db: Session, project: Project, *, before: int | None = None) -> Room:
    """What follows from the log: the authority on who is in a project, and as what; or was, `before` a row id."""
    memory = _memory(db).rooms
    if (found := memory.get((project.uri, before))) is None:
        said = said_in(db, project, before=before)
        found = memory[project.uri, before] = derived(said, project.fingerprint)
    return found


def has_grown(db: Session, project: Project, said: Mapping[str, Statement], room: Room) -> None:
    """That is what is said in a project from now on, and what follows from it: nobody need look."""
    _memory(db).said[project.uri, None] = dict(said)
    _memory(db).rooms[project.uri, None] = room


def _memory(db: Session) -> _Memory:
    memory: _Memory | None = db.info.get("logs")
    if memory is None:
        memory = db.info["logs"] = _Memory()
    return memory


@event.listens_for(Entry, "after_insert")
@event.listens_for(Entry, "after_update")
@event.listens_for(Entry, "after_delete")
def _look_again(_: object, __: object, row: Entry) -> None:
    if (session := object_session(row)) and not row.held:
        forget(session)


def forget(db: Session) -> None:
    """Statements were deleted past the session."""
    db.info.pop("logs", None)


def derived(said: Mapping[str, Statement], fingerprint: str) -> Room:
    """The same of any statements: of the same it is always the same, whoever asks, so it is derived once."""
    key = hashlib.sha256("".join((fingerprint, *said)).encode()).digest()
    if (found := _rooms.get(key)) is None:
        with lent_history(said, fingerprint) as history:
            found = membership.room(history, said, fingerprint)
        if len(_rooms) >= MAX_ROOMS:
            _rooms.clear()
        _rooms[key] = found
    return found


@contextmanager
def lent_history(said: Mapping[str, Statement], fingerprint: str) -> Iterator[History]:
    """The history of some statements, for nobody else while it is in use: the next who asks continues it.

    What somebody might not say is in no log, so it is in no history either: else one refusal would cost the whole log.
    """
    history = membership.history(said, fingerprint, _histories.pop(fingerprint, None))
    yield history
    history.drop_refused()
    _histories[fingerprint] = history
    while sum(len(one.statements) for one in _histories.values()) > membership.MAX_STATEMENTS:
        del _histories[next(iter(_histories))]  # the one that nobody has asked for the longest


def replica_of(home: str, project: Project) -> str:
    """Where our copy of a project's log is to be had: the log itself, of a project that was founded here (P-254)."""
    is_ours = origin(project.uri) == origin(home)
    return project.log if is_ours else f"{home}/projects/{ids.slug(project.id)}/log"


@expands
def expand(db: Session, uris: Collection[str]) -> Select[str] | None:
    """The members collection of a project stands for its members (P-035)."""
    projects = db.scalars(select(Project.uri).where(Project.members.in_(uris))).all()
    return select(Membership.member).where(Membership.project.in_(projects)) if projects else None


def past(statement: Statement, said: Mapping[str, Statement]) -> set[str]:
    """The hashes of all that `statement` comes after, directly or not."""
    found: set[str] = set()
    level = set(statement.after)
    while level:
        found |= level
        level = {before for one in level for before in said[one].after} - found
    return found
