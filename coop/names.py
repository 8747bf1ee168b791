"""People and projects by what they are called, among those that are known here. Nobody is asked.

The law: nobody is shown across a block, and of projects only one's own and those that show themselves to everybody.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from coop import blocks
from coop.cards import PEOPLE
from coop.statements import Membership, Project
from federation.tables import Actor

MAX_NAME = 200  # characters that are looked for


def people(account: str, words: str, before: int | None = None) -> Select[Actor]:
    """Whoever has `words` in their name, handle or address, whom we met last first; of those met before `before`."""
    words = words.strip().removeprefix("@")
    called = or_(*(_has(column, words) for column in (Actor.name, Actor.handle, Actor.address)))
    query = select(Actor).where(called, Actor.type.in_(PEOPLE), Actor.gone.is_(None), Actor.uri != account)
    query = query.where(~blocks.shuts_out(account))
    return (query if before is None else query.where(Actor.id < before)).order_by(Actor.id.desc())


def projects(account: str, words: str, before: int | None = None) -> Select[Project]:
    """The projects with `words` in their name that `account` may know of, the latest first."""
    mine = Project.uri.in_(select(Membership.project).where(Membership.member == account))
    query = select(Project).where(_has(Project.name, words.strip()), or_(mine, Project.public))
    return (query if before is None else query.where(Project.id < before)).order_by(Project.id.desc())


def _has(column: InstrumentedAttribute[str] | InstrumentedAttribute[str | None], words: str) -> ColumnElement[bool]:
    """In whatever case: SQLite knows it of ASCII alone, so the usual ones are tried."""
    words = words[:MAX_NAME]
    return or_(*(column.icontains(one, autoescape=True) for one in sorted({words, words.lower(), words.title()})))
