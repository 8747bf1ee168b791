"""Commands about commitments: what people said they would do for each other, over all projects."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from activitypub.html import plain
from boxroom.cli import data_option
from boxroom.cli.desk import Desk, command
from boxroom.cli.offers import Amount, Day
from boxroom.cli.printing import print_document, print_table, say
from boxroom.cli.projects import P, which_project
from boxroom.cli.shapes import Shape, person
from coop import calendars, commitments, fulfilment, promises
from coop.commitments import Commitment
from coop.promises import Draft
from coop.statements import Project
from federation.tables import Actor

commitment = click.Group("commitment", params=[data_option()], help="Promise something, hold others to what they did.")


@command("commitments", prints=True)
@click.option("--mine", is_flag=True, help="Only what you have to do.")
@click.option("--to-me", is_flag=True, help="Only what others have to do for you.")
@click.option("--over", is_flag=True, help="What was kept or released, instead of what is open.")
@click.option("--project", "which", metavar="P", help="Only those of one project.")
@click.option("--ical", is_flag=True, help="Print what is due when as a calendar (RFC 5545).")
@click.option("--address", is_flag=True, help="Make a secret address at which calendar programs find that.")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True)
async def show_all(
    desk: Desk, mine: bool, to_me: bool, over: bool, which: str | None, ical: bool, address: bool, limit: int
) -> None:
    """List what you said you would do for others, and they for you; what is due first comes first."""
    if ical:
        body = await desk.reads(lambda db: calendars.written(db, desk.me, desk.here.now()))
        click.echo(body.decode(), nl=False)
        return
    if address:
        uri = await desk.does(lambda tx: calendars.new_address(tx, desk.me))
        desk.has_said(uri, "Whoever has this address reads your calendar. The one before it is of no use any more.")
        return
    project = await which_project(desk, which) if which else None
    asked = commitments.mine if mine and not to_me else commitments.to_me if to_me and not mine else commitments.of
    query = fulfilment.ended(desk.me) if over else asked(desk.me, project)
    rows = await desk.reads(lambda db: [_shape(db, desk, one) for one in db.scalars(query.limit(limit)).all()])
    if desk.as_json:
        print_document(rows)
        return
    table = [(one["standing"], one["due"], _whose(desk, one), one["text"], one["name"], one["uri"]) for one in rows]
    print_table(("", "due", "", "what", "project", "URL"), table, "Nobody has promised anything that is open.")


@command("create", commitment, prints=True)
@P
@click.argument("address")
@click.option("--text", required=True, help="What is to be done, in Markdown.")
@click.option("--due", type=Day(), help="By when: 2026-12-24.")
@click.option("--hours", type=Amount(), help="How long it takes.")
@click.option("--ask", is_flag=True, help="They are to do it for you, instead of you for them.")
async def create(
    desk: Desk, which: str, address: str, text: str, due: datetime | None, hours: Decimal | None, ask: bool
) -> None:
    """Say that you will do something for another member, or ask them to. It counts once they accept."""
    project, other = await which_project(desk, which), await desk.somebody(address)
    provider, receiver = (other.uri, desk.me) if ask else (desk.me, other.uri)
    draft = Draft(text, due, hours)
    uri = await desk.does(lambda tx: promises.propose(tx, desk.me, project, provider, receiver, draft).uri)
    desk.has_said(uri, f"Proposed; it counts once {person(other)} accepts it.")


@command("change", commitment, prints=True)
@click.argument("url")
@click.option("--text", required=True, help="What is to be done, in Markdown.")
@click.option("--due", type=Day(), help="By when: 2026-12-24.")
@click.option("--hours", type=Amount(), help="How long it takes.")
async def change(desk: Desk, url: str, text: str, due: datetime | None, hours: Decimal | None) -> None:
    """Propose a new version of what was agreed. Until the other accepts it, the present one counts."""
    uri = await desk.does(lambda tx: promises.change(tx, desk.me, url, Draft(text, due, hours)).uri)
    desk.has_said(uri, "Proposed; until they accept it the present one counts.")


@command("accept", commitment)
@click.argument("url")
async def accept(desk: Desk, url: str) -> None:
    """Sign what somebody proposed to you. From then on it counts."""
    await desk.does(lambda tx: promises.accept(tx, desk.me, url).uri)
    desk.has_done("It counts: both of you have signed it.")


@command("decline", commitment)
@click.argument("url")
@click.option("--reason", default="", help="Why, in words for them.")
async def decline(desk: Desk, url: str, reason: str) -> None:
    """Say no to what somebody proposed to you. What you agreed on before stays."""
    await desk.does(lambda tx: promises.decline(tx, desk.me, url, reason).uri)
    desk.has_done("Declined.")


@command("withdraw", commitment)
@click.argument("url")
async def withdraw(desk: Desk, url: str) -> None:
    """Take back what you proposed and nobody has accepted yet."""
    await desk.does(lambda tx: promises.withdraw(tx, desk.me, url))
    desk.has_done("Withdrawn.")


@command("keep", commitment)
@click.argument("url")
@click.option("--text", default="", help="What you say about it, in Markdown.")
@click.option("--show", is_flag=True, help="Everybody may see it on the provider's page, if the other wants that too.")
async def keep(desk: Desk, url: str, text: str, show: bool) -> None:
    """Say that it was kept: what was done for you is kept then; of what you did, the other is asked.

    Say it again with or without --show to change whether you want it to be seen.
    """
    row = await desk.does(lambda tx: _end(fulfilment.keep(tx, desk.me, url, text, shown=show)))
    desk.has_done("It is kept." if row == "kept" else "Said; it is kept once the other says so, too.")


@command("release", commitment)
@click.argument("url")
async def release(desk: Desk, url: str) -> None:
    """Let somebody off what they said they would do for you."""
    await desk.does(lambda tx: fulfilment.release(tx, desk.me, url).uri)
    desk.has_done("Released.")


@command("show", commitment, prints=True)
@click.argument("url")
async def show(desk: Desk, url: str) -> None:
    """Show a commitment of yours, and every version that it had."""

    def read(db: Session) -> list[Shape]:
        return [_shape(db, desk, one) for one in db.scalars(commitments.history(db, url, desk.me)).all()]

    rows = await desk.reads(read)
    if desk.as_json:
        print_document(rows)
        return
    for one in rows:
        due = f", due {one['due']:%Y-%m-%d}" if one["due"] else ""
        say(f"{one['standing']}{due}: {one['text']} ({_whose(desk, one)}, {one['version']})")


def _end(row: Commitment) -> str:
    return "kept" if row.kept else "done"


def _whose(desk: Desk, shape: Shape) -> str:
    if shape["provider"] == desk.me:
        return f"for {shape['receiver_address'] or shape['receiver']}"
    return f"by {shape['provider_address'] or shape['provider']}"


def _shape(db: Session, desk: Desk, row: Commitment) -> Shape:
    return {
        "uri": row.root,
        "version": row.uri,
        "project": row.project,
        "name": db.scalar(select(Project.name).where(Project.uri == row.project)),
        "provider": row.provider,
        "provider_address": _address(db, row.provider),
        "receiver": row.receiver,
        "receiver_address": _address(db, row.receiver),
        "text": plain(row.text),
        "due": row.due,
        "hours": row.hours,
        "standing": row.standing(desk.here.now()),
        "waits_for_you": row.state == "proposed" and row.author != desk.me,
        "made": row.made,
        "reason": row.reason,
        "agreement": row.agreement,
        "shown": row.provider_shows and row.receiver_shows,
    }


def _address(db: Session, uri: str) -> str | None:
    return db.scalar(select(Actor.address).where(Actor.uri == uri))
