"""Everything said here and everybody known here, to take elsewhere: one JSON file, without any key (P-079, P-336)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from coop.accounts import Account
from coop.agreements import Agreement
from coop.blocks import Block
from coop.commitments import Commitment
from coop.essays import Essay
from coop.filters import Filter
from coop.follows import Follow
from coop.mailboxes import Buddy
from coop.mutes import Mute
from coop.responses import Response
from coop.statements import Entry
from federation.instance import Instance
from federation.tables import BlockedDomain, Object

WITHHELD = frozenset({"password"})
SOME = 500  # rows in memory at once

PARTS: dict[str, Select[Any]] = {
    "accounts": select(Account).order_by(Account.id),
    "long_posts": select(Essay).order_by(Essay.uri),
    "follows": select(Follow).order_by(Follow.id),
    "blocks": select(Block).order_by(Block.id),
    "mutes": select(Mute).order_by(Mute.account, Mute.muted),
    "filters": select(Filter).order_by(Filter.id),
    "buddies": select(Buddy).order_by(Buddy.id),
    "responses": select(Response).order_by(Response.id),
    "agreements": select(Agreement).order_by(Agreement.id),
    "commitments": select(Commitment).order_by(Commitment.id),
    "project_statements": select(Entry).order_by(Entry.id),
    "blocked_domains": select(BlockedDomain).order_by(BlockedDomain.host),
}


_APART = ("Proposal", "Endorsement")
SAID = {
    "posts": Object.type.not_in(_APART),
    "offers": Object.type == "Proposal",
    "endorsements": Object.type == "Endorsement",
}


def write(db: Session, here: Instance, file: Path) -> int:
    """Write the export to `file`, readable by its user alone; return its size in octets."""
    part = file.with_name(f"{file.name}.part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        out.write(b'{"boxroom":1,"home":' + msgspec.json.encode(here.home))
        for name, rows in _parts(db):
            out.write(b',\n"' + name.encode() + b'":[')
            for number, row in enumerate(rows):
                out.write((b",\n" if number else b"\n") + msgspec.json.encode(row))
            out.write(b"]")
        out.write(b"}\n")
    part.replace(file)
    return file.stat().st_size


def _parts(db: Session) -> Iterator[tuple[str, Iterator[dict[str, Any]]]]:
    for name, query in PARTS.items():
        yield name, (_columns(row) for row in db.scalars(query.execution_options(yield_per=SOME)))
    for name, kinds in SAID.items():
        ours = select(Object.document).where(Object.local, Object.deleted.is_(None), kinds).order_by(Object.id)
        yield name, iter(db.scalars(ours.execution_options(yield_per=SOME)))


def _columns(row: Any) -> dict[str, Any]:
    return {column.key: getattr(row, column.key) for column in row.__table__.columns if column.key not in WITHHELD}
