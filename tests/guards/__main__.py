"""Takes each guard away, one at a time, and sees whether its test notices: ``python -m tests.guards [WORD]``.

First, all those tests have to pass. A guard whose text is not found is a failure, too: then its table is to be brought
up to date. Nothing changes on disk: a guard is left out as its module is imported.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Collection
from importlib import import_module

import pytest

from tests.guards import archives, coop, desks, door, mail, receipts, vouching, wire
from tests.guards.guard import ROOT, Guard, Without

AT_ONCE = 2
PLAIN = ("-p", "no:randomly", "-p", "no:cacheprovider", "--database", "sqlite")
PREPARED = ("-W", "ignore::pytest.PytestAssertRewriteWarning")  # of what is imported already, once for all
BROKEN = 70  # the exit status of a run that came to no end: it has noticed nothing
SLOW = ("aiohttp", "cryptography.x509", "httpx", "jinja2", "sqlalchemy.orm", "starlette.routing")  # to be imported

ROOMS = (receipts, wire, coop, vouching, mail, archives, door, desks)
GUARDS = tuple(guard for room in ROOMS for guard in room.GUARDS)


def main(word: str = "") -> int:
    chosen = [one for one in GUARDS if word in one.file or word in one.text]
    missing = [one for one in chosen if one.is_missing]
    for guard in missing:
        print(f"not found: {guard}")
    if not chosen:
        print(f"no guard has {word!r} in its file or text")
    if missing or not chosen or not _pass({one.tests for one in chosen}):
        return 1
    os.environ["CI"] = "true"  # so that chance decides nothing, and leaves nothing behind
    for name in SLOW:
        import_module(name)
    under_way: dict[int, Guard] = {}
    unnoticed = 0
    with tempfile.TemporaryDirectory() as folder:
        for number, guard in enumerate(chosen):
            if len(under_way) == AT_ONCE:
                unnoticed += not _is_noticed(under_way)
            under_way[_start(guard, f"{folder}/{number}")] = guard
        while under_way:
            unnoticed += not _is_noticed(under_way)
    print(f"{len(chosen) - unnoticed} of {len(chosen)} guards are noticed when they are gone")
    return 1 if unnoticed else 0


def _pass(tests: Collection[str]) -> bool:
    """Whether they do while all guards are in place: what fails anyway notices nothing."""
    command = [sys.executable, "-m", "pytest", "-q", "-n", str(AT_ONCE), "--dist", "loadgroup", *PLAIN, *sorted(tests)]
    return subprocess.run(command, cwd=ROOT, check=False).returncode == 0


def _start(guard: Guard, folder: str) -> int:
    """The process that runs the tests of a guard without it."""
    process = os.fork()
    if process:
        return process
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    sys.meta_path.insert(0, Without(guard))
    verdict = BROKEN
    try:
        verdict = pytest.main(["-x", "--timeout", "30", "--basetemp", folder, *PLAIN, *PREPARED, guard.tests])
    finally:
        os._exit(verdict)


def _is_noticed(under_way: dict[int, Guard]) -> bool:
    """Wait for the next process that ends, and tell what came of it."""
    process, status = os.wait()
    guard = under_way.pop(process)
    verdict = {0: "UNNOTICED", 1: "noticed"}.get(os.waitstatus_to_exitcode(status), "no test")
    print(f"{verdict:10} {guard.file}: {' '.join(guard.text.split())[:80]}", flush=True)
    return verdict == "noticed"


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
