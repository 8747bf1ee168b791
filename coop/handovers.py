"""Handing to who joins a project what its members had promised each other before (P-254, P-265).

The law: it is handed on as it was signed, and taken for those signatures, whoever brings it. So it may come in any
order, from several members, and is there once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress

import msgspec
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from activitypub import commitment as wire
from activitypub import context
from activitypub.document import Document, Json
from activitypub.errors import Forbidden, Malformed
from activitypub.origin import Activity, own_words
from activitypub.statement import only
from coop import carriers, fulfilment, projects, promises
from coop.commitments import Commitment
from coop.events import Grown, listens
from coop.logbook import as_sent
from coop.membership import WRITERS
from coop.statements import Membership
from federation import known, outbox
from federation.registry import receives, recognises_activity
from federation.store import Transaction

MOST = 200  # commitments that one server hands to one member, the last ones
FITS = outbox.MAX_BODY - 10_000  # octets of what was signed: who passes it on, and their proof, come on top
MAX_SIGNED = 50  # of what was signed in one activity


# --- Out ---------------------------------------------------------------------------------------------------------


@listens(Grown)
def hand_over(tx: Transaction, event: Grown) -> None:
    """Bring what both have signed to whoever is new: as one of those two, or as who brings them the log."""
    ours = known.locals_of(tx.db)
    readers = tx.db.scalars(projects.readers(event.project)).all()
    new = [one for one in readers if one not in ours and one not in event.before]
    if not new or not (rows := tx.db.scalars(_counting(event.project)).all()):
        return
    for member in new:
        guide = carriers.guide_of(tx, event.project, member)
        for row in rows:
            by = next((uri for uri in (row.other, guide) if uri in ours), None)
            if by and projects.may_post(tx.db, event.project, by):
                _send(tx, by, member, row)


def _counting(project: str) -> Select[Commitment]:
    """What counts between those who are in a project, as far as it can be proven to others."""
    writers = select(Membership.member).where(Membership.project == project, Membership.role.in_(WRITERS))
    between = (Commitment.provider.in_(writers), Commitment.receiver.in_(writers))
    is_proven = Commitment.released.is_(None) | Commitment.release.is_not(None)
    query = select(Commitment).where(Commitment.project == project, Commitment.state == "agreed", *between, is_proven)
    return query.order_by(Commitment.id.desc()).limit(MOST)


def _send(tx: Transaction, by: str, member: str, row: Commitment) -> None:
    terms = projects.room_terms(tx.db, row.project, by) | {"@context": context.COMMITMENT, "target": row.project}
    for signed in _packed(_signed(tx.db, row)):
        add = {"id": outbox.new_uri(tx), "type": "Add", "actor": by, "to": [member], "object": signed}
        with suppress(outbox.TooLong):  # what somebody else made so long goes no further
            outbox.publish(tx, add | terms, [member])


def _signed(db: Session, row: Commitment) -> Iterator[Json]:
    """All that was signed of a commitment, each after what it rests on."""
    both = select(Commitment.accepted).where(Commitment.root == row.root, Commitment.accepted.is_not(None))
    for said in (*db.scalars(both.order_by(Commitment.id)), row.claim, row.thanks, row.release):
        if said is not None:
            yield said


def _packed(documents: Iterable[Json]) -> Iterator[list[Json]]:
    """As many together as fit into one activity."""
    pack: list[Json] = []
    room = FITS
    for one in documents:
        size = len(msgspec.json.encode(one))
        if pack and (size > room or len(pack) == MAX_SIGNED):
            yield pack
            pack, room = [], FITS
        pack.append(one)
        room -= size
    if pack:
        yield pack


# --- In ----------------------------------------------------------------------------------------------------------


@recognises_activity("Handover")
def is_handover(activity: Document) -> bool:
    """Only what was said in a project before is added to the project itself (P-209)."""
    place = activity.uri("context")
    return activity.type == "Add" and place is not None and activity.uri("target") == place


@receives("Add", "Handover")
def receive(tx: Transaction, activity: Activity) -> None:
    """What was signed before we came. It waits for the log, which says whose word it is; refused is what is forged."""
    project = activity.require("context")
    projects.check_may_post(tx.db, project, activity.actor, activity)
    if known.locals_of(tx.db).isdisjoint(tx.db.scalars(projects.people(project))):
        raise known.TooEarly(f"that anybody here is in {project} is not known here yet")
    documents = as_sent(tx.db, activity).embeddeds("object")
    if len(documents) > MAX_SIGNED:
        raise Malformed(f"of what was signed, {MAX_SIGNED} are handed on at once")
    for document in documents:
        if document.uri("context") != project:
            raise Forbidden(f"{document.uri('id')} was not signed in {project}")
        _learn(tx, document, project)


def _learn(tx: Transaction, document: Document, project: str) -> None:
    if wire.is_fulfilment(document):
        _check_parties(tx.db, document, project)
        fulfilment.learn(tx, document)
    elif document.type == "Accept" and (said := document.embedded("result")):
        _check_parties(tx.db, said, project)
        promises.learn(tx, own_words(document), document)
    elif document.type == "Update" and (said := document.embedded("object")):
        _check_parties(tx.db, said, project)
        fulfilment.learn_release(tx, own_words(document), document)
    else:
        raise Forbidden("only what was signed of commitments is handed on to who joins a project")


def _check_parties(db: Session, said: Document, project: str) -> None:
    """The log may come after this; who turns out not to be in the project promises nothing here."""
    for one in (only(said, "provider"), only(said, "receiver")):
        if not projects.may_post(db, project, one):
            raise known.TooEarly(f"that {one} may write in {project} is not known here yet")
