"""What whoever is logged in takes along from here."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from coop import exporting, lists, operators
from coop.errors import NotFound
from federation.instance import Instance
from web import inside, session
from web.pages.servers import as_file

CHUNK = 256 * 1024  # octets
LISTS = {"follows": (lists.follows, "following_accounts.csv"), "blocks": (lists.blocks, "blocked_accounts.csv")}
PREFIX = "boxroom-"  # of folders that are there as long as one is written


async def take_everything(request: Request) -> Response:
    """What ``boxroom export`` writes: it is of all who live here, and so for whoever runs the server."""
    here: Instance = request.scope["instance"]
    visitor = await session.inhabitant(request)

    def read(db: Session) -> IO[bytes]:
        operators.check(db, visitor.account.id)
        with tempfile.TemporaryDirectory(prefix=PREFIX) as folder:
            file = Path(folder, "boxroom.json")
            exporting.write(db, here, file)
            return file.open("rb")  # it has no name any more when it is sent, and goes when that is over

    headers = {**inside.PRIVATE, "Content-Disposition": 'attachment; filename="boxroom.json"'}
    return StreamingResponse(_chunks(await here.store.read(read)), headers=headers, media_type="application/json")


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while chunk := file.read(CHUNK):
            yield chunk


async def take_list(request: Request) -> Response:
    """Whom they follow or block, as Mastodon has it."""
    here: Instance = request.scope["instance"]
    visitor = await session.inhabitant(request)
    if (found := LISTS.get(request.path_params["list"])) is None:
        raise NotFound("there is no such list")
    write, name = found
    return as_file(await here.store.read(lambda db: write(db, visitor.uri)), name)


routes = [
    Route("/settings/data/everything.json", take_everything, methods=["GET"]),
    Route("/settings/data/{list:str}.csv", take_list, methods=["GET"]),
]
