"""Pictures of others, fetched when somebody here looks at them, and kept for a while: so their servers learn no more
than that somebody here did (P-339).

The law: what is kept was made anew by our own program, like uploads (P-338); it is asked for once, however many look,
and not again for a while if it cannot be had; all of it together has a bound, and what nobody looked at goes first.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import structlog
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Mapped, mapped_column

from activitypub.errors import ProtocolError
from activitypub.origin import host
from coop import media
from coop.errors import NotFound, Trouble
from federation.client import Unreachable
from federation.guard import Limits
from federation.instance import Instance
from federation.store import Transaction
from federation.tables import Row

log = structlog.get_logger()

FOLDER = "others"  # within that of our own uploads
LIMITS = Limits(document=16 * 1024 * 1024)  # octets; photographs are large
ACCEPT = ", ".join(media.PICTURES)
MAX_KEPT = 1024**3  # octets
UNSEEN = timedelta(days=30)  # after which a picture goes
AGAIN = timedelta(hours=6)  # before what could not be had is asked for once more
NOTED = timedelta(days=1)  # between two notes that somebody looked
Use = Literal["face", "post"]
SIDES: dict[Use, int] = {"face": 256, "post": 1_600}  # pixels, of the longer one


class RemoteMedia(Row):
    """A picture at a URL of others, or that there is none to be had."""

    __tablename__ = "remote_media"

    key: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str | None]  # of its file; ``None`` if it could not be had
    media_type: Mapped[str]
    octets: Mapped[int]
    fetched: Mapped[datetime]
    seen: Mapped[datetime] = mapped_column(index=True)


class Gallery:
    """Fetches pictures into `folder`, a few at a time."""

    def __init__(self, here: Instance, folder: Path) -> None:
        self.here = here
        self.folder = folder / FOLDER
        self._under_way: dict[str, asyncio.Task[RemoteMedia]] = {}
        self._few = asyncio.Semaphore(4)

    async def picture(self, url: str, use: Use, reader: str | None = None) -> RemoteMedia:
        """The picture at `url`, as large as it needs to be for `use`; asked for in the name of `reader` or of nobody.

        Raise `NotFound` if it is not to be had.
        """
        key = hashlib.sha256(f"{use} {url}".encode()).hexdigest()
        now = self.here.now()
        row = await self.here.store.read(lambda db: db.get(RemoteMedia, key))
        if row is None or (row.name is None and row.fetched < now - AGAIN) or self._is_lost(row):
            row = await self._fetched(key, url, SIDES[use], reader or self.here.uri)
        elif row.seen < now - NOTED:
            await self.here.store.write(lambda tx: _note(tx, key))
        if row.name is None:
            raise NotFound("this picture is not to be had now")
        return row

    def _is_lost(self, row: RemoteMedia) -> bool:
        return row.name is not None and not media.path(self.folder, row.name).is_file()

    async def _fetched(self, key: str, url: str, longest: int, reader: str) -> RemoteMedia:
        if (task := self._under_way.get(key)) is None:
            task = self._under_way[key] = asyncio.create_task(self._fetch(key, url, longest, reader))
            task.add_done_callback(lambda _: self._under_way.pop(key, None))
        return await asyncio.shield(task)

    async def _fetch(self, key: str, url: str, longest: int, reader: str) -> RemoteMedia:
        async with self._few:
            found: dict[str, Any] = {"name": None, "media_type": "", "octets": 0}
            try:
                if await self.here.blocks(host(url)):
                    raise NotFound("that server is blocked")
                signer = await self.here.signer(reader)
                answer = await self.here.client.within(LIMITS).get(url, signer, ACCEPT)
                if answer.status != 200:
                    raise NotFound("it answers %(status)s", status=answer.status)
                stored = await asyncio.to_thread(media.store_picture, self.folder, answer.body, longest)
                found = dict(zip(found, stored, strict=True))
            except (ProtocolError, Unreachable, Trouble) as error:
                log.info("picture.missing", url=url, reason=str(error))
        return await self.here.store.write(lambda tx: _keep(tx, key, found))


def _keep(tx: Transaction, key: str, found: dict[str, Any]) -> RemoteMedia:
    tx.db.execute(delete(RemoteMedia).where(RemoteMedia.key == key))
    row = RemoteMedia(key=key, fetched=tx.now, seen=tx.now, **found)
    tx.db.add(row)
    tx.db.flush()
    return row


def _note(tx: Transaction, key: str) -> None:
    tx.db.execute(update(RemoteMedia).where(RemoteMedia.key == key).values(seen=tx.now))


async def sweep(here: Instance, folder: Path, most: int = MAX_KEPT) -> int:
    """Throw away what nobody looked at for long, or what is too much, and files that no row names; return how many."""
    before = here.now() - UNSEEN
    await here.store.write(lambda tx: _forget(tx, before, most))
    kept = await here.store.read(lambda db: {*db.scalars(select(RemoteMedia.name))})
    return await asyncio.to_thread(_remove, (folder / FOLDER).glob("*"), kept)


def _forget(tx: Transaction, before: datetime, most: int) -> None:
    tx.db.execute(delete(RemoteMedia).where(RemoteMedia.seen < before))
    left = most
    for row in tx.db.scalars(select(RemoteMedia).order_by(RemoteMedia.seen.desc())):
        left -= row.octets
        if left < 0:
            tx.db.delete(row)


def _remove(files: Iterable[Path], kept: set[str | None]) -> int:
    """One whose row is just about to be written may go, too: then it is fetched once more."""
    gone = [one for one in files if one.name not in kept]
    for one in gone:
        one.unlink(missing_ok=True)
    return len(gone)
