"""Commands about projects: rooms that people on several servers share."""

from __future__ import annotations

from datetime import timedelta

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from activitypub.html import plain
from activitypub.statement import Role, Statement
from boxroom.cli import data_option
from boxroom.cli.desk import Desk, command
from boxroom.cli.printing import print_document, print_table, say
from boxroom.cli.shapes import Shape, object_shape, person
from coop import accounts, faces, invitations, joining, keepsakes, posts, projects, vouchers
from coop.admission import Invitation
from coop.errors import NotFound, Trouble
from coop.posts import Draft
from coop.projects import View
from coop.statements import Project
from federation.tables import Actor

project = click.Group("project", params=[data_option()], help="Share a room with people on other servers.")
ROLES = click.Choice(["member", "lead", "usher", "guest"])
P = click.argument("which", metavar="P")  # a project's URL, or its name among one's own


@command("create", project, prints=True)
@click.option("--name", required=True)
@click.option("--text", default="", help="What it is about, in Markdown.")
@click.option("--public", is_flag=True, help="Let visitors see who is in it.")
async def create(desk: Desk, name: str, text: str, public: bool) -> None:
    """Found a project, with you as its first lead."""
    pair = accounts.new_keys()
    uri = await desk.does(lambda tx: projects.create(tx, desk.me, name, text, pair, public=public).uri)
    desk.has_said(uri, "Founded. Ask somebody in with `boxroom project invite`.")


@command("list", project, prints=True)
async def show_all(desk: Desk) -> None:
    """List your projects, those that you were in, what you are invited to, and who asks to join what you lead."""

    def read(db: Session) -> dict[str, list[Shape]]:
        mine = db.scalars(projects.projects_of(desk.me)).all()
        led = [one for one in mine if projects.role_of(db, one.uri, desk.me) == "lead"]
        return {
            "projects": [_project(db, one, desk.me) for one in mine],
            "kept": [_project(db, one, desk.me) for one in db.scalars(keepsakes.kept_by(desk.me))],
            "invitations": [
                _invitation(db, one) for one in db.scalars(invitations.invitations_for(desk.me, desk.here.now()))
            ],
            "requests": [request for one in led for request in _requests(db, _view(db, desk, one.uri))],
        }

    shape = await desk.reads(read)
    if desk.as_json:
        print_document(shape)
        return
    rows = [(one["name"], one["role"], one["members"], one["uri"]) for one in shape["projects"]]
    print_table(("name", "you are", "people", "URL"), rows, "No project yet. Found one with: boxroom project create")
    for one in shape["kept"]:
        say(f"{one['name']} ({one['uri']}): you were in it until {one['until']:%Y-%m-%d}")
    for one in shape["invitations"]:
        say(f"{one['address'] or one['by']} invites you as {one['role']}: {one['text']}")
        say(f"boxroom project accept {one['uri']}", indent=4)
    _print_requests(shape["requests"])


@command("show", project, prints=True)
@P
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="How many posts.")
async def show(desk: Desk, which: str, limit: int) -> None:
    """Show who is in a project, who is invited or asks to join, and what was said last.

    A project that you were in is shown as it was when you left it.
    """
    uri = await which_project(desk, which, kept=True)

    def read(db: Session) -> Shape:
        view = _view(db, desk, uri)
        people = [{"uri": one.uri, "address": _address(db, one.uri), "role": one.role} for one in view.members]
        return {
            **_project(db, view.project, desk.me),
            "people": people,
            "invited": [_waiting(db, one) for one in view.invitations],
            "requests": _requests(db, view),
            "unconfirmed": list(db.scalars(vouchers.unconfirmed(uri))),
            "talk": [object_shape(db, one) for one in db.scalars(projects.talk(uri, view.kept).limit(limit))],
        }

    shape = await desk.reads(read)
    if desk.as_json:
        print_document(shape)
        return
    say(f"{shape['name']} ({shape['uri']}): {shape['text']}")
    if shape["face"] != shape["uri"]:
        say(f"others follow it as {shape['face']}")
    if shape["until"]:
        say(f"you were in it until {shape['until']:%Y-%m-%d %H:%M}, and this is what you had of it then")
    rows = [(one["address"] or one["uri"], one["role"]) for one in shape["people"]]
    rows += [(one["address"] or one["uri"], f"invited as {one['role']}") for one in shape["invited"]]
    print_table(("who", ""), rows, "")
    _print_requests(shape["requests"])
    for owner in shape["unconfirmed"]:
        say(f"{owner} could not be asked: what they said here is checked with a key that members vouch for")
    for one in reversed(shape["talk"]):
        say(f"{one['address'] or one['author']}, {one['published']:%Y-%m-%d %H:%M}: {one['text']}")


@command("invite", project, prints=True)
@P
@click.argument("address")
@click.option("--role", type=ROLES, default="member", show_default=True)
@click.option("--text", default="", help="What you say to them, in Markdown.")
@click.option("--days", type=click.IntRange(1, 365), default=30, show_default=True, help="How long they may accept.")
async def invite(desk: Desk, which: str, address: str, role: Role, text: str, days: int) -> None:
    """Ask somebody into a project that you lead, or in which a lead has made you an usher."""
    uri, actor = await which_project(desk, which), await desk.somebody(address)
    terms = (role, text, timedelta(days=days))
    invitation = await desk.does(lambda tx: invitations.invite(tx, desk.me, uri, actor.uri, *terms).id)
    desk.has_said(invitation, f"Invited {person(actor)}.")


@command("role", project)
@P
@click.argument("address")
@click.argument("role", type=ROLES)
async def give_role(desk: Desk, which: str, address: str, role: Role) -> None:
    """Make somebody in a project that you lead a lead, an usher, a member or a guest.

    Leads decide who is in it. An usher is a member who may invite members and guests. A guest reads.
    """
    uri, actor = await which_project(desk, which), await desk.somebody(address)
    await desk.does(lambda tx: projects.give_role(tx, desk.me, uri, actor.uri, role))
    desk.has_done(f"{person(actor)} is {role} now.")


@command("edit", project)
@P
@click.option("--name")
@click.option("--text", help="What it is about, in Markdown.")
@click.option("--public/--private", default=None, help="Whether visitors see who is in it.")
async def edit(desk: Desk, which: str, name: str | None, text: str | None, public: bool | None) -> None:
    """Change what a project that you lead says of itself."""
    if name is None and text is None and public is None:
        raise Trouble("say what to change: --name, --text, --public or --private")
    uri = await which_project(desk, which)
    await desk.does(lambda tx: projects.edit(tx, desk.me, uri, name, text, public=public))
    desk.has_done("Changed.")


@command("move", project, prints=True)
@P
async def move(desk: Desk, which: str) -> None:
    """Have the public face of a project that you lead on this server: what can be followed, and boosts its posts.

    Its followers are sent here by the server that had it, as soon as that one can be reached.
    """
    uri, pair = await which_project(desk, which), accounts.new_keys()
    face = await desk.does(lambda tx: faces.move(tx, desk.me, uri, pair))
    desk.has_said(face, "It is followed here from now on.")


@command("join", project, prints=True)
@click.argument("address")
async def join(desk: Desk, address: str) -> None:
    """Ask those who lead a project to let you in. Their yes is an invitation, which `boxroom project list` shows."""
    actor = await desk.somebody(address)
    uri = await desk.does(lambda tx: joining.ask(tx, desk.me, actor.uri))
    desk.has_said(uri, f"Asked to be let into {person(actor)}.")


@command("accept", project)
@click.argument("waiting", metavar="INVITATION|REQUEST")
async def accept(desk: Desk, waiting: str) -> None:
    """Join a project that you are invited to, or invite as a member who asks to join what you lead.

    `boxroom project list` shows both.
    """
    if place := await _asked(desk, waiting):
        await desk.does(lambda tx: joining.accept(tx, desk.me, place, waiting).id)
        desk.has_done("Invited. They are in once they accept.")
        return
    await desk.does(lambda tx: invitations.accept(tx, desk.me, waiting))
    desk.has_done("You are in.")


@command("decline", project)
@click.argument("waiting", metavar="INVITATION|REQUEST")
@click.option("--reason", default="", help="A word to who invites you, as a direct post.")
async def decline(desk: Desk, waiting: str, reason: str) -> None:
    """Say no to an invitation, or to somebody who asks to join what you lead."""
    if place := await _asked(desk, waiting):
        await desk.does(lambda tx: joining.decline(tx, desk.me, place, waiting))
    else:
        await desk.does(lambda tx: invitations.decline(tx, desk.me, waiting, reason))
    desk.has_done("Declined.")


@command("post", project, prints=True)
@P
@click.argument("text")
@click.option("--reply-to", metavar="URL", help="The post in the room that this answers.")
@click.option("--public", is_flag=True, help="Say it to everybody, in the project's name.")
async def speak(desk: Desk, which: str, text: str, reply_to: str | None, public: bool) -> None:
    """Say something to everybody in a project, and to nobody else."""
    uri = await which_project(desk, which)
    parent = await desk.something(reply_to) if reply_to else None
    draft = Draft(text, "public" if public else "project", reply_to=parent.uri if parent else None, project=uri)
    desk.has_said(await desk.does(lambda tx: posts.publish(tx, desk.me, draft).uri), "Said.")


@command("leave", project)
@P
async def leave(desk: Desk, which: str) -> None:
    """Be in a project no longer. What you had of it you can still read with `boxroom project show`."""
    uri = await which_project(desk, which)
    await desk.does(lambda tx: projects.leave(tx, desk.me, uri))
    desk.has_done("You left.")


@command("remove", project)
@P
@click.argument("address")
async def remove(desk: Desk, which: str, address: str) -> None:
    """Take somebody out of a project that you lead, or an invitation back."""
    uri, actor = await which_project(desk, which), await desk.somebody(address)
    waiting = await desk.reads(lambda db: _open_invitation(db, desk, uri, actor.uri))
    if waiting:
        await desk.does(lambda tx: invitations.withdraw(tx, desk.me, uri, waiting))
    else:
        await desk.does(lambda tx: projects.remove(tx, desk.me, uri, actor.uri))
    desk.has_done(f"{person(actor)} is not in it any more.")


async def which_project(desk: Desk, text: str, *, kept: bool = False) -> str:
    """The URI of a project of ours, or one we kept. Raise `NotFound`, or `Trouble` if several are called `text`."""
    mine = await desk.reads(lambda db: list(db.scalars(projects.projects_of(desk.me))))
    mine += await desk.reads(lambda db: list(db.scalars(keepsakes.kept_by(desk.me)))) if kept else []
    found = [one.uri for one in mine if text == one.uri or text.casefold() == one.name.casefold()]
    if len(found) > 1:
        raise Trouble(f"several projects are called {text}; name one by its URL: {' '.join(found)}")
    if not found:
        raise NotFound(f"you are in no project called {text}; `boxroom project list` shows yours")
    return found[0]


async def _asked(desk: Desk, waiting: str) -> str | None:
    """The project that somebody asks to join by `waiting`; None for an invitation.

    Raise `NotFound` for what is neither.
    """
    place = await desk.reads(lambda db: joining.project_asked(db, waiting))
    if place is None and await desk.reads(lambda db: invitations.find(db, waiting)) is None:
        raise NotFound(f"{waiting} waits for no answer of yours; `boxroom project list` shows what does")
    return place


def _view(db: Session, desk: Desk, project: str) -> View:
    return projects.show(db, project, desk.me, desk.here.now())


def _open_invitation(db: Session, desk: Desk, project: str, invitee: str) -> str | None:
    open_ones = _view(db, desk, project).invitations
    return next((one.id for one in open_ones if one.subject == invitee), None)


def _project(db: Session, row: Project, me: str) -> Shape:
    kept = keepsakes.of(db, row.uri, me)
    return {
        "uri": row.uri,
        "name": row.name,
        "text": plain(row.summary),
        "role": projects.role_of(db, row.uri, me),
        "members": len(db.scalars(projects.people(row.uri)).all()),
        "since": row.since,
        "until": kept.since if kept else None,
        "face": row.face,
    }


def _invitation(db: Session, row: Invitation) -> Shape:
    return {
        "uri": row.uri,
        "project": row.project,
        "by": row.inviter,
        "address": _address(db, row.inviter),
        "role": row.role,
        "text": plain(row.text),
        "until": row.until,
    }


def _waiting(db: Session, one: Statement) -> Shape:
    uri = one.subject or ""
    return {"uri": uri, "address": _address(db, uri), "role": one.role, "invitation": one.id, "until": one.until}


def _requests(db: Session, view: View) -> list[Shape]:
    place = {"project": view.project.uri, "name": view.project.name}
    return [
        {"uri": one.id, **place, "by": one.author, "address": _address(db, one.author), "published": one.published}
        for one in view.requests
    ]


def _print_requests(requests: list[Shape]) -> None:
    for one in requests:
        say(f"{one['address'] or one['by']} asks to be let into {one['name']}")
        say(f"boxroom project accept {one['uri']}", indent=4)


def _address(db: Session, uri: str) -> str | None:
    return db.scalar(select(Actor.address).where(Actor.uri == uri))
