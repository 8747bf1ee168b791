"""Answers to offers: FEP-0837's ``Offer`` of an ``Agreement`` between such servers, a reply from everybody else.

The law: at most one response of an actor to an offer is open; only the offer's author answers it, and once.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from html import escape
from typing import Any, Literal

from sqlalchemy import Index, Select, delete, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from activitypub import context, html, markdown
from activitypub.agreement import Agreement
from activitypub.document import Document, timestamp
from activitypub.errors import Forbidden, ProtocolError
from activitypub.origin import Activity
from coop import blocks, follows, offers, posts, terms
from coop.errors import Conflict, NotAllowed, NotFound, Trouble
from coop.events import Erased, Kind, Notice, Shown, listens, tell
from coop.offers import Offer
from federation import ids, known, outbox
from federation.registry import receives, recognises
from federation.store import Transaction
from federation.tables import Activity as Sent
from federation.tables import Object, Row

Way = Literal["agreement", "reply"]
State = Literal["open", "accepted", "declined", "withdrawn"]

MAX_TEXT = 5_000  # characters of Markdown


class Response(Row):
    """Somebody's answer to an offer; the one or the other of the two lives here, or both."""

    __tablename__ = "responses"
    __table_args__ = (Index(None, "offer", "id"), Index(None, "by", "id"), Index(None, "to", "id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    uri: Mapped[str] = mapped_column(unique=True)  # of the ``Offer`` activity, or of the reply
    offer: Mapped[str]
    by: Mapped[str]
    to: Mapped[str]  # the offer's author
    text: Mapped[str]  # clean HTML
    via: Mapped[Way]
    made: Mapped[datetime]
    terms: Mapped[dict[str, Any] | None] = mapped_column(default=None)  # the agreement that was proposed, in our words
    state: Mapped[State] = mapped_column(default="open")
    reason: Mapped[str] = mapped_column(default="")  # in the author's words, as plain text
    agreement: Mapped[str | None] = mapped_column(default=None)  # the URI of what was agreed

    @property
    def proposed(self) -> Agreement:
        return Agreement.read(Document(self.terms or {}))


# --- Out ---------------------------------------------------------------------------------------------------------


def respond(tx: Transaction, account: str, offer_uri: str, text: str) -> Response:
    """Answer an offer, on its own terms; what `account` answered before is replaced (P-225).

    Raise `known.Missing` if the offer has to be fetched first, `NotFound`, `NotAllowed`, `Trouble`, or `Conflict` if it
    is not open any more.
    """
    row = known.thing(tx, offer_uri)
    offer = offers.find(tx.db, row.uri)
    if offer is None:
        raise NotFound(f"{offer_uri} is no offer")
    _check(tx, account, offer, text)
    proposed = terms.proposed(Document(row.document), account, markdown.from_text(text, tx.home))
    uri = outbox.new_uri(tx)
    head = {"@context": context.AGREEMENT, "id": uri, "type": "Offer", "actor": account, "to": [offer.author]}
    response = _add(tx, offer, uri, proposed, tx.now)
    outbox.publish(tx, {**head, "published": timestamp(tx.now), "object": proposed.write()}, [offer.author])
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


def accept(tx: Transaction, account: str, uri: str) -> Response:
    """Agree to a response; a reply is answered by a direct post (P-226, P-228). Raise as `decline` does."""
    row = _to_answer(tx.db, account, uri)
    if row.via == "reply":
        _say(tx, row, f"Your answer to my offer {row.offer} is accepted. Let us talk about what comes next.")
        _settle(tx, row, "accepted")
        return row
    agreed = outbox.new_uri(tx, "agreements")
    result = {**replace(row.proposed, author=account, id=agreed, text="").write(), "to": [row.by]}
    known.keep(tx, Document(result), author=account, visibility="direct", local=True)
    _answer(tx, "Accept", row.to, row.by, uri, result=result)
    _settle(tx, row, "accepted", agreed)
    return row


def decline(tx: Transaction, account: str, uri: str, reason: str = "") -> Response:
    """Say no, for a reason if one is given.

    Raise `NotFound`, `NotAllowed` if it is another's to answer, or `Conflict` if it is not open any more.
    """
    row = _to_answer(tx.db, account, uri)
    if row.via == "reply":
        _say(tx, row, f"Thank you for your answer to my offer {row.offer}. I decided otherwise. {reason}".strip())
    else:
        _answer(tx, "Reject", row.to, row.by, uri, content=escape(reason) or None)
    _settle(tx, row, "declined", reason=reason)
    return row


def _check(tx: Transaction, account: str, offer: Offer, text: str) -> None:
    if offer.author == account:
        raise Trouble("that is your own offer")
    if (status := offer.status(tx.now)) != "open":
        raise Conflict(f"this offer is {status}")
    if blocks.exists(tx.db, account, offer.author):
        raise NotAllowed("you cannot answer this offer")
    if not text.strip() or len(text) > MAX_TEXT:
        raise Trouble(f"say something, in at most {MAX_TEXT:,} characters")


def _say(tx: Transaction, row: Response, text: str) -> None:
    posts.publish(tx, row.to, posts.Draft(text, "direct", reply_to=row.uri))


def _answer(tx: Transaction, kind: str, by: str, to: str, uri: str, until: datetime | None = None, **more: Any) -> None:
    """The object is the bare id of what is answered (P-226)."""
    answer = {"id": outbox.new_uri(tx), "type": kind, "actor": by, "to": [to], "object": uri}
    given = {name: value for name, value in more.items() if value}
    outbox.publish(tx, {"@context": context.AGREEMENT, **answer, **given}, [to], until=until)


# --- In ----------------------------------------------------------------------------------------------------------


@recognises("Agreement")
def is_agreement(document: Document) -> bool:
    """By what it has; its type decides nothing (P-209)."""
    return document.embedded("stipulates") is not None


@receives("Offer", "Agreement")
def receive(tx: Transaction, activity: Activity) -> None:
    """Somebody answers an offer of ours, or is told why not (P-227). Raise `Forbidden` if it is no offer of ours."""
    known.actor(tx.db, activity.actor)
    if find(tx.db, activity.id) or known.was_undone(tx.db, activity.id, activity.actor):
        return
    said = activity.embedded("object") or Document({})
    clause = said.embedded("stipulates") or Document({})
    uri = clause.require("satisfies").partition("#")[0]
    row, offer = known.find(tx.db, uri), offers.find(tx.db, uri)
    if row is None or offer is None or not row.local:
        raise Forbidden(f"there is no offer {uri} here")
    made = known.published(activity, tx.now)
    if tx.db.scalar(_of(activity.actor, uri).where(Response.made > made).limit(1)):
        return  # somebody passes on what was replaced long ago
    try:
        proposed = _verified(tx, activity.actor, offer, row, said)
    except ProtocolError as error:
        until = tx.now + follows.ANSWERED
        _answer(tx, "Reject", offer.author, activity.actor, activity.id, until, content=escape(str(error)))
        return
    _add(tx, offer, activity.id, proposed, made)


@receives("Undo", "Offer")
def receive_undo(tx: Transaction, activity: Activity) -> None:
    """It is taken back, unless it was answered before; if it is still on its way, it will not count (P-121)."""
    uri = activity.require("object")
    row = find(tx.db, uri)
    if row is not None and row.by == activity.actor and row.state == "open":
        row.state = "withdrawn"
    elif row is None:
        known.remember_undone(tx, uri, activity.actor)


@receives("Accept", "Offer")
def receive_accept(tx: Transaction, activity: Activity) -> None:
    """Raise `Forbidden` if what comes back as agreed is not what was proposed."""
    row = _answered(tx.db, activity)
    if row is None:
        return
    result = activity.embedded("result")
    if result is None:
        _settle(tx, row, "accepted")
        return
    if result.require("attributedTo") != activity.actor or known.find(tx.db, result.id):
        raise Forbidden("an agreement is new, and its author's who accepts it")
    if not terms.are_same(Agreement.read(result), row.proposed):
        raise Forbidden("the agreement is not what was proposed")
    known.keep(tx, result, author=activity.actor, visibility="direct")
    _settle(tx, row, "accepted", result.id)


@receives("Reject", "Offer")
def receive_reject(tx: Transaction, activity: Activity) -> None:
    row = _answered(tx.db, activity)
    if row is not None:
        _settle(tx, row, "declined", reason=html.plain(activity.text("content"))[:MAX_TEXT])


@listens(Shown)
def consider(tx: Transaction, event: Shown) -> None:
    """A reply to an open offer of ours may be meant as a response; its author decides (P-228). Told of as a reply."""
    reply = event.object
    offer = offers.find(tx.db, reply.reply_to) if reply.reply_to and event.boosted_by is None else None
    if offer is None or offer.author == reply.author or offer.status(tx.now) != "open":
        return
    open_one = _of(reply.author, offer.uri).where(Response.state == "open")
    if not known.is_local(tx.db, offer.author) or tx.db.scalar(open_one.limit(1)):
        return
    text = html.clean(Document(reply.document).text("content"))
    _replace_earlier(tx, _new(tx, offer, reply.uri, reply.author, text, "reply", reply.published))


@listens(Erased)
def forget(tx: Transaction, event: Erased) -> None:
    """Whoever deletes their reply takes the response back."""
    if event.object.reply_to is None:
        return
    gone = (Response.uri == event.object.uri, Response.via == "reply")
    tx.db.execute(update(Response).where(*gone, Response.state == "open").values(state="withdrawn"))
    tx.db.execute(update(Response).where(*gone).values(text=""))


def _verified(tx: Transaction, responder: str, offer: Offer, row: Object, said: Document) -> Agreement:
    """What is proposed. Raise `ProtocolError`, with what the responder may know of the reason (P-227)."""
    if offer.author == responder:
        raise Forbidden("nobody answers their own offer")
    if (status := offer.status(tx.now)) != "open":
        raise Forbidden(f"this offer is {status}")
    if blocks.exists(tx.db, offer.author, responder):
        raise Forbidden("this response is not taken")
    agreement = Agreement.read(said)
    if agreement.author != responder:
        raise Forbidden("the agreement is somebody else's")
    terms.check(Document(row.document), agreement)
    return agreement


# --- Both --------------------------------------------------------------------------------------------------------


def _new(tx: Transaction, offer: Offer, uri: str, by: str, text: str, via: Way, made: datetime) -> Response:
    return Response(id=ids.new(tx.now), uri=uri, offer=offer.uri, by=by, to=offer.author, text=text, via=via, made=made)


def _add(tx: Transaction, offer: Offer, uri: str, proposed: Agreement, made: datetime) -> Response:
    row = _new(tx, offer, uri, proposed.author, proposed.text, "agreement", made)
    row.terms = replace(proposed, id=None, text="").write()
    _replace_earlier(tx, row)
    _tell(tx, "response", row.to, row.by, row.offer)
    return row


def _replace_earlier(tx: Transaction, row: Response) -> None:
    """A new one replaces what the same actor answered before, so that one is open (P-227).

    One of ours may still be accepted, on its way; what others replace is gone, or they could fill the disk (P-327).
    """
    earlier = (Response.by == row.by, Response.offer == row.offer, Response.state.in_(("open", "withdrawn")))
    if known.is_local(tx.db, row.by):
        tx.db.execute(update(Response).where(*earlier).values(state="withdrawn"))
    else:
        tx.db.execute(delete(Response).where(*earlier))
    tx.db.add(row)
    tx.db.flush()


def _settle(
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


def _of(actor: str, offer: str) -> Select[int]:
    return select(Response.id).where(Response.by == actor, Response.offer == offer)


def _waiting(db: Session, uri: str) -> Response:
    row = find(db, uri)
    if row is None:
        raise NotFound(f"there is no response {uri} here")
    if row.state != "open":
        raise Conflict(f"this response is {row.state} already")
    return row


def _to_answer(db: Session, account: str, uri: str) -> Response:
    row = _waiting(db, uri)
    if row.to != account:
        raise NotAllowed("that is somebody else's to answer")
    return row


def _answered(db: Session, activity: Activity) -> Response | None:
    """The response of one of us that its offer's author answers; that of nobody else counts.

    Whoever takes a response back while the answer is on its way is answered all the same: both then know one outcome.
    """
    row = find(db, activity.require("object"))
    if row is None or row.to != activity.actor or not known.is_local(db, row.by):
        return None
    return row if row.state in ("open", "withdrawn") else None
