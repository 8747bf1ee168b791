"""The command with which an account moves from one server to another, or welcomes one that does."""

from __future__ import annotations

import click

from boxroom.cli.desk import Desk, command
from boxroom.cli.shapes import person
from coop import moving
from coop.errors import Trouble
from federation import discovery, known


@command("move")
@click.argument("address")
@click.option("--from", "welcomes", is_flag=True, help="Say that ADDRESS is who you were, so that it can move here.")
async def move(desk: Desk, address: str, welcomes: bool) -> None:
    """Go on as ADDRESS, on another server, and ask those who follow you to follow that.

    First it has to say there that it was known as you: on a Boxroom with --from, on Mastodon as an alias.
    """
    actor = await desk.somebody(address)
    if welcomes:
        await desk.does(lambda tx: moving.welcome(tx, desk.me, actor.uri))
        desk.has_done(f"{person(actor)} can move here now.")
        return
    if await desk.reads(lambda db: known.is_local(db, actor.uri)):
        raise Trouble(f"{person(actor)} lives on this server; to go by another name here, tell your followers")
    await discovery.fetch(desk.here, actor.uri)
    await desk.does(lambda tx: moving.move(tx, desk.me, actor.uri))
    desk.has_done(f"Your followers are asked to follow {person(actor)}.")
