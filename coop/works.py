"""What two have done together, as far as one of them knows: what an endorsement can be about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from activitypub import html
from coop.agreements import Agreement
from coop.commitments import Commitment
from coop.offers import Offer
from coop.statements import Membership, Project

EACH = 20  # of each kind, the latest first


@dataclass(frozen=True, slots=True)
class Work:
    """`uri` is what an endorsement names; `done` is when it was, of what can be done at all."""

    uri: str
    words: str  # plain text
    done: datetime | None = None


def done_together(db: Session, one: str, other: str) -> list[Work]:
    """Promises between the two that were kept, what they agreed and is done, and the projects that both are in."""
    return [*_promises(db, one, other), *_agreements(db, one, other), *_projects(db, one, other)]


def _promises(db: Session, one: str, other: str) -> list[Work]:
    between = (Commitment.provider.in_((one, other)), Commitment.receiver.in_((one, other)))
    kept = select(Commitment).where(*between, Commitment.state == "agreed", Commitment.kept.is_not(None))
    rows = db.scalars(kept.order_by(Commitment.kept.desc(), Commitment.id.desc()).limit(EACH))
    return [Work(row.uri, html.plain(row.text), row.kept) for row in rows]


def _agreements(db: Session, one: str, other: str) -> list[Work]:
    between = (Agreement.proposer.in_((one, other)), Agreement.responder.in_((one, other)))
    done = select(Agreement, Offer.title).outerjoin(Offer, Offer.uri == Agreement.offer)
    rows = db.execute(done.where(*between, Agreement.done.is_not(None)).order_by(Agreement.id.desc()).limit(EACH))
    return [Work(row.uri, title or row.uri, row.done) for row, title in rows]


def _projects(db: Session, one: str, other: str) -> list[Work]:
    mine, theirs = aliased(Membership), aliased(Membership)
    both = select(Project).join(mine, mine.project == Project.uri).join(theirs, theirs.project == Project.uri)
    rows = db.scalars(both.where(mine.member == one, theirs.member == other).order_by(Project.id.desc()).limit(EACH))
    return [Work(row.uri, row.name) for row in rows]
