"""Asking those for whose keys others vouched, once they can be asked: their own word is what counts (P-243, P-333)."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta

import structlog
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from activitypub import keys
from activitypub.document import Document
from activitypub.errors import ProtocolError, Unverified
from coop import logbook, statements
from coop.statements import Entry
from coop.vouchers import Voucher
from federation import discovery, known
from federation.client import Gone, Unreachable
from federation.instance import Instance
from federation.registry import errand
from federation.store import Transaction

EVERY = timedelta(minutes=1)
AGAIN = timedelta(days=7)  # after which one who did not answer, or lists other keys now, is asked once more
AT_ONCE = 5  # owners who are asked in one round

log = structlog.get_logger()


@errand(EVERY)
async def confirm(here: Instance) -> None:
    """Ask owners of keys for what they list themselves, and go by that."""
    for owner in await here.store.read(lambda db: _due(db, here.now())):
        with suppress(ProtocolError, Unreachable, Gone):
            await discovery.fetch(here, owner)
        await here.store.write(lambda tx, owner=owner: _go_by_owner(tx, owner))  # type: ignore[misc]


def _due(db: Session, now: datetime) -> list[str]:
    is_due = or_(Voucher.asked.is_(None), Voucher.asked < now - AGAIN)
    return list(db.scalars(select(Voucher.owner).where(is_due).distinct().limit(AT_ONCE)))


def _go_by_owner(tx: Transaction, owner: str) -> None:
    """Drop what others said of the keys that the owner's server lists, and whatever was believed for it in error."""
    for voucher in tx.db.scalars(select(Voucher).where(Voucher.owner == owner)).all():
        voucher.asked = tx.now
        key = known.key(tx.db, voucher.key)
        if key is None:
            continue
        tx.db.delete(voucher)
        tx.db.flush()
        if keys.write_pem(key.public) != voucher.public:
            log.warning("voucher.contradicted", key=voucher.key, by=voucher.by, project=voucher.project)
            _disbelieve(tx, voucher)


def _disbelieve(tx: Transaction, voucher: Voucher) -> None:
    theirs = select(Entry).where(Entry.project == voucher.project, Entry.author == voucher.owner)
    lies = {row.hash for row in tx.db.scalars(theirs) if not _holds(tx, row)}
    place = statements.find(tx.db, voucher.project)
    if place is not None and lies:
        logbook.forget(tx, place, lies)


def _holds(tx: Transaction, row: Entry) -> bool:
    try:
        known.check_proof(tx.db, Document(row.document), tx.now)
    except Unverified:
        return False
    return True
