"""Speed and memory of Boxroom, as ratios in one run on one machine: ``make bench``.

A ratio below its aim is marked; the program then exits with 1. Absolute numbers are for orientation only: they are this
machine's, at this hour.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks import catchup, delivery, finding, idle, inbox, pages, projects, rows

REFERENCE, BOXROOM = "benchmarks.reference", "benchmarks.studio"
PORT = 22_900
ROUNDS = 5  # of which the middle one counts: a machine is not as quick in each


@dataclass(frozen=True, slots=True)
class Line:
    """One measurement beside what it should be: at least `aim`, or at most if `ceiling`."""

    name: str
    value: float
    aim: float
    ceiling: bool
    how: str

    @property
    def holds(self) -> bool:
        return self.value <= self.aim if self.ceiling else self.value >= self.aim

    def __str__(self) -> str:
        bound = f"{'≤' if self.ceiling else '≥'} {self.aim:g}"
        return f"{self.name:<58} {self.value:>8.2f}   {bound:<8} {'' if self.holds else 'MISSED':<7} {self.how}"


def of_inbox(folder: Path) -> Iterator[Line]:
    rounds = [tuple(inbox.measure(one, PORT, folder) for one in (REFERENCE, BOXROOM)) for _ in range(ROUNDS)]
    for name, aim in (("accepted", 0.6), ("settled", 0.35)):
        pairs = [(getattr(reference, name), getattr(ours, name)) for reference, ours in rounds]
        reference, ours = sorted(pairs, key=lambda pair: pair[1] / pair[0])[ROUNDS // 2]
        how = f"{ours:,.0f} of {reference:,.0f} per CPU second"
        yield Line(f"inbox: {name}, share of the reference", ours / reference, aim, False, how)
    tail = median(ours.tail for _, ours in rounds)
    at = f"{median(ours.per_second for _, ours in rounds):,.0f} a second at full"
    yield Line("inbox: p99 over the median at half load", tail, 50, True, at)


def of_delivery(folder: Path) -> Iterator[Line]:
    signatures = delivery.signing_rate()
    for size in (200, 1_000):
        reference = delivery.measure(REFERENCE, PORT, folder, size)
        ours = delivery.measure(BOXROOM, PORT, folder, size)
        how = f"{ours.per_second:,.0f} of {reference.per_second:,.0f} a second"
        yield Line(
            f"delivery to {size:,} hosts, share of the reference",
            ours.per_second / reference.per_second,
            0.7,
            False,
            how,
        )
        yield Line(
            f"delivery to {size:,} hosts, share of one core's RSA",
            ours.per_second / signatures,
            0.6,
            False,
            f"{signatures:,.0f} signatures a second; the reference has {reference.per_second / signatures:.2f}",
        )
        yield Line(
            f"a tenth of {size:,} hosts hangs: 95 % of the rest, times",
            ours.disturbed / ours.undisturbed,
            1.5,
            True,
            f"{ours.disturbed:.2f} s, else {ours.undisturbed:.2f} s",
        )
    killed = delivery.kill(PORT, folder, 200)
    yield Line("SIGKILL in mid fan-out: lost", killed.lost, 0, True, f"{killed.reached_before} of 200 had it")
    yield Line(
        "SIGKILL in mid fan-out: repeated",
        killed.repeated,
        75,
        True,
        "at most what was under way: those who had it and had not answered",
    )


def of_rows(folder: Path) -> Iterator[Line]:
    few, many = rows.cost_per_delivery(folder, 100), rows.cost_per_delivery(folder, 100_000)
    yield Line(
        "a delivery with 100,000 followers, times one with 100", many / few, 1.5, True, f"{many * 1e6:.1f} µs each"
    )
    small, large = rows.feed_page(folder, 1_000), rows.feed_page(folder, 1_000_000)
    for name, few_stored, many_stored in (
        ("a page of the feed", small.asked, large.asked),
        ("Today, the whole page", small.shown, large.shown),
    ):
        how = f"{many_stored * 1e3:.2f} ms"
        yield Line(f"{name} with 1,000,000 posts, times 1,000", many_stored / few_stored, 1.5, True, how)


def of_pages(folder: Path) -> Iterator[Line]:
    (house := folder / "house").mkdir()
    found = asyncio.run(pages.heaviest(house))
    yield Line("the largest page, KB as sent, pictures aside", found.octets / 1e3, 100, True, found.sent_for)
    yield Line("the page that asks the database most, statements", found.statements, 20, True, found.asked_by)


def of_projects(folder: Path) -> Iterator[Line]:
    short, long = projects.measure(folder, 1_000), projects.measure(folder, projects.LONG)
    each = (long.derived / projects.LONG) / (short.derived / 1_000)
    how = f"{long.derived:.2f} s in all, {long.read:.2f} s with reading it from disk"
    yield Line("a project's state from 10,000 statements, each, times 1,000", each, 1.5, True, how)
    how = f"{long.one_more * 1e3:.1f} ms, signed, stored, and with all that follows from it"
    yield Line("one more statement after 10,000, times after 1,000", long.one_more / short.one_more, 1.5, True, how)


def of_finding(folder: Path) -> Iterator[Line]:
    few, _ = finding.skills(folder, 200)
    many, precision = finding.skills(folder, 2_000)
    yield from _grown("who can do it, of 2,000 people, times 200", few, many)
    yield Line("who can do it: right among the first five", precision, 0.8, False, "in the mean over all skills")
    small, large = finding.words(folder, 100_000), finding.words(folder, 1_000_000)
    yield from _grown("words in 1,000,000 posts, times 100,000", small, large)


def _grown(name: str, small: finding.Times, large: finding.Times) -> Iterator[Line]:
    yield Line(f"{name}: median", large.median / small.median, 1.5, True, f"{large.median * 1e3:.2f} ms")
    yield Line(f"{name}: p99", large.tail / small.tail, 3, True, f"{large.tail * 1e3:.2f} ms")


def of_idling(folder: Path) -> Iterator[Line]:
    found = idle.measure(PORT, folder)
    yield Line("idle memory, MiB", found.memory, 90, True, "resident, of `boxroom serve`")
    yield Line("start to first answer, seconds", found.seconds, 1.5, True, "of `boxroom serve`")


def of_catching_up(folder: Path) -> Iterator[Line]:
    found = catchup.measure(BOXROOM, PORT, folder, peers=10, items=1_000)
    how = f"{found.cpu:.1f} s of CPU, {found.requests} pages"
    yield Line("catch-up of 10,000 items from ten peers, seconds", found.seconds, 60, True, how)
    yield Line("catch-up of 10,000 items from ten peers: twice", found.twice, 0, True, "entries of the feed")


PARTS = {
    "idle": of_idling,
    "inbox": of_inbox,
    "delivery": of_delivery,
    "rows": of_rows,
    "pages": of_pages,
    "finding": of_finding,
    "projects": of_projects,
    "catchup": of_catching_up,
}


def main(wanted: list[str]) -> int:
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        for name in wanted or PARTS:
            for line in PARTS[name](Path(folder)):
                print(line, flush=True)
                lines.append(line)
    return 0 if all(line.holds for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
