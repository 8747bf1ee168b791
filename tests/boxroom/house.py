"""A studio's folder, used through the command line alone; its server, where one is wanted, is a process of its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from boxroom.cli import main

HEAVY = {
    "PIL",
    "alembic",
    "babel",
    "rich",
    "pygments",
    "playwright",
    "argon2",
    "icalendar",
    "webauthn",
}  # whoever does not need these has none of them
TELLING = """
import atexit, sys
names = lambda: {one.partition('.')[0] for one, there in sys.modules.items() if there}
atexit.register(lambda: print('imported', *names()))
from boxroom.cli import main
"""  # the beginning of a program that tells, when it ends, what it has imported
PATIENCE = 60  # seconds for something to arrive, on a machine that may have much else to do


@dataclass(frozen=True, slots=True)
class House:
    """Somebody's studio in `folder`, at `url`."""

    folder: Path
    url: str
    handle: str = "ada"
    database: str = ""

    @property
    def port(self) -> str:
        """Where its server listens on this machine."""
        return self.url.rpartition(":")[2]

    @property
    def program(self) -> list[str]:
        """The command line of the program, up to its arguments."""
        return [sys.executable, "-m", "boxroom"]

    @property
    def address(self) -> str:
        return f"{self.handle}@{self.url.partition('://')[2]}"

    @property
    def environment(self) -> dict[str, str]:
        kept = {"BOXROOM_DATABASE": self.database} if self.database else {}
        return {"BOXROOM_ALLOW_PRIVATE_NETWORK": "true", "BOXROOM_DATA": str(self.folder), **kept}

    def runs(self, *arguments: str) -> Result:
        """What a command does, in this process."""
        return CliRunner().invoke(main, arguments, env=self.environment)

    def does(self, *arguments: str) -> str:
        """Run a command that has to succeed; return what it prints for scripts."""
        result = self.runs(*arguments)
        assert result.exit_code == 0, (arguments, result.output, result.exception)
        return result.stdout.strip()

    def shows(self, *arguments: str) -> Any:
        """What a command prints as JSON."""
        return json.loads(self.does(*arguments, "--json"))

    def fails(self, *arguments: str) -> str:
        """Run a command that cannot succeed; return its one line."""
        result = self.runs(*arguments)
        assert (result.exit_code, result.stdout) == (1, ""), (arguments, result.output, result.exception)
        [line] = result.stderr.splitlines()
        return line

    def waits_for(self, *arguments: str, until: str) -> Any:
        """Repeat a command until its JSON contains `until`; return that."""
        return self._repeats(arguments, until, present=True)

    def waits_for_the_end_of(self, *arguments: str, of: str) -> Any:
        """Repeat a command until its JSON does not contain `of` any more; return that."""
        return self._repeats(arguments, of, present=False)

    def _repeats(self, arguments: tuple[str, ...], until: str, *, present: bool) -> Any:
        end = time.monotonic() + PATIENCE
        while (until in json.dumps(found := self.shows(*arguments))) is not present:
            assert time.monotonic() < end, (arguments, until, found, self.does("status"), self.log)
            time.sleep(0.1)
        return found

    @contextmanager
    def open(self, *arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
        """The server of this studio, running as its own process until left."""
        with self.starts("serve", "--port", self.port, *arguments, **environment) as server:
            assert server.stdout is not None
            assert "is served at" in server.stdout.readline(), self.log
            yield server

    @contextmanager
    def starts(self, *arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
        """A command as a process of its own, ended at the latest when left."""
        command = [*self.program, *arguments]
        surroundings = {**os.environ, **self.environment, **environment}
        with self._log.open("a") as log:
            process = subprocess.Popen(command, env=surroundings, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.communicate(timeout=PATIENCE)

    @property
    def log(self) -> str:
        """What the processes of this studio have written to stderr."""
        return self._log.read_text() if self._log.exists() else ""

    @property
    def _log(self) -> Path:
        return self.folder.with_suffix(".log")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def found(folder: Path, handle: str = "ada", *more: str, database: str = "") -> House:
    """A studio that was just set up, whose server would listen at a free port of this machine."""
    house = House(folder, f"http://127.0.0.1:{free_port()}", handle, database)
    house.does("init", "--url", house.url, "--handle", handle, *more)
    return house
