"""Everything of a studio in one encrypted file, taken while it works; and back again, whole or not at all."""

from __future__ import annotations

import os
import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

from boxroom import folder, migrations
from boxroom.assemble import database_url
from boxroom.sealed import Opener, Sealer
from boxroom.settings import FILE, Settings, Wrong
from federation.store import database_file

DATABASE = "boxroom.db"


def save(data: Path, settings: Settings, file: Path, passphrase: str) -> int:
    """Write a backup to `file`; return its size in octets. The server may run meanwhile.

    Raise `Wrong` for PostgreSQL, which has tools of its own, and for a passphrase that is too short.
    """
    database = database_file(database_url(data, settings))
    if database is None:
        raise Wrong(f"the database is PostgreSQL: use pg_dump for it, and copy {data} besides, keys and all")
    with TemporaryDirectory(dir=data, prefix=".backup-") as place, _appearing(file) as out:
        copy = Path(place) / DATABASE
        migrations.copy(database, copy)
        sealer = Sealer(out, passphrase)
        with tarfile.open(fileobj=sealer, mode="w|", bufsize=tarfile.RECORDSIZE) as archive:
            archive.add(data / FILE, FILE)
            archive.add(copy, DATABASE)
            if (data / folder.MEDIA).exists():
                archive.add(data / folder.MEDIA, folder.MEDIA)
        sealer.seal()
    return file.stat().st_size


def bring_back(file: Path, data: Path, passphrase: str) -> None:
    """Put what `save` wrote into an empty folder. If anything is wrong with it, `Wrong` is raised and nothing is there.

    The pictures, settings and database appear at once, after the last octet was found authentic.
    """
    folder.make(data)
    with TemporaryDirectory(dir=data, prefix=".restore-") as place:
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
    with closing(sqlite3.connect(place / DATABASE)) as database:
        said = database.execute("PRAGMA quick_check").fetchone()[0]
    if said != "ok":
        raise Wrong(f"the database in that backup is damaged: {said}")
    for left in place.glob(f"{DATABASE}-*"):
        left.unlink()
    for path in (place, *place.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)


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
