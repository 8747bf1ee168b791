"""Examining a server: what is well, what to look at, what must be done, and how."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from activitypub import keys
from activitypub.document import Document
from boxroom import clock, migrations, reach
from boxroom.assemble import assemble, database_url
from boxroom.cli.desk import settings_in
from boxroom.settings import FILE, Settings
from coop import backups, condition
from coop.accounts import SEALING
from federation.instance import Instance
from federation.store import Transaction, Unavailable, database_file
from federation.tables import Actor, Key, Lane

SPACE_LOOK, SPACE_MUST = 1_000_000_000, 100_000_000  # octets left on the disk
SECRET_FILES = (FILE, "boxroom.db")

State = Literal["well", "look", "must"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was examined; `todo` is what to do if it is not well."""

    what: str
    state: State
    said: str
    todo: str = ""


@dataclass(frozen=True, slots=True)
class Patient:
    folder: Path
    settings: Settings
    here: Instance


async def examine(data: Path, *, offline: bool) -> list[Finding]:
    """Look at everything that may be wrong with the server in `data`, its ways from and to others included."""
    if closed := locked_out(data):
        return [closed]
    settings = settings_in(data)
    before = list(before_opening(data, settings))
    if any(one.state == "must" for one in before):
        return before
    here = assemble(data, settings)
    try:
        patient = Patient(data, settings, here)
        looks: list[Callable[[Patient], Awaitable[list[Finding]]]] = [writable, own_keys, lanes, saved]
        if not offline:
            looks += [reachable, time_is_right]
        return before + [finding for look in looks for finding in await look(patient)]
    finally:
        await here.client.close()
        here.store.close()


def before_opening(data: Path, settings: Settings) -> Iterator[Finding]:
    """What can be seen without opening the database, and may prevent it."""
    first = (permissions(data), space(shutil.disk_usage(data).free))
    yield from first
    if any(one.state == "must" for one in first):
        return  # a database cannot be looked at, or seems to be damaged, where nothing can be written
    url = database_url(data, settings)
    if file := database_file(url):
        yield integrity(file)
    yield shape(url)


def permissions(data: Path) -> Finding:
    """Private keys are in there: nobody else on this machine may look (P-079)."""
    paths = [data, *(data / name for name in SECRET_FILES if (data / name).exists())]
    open_ones = [path for path in paths if path.stat().st_mode & 0o077]
    if open_ones:
        names = " ".join(map(str, open_ones))
        return Finding("permissions", "must", f"others on this machine can look into {names}", f"chmod go= {names}")
    if os.statvfs(data).f_flag & os.ST_RDONLY:
        todo = "ask `journalctl -k` why: a card or disk that fails is like that. Then: mount -o remount,rw"
        return Finding("permissions", "must", f"the disk of {data} can only be read", todo)
    if not all(os.access(path, os.R_OK | os.W_OK) for path in paths):
        return Finding("permissions", "must", f"we cannot write in {data}", _as_its_owner(data))
    return Finding("permissions", "well", f"{data} is for its own user alone")


def locked_out(data: Path) -> Finding | None:
    """Whose folder it is, if it is not ours to look into; nothing else can be examined then."""
    try:
        if not (data / FILE).exists() or os.access(data / FILE, os.R_OK):
            return None
    except PermissionError:
        pass
    return Finding("permissions", "must", f"we may not look into {data}", _as_its_owner(data))


def _as_its_owner(data: Path) -> str:
    owner = data.stat().st_uid
    if owner == os.geteuid():
        return f"chmod -R u+rwX {data}"
    return f"sudo -u '#{owner}' boxroom doctor; or, if it is to be ours, sudo chown -R {os.geteuid()} {data}"


def space(free: int) -> Finding:
    said = f"{free / 1e9:.1f} GB free"
    if free < SPACE_MUST:
        return Finding("disk", "must", said, "make room: nothing can be taken in or said when the disk is full")
    if free < SPACE_LOOK:
        return Finding("disk", "look", said, "make room before it is full")
    return Finding("disk", "well", said)


def integrity(file: Path) -> Finding:
    """Whether SQLite finds its own file whole."""
    todo = "stop the server, keep a copy of the folder, and restore a backup: boxroom restore"
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
            said = str(database.execute("PRAGMA quick_check").fetchone()[0])
    except sqlite3.Error as error:
        return Finding("database", "must", str(error), todo)
    return Finding("database", "well", "is whole") if said == "ok" else Finding("database", "must", said, todo)


def shape(url: str) -> Finding:
    from federation.store import connect

    engine = connect(url)
    try:
        had = migrations.version(engine)
    except SQLAlchemyError as error:
        return Finding("database version", "must", str(error).splitlines()[0], "start the database, or correct its URL")
    finally:
        engine.dispose()
    if had == migrations.known()[-1]:
        return Finding("database version", "well", had)
    if had is None or had in migrations.known():
        return Finding("database version", "must", had or "empty", "boxroom migrate")
    todo = "install that one again, or restore a backup of before it in an empty folder"
    return Finding("database version", "must", f"it is of a newer Boxroom ({had})", todo)


async def writable(patient: Patient) -> list[Finding]:
    def try_it(tx: Transaction) -> None:
        probe = "doctor.invalid"
        tx.db.add(Lane(host=probe))
        tx.db.flush()
        tx.db.delete(tx.db.get_one(Lane, probe))

    try:
        await asyncio.wait_for(patient.here.store.write(try_it), 15)
    except (Unavailable, SQLAlchemyError, TimeoutError) as error:
        return [Finding("writing", "must", str(error) or "takes too long", "is the disk full, or read-only?")]
    return [Finding("writing", "well", "the database takes what is written")]


async def own_keys(patient: Patient) -> list[Finding]:
    """Everybody here has both keys, and their document lists just those."""
    wrong = await patient.here.store.read(_wrong_keys)
    if wrong:
        todo = "restore a backup of before this happened: others know these actors by their old keys"
        return [Finding("keys", "must", said, todo) for said in wrong]
    return [Finding("keys", "well", "all present, and as the actors' documents say")]


def _wrong_keys(db: Session) -> list[str]:
    wrong = []
    for actor in db.scalars(select(Actor).where(Actor.local)):
        present = (Key.owner == actor.uri, Key.private.is_not(None), Key.retired.is_(None), Key.use != SEALING)
        own = db.scalars(select(Key).where(*present))
        pairs = {row.id: (row.public, row.private or "") for row in own}
        if len(pairs) < 2:
            wrong.append(f"{actor.uri} lacks a private key")
        if any(keys.write_pem(keys.load_private(private).public_key()) != public for public, private in pairs.values()):
            wrong.append(f"{actor.uri} has a private key that does not fit its public one")
        listed = {key.id: keys.write_pem(key.public) for key in keys.listed(Document(actor.document))}
        if listed != {name: public for name, (public, _) in pairs.items()}:
            wrong.append(f"the document of {actor.uri} lists other keys than it has")
    return wrong


async def saved(patient: Patient) -> list[Finding]:
    """Whether a good backup was made of late; PostgreSQL is saved by tools of its own, of which we know nothing."""
    if database_file(database_url(patient.folder, patient.settings)) is None:
        return []
    found = await patient.here.store.read(backups.last)
    if found is None:
        said, todo = "there is none", "boxroom backup FILE; every night: deploy/boxroom-backup.timer"
        return [Finding("backup", "look", said, todo)]
    said = f"the last good one is of {found.at:%Y-%m-%d}: {found.file}"
    if found.at < patient.here.now() - backups.OLD:
        todo = "make one: boxroom backup FILE. systemctl status boxroom-backup tells why there was none"
        return [Finding("backup", "look", said, todo)]
    return [Finding("backup", "well", said)]


async def lanes(patient: Patient) -> list[Finding]:
    ways = await patient.here.store.read(condition.lanes)
    parked = [one for one in ways if one.parked]
    failing = [one for one in ways if one.failures and not one.parked]
    found = [
        Finding(
            "delivery", "look", f"{one.host} was given up; {one.waiting} wait: {one.error}", f"boxroom wake {one.host}"
        )
        for one in parked
    ]
    if failing:
        names = ", ".join(one.host for one in failing)
        found.append(
            Finding("delivery", "look", f"not reached now, tried again: {names}", "nothing; they may be asleep")
        )
    if failed := await patient.here.store.read(condition.failed):
        said = f"{len(failed)} or more activities could not be taken in; the latest: {failed[0].error}"
        found.append(Finding("receipts", "look", said, "boxroom status lists them, boxroom replay tries them again"))
    return found or [Finding("delivery", "well", "nothing is held up")]


async def reachable(patient: Patient) -> list[Finding]:
    """Whether the others find us: name, certificate, WebFinger, actor, inbox."""
    return [Finding(*one) for one in await reach.look(patient.here, patient.settings)]


async def time_is_right(patient: Patient) -> list[Finding]:
    """Compare our clock with those of servers that we know (P-056)."""
    hosts = select(Actor.host).where(~Actor.local, Actor.gone.is_(None)).distinct().limit(8)
    others = await patient.here.store.read(lambda db: list(db.scalars(hosts)))
    await reach.ask_the_time(patient.here, others)
    error = patient.here.client.clock_error
    if error is None:
        said = "cannot be compared: fewer than three other servers are known and awake"
        return [Finding("clock", "look", said, "make sure that NTP is on (timedatectl)")]
    if said := clock.complaint(error) or "":
        return [Finding("clock", "must", said, "sudo timedatectl set-ntp true")]
    return [Finding("clock", "well", f"{abs(error.total_seconds()):.0f} seconds from that of others")]
