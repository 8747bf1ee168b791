"""One promise, with every version that it had; and making one, answering, changing, keeping, letting off."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from coop import commitments, fulfilment, projects, promises
from coop.membership import WRITERS
from coop.promises import Draft
from coop.statements import Membership, Project
from federation.instance import Instance
from federation.store import Transaction
from federation.tables import Actor
from web import doing, inside, session, shown
from web.promised import promised, where
from web.session import text
from web.shown import Person
from web.typed import end_of, sum_of

FIELDS = ("project", "with", "way", "text", "due", "hours")
VERSIONS = 50  # of one promise, the last ones
CHOICE = 100  # projects, or members of one, to choose from

Act = Callable[[Transaction, str, str, FormData], object]  # by whom, which promise, what was sent


async def get_promise(request: Request) -> Response:
    return await promise_page(request, request.query_params.get("is", ""), dict.fromkeys(FIELDS, ""))


async def promise_page(request: Request, uri: str, typed: Mapping[str, str], trouble: str = "") -> Response:
    """The page, with what was `typed`. Raise `NotFound`, `NotAllowed` unless it is between the visitor and another."""
    here: Instance = request.scope["instance"]
    visitor = await session.inhabitant(request)

    def read(db: Session) -> dict[str, Any]:
        rows = db.scalars(commitments.history(db, uri, visitor.uri)).all()[-VERSIONS:]
        versions = promised(db, rows, visitor.uri, here.home, here.now())
        agreed = [one for one in versions if one.row.state == "agreed"]
        return {
            **inside.insider(db, visitor, here.home),
            "one": (agreed or versions)[-1],
            "proposed": [one for one in versions if one.row.state == "proposed"],
            "versions": versions,
            "is_in": projects.may_post(db, rows[0].project, visitor.uri),
            "typed": typed,
            "trouble": trouble,
        }

    return inside.page(request, "promise.html", await here.store.read(read), 422 if trouble else 200)


def does(act: Act) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint that does this with the promise which the form names, and shows what it is then."""

    async def endpoint(request: Request) -> Response:
        sent = await session.form_of(request)
        visitor = await session.inhabitant(request)
        uri, typed = text(sent, "promise"), {name: text(sent, name) for name in FIELDS}
        try:
            await doing.done(request, sent, lambda tx: act(tx, visitor.uri, uri, sent))
        except doing.EXPECTED as error:
            return await promise_page(request, uri, typed, doing.in_words(error))
        return inside.go(where(uri))

    return endpoint


def _accept(tx: Transaction, me: str, uri: str, sent: FormData) -> None:
    promises.accept(tx, me, uri)


def _decline(tx: Transaction, me: str, uri: str, sent: FormData) -> None:
    promises.decline(tx, me, uri, text(sent, "text"))


def _withdraw(tx: Transaction, me: str, uri: str, sent: FormData) -> None:
    promises.withdraw(tx, me, uri)


def _change(tx: Transaction, me: str, uri: str, sent: FormData) -> None:
    promises.change(tx, me, uri, draft_in(sent))


def _keep(tx: Transaction, me: str, uri: str, sent: FormData) -> None:
    fulfilment.keep(tx, me, uri, text(sent, "text"), shown=bool(text(sent, "shown")))


def _release(tx: Transaction, me: str, uri: str, sent: FormData) -> None:
    fulfilment.release(tx, me, uri)


def draft_in(sent: FormData) -> Draft:
    """What was typed. Raise `Trouble` for what is no day or no number of hours."""
    return Draft(text(sent, "text"), end_of(text(sent, "due")), sum_of(text(sent, "hours").strip()))


# --- A new one -----------------------------------------------------------------------------------------------------


async def get_new(request: Request) -> Response:
    return await new_page(request, {name: request.query_params.get(name, "") for name in FIELDS})


async def new_page(request: Request, typed: Mapping[str, str], trouble: str = "") -> Response:
    """The form; or, until it is known in which project, the choice of one."""
    here: Instance = request.scope["instance"]
    visitor = await session.inhabitant(request)

    def read(db: Session) -> dict[str, Any]:
        mine = select(Membership.project).where(Membership.member == visitor.uri, Membership.role.in_(WRITERS))
        rows = db.scalars(select(Project).where(Project.uri.in_(mine)).order_by(Project.id.desc()).limit(CHOICE)).all()
        chosen = next((one for one in rows if one.uri == typed["project"]), None)
        return {
            **inside.insider(db, visitor, here.home),
            "projects": rows,
            "chosen": chosen,
            "members": _members(db, chosen.uri, visitor.uri, here.home) if chosen else [],
            "typed": typed,
            "trouble": trouble,
        }

    return inside.page(request, "new-promise.html", await here.store.read(read), 422 if trouble else 200)


def _members(db: Session, project: str, me: str, home: str) -> list[Person]:
    """With whom one can agree on something: guests cannot, nor whose servers know nothing of promises."""
    writers = select(Membership.member).where(Membership.project == project, Membership.role.in_(WRITERS))
    others = select(Actor).where(Actor.uri.in_(writers), Actor.uri != me, Actor.aware).order_by(Actor.name)
    return [shown.person(one, home) for one in db.scalars(others.limit(CHOICE))]


async def propose(request: Request) -> Response:
    """Promise something to another member, or ask them to; it counts once they accept."""
    sent = await session.form_of(request)
    visitor = await session.inhabitant(request)
    typed = {name: text(sent, name) for name in FIELDS}
    place, other, me = typed["project"], typed["with"], visitor.uri
    provider, receiver = (other, me) if typed["way"] == "ask" else (me, other)

    try:
        draft = draft_in(sent)
        uri = await doing.done(request, sent, lambda tx: promises.propose(tx, me, place, provider, receiver, draft).uri)
    except doing.EXPECTED as error:
        return await new_page(request, typed, doing.in_words(error))
    return inside.go(where(uri))


routes = [
    Route("/promise", get_promise, methods=["GET"]),
    Route("/promises/new", get_new, methods=["GET"]),
    Route("/promises/new", propose, methods=["POST"]),
    Route("/promise/accept", does(_accept), methods=["POST"]),
    Route("/promise/decline", does(_decline), methods=["POST"]),
    Route("/promise/withdraw", does(_withdraw), methods=["POST"]),
    Route("/promise/change", does(_change), methods=["POST"]),
    Route("/promise/keep", does(_keep), methods=["POST"]),
    Route("/promise/release", does(_release), methods=["POST"]),
]
