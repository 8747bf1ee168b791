"""Setting a studio up, and running it."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from activitypub import identity
from boxroom.cli import data_folder, data_option
from boxroom.cli.desk import finish, is_studio, opened, settings_in
from boxroom.cli.printing import say, whisper
from boxroom.folder import make, serving
from boxroom.loading import load
from boxroom.settings import Settings, Wrong

if TYPE_CHECKING:
    from boxroom.founding import Founding


@click.command("init", params=[data_option()])
@click.option("--url", required=True, help="The address that this studio has for ever: https://garage.example")
@click.option("--handle", required=True, help="Your short name, as in @ada@garage.example")
@click.option("--name", default="", help="Your name, or the studio's, as people write it.")
@click.option("--kind", type=click.Choice(["person", "studio"]), default="person", show_default=True)
@click.option(
    "--password-file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="A file whose first line is your password.",
)
def init(url: str, handle: str, name: str, kind: str, password_file: Path | None) -> None:
    """Set up a studio in an empty folder.

    Your recovery key is shown this once: write it down, for it proves at any other address that you are you.
    """
    from boxroom.founding import Founding

    data = data_folder()
    password = password_file.read_text().partition("\n")[0].strip() if password_file else None
    founding = Founding(url, handle, name, "studio" if kind == "studio" else "person")
    settings = finish(_found(data, founding, password))
    say(f"{handle.lower()}@{settings.url.partition('://')[2]} lives in {data}. Start the server with: boxroom serve")
    say(f"Your recovery key: {identity.write_secret(founding.recovery)}")
    whisper(
        "Write it down and keep it elsewhere: it is shown this once, and proves at any other address that you are you."
    )
    if settings.url.startswith("http:") and not settings.allow_private_network:
        whisper("An http address works only among private addresses: set BOXROOM_ALLOW_PRIVATE_NETWORK=true.")


@click.command("serve", params=[data_option()])
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True)
def serve(host: str, port: int) -> None:
    """Be on the net: pages, posts in and out, until stopped.

    If there is no studio in the folder yet, a link is printed, under which you set one up in a browser.
    """
    import uvloop

    finish(_serve(data_folder(), host, port), uvloop.new_event_loop)


@click.command("worker", params=[data_option()])
def worker() -> None:
    """Help a busy server that keeps everything in PostgreSQL."""
    import uvloop

    finish(_work(data_folder()), uvloop.new_event_loop)


async def _found(data: Path, founding: Founding, password: str | None) -> Settings:
    from boxroom.founding import found
    from web.attempts import hash_of

    return await found(data, replace(founding, password=None if password is None else hash_of(password)))


async def _serve(data: Path, host: str, port: int) -> None:
    load("boxroom.server")
    from boxroom import server

    if not is_studio(data):
        make(data)
    with serving(data), server.listening(host, port) as listener:
        if is_studio(data) or await _set_up(data, listener):
            await server.run(data, settings_in(data), listener)


async def _set_up(data: Path, listener: socket.socket) -> bool:
    from boxroom import first

    return await first.run(data, listener)


async def _work(data: Path) -> None:
    from boxroom import server
    from federation import engine

    async with opened(data) as (settings, here):
        if here.store.engine.dialect.name == "sqlite":
            raise Wrong("a worker needs PostgreSQL: with SQLite, `boxroom serve` does all the work itself")
        server.configure_logs(settings)
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - we are running
        server.on_signal(task.cancel)
        say(f"Working for {settings.url}")
        try:
            await engine.run(here, alone=False)
        except asyncio.CancelledError:
            whisper("Stopped.")
