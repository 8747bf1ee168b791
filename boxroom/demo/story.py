"""The story of the demo: acts, and for each the facts that have to be so elsewhere because of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from boxroom.demo.facts import Fact, Outcome, watch
from boxroom.demo.stage import Stage
from boxroom.demo.studio import Studio
from boxroom.demo.telling import Teller
from federation.store import Transaction

T = TypeVar("T")


@dataclass(slots=True)
class Story:
    """What has happened so far, and what came of it."""

    stage: Stage
    tell: Teller
    patience: float
    chapters: list[tuple[str, list[Outcome]]] = field(default_factory=list)
    _since: float = 0.0
    _seen: bool = True  # what came of the acts since then

    @property
    def outcomes(self) -> list[Outcome]:
        return [one for _, found in self.chapters for one in found]

    @property
    def came_true(self) -> bool:
        return bool(self.outcomes) and all(one.after is not None for one in self.outcomes)

    async def act(self, who: Studio, sentence: str, work: Callable[[Transaction], T]) -> T:
        """Let somebody do something; the facts that follow are timed from here."""
        self._begin()
        result = await who.does(work)
        self.tell.act(sentence)
        return result

    def happens(self, sentence: str) -> None:
        """Tell of something that is in no database."""
        self._begin()
        self.tell.act(sentence)

    def _begin(self) -> None:
        """Facts are timed from the first act of which nothing was seen yet."""
        if self._seen:
            self._since, self._seen = time.perf_counter(), False

    async def see(self, *facts: Fact) -> None:
        """Wait for all `facts` at once, and tell of each as it comes true."""
        self._seen = True
        watching = [watch(one, self._since, self.patience, self.stage.everyone) for one in facts]
        for done in asyncio.as_completed(watching):
            outcome = await done
            self.chapters[-1][1].append(outcome)
            self.tell.outcome(outcome)

    async def play(self, chapters: Iterable[tuple[str, Chapter]]) -> None:
        """Tell every chapter; one that breaks off is a fact that does not hold, and the next is told all the same."""
        for title, chapter in chapters:
            self.chapters.append((title, []))
            self._seen = True
            self.tell.chapter(title)
            try:
                await chapter(self)
            except Exception as error:  # noqa: BLE001 - whatever broke it off is told, and ends in exit status 1
                broken = Outcome(f"{title}: the story breaks off", None, (f"{type(error).__name__}: {error}",))
                self.chapters[-1][1].append(broken)
                self.tell.outcome(broken)


Chapter = Callable[[Story], Awaitable[None]]
