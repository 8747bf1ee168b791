"""Bringing along what one said on Mastodon: its archive is sent, looked at, and brought when one has said yes."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path
from typing import BinaryIO

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from coop import imports
from coop.errors import NotFound, Trouble
from federation import ids
from federation.instance import Instance
from federation.store import Unavailable
from web import inside, session
from web.languages import _, told
from web.pages.luggage import data

CHUNK = 1024 * 1024  # octets
LONGEST = 100  # characters of a file's name


async def send(request: Request) -> Response:
    """Take an archive in, to be looked at; nothing of it is brought along yet."""
    here: Instance = request.scope["instance"]
    visitor = await session.inhabitant(request)  # only who lives here may send so much
    try:
        _check_room(_place(request), request.headers.get("content-length", ""))
    except Trouble as error:
        return await data(request, trouble=_("Nothing was done: %(why)s.") % {"why": told(error)})
    sent = await session.form_of(request, imports.MAX_SIZE)
    try:
        file = sent.get("file")
        if not isinstance(file, UploadFile) or not file.filename:
            raise Trouble("choose a file first: the archive that Mastodon makes, a .zip or a .tar.gz")  # noqa: TRY301
        name, words = ids.slug(ids.new(here.now())), file.filename[-LONGEST:]
        await asyncio.to_thread(_keep, file.file, _place(request), name)
        before = await here.store.write(lambda tx: imports.take_in(tx, visitor.account.id, name, words))
        _throw_away(request, before)
    except (Trouble, Unavailable) as error:
        return await data(request, trouble=_("Nothing was done: %(why)s.") % {"why": told(error)})
    finally:
        await sent.close()
    return inside.go("/settings/data#archive")


def _place(request: Request) -> Path:
    media: Path | None = request.scope["media"]
    if media is None:
        raise NotFound("nothing can be kept here")
    return media.parent / imports.FOLDER


def _check_room(place: Path, length: str) -> None:
    """Before anything of it is read: it lies there once as it comes, and once to be kept."""
    size = int(length[:20]) if length.isascii() and length.isdecimal() else 0  # a form without a length is refused
    if shutil.disk_usage(place.parent).free < 2 * size + imports.SPARE:
        raise Trouble("there is no room for it on the disk: make some, and send it again")


def _keep(file: BinaryIO, place: Path, name: str) -> None:
    """Raise `Trouble` if that cannot be done."""
    file.seek(0)
    place.mkdir(mode=0o700, exist_ok=True)
    try:
        with (place / name).open("xb") as kept:
            shutil.copyfileobj(file, kept, CHUNK)
            kept.flush()
            os.fsync(kept.fileno())
    except OSError as error:
        (place / name).unlink(missing_ok=True)
        raise Trouble("it could not be kept: is the disk full?") from error


def _throw_away(request: Request, file: str | None) -> None:
    if file:
        (_place(request) / file).unlink(missing_ok=True)


async def bring(request: Request) -> Response:
    here: Instance = request.scope["instance"]
    await session.form_of(request)
    visitor = await session.inhabitant(request)
    await here.store.write(lambda tx: imports.confirm(tx, visitor.account.id))
    return inside.go("/settings/data#archive")


async def forget(request: Request) -> Response:
    here: Instance = request.scope["instance"]
    await session.form_of(request)
    visitor = await session.inhabitant(request)
    _throw_away(request, await here.store.write(lambda tx: imports.forget(tx, visitor.account.id)))
    return inside.go("/settings/data#archive")


routes = [
    Route("/settings/data/archive", send, methods=["POST"]),
    Route("/settings/data/archive/bring", bring, methods=["POST"]),
    Route("/settings/data/archive/forget", forget, methods=["POST"]),
]
