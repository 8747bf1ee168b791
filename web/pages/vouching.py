"""Endorsements: what others say of whoever is logged in, what is asked and not answered yet, whom they vouch for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, TypeVar
from urllib.parse import quote

from sqlalchemy import Select, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from coop import endorsement_requests, endorsements, identities, verdicts
from coop.endorsement_requests import EndorsementRequest
from coop.endorsements import Endorsement
from federation import discovery, ids
from federation.instance import Instance
from federation.store import Unavailable
from web import inside, session, shown
from web.doing import EXPECTED
from web.languages import N_, _, told
from web.pages.saying import does
from web.session import text
from web.shown import Person, Seal

T = TypeVar("T")

LATEST = 24  # on a page
NOTHING: Mapping[str, str] = MappingProxyType({})

LISTS = {"received": N_("Of you"), "waiting": N_("Asked"), "given": N_("By you")}
STATES = {
    "open": N_("Waits for an answer"),
    "answered": N_("Answered: they vouch for you"),
    "declined": N_("Declined"),
    "withdrawn": N_("Taken back"),
}


@dataclass(frozen=True, slots=True)
class Held:
    """An endorsement that one gave or was given, and whether visitors of its subject are shown it."""

    seal: Seal
    display: str
    is_revoked: bool

    @property
    def reading(self) -> str:
        return where(self.seal.said.note)


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asks of whoever reads it, or they of somebody."""

    uri: str
    who: Person
    skills: list[str]
    text: str  # clean HTML
    work: str | None
    since: datetime
    state: str
    reason: str
    answer: str  # where it is read; empty if there is none


def where(uri: str) -> str:
    """Where an endorsement is shown to whoever is logged in."""
    return f"/vouching/one?is={quote(uri, safe='')}"


async def get_vouching(request: Request) -> Response:
    name = request.query_params.get("show", "received")
    return await vouching(request, name if name in LISTS else "received")


async def vouching(request: Request, name: str, typed: Mapping[str, str] = NOTHING, trouble: str = "") -> Response:
    """One of the lists; what was `typed` to refuse a request, by its URI, is kept."""
    here: Instance = request.scope["instance"]
    visitor = await session.inhabitant(request)
    before = ids.from_slug(request.query_params.get("before", ""))

    def read(db: Session) -> dict[str, Any]:
        values = _lists(db, here, visitor.uri, name, before)
        return {
            **inside.insider(db, visitor, here.home),
            **values,
            **_counts(db, visitor.uri),
            "lists": LISTS,
            "states": STATES,
            "shown": name,
            "typed": typed,
            "trouble": trouble,
        }

    return inside.page(request, "vouching.html", await here.store.read(read), 422 if trouble else 200)


def _lists(db: Session, here: Instance, me: str, name: str, before: int | None) -> dict[str, Any]:
    if name == "waiting":
        of_me = db.scalars(endorsement_requests.waiting(me).limit(LATEST)).all() if before is None else []
        by_me = db.scalars(_from(endorsement_requests.by(me), EndorsementRequest.id, before)).all()
        met = shown.people(db, {uri for row in (*of_me, *by_me) for uri in (row.by, row.to)}, here.home)
        return {
            "seals": [],
            "of_me": [_asked(row, met[row.by]) for row in of_me],
            "by_me": [_asked(row, met[row.to]) for row in by_me[:LATEST]],
            "older": _older(by_me),
        }
    query = endorsements.given_by(me) if name == "given" else endorsements.received_by(*identities.same(db, me))
    judged = verdicts.with_verdicts(db, _from(query, Endorsement.id, before), here.now())
    rows = {row.uri: row for row, _ in judged}
    seals = shown.seals(db, judged[:LATEST], here.home)
    held = [Held(one, rows[one.said.note].display, rows[one.said.note].revoked is not None) for one in seals]
    return {"seals": held, "of_me": [], "by_me": [], "older": _older([*rows.values()])}


def _from(query: Select[T], column: InstrumentedAttribute[int], before: int | None) -> Select[T]:
    return (query if before is None else query.where(column < before)).limit(LATEST + 1)


def _older(rows: Sequence[Endorsement | EndorsementRequest]) -> str:
    """Where the next page begins, if there is one."""
    return ids.slug(rows[LATEST - 1].id) if len(rows) > LATEST else ""


def _asked(row: EndorsementRequest, other: Person) -> Asked:
    answer = where(row.answer) if row.answer else ""
    return Asked(row.uri, other, row.skills, row.text, row.work, row.since, row.state, row.reason, answer)


def _counts(db: Session, me: str) -> dict[str, int]:
    """How many are new to them, and how many wait for their answer."""
    waiting = (Endorsement.display == "waiting", Endorsement.revoked.is_(None))
    fresh = endorsements.received_by(*identities.same(db, me)).where(*waiting)
    return {"fresh": _count(db, fresh), "open": _count(db, endorsement_requests.waiting(me))}


def _count(db: Session, query: Select[Any]) -> int:
    return db.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0


def reason(error: Exception) -> str:
    """Why something was not done, in words for who wanted it."""
    if isinstance(error, Unavailable):
        return _("nothing can be stored here now; try again in a minute")
    return told(error)


async def decline(request: Request) -> Response:
    """Rather not vouch for somebody who asks for it."""
    here: Instance = request.scope["instance"]
    sent = await session.form_of(request)
    visitor = await session.inhabitant(request)
    uri, words = text(sent, "of"), text(sent, "text").strip()
    try:
        await discovery.completing(here, lambda tx: endorsement_requests.decline(tx, visitor.uri, uri, words).uri)
    except EXPECTED as error:
        trouble = _("They were not told anything: %(reason)s.") % {"reason": reason(error)}
        return await vouching(request, "waiting", {uri: words}, trouble)
    return inside.go("/vouching?show=waiting")


routes = [
    Route("/vouching", get_vouching, methods=["GET"]),
    Route("/vouching/decline", decline, methods=["POST"]),
    Route("/vouching/show", does(endorsements.accept), methods=["POST"]),
    Route("/vouching/hide", does(endorsements.decline), methods=["POST"]),
    Route("/vouching/revoke", does(endorsements.revoke), methods=["POST"]),
]
