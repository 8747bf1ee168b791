"""What the rest of the network looks for at fixed addresses: WebFinger, host-meta, NodeInfo; witnesses; the doctor."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from activitypub import nodeinfo, webfinger, witness
from activitypub.actor import Actor as Profile
from activitypub.document import Document
from activitypub.origin import host
from activitypub.webfinger import Address
from coop import witnesses
from coop.accounts import Account
from federation.instance import Instance
from federation.tables import Activity, Actor, Object
from web import documents
from web.limits import read_body
from web.readers import reader_of

ARRIVED = "/.well-known/boxroom/arrived"
PASSED_ON = ("content-digest", "date", "digest", "signature", "signature-input")  # what verifying a letter takes
OPEN = {"Access-Control-Allow-Origin": "*"}


async def get_webfinger(request: Request) -> Response:
    """P-010 to P-015."""
    here: Instance = request.scope["instance"]
    asked = request.query_params.get("resource", "")
    if not asked.strip():
        raise HTTPException(400, "ask with ?resource=acct:name@host")
    wanted = webfinger.parse_resource(asked, {host(here.home)})
    actor = await here.store.read(lambda db: _find(db, here.home, wanted)) if wanted else None
    if actor is None:
        raise HTTPException(404, "nobody here has that address")
    if actor.gone:
        raise HTTPException(410, "whoever had that address has left")
    profile = Profile.read(Document(actor.document))
    address = Address(actor.handle, host(here.home))
    avatar = profile.icon.url if profile.icon else None
    page = here.home + "/" if actor.uri == here.uri else profile.url or actor.uri
    jrd = webfinger.write(address, actor.uri, page, here.home, avatar, asked)
    found = webfinger.only(jrd, request.query_params.getlist("rel"))
    return JSONResponse(found, headers={**OPEN, "Cache-Control": "max-age=3600"}, media_type=webfinger.JRD)


def _find(db: Session, home: str, wanted: Address | str) -> Actor | None:
    if isinstance(wanted, Address):
        return db.scalar(select(Actor).where(Actor.address == f"{wanted.user.lower()}@{host(home)}", Actor.local))
    handle = wanted.removeprefix(f"{home}/@").lower()
    account = select(Account.uri).where(Account.handle == handle)
    return db.scalar(select(Actor).where((Actor.uri == wanted) | Actor.uri.in_(account), Actor.local))


async def get_host_meta(request: Request) -> Response:
    here: Instance = request.scope["instance"]
    headers = {**OPEN, "Cache-Control": "max-age=86400"}
    return Response(webfinger.host_meta(here.home), headers=headers, media_type=webfinger.XRD)


async def get_nodeinfo_links(request: Request) -> Response:
    here: Instance = request.scope["instance"]
    return JSONResponse(nodeinfo.well_known(here.home), headers={**OPEN, "Cache-Control": "max-age=86400"})


async def get_nodeinfo(request: Request) -> Response:
    here: Instance = request.scope["instance"]
    version = cast("nodeinfo.Version", request.path_params["version"])
    if version not in ("2.0", "2.1"):
        raise HTTPException(404, "there are 2.0 and 2.1")
    usage = await here.store.read(lambda db: _usage(db, here.now()))
    found = nodeinfo.write(version, here.source, usage, host(here.home))
    headers = {**OPEN, "Cache-Control": "max-age=1800"}
    return JSONResponse(found, headers=headers, media_type=nodeinfo.media_type(version))


async def get_witness(request: Request) -> Response:
    """What we saw of a key, for other studios; to all others, and of all other keys, there is nothing (P-244)."""
    here: Instance = request.scope["instance"]
    reader = await reader_of(request.scope)
    if reader is None:
        raise HTTPException(401, documents.SIGN)
    key_id = request.query_params.get("key", "")
    found = await here.store.read(lambda db: witnesses.sighting(db, here.home, reader, key_id))
    if found is None:
        raise HTTPException(404, documents.NOT_HERE)
    return documents.document(found, documents.SIGNED | documents.FOR_ONE)


async def post_arrived(request: Request) -> Response:
    """What is left of a letter when it is here: which headers of signatures, and from whom it seems to come.

    `boxroom doctor` asks by the public address, to see what the proxy takes away; anybody may ask of their own letter.
    """
    await read_body(request.headers, request.receive)
    found = {"from": request.scope["came_from"], "headers": [name for name in PASSED_ON if name in request.headers]}
    return JSONResponse(found, headers={"Cache-Control": "no-store"})


def _usage(db: Session, now: datetime) -> nodeinfo.Usage:
    ours = select(Account.uri)

    def active(days: int) -> int:
        since = Activity.published > now - timedelta(days=days)
        query = select(func.count(Activity.actor.distinct())).where(Activity.actor.in_(ours), since)
        return db.scalar(query) or 0

    def written(*conditions: object) -> int:
        seen = Object.visibility.in_(("public", "unlisted"))
        said = (Object.author.in_(ours), Object.local, Object.deleted.is_(None), seen, *conditions)
        return db.scalar(select(func.count()).select_from(Object).where(*said)) or 0  # type: ignore[arg-type]

    accounts = db.scalar(select(func.count()).select_from(Account)) or 0
    posts, replies = written(Object.reply_to.is_(None)), written(Object.reply_to.is_not(None))
    return nodeinfo.Usage(accounts, active(30), active(180), posts, replies)


routes = [
    Route("/.well-known/webfinger", get_webfinger),
    Route("/.well-known/host-meta", get_host_meta),
    Route("/.well-known/nodeinfo", get_nodeinfo_links),
    Route("/nodeinfo/{version}", get_nodeinfo),
    Route(witness.PATH, get_witness),
    Route(ARRIVED, post_arrived, methods=["POST"]),
]
