"""A project: a room that is on all its members' servers, and on nobody else's."""

from __future__ import annotations

import asyncio
from functools import partial

from sqlalchemy import select

from activitypub.statement import Role
from boxroom.demo.facts import kept, shown
from boxroom.demo.sights import Query, has, is_told, never_heard
from boxroom.demo.story import Story
from boxroom.demo.studio import Studio
from boxroom.demo.talking import says
from coop import accounts, invitations, projects
from coop.admission import Invitation
from federation.store import Transaction

NAME = "The Otter Ferry"
TEXT = "Signs, site and words for a small ferry with a big heart."


async def found(story: Story) -> None:
    ada, bo, gus, pia = story.stage.everyone
    pair = await asyncio.to_thread(accounts.new_keys)
    sentence = f"Pia founds a project, “{NAME}”"
    room = await story.act(pia, sentence, lambda tx: projects.create(tx, pia.me, NAME, TEXT, pair).uri)
    asked = {
        one: await story.act(pia, f"Pia asks {one} in", partial(invites, pia, room, one)) for one in (ada, bo, gus)
    }
    await story.see(*(kept(one, f"{one} has Pia's invitation", is_invited(uri)) for one, uri in asked.items()))

    for one in (ada, bo):
        await story.act(one, f"{one} comes in", partial(comes_in, one, asked[one]))
    declines = "Gus has nine lines to write, and declines"
    await story.act(gus, declines, lambda tx: invitations.decline(tx, gus.me, asked[gus]))
    members = "studio counts the same members: Pia, Ada and Bo"
    await story.see(
        kept(pia, "Pia was told that Ada and Bo came in", is_told("invitation accepted", ada, bo)),
        kept(pia, "Pia was told that Gus declined", is_told("invitation declined", gus)),
        *(kept(one, f"{one}'s {members}", members_are(room, pia, ada, bo)) for one in (pia, ada, bo)),
    )


async def use(story: Story) -> None:
    ada, bo, gus, pia = story.stage.everyone
    room = await room_of(pia)
    first = await says(story, ada, "Ada says in the room", "The site floats.", "project", project=room)
    await story.see(
        *(kept(one, f"{one} reads Ada's words in the room", has(first, "The site floats")) for one in (bo, pia)),
        shown(ada, "Bo, asking by name, is given Ada's words at their address", first, "floats", to=bo, signed=True),
        shown(ada, "A stranger is told that there is nothing there", first, to=gus, status=404),
        shown(ada, "Gus, asking by name, is told the same as the stranger", first, to=gus, status=404, signed=True),
    )
    second = await says(story, bo, "Bo answers there", "The sign is dry, too!", "project", reply_to=first, project=room)
    await story.see(
        *(kept(one, f"{one} reads Bo's answer in the room", has(second, "The sign is dry")) for one in (ada, pia)),
    )
    unheard = "Gus's studio has never heard what is said in the room"
    await story.see(kept(gus, unheard, lambda db: never_heard(first)(db) and never_heard(second)(db)))


async def room_of(who: Studio) -> str:
    """The one project that somebody is in."""
    return await who.reads(lambda db: db.scalars(projects.projects_of(who.me)).one().uri)


def members_are(room: str, *people: Studio) -> Query:
    return lambda db: set(db.scalars(projects.people(room))) == {one.me for one in people}


def is_invited(uri: str) -> Query:
    mine = (Invitation.uri == uri, Invitation.state == "open", Invitation.text.contains("Come aboard?"))
    return lambda db: db.scalar(select(Invitation.id).where(*mine))


def invites(by: Studio, room: str, who: Studio, tx: Transaction, role: Role = "member") -> str:
    return invitations.invite(tx, by.me, room, who.me, role, "Come aboard?").id


def comes_in(who: Studio, invitation: str, tx: Transaction) -> None:
    invitations.accept(tx, who.me, invitation)
