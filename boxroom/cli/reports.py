"""Commands about reports: what other servers complain of, for whoever runs this one."""

from __future__ import annotations

import click

from activitypub.html import plain
from boxroom.cli import data_option
from boxroom.cli.desk import Desk, command
from boxroom.cli.printing import print_document, print_table, whisper
from boxroom.cli.shapes import Shape
from coop.reports import Report, deal_with, listing


class OrList(click.Group):
    """A group that lists what there is, unless it is told what to do with it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        is_told = {"--help", *self.commands}.intersection(args)
        return super().parse_args(ctx, args if is_told else ["list", *args])


reports = OrList(
    "reports",
    params=[data_option()],
    help="List what other servers complain of, and say what is done. A server reports, whoever complained there.",
)


@command("list", reports, prints=True)
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
async def show_all(desk: Desk, limit: int) -> None:
    """List what other servers complain of: what waits for you first, then what is done."""
    found = await desk.reads(lambda db: [_report(row) for row in db.scalars(listing().limit(limit))])
    if desk.as_json:
        print_document(found)
        return
    rows = [
        (one["id"], one["at"], one["server"], " ".join(one["about"]), one["text"], "done" if one["done"] else "")
        for one in found
    ]
    print_table(("id", "when", "server", "about", "what it says", ""), rows, "Nobody complains.")


@command("done", reports)
@click.argument("report", metavar="ID", type=int)
async def done(desk: Desk, report: int) -> None:
    """Say that a report is dealt with. Nobody is told."""
    await desk.does(lambda tx: deal_with(tx, report))
    whisper("Done.")


def _report(row: Report) -> Shape:
    return {
        "id": row.id,
        "uri": row.uri,
        "server": row.server,
        "about": row.about,
        "text": plain(row.text),
        "at": row.at,
        "done": row.done,
    }
