"""Commands about agreements: what two have signed, whether it still is that, and that it is done."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click
import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from boxroom.cli import data_option
from boxroom.cli.desk import Desk, command
from boxroom.cli.printing import print_document, print_table, say
from boxroom.cli.shapes import Shape
from coop import accounts, agreements, beginnings
from coop.agreements import Agreement
from coop.errors import Trouble
from federation.tables import Actor

agreement = click.Group(
    "agreement", params=[data_option()], help="See what you agreed on, check it, say that it is done."
)


@command("list", agreement, prints=True)
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
async def show_all(desk: Desk, limit: int) -> None:
    """List what you agreed on, the latest first."""

    def read(db: Session) -> list[Shape]:
        return [_shape(db, desk, one) for one in db.scalars(agreements.of(desk.me).limit(limit)).all()]

    rows = await desk.reads(read)
    if desk.as_json:
        print_document(rows)
        return
    table = [(one["state"], one["with_address"] or one["with"], one["due"], one["verdict"], one["uri"]) for one in rows]
    print_table(("", "with", "due", "", "URL"), table, "Nothing is agreed yet. Answer an offer, or accept an answer.")


@command("show", agreement, prints=True)
@click.argument("url")
async def show(desk: Desk, url: str) -> None:
    """Show what was agreed, and whether both signatures are under just that."""
    shape = await desk.reads(lambda db: _shape(db, desk, agreements.at(db, url, desk.me)))
    if desk.as_json:
        print_document(shape)
        return
    print_table(("", ""), [(name, value) for name, value in shape.items() if value not in (None, "")], "")


@command("save", agreement)
@click.argument("url")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
async def save(desk: Desk, url: str, file: Path) -> None:
    """Write an agreement into FILE, with both signatures. It is between you two: nobody else gets it from here."""
    found = await desk.reads(lambda db: agreements.bundle(agreements.at(db, url, desk.me)))
    await asyncio.to_thread(file.write_bytes, msgspec.json.encode(found))
    say(f"{file}: check it with boxroom agreement verify {file}")


@command("verify", agreement, prints=True)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
async def verify(desk: Desk, file: Path) -> None:
    """Check an agreement in FILE; exit status 1 unless both have signed just that."""
    offered, accepted = agreements.read_bundle(await asyncio.to_thread(file.read_bytes))
    judged = await desk.does(lambda tx: agreements.examine(tx, offered, accepted))
    if judged.word != "signed by both":
        raise Trouble(f"{judged.word}: {judged.reason}")
    if desk.as_json:
        print_document({"verdict": judged.word, "reason": judged.reason})
        return
    say(f"{judged.word}: {judged.reason}")


@command("done", agreement, prints=True)
@click.argument("url")
@click.option("--text", default="", help="What you say about it, in Markdown.")
async def done(desk: Desk, url: str, text: str) -> None:
    """Confirm that all is done that was agreed on about one of your offers. The other is told."""
    uri = await desk.does(lambda tx: agreements.confirm(tx, desk.me, url, text).uri)
    desk.has_said(uri, "Confirmed.")


@command("open", agreement, prints=True)
@click.argument("url")
@click.option("--name", required=True)
async def begin(desk: Desk, url: str, name: str) -> None:
    """Open a project for what was agreed: the other is invited, and what each does becomes a commitment."""
    pair = accounts.new_keys()
    uri = await desk.does(lambda tx: beginnings.open_project(tx, desk.me, url, name, pair).uri)
    desk.has_said(uri, "Founded, and the other is invited.")


def _shape(db: Session, desk: Desk, row: Agreement) -> Shape:
    said, judged = agreements.terms_of(db, row), agreements.verdict(db, row, desk.here.now())
    other = row.other(desk.me)
    return {
        "uri": row.uri,
        "offer": row.offer,
        "with": other,
        "work_by": row.provider,
        "with_address": db.scalar(select(Actor.address).where(Actor.uri == other)),
        "text": agreements.words_of(row),
        "quantity": said.stipulates.value,
        "unit": said.stipulates.unit,
        "amount": said.reciprocal.value if said.reciprocal else None,
        "due": said.stipulates.due,
        "since": row.since,
        "state": "done" if row.done else "agreed",
        "done": row.done,
        "project": row.project,
        "verdict": judged.word,
        "reason": judged.reason,
    }
