"""Commands about endorsements: vouching for somebody's skill, and finding out who really did."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import click
import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from activitypub.document import Document
from activitypub.endorsement import Judgement
from activitypub.html import plain
from boxroom.assemble import now
from boxroom.cli import data_folder, data_option, json_option
from boxroom.cli.desk import Desk, command, finish, is_studio, opened
from boxroom.cli.offers import Day
from boxroom.cli.posts import meet_mentioned
from boxroom.cli.printing import print_document, print_table, say, whisper
from boxroom.cli.shapes import Shape, person
from coop import endorsement_requests, endorsements, identities, paths, verdicts, witnesses
from coop.endorsement_requests import EndorsementRequest
from coop.endorsements import Endorsement
from coop.errors import Trouble
from coop.paths import Way
from federation import known
from federation.store import Transaction
from federation.tables import Actor


class OrSomebody(click.Group):
    """A group whose first word may be somebody's address, too: ``endorse ada@attic.example``."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            return super().resolve_command(ctx, ["give", *args])
        return super().resolve_command(ctx, args)


endorse = OrSomebody(
    "endorse",
    params=[data_option()],
    help="Vouch for somebody's skill, or take that back: boxroom endorse ADDRESS --skill S --text TEXT",
)
endorsement = click.Group(
    "endorsement",
    params=[data_option()],
    help="Check an endorsement without any network; ask for one; show yours, or do not.",
)


@command("give", endorse, prints=True)
@click.argument("address")
@click.option("--skill", "skills", multiple=True, help="What they are good at; up to five times.")
@click.option("--text", required=True, help="What you have seen of it, in Markdown.")
@click.option("--work", metavar="URL", help="Where it can be seen: the work, a project, what was agreed.")
@click.option("--request", "asked", metavar="URL", help="What they asked you; it says skill and work if you do not.")
@click.option(
    "--capacity",
    type=click.Choice(["client", "collaborator", "employer", "employee", "peer", "student", "other"]),
    default="peer",
    show_default=True,
    help="What you were to them.",
)
@click.option("--until", type=Day(), help="When it ends by itself: 2027-12-24.")
async def give(desk: Desk, address: str, skills: tuple[str, ...], text: str, asked: str | None, **terms: Any) -> None:
    """Vouch in public for somebody's skills. It is signed: others can check it even when your server is gone."""
    if not skills and asked is None:
        raise click.UsageError("Name a --skill, or the --request that you answer.")
    actor = await desk.somebody(address)
    await meet_mentioned(desk, text)

    def vouch(tx: Transaction) -> str:
        if asked is None:
            return endorsements.give(tx, desk.me, actor.uri, skills, text, **terms).uri
        return endorsement_requests.answer(tx, desk.me, asked, actor.uri, text, skills, **terms).uri

    uri = await desk.does(vouch)
    desk.has_said(uri, f"You vouch for {person(actor)}.")


@command("revoke", endorse)
@click.argument("url")
async def revoke(desk: Desk, url: str) -> None:
    """Take back an endorsement that you gave: for ever, and everywhere it went."""
    await desk.does(lambda tx: endorsements.revoke(tx, desk.me, url))
    desk.has_done("Revoked.")


@command("endorsements", prints=True)
@click.argument("address")
@click.option("--ask", is_flag=True, help="Ask the servers of those who gave them, instead of our memory alone.")
async def about(desk: Desk, address: str, ask: bool) -> None:
    """List who vouches for somebody, each checked: valid, revoked, expired, invalid; and how you know who does."""
    actor = await desk.somebody(address)
    mine = actor.uri == desk.me
    addresses = await desk.reads(lambda db: identities.same(db, actor.uri))
    query = endorsements.received_by(*addresses) if mine else endorsements.shown_of(*addresses)
    if ask:
        for uri in await desk.reads(lambda db: [row.uri for row in db.scalars(query)]):
            await verdicts.check(desk.here, uri)
    moment = desk.here.now()

    def read(db: Session) -> list[Shape]:
        near = paths.reach(db, desk.me, moment)
        judged = verdicts.with_verdicts(db, query, moment)
        return [_shape(db, *one) | {"path": _way(db, near.get(one[0].endorser))} for one in judged]

    shapes = await desk.reads(read)
    if desk.as_json:
        print_document(shapes)
        return
    rows = [
        (one["verdict"], ", ".join(one["skills"]), one["address"] or one["by"], one["path"], one["uri"])
        for one in shapes
    ]
    print_table(
        ("", "skill", "by", "how you know them", "URL"),
        rows,
        f"Nobody has vouched for {person(actor)} as far as is known here.",
    )


@command("trust", prints=True)
@click.argument("address")
async def trust(desk: Desk, address: str) -> None:
    """Tell how you know somebody: whom you follow, work with and vouch for, whom they do, up to three steps away.

    Nothing is asked of anybody, and nothing is counted into a score: these are reasons, to be weighed by you.
    """
    actor = await desk.somebody(address)
    moment = desk.here.now()
    found = await desk.reads(
        lambda db: [{"words": paths.words(db, way), "steps": way} for way in paths.ways(db, desk.me, actor.uri, moment)]
    )
    if desk.as_json:
        print_document(found)
    for one in () if desk.as_json else found:
        say(f"{one['words']}.")
    if not found:
        whisper(f"Nobody near you knows {person(actor)}, as far as is known here.")


@command("save", endorsement)
@click.argument("url")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
async def save(desk: Desk, url: str, file: Path) -> None:
    """Write an endorsement into FILE, with all that is needed to check it when every server is gone."""
    copy = await desk.reads(lambda db: verdicts.bundle(db, endorsements.at(db, url)))
    await asyncio.to_thread(file.write_bytes, msgspec.json.encode(copy))
    say(f"{file}: check it with boxroom endorsement verify {file}")


@command("export", endorsement)
@click.argument("url")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
@click.option(
    "--format",
    "form",
    type=click.Choice(["badge", "html", "print"]),
    required=True,
    help="An Open Badge for programs, a page that needs nothing else, or a sheet for the printer with a QR code.",
)
async def export(desk: Desk, url: str, file: Path | None, form: str) -> None:
    """Write an endorsement that holds into FILE, for people who have no Boxroom; without FILE, print it.

    The badge is an Open Badges 3.0 EndorsementCredential that its giver signed; that can be had from any studio.
    """

    def read(db: Session) -> bytes:
        row = endorsements.at(db, url)
        if form == "badge":
            return msgspec.json.format(msgspec.json.encode(verdicts.credential(db, row, desk.here.now())), indent=2)
        from web import certificates  # with all that pages are made of, which no other command here needs

        return certificates.write(db, desk.here, row, "print" if form == "print" else "html").encode()

    written = await desk.reads(read)
    if file is None:
        click.echo(written)
        return
    await asyncio.to_thread(file.write_bytes, written)
    say(str(file))


@click.command("verify", params=[data_option(), json_option()])
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option(
    "--ask", "asks", is_flag=True, help="If we never saw the key, ask its owner's server, then other studios."
)
@click.pass_context
def verify(ctx: click.Context, file: Path, asks: bool) -> None:
    """Check an endorsement in FILE without any network; exit status 1 unless it is valid.

    What this studio has seen of the one who gave it counts first; without a studio, what is in the file alone.
    """
    inner, judged = finish(_verify(data_folder(), file.read_bytes(), asks))
    said = {"verdict": judged.verdict, "reason": judged.reason, "endorsement": inner.json}
    if ctx.meta.get("boxroom.json"):
        print_document(said)
    else:
        say(f"{judged.verdict}: {judged.reason}")
    if not judged.verdict.startswith("valid"):
        ctx.exit(1)


endorsement.add_command(verify)


async def _verify(data: Path, body: bytes, asks: bool) -> tuple[Document, Judgement]:
    if not is_studio(data):
        if asks:
            raise Trouble("only a studio can ask others, and there is none in that folder: leave out --ask")
        return verdicts.verify_file(body, lambda _: None, now())
    async with opened(data) as (_, here):
        if asks:
            return await witnesses.verify(here, body)
        return await here.store.read(lambda db: verdicts.verify_here(db, body, here.now()))


@command("ask", endorsement, prints=True)
@click.argument("address")
@click.option("--skill", "skills", multiple=True, required=True, help="What they have seen of you; up to five times.")
@click.option("--work", metavar="URL", help="Where: the work, a project that you did together, what was agreed.")
@click.option("--text", default="", help="What you say to them, in Markdown.")
async def ask(desk: Desk, address: str, skills: tuple[str, ...], work: str | None, text: str) -> None:
    """Ask somebody to vouch for you. With other software than Boxroom they get it as a direct post.

    `boxroom delete URL` takes it back.
    """
    actor = await desk.somebody(address)
    uri = await desk.does(lambda tx: endorsement_requests.ask(tx, desk.me, actor.uri, skills, text, work).uri)
    desk.has_said(uri, f"You asked {person(actor)}.")


@command("requests", endorsement, prints=True)
@click.option("--mine", is_flag=True, help="What you asked of others, whatever became of it.")
async def show_requests(desk: Desk, mine: bool) -> None:
    """List who asks you to vouch for them, or whom you asked."""
    query = endorsement_requests.by(desk.me) if mine else endorsement_requests.waiting(desk.me)
    shapes = await desk.reads(lambda db: [_request(db, one) for one in db.scalars(query)])
    if desk.as_json:
        print_document(shapes)
        return
    who = "asked" if mine else "by"
    rows = [(one["state"], ", ".join(one["skills"]), one["address"] or one[who], one["uri"]) for one in shapes]
    print_table(("", "skill", who, "URL"), rows, "You asked nobody yet." if mine else "Nobody waits for an answer.")


@command("accept", endorsement)
@click.argument("url")
async def accept(desk: Desk, url: str) -> None:
    """Show an endorsement of you on your page."""
    await desk.does(lambda tx: endorsements.accept(tx, desk.me, url))
    desk.has_done("It is shown on your page.")


@command("decline", endorsement)
@click.argument("url")
@click.option("--reason", default="", help="Why you will not vouch for them, in words for them.")
async def decline(desk: Desk, url: str, reason: str) -> None:
    """Do not show an endorsement of you on your page, of which nobody is told; or refuse somebody who asks for one."""
    if await desk.reads(lambda db: endorsement_requests.find(db, url) is not None):
        await desk.does(lambda tx: endorsement_requests.decline(tx, desk.me, url, reason).uri)
        desk.has_done("Declined.")
        return
    await desk.does(lambda tx: endorsements.decline(tx, desk.me, url))
    desk.has_done("It is not shown.")


def _way(db: Session, way: Way | None) -> str | None:
    return paths.words(db, way) if way else None


def _shape(db: Session, row: Endorsement, judged: Judgement) -> Shape:
    said = Document(row.inner)
    return {
        "uri": row.uri,
        "of": row.subject,
        "by": row.endorser,
        "address": db.scalar(select(Actor.address).where(Actor.uri == row.endorser)),
        "skills": list(said.strings("skill")),
        "text": plain(said.text("content")),
        "verdict": judged.verdict,
        "reason": judged.reason,
        "display": row.display,
        "received": row.received,
    }


def _request(db: Session, row: EndorsementRequest) -> Shape:
    other = row.to if known.is_local(db, row.by) else row.by
    return {
        "uri": row.uri,
        "by": row.by,
        "asked": row.to,
        "address": db.scalar(select(Actor.address).where(Actor.uri == other)),
        "skills": row.skills,
        "text": plain(row.text),
        "work": row.work,
        "since": row.since,
        "state": row.state,
        "reason": row.reason,
        "answer": row.answer,
    }
