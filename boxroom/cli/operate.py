"""Commands for whoever runs a server: how it is, what is wrong, and keeping what it holds."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

import click
from sqlalchemy.exc import SQLAlchemyError

from activitypub.nodeinfo import RELEASE
from boxroom import folder, migrations
from boxroom.assemble import database_url, now
from boxroom.cli import data_folder, data_option, json_option
from boxroom.cli.desk import Desk, command, finish, in_words, opened, settings_in
from boxroom.cli.printing import print_document, print_table, say, whisper
from boxroom.settings import Wrong
from coop import backups, rotation, visits, waking
from coop.condition import Condition, Way, condition
from coop.errors import NotFound
from coop.waking import Slept
from federation import receipts, settling
from federation.store import Unavailable

ANY_FILE = click.Path(path_type=Path, dir_okay=False)
A_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)


@command("status", prints=True)
async def status(desk: Desk) -> None:
    """Show how this server is doing, and what waits for whom."""
    found = await desk.reads(condition)
    running = folder.is_served(desk.folder)
    if desk.as_json:
        print_document({"version": RELEASE, "home": desk.here.home, "running": running, "condition": found})
        return
    say(f"Boxroom {RELEASE}, {desk.here.home}, {'running' if running else 'not running'}")
    _print_counts(found)
    say(f"last saved: {found.saved:%Y-%m-%d %H:%M} UTC" if found.saved else "never saved: see boxroom backup --help")
    if found.slept:
        _print_sleep(found.slept)
    if found.lanes:
        _print_lanes(found.lanes)
    if found.failed:
        say("These could not be taken in (try again with: boxroom replay ID):")
        rows = [(one.id, one.actor, one.error) for one in found.failed]
        print_table(("id", "from", "reason"), rows, "")


@command("replay", prints=True)
@click.argument("receipt", metavar="[ID]", type=int, required=False)
async def replay(desk: Desk, receipt: int | None) -> None:
    """Try again what could not be taken in: everything, or the one that `boxroom status` lists under ID."""
    again = await desk.does(lambda tx: receipts.replay(tx, receipt))
    if receipt is not None and not again:
        raise NotFound(f"nothing that failed has the id {receipt}; `boxroom status` lists what did")
    if desk.as_json:
        print_document({"replayed": again})
        return
    desk.has_done(f"{again} will be tried again." if again else "Nothing has failed.")


@command("drop")
@click.argument("receipt", metavar="ID", type=int)
async def drop(desk: Desk, receipt: int) -> None:
    """Let go of what could not be taken in, the one that `boxroom status` lists under ID. Nobody is told."""
    if not await desk.does(lambda tx: receipts.drop(tx, receipt)):
        raise NotFound(f"nothing that failed has the id {receipt}; `boxroom status` lists what did")
    whisper("It is not tried again.")


@command("catch-up", prints=True)
@click.option("--days", type=click.IntRange(1, 365), default=7, show_default=True, help="How far back.")
async def catch_up(desk: Desk, days: int) -> None:
    """Ask everybody what they said while this server slept: whom people here follow, and who is in their projects.

    The server does so by itself when it has slept. How far it has got is told by `boxroom status`.
    """
    await desk.does(lambda tx: waking.wake(tx, tx.now - timedelta(days=days)))
    left = await desk.reads(visits.left)
    outboxes, logs = left.get("outbox", 0), left.get("log", 0)
    if desk.as_json:
        print_document({"outboxes": outboxes, "logs": logs})
        return
    when = "now" if desk.goes_at_once() else "when the server starts"
    say(f"{outboxes} people's outboxes and {logs} projects' logs are read {when}.")


@command("wake")
@click.argument("host")
async def wake(desk: Desk, host: str) -> None:
    """Try a server again that was given up, or that is being left alone for a while."""

    if not await desk.does(lambda tx: settling.wake(tx, host.lower())):
        raise NotFound(f"nothing waits for {host}")
    desk.has_done(f"{host} is tried again.")


@command("rotate")
@click.option("--stolen", is_flag=True, help="Somebody else may have the old keys: give them up at once.")
async def rotate(desk: Desk, stolen: bool) -> None:
    """Make new keys for everybody who lives here. They are used after a day, in which others hear of them."""
    pairs = rotation.new_pairs(await desk.reads(lambda db: rotation.signers(db, desk.here.uri)))
    await desk.does(lambda tx: rotation.rotate_all(tx, pairs, stolen=stolen))
    desk.has_done("The new keys are in use." if stolen else "The new keys will be in use in 24 hours.")


@click.command("migrate", params=[data_option()])
def migrate() -> None:
    """Bring the database up to date with this program. Starting the server does so, too."""
    data = data_folder()
    url = database_url(data, settings_in(data))
    had = finish(asyncio.to_thread(migrations.ensure_current, url, lambda: folder.is_served(data)))
    whisper("The database is up to date." if had is None else f"Migrated from {had} to {migrations.known()[-1]}.")


@click.command("doctor", params=[data_option(), json_option()])
@click.option("--offline", is_flag=True, help="Look at this machine only; ask no other.")
@click.pass_context
def doctor(ctx: click.Context, offline: bool) -> None:
    """Examine this server, and say what to do. Exit status 1 if something must be done."""
    from boxroom.doctor import examine

    findings = finish(examine(data_folder(), offline=offline))
    if ctx.meta.get("boxroom.json"):
        print_document(findings)
    else:
        words = {"well": "well", "look": "look at", "must": "MUST DO"}
        print_table(("", "what", "found"), [(words[one.state], one.what, one.said) for one in findings], "")
        for one in findings:
            if one.todo:
                say(f"{one.what}: {one.todo}")
    if any(one.state == "must" for one in findings):
        ctx.exit(1)


@click.command("backup", params=[data_option()])
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--passphrase-file", type=A_FILE, required=True, help="A file whose first line encrypts the backup.")
@click.option("--keep", type=click.IntRange(1), metavar="N", help="Keep the last N in that folder, and no older ones.")
def backup(file: Path, passphrase_file: Path, keep: int | None) -> None:
    """Save everything into one encrypted file: database, pictures, settings, keys. The server may run meanwhile.

    If FILE is a folder, the backup is a new file in there, named for the studio and the moment.
    """
    from boxroom.backup import save
    from boxroom.nightly import keep_only, named

    data, begun = data_folder(), now()
    settings, place = settings_in(data), file
    if keep and not place.is_dir():
        raise click.UsageError("--keep is for a folder of backups")
    file = named(place, settings, begun) if place.is_dir() else place
    size = finish(asyncio.to_thread(save, data, settings, file, _passphrase(passphrase_file)))
    if keep:
        finish(asyncio.to_thread(keep_only, place, settings, keep))
    say(f"{file}: {size:,} bytes. Keep it elsewhere, and its passphrase somewhere else again.")
    finish(_note(data, begun, file, size))


async def _note(data: Path, begun: datetime, file: Path, size: int) -> None:
    """Have `boxroom status` know of it; a backup is good even if the database takes nothing more."""
    try:
        async with opened(data) as (_, here):
            await here.store.write(lambda tx: backups.record(tx, begun, str(file.absolute()), size))
    except (Wrong, Unavailable, SQLAlchemyError) as error:
        whisper(f"The backup is whole, but `boxroom status` cannot know of it: {in_words(error)}")


@click.command("restore", params=[data_option()])
@click.argument("file", type=A_FILE)
@click.option("--passphrase-file", type=A_FILE, required=True, help="A file whose first line the backup was made with.")
def restore(file: Path, passphrase_file: Path) -> None:
    """Bring a backup back into an empty folder."""
    from boxroom.restoring import bring_back

    data = data_folder()
    finish(asyncio.to_thread(bring_back, file, data, _passphrase(passphrase_file)))
    finish(_lose_touch(data))
    say(f"Everything is back in {data}. Start the server with: boxroom serve")


async def _lose_touch(data: Path) -> None:
    """What others sent since the backup was made was lost with the machine, and is asked for at the next start."""
    async with opened(data) as (_, here):
        await here.store.write(waking.lose_touch)


@click.command("export", params=[data_option()])
@click.argument("file", type=ANY_FILE)
def export(file: Path) -> None:
    """Write everything you said and whom you know into one JSON file, without keys."""
    from coop.exporting import write

    async def run() -> int:
        async with opened(data_folder()) as (_, here):
            return await here.store.read(lambda db: write(db, here, file))

    say(f"{file}: {finish(run()):,} bytes")


def _passphrase(file: Path) -> str:
    return file.read_text().partition("\n")[0].strip()


def _print_counts(found: Condition) -> None:
    say(f"{found.accounts} live here; {found.posts} things said; {found.actors} people and servers known")
    say(f"followed by {found.followers}, following {found.following}")
    waiting, failed = found.receipts_waiting, found.receipts_failed
    say(f"taken in, not worked through: {waiting}; failed: {failed}; not yet delivered: {found.deliveries_waiting}")
    if found.reports:
        say(f"reports by other servers that wait for you: {found.reports} (see them with: boxroom reports)")


def _print_sleep(slept: Slept) -> None:
    say(f"{slept.sentence}, from {slept.since:%Y-%m-%d %H:%M} to {slept.until:%Y-%m-%d %H:%M} UTC")
    if slept.outboxes_left or slept.logs_left:
        say(f"still to be asked: {slept.outboxes_left} people's outboxes, {slept.logs_left} projects' logs")


def _print_lanes(ways: list[Way]) -> None:
    rows = [(one.host, one.waiting, _when(one), one.error) for one in ways]
    print_table(("waiting for", "how many", "next try", "what it said last"), rows, "")


def _when(way: Way) -> object:
    return "given up; boxroom wake" if way.parked else way.next_try
