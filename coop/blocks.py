"""Whom somebody here does not want to deal with, and the domains that nobody here does. None of it is announced."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, UniqueConstraint, and_, bindparam, delete, literal, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from activitypub.errors import Forbidden
from activitypub.origin import Activity
from activitypub.origin import host as host_of
from coop.errors import NotFound, Trouble
from coop.events import Blocked, tell
from federation import ids, known
from federation.instance import domains
from federation.prepared import Prepared
from federation.registry import receives
from federation.store import Transaction
from federation.tables import Actor, BlockedDomain, Delivery, Row


class Block(Row):
    """Between two actors, at least one of whom lives here."""

    __tablename__ = "blocks"
    __table_args__ = (UniqueConstraint("by", "blocked"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    by: Mapped[str]
    blocked: Mapped[str]
    since: Mapped[datetime]
    uri: Mapped[str | None] = mapped_column(index=True, default=None)  # of the Block, if it came from elsewhere


_THERE = and_(Block.by == bindparam("one"), Block.blocked == bindparam("other"))
_BACK = and_(Block.by == bindparam("other"), Block.blocked == bindparam("one"))
_BETWEEN = Prepared(select(Block.id).where(or_(_THERE, _BACK)).limit(1))


def block(tx: Transaction, account: str, actor: str) -> None:
    """End every relation with `actor`, both ways. Nobody is told (P-124). Raise `known.Missing` for a stranger."""
    if account == actor:
        raise Trouble("you cannot block yourself")
    known.actor(tx.db, actor)
    _keep(tx, account, actor)


def unblock(tx: Transaction, account: str, actor: str) -> None:
    """Raise `NotFound` if `account` does not block that actor."""
    tx.db.info.pop("blocks", None)
    if not tx.db.execute(delete(Block).where(Block.by == account, Block.blocked == actor)).rowcount:  # type: ignore[attr-defined]
        raise NotFound("you do not block them")


def block_domain(tx: Transaction, host: str, reason: str = "") -> None:
    """Take nothing from `host` and its subdomains, and send nothing there, from now on."""
    name = _domain(host)
    row = {"host": name, "since": tx.now, "reason": reason}
    tx.db.execute(tx.insert(BlockedDomain).values(row).on_conflict_do_nothing())
    below = or_(Delivery.lane == name, Delivery.lane.endswith(f".{name}", autoescape=True))
    tx.db.execute(delete(Delivery).where(below, Delivery.state == "waiting"))
    tx.wakes("blocks")


def unblock_domain(tx: Transaction, host: str) -> None:
    """Raise `NotFound` if that domain is not blocked."""
    if not tx.db.execute(delete(BlockedDomain).where(BlockedDomain.host == _domain(host))).rowcount:  # type: ignore[attr-defined]
        raise NotFound("%(host)s is not blocked", host=host)
    tx.wakes("blocks")


def _domain(host: str) -> str:
    name = host.strip().lower().rstrip(".")
    if not name or "/" in name or " " in name:
        raise Trouble("a domain looks like example.org")
    return name


def shuts_out(account: str) -> ColumnElement[bool]:
    """Whether there is a block between `account` and an actor, either way, or its whole domain is blocked."""
    between = (Block.by == account) & (Block.blocked == Actor.uri)
    back = (Block.by == Actor.uri) & (Block.blocked == account)
    below = Actor.host.like(literal("%.").concat(BlockedDomain.host))
    domain = select(BlockedDomain.host).where(or_(BlockedDomain.host == Actor.host, below))
    return or_(select(Block.id).where(or_(between, back)).exists(), domain.exists())


def look_up(db: Session, one: str, others: Collection[str]) -> None:
    """Have at hand, for `exists`, whether there is a block between `one` and each of `others`."""
    between = (Block.by == one) & Block.blocked.in_(others)
    back = (Block.blocked == one) & Block.by.in_(others)
    found = {(row.by, row.blocked) for row in db.execute(select(Block.by, Block.blocked).where(or_(between, back)))}
    memory: dict[tuple[str, str], bool] = db.info.setdefault("blocks", {})
    memory |= {(min(one, other), max(one, other)): bool({(one, other), (other, one)} & found) for other in others}


def check_domain(db: Session, actor: str) -> None:
    """Raise `Forbidden` for an actor of a domain that is blocked here, whoever passed on what they did (P-322)."""
    blocked = select(BlockedDomain.host).where(BlockedDomain.host.in_(domains(host_of(actor))))
    if db.scalar(blocked.limit(1)):
        raise Forbidden(f"{actor} is on a server that is blocked here")


def exists(db: Session, one: str, other: str) -> bool:
    """Whether either of the two blocks the other."""
    memory: dict[tuple[str, str], bool] = db.info.setdefault("blocks", {})
    pair = (one, other) if one < other else (other, one)
    if (found := memory.get(pair)) is None:
        found = memory[pair] = _BETWEEN.value(db, one=one, other=other) is not None
    return found


@receives("Block")
def receive(tx: Transaction, activity: Activity) -> None:
    """Somebody elsewhere blocks one of us: their relations end, and nothing more is said about it (P-124)."""
    blocked = known.account(tx.db, activity.uri("object"))
    known.actor(tx.db, activity.actor)
    uri = activity.uri("id")
    if uri is None or not known.was_undone(tx.db, uri, activity.actor):
        _keep(tx, activity.actor, blocked.uri, uri)


@receives("Undo", "Block")
def receive_undo(tx: Transaction, activity: Activity) -> None:
    """By the embedded Block, or by its id alone; one that comes before its Block is remembered (P-121)."""
    undone, uri = activity.embedded("object"), activity.uri("object")
    about = Block.uri == uri
    if undone is not None and known.may_be_named_anew(activity, undone):
        about |= Block.blocked == undone.uri("object")
    tx.db.info.pop("blocks", None)
    found = tx.db.execute(delete(Block).where(Block.by == activity.actor, about)).rowcount  # type: ignore[attr-defined]
    if not found and uri:
        known.remember_undone(tx, uri, activity.actor)


def _keep(tx: Transaction, by: str, blocked: str, uri: str | None = None) -> None:
    row = {"id": ids.new(tx.now), "by": by, "blocked": blocked, "since": tx.now, "uri": uri}
    tx.db.execute(tx.insert(Block).values(row).on_conflict_do_nothing())
    tx.db.info.pop("blocks", None)
    tell(tx, Blocked(by, blocked))
