"""Everything of a studio in one encrypted file, taken while it works.

The law: a backup has its name only once it is whole, sound and on the disk, and none that was good goes before that.
One that was cut short is begun anew: what it was made of has changed meanwhile.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

from boxroom import folder, migrations
from boxroom.assemble import database_url
from boxroom.sealed import Sealer
from boxroom.settings import FILE, Settings, Wrong
from coop import remote_media
from federation.store import database_file

DATABASE = "boxroom.db"
COPY, RESTORED = ".backup-", ".restore-"  # how the folders' names begin in which there is plain text for a while


def save(data: Path, settings: Settings, file: Path, passphrase: str) -> int:
    """Write a backup to `file`; return its size in octets. The server may run meanwhile.

    Raise `Wrong` for PostgreSQL, which has tools of its own, for a passphrase that is too short, for a database that is
    damaged, and if another backup is being made.
    """
    database = database_file(database_url(data, settings))
    if database is None:
        raise Wrong(f"the database is PostgreSQL: use pg_dump for it, and copy {data} besides, keys and all")
    with alone(data), TemporaryDirectory(dir=data, prefix=COPY) as place, _appearing(file) as out:
        copy = Path(place) / DATABASE
        _copy(database, copy)
        sealer = Sealer(out, passphrase)
        with tarfile.open(fileobj=sealer, mode="w|", bufsize=tarfile.RECORDSIZE) as archive:
            archive.add(data / FILE, FILE)
            archive.add(copy, DATABASE)
            if (data / folder.MEDIA).exists():
                archive.add(data / folder.MEDIA, folder.MEDIA, filter=_ours)
        sealer.seal()
    return file.stat().st_size


def _ours(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """All but the pictures of others: they can be had again."""
    return None if member.name == f"{folder.MEDIA}/{remote_media.FOLDER}" else member


@contextmanager
def alone(data: Path) -> Iterator[None]:
    """Be the one who saves or restores `data`, and clear away what another left who was killed."""
    lock = os.open(data, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _take(lock, data)
        for left in (*data.glob(f"{COPY}*"), *data.glob(f"{RESTORED}*")):
            shutil.rmtree(left)
        yield
    finally:
        os.close(lock)


def _take(lock: int, data: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise Wrong(f"{data} is being saved or restored already; wait for that to end") from error


def _copy(database: Path, to: Path) -> None:
    """A sound copy. Raise `Wrong` for a damaged one: it must not take the place of those that are good."""
    try:
        migrations.copy(database, to)
    except sqlite3.Error as error:
        raise Wrong(f"the database cannot be copied ({error}): is there room for it in {to.parent.parent}?") from error
    if said := damage(to):
        raise Wrong(f"the database is damaged ({said}): keep the backups that you have, and ask boxroom doctor")


def damage(database: Path) -> str | None:
    """What SQLite finds wrong with a database that nobody uses; ``None`` if it is sound."""
    try:
        with closing(sqlite3.connect(database)) as opened:
            said = str(opened.execute("PRAGMA quick_check").fetchone()[0])
    except sqlite3.Error as error:
        return str(error)
    return None if said == "ok" else said


@contextmanager
def _appearing(file: Path) -> Iterator[IO[bytes]]:
    """A file that has its name once it is whole and on the disk; until then what was there stays."""
    part = file.with_name(f"{file.name}.part")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        part.replace(file)
        _settle(file.parent)
    finally:
        part.unlink(missing_ok=True)


def _settle(place: Path) -> None:
    """Return once the names in a folder would survive a power cut."""
    opened = os.open(place, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
