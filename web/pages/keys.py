"""New keys for all who live here, and the key that proves, at any address, that one is who lived at another."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from activitypub import identity
from activitypub import keys as pairs
from activitypub.errors import ProtocolError
from coop import identities, rotation
from coop.errors import Trouble
from federation.instance import Instance
from web import inside, session
from web.languages import _, told
from web.pages.engine import engine
from web.pages.luggage import data
from web.session import text

LONGEST = 200  # characters of a recovery key


async def renew(request: Request) -> Response:
    """As ``boxroom rotate`` does, for whoever runs the server."""
    here: Instance = request.scope["instance"]
    sent = await inside.from_operator(request)
    stolen = bool(text(sent, "stolen"))
    actors = await here.store.read(lambda db: rotation.signers(db, here.uri))
    made = await asyncio.to_thread(rotation.new_pairs, actors)
    try:
        await here.store.write(lambda tx: rotation.rotate_all(tx, made, stolen=stolen))
    except Trouble as error:
        return await engine(request, keys=_("Nothing was done: %(why)s.") % {"why": told(error)})
    return inside.go(f"/engine?done={'stolen' if stolen else 'keys'}#keys")


async def prove(request: Request) -> Response:
    """Go by the recovery key that one had elsewhere; whoever knew one there then knows one here."""
    here: Instance = request.scope["instance"]
    sent = await session.form_of(request)
    visitor = await session.inhabitant(request)
    try:
        key = identity.load_secret(text(sent, "key")[:LONGEST])
        others = await here.store.write(lambda tx: identities.adopt(tx, visitor.uri, key))
    except (Trouble, ProtocolError) as error:
        return await data(request, trouble=_("Nothing was done: %(why)s.") % {"why": told(error)})
    return inside.go(f"/settings/data?done={'proven' if others else 'unproven'}")


async def make(request: Request) -> Response:
    """A new recovery key in place of any before, shown this once."""
    here: Instance = request.scope["instance"]
    await session.form_of(request)
    visitor = await session.inhabitant(request)
    key = pairs.new_ed25519()
    await here.store.write(lambda tx: identities.adopt(tx, visitor.uri, key))
    return await data(request, secret=identity.write_secret(key))


routes = [
    Route("/engine/keys", renew, methods=["POST"]),
    Route("/settings/data/prove", prove, methods=["POST"]),
    Route("/settings/data/recovery", make, methods=["POST"]),
]
