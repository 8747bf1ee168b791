"""Commitments as they are kept: what one member of a project will do for another, by when, and both signed (P-265).

The law: a commitment counts once both of its parties have signed the same words, and a new version of it likewise;
until then the one that it would replace counts. `promises` is how they are made, `fulfilment` how they end.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import JSON, ColumnElement, Index, Select, and_, delete, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from coop.accounts import Account
from coop.errors import Conflict, NotAllowed, NotFound
from coop.events import Kind, Notice, tell
from coop.statements import Project
from federation import known
from federation.registry import chore
from federation.store import Transaction
from federation.tables import Row

State = Literal["proposed", "agreed", "declined", "withdrawn", "replaced"]
Standing = Literal["proposed", "open", "late", "done", "kept", "released", "declined", "withdrawn", "replaced"]


class Commitment(Row):
    """One version of a commitment. `root` is the address of its first version, by which people name all of them."""

    __tablename__ = "commitments"
    __table_args__ = (
        Index(None, "provider", "state"),
        Index(None, "receiver", "state"),
        Index(None, "project", "author"),
        Index(None, "root"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)  # of its object
    uri: Mapped[str] = mapped_column(unique=True)
    hash: Mapped[str] = mapped_column(unique=True)
    root: Mapped[str]
    previous: Mapped[str | None]  # the hash of the version that it would replace
    project: Mapped[str]
    author: Mapped[str]
    provider: Mapped[str]
    receiver: Mapped[str]
    text: Mapped[str]  # clean HTML
    due: Mapped[datetime | None]
    hours: Mapped[Decimal | None]
    agreement: Mapped[str | None]
    made: Mapped[datetime]
    state: Mapped[State] = mapped_column(default="proposed")
    reason: Mapped[str] = mapped_column(default="")  # for which it was declined, as plain text
    accepted: Mapped[dict[str, Any] | None] = mapped_column(
        JSON(none_as_null=True), default=None
    )  # the signed ``Accept``
    claimed: Mapped[datetime | None] = mapped_column(default=None)  # when its provider said that it is done
    kept: Mapped[datetime | None] = mapped_column(default=None)  # when its receiver said so
    released: Mapped[datetime | None] = mapped_column(default=None)  # when its receiver let the provider off
    claim: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), default=None)  # as signed
    thanks: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), default=None)  # the receiver's word
    release: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), default=None)  # as signed
    provider_shows: Mapped[bool] = mapped_column(default=False)
    receiver_shows: Mapped[bool] = mapped_column(default=False)

    @property
    def other(self) -> str:
        return self.receiver if self.author == self.provider else self.provider

    @property
    def is_over(self) -> bool:
        return self.kept is not None or self.released is not None

    def standing(self, now: datetime) -> Standing:
        """How it stands; that it is late follows from its own date, whatever anybody's server does."""
        if self.state != "agreed":
            return self.state
        if self.is_over:
            return "kept" if self.kept else "released"
        if self.claimed:
            return "done"
        return "late" if self.due is not None and self.due < now else "open"


# --- What counts -------------------------------------------------------------------------------------------------


def settle(tx: Transaction, root: str) -> None:
    """Let the last version that both signed count, and no other; what is over is not replaced.

    If both of them proposed one at the same time, and each signed the other's, the higher hash counts (P-266). So it
    follows from what was signed alone, and every member finds the same in whatever order that came.
    """
    rows = tx.db.scalars(select(Commitment).where(Commitment.root == root)).all()
    signed = [one for one in rows if one.accepted is not None]
    last = max((one for one in signed if one.previous is None), key=_hash, default=None)
    while last and not last.is_over and (later := [one for one in signed if one.previous == last.hash]):
        last = max(later, key=_hash)
    if last is None:
        return
    for row in rows:
        is_moot = row.previous != last.hash or last.is_over
        if row.accepted is not None or (row.state == "proposed" and is_moot):
            row.state = "agreed" if row is last else "replaced"
    tx.db.flush()


def _hash(row: Commitment) -> str:
    return row.hash


def tell_party(tx: Transaction, kind: Kind, to: str, by: str, row: Commitment) -> None:
    if known.is_local(tx.db, to):
        tell(tx, Notice(kind, to, by, row.uri))


@chore(timedelta(hours=1))
def clear(tx: Transaction) -> bool:
    """Forget what others promised each other in projects that are forgotten; one's own promises stay (P-327)."""
    ours = select(Account.uri)
    between = and_(Commitment.provider.not_in(ours), Commitment.receiver.not_in(ours))
    tx.db.execute(delete(Commitment).where(between, Commitment.project.not_in(select(Project.uri))))
    return False


# --- Queries -----------------------------------------------------------------------------------------------------


def find(db: Session, uri: str) -> Commitment | None:
    return db.scalar(select(Commitment).where(Commitment.uri == uri))


def at(db: Session, uri: str, account: str) -> Commitment:
    """One version of a commitment between `account` and another. Raise `NotFound`, or `NotAllowed` for others'."""
    row = find(db, uri)
    if row is None:
        raise NotFound("there is no commitment %(uri)s here", uri=uri)
    if account not in (row.provider, row.receiver):
        raise NotAllowed("that is between two others")
    return row


def open_at(db: Session, uri: str, account: str) -> Commitment:
    """The version that counts of a commitment between `account` and another, named by any version of it.

    Raise `NotFound`, `NotAllowed` if it is between two others, `Conflict` if it is not agreed, or is over.
    """
    row = agreed_at(db, uri, account)
    if row.is_over:
        raise Conflict("it is kept already") if row.kept else Conflict("it is released already")
    return row


def agreed_at(db: Session, uri: str, account: str) -> Commitment:
    """The same, whether it is over or not."""
    row = at(db, uri, account)
    if (found := db.scalar(versions(row.root, "agreed").limit(1))) is None:
        raise Conflict("it is not signed by both, so it does not count yet")
    return found


def history(db: Session, uri: str, account: str) -> Select[Commitment]:
    """Every version of a commitment of `account`, the first one first. Raise `NotFound`, `NotAllowed`."""
    row = at(db, uri, account)
    return select(Commitment).where(Commitment.root == row.root).order_by(Commitment.id)


def mine(account: str, project: str | None = None) -> Select[Commitment]:
    """What `account` has to do for others, in all projects or in one; what is due first comes first."""
    return _listed(project).where(Commitment.provider == account)


def to_me(account: str, project: str | None = None) -> Select[Commitment]:
    """What others have to do for `account`."""
    return _listed(project).where(Commitment.receiver == account)


def of(account: str, project: str | None = None) -> Select[Commitment]:
    return _listed(project).where(or_(Commitment.provider == account, Commitment.receiver == account))


def _listed(project: str | None) -> Select[Commitment]:
    query = select(Commitment).where(Commitment.state.in_(("proposed", "agreed")))
    query = query.where(Commitment.kept.is_(None), Commitment.released.is_(None))
    if project is not None:
        query = query.where(Commitment.project == project)
    return query.order_by(Commitment.due.is_(None), Commitment.due, Commitment.id)


def after(row: Commitment) -> ColumnElement[bool]:
    """What comes after `row` in a list of open ones."""
    is_later = and_(Commitment.due == row.due, Commitment.id > row.id)
    if row.due is None:
        return and_(Commitment.due.is_(None), Commitment.id > row.id)
    return or_(Commitment.due.is_(None), Commitment.due > row.due, is_later)


def versions(root: str, state: State) -> Select[Commitment]:
    return select(Commitment).where(Commitment.root == root, Commitment.state == state)
