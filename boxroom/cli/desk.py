"""Where a command works: a studio's server opened for one person, and errors that end it in one line."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from activitypub.errors import ProtocolError
from boxroom import folder, logs, migrations
from boxroom.assemble import assemble, database_url
from boxroom.cli import as_option, data_folder, data_option, json_option
from boxroom.cli.printing import clean, print_document, say, whisper
from boxroom.settings import FILE, Settings, Wrong, load
from coop import accounts, media
from coop.errors import Trouble
from federation import discovery, known
from federation.client import Gone, Unreachable
from federation.instance import Instance
from federation.outbox import TooLong
from federation.store import Transaction, Unavailable, database_file
from federation.tables import Actor, Object

T = TypeVar("T")

EXPECTED = (Trouble, ProtocolError, Unreachable, Gone, Unavailable, Wrong, TooLong, SQLAlchemyError, OSError)


@dataclass(frozen=True, slots=True)
class Desk:
    """One studio's server, in the name of somebody who lives there."""

    here: Instance
    folder: Path
    settings: Settings
    me: str  # the URI of whoever acts
    as_json: bool

    async def does(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in a transaction, after whatever it lacks was fetched."""
        return await discovery.completing(self.here, work)

    async def reads(self, work: Callable[[Session], T]) -> T:
        return await self.here.store.read(work)

    async def somebody(self, text: str) -> Actor:
        """Whoever has that address or URL. Raise `Trouble` if it is something else, and as `discovery.lookup` does."""
        found = await self.anything(text)
        if not isinstance(found, Actor):
            raise Trouble(f"{text} is not somebody's address: that looks like ada@attic.example")
        return found

    async def something(self, text: str) -> Object:
        """Whatever somebody said at that URL. Raise `Trouble` if it is somebody, and as `discovery.lookup` does."""
        found = await self.anything(text)
        if not isinstance(found, Object):
            raise Trouble(f"{text} is somebody, not something that was said")
        return found

    async def anything(self, text: str) -> Actor | Object:
        """Raise as `discovery.lookup` does. A bare handle is that of somebody here."""
        if "://" not in text and "@" not in text.removeprefix("@"):
            return await self.reads(lambda db: known.actor(db, accounts.named(db, text).uri))
        return await discovery.lookup(self.here, text)

    async def uploads(self, file: Path, alt: str = "") -> str:
        """Store a file as an upload of whoever acts; return its name. Raise `Trouble` if it cannot be one."""
        data = await asyncio.to_thread(file.read_bytes)
        stored = await asyncio.to_thread(media.store_upload, self.folder / folder.MEDIA, data, file.name, alt)
        return await self.does(lambda tx: media.keep(tx, self.me, stored).name)

    def has_said(self, uri: str, words: str) -> None:
        """Tell that something was published: its address, for scripts, and whether it is on its way already."""
        goes = self.goes_at_once()
        if self.as_json:
            print_document({"uri": uri, "sent": "now" if goes else "at the next start"})
            return
        say(uri)
        self.has_done(words)

    def has_done(self, words: str) -> None:
        """Tell what was done, in words that are not for scripts."""
        later = "" if self.goes_at_once() else " The server is not running: others will hear of it when it starts."
        whisper(f"{words}{later}")

    def goes_at_once(self) -> bool:
        """Whether a server works on this database now. Of PostgreSQL we take it that one does."""
        return database_file(database_url(self.folder, self.settings)) is None or folder.is_served(self.folder)


Work = Callable[..., Awaitable[None]]


def command(name: str, group: click.Group | None = None, *, prints: bool = False) -> Callable[[Work], click.Command]:
    """Make the decorated ``async (desk, …)`` a command, of `group` if given. With `prints`, it takes ``--json``."""

    def decorate(work: Work) -> click.Command:
        @wraps(work)
        def run(**given: Any) -> None:
            meta = click.get_current_context().meta
            finish(_at_desk(work, given, meta.get("boxroom.as"), bool(meta.get("boxroom.json"))))

        made = click.command(name)(run)
        made.params += [as_option(), data_option(), *([json_option()] if prints else [])]
        if group is not None:
            group.add_command(made)
        return made

    return decorate


def finish(work: Awaitable[T], loop: Callable[[], asyncio.AbstractEventLoop] | None = None) -> T:
    """Run `work` to its end; what people, other servers and machines do wrong becomes a line and exit status 1."""

    async def run() -> T:
        return await work

    try:
        with asyncio.Runner(loop_factory=loop) as runner:
            return runner.run(run())
    except EXPECTED as error:
        raise click.ClickException(in_words(error)) from error


def in_words(error: Exception) -> str:
    """One line for a person; what other servers say may contain anything."""
    if isinstance(error, SQLAlchemyError):
        said = clean(str(getattr(error, "orig", None) or error).splitlines()[0])
        return f"the database cannot be used: {said}{_cure(said)}"
    if isinstance(error, Unavailable):
        return f"{clean(str(error))}{_cure(str(error))}"
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {(error.strerror or 'cannot be used').lower()}"
    return clean(str(error))


def _cure(said: str) -> str:
    return "; make room, and then do it again" if "full" in said else ""


@asynccontextmanager
async def opened(data: Path) -> AsyncIterator[tuple[Settings, Instance]]:
    """The server whose data are in a folder, its database up to date. Raise `Wrong` if there is none."""
    settings = settings_in(data)
    logs.configure("warning")
    migrations.ensure_current(database_url(data, settings), lambda: folder.is_served(data))
    here = assemble(data, settings)
    try:
        yield settings, here
    finally:
        await here.client.close()
        here.store.close()


def is_studio(data: Path) -> bool:
    return (data / FILE).exists()


def settings_in(data: Path) -> Settings:
    """Raise `Wrong` if nobody has set up a studio in `data`, or as `load` does."""
    if not is_studio(data):
        raise Wrong(f"there is no studio in {data} yet: `boxroom serve` sets one up, or name its folder with --data")
    return load(data, os.environ)


async def _at_desk(work: Work, given: dict[str, Any], handle: str | None, as_json: bool) -> None:
    data = data_folder()
    async with opened(data) as (settings, here):
        me = await here.store.read(lambda db: (accounts.named(db, handle) if handle else accounts.first(db)).uri)
        await work(Desk(here, data, settings, me, as_json), **given)
