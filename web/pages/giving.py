"""Vouching for somebody, and asking somebody to vouch for oneself: two forms that have much in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from activitypub.actor import Actor as Profile
from activitypub.document import Document
from activitypub.endorsement import Capacity
from coop import endorsement_requests, endorsements, works
from coop.endorsement_requests import EndorsementRequest
from coop.errors import Trouble
from federation import discovery
from federation.instance import Instance
from federation.store import Transaction
from federation.tables import Actor
from web import inside, session, shown
from web.doing import EXPECTED
from web.languages import N_, _
from web.once import new_key
from web.pages.people import LONGEST
from web.pages.saying import meet
from web.pages.vouching import reason, where
from web.session import text
from web.typed import end_of

FIELDS = ("whom", "request", "skills", "text", "capacity", "work", "elsewhere", "until")
CAPACITIES = {
    "client": N_("Their client"),
    "collaborator": N_("Somebody they worked with"),
    "employer": N_("Their employer"),
    "employee": N_("Their employee"),
    "peer": N_("Somebody of the same trade"),
    "student": N_("Their student"),
    "other": N_("Something else"),
}
_CAPACITIES: dict[str, Capacity] = {one: one for one in get_args(Capacity)}


# --- The forms -----------------------------------------------------------------------------------------------------


async def get_give(request: Request) -> Response:
    return await form(request, "vouch.html", _asked_for(request))


async def get_ask(request: Request) -> Response:
    return await form(request, "ask.html", _asked_for(request))


def _asked_for(request: Request) -> dict[str, str]:
    return {name: request.query_params.get(name, "")[:LONGEST] for name in ("whom", "request")}


async def form(request: Request, template: str, given: dict[str, str], trouble: str = "") -> Response:
    """One of the two, about whoever it is, and with what the two have done together, if that is known."""
    here: Instance = request.scope["instance"]
    visitor = await session.inhabitant(request)
    typed = {name: given.get(name, "") for name in FIELDS}

    def read(db: Session) -> dict[str, Any]:
        asked = endorsement_requests.find(db, typed["request"])
        asked = asked if asked is not None and asked.to == visitor.uri else None
        uri = asked.by if asked else typed["whom"]
        actor = db.scalar(select(Actor).where(Actor.uri == uri, Actor.gone.is_(None)))
        mine = db.scalar(select(Actor).where(Actor.uri == visitor.uri))
        return {
            **inside.insider(db, visitor, here.home),
            "person": shown.person(actor, here.home) if actor else None,
            "their_skills": _skills(actor),
            "my_skills": _skills(mine),
            "works": works.done_together(db, visitor.uri, uri),
            "asked": asked,
            "typed": _filled(typed, asked),
            "capacities": CAPACITIES,
            "key": new_key(),
            "trouble": trouble,
        }

    return inside.page(request, template, await here.store.read(read), 422 if trouble else 200)


def _filled(typed: dict[str, str], asked: EndorsementRequest | None) -> dict[str, str]:
    """What stands in the fields: what was typed, else what was asked."""
    if asked is None:
        return typed
    return {**typed, "whom": asked.by, "skills": typed["skills"] or ", ".join(asked.skills)}


def _skills(actor: Actor | None) -> tuple[str, ...]:
    return Profile.read(Document(actor.document)).skills if actor else ()


# --- What is done with them ----------------------------------------------------------------------------------------

Act = Callable[[Transaction, str, str, dict[str, str]], str]


async def give(request: Request) -> Response:
    return await _send(request, "vouch.html", _vouch, N_("It is not given yet: %(reason)s."))


async def ask(request: Request) -> Response:
    return await _send(request, "ask.html", _ask, N_("They were not asked yet: %(reason)s."))


async def _send(request: Request, template: str, act: Act, refused: str) -> Response:
    """Do it once, however often the form is sent; else it comes back as it was typed."""
    here: Instance = request.scope["instance"]
    sent = await session.form_of(request)
    visitor = await session.inhabitant(request)
    typed = {name: text(sent, name).strip() for name in FIELDS}
    once = request.scope["once"]

    async def send() -> str:
        whom = await somebody(here, typed["whom"])
        await meet(here, typed["text"])
        return await discovery.completing(here, lambda tx: act(tx, visitor.uri, whom, typed))

    try:
        path: str = await once.do(f"{visitor.browser} {text(sent, 'key')}", send)
    except EXPECTED as error:
        return await form(request, template, typed, _(refused) % {"reason": reason(error)})
    return inside.go(path)


async def somebody(here: Instance, asked: str) -> str:
    """The URI of whoever that is the address of. Raise `Trouble` if it is nobody's, and as `discovery.lookup` does."""
    if not asked or len(asked) > LONGEST:
        raise Trouble("say who it is, by their address: @somebody@their.example")
    found = await discovery.lookup(here, asked)
    if not isinstance(found, Actor):
        raise Trouble(_("%(name)s is something that was said, and nobody’s address") % {"name": asked})
    return found.uri


def _vouch(tx: Transaction, me: str, whom: str, typed: dict[str, str]) -> str:
    capacity = _CAPACITIES.get(typed["capacity"] or "peer")
    if capacity is None:
        raise Trouble("say what you are to them")
    skills, work, until = _listed(typed["skills"]), typed["elsewhere"] or typed["work"] or None, end_of(typed["until"])
    more: dict[str, Any] = {"capacity": capacity, "work": work, "until": until}
    if typed["request"]:
        given = endorsement_requests.answer(tx, me, typed["request"], whom, typed["text"], skills, **more)
    else:
        given = endorsements.give(tx, me, whom, skills, typed["text"], **more)
    return where(given.uri)


def _ask(tx: Transaction, me: str, whom: str, typed: dict[str, str]) -> str:
    work = typed["elsewhere"] or typed["work"] or None
    endorsement_requests.ask(tx, me, whom, _listed(typed["skills"]), typed["text"], work)
    return "/vouching?show=waiting"


def _listed(typed: str) -> tuple[str, ...]:
    return tuple(filter(None, (one.strip() for one in typed.split(","))))


routes = [
    Route("/vouching/give", get_give, methods=["GET"]),
    Route("/vouching/give", give, methods=["POST"]),
    Route("/vouching/ask", get_ask, methods=["GET"]),
    Route("/vouching/ask", ask, methods=["POST"]),
]
