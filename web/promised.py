"""Promises as one of the two sees them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from sqlalchemy import select
from sqlalchemy.orm import Session

from coop.commitments import Commitment, Standing
from coop.statements import Project
from web import shown
from web.shown import Person


@dataclass(frozen=True, slots=True)
class Promised:
    """One version of a promise."""

    row: Commitment
    standing: Standing
    is_mine: bool  # to keep
    waits: bool  # for the reader's answer
    other: Person
    project: str  # its name

    @property
    def reading(self) -> str:
        return where(self.row.root)


def where(uri: str) -> str:
    """Where a promise is shown to the two."""
    return f"/promise?is={quote(uri, safe='')}"


def promised(db: Session, rows: Sequence[Commitment], reader: str, home: str, now: datetime) -> list[Promised]:
    """`rows` in their order; each has `reader` on one side."""
    others = {row.id: row.receiver if row.provider == reader else row.provider for row in rows}
    people = shown.people(db, others.values(), home)
    names = select(Project.uri, Project.name).where(Project.uri.in_({row.project for row in rows}))
    projects = dict(db.execute(names).all())
    return [
        Promised(
            row,
            row.standing(now),
            row.provider == reader,
            row.state == "proposed" and row.author != reader,
            people[others[row.id]],
            projects.get(row.project, ""),
        )
        for row in rows
    ]
