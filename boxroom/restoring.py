"""A studio brought back from a backup: whole, or not at all."""

from __future__ import annotations

import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

from boxroom import folder, migrations
from boxroom.backup import DATABASE, RESTORED, alone, damage
from boxroom.sealed import Opener
from boxroom.settings import FILE, Wrong
from federation.store import connect


def bring_back(file: Path, data: Path, passphrase: str) -> None:
    """Put what `save` wrote into an empty folder. If anything is wrong with it, `Wrong` is raised and nothing is there.

    The pictures, settings and database appear at once, after the last octet was found authentic.
    """
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    with alone(data):
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
    if said := damage(place / DATABASE):
        raise Wrong(f"the database in that backup is damaged: {said}")
    had = _version(place / DATABASE)
    if had not in migrations.known():
        raise Wrong(f"that backup is of a newer Boxroom ({had}): install that one here, and restore it then")
    for left in place.glob(f"{DATABASE}-*"):
        left.unlink()
    for path in (place, *place.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)


def _version(database: Path) -> str | None:
    engine = connect(f"sqlite:///{database}")
    try:
        return migrations.version(engine)
    finally:
        engine.dispose()
