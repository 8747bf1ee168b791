"""Answers to offers, and counter-offers to those: FEP-0837's ``Offer`` of an ``Agreement``, or a reply from elsewhere.

The law: of what two have said to each other about an offer, at most one response is open, the last; only the one whom
it is for answers it, and once. A counter-offer is such an answer, and a response itself. `agreements` is what becomes
of one that is accepted, `interest` what others say who know nothing of all this.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from html import escape
from typing import Any, Literal

from sqlalchemy import JSON, ColumnElement, Index, Select, and_, delete, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from activitypub import context, html, markdown
from activitypub.agreement import Agreement
from activitypub.document import Document, Json, timestamp
from activitypub.errors import Forbidden, Malformed, ProtocolError
from activitypub.origin import Activity
from coop import blocks, follows, offers, posts, terms
from coop.errors import STANDING, Conflict, NotAllowed, NotFound, Trouble
from coop.events import Kind, Notice, tell
from coop.offers import Offer
from coop.terms import AS_OFFERED, Wish
from federation import ids, known, outbox
from federation.registry import receives, recognises
from federation.store import Transaction
from federation.tables import Activity as Sent
from federation.tables import Object, Receipt, Row

Way = Literal["agreement", "reply"]
State = Literal["open", "accepted", "declined", "withdrawn", "countered"]

MAX_TEXT = 5_000  # characters of Markdown
MAX_SIGNED = 24_000  # octets of an activity of others, which is kept whole for its proof


class Response(Row):
    """Somebody's answer to an offer, or to such an answer; the one or the other of the two lives here, or both."""

    __tablename__ = "responses"
    __table_args__ = (Index(None, "offer", "id"), Index(None, "by", "id"), Index(None, "to", "id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    uri: Mapped[str] = mapped_column(unique=True)  # of the ``Offer`` activity, or of the reply
    offer: Mapped[str]
    by: Mapped[str]
    to: Mapped[str]  # who answers it: the offer's author, or of a counter-offer whoever answered the offer
    text: Mapped[str]  # clean HTML
    via: Mapped[Way]
    made: Mapped[datetime]
    terms: Mapped[dict[str, Any] | None] = mapped_column(default=None)  # the agreement that was proposed, in our words
    state: Mapped[State] = mapped_column(default="open")
    reason: Mapped[str] = mapped_column(default="")  # in the author's words, as plain text
    agreement: Mapped[str | None] = mapped_column(default=None)  # the URI of what was agreed
    answers: Mapped[str | None] = mapped_column(default=None)  # the response that it is a counter-offer to
    signed: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), default=None)  # the ``Offer`` itself

    @property
    def proposed(self) -> Agreement:
        return Agreement.read(Document(self.terms or {}))


# --- Out ---------------------------------------------------------------------------------------------------------


def respond(tx: Transaction, account: str, offer_uri: str, text: str, wish: Wish = AS_OFFERED) -> Response:
    """Answer an offer, on its own terms or as far as it leaves them open as one's `wish` is (P-225).

    What `account` answered before is replaced. Raise `known.Missing` if the offer has to be fetched first, `NotFound`,
    `NotAllowed`, `Trouble`, or `Conflict` if it is not open any more.
    """
    row = known.thing(tx, offer_uri)
    offer = offers.find(tx.db, row.uri)
    if offer is None:
        raise NotFound("%(offer_uri)s is no offer", offer_uri=offer_uri)
    if offer.author == account:
        raise Trouble("that is your own offer")
    return _propose(tx, offer, account, offer.author, text, wish)


def counter(tx: Transaction, account: str, uri: str, text: str, wish: Wish = AS_OFFERED) -> Response:
    """Answer a response, or a counter-offer, with other terms; it is not open any more then.

    Raise as `decline` and `respond` do.
    """
    row = to_answer(tx.db, account, uri)
    if row.via == "reply":
        raise Trouble("whoever replied uses other software, which knows no terms: answer them with a post")
    offer = offers.find(tx.db, row.offer)
    if offer is None:
        raise NotFound("the offer %(offer)s is not here any more", offer=row.offer)
    return _propose(tx, offer, account, row.by, text, wish, answers=uri)


def _propose(
    tx: Transaction, offer: Offer, by: str, to: str, text: str, wish: Wish, answers: str | None = None
) -> Response:
    _check(tx, by, to, offer, text, wish)
    asked = Document(tx.db.get_one(Object, offer.id).document)
    try:
        proposed = terms.proposed(asked, by, markdown.from_text(text, tx.home), wish)
        terms.check(asked, proposed)
        agreement = proposed.write()
    except Malformed as error:
        raise Trouble("that is not what the offer asks for: %(why)s", why=error) from error
    uri = outbox.new_uri(tx)
    response = _add(tx, offer, uri, to, proposed, tx.now, answers)
    head = {"@context": context.AGREEMENT, "id": uri, "type": "Offer", "actor": by, "to": [to]}
    said = {"inReplyTo": answers, "published": timestamp(tx.now), "object": agreement}
    sent = outbox.publish(tx, head | {name: value for name, value in said.items() if value}, [to])
    response.signed = Document.parse(sent.body).json
    return response


def withdraw(tx: Transaction, account: str, uri: str) -> None:
    """Take a response back. Raise `NotFound`, `NotAllowed`, or `Conflict` if it is answered already."""
    row = _waiting(tx.db, uri)
    if row.by != account:
        raise NotAllowed("that is somebody else's response")
    if row.via == "reply":
        posts.delete(tx, account, uri)
        return
    row.state = "withdrawn"
    sent = Document.parse(tx.db.scalars(select(Sent.body).where(Sent.uri == uri)).one())
    undone = {name: value for name, value in sent.json.items() if name not in ("@context", "proof")}
    undo = {"id": f"{uri}/undo", "type": "Undo", "actor": account, "to": [row.to], "object": undone}
    outbox.publish(tx, {"@context": context.AGREEMENT, **undo}, [row.to])


def decline(tx: Transaction, account: str, uri: str, reason: str = "") -> Response:
    """Say no, for a reason if one is given.

    Raise `NotFound`, `NotAllowed` if it is another's to answer, or `Conflict` if it is not open any more.
    """
    row = to_answer(tx.db, account, uri)
    if row.via == "reply":
        say(tx, row, f"Thank you for your answer to my offer {row.offer}. I decided otherwise. {reason}".strip())
    else:
        answer(tx, "Reject", row.to, row.by, uri, content=escape(reason) or None)
    settle(tx, row, "declined", reason=reason)
    return row


def _check(tx: Transaction, account: str, other: str, offer: Offer, text: str, wish: Wish) -> None:
    if (status := offer.status(tx.now)) != "open":
        raise Conflict("this offer is %(status)s", status=STANDING[status])
    if blocks.exists(tx.db, account, other):
        raise NotAllowed("you cannot answer this offer")
    if not text.strip() or len(text) > MAX_TEXT:
        raise Trouble("say something, in at most %(most)s characters", most=MAX_TEXT)
    if wish.due is not None and wish.due <= tx.now:
        raise Trouble("the day by which it would be done is over already")


def say(tx: Transaction, row: Response, text: str) -> None:
    """Answer a reply so that everybody can read it (P-228)."""
    posts.publish(tx, row.to, posts.Draft(text, "direct", reply_to=row.uri))


def answer(
    tx: Transaction, kind: str, by: str, to: str, uri: str, until: datetime | None = None, **more: Any
) -> Document:
    """Send an answer, and return it as it was sent. Its object is the bare id of what is answered (P-226)."""
    head = {"id": outbox.new_uri(tx), "type": kind, "actor": by, "to": [to], "object": uri}
    given = {name: value for name, value in more.items() if value}
    sent = outbox.publish(tx, {"@context": context.AGREEMENT, **head, **given}, [to], until=until)
    return Document.parse(sent.body)


# --- In ----------------------------------------------------------------------------------------------------------


@recognises("Agreement")
def is_agreement(document: Document) -> bool:
    """By what it has; its type decides nothing (P-209)."""
    return document.embedded("stipulates") is not None


@receives("Offer", "Agreement")
def receive(tx: Transaction, activity: Activity) -> None:
    """Somebody answers an offer of ours, or our answer to theirs; or is told why that is not taken (P-227).

    Raise `Forbidden` if it is about no offer of ours, and no counter-offer either.
    """
    known.actor(tx.db, activity.actor)
    if find(tx.db, activity.id) or known.was_undone(tx.db, activity.id, activity.actor):
        return
    said = activity.embedded("object") or Document({})
    clause = said.embedded("stipulates") or Document({})
    uri = clause.require("satisfies").partition("#")[0]
    row, offer = known.find(tx.db, uri), offers.find(tx.db, uri)
    answered = _countered(tx.db, activity, uri)
    if row is None or offer is None or not (row.local or answered):
        raise Forbidden(f"there is no offer {uri} here")
    to, made = (answered.by if answered else offer.author), known.published(activity, tx.now)
    if tx.db.scalar(select(Response.id).where(_said(activity.actor, to, uri), Response.made > made).limit(1)):
        return  # somebody passes on what was replaced long ago
    try:
        proposed = _verified(tx, activity.actor, to, offer, row, said)
        signed = proven(tx, activity)
    except ProtocolError as error:
        until = tx.now + follows.ANSWERED
        answer(tx, "Reject", to, activity.actor, activity.id, until, content=escape(str(error)))
        return
    if answered is None or not _was_replaced(tx.db, answered):
        _add(tx, offer, activity.id, to, proposed, made, answered.uri if answered else None).signed = signed


def _countered(db: Session, activity: Activity, offer: str) -> Response | None:
    """The response of one of us to which `activity` is a counter-offer: it may be made to the one who answered it.

    ``None`` if it is none. Raise `Forbidden` if that is not its actor's to answer, or was answered otherwise.
    """
    row = find(db, activity.uri("inReplyTo") or "")
    if row is None or not known.is_local(db, row.by):
        return None
    if (row.to, row.offer, row.via) != (activity.actor, offer, "agreement"):
        raise Forbidden("a counter-offer answers a response that was made to its author, about the same offer")
    if row.state in ("accepted", "declined"):
        raise Forbidden(f"what this would be a counter-offer to is {row.state} already")
    return row


def _was_replaced(db: Session, row: Response) -> bool:
    """Whether something else of its author, one of us, is open in its stead: a counter-offer to it comes too late."""
    later = (_said(row.by, row.to, row.offer), Response.state == "open", Response.id != row.id)
    return db.scalar(select(Response.id).where(*later).limit(1)) is not None


def proven(tx: Transaction, activity: Activity) -> Json | None:
    """All of `activity`, if it carries its actor's proof; ``None`` if its request alone was signed.

    Raise `Unverified` if the proof does not hold, `Malformed` for what is too long to be kept.
    """
    body = tx.db.scalar(select(Receipt.body).where(Receipt.uri == activity.id))
    document = Document.parse(body) if body else None
    if document is None or not document.has("proof"):
        return None
    if len(body or b"") > MAX_SIGNED:
        raise Malformed(f"what is about an agreement takes up to {MAX_SIGNED:,} octets")
    return known.proven(tx, document).json


@receives("Undo", "Offer")
def receive_undo(tx: Transaction, activity: Activity) -> None:
    """It is taken back, unless it was answered before; if it is still on its way, it will not count (P-121)."""
    uri = activity.require("object")
    row = find(tx.db, uri)
    if row is not None and row.by == activity.actor and row.state == "open":
        row.state = "withdrawn"
    elif row is None:
        known.remember_undone(tx, uri, activity.actor)


@receives("Reject", "Offer")
def receive_reject(tx: Transaction, activity: Activity) -> None:
    row = answered_by(tx.db, activity)
    if row is not None:
        settle(tx, row, "declined", reason=html.plain(activity.text("content"))[:MAX_TEXT])


def _verified(tx: Transaction, by: str, to: str, offer: Offer, row: Object, said: Document) -> Agreement:
    """What is proposed. Raise `ProtocolError`, with what its author may know of the reason (P-227)."""
    if by == to:
        raise Forbidden("nobody answers their own offer")
    if (status := offer.status(tx.now)) != "open":
        raise Forbidden(f"this offer is {status}")
    if blocks.exists(tx.db, to, by):
        raise Forbidden("this response is not taken")
    agreement = Agreement.read(said)
    if agreement.author != by:
        raise Forbidden("the agreement is somebody else's")
    terms.check(row.said, agreement)
    return agreement


# --- Both --------------------------------------------------------------------------------------------------------


def new(tx: Transaction, offer: Offer, uri: str, by: str, to: str, text: str, via: Way, made: datetime) -> Response:
    return Response(id=ids.new(tx.now), uri=uri, offer=offer.uri, by=by, to=to, text=text, via=via, made=made)


def _add(
    tx: Transaction, offer: Offer, uri: str, to: str, proposed: Agreement, made: datetime, answers: str | None
) -> Response:
    row = new(tx, offer, uri, proposed.author, to, proposed.text, "agreement", made)
    row.terms, row.answers = replace(proposed, id=None, text="").write(), answers
    replace_earlier(tx, row)
    _tell(tx, "response" if to == offer.author else "counter-offer", row.to, row.by, row.offer)
    return row


def replace_earlier(tx: Transaction, row: Response) -> None:
    """Keep a new one in place of what is open between the same two, so that one is open (P-227).

    One of ours may still be accepted, on its way, if it was not answered by this one; what others replace is gone, or
    they could fill the disk (P-327).
    """
    earlier = (_said(row.by, row.to, row.offer), Response.state.in_(("open", "withdrawn")))
    if known.is_local(tx.db, row.by):
        tx.db.execute(update(Response).where(*earlier).values(state="withdrawn"))
    else:
        tx.db.execute(delete(Response).where(*earlier))
    answered = (_said(row.to, row.by, row.offer), or_(Response.state == "open", Response.uri == row.answers))
    tx.db.execute(update(Response).where(*answered).values(state="countered"))
    tx.db.add(row)
    tx.db.flush()


def settle(
    tx: Transaction,
    row: Response,
    state: Literal["accepted", "declined"],
    agreed: str | None = None,
    reason: str = "",
) -> None:
    row.state, row.agreement, row.reason = state, agreed, reason
    tx.db.flush()
    _tell(tx, "response accepted" if state == "accepted" else "response declined", row.by, row.to, row.offer)


def _tell(tx: Transaction, kind: Kind, to: str, by: str, about: str) -> None:
    if known.is_local(tx.db, to):
        tell(tx, Notice(kind, to, by, about))


# --- Queries -----------------------------------------------------------------------------------------------------


def find(db: Session, uri: str) -> Response | None:
    return db.scalar(select(Response).where(Response.uri == uri))


def to_offer(uri: str) -> Select[Response]:
    """All responses to an offer, newest first."""
    return select(Response).where(Response.offer == uri).order_by(Response.id.desc())


def by(account: str) -> Select[Response]:
    """What somebody answered, newest first."""
    return select(Response).where(Response.by == account).order_by(Response.id.desc())


def waiting(account: str) -> Select[Response]:
    """The responses that somebody has still to answer, longest first."""
    return select(Response).where(Response.to == account, Response.state == "open").order_by(Response.id)


def is_open(db: Session, by: str, offer: Offer) -> bool:
    """Whether `by` and the offer's author have still something to answer each other about it."""
    between = or_(_said(by, offer.author, offer.uri), _said(offer.author, by, offer.uri))
    return db.scalar(select(Response.id).where(between, Response.state == "open").limit(1)) is not None


def in_talks(db: Session, offer: str, account: str) -> bool:
    """Whether `account` talks with somebody about an offer, and nobody has said the last word yet."""
    mine = or_(Response.by == account, Response.to == account)
    talks = (Response.offer == offer, Response.via == "agreement", Response.state == "open", mine)
    return db.scalar(select(Response.id).where(*talks).limit(1)) is not None


def _said(by: str, to: str, offer: str) -> ColumnElement[bool]:
    return and_(Response.by == by, Response.to == to, Response.offer == offer)


def _waiting(db: Session, uri: str) -> Response:
    row = find(db, uri)
    if row is None:
        raise NotFound("there is no response %(uri)s here", uri=uri)
    if row.state != "open":
        raise Conflict("this response is %(state)s already", state=STANDING[row.state])
    return row


def to_answer(db: Session, account: str, uri: str) -> Response:
    row = _waiting(db, uri)
    if row.to != account:
        raise NotAllowed("that is somebody else's to answer")
    return row


def answered_by(db: Session, activity: Activity) -> Response | None:
    """The response of one of us that whoever it is for answers; nobody else's word counts, and no second one.

    Whoever takes a response back while the answer is on its way is answered all the same: both then know one outcome.
    """
    row = find(db, activity.require("object"))
    if row is None or row.to != activity.actor or not known.is_local(db, row.by):
        return None
    return row if row.state in ("open", "withdrawn") else None
