"""What may be wrong with a studio's own machine: each thing is done for real, and the doctor names it and its cure.

What may be wrong at its door is in tests/deploy/test_doctor_at_the_door.py.
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from federation.store import connect
from federation.tables import Actor
from tests.boxroom import disks
from tests.boxroom.disks import Disk
from tests.boxroom.house import House


class Fault(NamedTuple):
    """What is said of `what`, and with what cure, once `happens` has happened to a studio that is on a `disk`."""

    name: str
    happens: Callable[[House], object]
    what: str
    said: str
    todo: str
    disk: Disk | None = None


def _sql(statement: str) -> Callable[[House], object]:
    def happens(house: House) -> None:
        with closing(sqlite3.connect(house.folder / "boxroom.db")) as database, database:
            database.execute(statement)

    return happens


def _overwrite(house: House) -> None:
    with (house.folder / "boxroom.db").open("r+b") as database:
        database.seek(8192)
        database.write(bytes(50_000))


def _give_away(house: House) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder away")
    for path in (*house.folder.iterdir(), house.folder):
        os.chown(path, OTHER, OTHER)


def _nothing(house: House) -> None:
    assert house.folder.exists()


OTHER = 54321  # a user's number that nobody has
NEWER = "UPDATE alembic_version SET version_num = '2099_01_01_hoverboards'"
NO_KEY = "UPDATE keys SET private = NULL WHERE id = (SELECT min(id) FROM keys WHERE use = 'publicKey')"
OLD = "INSERT INTO backups VALUES (1, '2026-01-01 03:00:00.000000', '/mnt/stick/ada.backup', 1)"
FAULTS = [
    Fault(
        "open", lambda house: house.folder.chmod(0o755), "permissions", "others on this machine can look", "chmod go="
    ),
    Fault(
        "not ours to write", lambda house: house.folder.chmod(0o500), "permissions", "cannot write in", "chmod -R u+rwX"
    ),
    Fault(
        "not ours to read",
        lambda house: house.folder.chmod(0o000),
        "permissions",
        "may not look into",
        "chmod -R u+rwX",
    ),
    Fault("somebody else's", _give_away, "permissions", "may not look into", f"sudo -u '#{OTHER}' boxroom doctor"),
    Fault("read-only", _nothing, "permissions", "can only be read", "journalctl -k", "read-only"),
    Fault("full", _nothing, "disk", "0 GB free", "make room", "full"),
    Fault("damaged", _overwrite, "database", "", "boxroom restore"),
    Fault(
        "gone", lambda house: (house.folder / "boxroom.db").unlink(), "database", "unable to open", "boxroom restore"
    ),
    Fault("newer", _sql(NEWER), "database version", "newer Boxroom (2099_01_01_hoverboards)", "install that one again"),
    Fault("without a key", _sql(NO_KEY), "keys", "lacks a private key", "restore a backup"),
    Fault("never saved", _nothing, "backup", "there is none", "boxroom backup FILE"),
    Fault(
        "saved long ago",
        _sql(OLD),
        "backup",
        "of 1 January 2026: /mnt/stick/ada.backup",
        "systemctl status boxroom-backup",
    ),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_what_is_wrong_with_the_machine_is_named_with_its_cure(house: House, fault: Fault) -> None:
    if fault.disk and not disks.can_be_mounted():
        pytest.skip("nobody may mount anything here")
    fault.happens(house)

    found = _examined(house, fault.disk)
    house.folder.chmod(0o700)

    [one] = [one for one in found if one["what"] == fault.what and fault.said in one["said"]]
    assert one["state"] == ("look" if fault.what == "backup" else "must")
    assert fault.todo in one["todo"]
    if fault.disk:  # where nothing can be written, a database that is sound may seem not to be
        assert {one["what"] for one in found} == {"permissions", "disk"}


@pytest.mark.proves("P-056")
@pytest.mark.parametrize(("ahead", "state", "said"), [(0, "well", "seconds from"), (3600, "must", "seconds behind")])
def test_a_clock_is_compared_with_those_of_others(house: House, ahead: int, state: str, said: str) -> None:
    with ExitStack() as stack:
        knows(house, [stack.enter_context(clock(ahead, f"127.0.0.{number}")) for number in (1, 2, 3)])
        [found] = [one for one in json.loads(house.runs("doctor", "--json").stdout) if one["what"] == "clock"]

    assert found["state"] == state
    assert said in found["said"]
    assert ("set-ntp true" in found["todo"]) is (state == "must")


def _examined(house: House, disk: Disk | None) -> list[dict[str, str]]:
    if disk:
        examined = disks.runs_on(disk, house, "doctor", "--offline", "--json")
    else:
        command = [*_like_anybody(), sys.executable, "-m", "boxroom", "doctor", "--offline", "--json"]
        surroundings = {**os.environ, **house.environment}
        examined = subprocess.run(command, env=surroundings, capture_output=True, text=True, check=False)
    assert examined.stderr == ""
    return list(json.loads(examined.stdout))


def _like_anybody() -> list[str]:
    """The command that runs another as somebody for whom permissions count, which for root they do not."""
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []


@contextmanager
def clock(ahead: int, address: str) -> Iterator[str]:
    """The host of a server at an address of this machine whose clock is so many seconds ahead of ours."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(404)
            self.end_headers()

        def date_time_string(self, timestamp: float | None = None) -> str:
            return super().date_time_string(time.time() + ahead)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer((address, 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"{address}:{server.server_port}"
        server.shutdown()


def knows(house: House, hosts: list[str]) -> None:
    """Have somebody of each host be known."""
    engine = connect(f"sqlite:///{house.folder / 'boxroom.db'}")
    with Session(engine) as db, db.begin():
        own = db.scalars(select(Actor).where(Actor.handle == house.handle)).one()
        kept = {one.key: getattr(own, one.key) for one in Actor.__table__.columns if one.key != "id"}
        for number, host in enumerate(hosts):
            changed = {"uri": f"http://{host}/u", "host": host, "local": False, "inbox": f"http://{host}/in"}
            db.add(Actor(id=number + 10, **{**kept, **changed, "address": None}))
    engine.dispose()
