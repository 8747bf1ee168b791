"""What search engines may list of a studio: the house, those who let themselves be found, and what these said to all.

The law: nobody is in it who did not ask to be found (`discoverable`) or does not want to be listed (`indexable`), and
of what they said only what is for everybody, without reservation.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from xml.sax.saxutils import escape

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from activitypub.actor import Actor as Profile
from activitypub.document import Document, timestamp
from coop.accounts import Account
from coop.endorsements import Endorsement
from coop.posts import READABLE
from coop.statements import Project
from federation.instance import Instance
from federation.tables import Actor, Object
from web import documents

IN_ONE = 5_000  # addresses of one file: a tenth of what is allowed, so that none takes long
FILES = 20
SHOWN = 1_000  # endorsements and projects
XMLNS = "http://www.sitemaps.org/schemas/sitemap/0.9"
HEADERS = {"Cache-Control": "public, max-age=3600"}

Place = tuple[str, datetime | None]  # an address, and when it changed


async def get_index(request: Request) -> Response:
    """Which files there are: the first has the people, the others what they said, the latest first."""
    here: Instance = request.scope["instance"]
    number = await here.store.read(_count)
    files = [(f"{here.home}/sitemaps/{one}.xml", None) for one in range(1 + min(-(-number // IN_ONE), FILES))]
    return _written("sitemapindex", "sitemap", files)


async def get_file(request: Request) -> Response:
    here: Instance = request.scope["instance"]
    number = request.path_params["number"]
    if number > FILES:
        raise HTTPException(404, documents.NOT_HERE)
    found = await here.store.read(lambda db: _said(db, number - 1) if number else _people(db, here))
    return _written("urlset", "url", found)


def _written(root: str, each: str, places: Sequence[Place]) -> Response:
    lines = [f"<{each}><loc>{escape(url)}</loc>{_changed(when)}</{each}>" for url, when in places]
    body = "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', f'<{root} xmlns="{XMLNS}">', *lines, f"</{root}>", ""])
    return Response(body, headers=HEADERS, media_type="application/xml")


def _changed(when: datetime | None) -> str:
    return f"<lastmod>{timestamp(when)}</lastmod>" if when else ""


def listed(db: Session) -> list[Actor]:
    """Those who live here and want to be found."""
    seen = (Account.discoverable, ~Account.suspended)
    rows = db.scalars(select(Actor).join(Account, Account.id == Actor.id).where(*seen).order_by(Actor.id)).all()
    return [one for one in rows if Profile.read(Document(one.document)).indexable]


def _people(db: Session, here: Instance) -> list[Place]:
    everybody = listed(db)
    pages = [f"{here.home}/", *(f"{here.home}/@{one.handle}" for one in everybody)]
    theirs = (Endorsement.subject.in_([one.uri for one in everybody]), Endorsement.revoked.is_(None))
    seals = select(Endorsement.hash).where(*theirs, Endorsement.display == "accepted").order_by(Endorsement.id.desc())
    pages += [f"{here.home}/endorsements/{one}" for one in db.scalars(seals.limit(SHOWN))]
    shown = select(Project.uri).join(Actor, Actor.uri == Project.uri)
    shown = shown.where(Project.public, Actor.local, Actor.gone.is_(None)).order_by(Project.id.desc())
    return [(one, None) for one in (*pages, *db.scalars(shown.limit(SHOWN)))]


def _said(db: Session, number: int) -> list[Place]:
    rows = db.execute(_theirs(db).order_by(Object.id.desc()).offset(number * IN_ONE).limit(IN_ONE)).all()
    return [(row.uri, row.updated or row.published) for row in rows]


def _count(db: Session) -> int:
    return db.scalar(select(func.count()).select_from(_theirs(db).limit(IN_ONE * FILES).subquery())) or 0


def _theirs(db: Session) -> Select[str, datetime, datetime | None]:
    """Posts and offers that are public; what answers others belongs to a conversation, and is not listed."""
    authors = [one.uri for one in listed(db)]
    public = (Object.visibility == "public", Object.deleted.is_(None), Object.reply_to.is_(None))
    rows = select(Object.uri, Object.published, Object.updated)
    return rows.where(Object.author.in_(authors), Object.type.in_((*READABLE, "Proposal")), *public)


routes = [
    Route("/sitemap.xml", get_index),
    Route("/sitemaps/{number:int}.xml", get_file),
]
