"""Endorsements: one actor's signed word for another's skill, given, received, shown, and taken back for ever.

An endorsement is a post with a signed object inside; that object is kept here exactly as it was received. The law: it
is nobody's word but its giver's, by the giver's own proof, and what was taken back never comes to life again. What may
be said of one at a given moment is for `verdicts` to tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import JSON, Index, Select, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from activitypub import audience, badge, context, endorsement, markdown, proof
from activitypub.document import Document, Json
from activitypub.endorsement import FRAGMENT, Capacity
from activitypub.errors import Forbidden, Malformed, ProtocolError, Unverified
from activitypub.note import Note
from activitypub.origin import Activity
from coop import blocks, identities, mentions, posts
from coop.errors import NotAllowed, NotFound, Trouble
from coop.events import Erased, Notice, listens, tell
from federation import known, outbox
from federation.instance import own_proof_key
from federation.registry import keeps, receives, recognises
from federation.store import Transaction
from federation.tables import Actor, Key, Object, Row

MAX_REVOKED = 200  # of one author, that are remembered although they never came here


class Endorsement(Row):
    """`inner` is the signed object; who gave it may have deleted the post around it."""

    __tablename__ = "endorsements"
    __table_args__ = (Index(None, "subject", "id"), Index(None, "endorser", "id"))

    id: Mapped[int] = mapped_column(primary_key=True)  # of its object
    uri: Mapped[str] = mapped_column(unique=True)  # of the note; the signed object's has a fragment more
    endorser: Mapped[str]
    subject: Mapped[str]
    hash: Mapped[str] = mapped_column(index=True)  # by which it is served as a copy (P-243)
    inner: Mapped[dict[str, Any]]
    received: Mapped[datetime]
    display: Mapped[Literal["waiting", "accepted", "declined"]]  # as the subject decided (P-247)
    confirmed: Mapped[datetime | None] = mapped_column(default=None)  # when its giver's server last stood by it
    badge: Mapped[str | None] = mapped_column(default=None)  # its giver's signature of it as an Open Badge
    revoked: Mapped[datetime | None] = mapped_column(default=None)
    # The signed ``Delete``, to be passed on.
    revocation: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), default=None)


class EndorsedSkill(Row):
    """A skill that an endorsement names, in lower case."""

    __tablename__ = "endorsed_skills"

    skill: Mapped[str] = mapped_column(primary_key=True)
    endorsement: Mapped[int] = mapped_column(primary_key=True)


class Snapshot(Row):
    """The document of somebody who endorsed, with its keys, as this server first and last saw it (P-243)."""

    __tablename__ = "snapshots"

    actor: Mapped[str] = mapped_column(primary_key=True)
    first: Mapped[dict[str, Any]]
    first_seen: Mapped[datetime]
    last: Mapped[dict[str, Any]]
    last_seen: Mapped[datetime]
    asked: Mapped[datetime | None] = mapped_column(default=None)  # when it was last tried, with or without an answer


# --- Out ---------------------------------------------------------------------------------------------------------


def give(
    tx: Transaction,
    account: str,
    subject: str,
    skills: Sequence[str],
    text: str,
    capacity: Capacity = "peer",
    work: str | None = None,
    until: datetime | None = None,
) -> Object:
    """Vouch in public for somebody's skills; `text` is Markdown, `work` the address of what was done together.

    Raise `known.Missing` for a subject whom nobody here has met, `Trouble` for what is no endorsement.
    """
    actor = known.actor(tx.db, subject)
    if subject == account:
        raise Trouble("nobody endorses themselves")
    if blocks.exists(tx.db, account, subject):
        raise NotAllowed("you cannot endorse them")
    if until is not None and until <= tx.now:
        raise Trouble("the date until which it holds is over already")
    uri = outbox.new_uri(tx, "notes")
    try:
        said = endorsement.Endorsement(
            id=uri + FRAGMENT,
            author=account,
            subject=subject,
            skills=tuple(dict.fromkeys(one.strip() for one in skills)),
            capacity=capacity,
            text=markdown.from_text(text, tx.home),
            published=tx.now,
            work=work or None,
            until=until,
        )
        key_id, key = own_proof_key(tx.db, account)
        inner = proof.sign(said.write(), key_id, key, tx.now)
    except Malformed as error:
        raise Trouble("that cannot be an endorsement: %(why)s", why=error) from error
    note = _note(tx, said, actor)
    extra = {"endorsement": inner, badge.PROPERTY: badge.sign(inner, key, tx.now)}
    row = posts.publish_note(tx, note, "public", extra, context.ENDORSEMENT_NOTE)
    _keep(tx, row)
    return row


def revoke(tx: Transaction, account: str, uri: str) -> None:
    """Take back an endorsement of one's own: for ever, and everywhere it went (P-245).

    Raise `NotFound` if there is none such, `NotAllowed` if it is another's.
    """
    row = at(tx.db, uri)
    posts.delete(tx, account, row.uri)


def _note(tx: Transaction, said: endorsement.Endorsement, subject: Actor) -> Note:
    """The post around it, for everybody who only reads posts."""
    addressed = audience.addressed("public", known.account(tx.db, said.author).followers, [subject.uri])
    address = subject.address or subject.handle
    return Note(
        id=said.note,
        author=said.author,
        content=endorsement.content(said, address, mentions.profile_page(subject)),
        to=tuple(addressed["to"]),
        cc=tuple(addressed["cc"]),
        published=said.published,
        url=said.note,
        context=f"{said.note}/context",
        mentions=(mentions.mention(subject),),
    )


# --- In ----------------------------------------------------------------------------------------------------------


@recognises("Endorsement")
def carries_one(document: Document) -> bool:
    """By what it has, or had (P-209); what is another's has become a bare URI by now, and is refused below."""
    return document.has("endorsement") or "Endorsement" in document.uris("formerType")


@receives("Create", "Endorsement")
def receive(tx: Transaction, activity: Activity) -> None:
    """Raise `Forbidden` or `Unverified` for what is not the sender's own proven word (P-241)."""
    document = activity.embedded("object")
    if document is not None:
        _verify(tx, document)
    if row := posts.receive(tx, activity):
        _keep(tx, row)


@receives("Update", "Endorsement")
def receive_update(tx: Transaction, activity: Activity) -> None:
    """Only the words around it may change; another object under the same id is refused, and the first stays (P-246)."""
    document = activity.embedded("object")
    if document is not None:
        _verify(tx, document)
    if row := posts.receive_update(tx, activity):
        _keep(tx, row)


@receives("Delete", "Endorsement")
def receive_delete(tx: Transaction, activity: Activity) -> None:
    """Of one that never came here the proven word that it is revoked is remembered for good, too (P-245)."""
    posts.erase(tx, activity)
    rows = [known.find(tx.db, uri) for uri in activity.uris("object")[: posts.MAX_ERASED]]
    never_came = [row for row in rows if row is not None and row.type == known.TOMBSTONE]
    if never_came and _is_proven(tx.db, activity, tx.now):
        for row in never_came[: _room_for(tx.db, activity.actor)]:
            row.type = "Endorsement"  # else it would be forgotten after a while


@keeps("Endorsement")
def keep(tx: Transaction, document: Document) -> None:
    """Keep one that was fetched from where it lives, if it holds."""
    _verify(tx, document)
    if row := posts.keep(tx, document):
        _keep(tx, row)


@listens(Erased)
def take_back(tx: Transaction, event: Erased) -> None:
    """Whoever deletes the note revokes the endorsement.

    That a server has forgotten the note is no revocation: then nothing was said by anybody.
    """
    row = tx.db.get(Endorsement, event.object.id) if event.object.type == "Endorsement" else None
    if row is not None and event.activity.get("id"):
        revoked(tx, row, Document(event.activity))


def revoked(tx: Transaction, row: Endorsement, deletion: Document) -> None:
    """Remember for ever that an endorsement was taken back, with the signed word for it if there is one."""
    if row.revocation is None and is_signed(tx.db, row.uri, row.endorser, deletion, tx.now):
        row.revocation = deletion.json
    if row.revoked is None:
        row.revoked = tx.now
        if known.is_local(tx.db, row.subject):
            tell(tx, Notice("endorsement revoked", row.subject, row.endorser, row.uri))
    tx.db.flush()


def is_signed(db: Session, uri: str, endorser: str, deletion: Document, now: datetime) -> bool:
    """Whether `deletion` is the endorser's own proven ``Delete`` of this very endorsement (P-245)."""
    return endorsement.revokes(deletion, uri, endorser) and _is_proven(db, deletion, now)


def _is_proven(db: Session, deletion: Document, now: datetime) -> bool:
    try:
        known.check_proof(db, deletion, now)
    except ProtocolError:
        return False
    return True


def _room_for(db: Session, author: str) -> int:
    """How much more may be remembered that an author revoked and that never came, or they could fill the disk."""
    came = select(Endorsement.id).where(Endorsement.id == Object.id).exists()
    revoked = (Object.author == author, Object.type == "Endorsement", Object.deleted.is_not(None), ~came)
    remembered = db.scalar(select(func.count()).select_from(Object).where(*revoked)) or 0
    return max(0, MAX_REVOKED - remembered)


def _verify(tx: Transaction, note: Document) -> None:
    """Raise `ProtocolError` unless the note carries its own author's endorsement, proven and of the first hand."""
    inner = note.embedded("endorsement")
    if inner is None:
        raise Forbidden("an endorsement is sent by the one who gives it")
    said = endorsement.Endorsement.read(inner)
    if (said.note, said.author) != (note.id, note.require("attributedTo")):
        raise Forbidden("an endorsement is sent by the one who gives it, in the note that it names")
    first = tx.db.scalar(select(Endorsement.hash).where(Endorsement.uri == note.id))
    if first is not None:
        if first != proof.hash_of(inner.json):
            raise Forbidden("an endorsement does not change: take it back and give another (P-246)")
        return
    if blocks.exists(tx.db, said.subject, said.author):
        raise Forbidden("this endorsement is not taken")
    endorser, key = _prover(tx, said.author, inner)
    # An old endorsement may reach us before anything else of its giver. Only of a key that was not yet there when we
    # had looked before can we tell that it proves nothing older.
    since = key.first_seen if endorser.first_seen < key.first_seen else None
    endorsement.check(said, key.owner, tx.now, since)
    if endorsement.has_expired(said, tx.now):
        raise Forbidden("the endorsement has expired")


def _prover(tx: Transaction, author: str, inner: Document) -> tuple[Actor, Key]:
    """The author and the key that proves it. Raise `known.Missing` if the author's keys have to be asked for."""
    endorser = known.actor(tx.db, author)
    claimed = [one.key_id for one in proof.read(inner.json, tx.now)]
    if not claimed:
        raise Unverified("the endorsement has no proof of its own")
    if tx.db.scalar(select(Key.id).where(Key.id.in_(claimed)).limit(1)) is None:
        raise known.Missing(author)
    held = proof.verify(inner.json, lambda key_id: known.key(tx.db, key_id), tx.now)
    return endorser, tx.db.get_one(Key, held.key_id)


def _keep(tx: Transaction, row: Object) -> None:
    """Put down what was just verified, unless it is here already."""
    if tx.db.get(Endorsement, row.id) is not None:
        return
    inner: Json = row.document["endorsement"]
    said = endorsement.Endorsement.read(Document(inner))
    is_ours = known.is_local(tx.db, said.subject)
    fields: dict[str, Any] = {
        "uri": row.uri,
        "endorser": said.author,
        "subject": said.subject,
        "hash": proof.hash_of(inner),
    }
    display: Any = "waiting" if is_ours else "accepted"  # for others their own server decides
    fields["badge"] = row.said.text(badge.PROPERTY)[: badge.MAX_PROOF] or None
    tx.db.add(Endorsement(id=row.id, inner=inner, received=tx.now, display=display, **fields))
    tx.db.add_all(EndorsedSkill(skill=one, endorsement=row.id) for one in {skill.lower() for skill in said.skills})
    tx.db.flush()
    remember(tx, known.actor(tx.db, said.author))
    if is_ours:
        tell(tx, Notice("endorsement", said.subject, said.author, row.uri))


def remember(tx: Transaction, actor: Actor) -> None:
    """Keep what the actor's server says of it now, beside what it said when we first met (P-243)."""
    seen = {"last": actor.document, "last_seen": actor.fetched}
    first = {"actor": actor.uri, "first": actor.document, "first_seen": actor.fetched}
    kept = tx.insert(Snapshot).values(**first, **seen)
    tx.db.execute(kept.on_conflict_do_update(index_elements=["actor"], set_=seen))


# --- Shown or not ------------------------------------------------------------------------------------------------


def accept(tx: Transaction, account: str, uri: str) -> None:
    """Show an endorsement of oneself on one's profile. Raise as `decline` does."""
    _of_oneself(tx.db, account, uri).display = "accepted"


def decline(tx: Transaction, account: str, uri: str) -> None:
    """Do not show an endorsement of oneself. Nobody is told. Raise `NotFound`, or `NotAllowed` if it is of another."""
    _of_oneself(tx.db, account, uri).display = "declined"


def _of_oneself(db: Session, account: str, uri: str) -> Endorsement:
    row = at(db, uri)
    if row.subject not in identities.same(db, account):
        raise NotAllowed("only the one who is endorsed decides whether it is shown")
    return row


# --- Queries -----------------------------------------------------------------------------------------------------


def find(db: Session, uri: str) -> Endorsement | None:
    """By the address of its note, or of the signed object inside."""
    return db.scalar(select(Endorsement).where(Endorsement.uri == uri.removesuffix(FRAGMENT)))


def at(db: Session, uri: str) -> Endorsement:
    """Raise `NotFound` if there is none."""
    row = find(db, uri)
    if row is None:
        raise NotFound("there is no endorsement %(uri)s here", uri=uri)
    return row


def seen_by(db: Session, account: str, uri: str) -> Endorsement:
    """Raise `NotFound` if there is none, or it is about somebody else who does not show it."""
    row = at(db, uri)
    if row.display != "accepted" and account != row.endorser and row.subject not in identities.same(db, account):
        raise NotFound("there is no endorsement %(uri)s here", uri=uri)
    return row


def received_by(*addresses: str) -> Select[Endorsement]:
    """All endorsements of somebody at all their `addresses` (`identities.same`), newest first.

    Those revoked and those not shown are included.
    """
    return select(Endorsement).where(Endorsement.subject.in_(addresses)).order_by(Endorsement.id.desc())


def given_by(endorser: str) -> Select[Endorsement]:
    """All that somebody vouched for, newest first; what was taken back is included."""
    return select(Endorsement).where(Endorsement.endorser == endorser).order_by(Endorsement.id.desc())


def shown_of(*addresses: str, skill: str | None = None) -> Select[Endorsement]:
    """Those that visitors see; one that was revoked is among them, to be shown as such."""
    query = received_by(*addresses).where(Endorsement.display == "accepted")
    if skill is None:
        return query
    named = select(EndorsedSkill.endorsement).where(EndorsedSkill.skill == skill.strip().lower())
    return query.where(Endorsement.id.in_(named))


def endorsements_received(subject: str) -> Select[int, str]:
    """Id, and URI of the note, for the collection of that name (P-247); page by the id."""
    shown = (Endorsement.display == "accepted", Endorsement.revoked.is_(None))
    return select(Endorsement.id, Endorsement.uri).where(Endorsement.subject == subject, *shown)


def endorsements_given(endorser: str) -> Select[int, str]:
    """Id, and URI of the note, for the collection of that name (P-247); page by the id."""
    given = (Endorsement.endorser == endorser, Endorsement.revoked.is_(None))
    return select(Endorsement.id, Endorsement.uri).where(*given)


def revocations(endorser: str) -> Select[int, dict[str, Any]]:
    """Id, and the signed ``Delete`` itself, for the collection of that name (P-245); page by the id."""
    taken_back = (Endorsement.endorser == endorser, Endorsement.revocation.is_not(None))
    return select(Endorsement.id, Endorsement.revocation).where(*taken_back)
