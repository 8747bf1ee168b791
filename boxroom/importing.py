"""Archives that were sent from a browser: looked at, and brought along when whoever sent one has said so."""

from __future__ import annotations

import asyncio
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from sqlalchemy.orm import Session

from activitypub.sentence import Sentence
from boxroom.folder import MEDIA
from coop import accounts, imports
from coop.errors import Trouble
from coop.imports import IMPORTS, Import, State
from federation.instance import Instance
from federation.store import Unavailable

PAUSE = 30  # seconds, until it is tried again where nothing can be written
LEFT = 3600  # seconds, after which nobody comes back for a file that nothing is known of

if TYPE_CHECKING:
    from boxroom.archive import Archive
    from boxroom.archived import Tally
    from boxroom.bringing import Bringing

log = structlog.get_logger()


async def run(here: Instance, data: Path) -> None:
    """For as long as the server runs: what was cut short by its end begins anew."""
    arrived = here.store.topic(IMPORTS)
    while True:
        arrived.clear()
        try:
            await work(here, data)
        except Unavailable as error:
            log.warning("import.waits", reason=str(error))
            await asyncio.sleep(PAUSE)
            continue
        except Exception:  # a bug in it must not end the server
            log.exception("import.failed")
        await arrived.wait()


async def work(here: Instance, data: Path) -> None:
    """All that waits, one after the other; what was left by a program that was killed is thrown away."""
    for row in await here.store.read(imports.waiting):
        await _work(here, data, row)
    needed = await here.store.read(imports.files)
    await asyncio.to_thread(_sweep, data / imports.FOLDER, needed)


async def _work(here: Instance, data: Path, row: Import) -> None:
    done: State = "looked" if row.state == "looking" else "brought"
    try:
        tally = await _through(here, data, row)
    except Unavailable:
        raise
    except Trouble as error:
        words: str = str(error)
    except FileNotFoundError:
        words = Sentence("it is not here any more: send it again")
    except Exception:  # whatever an archive does to this program, the next one is not to wait for it
        log.exception("import.failed", name=row.name)
        words = Sentence("something broke here while it was read; it has been noted")
    else:
        counted = (tally.brought, tally.left_out, tally.here_already)
        await here.store.write(lambda tx: imports.note(tx, row.account, state=done, counted=counted))
        if done == "brought":
            _throw_away(data, row)
        return
    await here.store.write(lambda tx: imports.note(tx, row.account, state="failed", error=words))
    _throw_away(data, row)


async def _through(here: Instance, data: Path, row: Import) -> Tally:
    """What there is in it, or what became of that. What reads archives is loaded when there is one."""
    from boxroom import archive

    box = await asyncio.to_thread(archive.opened, data / imports.FOLDER / row.file)
    if box is None:
        raise Trouble("that is no archive as Mastodon makes it, which is a .zip or a .tar.gz")
    with closing(box):
        bringing = await _begun(here, data, row, box)
        await (bringing.look() if row.state == "looking" else bringing.bring())
    return bringing.tally


async def _begun(here: Instance, data: Path, row: Import, box: Archive) -> Bringing:
    def whose(db: Session) -> str:
        return next(uri for uri, number in accounts.numbers(db).items() if number == row.account)

    from boxroom.bringing import Bringing

    async def tell(number: int) -> None:
        await here.store.write(lambda tx: imports.note(tx, row.account, entries=number))

    return Bringing(here, await here.store.read(whose), data / MEDIA, box, tell)


def _throw_away(data: Path, row: Import) -> None:
    (data / imports.FOLDER / row.file).unlink(missing_ok=True)


def _sweep(place: Path, needed: set[str]) -> None:
    with suppress(FileNotFoundError):
        for file in place.iterdir():
            if file.name not in needed and file.stat().st_mtime < time.time() - LEFT:  # not one that is just arriving
                file.unlink(missing_ok=True)
