"""The demo: it comes true on real sockets, says so only if it did, and puts everything away however it ends."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from boxroom.demo.cast import CAST, IVO
from boxroom.folder import is_served
from tests.boxroom.house import PATIENCE, House

pytestmark = pytest.mark.xdist_group("demo")

TOLD = re.compile(r"^      [✓✗] (.+?)(?: \((?:\d+ ms|[\d.]+ s)\)|: not in time)$", re.MULTILINE)
NAMED = re.compile(r"^    [✓✗] (.+)$", re.MULTILINE)
SEEN = (  # on the side that received it, whatever else there is
    "Ada's studio lists Bo, Gus and Pia as followers",
    "Gus was let in by Ada and Pia",
    "Ada has Bo's picture, and what it shows in words",
    "Pia reads the warning, and then the opinion",
    "Gus reads Pia's answer",
    "Gus has Bo's picture, because Ada boosted it",
    "Bo was told that Gus likes the picture",
    "Bo reads the mended words",
    "Bo's studio has forgotten Gus's words",
    "Gus's studio has never heard of the letter",
    "Gus finds Pia's offer on the board, with its price",
    "Pia's page shows the offer to a stranger",
    "Gus and Pia have an agreement, and Gus has a copy of it",
    "Bo was told of the no, and of the reason",
    "Ada sees that the offer is taken",
    "Ada has Bo's endorsement, and the proof in it is Bo's",
    "Gus checks the file: it is Bo's word, though Bo's server is off",
    "At Bo's it says that Gus's word is revoked",
    "Gus has Pia's invitation",
    "Pia was told that Gus declined",
    "Pia reads Bo's answer in the room",
    "A stranger is told that there is nothing there",
    "Ada's studio keeps Bo's mail, and says what it waits for",
    "Bo reads what Ada said meanwhile",
    "Pia's studio refuses what Bo wrote in the room",
    "Nobody answers any more at Ivo's address",
    "Ivo's data are nowhere",
    "Gus reads Bo's words in the room",
    "Pia, who never met Ivo, finds the proof in the copy alone",
    "Ada's studio turns it away, because nobody signed it",
)
LONGER = (  # in this order
    "Gus and Pia have an agreement, and Gus has a copy of it",
    "At Ada's it counts: both have signed",
    "Bo's studio has it as kept, too",
    "Ada has it, and it names the promise that it is about",
    "Gus checks the file: it is Bo's word, though Bo's server is off",
    "Ada's studio keeps Bo's mail, and says what it waits for",
    "Bo's studio counts two members now",
    "Bo has Ada's invitation to what Ivo founded",
    "Gus's studio knows where the project is to be found now",
    "The project passes it on: Pia's studio has that from Ada's",
    "Gus checks the copy: it is Ivo's word",
)


def demo(*arguments: str, within: int = 240) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "boxroom", "demo", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=within, check=False)


@pytest.fixture(scope="module")
def told() -> subprocess.CompletedProcess[str]:
    """The story, told once."""
    began = time.monotonic()
    result = demo("--once", "--patience", "60")
    print(f"boxroom demo --once took {time.monotonic() - began:.1f} s")
    return result


@pytest.mark.timeout(300)
def test_shows_core_2_studios_live_together_and_every_fact_arrives(told: subprocess.CompletedProcess[str]) -> None:
    story, _, summary = told.stdout.partition("What was checked, each where it had to arrive")

    assert (told.returncode, told.stderr, "✗" in told.stdout) == (0, "", False), told.stdout[-3000:]
    assert sorted(TOLD.findall(story)) == sorted(NAMED.findall(summary))
    assert set(SEEN) <= set(NAMED.findall(summary))
    assert re.search(r"^All \d{3} facts hold, after [\d.]+ s\.$", summary, re.MULTILINE)
    signed = re.findall(r"(\w+)'s studio has a receipt for each of (\d+), and knows by whose key", summary)
    assert {name for name, _ in signed} == {one.first for one in CAST}
    assert all(int(number) >= 20 for _, number in signed)


@pytest.mark.timeout(300)
def test_shows_coop_5_what_is_agreed_promised_and_vouched_for_outlives_a_studio(
    told: subprocess.CompletedProcess[str],
) -> None:
    """From an agreement to a commitment to an endorsement, with one studio asleep and one gone for ever."""
    _, _, summary = told.stdout.partition("What was checked, each where it had to arrive")
    held = re.findall(r"^    ✓ (.+)$", summary, re.MULTILINE)

    assert [one for one in LONGER if one not in held] == []
    assert [held.index(one) for one in LONGER] == sorted(held.index(one) for one in LONGER)


@pytest.mark.timeout(300)
def test_what_does_not_arrive_in_time_is_named_and_ends_in_status_1() -> None:
    result = demo("--once", "--patience", "0")

    _, _, summary = result.stdout.partition("What was checked, each where it had to arrive")

    assert (result.returncode, result.stderr) == (1, ""), result.stdout[-3000:]
    assert "    ✗ " in summary
    assert re.search(r"^\d+ of \d+ facts do not hold:\n  ✗ ", summary, re.MULTILINE)
    assert "All" not in summary


@pytest.mark.timeout(300)
def test_the_studios_stay_open_until_they_are_told_to_close(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    with lasting(folder) as running:
        said = until(running, "Ctrl-C closes them.")
        visited = [urllib.request.urlopen(page).status for page in re.findall(r"http://\S+/@\w+$", said, re.MULTILINE)]  # noqa: S310 - ours
        feed = House(folder / "gus", "").does("feed")
        served = [is_served(folder / one.handle) for one in CAST]
        running.send_signal(signal.SIGINT)
        rest, complaints = running.communicate(timeout=PATIENCE)

    assert (visited[-4:], served) == ([200] * 4, [True] * 4)
    assert "Good morning from the attic." in feed
    assert (running.returncode, complaints) == (0, "")
    assert "Good night." in rest
    assert not any(is_served(folder / one.handle) for one in CAST)
    assert not (folder / IVO.handle).exists()


@pytest.mark.timeout(120)
def test_whoever_stops_the_story_stops_its_servers_too(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    with lasting(folder) as running:
        until(running, "They find each other")
        running.send_signal(signal.SIGTERM)
        _, complaints = running.communicate(timeout=PATIENCE)

    assert (running.returncode, complaints) == (130, "boxroom: stopped\n")
    assert not any(is_served(folder / one.handle) for one in CAST)


@contextmanager
def lasting(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A demo that stays open, ended at the latest when left."""
    command = [sys.executable, "-m", "boxroom", "demo", "--patience", "60", "--data", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        try:
            yield running
        finally:
            running.terminate()


def until(running: subprocess.Popen[str], words: str) -> str:
    """What it says up to the line with `words`."""
    assert running.stdout is not None
    said = ""
    for line in running.stdout:
        said += line
        if words in line:
            return said
    raise AssertionError(said)
