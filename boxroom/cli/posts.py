"""Commands about posts: what comes in, what goes out, and what one makes of either."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from activitypub import markdown
from activitypub.audience import Visibility
from activitypub.errors import ProtocolError
from boxroom.cli.desk import Desk, command
from boxroom.cli.printing import print_document, print_table, say, whisper
from boxroom.cli.shapes import Shape, object_shape, person
from coop import conversations, feed, media, notifications, posts, reactions
from coop.accounts import Account
from coop.errors import NotFound
from coop.notifications import Notification
from federation import discovery, progress
from federation.client import Gone, Unreachable
from federation.progress import Progress
from federation.store import Transaction
from federation.tables import Actor, Object

LIMIT = click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
VISIBILITY = click.Choice(["public", "unlisted", "followers", "direct"])


@command("feed", prints=True)
@LIMIT
async def read_feed(desk: Desk, limit: int) -> None:
    """Show what those you follow have said, and you yourself."""

    def read(db: Session) -> list[Shape]:
        rows = db.execute(feed.home(_account(db, desk.me)).limit(limit)).all()
        return [{**object_shape(db, row), "boosted_by": entry.boosted_by} for entry, row in rows]

    _print_posts(desk, await desk.reads(read), "Nothing yet. What those you follow say will be here.")


@command("thread", prints=True)
@click.argument("url")
async def read_thread(desk: Desk, url: str) -> None:
    """Show what was said before and after a post, as far as you may read it, and have asked for what is missing."""
    post = await desk.something(url)
    found = await desk.reads(lambda db: _thread(db, post, desk.me))
    await desk.does(lambda tx: conversations.complete(tx, post))
    left = await desk.reads(lambda db: conversations.waiting(db, post))
    if desk.as_json:
        print_document({"posts": found, "waiting": left})
        return
    _print_posts(desk, found, "Nothing that you may read.")
    if words := left.sentence:
        whisper(words if desk.goes_at_once() else f"{words} The server is not running: it will ask when it starts.")


@command("notifications", prints=True)
@LIMIT
async def read_notifications(desk: Desk, limit: int) -> None:
    """Show what concerns you: who follows you, mentions you, answers, endorses, invites."""

    def read(db: Session) -> list[tuple[Notification, Actor | None]]:
        rows = db.scalars(notifications.listing(_account(db, desk.me)).limit(limit)).all()
        return [(row, db.scalar(select(Actor).where(Actor.uri == row.by))) for row in rows]

    found = await desk.reads(read)
    if desk.as_json:
        print_document([_notification(row, actor) for row, actor in found])
        return
    table = [(row.at, row.kind, person(actor) if actor else row.by, row.about) for row, actor in found]
    print_table(("when", "what", "who", "about"), table, "Nothing yet. What concerns you will be here.")


@command("outbox", prints=True)
@LIMIT
async def read_outbox(desk: Desk, limit: int) -> None:
    """Show what you published, and where each post has got to."""

    def read(db: Session) -> list[tuple[Shape, Progress]]:
        mine = select(Object).where(Object.author == desk.me, Object.deleted.is_(None)).order_by(Object.id.desc())
        return [(object_shape(db, one), progress.where_is(db, one.uri)) for one in db.scalars(mine.limit(limit))]

    found = await desk.reads(read)
    if desk.as_json:
        print_document([{**shape, "progress": got_to} for shape, got_to in found])
        return
    if not found:
        whisper("Nothing yet. Say something with: boxroom post")
    for shape, got_to in found:
        say(f"{shape['published']:%Y-%m-%d %H:%M}, {shape['visibility']}, {shape['url']}")
        say(shape["text"], indent=4)
        say("; ".join(got_to.sentences(desk.here.now())), indent=4)


@command("post", prints=True)
@click.argument("text")
@click.option("--visibility", type=VISIBILITY, default="public", show_default=True)
@click.option("--warning", default="", help="What to say before the text is shown.")
@click.option("--reply-to", metavar="URL", help="The post that this answers.")
@click.option("--attach", multiple=True, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--alt", multiple=True, help="What is to be seen in the attachment, for those who do not see it.")
async def publish(
    desk: Desk,
    text: str,
    visibility: Visibility,
    warning: str,
    reply_to: str | None,
    attach: tuple[Path, ...],
    alt: tuple[str, ...],
) -> None:
    """Say something. TEXT is Markdown; mention people as @ada@attic.example.

    Attach files with --attach, each with its own --alt.
    """
    if len(alt) > len(attach):
        raise click.UsageError("There are more descriptions (--alt) than files (--attach).")
    await meet_mentioned(desk, text)
    parent = await desk.something(reply_to) if reply_to else None
    draft = posts.Draft(text, visibility, warning, parent.uri if parent else None)
    names = [
        await desk.uploads(file, words) for file, words in zip(attach, (*alt, *("" for _ in attach)), strict=False)
    ]

    def say_it(tx: Transaction) -> str:
        attachments = media.attach(tx, desk.me, names)
        return posts.publish(tx, desk.me, replace(draft, attachments=attachments)).uri

    desk.has_said(await desk.does(say_it), "Posted.")


@command("edit", prints=True)
@click.argument("url")
@click.argument("text")
@click.option("--warning", help="Another content warning; empty for none.")
async def change(desk: Desk, url: str, text: str, warning: str | None) -> None:
    """Replace the words of one of your posts. What it said before can be seen."""
    await meet_mentioned(desk, text)
    uri = await desk.does(lambda tx: posts.edit(tx, desk.me, url, text, warning).uri)
    desk.has_said(uri, "Changed.")


@command("delete")
@click.argument("url")
async def take_back(desk: Desk, url: str) -> None:
    """Take one of your posts back, everywhere it went."""
    await desk.does(lambda tx: posts.delete(tx, desk.me, url))
    desk.has_done("Deleted; other servers are asked to forget it, too.")


@command("boost")
@click.argument("url")
@click.option("--undo", is_flag=True, help="Take your boost back.")
async def pass_on(desk: Desk, url: str, undo: bool) -> None:
    """Show somebody's post to those who follow you."""
    post = await desk.something(url)
    act = reactions.unboost if undo else reactions.boost
    await desk.does(lambda tx: act(tx, desk.me, post.uri) and None)
    desk.has_done("Not boosted any more." if undo else "Boosted.")


@command("like")
@click.argument("url")
@click.option("--undo", is_flag=True, help="Take your like back.")
async def praise(desk: Desk, url: str, undo: bool) -> None:
    """Tell somebody that you like what they said."""
    post = await desk.something(url)
    act = reactions.unlike if undo else reactions.like
    await desk.does(lambda tx: act(tx, desk.me, post.uri) and None)
    desk.has_done("Not liked any more." if undo else "Liked.")


async def meet_mentioned(desk: Desk, text: str) -> None:
    """Look up whoever is mentioned and not known yet; nobody else's absence keeps one from speaking."""
    for address in markdown.addresses(text):
        try:
            await discovery.lookup(desk.here, address)
        except (ProtocolError, Unreachable, Gone) as error:
            whisper(f"@{address} is not found and will not be told: {error}")


def _account(db: Session, uri: str) -> int:
    return db.scalars(select(Account.id).where(Account.uri == uri)).one()


def _thread(db: Session, post: Object, reader: str) -> list[Shape]:
    """Raise `NotFound` for what is not for `reader`."""
    if post.deleted or not feed.readable(db, [post], reader):
        raise NotFound(f"there is no post {post.uri}")
    return [object_shape(db, one) for one in feed.conversation(db, post, reader)]


def _print_posts(desk: Desk, shapes: list[Shape], empty: str) -> None:
    if desk.as_json:
        print_document(shapes)
        return
    if not shapes:
        whisper(empty)
    for one in shapes:
        warning = f"[{one['warning']}] " if one["warning"] else ""
        say(f"{one['address'] or one['author']}, {one['published']:%Y-%m-%d %H:%M}, {one['url']}")
        say(f"{warning}{one['text']}", indent=4)


def _notification(row: Notification, actor: Actor | None) -> Shape:
    read = row.read is not None
    by = actor.address if actor else None
    return {"kind": row.kind, "by": row.by, "address": by, "about": row.about or None, "at": row.at, "read": read}
