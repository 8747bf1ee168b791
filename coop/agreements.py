"""Agreements: what two who talked about an offer have both signed, kept with both signatures until it is done.

The law: an agreement is the one's ``Offer`` of it and the other's ``Accept``, each with its author's proof (FEP-0837,
P-226). Both parties keep the same two documents, so either can show at any time that not a word of them was changed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import JSON, ColumnElement, Index, Select, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from activitypub import agreement as wire
from activitypub import context, html, markdown
from activitypub.document import Document, Json, timestamp
from activitypub.errors import Forbidden, Malformed, ProtocolError
from activitypub.origin import Activity
from activitypub.sentence import Sentence
from coop import offers, responses
from coop.errors import Conflict, NotAllowed, NotFound, Trouble
from coop.events import Notice, Shown, listens, tell
from coop.offers import Offer
from coop.responses import Response
from federation import known, outbox
from federation.registry import receives
from federation.store import Transaction
from federation.tables import Object, Row

Stage = Literal["open", "in talks", "filled", "done", "withdrawn", "expired"]
Word = Literal["signed by both", "unproven", "altered"]

MAX_TEXT = 5_000  # characters of Markdown
CONFIRMATION = "Confirmation"  # the name by which the document is known that says it is done (P-229)


class Agreement(Row):
    """What was agreed about an offer; at least one of the two lives here."""

    __tablename__ = "agreements"
    __table_args__ = (Index(None, "proposer", "id"), Index(None, "responder", "id"), Index(None, "offer"))

    id: Mapped[int] = mapped_column(primary_key=True)  # of its object
    uri: Mapped[str] = mapped_column(unique=True)
    offer: Mapped[str]
    proposer: Mapped[str]  # who made the offer
    responder: Mapped[str]  # who answered it; either of them may have said the last word
    provider: Mapped[str]  # which of the two does the work
    offered: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))  # none if it carried no proof
    accepted: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    accepted_by: Mapped[str]
    since: Mapped[datetime]
    done: Mapped[datetime | None] = mapped_column(default=None)  # when the proposer confirmed that it is
    project: Mapped[str | None] = mapped_column(default=None)  # in which it is worked on

    def other(self, party: str) -> str:
        return self.responder if party == self.proposer else self.proposer


@dataclass(frozen=True, slots=True)
class Verdict:
    """What may be said of the signatures under an agreement, and why."""

    word: Word
    reason: str


# --- Out ---------------------------------------------------------------------------------------------------------


def accept(tx: Transaction, account: str, uri: str) -> Response:
    """Agree to a response or a counter-offer; a reply is answered by a direct post (P-226, P-228).

    Raise as `responses.decline` does.
    """
    row = responses.to_answer(tx.db, account, uri)
    if row.via == "reply":
        responses.say(tx, row, f"Your answer to my offer {row.offer} is accepted. Let us talk about what comes next.")
        responses.settle(tx, row, "accepted")
        return row
    agreed = outbox.new_uri(tx, "agreements")
    result = {**replace(row.proposed, author=account, id=agreed, text="").write(), "to": [row.by]}
    sent = responses.answer(tx, "Accept", row.to, row.by, uri, result=result)
    _keep(tx, row, Document(result), sent.json)
    responses.settle(tx, row, "accepted", agreed)
    return row


def confirm(tx: Transaction, account: str, uri: str, text: str = "") -> Object:
    """Say that all that was agreed on is done, as the one who made the offer (P-229). `text` is Markdown.

    Raise `NotFound`, `NotAllowed`, `Conflict` if it is said already, `Trouble`.
    """
    row = at(tx.db, uri, account)
    if row.proposer != account:
        raise NotAllowed("whoever made the offer says when it is done")
    if row.done is not None:
        raise Conflict("you have said that it is done already")
    if len(text) > MAX_TEXT:
        raise Trouble("say it in at most %(most)s characters", most=MAX_TEXT)
    made = outbox.new_uri(tx, "confirmations")
    said: Json = {
        "id": made,
        "type": "Document",
        "attributedTo": account,
        "name": CONFIRMATION,
        "content": markdown.from_text(text or "What we agreed on is done.", tx.home),
        "context": row.uri,
        "to": [row.responder],
        "published": timestamp(tx.now),
    }
    kept = known.keep(tx, Document(said), author=account, visibility="direct", local=True)
    head = {"id": f"{made}/activity", "type": "Create", "actor": account, "to": said["to"], "object": said}
    outbox.publish(tx, {"@context": context.ACTIVITY, **head, "published": said["published"]}, [row.responder])
    tell(tx, Shown(kept))
    return kept


# --- In ----------------------------------------------------------------------------------------------------------


@receives("Accept", "Offer")
def receive(tx: Transaction, activity: Activity) -> None:
    """Raise `ProtocolError` if what comes back as agreed is not what was proposed, or not proven as it says."""
    row = responses.answered_by(tx.db, activity)
    if row is None:
        return
    result = activity.embedded("result")
    if result is None:
        responses.settle(tx, row, "accepted")
        return
    if result.require("attributedTo") != activity.actor or known.find(tx.db, result.id):
        raise Forbidden("an agreement is new, and its author's who accepts it")
    if not wire.are_same(wire.Agreement.read(result), row.proposed):
        raise Forbidden("the agreement is not what was proposed")
    accepted = responses.proven(tx, activity)
    if accepted and row.signed:
        wire.check_signed(Document(row.signed), Document(accepted))
    _keep(tx, row, result, accepted)
    responses.settle(tx, row, "accepted", result.id)


@listens(Shown)
def finish(tx: Transaction, event: Shown) -> None:
    """A confirmation is a document like others, about an agreement, and by none but the one who made the offer."""
    said = event.object
    row = find(tx.db, said.conversation) if said.type == "Document" and event.boosted_by is None else None
    if row is None or said.author != row.proposer or row.done is not None:
        return
    row.done = tx.now
    tx.db.flush()
    if known.is_local(tx.db, row.responder):
        tell(tx, Notice("agreement done", row.responder, row.proposer, row.uri))


def _keep(tx: Transaction, row: Response, result: Document, accepted: Json | None) -> None:
    is_ours = known.is_local(tx.db, row.to)
    kept = known.keep(tx, result, author=row.to, visibility="direct", local=is_ours)
    offer = offers.find(tx.db, row.offer)
    is_counter = offer is not None and offer.author == row.by
    proposer, responder = (row.by, row.to) if is_counter else (row.to, row.by)
    provider = proposer if offer is not None and offer.purpose == "offer" else responder
    signed = {"offered": row.signed, "accepted": accepted}
    parties = {
        "offer": row.offer,
        "proposer": proposer,
        "responder": responder,
        "accepted_by": row.to,
        "provider": provider,
    }
    tx.db.add(Agreement(id=kept.id, uri=kept.uri, since=tx.now, **parties, **signed))  # type: ignore[arg-type]
    tx.db.flush()


# --- Checking ----------------------------------------------------------------------------------------------------


def verdict(db: Session, row: Agreement, now: datetime) -> Verdict:
    """Whether both signatures hold, and what is kept as agreed is what they are under."""
    if row.offered is None or row.accepted is None:
        lacking = row.other(row.accepted_by) if row.offered is None else row.accepted_by
        return Verdict("unproven", Sentence("%(name)s sent it without a proof that could be kept", name=lacking))
    judged = judge(db, Document(row.offered), Document(row.accepted), now)
    stored = known.find(db, row.uri)
    if judged.word == "signed by both" and (stored is None or not _says(stored, row.accepted["result"])):
        return Verdict("altered", Sentence("what is kept as agreed is not what was signed"))
    return judged


def judge(db: Session, offered: Document, accepted: Document, now: datetime) -> Verdict:
    """The same of two documents, wherever they come from, by the keys that we know."""
    try:
        for document in (offered, accepted):
            known.check_proof(db, document, now)
        wire.check_signed(offered, accepted)
    except ProtocolError as error:
        return Verdict("altered", str(error))
    one, other = offered.require("actor"), accepted.require("actor")
    return Verdict(
        "signed by both", Sentence("%(one)s and %(other)s have signed this very agreement", one=one, other=other)
    )


def examine(tx: Transaction, offered: Document, accepted: Document) -> Verdict:
    """The same of two documents of anybody's. Raise `known.Missing` for whose keys have to be fetched first."""
    for document in (offered, accepted):
        known.actor(tx.db, document.require("actor"))
    return judge(tx.db, offered, accepted, tx.now)


def bundle(row: Agreement) -> Json:
    """All that somebody else needs to check it. Raise `Trouble` if one of the two never signed."""
    if row.offered is None or row.accepted is None:
        raise Trouble("one of the two sent it without a proof, so there is nothing that could be checked elsewhere")
    return {"offered": row.offered, "accepted": row.accepted}


def read_bundle(body: bytes) -> tuple[Document, Document]:
    """The two documents of `bundle`. Raise `Trouble` if `body` is no such file."""
    try:
        found = Document.parse(body)
    except Malformed as error:
        raise Trouble("that is no agreement: %(why)s", why=error) from error
    offered, accepted = found.embedded("offered"), found.embedded("accepted")
    if offered is None or accepted is None:
        raise Trouble("that is no agreement: it has no offered and accepted; make one with boxroom agreement save")
    return offered, accepted


def _says(stored: Object, result: Json) -> bool:
    try:
        return wire.Agreement.read(Document(stored.document)) == wire.Agreement.read(Document(result))
    except ProtocolError:
        return False


# --- Queries -----------------------------------------------------------------------------------------------------


def find(db: Session, uri: str | None) -> Agreement | None:
    return db.scalar(select(Agreement).where(Agreement.uri == uri)) if uri else None


def at(db: Session, uri: str, party: str) -> Agreement:
    """Raise `NotFound` if there is no such agreement, or `party` is none to it."""
    row = find(db, uri)
    if row is None or party not in (row.proposer, row.responder):
        raise NotFound("there is no agreement %(uri)s of yours here", uri=uri)
    return row


def of(account: str) -> Select[Agreement]:
    """All agreements that somebody is a party to, newest first."""
    return select(Agreement).where(_is_party(account)).order_by(Agreement.id.desc())


def terms_of(db: Session, row: Agreement) -> wire.Agreement:
    """What was agreed, as it is kept."""
    return wire.Agreement.read(Document(db.get_one(Object, row.id).document))


def words_of(row: Agreement) -> str:
    """What was said with it, as plain text."""
    proposed = Document(row.offered or {}).embedded("object")
    return html.plain(proposed.text("content")) if proposed else ""


def stage(db: Session, offer: Offer, account: str, now: datetime) -> Stage:
    """How far an offer has got, as far as `account` has to do with that; for others it is open or over."""
    status = offer.status(now)
    if status == "open" and responses.in_talks(db, offer.uri, account):
        return "in talks"
    finished = (Agreement.offer == offer.uri, Agreement.done.is_not(None), _is_party(account))
    if status == "filled" and db.scalar(select(Agreement.id).where(*finished).limit(1)):
        return "done"
    return status


def _is_party(account: str) -> ColumnElement[bool]:
    return or_(Agreement.proposer == account, Agreement.responder == account)
