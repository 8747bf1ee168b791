"""Asking together: what many want while an earlier question is being answered is asked for in one go."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Wanted = TypeVar("Wanted")
Found = TypeVar("Found")


class Together(Generic[Wanted, Found]):
    """`ask` is given all that is wanted, and finds one thing for each, in their order. If it raises, all hear of it.

    Before each question it waits for the seconds that `linger` says, given how many want something by then.
    """

    def __init__(
        self, ask: Callable[[list[Wanted]], Awaitable[Sequence[Found]]], linger: Callable[[int], float] = lambda _: 0
    ) -> None:
        self._ask = ask
        self._linger = linger
        self._waiting: list[tuple[Wanted, asyncio.Future[Found]]] = []
        self._answering: asyncio.Task[None] | None = None

    async def __call__(self, wanted: Wanted) -> Found:
        """Raise what `ask` raises."""
        found: asyncio.Future[Found] = asyncio.get_running_loop().create_future()
        self._waiting.append((wanted, found))
        if self._answering is None or self._answering.done():
            self._answering = asyncio.create_task(self._answer())
        return await found

    async def _answer(self) -> None:
        while self._waiting:
            await asyncio.sleep(self._linger(len(self._waiting)))
            batch, self._waiting = [one for one in self._waiting if not one[1].done()], []
            try:
                results = await self._ask([wanted for wanted, _ in batch])
            except Exception as error:  # noqa: BLE001 - each who waits hears of it
                for _, found in batch:
                    if not found.done():  # else nobody waits any more
                        found.set_exception(error)
            else:
                for (_, found), result in zip(batch, results, strict=True):
                    if not found.done():
                        found.set_result(result)
