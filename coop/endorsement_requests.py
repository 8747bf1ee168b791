"""Asking to be vouched for, and answering it: by an endorsement, or not.

The law: a request obliges nobody and spreads nowhere. It is a direct post to one person, whom one asks again only when
the last one is a day old and was not declined; and of one site only so many wait here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from html import escape
from typing import Any, Literal

from sqlalchemy import Index, Select, and_, delete, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from activitypub import context, endorsement_request, html, markdown
from activitypub.document import Document
from activitypub.endorsement_request import PROPERTY
from activitypub.endorsement_request import EndorsementRequest as Asked
from activitypub.errors import Forbidden, Malformed
from activitypub.note import Note
from activitypub.origin import Activity, host, origin, site
from coop import blocks, endorsements, mentions, posts
from coop.errors import STANDING, Conflict, NotAllowed, NotFound, Trouble
from coop.events import Blocked, Departed, Erased, Kind, Notice, listens, tell
from federation import known, outbox
from federation.registry import chore, keeps, receives, recognises
from federation.store import Transaction
from federation.tables import Object, Row

State = Literal["open", "answered", "declined", "withdrawn"]

MAX_OPEN = 20  # of one site
MAX_REASON = 1_000  # characters
DAY = timedelta(days=1)  # so long one counts even if it was taken back at once: somebody was told of it
AGAIN = timedelta(days=30)  # after which one may ask somebody who declined
KEPT = timedelta(days=180)  # so long one is remembered that is not open any more


class EndorsementRequest(Row):
    """`by` asks `to` for an endorsement; the one or the other lives here, or both."""

    __tablename__ = "endorsement_requests"
    __table_args__ = (Index(None, "to", "state"), Index(None, "by", "to"))

    id: Mapped[int] = mapped_column(primary_key=True)  # of its object
    uri: Mapped[str] = mapped_column(unique=True)
    by: Mapped[str]
    to: Mapped[str]
    skills: Mapped[list[str]]
    text: Mapped[str]  # clean HTML
    work: Mapped[str | None]
    since: Mapped[datetime] = mapped_column(index=True)
    state: Mapped[State] = mapped_column(default="open")
    reason: Mapped[str] = mapped_column(default="")  # of a refusal, as plain text
    answer: Mapped[str | None] = mapped_column(default=None)  # the URI of the endorsement's note


# --- Out ---------------------------------------------------------------------------------------------------------


def ask(
    tx: Transaction, account: str, of: str, skills: Sequence[str], text: str = "", work: str | None = None
) -> Object:
    """Ask somebody to vouch for one's skills; `text` is Markdown, `work` the address of what was done together.

    Raise `known.Missing` for somebody whom nobody here has met, `NotAllowed`, `Trouble`, or `Conflict` if they were
    asked already.
    """
    actor = known.actor(tx.db, of)
    if of == account:
        raise Trouble("nobody endorses themselves")
    if blocks.exists(tx.db, account, of):
        raise NotAllowed("you cannot ask them")
    if _asked_lately(tx, account, of):
        raise Conflict("you asked them already; wait for an answer, or take it back and ask again tomorrow")
    asked = Asked(tuple(dict.fromkeys(one.strip() for one in skills)), markdown.from_text(text, tx.home), work or None)
    try:
        extra = {PROPERTY: asked.write()}
    except Malformed as error:
        raise Trouble("that cannot be asked: %(why)s", why=error) from error
    uri, name = outbox.new_uri(tx, "notes"), known.account(tx.db, account).name
    note = Note(
        id=uri,
        author=account,
        content=endorsement_request.content(asked, name, actor.handle, mentions.profile_page(actor)),
        to=(of,),
        published=tx.now,
        url=uri,
        context=uri,
        mentions=(mentions.mention(actor),),
    )
    row = posts.publish_note(tx, note, "direct", extra, context.ENDORSEMENT_REQUEST)
    _keep(tx, row, asked, of)
    return row


def answer(
    tx: Transaction, account: str, uri: str, subject: str, text: str, skills: Sequence[str] = (), **more: Any
) -> Object:
    """Vouch for `subject`, who asked, and for what they asked unless `skills` or a `work` are given.

    What `more` can be said is as of `endorsements.give`. Raise as that and as `decline` do, `Trouble` if somebody else
    asked.
    """
    row = _to_answer(tx.db, account, uri)
    if row.by != subject:
        raise Trouble("that was asked by somebody else")
    more["work"] = more.get("work") or row.work
    given = endorsements.give(tx, account, row.by, skills or row.skills, text, **more)
    _say(tx, "Accept", row, result=given.uri)
    row.answer = given.uri
    _settle(tx, row, "answered")
    return given


def decline(tx: Transaction, account: str, uri: str, reason: str = "") -> EndorsementRequest:
    """Say no, for a reason if one is given. Raise `NotFound`, `NotAllowed`, `Conflict` if it is not open any more."""
    row = _to_answer(tx.db, account, uri)
    if len(reason) > MAX_REASON:
        raise Trouble("say why in at most %(most)s characters", most=MAX_REASON)
    _say(tx, "Reject", row, content=escape(reason) or None)
    _settle(tx, row, "declined", reason)
    return row


def _say(tx: Transaction, kind: str, row: EndorsementRequest, **more: str | None) -> None:
    said = {"id": outbox.new_uri(tx), "type": kind, "actor": row.to, "to": [row.by], "object": row.uri}
    given = {name: value for name, value in more.items() if value}
    outbox.publish(tx, {"@context": context.ACTIVITY, **said, **given}, [row.by])


# --- In ----------------------------------------------------------------------------------------------------------


@recognises("EndorsementRequest")
def asks_for_one(document: Document) -> bool:
    """By what it has, or had (P-209)."""
    return document.has(PROPERTY) or "EndorsementRequest" in document.uris("formerType")


@receives("Create", "EndorsementRequest")
def receive(tx: Transaction, activity: Activity) -> None:
    """Raise `Forbidden` for one that is not to be heard here, or `Malformed` for one that asks nothing."""
    document = activity.embedded("object")
    if document is None or known.is_known(tx.db, document.id):
        return
    asked, to = Asked.read(document), _asked_here(tx.db, document)
    if to is not None:
        _check(tx, activity.actor, to)
    row = posts.receive(tx, activity)
    if row is not None and to is not None and row.visibility == "direct":
        _keep(tx, row, asked, to)


@keeps("EndorsementRequest")
def keep(tx: Transaction, document: Document) -> None:
    """One that was fetched is a post like any other: who wants something says so themselves."""
    posts.keep(tx, document)


@receives("Accept", "EndorsementRequest")
def receive_accept(tx: Transaction, activity: Activity) -> None:
    """The endorsement itself came before, as everybody gets it; this says what it answers."""
    row, given = _answered(tx.db, activity), activity.uri("result")
    if row is None or given is None:
        return
    if origin(given) != origin(activity.actor):
        raise Forbidden("an endorsement is on the server of the one who gives it")
    row.answer = given
    _settle(tx, row, "answered")


@receives("Reject", "EndorsementRequest")
def receive_reject(tx: Transaction, activity: Activity) -> None:
    row = _answered(tx.db, activity)
    if row is not None:
        _settle(tx, row, "declined", html.plain(activity.text("content"))[:MAX_REASON])


@listens(Erased)
def withdraw(tx: Transaction, event: Erased) -> None:
    """Whoever deletes the note takes the request back."""
    row = tx.db.get(EndorsementRequest, event.object.id) if event.object.type == "EndorsementRequest" else None
    if row is not None:
        row.text, row.work = "", None
        row.state = "withdrawn" if row.state == "open" else row.state
        tx.db.flush()


@listens(Blocked)
def drop(tx: Transaction, event: Blocked) -> None:
    there = and_(EndorsementRequest.by == event.by, EndorsementRequest.to == event.blocked)
    back = and_(EndorsementRequest.by == event.blocked, EndorsementRequest.to == event.by)
    tx.db.execute(delete(EndorsementRequest).where(or_(there, back)))


@listens(Departed)
def forget_actor(tx: Transaction, event: Departed) -> None:
    theirs = or_(EndorsementRequest.by == event.actor, EndorsementRequest.to == event.actor)
    tx.db.execute(delete(EndorsementRequest).where(theirs))


@chore(timedelta(hours=1))
def forget(tx: Transaction) -> bool:
    old = (EndorsementRequest.state != "open", EndorsementRequest.since < tx.now - KEPT)
    tx.db.execute(delete(EndorsementRequest).where(*old))
    return False


def _asked_here(db: Session, document: Document) -> str | None:
    """The one of us whom it is for. What is sent to several is a post: nobody in particular is asked."""
    named = {*document.uris("to"), *document.uris("cc")}
    return next(iter(named)) if len(named) == 1 and named <= known.locals_of(db) else None


def _check(tx: Transaction, by: str, to: str) -> None:
    """Raise `Forbidden` if `by` may not ask that of `to` now."""
    if by == to or blocks.exists(tx.db, by, to):
        raise Forbidden(f"{to} is not to be asked by {by}")
    if _asked_lately(tx, by, to):
        raise Forbidden(f"{to} was asked by {by} already: wait for an answer, or until tomorrow")
    home, recent = site(host(by)), or_(EndorsementRequest.state == "open", EndorsementRequest.since > tx.now - DAY)
    here = EndorsementRequest.to.in_(known.locals_of(tx.db))
    waiting = tx.db.scalars(select(EndorsementRequest.by).where(here, recent))
    if sum(site(host(one)) == home for one in waiting) >= MAX_OPEN and not known.is_local(tx.db, by):
        raise Forbidden(f"{MAX_OPEN} requests from {home} wait for an answer here already")


# --- Both --------------------------------------------------------------------------------------------------------


def _keep(tx: Transaction, row: Object, asked: Asked, to: str) -> None:
    said = {"skills": [*asked.skills], "text": asked.text, "work": asked.work}
    tx.db.add(EndorsementRequest(id=row.id, uri=row.uri, by=row.author, to=to, since=tx.now, **said))  # type: ignore[arg-type]
    tx.db.flush()
    _tell(tx, "endorsement request", to, row.author, row.uri)


def _settle(tx: Transaction, row: EndorsementRequest, state: Literal["answered", "declined"], reason: str = "") -> None:
    """Whoever is vouched for is told by the endorsement itself."""
    row.state, row.reason = state, reason
    tx.db.flush()
    if state == "declined":
        _tell(tx, "endorsement declined", row.by, row.to, row.uri)


def _tell(tx: Transaction, kind: Kind, to: str, by: str, about: str) -> None:
    if known.is_local(tx.db, to):
        tell(tx, Notice(kind, to, by, about))


def _asked_lately(tx: Transaction, by: str, to: str) -> bool:
    """Whether one is open, was made within a day, or was declined not long ago."""
    declined = and_(EndorsementRequest.state == "declined", EndorsementRequest.since > tx.now - AGAIN)
    lately = or_(EndorsementRequest.state == "open", EndorsementRequest.since > tx.now - DAY, declined)
    between = (EndorsementRequest.by == by, EndorsementRequest.to == to, EndorsementRequest.state != "answered")
    return tx.db.scalar(select(EndorsementRequest.id).where(*between, lately).limit(1)) is not None


# --- Queries -----------------------------------------------------------------------------------------------------


def find(db: Session, uri: str) -> EndorsementRequest | None:
    return db.scalar(select(EndorsementRequest).where(EndorsementRequest.uri == uri))


def waiting(account: str) -> Select[EndorsementRequest]:
    """What somebody is asked and has not answered, longest first."""
    open_ones = (EndorsementRequest.to == account, EndorsementRequest.state == "open")
    return select(EndorsementRequest).where(*open_ones).order_by(EndorsementRequest.id)


def by(account: str) -> Select[EndorsementRequest]:
    """What somebody asked of others, newest first."""
    return select(EndorsementRequest).where(EndorsementRequest.by == account).order_by(EndorsementRequest.id.desc())


def _to_answer(db: Session, account: str, uri: str) -> EndorsementRequest:
    row = find(db, uri)
    if row is None:
        raise NotFound("there is no request %(uri)s here", uri=uri)
    if row.to != account:
        raise NotAllowed("that is somebody else's to answer")
    if row.state != "open":
        raise Conflict("this request is %(state)s already", state=STANDING[row.state])
    return row


def _answered(db: Session, activity: Activity) -> EndorsementRequest | None:
    """The open request that its addressee answers; whoever else answers says nothing."""
    row = find(db, activity.uri("object") or "")
    return row if row is not None and row.to == activity.actor and row.state == "open" else None
