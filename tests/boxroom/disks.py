"""Folders on disks that are full or cannot be written to: real ones, mounted for one process and its children alone."""

from __future__ import annotations

import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Literal

from tests.boxroom.house import House

Disk = Literal["full", "read-only"]

_MOUNT = {
    "full": """
        cp -a "$1" "$1.kept"
        mount -t tmpfs -o size="${2}k,mode=700" tmpfs "$1"
        cp -a "$1.kept/." "$1"
        """,
    "read-only": """
        mount --bind "$1" "$1"
        mount -o remount,bind,ro "$1"
        """,
}


@cache
def _unshare() -> list[str]:
    """The command that runs another with mounts of its own; empty where that is not allowed."""
    for command in (["unshare", "--mount"], ["unshare", "--map-root-user", "--mount"]):
        if (
            shutil.which(command[0])
            and not subprocess.run([*command, "true"], capture_output=True, check=False).returncode
        ):
            return command
    return []


def can_be_mounted() -> bool:
    return bool(_unshare())


def runs_on(disk: Disk, house: House, *arguments: str, room: int = 0) -> subprocess.CompletedProcess[str]:
    """What a command does when the studio's folder is on such a disk, a full one having `room` KiB left."""
    size = sum(-(-file.stat().st_size // 4096) * 4 + 8 for file in house.folder.rglob("*")) + room
    script = f'set -e\n{_MOUNT[disk]}\nshift 2\nexec "$@"\n'
    command = [*_unshare(), "bash", "-c", script, "bash", str(house.folder), str(size), sys.executable, "-m", "boxroom"]
    surroundings = {**house.environment, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PYTHONPATH": str(Path.cwd())}
    return subprocess.run([*command, *arguments], env=surroundings, capture_output=True, text=True, check=False)
