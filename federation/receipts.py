"""Working through what was acknowledged: in order per actor, each in a transaction of its own.

The law: handlers never fetch. One that needs something unknown raises `known.Missing`; it is fetched outside of any
transaction, and the handler runs again. A receipt that fails is tried again later and never holds up another actor's.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

import structlog
from cachetools import TTLCache
from sqlalchemy import ColumnElement, bindparam, func, select, update
from sqlalchemy.orm import Session

from activitypub.document import Document
from activitypub.errors import ProtocolError
from activitypub.origin import host, own_words, site
from federation import discovery, forwarding, inbox, known, outbox, settling
from federation.allowance import REMEMBERED
from federation.client import Gone, Unreachable
from federation.dispatch import dispatch
from federation.instance import Instance
from federation.keyring import TryLater
from federation.prepared import Prepared
from federation.store import FAULTS, Transaction, Unavailable
from federation.tables import Progress, Receipt

BATCH = 192  # with the time that each takes, some fifty milliseconds in which nobody else writes
ATTEMPTS = 8  # after half a minute first, after six hours last; then it waits for the operator
PLACES = 32  # receipts for which something is fetched, at once
PLACES_OF_A_SITE = 8  # of them, or one domain whose servers are slow would have them all
NO_PLACE = 5.0  # seconds, for which an actor stands back for whom there was none
MAX_FAILED = 100  # of one site, that wait for the operator with all that they say (P-327)
REFUSALS = (ProtocolError, outbox.TooLong)  # the latter for what is so long that no answer can quote it

_DUE = Prepared(select(Receipt.id).where(Receipt.state == "waiting", Receipt.due <= bindparam("now")).limit(1))
_DONE = (
    update(Receipt)
    .where(Receipt.id.in_(bindparam("numbers", expanding=True)))
    .values(state="done", error=None, body=b"")
)

log = structlog.get_logger()


@dataclass(slots=True)
class Receipts:
    """The worker of one instance."""

    here: Instance
    _fetching: dict[str, asyncio.Task[None]] = field(default_factory=dict)  # by the actor whose next receipts wait
    _standing_back: TTLCache[str, None] = field(init=False)  # actors for whom there was no place

    def __post_init__(self) -> None:
        self._standing_back = TTLCache(REMEMBERED, NO_PLACE, timer=lambda: self.here.now().timestamp())

    async def work(self) -> bool:
        """Work through some of the receipts that are due. Return whether there were any."""
        held = {*self._fetching, *self._standing_back}
        if not await self.here.store.read(lambda db: _is_any_due(db, self.here.now(), held)):
            return False
        try:
            self._set_out(await self.here.store.write(partial(_work_through, held=held)))
        except Unavailable:
            await self._set_out_one_by_one(held)
            raise
        except Exception:
            log.exception("receipts.failed")
            await self._set_out_one_by_one(held)
        return True

    @property
    def is_fetching(self) -> bool:
        """Whether something is being fetched for a receipt at this moment."""
        return bool(self._fetching)

    async def finish(self) -> None:
        """Wait until what is being fetched has arrived."""
        while self._fetching:
            await asyncio.gather(*self._fetching.values())

    async def _set_out_one_by_one(self, held: Collection[str]) -> None:
        """As a batch they came to nothing: whichever of them is why is not to stop the others."""
        self._set_out(await self.here.store.read(lambda db: _firsts(db, self.here.now(), held)))

    def _set_out(self, receipts: Iterable[tuple[int, str]]) -> None:
        """Complete them, each of another actor, as far as there is place."""
        crowd = Counter(site(host(actor)) for actor in self._fetching)
        for receipt_id, actor in receipts:
            home = site(host(actor))
            if crowd[home] < PLACES_OF_A_SITE and crowd.total() < PLACES:
                crowd[home] += 1
                self._fetching[actor] = task = asyncio.create_task(self._complete(receipt_id))
                task.add_done_callback(lambda _, actor=actor: self._release(actor))  # type: ignore[misc]
            else:
                self._standing_back[actor] = None

    def _release(self, actor: str) -> None:
        del self._fetching[actor]
        self.here.store.topic("receipts").set()

    async def _complete(self, receipt_id: int) -> None:
        """Run one receipt by itself, with all that it needs from elsewhere."""
        here = self.here
        refused = failed = early = ""
        hint = select(Receipt.body).where(Receipt.id == receipt_id, ~Receipt.proven, Receipt.state == "waiting")
        try:
            if (body := await here.store.read(lambda db: db.scalar(hint))) is not None:
                await inbox.look_into(here, body)
            await discovery.completing(here, partial(_complete, receipt_id=receipt_id))
            return
        except (*REFUSALS, Gone) as error:
            refused = str(error)
        except known.TooEarly as error:
            early = str(error)
        except (Unreachable, Unavailable, TryLater) as error:
            failed = str(error)
        except Exception as error:  # a bug must not stop the mail
            log.exception("receipt.failed", receipt=receipt_id)
            failed = f"{type(error).__name__}: {error}"
        with suppress(Unavailable):  # it is still waiting, then
            await here.store.write(lambda tx: _settle(tx, receipt_id, refused, failed, early))


def replay(tx: Transaction, receipt_id: int | None = None) -> int:
    """Try failed receipts again, one or all; return how many."""
    failed = update(Receipt).where(Receipt.state == "failed")
    if receipt_id is not None:
        failed = failed.where(Receipt.id == receipt_id)
    tx.wakes("receipts")
    return tx.db.execute(failed.values(state="waiting", attempts=0, due=tx.now)).rowcount  # type: ignore[attr-defined, no-any-return]


def drop(tx: Transaction, receipt_id: int) -> bool:
    """Let go of a failed receipt: it is refused from now on. Return whether there was one."""
    failed = update(Receipt).where(Receipt.id == receipt_id, Receipt.state == "failed")
    return bool(tx.db.execute(failed.values(state="refused", body=b"")).rowcount)  # type: ignore[attr-defined]


def _work_through(tx: Transaction, held: Collection[str]) -> list[tuple[int, str]]:
    """Handle a batch; return id and actor of those receipts that need something from elsewhere."""
    if not _alone(tx):
        return []
    held = set(held)
    columns = (Receipt.id, Receipt.uri, Receipt.actor, Receipt.proven, Receipt.body)
    waiting = select(*columns).where(*_due(tx.now, held))
    done: list[int] = []
    unfinished: list[tuple[int, str]] = []
    hosts: set[str] = set()
    batch = tx.db.execute(waiting.order_by(Receipt.due, Receipt.id).limit(BATCH)).all()
    read = {row.id: Document.reread(row.body) for row in batch if row.proven}
    known.look_up(tx.db, {row.actor for row in batch}, {uri for one in read.values() for uri in _asked_for(one)})
    for number, uri, actor, proven, body in batch:
        if actor in held:
            continue
        hosts.add(host(actor))
        if proven and _attempt(tx, number, uri, read[number], body, done):
            continue
        held.add(actor)
        unfinished.append((number, actor))
    if done:
        tx.db.connection().execute(_DONE, {"numbers": done})
    settling.hear_from(tx, hosts)
    return unfinished


def _firsts(db: Session, now: datetime, held: Collection[str]) -> list[tuple[int, str]]:
    """The first of each actor, of what a batch would have handled."""
    due = select(Receipt.id, Receipt.actor).where(*_due(now, held), Receipt.proven)
    batch = db.execute(due.order_by(Receipt.due, Receipt.id).limit(BATCH)).all()
    firsts: dict[str, int] = {}
    for number, actor in batch:
        firsts.setdefault(actor, number)
    return [(number, actor) for actor, number in firsts.items()]


def _asked_for(activity: Document) -> Iterator[str]:
    """The objects that its handler will ask for."""
    embedded = activity.embedded("object")
    if embedded and (answered := embedded.uri("inReplyTo")):
        yield answered
    if activity.type != "Create" and (uri := activity.uri("object")):
        yield uri


def _due(now: datetime, held: Collection[str]) -> list[ColumnElement[bool]]:
    """What may be worked on: nothing of an actor who has an earlier receipt that is being completed."""
    due: list[ColumnElement[bool]] = [Receipt.state == "waiting", Receipt.due <= now]
    return [*due, Receipt.actor.not_in(held)] if held else due


def _is_any_due(db: Session, now: datetime, held: Collection[str]) -> bool:
    """It is asked twice a second for ever: what is asked nearly always is prepared."""
    if held:
        return db.scalar(select(Receipt.id).where(*_due(now, held)).limit(1)) is not None
    return _DUE.value(db, now=now) is not None


def _attempt(tx: Transaction, number: int, uri: str, document: Document, body: bytes, done: list[int]) -> bool:
    """Whether the receipt is settled, one way or the other; nothing of it is stored if something is missing."""
    try:
        with tx.attempt():
            _handle(tx, document, body)
        done.append(number)
    except known.Missing:
        return False
    except REFUSALS as error:
        _settle(tx, number, refused=str(error))
    except known.TooEarly as error:
        _settle(tx, number, early=str(error))
    except (*FAULTS, Unavailable):
        raise
    except Exception as error:  # a bug must not stop the mail
        log.exception("receipt.failed", receipt=uri)
        _settle(tx, number, failed=f"{type(error).__name__}: {error}")
    return True


def _handle(tx: Transaction, document: Document, body: bytes) -> None:
    """Find the feature that this is for, and run it. Whatever nobody here knows is kept quietly (P-102)."""
    activity = own_words(document)
    if dispatch(tx, activity):
        forwarding.consider(tx, activity, body)


def _complete(tx: Transaction, receipt_id: int) -> None:
    """Handle one receipt, and mark it done in the same transaction."""
    receipt = _waiting(tx, receipt_id)
    if receipt is None:
        return
    if receipt.proven:  # what a hint was about has been looked up where it lives
        _handle(tx, Document.reread(receipt.body), receipt.body)
    _finish(receipt, "done")


def _waiting(tx: Transaction, receipt_id: int) -> Receipt | None:
    """``None`` if another process was quicker."""
    return tx.db.scalar(select(Receipt).where(Receipt.id == receipt_id, Receipt.state == "waiting"))


def _finish(receipt: Receipt, state: Progress, error: str | None = None) -> None:
    """From now on only its name is needed, to know a repeat; strangers shall not fill the disk (P-103, P-327)."""
    receipt.state, receipt.error, receipt.body = state, error, b""


def _settle(tx: Transaction, receipt_id: int, refused: str = "", failed: str = "", early: str = "") -> None:
    """Not done: refused for good, or to be tried again later, at last by the operator.

    In a hint is nothing that an operator could try again, nor in what rests on something that never came: whoever may
    say nothing here can name a right that nobody knows. Nor is more kept of a site than an operator would look at:
    whoever names what nobody can fetch could fill the disk.
    """
    receipt = _waiting(tx, receipt_id)
    if receipt is None:
        return
    receipt.attempts += 1
    receipt.error, receipt.due = failed or early, tx.now + timedelta(seconds=10 * 3**receipt.attempts)
    is_last = receipt.attempts >= ATTEMPTS
    if refused or (is_last and (early or not receipt.proven or _is_crowded(tx, receipt.actor))):
        _finish(receipt, "refused", refused or receipt.error)
    elif is_last:
        receipt.state = "failed"


def _is_crowded(tx: Transaction, actor: str) -> bool:
    home = site(host(actor))
    failed = tx.db.scalars(select(Receipt.actor).where(Receipt.state == "failed"))
    return sum(site(host(one)) == home for one in failed) >= MAX_FAILED


def _alone(tx: Transaction) -> bool:
    """Whether this transaction alone works through receipts now, so that they stay in order.

    SQLite has one writer anyway; on PostgreSQL several processes might begin at once.
    """
    if tx.db.get_bind().dialect.name == "sqlite":
        return True
    return bool(tx.db.scalar(select(func.pg_try_advisory_xact_lock(0x626F78))))
