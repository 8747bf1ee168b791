"""The command about oneself: what others see."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from sqlalchemy.orm import Session

from boxroom.cli.desk import Desk, command
from boxroom.cli.printing import print_document, print_table, whisper
from boxroom.cli.shapes import Shape, actor_shape
from coop import accounts, links, media, profiles
from federation import known

PICTURE = click.Path(path_type=Path, exists=True, dir_okay=False)


@command("profile", prints=True)
@click.option("--name", help="Your name as people write it.")
@click.option("--bio", help="A few words about you, in Markdown.")
@click.option("--pronouns")
@click.option("--availability", help="When you have time: 'from March, two days a week'.")
@click.option("--skill", "skills", multiple=True, help="What you are good at; all of them, each with --skill.")
@click.option("--link", "links", multiple=True, help="Your other pages; all of them, each with --link.")
@click.option("--avatar", type=PICTURE, help="A picture of you.")
@click.option("--header", type=PICTURE, help="A picture for the top of your page.")
@click.option("--approve-followers/--welcome-followers", "approves_followers", default=None)
async def profile(desk: Desk, **given: Any) -> None:
    """Show what you say about yourself, or change it. Those who know you are told of changes."""
    wanted = {name: value for name, value in given.items() if value not in (None, ())}
    if wanted:
        for picture in ("avatar", "header"):
            if picture in wanted:
                wanted[picture] = await desk.uploads(wanted[picture])
        changes = profiles.Changes(**wanted)
        await desk.does(lambda tx: profiles.edit(tx, desk.me, changes).uri)
        desk.has_done("Changed.")
    if "links" in wanted:
        proven = await links.verify(desk.here, desk.me)
        for one in sorted(set(wanted["links"]) - proven):
            whisper(f'{one} does not link back to you: put <a rel="me" href="{desk.here.home}/@…"> there to prove it.')
    shape = await desk.reads(lambda db: _shape(db, desk.here.home, desk.me))
    if desk.as_json:
        print_document(shape)
        return
    lines = {**shape, "skills": ", ".join(shape["skills"]), "links": " ".join(shape["links"])}
    print_table(("", ""), [(name, value) for name, value in lines.items() if value not in (None, "")], "")


def _shape(db: Session, home: str, uri: str) -> Shape:
    account = accounts.at(db, uri)
    assert account is not None  # noqa: S101 - the desk found it
    said = ("bio", "pronouns", "availability", "skills", "links", "approves_followers")
    pictures = {"avatar": account.avatar, "header": account.header}
    return {
        **actor_shape(known.actor(db, uri)),
        **{name: getattr(account, name) for name in said},
        **{name: media.url(home, picture) if picture else None for name, picture in pictures.items()},
    }
