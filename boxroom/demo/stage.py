"""Where the demo plays: four studios set up and opened, and all closed again whatever happens."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from boxroom import folder as folders
from boxroom.demo.cast import CAST, IVO
from boxroom.demo.studio import Studio
from boxroom.settings import Wrong

MARK = "this-is-a-demo.txt"
_MARKED = "Studios of `boxroom demo`. The next demo that is started here removes them.\n"


@dataclass(frozen=True, slots=True)
class Stage:
    ada: Studio
    bo: Studio
    gus: Studio
    pia: Studio

    @property
    def everyone(self) -> tuple[Studio, ...]:
        return self.ada, self.bo, self.gus, self.pia

    def others(self, *but: Studio) -> tuple[Studio, ...]:
        return tuple(one for one in self.everyone if one not in but)


def clear(folder: Path) -> None:
    """Make `folder` a new one for a demo. Raise `Wrong` if it holds anything but an earlier demo that has ended."""
    if folder.exists() and any(folder.iterdir()):
        if not (folder / MARK).exists():
            raise Wrong(f"{folder} is not from a demo, so nothing there was touched; choose another with --data")
        if any(folders.is_served(folder / one.handle) for one in (*CAST, IVO)):
            raise Wrong(f"a demo is running in {folder}; end that one first")
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARK).write_text(_MARKED)


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Stage]:
    """The studios of the cast below `folder`, each served by a process of its own until left."""
    studios: list[Studio] = []
    starts: list[asyncio.Task[None]] = []
    try:
        for person in CAST:
            studios.append(await Studio.found(folder / person.handle, person))
            starts.append(asyncio.create_task(studios[-1].wakes()))  # while the next is being set up
        await asyncio.gather(*starts)
        yield Stage(*studios)
    finally:
        await asyncio.gather(*starts, return_exceptions=True)
        await asyncio.gather(*(one.closes() for one in studios))
