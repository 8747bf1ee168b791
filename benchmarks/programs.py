"""Starting what is measured as processes of their own, and reading what they use."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import psutil

from benchmarks.wire import World

IDLE = 0.02  # CPU seconds within `WINDOW` that a program may use and still count as having nothing to do
WINDOW = 0.8  # seconds


@dataclass
class Program:
    """A server under measurement: Boxroom, or the reference."""

    module: str
    port: int
    folder: Path
    process: subprocess.Popen[bytes]
    actor: str

    @property
    def home(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def inbox(self) -> str:
        return f"{self.home}/inbox"

    def cpu(self) -> float:
        """Seconds used so far, by all its threads."""
        times = psutil.Process(self.process.pid).cpu_times()
        return float(times.user + times.system)

    def memory(self) -> float:
        """Resident, in MiB."""
        return float(psutil.Process(self.process.pid).memory_info().rss) / 2**20

    def rest(self) -> float:
        """Wait until it has nothing to do; return when that began."""
        while True:
            before, began = self.cpu(), time.monotonic()
            time.sleep(WINDOW)
            if self.cpu() - before < IDLE:
                return began

    def publish(self) -> str:
        """The id of the activity that goes to all followers."""
        with urllib.request.urlopen(urllib.request.Request(f"{self.home}/publish", method="POST")) as answer:
            return str(answer.read().decode())

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def start(module: str, port: int, folder: Path) -> Program:
    """Start ``python -m module PORT FOLDER`` and wait until it answers."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", module, str(port), str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    actor = f"http://localhost:{port}/actor"
    if module == "benchmarks.studio":
        assert process.stdout
        actor = process.stdout.readline().decode().strip()
    for _ in range(1000):
        try:
            urllib.request.urlopen(actor).read()
            break
        except OSError:
            time.sleep(0.01)
    return Program(module, port, folder, process, actor)


@contextmanager
def running(module: str, port: int, folder: Path) -> Iterator[Program]:
    program = start(module, port, folder)
    try:
        yield program
    finally:
        program.kill()


@dataclass
class Hosts:
    """The remote servers, as their process is spoken to."""

    world: World
    process: subprocess.Popen[bytes]

    def tell(self, **command: Any) -> Any:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(msgspec.json.encode(command) + b"\n")
        self.process.stdin.flush()
        return msgspec.json.decode(self.process.stdout.readline())

    def behave(self, hanging: int = 0, delay: float = 0.0) -> None:
        self.tell(do="behave", hanging=hanging, delay=delay)

    def arrivals(self, activity: str) -> dict[int, list[float]]:
        return {int(host): times for host, times in self.tell(do="arrivals", activity=activity).items()}

    def wait_for(self, activity: str, hosts: int, seconds: float) -> bool:
        """Whether so many hosts have it within so many seconds."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self.tell(do="count", activity=activity) >= hosts:
                return True
            time.sleep(0.02)
        return False


@contextmanager
def hosts(world: World) -> Iterator[Hosts]:
    assert world.keys  # made before the process looks for them
    given = (world.size, world.port, world.folder, world.said)
    command = [sys.executable, "-m", "benchmarks.hosts", *(str(one) for one in given)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout
    process.stdout.readline()
    try:
        yield Hosts(world, process)
    finally:
        process.kill()
        process.wait()
