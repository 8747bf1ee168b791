"""Keys of authors who cannot be asked, as members of a project say that they saw them listed (P-243, P-253, P-255).

The law: such a key proves what is said in the project with which it came, in its log and of commitments, and nothing
else. It signs no request and vouches for nobody; and it counts only as long as its owner's own server lists none under
its name.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Select, UniqueConstraint, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from activitypub import keys, proof
from activitypub.document import Document, Json, timestamp
from activitypub.errors import ProtocolError
from activitypub.origin import Activity
from activitypub.statement import Statement
from coop.statements import Entry, Membership
from federation import ids, known
from federation.store import Transaction
from federation.tables import Actor, Receipt, Row

MAX_VOUCHERS = 200  # by one member, of all projects (P-327)


class Voucher(Row):
    """Somebody's word that `public` is a key of `owner`, which its owner has not confirmed to us."""

    __tablename__ = "vouchers"
    __table_args__ = (UniqueConstraint("project", "key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project: Mapped[str]
    key: Mapped[str]  # its URI
    owner: Mapped[str] = mapped_column(index=True)
    public: Mapped[str]  # PEM
    by: Mapped[str] = mapped_column(index=True)
    since: Mapped[datetime]
    asked: Mapped[datetime | None] = mapped_column(default=None)  # when its owner's server was asked last


def vouch(db: Session, statement: Json, now: datetime) -> Json | None:
    """The key that proves a statement, for whoever cannot ask its owner; none that others only vouched for to us."""
    with suppress(ProtocolError):
        for claim in proof.read(statement, now):
            if key := known.key(db, claim.key_id):
                gone = db.scalar(select(Actor.gone).where(Actor.uri == key.owner))
                deleted = {"deleted": timestamp(gone)} if gone else {}
                return keys.as_multikey(key) | deleted
    return None


def receive(tx: Transaction, add: Document, activity: Activity, statement: Statement) -> None:
    """Keep the keys that come with a statement of somebody whom nobody here has met and who cannot be asked.

    Raise `known.Missing` to have them asked first, once, unless they are said to be no more: whoever is in a project
    has to be known to get what is said there.
    """
    vouched = add.embeddeds("vouchedKey")
    attempts = tx.db.scalar(select(Receipt.attempts).where(Receipt.uri == activity.id))
    if vouched and not attempts and not all(one.has("deleted") for one in vouched):
        known.actor(tx.db, statement.author)
    _take(tx, vouched, activity.actor, statement)


def _take(tx: Transaction, vouched: Iterable[Document], by: str, statement: Statement) -> None:
    """Keep the keys with which `by` passed a statement on, if they are its author's and `by` may vouch for them."""
    offered = keys.listed(Document({"id": statement.author, "assertionMethod": [one.json for one in vouched]}))
    for one in offered[: proof.MAX_PROOFS]:
        is_news = known.key(tx.db, one.id) is None and _key(tx.db, statement.project, one.id) is None
        if is_news and isinstance(one.public, Ed25519PublicKey) and _may_vouch(tx.db, statement.project, by):
            row = Voucher(
                id=ids.new(tx.now),
                project=statement.project,
                key=one.id,
                owner=one.owner,
                public=keys.write_pem(one.public),
                by=by,
                since=tx.now,
            )
            tx.db.add(row)
    tx.db.flush()


def _may_vouch(db: Session, project: str, by: str) -> bool:
    """Whoever invited one of us, whose word that is anyway, and everyone who is in the project; each for so many."""
    ours = Entry.subject.in_(known.locals_of(db))
    invited = select(Entry.id).where(Entry.project == project, Entry.author == by, Entry.kind == "invite", ours)
    inside = select(Membership.id).where(Membership.project == project, Membership.member == by)
    given = select(func.count()).select_from(Voucher).where(Voucher.by == by)
    may = db.scalar(invited.limit(1)) or db.scalar(inside)
    return may is not None and (db.scalar(given) or 0) < MAX_VOUCHERS


def proven(tx: Transaction, statement: Document, project: str) -> None:
    """Check the proof of what was signed in a project as `known.proven` does, if need be with a key vouched for there.

    Raise as that.
    """
    named = [claim.key_id for claim in proof.read(statement.json, tx.now)]
    vouched = {one: found for one in named if (found := _key(tx.db, project, one))}
    if vouched.keys() - {one for one in vouched if known.key(tx.db, one)}:
        proof.verify(statement.json, lambda key_id: known.key(tx.db, key_id) or vouched.get(key_id), tx.now)
    else:
        known.proven(tx, statement)


def unconfirmed(project: str) -> Select[str]:
    """Those of whose keys we have only the word of other members of a project."""
    return select(Voucher.owner).where(Voucher.project == project).order_by(Voucher.owner).distinct()


def _key(db: Session, project: str, key_id: str) -> keys.Key | None:
    row = db.scalar(select(Voucher).where(Voucher.project == project, Voucher.key == key_id))
    return keys.Key(row.key, row.owner, keys.load_pem(row.public), "assertionMethod") if row else None
