"""How much anybody may add to the logs that we keep (P-333).

The law: a limit is ours alone, and others may have taken what we refused. So whatever a statement by another member
comes after is taken regardless; else one who says too much would tear the log apart for everybody.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from activitypub import origin
from activitypub.errors import Forbidden
from activitypub.statement import Statement
from coop import statements
from coop.statements import Entry, Membership, Project
from federation import known
from federation.store import Transaction

DAY = timedelta(days=1)
MAX_A_DAY = 500  # by one member
MAX_OF_OUTSIDERS = 20  # by one who is not in the project, or not any more
MAX_JOINS = 20  # that are open in a project
MAX_JOINS_OF_HOST = 5
MAX_HELD = 100  # of one host


def check(tx: Transaction, statement: Statement) -> None:
    """Raise `Forbidden` if whoever made it has said enough for today, or has asked to be let in together with others.

    On its first day here a project may be handed over whole.
    """
    project = statements.find(tx.db, statement.project)
    if project is None or known.is_local(tx.db, statement.author) or _is_needed(tx.db, statement):
        return
    if tx.now > project.since + DAY:
        _check_number(tx, statement)
    if statement.kind == "join":
        _check_joins(tx.db, project, statement)


def check_held(db: Session, host: str) -> None:
    """What comes after nothing that we know costs its author nothing, so nobody may leave us much of it."""
    authors = db.scalars(select(Entry.author).where(Entry.held))
    if sum(origin.host(one) == host for one in authors) > MAX_HELD:
        raise Forbidden(f"{MAX_HELD} statements from {host} wait already for others that we do not have")


def _is_needed(db: Session, statement: Statement) -> bool:
    """Whether a member who is not its author has said something after it, and that waits for it."""
    insiders = set(db.scalars(select(Membership.member).where(Membership.project == statement.project)))
    held = db.scalars(select(Entry).where(Entry.project == statement.project, Entry.held)).all()
    waiting = {row.hash: row.document["after"] for row in held}
    asked = [row.hash for row in held if row.author in insiders - {statement.author}]
    seen: set[str] = set()
    while asked:
        seen.add(one := asked.pop())
        asked += [before for before in waiting.get(one, ()) if before not in seen]
    return statement.hash in seen


def _check_number(tx: Transaction, statement: Statement) -> None:
    said = (Entry.project == statement.project, Entry.author == statement.author, Entry.received > tx.now - DAY)
    mine = (Membership.project == statement.project, Membership.member == statement.author)
    most = MAX_A_DAY if tx.db.scalar(select(Membership.id).where(*mine)) else MAX_OF_OUTSIDERS
    if (tx.db.scalar(select(func.count()).select_from(Entry).where(*said)) or 0) >= most:
        raise Forbidden(f"{statement.author} has said {most} things about {statement.project} within a day: wait a day")


def _check_joins(db: Session, project: Project, join: Statement) -> None:
    requests = statements.room_of(db, project).requests.values()
    beside = [one for one in requests if origin.host(one.author) == origin.host(join.author)]
    if any(one.author == join.author for one in requests):
        raise Forbidden(f"{join.author} has asked to join {project.uri} already, and waits for an answer")
    if len(requests) >= MAX_JOINS or len(beside) >= MAX_JOINS_OF_HOST:
        raise Forbidden(f"too many wait for an answer already who asked to join {project.uri}: try again later")
