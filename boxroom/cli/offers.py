"""Commands about offers: work that people give or need, and who answers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from activitypub.html import plain
from activitypub.proposal import Price, Unit
from boxroom.cli import data_option
from boxroom.cli.desk import Desk, command
from boxroom.cli.posts import meet_mentioned
from boxroom.cli.printing import print_document, print_table, say
from boxroom.cli.shapes import Shape
from coop import accounts, agreements, beginnings, interest, offers, responses
from coop.errors import NotFound
from coop.offers import Draft, Offer
from coop.reactions import Reaction
from coop.responses import Response
from coop.terms import Wish
from federation.store import Transaction
from federation.tables import Actor

offer = click.Group("offer", params=[data_option()], help="Offer work, look for help, answer offers.")


class Amount(click.ParamType[Decimal]):
    """A sum as people write it: 450 or 450.50. Never a float."""

    name = "amount"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        try:
            amount = Decimal(value)
        except InvalidOperation:
            self.fail(f"{value!r} is not a sum such as 450 or 450.50.", param, ctx)
        if not amount.is_finite() or amount < 0:
            self.fail(f"{value!r} is not a sum of money.", param, ctx)
        return amount


class Range(click.ParamType[tuple[Decimal | None, Decimal | None]]):
    """The least and the most: one sum for both, or 400-600, or only one of them, as 400- or -600."""

    name = "range"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[Decimal | None, Decimal | None]:
        least, dash, most = str(value).partition("-")
        if not dash or not (least or most):
            return (exact := Amount()(value, param, ctx)), exact
        return Amount()(least, param, ctx) if least else None, Amount()(most, param, ctx) if most else None


class Day(click.ParamType[datetime]):
    """A day, to its end where we are, or a moment as RFC 3339 has it."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a day such as 2026-12-24.", param, ctx)
        if len(value) == len("2026-12-24"):
            moment = datetime.combine(moment, time(23, 59, 59))
        return moment.astimezone()


@command("create", offer, prints=True)
@click.option("--title", required=True)
@click.option("--text", required=True, help="What it is about, in Markdown.")
@click.option("--give", "purpose", flag_value="offer", default=True, help="You offer to do it (this is the default).")
@click.option("--need", "purpose", flag_value="request", help="You look for somebody who does it.")
@click.option("--skill", "skills", multiple=True, help="May be given several times.")
@click.option("--amount", type=Range(), help="What it costs: 450; 400-600 for what lies between; 400- for no less.")
@click.option("--currency", help="Three letters, as EUR. Without --amount, the price is to be agreed on.")
@click.option("--per", type=click.Choice(["project", "day", "hour"]), default="project", show_default=True)
@click.option("--place", default="", help="Where the work is done.")
@click.option("--remote", is_flag=True, help="It can be done from anywhere.")
@click.option("--until", type=Day(), help="When it ends by itself: 2026-12-24.")
@click.option("--visibility", type=click.Choice(["public", "followers"]), default="public", show_default=True)
async def create(
    desk: Desk,
    amount: tuple[Decimal | None, Decimal | None] | None,
    currency: str | None,
    per: Unit,
    **terms: Any,
) -> None:
    """Offer work, or look for help; those who follow you are told. Without a currency it is a favour or a swap."""
    if amount and not currency:
        raise click.UsageError("Say with --currency which money --amount is.")
    least, most = amount or (None, None)
    price = Price(currency.upper(), least, most, per) if currency else None
    visibility = terms.pop("visibility")
    await meet_mentioned(desk, terms["text"])
    draft = Draft(price=price, **terms)
    uri = await desk.does(lambda tx: offers.open(tx, desk.me, draft, visibility).uri)
    desk.has_said(uri, "Your offer is open.")


@command("list", offer, prints=True)
@click.option("--skill", help="Only those that name this skill.")
@click.option("--mine", is_flag=True, help="All your own, whatever became of them.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
async def show_board(desk: Desk, skill: str | None, mine: bool, limit: int) -> None:
    """List open offers of those you follow and your own, latest first."""
    now = desk.here.now()
    query = offers.by(desk.me) if mine else offers.board(now, desk.me, skill=skill)
    rows = await desk.reads(lambda db: [_offer(db, one, desk.me, now) for one in db.scalars(query.limit(limit))])
    if mine and skill:
        rows = [one for one in rows if skill.strip().lower() in one["skills"]]
    if desk.as_json:
        print_document(rows)
        return
    table = [(one["title"], one["purpose"], one["price"], one["address"], one["status"], one["uri"]) for one in rows]
    print_table(("title", "", "price", "by", "", "URL"), table, "Nothing on the board yet.")


@command("show", offer, prints=True)
@click.argument("url")
async def show(desk: Desk, url: str) -> None:
    """Show an offer with what you and others said to each other about it, and to its author who likes it."""
    post = await desk.something(url)

    def read(db: Session) -> Shape:
        found = offers.find(db, post.uri)
        if found is None:
            raise NotFound(f"{post.uri} is no offer")
        said = [one for one in db.scalars(responses.to_offer(found.uri)) if desk.me in (one.by, one.to)]
        liked = db.scalars(interest.shown_in(found)).all() if found.author == desk.me else []
        return {
            **_offer(db, found, desk.me, desk.here.now()),
            "responses": [_response(one) for one in said],
            "interest": [_interest(db, one) for one in liked],
        }

    shape = await desk.reads(read)
    if desk.as_json:
        print_document(shape)
        return
    answers, signs = shape.pop("responses"), shape.pop("interest")
    print_table(("", ""), [(name, value) for name, value in shape.items() if value not in (None, "", [])], "")
    for one in answers:
        say(f"{one['state']}: {one['by']}: {one['text']} {_in_words(one)}({one['uri']})")
    for one in signs:
        say(f"{one['kind']}: {one['address'] or one['by']}")


def wishes(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options with which one says what one wants otherwise."""
    for option in (
        click.option("--due", type=Day(), help="By when it would be done: 2026-12-24."),
        click.option("--times", type=Amount(), help="How many hours, days or pieces."),
        click.option("--amount", type=Amount(), help="The money in all, where the offer leaves that open."),
    ):
        function = option(function)
    return function


@command("respond", offer, prints=True)
@click.argument("url")
@click.option("--text", required=True, help="What you say to its author, in Markdown.")
@wishes
async def respond(desk: Desk, url: str, text: str, **wish: Any) -> None:
    """Answer an offer, on its own terms or with yours where it leaves them open."""
    post = await desk.something(url)
    uri = await desk.does(lambda tx: responses.respond(tx, desk.me, post.uri, text, Wish(**wish)).uri)
    desk.has_said(uri, "Your response is on its way.")


@command("counter", offer, prints=True)
@click.argument("response")
@click.option("--text", required=True, help="What you say to them, in Markdown.")
@wishes
async def counter(desk: Desk, response: str, text: str, **wish: Any) -> None:
    """Answer a response, or a counter-offer, with other terms. Whoever gets yours may accept it or answer in turn."""
    uri = await desk.does(lambda tx: responses.counter(tx, desk.me, response, text, Wish(**wish)).uri)
    desk.has_said(uri, "Your counter-offer is on its way.")


@command("accept", offer)
@click.argument("response")
@click.option("--project", metavar="NAME", help="Open a project of that name with them, and with what you agreed on.")
async def accept(desk: Desk, response: str, project: str | None) -> None:
    """Agree to a response to one of your offers, or to a counter-offer."""
    pair = accounts.new_keys() if project else None

    def agree(tx: Transaction) -> str:
        agreed = agreements.accept(tx, desk.me, response).agreement
        if project and pair:
            beginnings.open_project(tx, desk.me, agreed or "", project, pair)
        return agreed or ""

    agreed = await desk.does(agree)
    desk.has_done(f"Accepted. You have an agreement: {agreed}" if agreed else "Accepted; they are told by a post.")


@command("decline", offer)
@click.argument("response")
@click.option("--reason", default="", help="Why, in words for them.")
async def decline(desk: Desk, response: str, reason: str) -> None:
    """Say no to a response to one of your offers, or to a counter-offer."""
    await desk.does(lambda tx: responses.decline(tx, desk.me, response, reason).uri)
    desk.has_done("Declined.")


@command("fill", offer)
@click.argument("url")
async def fill(desk: Desk, url: str) -> None:
    """Say that one of your offers is taken. That is final."""
    await desk.does(lambda tx: offers.fill(tx, desk.me, url).uri)
    desk.has_done("The offer is filled.")


@command("withdraw", offer)
@click.argument("url")
async def withdraw(desk: Desk, url: str) -> None:
    """Take back one of your offers, or a response of yours that is not answered yet."""
    mine = await desk.reads(lambda db: responses.find(db, url) is not None)
    if mine:
        await desk.does(lambda tx: responses.withdraw(tx, desk.me, url))
    else:
        await desk.does(lambda tx: offers.withdraw(tx, desk.me, url).uri)
    desk.has_done("Withdrawn.")


def _offer(db: Session, row: Offer, me: str, now: datetime) -> Shape:
    author = db.scalar(select(Actor.address).where(Actor.uri == row.author))
    return {
        "uri": row.uri,
        "title": row.title,
        "purpose": "gives" if row.purpose == "offer" else "needs",
        "text": row.words,
        "author": row.author,
        "address": author,
        "skills": offers.skills(db, row),
        "price": str(row.price) if row.price else None,
        "amount": row.price.exact.amount if row.price and row.price.exact else None,
        "least": row.least,
        "most": row.most,
        "currency": row.currency,
        "per": row.per if row.price else None,
        "remote": row.remote,
        "place": row.place,
        "until": row.until,
        "status": agreements.stage(db, row, me, now),
    }


def _response(row: Response) -> Shape:
    said = row.proposed if row.terms else None
    return {
        "uri": row.uri,
        "by": row.by,
        "to": row.to,
        "text": plain(row.text),
        "state": row.state,
        "made": row.made,
        "answers": row.answers,
        "agreement": row.agreement,
        "quantity": said.stipulates.value if said else None,
        "unit": said.stipulates.unit if said else None,
        "amount": said.reciprocal.value if said and said.reciprocal else None,
        "due": said.stipulates.due if said else None,
    }


def _in_words(response: Shape) -> str:
    """The terms of a response, as far as it has any."""
    facts = [
        f"{response['quantity']:f} {response['unit']}" if response["unit"] not in (None, "one") else "",
        f"for {response['amount']:f}" if response["amount"] is not None else "",
        f"by {response['due']:%Y-%m-%d}" if response["due"] else "",
    ]
    return "".join(f"{one} " for one in facts if one)


def _interest(db: Session, row: Reaction) -> Shape:
    address = db.scalar(select(Actor.address).where(Actor.uri == row.actor))
    return {"kind": row.kind, "by": row.actor, "address": address, "since": row.since}
