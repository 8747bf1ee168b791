"""Waiting for what commits wake: one worker for its work, or any number of tasks for news."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict


class Topics:
    """What may be waited for, by name."""

    def __init__(self) -> None:
        self._events: dict[str, asyncio.Event] = {}
        self._told: defaultdict[str, int] = defaultdict(lambda: time.time_ns() // 1_000_000)
        self._bells: dict[str, asyncio.Event] = {}

    def event(self, name: str) -> asyncio.Event:
        """Set whenever the topic is woken; the one who waits for it clears it."""
        return self._events.setdefault(name, asyncio.Event())

    def told(self, name: str) -> int:
        """A number that is another one, and greater, whenever the topic was woken since, be it before a restart."""
        return self._told[name]

    async def news(self, name: str, told: int) -> int:
        """Wait until what is `told` of a topic is another number; return that. Any number of tasks may wait for it."""
        while self._told[name] == told:
            await self._bells.setdefault(name, asyncio.Event()).wait()
        return self._told[name]

    def wake(self, name: str) -> None:
        """Wake all who wait for the topic. Only to be called in the loop in which they wait."""
        self.event(name).set()
        self._told[name] += 1
        if bell := self._bells.pop(name, None):
            bell.set()
