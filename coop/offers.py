"""Offers: work that somebody gives or needs; open until it is filled, withdrawn, or past its own date.

An offer is a post with more in it: its words and its document are in `objects`, what is searched for stands here.
Whether it has expired follows from its date and the moment, so it does so on time even if its author's studio sleeps.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import Index, Select, delete, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from activitypub import context, html
from activitypub.document import Document, Json
from activitypub.errors import Forbidden, Malformed, ProtocolError
from activitypub.note import Note
from activitypub.origin import Activity
from activitypub.proposal import MAX_NAME, MAX_SKILLS, MAX_TITLE, Price, Proposal, Purpose, State, Unit, is_proposal
from coop import follows, posts
from coop.errors import STANDING, Conflict, NotFound, Trouble
from coop.events import Departed, Erased, listens
from federation import known
from federation.registry import keeps, receives, recognises
from federation.store import Transaction
from federation.tables import Object, Row

Status = Literal["open", "filled", "withdrawn", "expired"]

MAX_TEXT = 5_000  # characters of Markdown, which travels in three forms
MAX_WORDS = 10_000  # characters of what others wrote, to be searched
ON_BOARD = ("public", "unlisted", "followers")


class Offer(Row):
    """What of an offer is searched for and shown in lists."""

    __tablename__ = "offers"
    __table_args__ = (Index(None, "state", "id"), Index(None, "author", "id"))

    id: Mapped[int] = mapped_column(primary_key=True)  # of its object
    uri: Mapped[str] = mapped_column(unique=True)
    author: Mapped[str]
    purpose: Mapped[Purpose]
    title: Mapped[str]
    words: Mapped[str]  # all that it says, as plain text
    currency: Mapped[str | None]
    least: Mapped[Decimal | None]
    most: Mapped[Decimal | None]
    per: Mapped[Unit]
    remote: Mapped[bool]
    place: Mapped[str]
    until: Mapped[datetime | None]
    state: Mapped[State]

    @property
    def price(self) -> Price | None:
        return Price(self.currency, self.least, self.most, self.per) if self.currency else None

    def status(self, now: datetime) -> Status:
        """Its state; past its date an open offer has expired, whatever its author's studio does."""
        return "expired" if self.state == "open" and self.until is not None and self.until <= now else self.state


class OfferedSkill(Row):
    """A skill that an offer names, in lower case."""

    __tablename__ = "offered_skills"
    __table_args__ = (Index(None, "offer"),)

    skill: Mapped[str] = mapped_column(primary_key=True)
    offer: Mapped[int] = mapped_column(primary_key=True)


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody offers (``purpose`` is ``offer``) or needs (``request``). `text` is Markdown."""

    purpose: Purpose
    title: str
    text: str
    price: Price | None = None  # none for a favour or swap
    skills: tuple[str, ...] = ()
    remote: bool = False
    place: str = ""
    start: datetime | None = None
    until: datetime | None = None
    language: str = ""


# --- Out ---------------------------------------------------------------------------------------------------------


def open(tx: Transaction, author: str, draft: Draft, visibility: Literal["public", "followers"] = "public") -> Object:
    """Open an offer and tell its author's followers. Raise `Trouble` for a draft that cannot be one."""
    note, written = composed(tx, author, draft, visibility)
    row = posts.publish_note(tx, note, visibility, written, context.OFFER)
    _keep(tx, row)
    return row


def composed(
    tx: Transaction, author: str, draft: Draft, visibility: Literal["public", "followers"] = "public"
) -> tuple[Note, Json]:
    """The note that everybody would read, and what makes it an offer (P-220); nothing is kept. Raise as `open` does."""
    _check(draft, tx.now)
    return _written(tx, posts.compose(tx, author, "offers", _words(draft, visibility)), draft, "open")


def edit(tx: Transaction, author: str, uri: str, draft: Draft) -> Object:
    """Replace what an open offer says. Raise `NotFound`, `NotAllowed`, `Trouble`, `Conflict` if it is open no more."""
    _check(draft, tx.now)
    return _revise(tx, _own_open(tx.db, author, uri), draft, "open")


def fill(tx: Transaction, author: str, uri: str) -> Object:
    """Say that an offer is taken. That is final; raise `Conflict` if it is taken or withdrawn already (P-221)."""
    row = _own_open(tx.db, author, uri)
    return _revise(tx, row, draft_of(row), "filled")


def withdraw(tx: Transaction, author: str, uri: str) -> Object:
    """Take an offer back, visibly; to make it vanish, delete its post. Raise as `fill` does."""
    row = _own_open(tx.db, author, uri)
    return _revise(tx, row, draft_of(row), "withdrawn")


def draft_of(row: Object) -> Draft:
    """What its author, one of us, wrote: to be changed and passed to `edit`."""
    document = row.said
    said = Proposal.read(document)
    source = document.embedded("source")
    terms = (said.price, said.skills, said.remote, said.place, said.start, said.until)
    text = source.text("content") if source else ""
    return Draft(said.purpose, said.title, text, *terms, language=Note.read(document).language)


def _revise(tx: Transaction, row: Object, draft: Draft, state: State) -> Object:
    """Send the whole offer again: whoever gets it replaces what they have (A9).

    Whom it mentioned before hears of it for as long as it is there, as with any other post (P-230).
    """
    before = Note.read(row.said)
    composed = posts.compose(tx, row.author, "offers", _words(draft, row.visibility))
    named = {one.href: one for one in (*before.mentions, *composed.mentions)}
    same = replace(
        composed,
        id=row.uri,
        url=row.uri,
        published=before.published,
        context=before.context,
        cc=tuple(dict.fromkeys((*composed.cc, *named))),
        mentions=tuple(named.values()),
    )
    note, written = _written(tx, same, draft, state)
    posts.revise(tx, row, {**note.write(), **written}, context.OFFER)
    _keep(tx, row)
    return row


def _written(tx: Transaction, note: Note, draft: Draft, state: State) -> tuple[Note, Json]:
    """The note that everybody reads, and what makes it an offer (P-220)."""
    proposal = Proposal(
        id=note.id,
        author=note.author,
        purpose=draft.purpose,
        title=draft.title.strip(),
        text=note.content,
        price=draft.price,
        skills=tuple(dict.fromkeys(one.strip() for one in draft.skills)),
        remote=draft.remote,
        place=draft.place.strip(),
        start=draft.start,
        until=draft.until,
        state=state,
    )
    hashtags = tuple(dict.fromkeys((*note.hashtags, *proposal.hashtags)))
    note = replace(note, content=proposal.content(note.id), hashtags=hashtags)
    source = {"content": draft.text, "mediaType": "text/markdown"}
    try:
        written = {**proposal.write(), "source": source}
        Proposal.read(Document({**note.write(), **written}))
    except Malformed as error:
        raise Trouble("such an offer could not be sent: %(why)s", why=error) from error
    return note, written


def _words(draft: Draft, visibility: Any) -> posts.Draft:
    return posts.Draft(draft.text, visibility, language=draft.language)


def _check(draft: Draft, now: datetime) -> None:
    if not draft.title.strip():
        raise Trouble("an offer needs a title")
    if len(draft.title) > MAX_TITLE:
        raise Trouble("the title is longer than %(most)s characters: shorten it", most=MAX_TITLE)
    if len(draft.text) > MAX_TEXT:
        raise Trouble("the text is longer than %(most)s characters: shorten it", most=MAX_TEXT)
    if len(draft.skills) > MAX_SKILLS or not all(one.strip() and len(one) <= MAX_NAME for one in draft.skills):
        raise Trouble(
            "name up to %(most)s skills, each with at most %(longest)s characters", most=MAX_SKILLS, longest=MAX_NAME
        )
    if draft.until is not None and draft.until <= now:
        raise Trouble("the date until which it is open is over already")
    price = draft.price
    if price and price.least is not None and price.most is not None and price.least > price.most:
        raise Trouble("the least that it costs is more than the most")


def _own_open(db: Session, author: str, uri: str) -> Object:
    row = posts.own(db, author, uri)
    offer = find(db, uri)
    if offer is None:
        raise NotFound("%(uri)s is no offer", uri=uri)
    if offer.state != "open":
        raise Conflict(
            "this offer is %(state)s already, and that is final; open a new one instead", state=STANDING[offer.state]
        )
    return row


# --- In ----------------------------------------------------------------------------------------------------------


@recognises("Proposal")
def is_valid(document: Document) -> bool:
    """Whether it is an offer as P-222 has it, whatever its type; if not, it is an ordinary post to us."""
    if not is_proposal(document):
        return False
    try:
        Proposal.read(document)
    except ProtocolError:
        return False
    return True


@receives("Create", "Proposal")
def receive(tx: Transaction, activity: Activity) -> None:
    if row := posts.receive(tx, activity):
        _keep(tx, row)


@receives("Update", "Proposal")
def receive_update(tx: Transaction, activity: Activity) -> None:
    """Raise `Forbidden` if it would open again what was filled or withdrawn (P-221)."""
    if row := posts.receive_update(tx, activity):
        _keep(tx, row)


@keeps("Proposal")
def keep(tx: Transaction, document: Document, found: bool = False) -> None:
    if row := posts.keep(tx, document, found):
        _keep(tx, row)


@listens(Erased)
def forget(tx: Transaction, event: Erased) -> None:
    if event.object.type == "Proposal":
        _drop(tx, event.object.id)


@listens(Departed)
def clear(tx: Transaction, event: Departed) -> None:
    """Nobody is left to do the work, or to pay for it."""
    for row in tx.db.scalars(by(event.actor)).all():
        known.bury(tx, row.uri, row.author)
        _drop(tx, row.id)


def _drop(tx: Transaction, offer: int) -> None:
    tx.db.execute(delete(Offer).where(Offer.id == offer))
    tx.db.execute(delete(OfferedSkill).where(OfferedSkill.offer == offer))


def _keep(tx: Transaction, row: Object) -> None:
    """Bring what is searched for in line with what the object says."""
    document = row.said
    if not is_valid(document):
        return  # of type Proposal, but none (P-222)
    said = Proposal.read(document)
    before = tx.db.scalar(select(Offer.state).where(Offer.id == row.id))
    if before not in (None, "open", said.state):
        raise Forbidden(f"an offer that is {before} stays so; open a new one instead")
    price = said.price or Price("")
    tx.db.merge(
        Offer(
            id=row.id,
            uri=row.uri,
            author=row.author,
            purpose=said.purpose,
            title=said.title,
            words=html.plain(said.text)[:MAX_WORDS],
            currency=price.currency or None,
            least=price.least,
            most=price.most,
            per=price.per,
            remote=said.remote,
            place=said.place,
            until=said.until,
            state=said.state,
        )
    )
    tx.db.execute(delete(OfferedSkill).where(OfferedSkill.offer == row.id))
    tx.db.add_all(OfferedSkill(skill=one, offer=row.id) for one in {skill.lower() for skill in said.skills})
    tx.db.flush()


# --- Queries -----------------------------------------------------------------------------------------------------


def find(db: Session, uri: str) -> Offer | None:
    """The offer at `uri`; ``None`` if there is none, or it was deleted."""
    return db.scalar(select(Offer).where(Offer.uri == uri))


def board(
    now: datetime, account: str, kind: Purpose | None = None, skill: str | None = None, text: str | None = None
) -> Select[Offer]:
    """Open offers of everyone whom `account` follows and its own, newest first: page through them by `Offer.id`.

    One index of the open ones serves it, however many posts there are.
    """
    query = select(Offer).join(Object, Object.id == Offer.id).where(*_open(now))
    query = query.where(or_(Offer.author == account, Offer.author.in_(follows.following(account))))
    query = query.where(Object.visibility.in_(ON_BOARD))
    if kind is not None:
        query = query.where(Offer.purpose == kind)
    if skill is not None:
        query = query.where(Offer.id.in_(select(OfferedSkill.offer).where(OfferedSkill.skill == skill.strip().lower())))
    for word in (text or "").split():
        contains = Offer.title.icontains(word, autoescape=True) | Offer.words.icontains(word, autoescape=True)
        query = query.where(contains)
    return query.order_by(Offer.id.desc())


def offers_of(actor: str, now: datetime) -> Select[int, str]:
    """Id and URI of the open offers of an actor that everybody may see, for its ``offers`` (P-223); page by the id."""
    query = select(Offer.id, Offer.uri).join(Object, Object.id == Offer.id)
    return query.where(Offer.author == actor, *_open(now), Object.visibility.in_(("public", "unlisted")))


def by(author: str) -> Select[Offer]:
    """All offers of somebody, in whatever state, newest first."""
    return select(Offer).where(Offer.author == author).order_by(Offer.id.desc())


def skills(db: Session, offer: Offer) -> list[str]:
    """The skills that an offer names, in lower case."""
    query = select(OfferedSkill.skill).where(OfferedSkill.offer == offer.id).order_by(OfferedSkill.skill)
    return list(db.scalars(query))


def _open(now: datetime) -> tuple[Any, Any]:
    return Offer.state == "open", or_(Offer.until.is_(None), Offer.until > now)
