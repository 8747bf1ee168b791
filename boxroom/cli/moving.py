"""Commands for coming from elsewhere and going there: an account moves, lists of people are brought along."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from itertools import groupby
from pathlib import Path

import click
from sqlalchemy import select

from activitypub.errors import ProtocolError
from boxroom import archive
from boxroom.cli import archives
from boxroom.cli.desk import Desk, command, in_words
from boxroom.cli.printing import print_document, say, whisper
from boxroom.cli.shapes import person
from coop import blocks, follows, lists, moving
from coop.errors import Trouble
from coop.follows import Follow
from coop.lists import Kind
from federation import discovery, known
from federation.client import Gone, Unreachable
from federation.tables import Actor

SERVERS = 8  # asked at once who somebody is, each for one after the other

NAMED = {"follows": "followed", "blocks": "blocked", "servers": "blocked"}


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


@command("import", prints=True)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--list", "kind", type=click.Choice(["follows", "blocks", "servers"]), help="If FILE does not say it.")
async def bring(desk: Desk, file: Path, kind: Kind | None) -> None:
    """Bring along what Mastodon exports: the archive of your posts, or whom you follow or block.

    Posts come with their own dates and are sent to nobody; whoever is named in a list is followed or blocked. It can be
    run again: what is here already is passed over.
    """
    if await _is_archive(desk, file):
        return
    luggage = lists.read(file, kind)
    done: dict[Kind, Callable[[str], Awaitable[None]]] = {
        "follows": lambda name: _follow(desk, name),
        "blocks": lambda name: _block(desk, name),
        "servers": lambda name: _block_server(desk, name, luggage.reasons.get(name, "")),
    }
    failed = await _each(luggage.names, done[luggage.kind])
    number = len(luggage.names) - len(failed)
    if desk.as_json:
        print_document({"list": luggage.kind, "done": number, "failed": failed})
        return
    say(f"{number} of {len(luggage.names)} {NAMED[luggage.kind]}")
    for name, reason in failed.items():
        whisper(f"{name}: {reason}")


async def _is_archive(desk: Desk, file: Path) -> bool:
    """Whether it is one; if so, it is brought along. Raise `Trouble`, which names it."""
    try:
        if (box := await asyncio.to_thread(archive.opened, file)) is None:
            return False
        with closing(box):
            await archives.bring(desk, box)
    except Trouble as error:
        raise Trouble(f"{file.name}: {error}") from error
    return True


async def _each(names: Sequence[str], do: Callable[[str], Awaitable[None]]) -> dict[str, str]:
    """Do it for all, server by server; return why it failed for some. A server that is silent is not asked again."""
    failed: dict[str, str] = {}
    places = asyncio.Semaphore(SERVERS)

    async def of_server(some: list[str]) -> None:
        async with places:
            silent = ""
            for name in some:
                try:
                    if silent:
                        raise Unreachable(silent)  # noqa: TRY301 - as it would be, after another half minute
                    await do(name)
                except Unreachable as error:
                    failed[name] = silent = in_words(error)
                except (Trouble, ProtocolError, Gone) as error:
                    failed[name] = in_words(error)

    by_server = groupby(sorted(names, key=_server), key=_server)
    await asyncio.gather(*(of_server([*some]) for _, some in by_server))
    return {name: failed[name] for name in names if name in failed}


def _server(name: str) -> str:
    return name.rpartition("@")[2]


async def _follow(desk: Desk, name: str) -> None:
    query = select(Actor.uri).join(Follow, Follow.followed == Actor.uri)
    if not await desk.reads(lambda db: db.scalar(query.where(Follow.follower == desk.me, Actor.address == name))):
        actor = await desk.somebody(name)
        await desk.does(lambda tx: follows.follow(tx, desk.me, actor.uri).state)


async def _block(desk: Desk, name: str) -> None:
    actor = await desk.somebody(name)
    await desk.does(lambda tx: blocks.block(tx, desk.me, actor.uri))


async def _block_server(desk: Desk, name: str, reason: str) -> None:
    await desk.does(lambda tx: blocks.block_domain(tx, name, reason))
