"""Bringing an archive from Mastodon along, some posts at a time: it may have tens of thousands."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from pathlib import Path

from sqlalchemy.orm import Session

from activitypub.document import Document
from boxroom import archive, archived
from boxroom.archive import Archive
from boxroom.archived import EMPTY, FILE, LONG, PICTURE, POST, Said, Tally
from coop import accounts, archives, media, profiles
from coop.archives import Past
from coop.errors import Trouble
from coop.media import Stored
from coop.profiles import Changes
from federation import discovery, known
from federation.instance import Instance
from federation.outbox import TooLong
from federation.store import Transaction

SOME = 20  # posts in one transaction
NOW_AND_THEN = 500  # entries, after which it is told how far it is


@dataclass(slots=True)
class Bringing:
    """The archive `box` for `me`, one of us; files go to `media`. How many entries were read is `told` now and then."""

    here: Instance
    me: str
    media: Path
    box: Archive
    told: Callable[[int], Awaitable[None]]
    tally: Tally = field(default_factory=Tally)

    async def look(self) -> None:
        """See what there is, and keep nothing of it. Raise `Trouble` if it cannot be read."""
        async for some in self._posts(archived.owner(self.box)):
            new = await self._new(some)
            self.tally.brought.update([POST] * len(new))
            there = [name for one in new for name, _ in one.files if name in self.box.places]
            self.tally.brought.update(PICTURE if archived.is_picture(name) else FILE for name in there)
            self.tally.left_out.update([FILE] * (sum(len(one.files) for one in new) - len(there)))

    async def bring(self) -> list[str]:
        """Bring all of it along that is not here. Return what of the profile was empty, and has come from it."""
        actor = archived.owner(self.box)
        async for some in self._posts(actor):
            await self._bring_some(await self._new(some))
        return await self._bring_profile(actor)

    async def _posts(self, actor: Document) -> AsyncIterator[list[Said]]:
        """Some at a time; what is left out is counted."""
        entries, number = archive.entries(self.box, archived.POSTS), 0
        while some := await asyncio.to_thread(lambda: [archived.read(one, actor) for one in islice(entries, SOME)]):
            self.tally.left_out.update(one for one in some if isinstance(one, str))
            yield [one for one in some if isinstance(one, Said)]
            number += len(some)
            if number % NOW_AND_THEN == 0:
                await self.told(number)

    async def _new(self, some: Sequence[Said]) -> list[Said]:
        def is_new(db: Session) -> list[Said]:
            return [one for one in some if not archives.is_here(db, self.here.home, self.me, one.note.id)]

        new = await self.here.store.read(is_new)
        self.tally.here_already += len(some) - len(new)
        return new

    async def _bring_some(self, new: Sequence[Said]) -> None:
        files = await self._files(new)
        past = [Past(one.note, one.visibility, files[one.note.id]) for one in new]
        for became in await discovery.completing(self.here, lambda tx: [_keep(tx, self.me, one) for one in past]):
            self.tally.brought.update(became.brought)
            self.tally.left_out.update(became.left_out)
            self.tally.here_already += became.here_already

    async def _files(self, some: Sequence[Said]) -> dict[str, tuple[Stored, ...]]:
        """The files of each post, stored; taken in the order in which they lie in the archive."""
        wanted = [(one.note.id, number, *file) for one in some for number, file in enumerate(one.files)]
        stored: dict[tuple[str, int], Stored | None] = {}
        for uri, number, name, alt in sorted(wanted, key=lambda one: self.box.places.get(one[2], 0)):
            stored[uri, number] = await asyncio.to_thread(self._stored, name, alt)
        self.tally.left_out.update([FILE] * [*stored.values()].count(None))
        ordered = {one.note.id: [stored[one.note.id, number] for number in range(len(one.files))] for one in some}
        return {uri: tuple(filter(None, files)) for uri, files in ordered.items()}

    def _stored(self, name: str, alt: str = "") -> Stored | None:
        """``None`` of a file that is not there, or that nobody can be shown."""
        try:
            data = archive.whole(self.box, name, media.MAX_FILE)
            stored = media.store_upload(self.media, data, name, alt.strip()[: media.MAX_ALT])
        except Trouble:
            return None
        return stored if stored.media_type != media.OCTETS else None

    async def _bring_profile(self, actor: Document) -> list[str]:
        """Only what is empty here; return what that was."""
        empty = await self.here.store.read(lambda db: _empty(db, self.me))
        said = archived.profile(actor)
        wanted = {name: value for name in empty if (value := getattr(said, name))}
        for name, property_ in (("avatar", "icon"), ("header", "image")):
            if name in empty and (file := archived.picture(self.box, actor, property_)):
                stored = await asyncio.to_thread(self._stored, file)
                self.tally.left_out.update([FILE] if stored is None else [])
                if stored is not None:
                    wanted[name] = await self.here.store.write(partial(_upload, self.me, stored))
        if wanted:
            await self.here.store.write(lambda tx: profiles.edit(tx, self.me, replace(Changes(), **wanted)).uri)
        return [*wanted]


def _keep(tx: Transaction, account: str, past: Past) -> Tally:
    became = Tally()
    if past.is_empty:
        became.left_out[EMPTY] += 1
        return became
    try:
        if archives.bring(tx, account, past) is None:
            became.here_already += 1
            return became
    except (Trouble, TooLong):
        became.left_out[LONG] += 1
        return became
    became.brought[POST] += 1
    became.brought.update(PICTURE if one.media_type in media.PICTURES else FILE for one in past.files)
    return became


def _upload(owner: str, stored: Stored, tx: Transaction) -> str:
    return media.keep(tx, owner, stored).name


def _empty(db: Session, uri: str) -> list[str]:
    account, actor = accounts.at(db, uri), known.actor(db, uri)
    assert account is not None  # noqa: S101 - they live here
    names = ("bio", "pronouns", "links", "avatar", "header")
    unnamed = ["name"] if actor.name.lower() in ("", actor.handle.lower()) else []
    return [*unnamed, *(name for name in names if not getattr(account, name))]
