"""Between the two who talk about an offer: answering it, other terms, agreeing, declining, taking back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from coop import accounts, agreements, beginnings, offers, responses
from coop.terms import Wish
from federation.store import Transaction
from web import doing, inside, session
from web.pages import agreed
from web.pages.board import TYPED, offer_page, where
from web.session import text
from web.typed import end_of, sum_of

Act = Callable[[Transaction, str, FormData], object]  # by whom, what was sent


def does(act: Act) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint that does this, and goes back to the offer."""

    async def endpoint(request: Request) -> Response:
        sent = await session.form_of(request)
        visitor = await session.inhabitant(request)
        try:
            await doing.done(request, sent, lambda tx: act(tx, visitor.uri, sent))
        except doing.EXPECTED as error:
            return await _again(request, sent, error)
        return inside.go(where(text(sent, "offer")))

    return endpoint


async def _again(request: Request, sent: FormData, error: Exception) -> Response:
    typed = {name: text(sent, name) for name in TYPED}
    return await offer_page(request, text(sent, "offer"), typed, doing.in_words(error))


def _wish(sent: FormData) -> Wish:
    """What was typed. Raise `Trouble` for what is no sum, no number or no day."""
    amount, times = (sum_of(text(sent, name).strip()) for name in ("amount", "times"))
    return Wish(amount, times, end_of(text(sent, "due")))


def _respond(tx: Transaction, me: str, sent: FormData) -> None:
    responses.respond(tx, me, text(sent, "offer"), text(sent, "text"), _wish(sent))


def _counter(tx: Transaction, me: str, sent: FormData) -> None:
    responses.counter(tx, me, text(sent, "answer"), text(sent, "text"), _wish(sent))


def _decline(tx: Transaction, me: str, sent: FormData) -> None:
    responses.decline(tx, me, text(sent, "answer"), text(sent, "text"))


def _take_back(tx: Transaction, me: str, sent: FormData) -> None:
    responses.withdraw(tx, me, text(sent, "answer"))


def _fill(tx: Transaction, me: str, sent: FormData) -> None:
    offers.fill(tx, me, text(sent, "offer"))


def _withdraw(tx: Transaction, me: str, sent: FormData) -> None:
    offers.withdraw(tx, me, text(sent, "offer"))


async def accept(request: Request) -> Response:
    """Agree; and open a project for it, if it was given a name."""
    sent = await session.form_of(request)
    visitor = await session.inhabitant(request)
    name = text(sent, "name").strip()
    pair = await asyncio.to_thread(accounts.new_keys) if name else None

    def agree(tx: Transaction) -> str | None:
        made = agreements.accept(tx, visitor.uri, text(sent, "answer")).agreement
        if pair is not None:
            beginnings.open_project(tx, visitor.uri, made or "", name, pair)
        return made

    try:
        made = await doing.done(request, sent, agree)
    except doing.EXPECTED as error:
        return await _again(request, sent, error)
    return inside.go(agreed.where(made) if made else where(text(sent, "offer")))


routes = [
    Route("/offer/respond", does(_respond), methods=["POST"]),
    Route("/offer/counter", does(_counter), methods=["POST"]),
    Route("/offer/accept", accept, methods=["POST"]),
    Route("/offer/decline", does(_decline), methods=["POST"]),
    Route("/offer/take-back", does(_take_back), methods=["POST"]),
    Route("/offer/fill", does(_fill), methods=["POST"]),
    Route("/offer/withdraw", does(_withdraw), methods=["POST"]),
]
