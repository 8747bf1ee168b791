"""The commands about oneself: what others see, and that one is still the same at another address."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import click
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.orm import Session

from activitypub import identity, keys
from boxroom.cli.desk import Desk, command
from boxroom.cli.printing import print_document, print_table, say, whisper
from boxroom.cli.shapes import Shape, actor_shape
from coop import accounts, identities, links, logins, media, profiles
from federation import known
from web.attempts import hash_of

PICTURE = click.Path(path_type=Path, exists=True, dir_okay=False)


@command("profile", prints=True)
@click.option("--name", help="Your name as people write it.")
@click.option("--bio", help="A few words about you, in Markdown.")
@click.option("--pronouns")
@click.option("--availability", help="When you have time: 'from March, two days a week'.")
@click.option("--place", help="Where you work.")
@click.option("--remote/--on-site", default=None, help="Whether you work for people elsewhere, too.")
@click.option("--skill", "skills", multiple=True, help="What you are good at; all of them, each with --skill.")
@click.option("--link", "links", multiple=True, help="Your other pages; all of them, each with --link.")
@click.option("--avatar", type=PICTURE, help="A picture of you.")
@click.option("--header", type=PICTURE, help="A picture for the top of your page.")
@click.option(
    "--discoverable/--hidden",
    default=None,
    help="Whether those find you, too, who follow somebody that follows you, and search engines.",
)
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
    if "skills" in wanted and not shape["discoverable"]:
        whisper("Only those who follow you find you by them; so do those who follow them, with --discoverable.")
    if desk.as_json:
        print_document(shape)
        return
    lines = {**shape, "skills": ", ".join(shape["skills"]), "links": " ".join(shape["links"])}
    print_table(("", ""), [(name, value) for name, value in lines.items() if value not in (None, "")], "")


@command("recover", prints=True)
@click.option(
    "--key-file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="A file whose first line is your recovery key; otherwise you are asked for it.",
)
@click.option("--new", is_flag=True, help="Make a new recovery key instead, and show it this once.")
async def recover(desk: Desk, key_file: Path | None, new: bool) -> None:
    """Prove that you are who lived at another address: with the recovery key that was shown when you set that up.

    Whoever knew you there then knows you here, with what others said of you. The key is not kept.
    """
    key = keys.new_ed25519() if new else await asyncio.to_thread(_ask_for_key, key_file)
    others = await desk.does(lambda tx: identities.adopt(tx, desk.me, key))
    if desk.as_json:
        print_document(
            {"key": identity.did(key), "same": others} | ({"secret": identity.write_secret(key)} if new else {})
        )
        return
    if new:
        say(f"Your recovery key: {identity.write_secret(key)}")
    for uri in others:
        say(uri)
    is_unknown = not new and not others
    desk.has_done("You go by that recovery key from now on.")
    if is_unknown:
        whisper("Nobody is known here who did so before: look your former address up, if it is still there.")


@command("password")
@click.option(
    "--password-file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="A file whose first line is the new password; otherwise you are asked for it.",
)
async def password(desk: Desk, password_file: Path | None) -> None:
    """Set a new password, and log out everywhere.

    Whoever can run this has the machine anyway, so the old password is not asked for.
    """
    hashed = await asyncio.to_thread(lambda: hash_of(_ask_for_password(password_file)))
    browsers = await desk.does(lambda tx: logins.change_password(tx, desk.me, hashed))
    whisper(f"Changed, and logged out in {browsers} browsers." if browsers else "Changed.")


def _ask_for_password(file: Path | None) -> str:
    if file:
        return file.read_text().partition("\n")[0].strip()
    return str(click.prompt("New password", hide_input=True, confirmation_prompt=True, err=True))


def _ask_for_key(file: Path | None) -> Ed25519PrivateKey:
    """Raise `Malformed` for what is none."""
    text = file.read_text() if file else str(click.prompt("Recovery key", hide_input=True, err=True))
    return identity.load_secret(text.partition("\n")[0])


def _shape(db: Session, home: str, uri: str) -> Shape:
    account = accounts.at(db, uri)
    assert account is not None  # noqa: S101 - the desk found it
    said = ("bio", "pronouns", "availability", "place", "remote", "skills", "links")
    choices = ("discoverable", "approves_followers")
    pictures = {"avatar": account.avatar, "header": account.header}
    return {
        **actor_shape(known.actor(db, uri)),
        **{name: getattr(account, name) for name in (*said, *choices)},
        **{name: media.url(home, picture) if picture else None for name, picture in pictures.items()},
    }
