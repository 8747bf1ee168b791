"""Commands about offers: work that people give or need, and who answers."""

from __future__ import annotations

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
from coop import offers, responses
from coop.errors import NotFound
from coop.offers import Draft, Offer
from coop.responses import Response
from federation.tables import Actor

offer = click.Group("offer", params=[data_option()], help="Offer work, look for help, answer offers.")


class Amount(click.ParamType[tuple[Decimal, Decimal]]):
    """A sum as people write it, 450 or 450.50, or a range of them, 400-600: the least and the most. Never a float."""

    name = "amount"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[Decimal, Decimal]:
        least, _, most = str(value).partition("-")
        try:
            amounts = Decimal(least), Decimal(most or least)
        except InvalidOperation:
            self.fail(f"{value!r} is not a sum such as 450 or 450.50, nor a range such as 400-600.", param, ctx)
        if not all(amount.is_finite() and amount >= 0 for amount in amounts):
            self.fail(f"{value!r} is not a sum of money.", param, ctx)
        return amounts


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
@click.option("--amount", type=Amount(), help="What it costs: 450, or from 400 to 600 as 400-600.")
@click.option("--currency", help="Three letters, as EUR. Without --amount, the price is to be agreed on.")
@click.option("--per", type=click.Choice(["project", "day", "hour"]), default="project", show_default=True)
@click.option("--place", default="", help="Where the work is done.")
@click.option("--remote", is_flag=True, help="It can be done from anywhere.")
@click.option("--until", type=Day(), help="When it ends by itself: 2026-12-24.")
@click.option("--visibility", type=click.Choice(["public", "followers"]), default="public", show_default=True)
async def create(
    desk: Desk,
    title: str,
    text: str,
    amount: tuple[Decimal, Decimal] | None,
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
    await meet_mentioned(desk, text)
    draft = Draft(title=title, text=text, price=price, **terms)
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
    rows = await desk.reads(lambda db: [_offer(db, one, now) for one in db.scalars(query.limit(limit))])
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
    """Show an offer, and to its author the responses to it."""
    post = await desk.something(url)

    def read(db: Session) -> Shape:
        found = offers.find(db, post.uri)
        if found is None:
            raise NotFound(f"{post.uri} is no offer")
        said = db.scalars(responses.to_offer(found.uri)).all()
        return {**_offer(db, found, desk.here.now()), "responses": [_response(one) for one in said]}

    shape = await desk.reads(read)
    if desk.as_json:
        print_document(shape)
        return
    answers = shape.pop("responses")
    print_table(("", ""), [(name, value) for name, value in shape.items() if value not in (None, "", [])], "")
    for one in answers:
        say(f"{one['state']}: {one['by']}: {one['text']} ({one['uri']})")


@command("respond", offer, prints=True)
@click.argument("url")
@click.option("--text", required=True, help="What you say to its author, in Markdown.")
async def respond(desk: Desk, url: str, text: str) -> None:
    """Answer an offer, on its own terms."""
    post = await desk.something(url)
    uri = await desk.does(lambda tx: responses.respond(tx, desk.me, post.uri, text).uri)
    desk.has_said(uri, "Your response is on its way.")


@command("accept", offer)
@click.argument("response")
async def accept(desk: Desk, response: str) -> None:
    """Agree to a response to one of your offers."""
    await desk.does(lambda tx: responses.accept(tx, desk.me, response).uri)
    desk.has_done("Accepted. You have an agreement.")


@command("decline", offer)
@click.argument("response")
@click.option("--reason", default="", help="Why, in words for them.")
async def decline(desk: Desk, response: str, reason: str) -> None:
    """Say no to a response to one of your offers."""
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


def _offer(db: Session, row: Offer, now: datetime) -> Shape:
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
        "status": row.status(now),
    }


def _response(row: Response) -> Shape:
    return {"uri": row.uri, "by": row.by, "text": plain(row.text), "state": row.state, "made": row.made}
