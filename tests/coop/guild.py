"""Studios that have a project together, and what its tests ask of them again and again."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from activitypub import context, proof
from activitypub.document import Document, Json
from activitypub.statement import Role, Writer
from coop import invitations, posts, projects, statements
from coop.admission import Invitation
from coop.posts import Draft
from coop.statements import Entry, Project
from federation.instance import own_proof_key
from federation.tables import Object, Receipt
from tests.fediverse import Fediverse, Studio, key_pair

PAIR = 9  # which of the shared key pairs a project has


@dataclass
class Guild:
    """One project and the studios around it; `ada` founded it."""

    fediverse: Fediverse
    ada: Studio
    uri: str

    async def invite(self, studio: Studio, role: Role = "member", by: Studio | None = None) -> str:
        """Invite `studio`; return the id of the invitation."""
        by = by or self.ada
        await by.meets(studio)
        uri = await by.does(lambda tx: invitations.invite(tx, by.uri, self.uri, studio.uri, role, "Join us?").id)
        await self.fediverse.settle()
        return uri

    async def join(self, studio: Studio, role: Role = "member", by: Studio | None = None) -> None:
        uri = await self.invite(studio, role, by)
        await studio.does(lambda tx: invitations.accept(tx, studio.uri, uri))
        await self.fediverse.settle()

    async def post(self, studio: Studio, text: str, reply_to: str | None = None) -> str:
        draft = Draft(text, "project", reply_to=reply_to, project=self.uri)
        uri = await studio.does(lambda tx: posts.publish(tx, studio.uri, draft).uri)
        await self.fediverse.settle()
        return uri

    async def roles(self, studio: Studio) -> dict[str, Role]:
        """Who is in the project, as `studio` derives it; by host name."""
        room = await studio.instance.store.read(lambda db: statements.room_of(db, statements.at(db, self.uri)))
        return {_name(uri): member.role for uri, member in room.members.items()}

    async def remembered(self, studio: Studio) -> dict[str, Role]:
        """The same as it is kept for queries."""
        return {_name(row.member): row.role for row in await studio.knows(statements.Membership)}

    async def talk(self, studio: Studio) -> list[str]:
        """What was said in the project and is known to `studio`, oldest first."""
        rows = await studio.instance.store.read(lambda db: db.scalars(projects.talk(self.uri)).all())
        return [Document(row.document).text("content") for row in reversed(rows)]

    async def log(self, studio: Studio) -> list[Entry]:
        return await studio.knows(Entry)


async def found(fediverse: Fediverse, name: str = "Catalogue", **settings: Any) -> Guild:
    """Ada's project, with nobody else in it."""
    ada = await fediverse.studio("ada")
    pair = key_pair(PAIR)
    uri = await ada.does(lambda tx: projects.create(tx, ada.uri, name, "200 pages by *spring*.", pair, **settings).uri)
    return Guild(fediverse, ada, uri)


async def guild_of(fediverse: Fediverse, *names: str) -> tuple[Guild, list[Studio]]:
    """Ada's project with members of these names, and their studios."""
    guild = await found(fediverse)
    members = [await fediverse.studio(name) for name in names]
    for member in members:
        await guild.join(member)
    return guild, members


async def received(studio: Studio, kind: str) -> list[tuple[str, str | None]]:
    """What became of the activities of one kind that reached `studio`: the state, and the reason of a refusal."""
    return [(one.state, one.error) for one in await studio.knows(Receipt) if one.type == kind]


async def writer(studio: Studio, project: str, author: str | None = None) -> Writer:
    """What `author`, who is the owner of `studio` unless said otherwise, would say now, as far as `studio` knows."""

    def write(db: Session) -> Writer:
        place = statements.at(db, project)
        room = statements.room_of(db, place)
        return Writer(
            author or studio.uri, project, place.members, room.heads, tuple(room.members), studio.instance.now()
        )

    return await studio.instance.store.read(write)


async def proven(studio: Studio, activity: Json, key_id: str | None = None) -> Json:
    """`activity` with a proof by the key of `studio`, whoever its actor is, and without any effect there."""
    own_id, key = await studio.instance.store.read(lambda db: own_proof_key(db, studio.uri))
    return proof.sign({"@context": context.STATEMENT, **activity}, key_id or own_id, key, studio.instance.now())


async def sends(sender: Studio, to: Studio, activity: Json) -> None:
    """Send what we made up to somebody's own inbox, and let it take effect."""
    answer = await sender.sends(f"{to.uri}/inbox", activity)
    assert answer.status == 202
    await sender.fediverse.settle()


async def passes_on(sender: Studio, to: Studio, statement: Json) -> None:
    """Send a statement embedded in an ``Add``, as any member may."""
    made_up = f"{sender.home}/activities/{secrets.token_hex(8)}"
    target = f"{statement['context']}/log"
    add = {"id": made_up, "type": "Add", "actor": sender.uri, "to": [to.uri], "object": statement, "target": target}
    await sends(sender, to, {"@context": context.ACTIVITY, **add})


async def project(studio: Studio) -> Project:
    [found] = await studio.knows(Project)
    return found


async def invited(studio: Studio) -> list[Invitation]:
    return await studio.knows(Invitation)


async def objects(studio: Studio, uris: Iterable[str]) -> list[Object]:
    wanted = list(uris)
    return await studio.instance.store.read(lambda db: list(db.scalars(select(Object).where(Object.uri.in_(wanted)))))


def _name(uri: str) -> str:
    return uri.partition("://")[2].partition(".")[0]
