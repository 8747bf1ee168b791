"""The command that shows everything at once: several studios on this machine that know each other."""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path

import click

from boxroom.cli import data_option
from boxroom.cli.desk import finish
from boxroom.settings import PREFIX

FOLDER = "demo"


@click.command("demo", params=[data_option()])
@click.option(
    "--once", is_flag=True, help="Tell the story, check it, and end: status 0 if all of it came true, else 1."
)
@click.option(
    "--patience",
    type=click.FloatRange(0),
    default=20,
    show_default=True,
    metavar="SECONDS",
    help="How long something may take to arrive before it counts as lost; a slow machine needs more.",
)
@click.pass_context
def demo(ctx: click.Context, once: bool, patience: float) -> None:
    """Run several studios on this machine that know each other, and tell what they do.

    They stay open until Ctrl-C. Their data are in ./demo, or where --data says; with --once, nothing is kept.
    """
    for name in [one for one in os.environ if one.startswith(PREFIX)]:
        del os.environ[name]  # what is set for a studio of one's own would be set for all of these
    came_true = _once(patience) if once else _lasting(Path(ctx.meta.get("boxroom.data") or FOLDER), patience)
    if not came_true:
        ctx.exit(1)


def _once(patience: float) -> bool:
    with tempfile.TemporaryDirectory(prefix="boxroom-demo-") as folder:
        return _play(Path(folder), patience, once=True)


def _lasting(folder: Path, patience: float) -> bool:
    from boxroom.demo import stage

    async def clear() -> None:
        stage.clear(folder)

    finish(clear())
    return _play(folder, patience, once=False)


def _play(folder: Path, patience: float, *, once: bool) -> bool:
    from boxroom.demo.play import play

    try:
        return finish(play(folder, patience, once=once))
    except asyncio.CancelledError as error:
        raise click.Abort from error
