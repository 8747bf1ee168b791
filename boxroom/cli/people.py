"""Commands about people: who you are, whom you follow, whom you do not want to meet."""

from __future__ import annotations

import click
from sqlalchemy import Select, select

from boxroom.cli.desk import Desk, command
from boxroom.cli.printing import print_document, print_table, say
from boxroom.cli.shapes import actor_shape, object_shape, person
from coop import accounts, blocks, follows
from coop.follows import Follow
from federation import known
from federation.tables import Actor


@command("whoami", prints=True)
async def whoami(desk: Desk) -> None:
    """Show whose studio this is."""
    actor = await desk.reads(lambda db: known.actor(db, desk.me))
    others = await desk.reads(lambda db: accounts.count(db) - 1)
    if desk.as_json:
        print_document({**actor_shape(actor), "home": desk.here.home, "others": others})
        return
    say(f"{actor.name} ({actor.address}) at {desk.here.home}")
    if others:
        say(f"{others} more live here; act for one of them with --as HANDLE")


@command("lookup", prints=True)
@click.argument("address")
async def lookup(desk: Desk, address: str) -> None:
    """Find somebody or something by address or URL, where it lives."""
    found = await desk.anything(address)
    if isinstance(found, Actor):
        shape = actor_shape(found)
    else:
        shape = await desk.reads(lambda db: object_shape(db, found))
    if desk.as_json:
        print_document(shape)
        return
    print_table(("", ""), [(name, value) for name, value in shape.items() if value not in (None, "", [])], "nothing")


@command("follow")
@click.argument("address")
async def follow(desk: Desk, address: str) -> None:
    """Ask to hear from somebody, by an address like ada@attic.example."""
    actor = await desk.somebody(address)
    await desk.does(lambda tx: follows.follow(tx, desk.me, actor.uri).state)
    desk.has_done(f"Asked to follow {person(actor)}.")


@command("unfollow")
@click.argument("address")
async def unfollow(desk: Desk, address: str) -> None:
    """Stop hearing from somebody."""
    actor = await desk.somebody(address)
    await desk.does(lambda tx: follows.unfollow(tx, desk.me, actor.uri))
    desk.has_done(f"You do not follow {person(actor)} any more.")


@command("followers", prints=True)
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True)
async def followers(desk: Desk, limit: int) -> None:
    """List who hears from you, and who asked to."""
    query = select(Actor, Follow.state).join(Follow, Follow.follower == Actor.uri).where(Follow.followed == desk.me)
    await _print_people(desk, query.order_by(Follow.state.desc(), Follow.id.desc()).limit(limit), "Nobody yet.")


@command("following", prints=True)
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True)
async def following(desk: Desk, limit: int) -> None:
    """List whom you hear from."""
    query = select(Actor, Follow.state).join(Follow, Follow.followed == Actor.uri).where(Follow.follower == desk.me)
    empty = "Nobody yet. Follow somebody with: boxroom follow ada@attic.example"
    await _print_people(desk, query.order_by(Follow.id.desc()).limit(limit), empty)


@command("approve")
@click.argument("address")
async def approve(desk: Desk, address: str) -> None:
    """Let somebody follow you who asked for it."""
    actor = await desk.somebody(address)
    await desk.does(lambda tx: follows.approve(tx, desk.me, actor.uri))
    desk.has_done(f"{person(actor)} follows you now.")


@command("reject")
@click.argument("address")
async def reject(desk: Desk, address: str) -> None:
    """Refuse somebody who asks to follow you, or send a follower away."""
    actor = await desk.somebody(address)
    await desk.does(lambda tx: follows.reject(tx, desk.me, actor.uri))
    desk.has_done(f"{person(actor)} does not follow you.")


@command("block")
@click.argument("whom")
@click.option("--reason", default="", help="For yourself: why a whole server is blocked.")
async def block(desk: Desk, whom: str, reason: str) -> None:
    """Have nothing to do with somebody, or with a whole server: WHOM is an address, or a name such as spam.example.

    Nobody is told.
    """
    if _is_server(whom):
        await desk.does(lambda tx: blocks.block_domain(tx, whom, reason))
        say(f"Nothing comes from {whom} or goes there any more.")
        return
    actor = await desk.somebody(whom)
    await desk.does(lambda tx: blocks.block(tx, desk.me, actor.uri))
    say(f"{person(actor)} is blocked.")


@command("unblock")
@click.argument("whom")
async def unblock(desk: Desk, whom: str) -> None:
    """Lift a block of somebody or of a server."""
    if _is_server(whom):
        await desk.does(lambda tx: blocks.unblock_domain(tx, whom))
    else:
        actor = await desk.somebody(whom)
        await desk.does(lambda tx: blocks.unblock(tx, desk.me, actor.uri))
    say(f"{whom} is not blocked any more.")


def _is_server(text: str) -> bool:
    return "@" not in text and "://" not in text and "." in text


async def _print_people(desk: Desk, query: Select[Actor, str], empty: str) -> None:
    rows = await desk.reads(lambda db: [(actor, state) for actor, state in db.execute(query)])
    if desk.as_json:
        print_document([{**actor_shape(actor), "state": state} for actor, state in rows])
        return
    table = [
        (one.name, one.address or one.uri, "asked, not answered yet" if state == "asked" else "") for one, state in rows
    ]
    print_table(("name", "address", ""), table, empty)
