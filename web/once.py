"""Forms that are sent twice: by a second click, or by going back and sending again."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable

from cachetools import TTLCache

KEPT = 1_000, 3_600  # forms, seconds


class Once:
    """What was done for forms, by the key that stands in each: for the same one nothing is done again."""

    def __init__(self) -> None:
        self._done: TTLCache[str, asyncio.Future[str]] = TTLCache(*KEPT)

    async def do(self, key: str, work: Callable[[], Awaitable[str]]) -> str:
        """What came of `work`, be it now, before or at this very moment. If it raises, it may be tried again."""
        if (doing := self._done.get(key)) is None:
            doing = self._done[key] = asyncio.ensure_future(work())
        try:
            return await asyncio.shield(doing)
        except BaseException:
            self._done.pop(key, None)
            raise


def new_key() -> str:
    return secrets.token_urlsafe(12)
