"""Bringing an archive from Mastodon along, some posts at a time: it may have tens of thousands."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import islice

from sqlalchemy.orm import Session

from activitypub.document import Document
from boxroom import archive, archived, folder
from boxroom.archive import Archive
from boxroom.archived import EMPTY, FILE, LONG, Said, Tally
from boxroom.cli.desk import Desk
from boxroom.cli.printing import print_document, say, whisper
from coop import accounts, archives, media, profiles
from coop.archives import Past
from coop.errors import Trouble
from coop.media import Stored
from coop.profiles import Changes
from federation import known
from federation.outbox import TooLong
from federation.store import Transaction

SOME = 20  # posts in one transaction
NOW_AND_THEN = 500  # entries, after which it is told how far it is


async def bring(desk: Desk, box: Archive) -> None:
    """Bring all of it along that is not here, and tell what was done and what was not."""
    actor, tally = archived.owner(box), Tally()
    await _bring_posts(desk, box, actor, tally)
    changed = await _bring_profile(desk, box, actor, tally)
    if desk.as_json:
        done = {"brought": tally.brought, "here_already": tally.here_already, "left_out": tally.left_out}
        print_document({"list": "archive", **done, "profile": changed})
        return
    say(tally.in_words())
    if changed:
        desk.has_done(f"Your profile was empty there, and has from it: {', '.join(changed)}.")
    if not {"likes.json", "bookmarks.json"}.isdisjoint(box.places):
        whisper("Likes and bookmarks stay in the archive.")


async def _bring_posts(desk: Desk, box: Archive, actor: Document, tally: Tally) -> None:
    entries, number = archive.entries(box, archived.POSTS), 0
    while some := [*islice(entries, SOME)]:
        found = [archived.read(one, actor) for one in some]
        tally.left_out.update(one for one in found if isinstance(one, str))
        await _bring_some(desk, box, [one for one in found if isinstance(one, Said)], tally)
        number += len(some)
        if number % NOW_AND_THEN == 0:
            whisper(f"{number:,} entries so far")


async def _bring_some(desk: Desk, box: Archive, some: Sequence[Said], tally: Tally) -> None:
    def is_new(db: Session) -> list[Said]:
        return [one for one in some if not archives.is_here(db, desk.here.home, desk.me, one.note.id)]

    new = await desk.reads(is_new)
    tally.here_already += len(some) - len(new)
    files = await _files(desk, box, new, tally)
    past = [Past(one.note, one.visibility, files[one.note.id]) for one in new]
    for became in await desk.does(lambda tx: [_keep(tx, desk.me, one) for one in past]):
        tally.brought.update(became.brought)
        tally.left_out.update(became.left_out)
        tally.here_already += became.here_already


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
    became.brought["post"] += 1
    became.brought.update("picture" if one.media_type in media.PICTURES else FILE for one in past.files)
    return became


async def _files(desk: Desk, box: Archive, some: Sequence[Said], tally: Tally) -> dict[str, tuple[Stored, ...]]:
    """The files of each post, stored; taken in the order in which they lie in the archive."""
    wanted = [(one.note.id, number, *file) for one in some for number, file in enumerate(one.files)]
    stored: dict[tuple[str, int], Stored | None] = {}
    for uri, number, name, alt in sorted(wanted, key=lambda one: box.places.get(one[2], 0)):
        stored[uri, number] = await _stored(desk, box, name, alt)
    tally.left_out.update([FILE] * [*stored.values()].count(None))
    ordered = {one.note.id: [stored[one.note.id, number] for number in range(len(one.files))] for one in some}
    return {uri: tuple(filter(None, files)) for uri, files in ordered.items()}


async def _stored(desk: Desk, box: Archive, name: str, alt: str = "") -> Stored | None:
    """``None`` of a file that is not there, or that nobody can be shown."""
    try:
        data = archive.whole(box, name, media.MAX_FILE)
        place = desk.folder / folder.MEDIA
        stored = await asyncio.to_thread(media.store_upload, place, data, name, alt.strip()[: media.MAX_ALT])
    except Trouble:
        return None
    return stored if stored.media_type != media.OCTETS else None


async def _bring_profile(desk: Desk, box: Archive, actor: Document, tally: Tally) -> list[str]:
    """Only what is empty here; return what that was."""
    empty = await desk.reads(lambda db: _empty(db, desk.me))
    said = archived.profile(actor)
    wanted = {name: value for name in empty if (value := getattr(said, name))}
    for name, property_ in (("avatar", "icon"), ("header", "image")):
        if name in empty and (file := archived.picture(box, actor, property_)):
            stored = await _stored(desk, box, file)
            tally.left_out.update([FILE] if stored is None else [])
            if stored is not None:
                wanted[name] = await desk.does(partial(_upload, desk.me, stored))
    if wanted:
        await desk.does(lambda tx: profiles.edit(tx, desk.me, replace(Changes(), **wanted)).uri)
    return [*wanted]


def _upload(owner: str, stored: Stored, tx: Transaction) -> str:
    return media.keep(tx, owner, stored).name


def _empty(db: Session, uri: str) -> list[str]:
    account, actor = accounts.at(db, uri), known.actor(db, uri)
    assert account is not None  # noqa: S101 - the desk found it
    names = ("bio", "pronouns", "links", "avatar", "header")
    unnamed = ["name"] if actor.name.lower() in ("", actor.handle.lower()) else []
    return [*unnamed, *(name for name in names if not getattr(account, name))]
