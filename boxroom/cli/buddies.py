"""Commands about buddies: who holds what is sent to you while your server sleeps, and for whom yours does."""

from __future__ import annotations

import click
from sqlalchemy.orm import Session

from boxroom.cli import data_option
from boxroom.cli.desk import Desk, command
from boxroom.cli.printing import print_document, print_table
from boxroom.cli.shapes import Shape, person
from coop import buddies, mailboxes
from coop.mailboxes import Buddy
from federation import known

buddy = click.Group(
    "buddy",
    params=[data_option()],
    help="Have somebody hold your mail while your server sleeps, or hold theirs.",
)


@command("ask", buddy)
@click.argument("address")
async def ask(desk: Desk, address: str) -> None:
    """Ask somebody to hold what is sent to you while your server sleeps. They cannot read it. You may have three."""
    actor = await desk.somebody(address)
    await desk.does(lambda tx: buddies.ask(tx, desk.me, actor.uri).uri)
    desk.has_done(f"You asked {person(actor)}.")


@command("accept", buddy)
@click.argument("address")
async def accept(desk: Desk, address: str) -> None:
    """Hold what is sent to somebody who asked you to: up to 32 MiB, for up to 30 days, sealed for them alone."""
    actor = await desk.somebody(address)
    await desk.does(lambda tx: buddies.accept(tx, desk.me, actor.uri).uri)
    desk.has_done(f"Your server holds for {person(actor)} from now on.")


@command("decline", buddy)
@click.argument("address")
async def decline(desk: Desk, address: str) -> None:
    """Refuse somebody who asked you to hold for them."""
    actor = await desk.somebody(address)
    await desk.does(lambda tx: buddies.decline(tx, desk.me, actor.uri))
    desk.has_done("Declined.")


@command("drop", buddy)
@click.argument("address")
async def drop(desk: Desk, address: str) -> None:
    """End it, whichever of you holds for the other. What is held, and was not fetched, is gone then."""
    actor = await desk.somebody(address)
    await desk.does(lambda tx: buddies.drop(tx, desk.me, actor.uri))
    desk.has_done(f"You and {person(actor)} hold nothing for each other any more.")


@command("list", buddy, prints=True)
async def show(desk: Desk) -> None:
    """List who holds for you and for whom you hold, how much that is, and when it was last handed over."""
    shapes = await desk.reads(lambda db: [_shape(db, desk.me, row) for row in db.scalars(buddies.concerning(desk.me))])
    if desk.as_json:
        print_document(shapes)
        return
    rows = [(one["says"], one["address"] or one["uri"], _amount(one), one["handed_over"]) for one in shapes]
    empty = "Nobody yet. Ask somebody whose server is awake when yours is not: boxroom buddy ask ADDRESS"
    print_table(("", "who", "held", "handed over"), rows, empty)


_SAYS = {
    ("buddy", "asked"): "you asked",
    ("buddy", "agreed"): "holds for you",
    ("owner", "asked"): "asks you",
    ("owner", "agreed"): "you hold for",
}


def _shape(db: Session, me: str, row: Buddy) -> Shape:
    is_mine = row.owner == me
    other = known.actor(db, row.buddy if is_mine else row.owner)
    number, octets = (None, None) if is_mine else mailboxes.how_much(db, row)
    return {
        "uri": other.uri,
        "address": other.address,
        "says": _SAYS["buddy" if is_mine else "owner", row.state],
        "is": "buddy" if is_mine else "owner",
        "state": row.state,
        "since": row.since,
        "held": number,
        "octets": octets,
        "handed_over": row.handed,
    }


def _amount(shape: Shape) -> str:
    """Of what a buddy holds for us it alone knows how much there is."""
    return "" if shape["held"] is None else f"{shape['held']} in {-(-shape['octets'] // 1024)} KiB"
