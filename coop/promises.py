"""Making commitments: one member proposes, the other signs; or a new version of what they agreed on (P-265, P-267).

The law: the one signs the object, the other an ``Accept`` that embeds it whole. So whoever has the ``Accept`` has both
signatures under the same words, in whatever order things came; and nobody else's name is under them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from activitypub import commitment as wire
from activitypub import context, html, markdown
from activitypub.document import Document, Json, timestamp
from activitypub.errors import Forbidden, Malformed
from activitypub.origin import Activity
from activitypub.proof import hash_of
from coop import commitments, projects, vouchers
from coop.commitments import Commitment
from coop.errors import STANDING, Conflict, NotAllowed, Trouble
from coop.logbook import as_sent
from federation import known, outbox
from federation.registry import receives, recognises
from federation.store import Transaction
from federation.tables import Object

MAX_TEXT = 2_000  # characters of Markdown
MAX_WAITING = 50  # that one author has proposed in a project and nobody has answered
MAX_OF_AUTHOR = 1_000  # in one project, whatever became of them


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to be done. `text` is Markdown."""

    text: str
    due: datetime | None = None
    hours: Decimal | None = None


# --- Out ---------------------------------------------------------------------------------------------------------


def propose(tx: Transaction, account: str, project: str, provider: str, receiver: str, draft: Draft) -> Commitment:
    """Say what `provider` would do for `receiver`, one of whom is `account`; it counts once the other agrees.

    Raise `NotFound`, `NotAllowed`, `Trouble` for what cannot be one.
    """
    said = _drafted(tx, draft)
    whole = wire.Commitment("", account, project, provider, receiver, said.text, None, said.due, said.hours)
    return make(tx, whole)


def change(tx: Transaction, account: str, uri: str, draft: Draft) -> Commitment:
    """Propose a new version of what was agreed, as one of its two; until the other signs it the present one counts.

    What `account` proposed before and nobody answered is withdrawn. Raise as `propose` does, `Conflict` if it is over.
    """
    now = commitments.open_at(tx.db, uri, account)
    for earlier in tx.db.scalars(commitments.versions(now.root, "proposed").where(Commitment.author == account)).all():
        withdraw(tx, account, earlier.uri)
    said, parties = _drafted(tx, draft), (now.project, now.provider, now.receiver)
    whole = wire.Commitment("", account, *parties, said.text, None, said.due, said.hours, now.hash, now.agreement)
    return make(tx, whole)


def make(tx: Transaction, said: wire.Commitment) -> Commitment:
    """Sign a commitment, and tell the members. It gets its id here. Raise as `propose` does."""
    account, other = said.author, said.other
    if account not in (said.provider, said.receiver) or said.provider == said.receiver:
        raise Trouble("a commitment is between you and somebody else")
    projects.check_may_write(tx.db, said.project, account)
    _check_member(tx.db, said.project, other)
    if not known.actor(tx.db, other).aware:
        raise Trouble("their server knows nothing of commitments: agree with them in words")
    said = replace(said, id=outbox.new_uri(tx, "commitments"), published=tx.now)
    try:
        document = outbox.sign(tx, {"@context": context.COMMITMENT, **said.write()})
        row = _add(tx, wire.Commitment.read(Document(document)), document)
    except Malformed as error:
        raise Trouble("that cannot be a commitment: %(why)s", why=error) from error
    send(tx, "Create", f"{said.id}/activity", account, said.project, document)
    return row


def accept(tx: Transaction, account: str, uri: str) -> Commitment:
    """Sign what the other proposed: from then on it counts. Raise `NotFound`, `NotAllowed`, `Conflict`."""
    row = _to_answer(tx.db, uri, account)
    _check_member(tx.db, row.project, row.author)
    document = tx.db.get_one(Object, row.id).document
    sent = send(tx, "Accept", outbox.new_uri(tx), account, row.project, row.uri, result=document)
    _sign(tx, row, sent.json)
    return row


def decline(tx: Transaction, account: str, uri: str, reason: str = "") -> Commitment:
    """Say no to what the other proposed; what was agreed before stays. Raise as `accept` does."""
    row = _to_answer(tx.db, uri, account)
    words = {"content": markdown.from_text(reason[:MAX_TEXT], tx.home)} if reason else {}
    send(tx, "Reject", outbox.new_uri(tx), account, row.project, row.uri, **words)
    _refuse(tx, row, reason)
    return row


def withdraw(tx: Transaction, account: str, uri: str) -> None:
    """Take back what one proposed and the other has not signed. Raise `NotFound`, `NotAllowed`, `Conflict`."""
    row = commitments.at(tx.db, uri, account)
    if row.author != account:
        raise NotAllowed("only the one who proposed it takes it back")
    if row.state != "proposed":
        raise Conflict("it is %(state)s already; whoever it is for may release you", state=STANDING[row.state])
    row.state = "withdrawn"
    send(tx, "Delete", f"{row.uri}#delete", account, row.project, row.uri)


def send(tx: Transaction, kind: str, uri: str, by: str, project: str, object: Json | str, **more: Any) -> Document:
    """Tell all members whose servers know what a room is, and return what was sent (P-265, P-267).

    Raise `NotAllowed` if `by` may not write in the project.
    """
    head = {"id": uri, "type": kind, "actor": by, "to": projects.addressed(tx.db, project, by), "audience": project}
    terms = projects.room_terms(tx.db, project, by) | {"@context": context.COMMITMENT, "published": timestamp(tx.now)}
    sent = outbox.publish(tx, head | terms | {"object": object, **more}, also=projects.readers(project))
    return Document.parse(sent.body)


def _drafted(tx: Transaction, draft: Draft) -> Draft:
    """With HTML for Markdown."""
    if not draft.text.strip() or len(draft.text) > MAX_TEXT:
        raise Trouble("say what is to be done, in at most %(most)s characters", most=MAX_TEXT)
    if draft.due is not None and draft.due <= tx.now:
        raise Trouble("the day by which it is to be done is over already")
    return replace(draft, text=markdown.from_text(draft.text, tx.home))


def _check_member(db: Session, project: str, other: str) -> None:
    if not projects.may_post(db, project, other):
        raise NotAllowed("%(other)s is not, or not any more, a member of this project", other=other)


def _to_answer(db: Session, uri: str, account: str) -> Commitment:
    """What `account` has to answer of a commitment, named by any of its versions."""
    row = commitments.at(db, uri, account)
    asked = (
        commitments.versions(row.root, "proposed").where(Commitment.author != account).order_by(Commitment.id.desc())
    )
    waiting = row if row.state == "proposed" and row.author != account else db.scalar(asked.limit(1))
    if waiting is None:
        raise Conflict("there is nothing to answer: it was answered or taken back, or waits for the other")
    counting = db.scalar(commitments.versions(row.root, "agreed").limit(1))
    if counting and counting.is_over:
        raise Conflict("it is over already")
    return waiting


# --- In ----------------------------------------------------------------------------------------------------------


recognises("Commitment")(wire.is_commitment)


@receives("Create", "Commitment")
def receive(tx: Transaction, activity: Activity) -> None:
    """Somebody proposes one, or a new version. Raise `ProtocolError` unless it is theirs to propose, and proven."""
    document = activity.embedded("object")
    if document is None:
        raise Forbidden("a commitment is proposed by one of its two, in its own words")
    said = wire.Commitment.read(document)
    if commitments.find(tx.db, said.id) is None and _concerns_us(tx, said, activity):
        _take(tx, said, document)


@receives("Accept", "Commitment")
def receive_accept(tx: Transaction, activity: Activity) -> None:
    """The other's signature, under the whole of it: whether we have it already or not. Of two the first counts."""
    learn(tx, activity, as_sent(tx.db, activity))


def learn(tx: Transaction, activity: Activity, whole: Document) -> None:
    """Take an ``Accept``, which is `whole` as it was signed, whoever brought it. Raise as `receive`.

    What was withdrawn while this was on its way counts as well: there are both signatures under it.
    """
    uri = activity.require("object")
    document = activity.hearsay.get(uri)
    if document is None:
        raise Forbidden("whoever signs a commitment embeds it whole, as the result")
    said = wire.Commitment.read(document)
    if activity.actor != said.other:
        raise Forbidden("a commitment is signed by its two parties alone")
    if not _concerns_us(tx, said, activity):
        return
    _check_author(tx.db, said)
    check_signed(tx, whole, said.project)
    row = commitments.find(tx.db, uri) or _take(tx, said, document)
    if row.hash != hash_of(document.json):
        raise Forbidden(f"{uri} says something else here: a commitment does not change")
    if row.accepted is None and row.state != "declined":
        _sign(tx, row, whole.json)


def check_signed(tx: Transaction, whole: Document, project: str) -> None:
    """Raise `ProtocolError` unless its actor has proven it, and it can be handed on to others in the project."""
    vouchers.proven(tx, whole, project)
    if len(msgspec.json.encode(whole.json)) > outbox.MAX_BODY:
        raise Malformed(f"what is signed takes less than {outbox.MAX_BODY:,} octets")


@receives("Reject", "Commitment")
def receive_reject(tx: Transaction, activity: Activity) -> None:
    row = commitments.find(tx.db, activity.require("object"))
    if row is None or row.other != activity.actor:
        raise Forbidden("a commitment is declined by the one who was asked to sign it")
    if row.state == "proposed":
        _refuse(tx, row, html.plain(activity.text("content"))[:MAX_TEXT])


@receives("Delete", "Commitment")
def receive_delete(tx: Transaction, activity: Activity) -> None:
    """It is taken back, unless both have signed it."""
    row = commitments.find(tx.db, activity.require("object"))
    if row is None or row.author != activity.actor:
        raise Forbidden("a commitment is taken back by the one who proposed it")
    if row.state == "proposed":
        row.state = "withdrawn"


def _concerns_us(tx: Transaction, said: wire.Commitment, activity: Activity) -> bool:
    """Whether somebody here is in the project, as who sent it has to be. Raise as `projects.check_may_post` does."""
    projects.check_may_post(tx.db, said.project, activity.actor, activity)
    return not known.locals_of(tx.db).isdisjoint(tx.db.scalars(projects.people(said.project)))


def _check_author(db: Session, said: wire.Commitment) -> None:
    """Whoever was removed meanwhile makes no promises here any more, and is made none."""
    for one in (said.provider, said.receiver):
        if not projects.may_post(db, said.project, one):
            raise Forbidden(f"{one} is not, or not any more, a member of this project")


def _take(tx: Transaction, said: wire.Commitment, document: Document) -> Commitment:
    """Keep what came from elsewhere. Raise `ProtocolError` unless its author has proven it, and not too many such."""
    _check_author(tx.db, said)
    vouchers.proven(tx, document, said.project)
    theirs = (Commitment.project == said.project, Commitment.author == said.author)
    counted = select(func.count()).select_from(Commitment).where(*theirs)
    waiting = tx.db.scalar(counted.where(Commitment.state == "proposed")) or 0
    if waiting >= MAX_WAITING or (tx.db.scalar(counted) or 0) >= MAX_OF_AUTHOR:
        raise Forbidden(f"{said.author} has proposed more commitments in this project than anybody would keep")
    return _add(tx, said, document.json)


# --- Both --------------------------------------------------------------------------------------------------------


def _add(tx: Transaction, said: wire.Commitment, document: Json) -> Commitment:
    """Raise `known.TooEarly` if it would replace what is not here yet, `Forbidden` if that is between others."""
    before = tx.db.scalar(select(Commitment).where(Commitment.hash == said.previous)) if said.previous else None
    if said.previous and before is None:
        raise known.TooEarly(f"{said.id} would replace a version that is not here yet")
    parties = (said.project, said.provider, said.receiver)
    if before and (before.project, before.provider, before.receiver) != parties:
        raise Forbidden("a new version of a commitment is between the same two")
    is_ours = known.is_local(tx.db, said.author)
    kept = known.keep(tx, Document(document), author=said.author, visibility="project", local=is_ours)
    row = Commitment(
        id=kept.id,
        uri=said.id,
        hash=hash_of(document),
        root=before.root if before else said.id,
        previous=said.previous,
        project=said.project,
        author=said.author,
        provider=said.provider,
        receiver=said.receiver,
        text=said.text,
        due=said.due,
        hours=said.hours,
        agreement=said.agreement,
        made=kept.published,
    )
    tx.db.add(row)
    tx.db.flush()
    commitments.tell_party(tx, "commitment", said.other, said.author, row)
    return row


def _sign(tx: Transaction, row: Commitment, accept: Json) -> None:
    row.accepted = accept
    commitments.settle(tx, row.root)
    commitments.tell_party(tx, "commitment accepted", row.author, row.other, row)


def _refuse(tx: Transaction, row: Commitment, reason: str) -> None:
    row.state, row.reason = "declined", reason
    tx.db.flush()
    commitments.tell_party(tx, "commitment declined", row.author, row.other, row)
