"""The board in the hall: what work others offer or need, one's own offers, and what was answered to each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args
from urllib.parse import quote

from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from activitypub.money import CURRENCIES
from activitypub.proposal import Price, Purpose, Unit
from coop import access, offers, responses
from coop.errors import NotFound, Trouble
from coop.offers import Draft, Offer
from federation import discovery, ids, known
from federation.instance import Instance
from federation.tables import Object
from web import inside, session, talks
from web.doing import EXPECTED
from web.languages import _, sentence, told
from web.once import new_key
from web.pages.public import card, cards_of
from web.pages.saying import meet
from web.session import text
from web.shown import Card
from web.typed import end_of, sum_of

LATEST = 24  # offers on a page
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
TYPED = ("answer", "text", "amount", "times", "due", "name")  # in the forms of an offer's page
_UNITS: dict[str, Unit] = {one: one for one in get_args(Unit)}


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
            "hung": hung(db, here, rows[:LATEST]),
            "asked": asked,
            "older": ids.slug(rows[LATEST - 1].id) if len(rows) > LATEST else "",
        }

    return inside.page(request, "board.html", await here.store.read(read))


def hung(db: Session, here: Instance, rows: Sequence[Offer]) -> list[Hung]:
    """The offers in their order, but for those that were taken back."""
    wanted, now = [one.id for one in rows], here.now()
    found = db.scalars(select(Object).where(Object.id.in_(wanted), Object.deleted.is_(None))).all()
    cards = {one.url: one for one in cards_of(db, here, found)}
    return [Hung(cards[one.uri], one.status(now)) for one in rows if one.uri in cards]


# --- One offer -----------------------------------------------------------------------------------------------------


async def get_offer(request: Request) -> Response:
    return await offer_page(request, request.query_params.get("is", ""), dict.fromkeys(TYPED, ""))


async def offer_page(request: Request, uri: str, typed: Mapping[str, str], trouble: str = "") -> Response:
    """An offer with its terms, and what the two who talk about it said; what was `typed` is kept."""
    here: Instance = request.scope["instance"]
    visitor = await session.inhabitant(request)

    def read(db: Session) -> dict[str, Any]:
        row, offer = known.find(db, uri), offers.find(db, uri)
        if row is None or row.deleted or offer is None or not access.may_read(db, row, visitor.uri):
            raise NotFound("there is no offer at this address any more, or it is not for you")
        return {
            **inside.insider(db, visitor, here.home),
            "card": card(db, here, row),
            "uri": uri,
            "state": offer.status(here.now()),
            "is_mine": offer.author == visitor.uri,
            "said": talks.between(db, offer, visitor.uri, here.home),
            "left": talks.left_open(offer),
            "in_talks": responses.in_talks(db, uri, visitor.uri),
            "typed": typed,
            "trouble": trouble,
        }

    return inside.page(request, "offered.html", await here.store.read(read), 422 if trouble else 200)


# --- A new one -----------------------------------------------------------------------------------------------------


async def get_new(request: Request) -> Response:
    return await new_page(request, {"purpose": request.query_params.get("kind", "offer")})


async def new_page(
    request: Request, typed: dict[str, str], trouble: str = "", *, preview: str = "", unclear: str = ""
) -> Response:
    """The form, with what was `typed`; with its `preview`, or what is `unclear` so that there is none yet."""
    here: Instance = request.scope["instance"]
    visitor = await session.inhabitant(request)
    mine = await here.store.read(lambda db: inside.insider(db, visitor, here.home))
    fields = {name: typed.get(name, "") for name in FIELDS}
    more = {
        "currencies": sorted(CURRENCIES),
        "key": new_key(),
        "trouble": trouble,
        "preview": preview,
        "unclear": unclear,
    }
    values = {**mine, "typed": fields, **more}
    return inside.page(request, "new-offer.html", values, 422 if trouble else 200)


async def preview(request: Request) -> Response:
    """What was typed as those see it who follow from Mastodon, and the form with all of it."""
    here: Instance = request.scope["instance"]
    sent = await session.form_of(request)
    visitor = await session.inhabitant(request)
    typed = {name: text(sent, name).strip() for name in FIELDS}
    try:
        draft = draft_of(typed)
        note, _written = await here.store.write(lambda tx: offers.composed(tx, visitor.uri, draft))
    except EXPECTED as error:
        return await new_page(request, typed, unclear=sentence(error))
    return await new_page(request, typed, preview=note.content)


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
        return await new_page(request, typed, _("It is not on the board yet: %(why)s.") % {"why": told(error)})
    way = text(sent, "next")
    return inside.go(session.way_back(way) if way else where(uri))


def draft_of(typed: dict[str, str]) -> Draft:
    """What was typed. Raise `Trouble` for what is no sum, no currency or no day."""
    purpose, unit = _purpose(typed["purpose"]), _UNITS.get(typed["per"] or "project")
    if purpose is None or unit is None:
        raise Trouble("say whether you offer work or look for somebody, and for what time the money is")
    least, most = sum_of(typed["least"]), sum_of(typed["most"])
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
        until=end_of(typed["until"]),
    )


def _purpose(typed: str) -> Purpose | None:
    return "offer" if typed == "offer" else "request" if typed == "request" else None


routes = [
    Route("/board", get_board, methods=["GET"]),
    Route("/board/new", get_new, methods=["GET"]),
    Route("/board/new", open_offer, methods=["POST"]),
    Route("/board/preview", preview, methods=["POST"]),
    Route("/offer", get_offer, methods=["GET"]),
]
