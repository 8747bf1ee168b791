"""From an agreement to a project in one step: its members, what was agreed on, and the first commitments.

The law: what both have signed in an agreement needs no second signature. So when the other party is in, each clause
becomes a commitment of the project, and their server signs it for them, if it is that clause to the letter.
"""

from __future__ import annotations

from html import escape

from sqlalchemy import select
from sqlalchemy.orm import Session

from activitypub import commitment as wire
from activitypub import html
from activitypub.document import Document
from activitypub.money import Money, read_currency
from activitypub.proposal import MAX_TITLE
from activitypub.statement import MAX_TEXT
from coop import agreements, commitments, invitations, posts, projects, promises
from coop.accounts import KeyPair
from coop.agreements import Agreement
from coop.errors import Conflict
from coop.events import Grown, Notice, listens
from coop.posts import Draft
from coop.statements import Project
from federation import known
from federation.store import Transaction


def open_project(tx: Transaction, account: str, uri: str, name: str, pair: KeyPair) -> Project:
    """Found a project for what was agreed, and invite the other party.

    Everybody may read what a project says of itself, so the terms are not in there. Raise `NotFound` for an agreement
    to which `account` is no party, `Conflict` if it has a project already, and as `projects.create` does.
    """
    row = agreements.at(tx.db, uri, account)
    if row.project is not None:
        raise Conflict("there is a project for it already: %(project)s", project=row.project)
    project = projects.create(tx, account, name, "", pair)
    row.project = project.uri
    words = f"For what we agreed on: {row.uri} {agreements.words_of(row)}"
    invitations.invite(tx, account, project.uri, row.other(account), text=words[:MAX_TEXT])
    return project


@listens(Grown)
def begin(tx: Transaction, event: Grown) -> None:
    """The other party is in: say what was agreed on, and make a commitment of each clause."""
    for row in tx.db.scalars(select(Agreement).where(Agreement.project == event.project)).all():
        founder = event.room.founder
        other = row.other(founder)
        if not known.is_local(tx.db, founder) or other in event.before or other not in event.room.members:
            continue
        clauses = clauses_of(tx.db, row, event.project, founder)
        terms = "; ".join(html.plain(one.text) for one in clauses)
        posts.publish(tx, founder, Draft(f"We agreed on: {terms}. {row.uri}", "project", project=event.project))
        if known.actor(tx.db, other).aware:
            for said in clauses:
                promises.make(tx, said)


@listens(Notice)
def sign(tx: Transaction, event: Notice) -> None:
    """Sign for one of us what they have signed already, in the agreement that it names."""
    said = commitments.find(tx.db, event.about or "") if event.kind == "commitment" else None
    row = agreements.find(tx.db, said.agreement) if said else None
    if said is None or row is None or said.previous or {said.provider, said.receiver} != {row.proposer, row.responder}:
        return
    expected = clauses_of(tx.db, row, said.project, said.author)
    is_its_project = row.project in (None, said.project)
    if is_its_project and any(_is_same(said, one) for one in expected) and not _is_signed(tx.db, said):
        row.project = said.project
        promises.accept(tx, said.other, said.uri)


def clauses_of(db: Session, row: Agreement, project: str, author: str) -> tuple[wire.Commitment, ...]:
    """What was agreed on as commitments, in words that both parties' servers find alike."""
    said, giver = agreements.terms_of(db, row), row.provider
    offer = known.find(db, row.offer)
    document = offer.said if offer else Document({})
    title = html.single_line(document.text("name"), MAX_TITLE) or "What we agreed on"
    unit = "" if said.stipulates.unit == "one" else f"{said.stipulates.value:f} × {said.stipulates.unit}: "
    clauses = [(giver, row.other(giver), f"{unit}{title}", said.stipulates.due)]
    if said.reciprocal and said.reciprocal.value:
        intent = document.embedded("reciprocal") or Document({})
        currency = read_currency(intent.uri("resourceConformsTo"))
        money = Money(said.reciprocal.value, currency) if currency else f"{said.reciprocal.value:f}"
        clauses.append((row.other(giver), giver, f"{money} for: {title}", said.reciprocal.due))
    return tuple(
        wire.Commitment("", author, project, by, to, f"<p>{escape(text, quote=False)}</p>", due=due, agreement=row.uri)
        for by, to, text, due in clauses
    )


def _is_same(said: commitments.Commitment, clause: wire.Commitment) -> bool:
    is_same = (said.provider, said.receiver, said.due) == (clause.provider, clause.receiver, clause.due)
    return is_same and said.hours is None and html.plain(said.text) == html.plain(clause.text)


def _is_signed(db: Session, said: commitments.Commitment) -> bool:
    """Whether the same clause was signed before: of what was promised once nobody makes two."""
    same = (commitments.Commitment.agreement == said.agreement, commitments.Commitment.provider == said.provider)
    others = select(commitments.Commitment.id).where(*same, commitments.Commitment.accepted.is_not(None))
    return db.scalar(others.limit(1)) is not None
