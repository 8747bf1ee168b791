"""What a project costs whose log is long: to derive its state from all of it, and to take one more statement."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import cycle
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import insert

from activitypub import keys, proof
from activitypub.document import Document, Json
from activitypub.proof import hash_of
from activitypub.statement import Statement, Writer
from benchmarks.rows import store_in
from coop import accounts, membership, projects, statements
from coop.statements import Entry, Membership
from federation import ids
from federation.instance import own_proof_key
from federation.store import Store, Transaction

MEMBERS = 100
TURNS = 15
LONG = membership.MAX_STATEMENTS - 2 * TURNS  # with room for a few more
HOME = "https://garage.example"


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU seconds: for a log that is read from disk for the first time, for its state alone, for one statement more."""

    read: float
    derived: float
    one_more: float


def measure(folder: Path, length: int) -> Cost:
    """Of a project of a hundred members with so many statements."""
    with store_in(folder / f"statements-{length}") as store:
        return asyncio.run(_measure(store, length))


async def _measure(store: Store, length: int) -> Cost:
    founded = await store.write(_found)
    await store.write(partial(_fill, uri=founded, length=length))
    began = time.process_time()
    room, said = await store.read(lambda db: _room(db, founded))
    read = time.process_time() - began
    if (len(room.members), len(said)) != (MEMBERS, length):
        raise SystemExit(f"{len(room.members)} members follow from {len(said)} statements")
    began = time.process_time()
    membership.derive(said, room.fingerprint)
    derived = time.process_time() - began
    await store.write(partial(_remember, room=room))
    return Cost(read, derived, median([await _one_more(store, founded, turn) for turn in range(TURNS)]))


def _room(db: Any, uri: str) -> tuple[membership.Room, list[Statement]]:
    project = statements.at(db, uri)
    return statements.room_of(db, project), [*statements.said_in(db, project).values()]


def _found(tx: Transaction) -> str:
    me = accounts.first(tx.db).uri
    return projects.create(tx, me, "Catalogue", "", accounts.new_keys()).uri


def _fill(tx: Transaction, uri: str, length: int) -> None:
    """The log as it would be: its founder lets in a hundred, and then renames it and gives them other roles."""
    project, me = statements.at(tx.db, uri), accounts.first(tx.db).uri
    rows, last = [], project.fingerprint
    for number, write in enumerate(_said(tx, project.uri, me, project.members, project.fingerprint), 1):
        document = write([last])
        last = hash_of(document)
        said = Statement.read(Document(document))
        about = {"kind": said.kind, "author": said.author, "subject": said.subject, "received": tx.now, "held": False}
        rows.append(
            {"id": ids.new(tx.now), "hash": last, "uri": said.id, "project": uri, **about, "document": document}
        )
        if number == length - 1:
            break
    tx.db.execute(insert(Entry), rows)


def _said(tx: Transaction, uri: str, me: str, members: str, fingerprint: str) -> Iterator[Any]:
    """One statement after the other, each of which is written once it is known what it comes after."""
    key_id, key = own_proof_key(tx.db, me)
    until, signs = tx.now + timedelta(days=30), keys.new_ed25519()
    numbers = iter(range(1_000_000_000))

    def by(author: str, write: Any, *, ours: bool = True) -> Any:
        def written(after: list[str]) -> Json:
            said = write(Writer(author, uri, members, after, (), tx.now), f"{author}/activities/{next(numbers)}")
            return proof.sign(said, key_id if ours else f"{author}#key", key if ours else signs, tx.now)

        return written

    people = [f"https://h{number}.example/actors/a" for number in range(MEMBERS - 1)]
    for one in people:
        invite = by(me, lambda w, i, one=one: w.invite(i, one, "member", fingerprint, until, ""))
        kept: list[Statement] = []
        yield lambda after, invite=invite, kept=kept: _kept(invite(after), kept)
        yield by(one, lambda w, i, kept=kept: w.accept(i, kept[0], f"{HOME}/log"), ours=False)
    for number, one in enumerate(cycle(people)):
        role = "guest" if number % (2 * len(people)) < len(people) else "member"
        yield by(me, lambda w, i, one=one, role=role: w.add(i, one, role))


def _remember(tx: Transaction, room: membership.Room) -> None:
    """Who is in it, as it is kept for queries."""
    members = [(one.uri, one.role, one.since) for one in room.members.values() if one.uri != room.founder]
    rows = [
        {"id": ids.new(tx.now), "project": room.project, "member": uri, "role": role, "capability": since}
        for uri, role, since in members
    ]
    tx.db.execute(insert(Membership), rows)


def _kept(document: Json, kept: list[Statement]) -> Json:
    kept.append(Statement.read(Document(document)))
    return document


async def _one_more(store: Store, uri: str, turn: int) -> float:
    me = await store.read(lambda db: accounts.first(db).uri)
    began = time.process_time()
    await store.write(lambda tx: projects.edit(tx, me, uri, f"Catalogue {turn}"))
    return time.process_time() - began
