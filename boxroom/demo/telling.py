"""The voice of the demo: what happened, to whom it went, how long that took. Plain lines where there is no terminal."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from boxroom.cli.printing import clean, console
from boxroom.demo.facts import Outcome

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(slots=True)
class Teller:
    _console: Console = field(default_factory=console)
    _began: float = field(default_factory=time.perf_counter)

    @property
    def seconds(self) -> float:
        """How long the telling has taken so far."""
        return time.perf_counter() - self._began

    def chapter(self, title: str) -> None:
        self._line("")
        self._line(title, "bold")

    def act(self, sentence: str) -> None:
        """What somebody did."""
        self._line(f"  {sentence}")

    def aside(self, sentence: str) -> None:
        self._line(f"      {clean(sentence)}", "italic dim")

    def outcome(self, one: Outcome) -> None:
        """Where it arrived, or did not."""
        if one.after is not None:
            self._line(f"      ✓ {one.sentence} ({_duration(one.after)})", "green")
            return
        self._line(f"      ✗ {one.sentence}: not in time", "bold red")
        for reason in one.reasons:
            self._line(f"          {clean(reason)}", "red")

    def summary(self, chapters: Iterable[tuple[str, list[Outcome]]]) -> None:
        """Name every fact that was looked for, and say which were not found."""
        outcomes = []
        self.chapter("What was checked, each where it had to arrive")
        for title, found in chapters:
            self._line(f"  {title}")
            for one in found:
                self._line(f"    {'✓' if one.after is not None else '✗'} {one.sentence}")
            outcomes += found
        self.total(outcomes)

    def total(self, outcomes: list[Outcome]) -> None:
        held = sum(one.after is not None for one in outcomes)
        self._line("")
        if held == len(outcomes):
            self._line(f"All {held} facts hold, after {self.seconds:.1f} s.", "bold green")
            return
        self._line(f"{len(outcomes) - held} of {len(outcomes)} facts do not hold:", "bold red")
        for one in outcomes:
            if one.after is None:
                self._line(f"  ✗ {one.sentence}", "red")

    def _line(self, text: str, style: str = "") -> None:
        self._console.print(text, style=style, markup=False, highlight=False, emoji=False, soft_wrap=True)


def _duration(milliseconds: int) -> str:
    return f"{milliseconds} ms" if milliseconds < 10_000 else f"{milliseconds / 1000:.1f} s"
