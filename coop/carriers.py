"""Bringing statements to members of whom their authors could not know (P-254).

The law: an author tells everybody whom they know to be in the project. Who was let in without their knowing hears it
from a carrier: from the author, who may hear of them later; and from whoever invited them, or where nobody of that name
is in the project any more, from all others. So what one member has reaches every other, in whatever order it came.
Who asks to join knows nobody but the project's face and who set that up: from that server all members learn of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping

from sqlalchemy import select

from activitypub import audience
from activitypub.document import Document
from activitypub.statement import Statement
from coop import logbook, projects, statements
from coop.events import Grown, listens
from coop.statements import Entry
from federation import known
from federation.store import Transaction


@listens(Grown)
def carry(tx: Transaction, event: Grown) -> None:
    """Pass on what is new to those who were not told, and to whoever is new what went past them."""
    ours = known.locals_of(tx.db)
    people = set(tx.db.scalars(projects.people(event.project)))
    told = {one.hash: _told(tx, one) for one in event.statements}
    untold = {member: {one for one in told if member not in told[one]} for member in people - ours}
    if all(member in event.before and not untold[member] for member in untold):
        return
    place = statements.at(tx.db, event.project)
    said = statements.said_in(tx.db, place)
    for member in sorted(untold):
        accepts = _accepts(said.values(), member)
        guide = _guide(accepts, said.values(), people, ours)
        is_new = member not in event.before and bool(accepts)
        lacking = said.keys() - _known_to(accepts, said) if is_new else untold[member]
        brought: dict[str, set[str]] = defaultdict(set)
        for one in (said[name] for name in lacking):
            asks = one.kind == "join" and not is_new
            carriers = (one.author, None if asks else guide, *((place.uri, place.face) if one.kind == "join" else ()))
            if by := next((uri for uri in carriers if uri in ours), None):
                brought[by].add(one.hash)
        for by, hashes in brought.items():
            logbook.pass_on(tx, place, by, member, hashes)


def guide_of(tx: Transaction, project: str, member: str) -> str | None:
    """The one of us who brings a member what others say; None if somebody elsewhere does."""
    said = statements.said_in(tx.db, statements.at(tx.db, project)).values()
    people = set(tx.db.scalars(projects.people(project)))
    return _guide(_accepts(said, member), said, people, known.locals_of(tx.db))


def _told(tx: Transaction, statement: Statement) -> set[str]:
    """Who has it from its author."""
    document = tx.db.scalars(select(Entry.document).where(Entry.hash == statement.hash)).one()
    return {statement.author, *audience.recipients(Document(document))}


def _known_to(accepts: Collection[Statement], said: Mapping[str, Statement]) -> set[str]:
    """What a member had when they accepted, and the acceptance itself."""
    return set().union(*(statements.past(one, said) | {one.hash} for one in accepts))


def _accepts(said: Collection[Statement], member: str) -> list[Statement]:
    """By which a member came in."""
    return [one for one in said if one.kind == "accept" and one.author == member]


def _guide(
    accepts: Collection[Statement], said: Collection[Statement], present: Collection[str], ours: Collection[str]
) -> str | None:
    accepted = {one.about for one in accepts}
    inviters = [one.author for one in said if one.kind == "invite" and one.id in accepted]
    here = [uri for uri in inviters if uri in ours]
    if here or any(uri in present for uri in inviters):
        return here[-1] if here else None
    return min((uri for uri in present if uri in ours), default=None)
