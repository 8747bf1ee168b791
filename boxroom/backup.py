"""Everything of a studio in one encrypted file, taken while it works; and back again, whole or not at all.

The law: a backup has its name only once it is whole, sound and on the disk, and none that was good goes before that.
One that was cut short is begun anew: what it was made of has changed meanwhile.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

from boxroom import folder, migrations
from boxroom.assemble import database_url
from boxroom.sealed import Opener, Sealer
from boxroom.settings import FILE, Settings, Wrong
from federation.store import connect, database_file

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
    with _alone(data), TemporaryDirectory(dir=data, prefix=COPY) as place, _appearing(file) as out:
        copy = Path(place) / DATABASE
        _copy(database, copy)
        sealer = Sealer(out, passphrase)
        with tarfile.open(fileobj=sealer, mode="w|", bufsize=tarfile.RECORDSIZE) as archive:
            archive.add(data / FILE, FILE)
            archive.add(copy, DATABASE)
            if (data / folder.MEDIA).exists():
                archive.add(data / folder.MEDIA, folder.MEDIA)
        sealer.seal()
    return file.stat().st_size


def named(place: Path, settings: Settings, now: datetime) -> Path:
    """The file in the folder `place` for a backup that is made now."""
    return place / f"{_stem(settings)}{now:%Y-%m-%dT%H%M%S}.backup"


def keep_only(place: Path, settings: Settings, number: int) -> None:
    """Take away all but the last `number` of the backups that `named` named, and what was cut short of others."""
    ours = re.compile(rf"{re.escape(_stem(settings))}\d{{4}}-\d\d-\d\dT\d{{6}}\.backup(\.part)?")
    found = sorted(one for one in place.iterdir() if ours.fullmatch(one.name))
    whole = [one for one in found if one.suffix != ".part"]
    for one in {*found} - {*whole[-number:]}:
        one.unlink()


def bring_back(file: Path, data: Path, passphrase: str) -> None:
    """Put what `save` wrote into an empty folder. If anything is wrong with it, `Wrong` is raised and nothing is there.

    The pictures, settings and database appear at once, after the last octet was found authentic.
    """
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _alone(data):
        folder.make(data)
        _bring_back(file, data, passphrase)


def _bring_back(file: Path, data: Path, passphrase: str) -> None:
    with TemporaryDirectory(dir=data, prefix=RESTORED) as place:
        try:
            with file.open("rb") as sealed:
                opener = Opener(sealed, passphrase)
                with tarfile.open(fileobj=opener, mode="r|") as archive:
                    archive.extractall(place, filter="data")
                opener.read()  # what comes after the archive has to be authentic, too: the end could be cut off
        except tarfile.TarError as error:
            raise Wrong(f"the backup cannot be read: {error}") from error
        _check(Path(place))
        for found in Path(place).iterdir():
            found.replace(data / found.name)


def _check(place: Path) -> None:
    """Raise `Wrong` unless a whole studio is in there."""
    if not (place / FILE).exists() or not (place / DATABASE).exists():
        raise Wrong("that backup is of something else: a studio's settings or database are missing")
    if said := _damage(place / DATABASE):
        raise Wrong(f"the database in that backup is damaged: {said}")
    had = _version(place / DATABASE)
    if had not in migrations.known():
        raise Wrong(f"that backup is of a newer Boxroom ({had}): install that one here, and restore it then")
    for left in place.glob(f"{DATABASE}-*"):
        left.unlink()
    for path in (place, *place.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)


def _stem(settings: Settings) -> str:
    return settings.url.partition("://")[2].replace(":", "_") + "-"


@contextmanager
def _alone(data: Path) -> Iterator[None]:
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
    if said := _damage(to):
        raise Wrong(f"the database is damaged ({said}): keep the backups that you have, and ask boxroom doctor")


def _damage(database: Path) -> str | None:
    """What SQLite finds wrong with a database that nobody uses; ``None`` if it is sound."""
    try:
        with closing(sqlite3.connect(database)) as opened:
            said = str(opened.execute("PRAGMA quick_check").fetchone()[0])
    except sqlite3.Error as error:
        return str(error)
    return None if said == "ok" else said


def _version(database: Path) -> str | None:
    engine = connect(f"sqlite:///{database}")
    try:
        return migrations.version(engine)
    finally:
        engine.dispose()


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
    finally:
        part.unlink(missing_ok=True)
