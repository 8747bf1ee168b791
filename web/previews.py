"""The picture that stands for somebody's page where its link is shared, if they have none of their own."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from activitypub.actor import Actor as Profile
from activitypub.actor import Picture
from activitypub.document import Document
from activitypub.origin import host
from federation.instance import Instance
from federation.tables import Actor
from web import documents
from web.shown import Person

KEPT = 64  # cards, of some 20 KiB
LONGEST = 200  # characters of what stands on one
SKILLS = 4
TIME = 20  # seconds
PAINTER = Path(__file__).with_name("painted.py")


async def get_preview(request: Request) -> Response:
    """The card of somebody here, or of a project."""
    here: Instance = request.scope["instance"]
    address = f"{request.path_params['handle'].lower()}@{host(here.home)}"
    there = select(Actor).where(Actor.address == address, Actor.local, Actor.gone.is_(None))

    def read(db: Session) -> Profile:
        actor = db.scalar(there.order_by(Actor.id.desc()).limit(1))
        profile = Profile.read(Document(actor.document)) if actor else None
        if profile is None or profile.suspended:
            raise HTTPException(404, documents.NOT_HERE)
        return profile

    said = await here.store.read(read)
    try:
        async with request.scope["painting"]:  # one at a time: it takes a core for a while
            card = await asyncio.to_thread(painted, said.name or said.handle, f"@{address}", _words(said))
    except (subprocess.SubprocessError, OSError):
        raise HTTPException(404, "there is no picture of it now") from None
    return Response(card, headers={"Cache-Control": "public, max-age=86400"}, media_type="image/png")


def of(person: Person, said: Profile | None, home: str) -> Picture:
    """Their own picture, or the card that is painted; its address changes with what stands on it."""
    if person.picture is not None:
        return person.picture
    handle, words = person.address.partition("@")[0], _words(said) if said else ""
    version = sha256(f"{person.name}\n{words}".encode()).hexdigest()[:12]
    return Picture(f"{home}/@{handle}/preview.png?{version}", "image/png", f"{person.name}, @{person.address}")


def _words(said: Profile) -> str:
    return " · ".join(said.skills[:SKILLS])


@lru_cache(KEPT)
def painted(name: str, address: str, words: str) -> bytes:
    """A PNG. It takes a while: call it in a thread."""
    given = {"name": name[:LONGEST], "address": address[:LONGEST], "words": words[:LONGEST]}
    command = [sys.executable, "-I", str(PAINTER)]
    done = subprocess.run(command, input=json.dumps(given).encode(), capture_output=True, timeout=TIME, check=True)  # noqa: S603 - our own
    return done.stdout


routes = [Route("/@{handle}/preview.png", get_preview)]
