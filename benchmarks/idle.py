"""What a studio costs while nobody asks anything of it, and how soon it answers after it was started."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import psutil

# Without what only the tests' browser brings along: structlog would load it, and no studio has it.
_PROGRAM = "import sys; sys.modules['greenlet'] = None; from boxroom.cli import main; main()"
STARTS = 5


@dataclass(frozen=True, slots=True)
class Idle:
    seconds: float  # from the start of the process to its first answer
    memory: float  # MiB, resident, after that


def measure(port: int, folder: Path) -> Idle:
    """With the real program: ``boxroom init`` and ``boxroom serve``. Of several starts the middle one counts."""
    home, command = f"http://localhost:{port}", [sys.executable, "-c", _PROGRAM]
    given = {**os.environ, "BOXROOM_DATA": str(folder / "idle"), "BOXROOM_ALLOW_PRIVATE_NETWORK": "true"}
    set_up = [*command, "init", "--url", home, "--handle", "studio"]
    subprocess.run(set_up, env=given, check=True, stdout=subprocess.DEVNULL)
    runs = [_run([*command, "serve", "--port", str(port)], given, home) for _ in range(STARTS)]
    return Idle(median(one.seconds for one in runs), median(one.memory for one in runs))


def _run(command: list[str], given: dict[str, str], home: str) -> Idle:
    began = time.monotonic()
    process = subprocess.Popen(command, env=given, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not _answers(home):
            time.sleep(0.005)
        seconds = time.monotonic() - began
        time.sleep(3)
        return Idle(seconds, float(psutil.Process(process.pid).memory_info().rss) / 2**20)
    finally:
        process.terminate()
        process.wait()


def _answers(home: str) -> bool:
    try:
        urllib.request.urlopen(f"{home}/actor").read()
    except OSError:
        return False
    return True
