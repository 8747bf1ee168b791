"""A studio's folder: for its own user alone, and served by one process at a time."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from boxroom.settings import FILE, Wrong

LOCK = "serving.lock"
MEDIA = "media"
DRAFT = "first-run.json"  # what was typed so far, until the studio is founded
SCAFFOLD = "founding"  # in which a studio is made; what is left in it was cut short
BEFORE = (LOCK, DRAFT, SCAFFOLD)  # what may be there before the studio is


@contextmanager
def serving(folder: Path) -> Iterator[None]:
    """Be the one process that serves `folder`, until left or killed. Raise `Wrong` if another does already."""
    file = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if not _lock(file):
            raise Wrong(f"{folder} is being served already{_by_whom(folder)}; stop that server first")
        os.ftruncate(file, 0)
        os.write(file, str(os.getpid()).encode())
        yield
    finally:
        os.close(file)


def is_served(folder: Path) -> bool:
    """Whether a server runs on `folder` at this moment."""
    try:
        file = os.open(folder / LOCK, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        return not _lock(file)
    finally:
        os.close(file)


def make(folder: Path) -> None:
    """Create `folder`, for its own user alone (P-079). Raise `Wrong` if there is anything in it."""
    if folder.exists() and any(file.name not in BEFORE for file in folder.iterdir()):
        raise Wrong(f"{folder} is not empty; choose another folder with --data")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)


@contextmanager
def scaffold(folder: Path) -> Iterator[Path]:
    """A place to make what belongs in `folder`. At the end all of it moves there, the settings last; or nothing."""
    place = folder / SCAFFOLD
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(mode=0o700)
    try:
        yield place
        make(folder)  # nobody else may have made something there meanwhile
        for file in sorted(place.iterdir(), key=lambda file: file.name == FILE):
            file.replace(folder / file.name)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _lock(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES):
            return False
        raise
    return True


def _by_whom(folder: Path) -> str:
    process = (folder / LOCK).read_text().strip()
    return f" by process {process}" if process else ""
