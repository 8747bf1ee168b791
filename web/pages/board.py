"""The board in the hall: what work others offer or need, one's own offers, and what was answered to each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, get_args
from urllib.parse import quote

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from activitypub.errors import ProtocolError
from activitypub.money import CURRENCIES
from activitypub.proposal import Price, Purpose, Unit
from coop import access, agreements, offers, responses
from coop.errors import NotFound, Trouble
from coop.offers import Draft, Offer
from coop.responses import Response as Answer
from federation import discovery, ids, known
from federation.client import Gone, Unreachable
from federation.instance import Instance
from federation.outbox import TooLong
from federation.store import Transaction
from web import inside, session, shown
from web.languages import _
from web.once import new_key
from web.pages.public import card
from web.pages.saying import meet
from web.session import text
from web.shown import Card, Person

LATEST = 24  # offers on a page
MAX_SUM = 15  # characters
FIELDS = (
    "purpose",
    "title",
    "text",
    "skills",
    "least",
    "most",
    "currency",
    "per",
    "remote",
    "place",
    "until",
    "visibility",
)
_UNITS: dict[str, Unit] = {one: one for one in get_args(Unit)}
EXPECTED = (Trouble, ProtocolError, Unreachable, Gone, TooLong)


@dataclass(frozen=True, slots=True)
class Said:
    """An answer to an offer, as one of the two sees it."""

    uri: str
    by: Person
    text: str  # clean HTML
    made: datetime
    state: str
    reason: str
    is_mine: bool


@dataclass(frozen=True, slots=True)
class Hung:
    """An offer on the board, and where it is read."""

    card: Card
    state: str

    @property
    def reading(self) -> str:
        return where(self.card.url)


def where(uri: str) -> str:
    """Where an offer is shown to whoever is logged in."""
    return f"/offer?is={quote(uri, safe='')}"


# --- The board -----------------------------------------------------------------------------------------------------


async def get_board(request: Request) -> Response:
    """What everyone whom one follows offers or needs; or all of one's own, whatever became of them."""
    here: Instance = request.scope["instance"]
    visitor = await session.inhabitant(request)
    asked = {name: request.query_params.get(name, "").strip() for name in ("show", "kind", "skill", "words")}
    before, now = ids.from_slug(request.query_params.get("before", "")), here.now()
    kind = _purpose(asked["kind"])

    def read(db: Session) -> dict[str, Any]:
        if asked["show"] == "mine":
            query = offers.by(visitor.uri)
        else:
            query = offers.board(now, visitor.uri, kind, asked["skill"] or None, asked["words"])
        query = query if before is None else query.where(Offer.id < before)
        rows = db.scalars(query.limit(LATEST + 1)).all()
        return {
            **inside.insider(db, visitor, here.home),
            "hung": [one for row in rows[:LATEST] if (one := _hung(db, here, row))],
            "asked": asked,
            "older": ids.slug(rows[LATEST - 1].id) if len(rows) > LATEST else "",
        }

    return inside.page(request, "board.html", await here.store.read(read))


def _hung(db: Session, here: Instance, offer: Offer) -> Hung | None:
    row = known.find(db, offer.uri)
    return Hung(card(db, here, row), offer.status(here.now())) if row and not row.deleted else None


# --- One offer -----------------------------------------------------------------------------------------------------


async def get_offer(request: Request) -> Response:
    return await offer_page(request, request.query_params.get("is", ""))


async def offer_page(request: Request, uri: str, typed: str = "", trouble: str = "") -> Response:
    """An offer with its terms, and what the two who talk about it said; what was `typed` is kept."""
    here: Instance = request.scope["instance"]
    visitor = await session.inhabitant(request)

    def read(db: Session) -> dict[str, Any]:
        row, offer = known.find(db, uri), offers.find(db, uri)
        if row is None or row.deleted or offer is None or not access.may_read(db, row, visitor.uri):
            raise NotFound("there is no offer at this address any more, or it is not for you")
        said = [one for one in db.scalars(responses.to_offer(uri)) if visitor.uri in (one.by, one.to)]
        people = shown.people(db, {one.by for one in said}, here.home)
        return {
            **inside.insider(db, visitor, here.home),
            "card": card(db, here, row),
            "uri": uri,
            "state": offer.status(here.now()),
            "is_mine": offer.author == visitor.uri,
            "said": [_said(one, people[one.by], visitor.uri) for one in reversed(said)],
            "in_talks": responses.in_talks(db, uri, visitor.uri),
            "typed": typed,
            "trouble": trouble,
        }

    return inside.page(request, "offered.html", await here.store.read(read), 422 if trouble else 200)


def _said(row: Answer, by: Person, reader: str) -> Said:
    return Said(row.uri, by, row.text, row.made, row.state, row.reason, row.by == reader)


async def respond(request: Request) -> Response:
    here: Instance = request.scope["instance"]
    sent = await session.form_of(request)
    visitor = await session.inhabitant(request)
    uri, words = text(sent, "offer"), text(sent, "text")
    try:
        await discovery.completing(here, lambda tx: responses.respond(tx, visitor.uri, uri, words).uri)
    except EXPECTED as error:
        return await offer_page(request, uri, words, _("It was not sent: %(why)s.") % {"why": _(str(error))})
    return inside.go(where(uri))


def settles(act: Callable[[Transaction, str, str, str], object], of: str) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint that does this with an offer, or with an answer to one, whichever the field `of` names."""

    async def endpoint(request: Request) -> Response:
        here: Instance = request.scope["instance"]
        sent = await session.form_of(request)
        visitor = await session.inhabitant(request)
        uri, words = text(sent, of), text(sent, "text")
        try:
            await discovery.completing(here, lambda tx: act(tx, visitor.uri, uri, words) and None)
        except EXPECTED as error:
            return await offer_page(
                request, text(sent, "offer"), words, _("Nothing was done: %(why)s.") % {"why": _(str(error))}
            )
        return inside.go(where(text(sent, "offer")))

    return endpoint


# --- A new one -----------------------------------------------------------------------------------------------------


async def get_new(request: Request) -> Response:
    return await new_page(request, {"purpose": request.query_params.get("kind", "offer")})


async def new_page(request: Request, typed: dict[str, str], trouble: str = "") -> Response:
    here: Instance = request.scope["instance"]
    visitor = await session.inhabitant(request)
    mine = await here.store.read(lambda db: inside.insider(db, visitor, here.home))
    fields = {name: typed.get(name, "") for name in FIELDS}
    more = {"currencies": sorted(CURRENCIES), "key": new_key(), "trouble": trouble}
    values = {**mine, "typed": fields, **more}
    return inside.page(request, "new-offer.html", values, 422 if trouble else 200)


async def open_offer(request: Request) -> Response:
    here: Instance = request.scope["instance"]
    sent = await session.form_of(request)
    visitor = await session.inhabitant(request)
    typed = {name: text(sent, name).strip() for name in FIELDS}
    once = request.scope["once"]

    async def hang() -> str:
        draft = draft_of(typed)
        await meet(here, draft.text)
        for_whom: Literal["public", "followers"] = "followers" if typed["visibility"] == "followers" else "public"
        return await discovery.completing(here, lambda tx: offers.open(tx, visitor.uri, draft, for_whom).uri)

    try:
        uri = await once.do(f"{visitor.browser} {text(sent, 'key')}", hang)
    except EXPECTED as error:
        return await new_page(request, typed, _("It is not on the board yet: %(why)s.") % {"why": _(str(error))})
    return inside.go(where(uri))


def draft_of(typed: dict[str, str]) -> Draft:
    """What was typed. Raise `Trouble` for what is no sum, no currency or no day."""
    purpose, unit = _purpose(typed["purpose"]), _UNITS.get(typed["per"] or "project")
    if purpose is None or unit is None:
        raise Trouble("say whether you offer work or look for somebody, and for what time the money is")
    least, most = _sum(typed["least"]), _sum(typed["most"])
    if (least, most) != (None, None) and typed["currency"] not in CURRENCIES:
        raise Trouble("say which money it is")
    return Draft(
        purpose,
        typed["title"],
        typed["text"],
        price=Price(typed["currency"], least, most, unit) if typed["currency"] else None,
        skills=tuple(filter(None, (one.strip() for one in typed["skills"].split(",")))),
        remote=bool(typed["remote"]),
        place=typed["place"],
        until=_end_of(typed["until"]),
    )


def _purpose(typed: str) -> Purpose | None:
    return "offer" if typed == "offer" else "request" if typed == "request" else None


def _sum(typed: str) -> Decimal | None:
    """A sum as people write it, with a comma or a point."""
    try:
        amount = Decimal(typed.replace(",", ".")) if typed and len(typed) <= MAX_SUM else None
    except InvalidOperation:
        amount = Decimal("NaN")
    if (amount is None and typed) or (amount is not None and not (amount.is_finite() and amount >= 0)):
        raise Trouble(_("“%(typed)s” is not a sum such as 450 or 450.50") % {"typed": typed[:40]})
    return amount


def _end_of(day: str) -> datetime | None:
    try:
        return datetime.combine(datetime.fromisoformat(day).date(), time(23, 59, 59), UTC) if day else None
    except ValueError:
        raise Trouble(_("“%(typed)s” is not a day such as 2026-12-24") % {"typed": day[:40]}) from None


routes = [
    Route("/board", get_board, methods=["GET"]),
    Route("/board/new", get_new, methods=["GET"]),
    Route("/board/new", open_offer, methods=["POST"]),
    Route("/offer", get_offer, methods=["GET"]),
    Route("/offer/respond", respond, methods=["POST"]),
    Route(
        "/offer/accept", settles(lambda tx, me, uri, words: agreements.accept(tx, me, uri), "answer"), methods=["POST"]
    ),
    Route("/offer/decline", settles(responses.decline, "answer"), methods=["POST"]),
    Route("/offer/fill", settles(lambda tx, me, uri, words: offers.fill(tx, me, uri), "offer"), methods=["POST"]),
    Route(
        "/offer/withdraw", settles(lambda tx, me, uri, words: offers.withdraw(tx, me, uri), "offer"), methods=["POST"]
    ),
]
