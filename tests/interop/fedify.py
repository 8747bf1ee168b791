"""A server made with Fedify, somebody else's implementation, in a process of its own: see ``peer.mjs``."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from activitypub.message import Scheme
from tests.boxroom.house import PATIENCE, free_port
from tests.interop.npm import HERE, NODE


@dataclass(frozen=True, slots=True)
class Peer:
    """Everybody lives there whose name is asked for. It takes mail, and signs what it sends first, in `dialect`."""

    url: str
    dialect: Scheme
    log: Path

    def uri(self, name: str) -> str:
        return f"{self.url}/users/{name}"

    def address(self, name: str) -> str:
        return f"{name}@{self.url.partition('://')[2]}"

    def does(self, action: str, **given: Any) -> Any:
        """Have it do something of ``actions`` in ``peer.mjs``; return what comes of it."""
        answer = httpx.post(f"{self.url}/do/{action}", json=given, timeout=PATIENCE)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def waits_for(self, action: str, until: str, **given: Any) -> Any:
        """Ask again until the answer contains `until`; return it."""
        end = time.monotonic() + PATIENCE
        while until not in json.dumps(found := self.does(action, **given)):
            assert time.monotonic() < end, (action, until, found)
            time.sleep(0.1)
        return found

    def receives(self, kind: str, about: str) -> Any:
        """Wait for an activity of that type about that object; return it as it came, and how it was signed."""
        self.understands(kind, about)
        return next(one for one in self._got() if _is(one["activity"], kind, about) and one["status"] == 202)

    def understands(self, kind: str, about: str) -> Any:
        """Wait for an activity of that type about that object; return what Fedify's own classes made of it."""
        end = time.monotonic() + PATIENCE
        while not (found := [one for one in self.does("understood") if _is(one, kind, about)]):
            got = [(one["activity"]["type"], one["dialect"], one["refused"], one["status"]) for one in self._got()]
            assert time.monotonic() < end, (kind, about, got, self.log.read_text())
            time.sleep(0.1)
        return found[-1]

    def sends(self, kind: str, about: str) -> Any:
        """Wait until it has posted an activity of that type about that object; return the requests it took."""
        self.waits_for("sent", until=about)
        return [one for one in self.does("sent") if one["body"] and _is(one["body"], kind, about)]

    def _got(self) -> Any:
        return self.does("received")


def _is(activity: Any, kind: str, about: str) -> bool:
    said = activity.get("object")
    return bool(activity["type"] == kind and about == (said["id"] if isinstance(said, dict) else said))


@contextmanager
def served(dialect: Scheme, log: Path) -> Iterator[Peer]:
    """A peer at a free port of this machine, running until left."""
    port = free_port()
    command: list[str | Path] = [NODE, HERE / "peer.mjs", str(port), dialect]
    with log.open("w") as stderr:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True)
    try:
        assert process.stdout is not None
        assert "is served at" in process.stdout.readline(), log.read_text()
        yield Peer(f"http://127.0.0.1:{port}", dialect, log)
    finally:
        process.kill()
        process.communicate(timeout=PATIENCE)
