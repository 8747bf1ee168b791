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
from activitypub.sentence import Sentence
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
        return Finding(
            "permissions",
            "must",
            Sentence("others on this machine can look into %(names)s", names=names),
            f"chmod go= {names}",
        )
    if os.statvfs(data).f_flag & os.ST_RDONLY:
        todo = Sentence("ask `journalctl -k` why: a card or disk that fails is like that. Then: mount -o remount,rw")
        return Finding("permissions", "must", Sentence("the disk of %(data)s can only be read", data=data), todo)
    if not all(os.access(path, os.R_OK | os.W_OK) for path in paths):
        return Finding("permissions", "must", Sentence("we cannot write in %(data)s", data=data), _as_its_owner(data))
    return Finding("permissions", "well", Sentence("%(data)s is for its own user alone", data=data))


def locked_out(data: Path) -> Finding | None:
    """Whose folder it is, if it is not ours to look into; nothing else can be examined then."""
    try:
        if not (data / FILE).exists() or os.access(data / FILE, os.R_OK):
            return None
    except PermissionError:
        pass
    return Finding("permissions", "must", Sentence("we may not look into %(data)s", data=data), _as_its_owner(data))


def _as_its_owner(data: Path) -> str:
    owner = data.stat().st_uid
    if owner == os.geteuid():
        return f"chmod -R u+rwX {data}"
    return f"sudo -u '#{owner}' boxroom doctor; or, if it is to be ours, sudo chown -R {os.geteuid()} {data}"


def space(free: int) -> Finding:
    said = Sentence("%(number)s GB free", number=round(free / 1e9, 1))
    if free < SPACE_MUST:
        return Finding(
            "disk", "must", said, Sentence("make room: nothing can be taken in or said when the disk is full")
        )
    if free < SPACE_LOOK:
        return Finding("disk", "look", said, Sentence("make room before it is full"))
    return Finding("disk", "well", said)


def integrity(file: Path) -> Finding:
    """Whether SQLite finds its own file whole."""
    todo = Sentence("stop the server, keep a copy of the folder, and restore a backup: boxroom restore")
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
            said = str(database.execute("PRAGMA quick_check").fetchone()[0])
    except sqlite3.Error as error:
        return Finding("database", "must", str(error), todo)
    return (
        Finding("database", "well", Sentence("is whole")) if said == "ok" else Finding("database", "must", said, todo)
    )


def shape(url: str) -> Finding:
    from federation.store import connect

    engine = connect(url)
    try:
        had = migrations.version(engine)
    except SQLAlchemyError as error:
        return Finding(
            "database version", "must", str(error).splitlines()[0], Sentence("start the database, or correct its URL")
        )
    finally:
        engine.dispose()
    if had == migrations.known()[-1]:
        return Finding("database version", "well", had)
    if had is None or had in migrations.known():
        return Finding("database version", "must", had or Sentence("empty"), "boxroom migrate")
    todo = Sentence("install that one again, or restore a backup of before it in an empty folder")
    return Finding("database version", "must", Sentence("it is of a newer Boxroom (%(version)s)", version=had), todo)


async def writable(patient: Patient) -> list[Finding]:
    def try_it(tx: Transaction) -> None:
        probe = "doctor.invalid"
        tx.db.add(Lane(host=probe))
        tx.db.flush()
        tx.db.delete(tx.db.get_one(Lane, probe))

    try:
        await asyncio.wait_for(patient.here.store.write(try_it), 15)
    except (Unavailable, SQLAlchemyError, TimeoutError) as error:
        return [
            Finding(
                "writing", "must", str(error) or Sentence("takes too long"), Sentence("is the disk full, or read-only?")
            )
        ]
    return [Finding("writing", "well", Sentence("the database takes what is written"))]


async def own_keys(patient: Patient) -> list[Finding]:
    """Everybody here has both keys, and their document lists just those."""
    wrong = await patient.here.store.read(_wrong_keys)
    if wrong:
        todo = Sentence("restore a backup of before this happened: others know these actors by their old keys")
        return [Finding("keys", "must", said, todo) for said in wrong]
    return [Finding("keys", "well", Sentence("all present, and as the actors' documents say"))]


def _wrong_keys(db: Session) -> list[str]:
    wrong: list[str] = []
    for actor in db.scalars(select(Actor).where(Actor.local)):
        present = (Key.owner == actor.uri, Key.private.is_not(None), Key.retired.is_(None), Key.use != SEALING)
        own = db.scalars(select(Key).where(*present))
        pairs = {row.id: (row.public, row.private or "") for row in own}
        if len(pairs) < 2:
            wrong.append(Sentence("%(uri)s lacks a private key", uri=actor.uri))
        if any(keys.write_pem(keys.load_private(private).public_key()) != public for public, private in pairs.values()):
            wrong.append(Sentence("%(uri)s has a private key that does not fit its public one", uri=actor.uri))
        listed = {key.id: keys.write_pem(key.public) for key in keys.listed(Document(actor.document))}
        if listed != {name: public for name, (public, _) in pairs.items()}:
            wrong.append(Sentence("the document of %(uri)s lists other keys than it has", uri=actor.uri))
    return wrong


async def saved(patient: Patient) -> list[Finding]:
    """Whether a good backup was made of late; PostgreSQL is saved by tools of its own, of which we know nothing."""
    if database_file(database_url(patient.folder, patient.settings)) is None:
        return []
    found = await patient.here.store.read(backups.last)
    if found is None:
        said, todo = Sentence("there is none"), "boxroom backup FILE; every night: deploy/boxroom-backup.timer"
        return [Finding("backup", "look", said, todo)]
    said = Sentence("the last good one is of %(day)s: %(file)s", day=found.at.date(), file=found.file)
    if found.at < patient.here.now() - backups.OLD:
        todo = Sentence("make one: boxroom backup FILE. systemctl status boxroom-backup tells why there was none")
        return [Finding("backup", "look", said, todo)]
    return [Finding("backup", "well", said)]


async def lanes(patient: Patient) -> list[Finding]:
    ways = await patient.here.store.read(condition.lanes)
    parked = [one for one in ways if one.parked]
    failing = [one for one in ways if one.failures and not one.parked]
    found = [
        Finding(
            "delivery",
            "look",
            Sentence(
                "%(host)s was given up; %(waiting)s wait: %(error)s",
                host=one.host,
                waiting=one.waiting,
                error=one.error,
            ),
            f"boxroom wake {one.host}",
        )
        for one in parked
    ]
    if failing:
        names = ", ".join(one.host for one in failing)
        found.append(
            Finding(
                "delivery",
                "look",
                Sentence("not reached now, tried again: %(names)s", names=names),
                Sentence("nothing; they may be asleep"),
            )
        )
    if failed := await patient.here.store.read(condition.failed):
        said = Sentence(
            "%(number)s or more activities could not be taken in; the latest: %(error)s",
            number=len(failed),
            error=failed[0].error,
        )
        found.append(Finding("receipts", "look", said, "boxroom status lists them, boxroom replay tries them again"))
    return found or [Finding("delivery", "well", Sentence("nothing is held up"))]


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
        said = Sentence("cannot be compared: fewer than three other servers are known and awake")
        return [Finding("clock", "look", said, Sentence("make sure that NTP is on (timedatectl)"))]
    if wrong := clock.complaint(error):
        return [Finding("clock", "must", wrong, "sudo timedatectl set-ntp true")]
    return [
        Finding(
            "clock",
            "well",
            Sentence("%(number)s seconds from that of others", number=round(abs(error.total_seconds()))),
        )
    ]
