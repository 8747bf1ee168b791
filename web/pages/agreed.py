"""Agreements: what two have signed, whether it still is that, that it is done, and the project that comes of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import msgspec
from sqlalchemy import Select, select
from sqlalchemy.orm import Session
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from activitypub.document import Json
from coop import accounts, agreements, beginnings, offers, projects
from coop.agreements import Agreement, Verdict
from coop.offers import Offer
from federation import discovery, ids
from federation.instance import Instance
from web import doing, inside, session, shown
from web.languages import _, told
from web.session import text
from web.shown import Person
from web.talks import Terms, terms_of

LATEST = 30  # agreements on a page
FIELDS = ("name", "text")


@dataclass(frozen=True, slots=True)
class Agreed:
    """An agreement, as one of the two sees it."""

    row: Agreement
    title: str
    other: Person
    works: bool  # whether it is the reader who does the work
    may_confirm: bool
    may_enter: bool  # whether the reader is in the project that came of it
    terms: Terms

    @property
    def reading(self) -> str:
        return where(self.row.uri)


def where(uri: str) -> str:
    """Where an agreement is shown to its parties."""
    return f"/agreement?is={quote(uri, safe='')}"


# --- All of them ---------------------------------------------------------------------------------------------------


async def get_agreements(request: Request) -> Response:
    return await agreements_page(request)


async def agreements_page(request: Request, judged: Verdict | None = None, trouble: str = "") -> Response:
    """The page; with what was found of an agreement in a file, or why nothing was."""
    here: Instance = request.scope["instance"]
    visitor = await session.inhabitant(request)
    before = ids.from_slug(request.query_params.get("before", ""))

    def read(db: Session) -> dict[str, Any]:
        query = agreements.of(visitor.uri)
        query = query if before is None else query.where(Agreement.id < before)
        rows = db.scalars(query.limit(LATEST + 1)).all()
        people = shown.people(db, {one.other(visitor.uri) for one in rows}, here.home)
        return {
            **inside.insider(db, visitor, here.home),
            "agreed": [(one, people[one.other(visitor.uri)], where(one.uri)) for one in rows[:LATEST]],
            "titles": dict(db.execute(_titles([one.offer for one in rows])).all()),
            "older": ids.slug(rows[LATEST - 1].id) if len(rows) > LATEST else "",
            "judged": judged,
            "trouble": trouble,
        }

    return inside.page(request, "agreements.html", await here.store.read(read), 422 if trouble else 200)


async def check(request: Request) -> Response:
    """Whether both have signed just what is in a file, whoever the two are; nothing of it is kept."""
    here: Instance = request.scope["instance"]
    sent = await session.form_of(request)
    await session.inhabitant(request)
    file = sent.get("file")
    body = await file.read() if isinstance(file, UploadFile) else b""
    await sent.close()
    try:
        documents = agreements.read_bundle(body)
        judged = await discovery.completing(here, lambda tx: agreements.examine(tx, *documents))
    except doing.EXPECTED as error:
        return await agreements_page(request, trouble=_("It cannot be checked: %(why)s.") % {"why": told(error)})
    return await agreements_page(request, judged)


def _titles(uris: Sequence[str]) -> Select[str, str]:
    return select(Offer.uri, Offer.title).where(Offer.uri.in_(uris))


# --- One of them ---------------------------------------------------------------------------------------------------


async def get_agreement(request: Request) -> Response:
    return await agreement_page(request, request.query_params.get("is", ""), dict.fromkeys(FIELDS, ""))


async def agreement_page(request: Request, uri: str, typed: dict[str, str], trouble: str = "") -> Response:
    """The page, with what was `typed`. Raise `NotFound` unless it is between the visitor and another."""
    here: Instance = request.scope["instance"]
    visitor = await session.inhabitant(request)

    def read(db: Session) -> dict[str, Any]:
        row = agreements.at(db, uri, visitor.uri)
        return {
            **inside.insider(db, visitor, here.home),
            "one": _agreed(db, row, visitor.uri, here.home),
            "words": agreements.words_of(row),
            "verdict": agreements.verdict(db, row, here.now()),
            "typed": typed,
            "trouble": trouble,
        }

    return inside.page(request, "agreement.html", await here.store.read(read), 422 if trouble else 200)


def _agreed(db: Session, row: Agreement, me: str, home: str) -> Agreed:
    offer, other = offers.find(db, row.offer), row.other(me)
    return Agreed(
        row=row,
        title=offer.title if offer else "",
        other=shown.people(db, [other], home)[other],
        works=row.provider == me,
        may_confirm=row.proposer == me and row.done is None,
        may_enter=row.project is not None and projects.role_of(db, row.project, me) is not None,
        terms=terms_of(agreements.terms_of(db, row), offer.currency if offer else None),
    )


async def get_file(request: Request) -> Response:
    """The agreement with both signatures, for who wants to have it checked elsewhere."""
    here: Instance = request.scope["instance"]
    visitor = await session.inhabitant(request)
    uri = request.query_params.get("is", "")
    found: Json = await here.store.read(lambda db: agreements.bundle(agreements.at(db, uri, visitor.uri)))
    headers = inside.PRIVATE | {"Content-Disposition": 'attachment; filename="agreement.json"'}
    return Response(msgspec.json.encode(found), headers=headers, media_type="application/json")


async def begin(request: Request) -> Response:
    """Start a project from it: the other is invited, and what each does becomes a promise."""
    sent = await session.form_of(request)
    visitor = await session.inhabitant(request)
    uri, typed = text(sent, "agreement"), {name: text(sent, name) for name in FIELDS}
    pair = await asyncio.to_thread(accounts.new_keys)
    try:
        opened = await doing.done(
            request, sent, lambda tx: beginnings.open_project(tx, visitor.uri, uri, typed["name"], pair).uri
        )
    except doing.EXPECTED as error:
        return await agreement_page(request, uri, typed, doing.in_words(error))
    return inside.go(f"/project?is={quote(opened, safe='')}")


async def confirm(request: Request) -> Response:
    """Say that all is done that was agreed on."""
    sent = await session.form_of(request)
    visitor = await session.inhabitant(request)
    uri, typed = text(sent, "agreement"), {name: text(sent, name) for name in FIELDS}
    try:
        await doing.done(request, sent, lambda tx: agreements.confirm(tx, visitor.uri, uri, typed["text"]).uri)
    except doing.EXPECTED as error:
        return await agreement_page(request, uri, typed, doing.in_words(error))
    return inside.go(where(uri))


routes = [
    Route("/agreements", get_agreements, methods=["GET"]),
    Route("/agreements", check, methods=["POST"]),
    Route("/agreement", get_agreement, methods=["GET"]),
    Route("/agreement/file", get_file, methods=["GET"]),
    Route("/agreement/begin", begin, methods=["POST"]),
    Route("/agreement/done", confirm, methods=["POST"]),
]
