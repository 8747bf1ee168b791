"""One endorsement, turned over: what it says, why that can be trusted, and copies of it to hand on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from activitypub import keys
from coop import endorsements, identities, verdicts
from coop.endorsements import Endorsement
from coop.errors import NotFound
from federation.instance import Instance
from federation.tables import Key
from web import certificates, inside, session, shown
from web.pages.giving import CAPACITIES
from web.pages.vouching import where
from web.session import text

JSON, HTML = "application/json", "text/html"
# A sheet brings its own style, and may nothing else.
_SHEET = "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
_NAMES = {"original": "endorsement.json", "badge": "open-badge.json", "html": "endorsement.html"}


@dataclass(frozen=True, slots=True)
class Sighting:
    """What this server knows of the key that one is signed with, and since when."""

    number: str
    first: datetime
    last: datetime


async def get_one(request: Request) -> Response:
    """The front and the back of one that whoever reads it gave or was given, or that is shown."""
    here: Instance = request.scope["instance"]
    visitor = await session.inhabitant(request)
    uri = request.query_params.get("is", "")

    def read(db: Session) -> dict[str, Any]:
        row = endorsements.seen_by(db, visitor.uri, uri)
        judged = [(row, verdicts.verdict_offline(db, row, here.now()))]
        found = shown.seals(db, judged, here.home)
        if not found:
            raise NotFound("this endorsement cannot be read")
        return {
            **inside.insider(db, visitor, here.home),
            "seal": found[0],
            "uri": row.uri,
            "capacities": CAPACITIES,
            "display": row.display,
            "revoked": row.revoked,
            "confirmed": row.confirmed,
            "key": sighting(db, found[0].key),
            "is_mine": row.endorser == visitor.uri,
            "is_of_me": row.subject in identities.same(db, visitor.uri),
            "has_badge": row.badge is not None,
            "back": where(row.uri),
        }

    return inside.page(request, "sealed.html", await here.store.read(read))


def sighting(db: Session, key_id: str) -> Sighting | None:
    """`None` of a key that was never here."""
    row = db.get(Key, key_id)
    return Sighting(keys.write_multikey(keys.load_pem(row.public)), row.first_seen, row.last_seen) if row else None


async def confirm(request: Request) -> Response:
    """Ask the server of whoever gave it whether they stand by it."""
    here: Instance = request.scope["instance"]
    sent = await session.form_of(request)
    visitor = await session.inhabitant(request)
    uri = text(sent, "of")
    await here.store.read(lambda db: endorsements.seen_by(db, visitor.uri, uri))
    await verdicts.check(here, uri)
    return inside.go(where(uri))


async def get_copy(request: Request) -> Response:
    """To hand on: the signed original, an Open Badge, a page that needs nothing else, or a sheet for the printer."""
    here: Instance = request.scope["instance"]
    visitor = await session.inhabitant(request)
    uri, form = request.query_params.get("of", ""), request.query_params.get("as", "")

    def read(db: Session) -> tuple[str | bytes, str]:
        row = endorsements.seen_by(db, visitor.uri, uri)
        return _written(db, here, row, form)

    body, kind = await here.store.read(read)
    if form == "print":
        return Response(body, headers={**inside.PRIVATE, "Content-Security-Policy": _SHEET}, media_type=kind)
    kept = {"Content-Disposition": f'attachment; filename="{_NAMES[form]}"'}
    return Response(body, headers={**inside.PRIVATE, **kept}, media_type=kind)


def _written(db: Session, here: Instance, row: Endorsement, form: str) -> tuple[str | bytes, str]:
    match form:
        case "original":
            return msgspec.json.encode(verdicts.bundle(db, row)), JSON
        case "badge":
            return msgspec.json.encode(verdicts.credential(db, row, here.now())), JSON
        case "html" | "print":
            return certificates.write(db, here, row, form), HTML
        case _:
            raise NotFound("there is no copy of that kind")


routes = [
    Route("/vouching/one", get_one, methods=["GET"]),
    Route("/vouching/copy", get_copy, methods=["GET"]),
    Route("/vouching/confirm", confirm, methods=["POST"]),
]
