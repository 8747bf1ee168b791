"""Access to what a forge keeps, in its own words: invited, approved, accepted, granted, used, revoked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from activitypub.document import Json, timestamp
from coop import blocks, invitations, posts
from coop.admission import Invitation
from coop.grants import Grant
from coop.posts import Draft
from federation import discovery
from federation.tables import Activity, Object, Receipt
from tests.coop.neighbours import all_of, does, has, says
from tests.federation.stranger import Stranger
from tests.fediverse import Fediverse, Studio

FORGE = "https://forgefed.org/ns#"
PLACES = pytest.mark.parametrize("place", ["", "/collaborators", "/members"])


@dataclass
class Forge:
    """A forge with a repository, whose people are elsewhere; Aviva may ask somebody in, Bo is asked."""

    server: Stranger
    repository: str
    aviva: str
    bo: Studio

    async def tells(self, kind: str, object: Any, by: str = "", **more: Any) -> str:
        """Let the repository, or somebody else there, say something to Bo; return its id."""
        activity = self.server.activity(kind, by or self.repository, object, **more)
        answer = await self.server.sends(self.bo, activity)
        assert answer.status_code == 202, answer.text
        await self.bo.fediverse.settle()
        return str(activity["id"])

    async def invites(self, place: str = "") -> str:
        return await self.tells(
            "Invite", self.bo.uri, self.aviva, target=f"{self.repository}{place}", instrument="write"
        )

    async def grants(self, invite: str, **changed: Any) -> str:
        terms = {"context": self.repository, "target": self.bo.uri, "fulfills": invite, "allows": "invoke"}
        return await self.tells("Grant", f"{FORGE}write", **{**terms, **changed})

    @property
    def heard(self) -> list[tuple[str, str, Any]]:
        """Inbox, type and object of all that came to it."""
        came = [
            one for one in self.server.fediverse.requests if one.method == "POST" and one.url.host == "forge.example"
        ]
        read = [(one.url.path, msgspec.json.decode(one.content)) for one in came]
        return [(path, one["type"], one["object"]) for path, one in read]

    async def capability(self, **how: Any) -> str | None:
        """What a post of Bo's that names the repository says of the right to it."""
        fixed = await says(self.bo, "It builds again, @tree@forge.example!", **how)
        create: Json = msgspec.json.decode((await activity(self.bo, f"{fixed.uri}/activity")).body)
        return create.get("capability")


async def activity(studio: Studio, uri: str) -> Activity:
    [found] = await all_of(studio, select(Activity).where(Activity.uri == uri))
    return found


async def forge_of(fediverse: Fediverse) -> Forge:
    server = Stranger(fediverse, "forge.example")
    repository = server.actor("tree", "Repository", collaborators=f"{server.home}/tree/collaborators")
    server.documents["/tree"] |= {"members": {"id": f"{repository}/members", "type": "Collection"}}  # type: ignore[operator]
    link = {"rel": "self", "type": "application/activity+json", "href": repository}
    server.documents["/.well-known/webfinger"] = {"subject": "acct:tree@forge.example", "links": [link]}
    bo = await fediverse.studio("bo")
    await discovery.lookup(bo.instance, "tree@forge.example")
    return Forge(server, repository, server.actor("aviva"), bo)


async def accepted(forge: Forge) -> str:
    invite = await forge.invites()
    await does(forge.bo, invitations.accept, invite)
    return invite


async def refusals(studio: Studio) -> list[str | None]:
    return [one.error for one in await studio.knows(Receipt) if one.state == "refused"]


@pytest.mark.proves("P-256", "P-257")
async def test_what_a_repository_grants_is_named_in_what_is_sent_to_it_until_it_is_revoked(
    fediverse: Fediverse,
) -> None:
    forge, shop = await forge_of(fediverse), await fediverse.studio("shop")
    await shop.follows(forge.bo)
    invite = await forge.invites("/collaborators")
    await forge.tells("Accept", invite)
    before = await forge.capability()

    await does(forge.bo, invitations.accept, invite)
    grant = await forge.grants(invite)
    granted = await forge.capability()
    said = await has(shop, (await forge.bo.knows(Object))[-1].uri)
    await forge.tells("Revoke", grant)
    revoked = await forge.capability()

    assert ("/tree/inbox", "Accept", invite) in forge.heard
    assert ("/aviva/inbox", "Accept", invite) in forge.heard
    assert (before, granted, revoked) == (None, grant, None)
    assert said is not None  # others check its proof, under a context with one term more
    assert await forge.bo.knows(Grant) == []


@pytest.mark.proves("P-256")
@PLACES
@pytest.mark.parametrize("order", ["approved, answered", "answered, approved"])
async def test_a_resource_hears_of_the_answer_whenever_it_lets_itself_be_known(
    fediverse: Fediverse, place: str, order: str
) -> None:
    server, bo = Stranger(fediverse, "forge.example"), await fediverse.studio("bo")
    people = {name: f"{server.home}/tree/{name}" for name in ("collaborators", "members")}
    forge = Forge(server, server.actor("tree", "TicketTracker", **people), server.actor("aviva"), bo)
    invite = await forge.invites(place)

    for step in order.split(", "):
        if step == "approved":
            await forge.tells("Accept", {"id": invite, "type": "Invite", "actor": forge.aviva, "object": bo.uri})
        else:
            await does(bo, invitations.accept, invite)
    await forge.grants(invite)

    assert forge.heard.count(("/tree/inbox", "Accept", invite)) == 1
    assert [(one.resource, one.holder) for one in await bo.knows(Grant)] == [(forge.repository, bo.uri)]
    assert [(one.project, one.role) for one in await bo.knows(Invitation)] == [(forge.repository, "member")]


@pytest.mark.proves("P-256")
async def test_a_grant_holds_from_its_beginning_until_before_its_end(fediverse: Fediverse) -> None:
    forge = await forge_of(fediverse)
    begin, end = fediverse.now + timedelta(days=1), fediverse.now + timedelta(days=3)
    times = {"startTime": timestamp(begin), "endTime": timestamp(end)}
    grant = await forge.grants(await accepted(forge), **times)

    found = []
    for moment in (begin - timedelta(seconds=1), begin, end - timedelta(seconds=1), end):
        fediverse.now = moment
        found.append(await forge.capability())

    assert found == [None, grant, grant, None]


@pytest.mark.proves("P-256", "P-327")
async def test_of_many_grants_the_last_is_kept(fediverse: Fediverse) -> None:
    forge = await forge_of(fediverse)
    invite = await accepted(forge)

    first, *_, last = [await forge.grants(invite) for _ in range(5)]
    await forge.tells("Revoke", first)

    assert [one.uri for one in await forge.bo.knows(Grant)] == [last]


@pytest.mark.proves("P-256")
@pytest.mark.parametrize(
    "changed",
    [
        {"context": "https://forge.example/other"},
        {"context": ["https://forge.example/tree", "https://forge.example/other"]},
        {"target": "https://forge.example/aviva"},
        {"target": ["BO", "https://forge.example/aviva"]},
        {"target": "https://bo.example/actor"},
        {"target": None},
        {"fulfills": "https://forge.example/aviva/did/none"},
        {"fulfills": "\u202e"},
        {"fulfills": None},
        {"allows": "distribute"},
        {"allows": ["invoke", "gatherAndConvey"]},
        {"allows": None},
        {"object": f"{FORGE}delegate"},
        {"object": []},
        {"delegates": "https://forge.example/team/grants/1"},
        {"startTime": "soon"},
        {"endTime": "late"},
        {"endTime": "2026-03-02T09:00:00Z"},
        {"actor": "https://forge.example/other"},
    ],
)
async def test_a_grant_of_something_else_is_none(fediverse: Fediverse, changed: Json) -> None:
    forge = await forge_of(fediverse)
    forge.server.actor("other", "Repository")
    invite = await accepted(forge)
    grant = forge.server.activity("Grant", forge.repository, "write", context=forge.repository, allows=["forge:invoke"])
    grant |= {"target": forge.bo.uri, "fulfills": invite} | msgspec.json.decode(
        msgspec.json.encode(changed).replace(b"BO", forge.bo.uri.encode())
    )

    await forge.server.sends(forge.bo, grant | {"id": f"{grant['actor']}/grants/1"})
    await fediverse.settle()

    assert await forge.bo.knows(Grant) == []
    assert len(await refusals(forge.bo)) == 1


@pytest.mark.proves("P-256", "P-327")
@pytest.mark.parametrize("answer", ["none", "no"])
async def test_nobody_is_given_what_they_did_not_accept(fediverse: Fediverse, answer: str) -> None:
    forge = await forge_of(fediverse)
    invite = await forge.invites()
    if answer == "no":
        await does(forge.bo, invitations.decline, invite)

    await forge.grants(invite)

    assert await forge.bo.knows(Grant) == []


@pytest.mark.proves("P-256")
async def test_what_others_are_invited_to_is_not_theirs_who_say_so(fediverse: Fediverse) -> None:
    forge, spam = await forge_of(fediverse), Stranger(fediverse, "spam.example")
    place = f"{forge.repository}/collaborators"
    mal = spam.actor("mal", "Repository", collaborators=place)
    invite = await forge.invites("/collaborators")
    await does(forge.bo, invitations.accept, invite)

    await spam.sends(forge.bo, spam.activity("Accept", mal, invite))
    terms = {"context": mal, "target": forge.bo.uri, "fulfills": invite, "allows": "invoke"}
    await spam.sends(forge.bo, spam.activity("Grant", mal, "write", **terms))
    await fediverse.settle()

    assert await forge.bo.knows(Grant) == []
    assert [one.project for one in await forge.bo.knows(Invitation)] == [place]
    assert spam.received == []


@pytest.mark.proves("P-256")
async def test_only_who_granted_it_revokes_it(fediverse: Fediverse) -> None:
    forge = await forge_of(fediverse)
    grant = await forge.grants(await accepted(forge))

    await forge.tells("Revoke", grant, forge.aviva)
    kept = await forge.capability()
    await forge.tells("Revoke", ["https://forge.example/tree/none", {"id": grant, "type": "Grant"}, grant, "\u202e"])

    assert (kept, await forge.capability()) == (grant, None)


@pytest.mark.proves("P-256", "P-121")
async def test_a_grant_that_comes_after_its_revocation_is_none(fediverse: Fediverse) -> None:
    forge = await forge_of(fediverse)
    invite = await accepted(forge)
    terms = {"context": forge.repository, "target": forge.bo.uri, "fulfills": invite, "allows": "invoke"}
    grant = forge.server.activity("Grant", forge.repository, "write", **terms) | {"id": f"{forge.repository}/grants/1"}

    await forge.tells("Revoke", grant["id"])
    await forge.server.sends(forge.bo, grant)
    await fediverse.settle()

    assert await forge.bo.knows(Grant) == []


@pytest.mark.proves("P-256", "P-124")
async def test_a_grant_ends_with_all_else_between_two(fediverse: Fediverse) -> None:
    forge = await forge_of(fediverse)
    invite = await accepted(forge)
    await forge.grants(invite)

    await does(forge.bo, blocks.block, forge.repository)
    blocked = await forge.bo.knows(Grant)
    await forge.grants(invite)
    still = await forge.bo.knows(Grant)
    await does(forge.bo, blocks.unblock, forge.repository)
    await forge.grants(invite)
    again = len(await forge.bo.knows(Grant))
    await forge.tells("Delete", forge.repository)

    assert (blocked, still, again, await forge.bo.knows(Grant)) == ([], [], 1, [])


@pytest.mark.proves("P-257")
async def test_whoever_else_is_named_is_told_of_no_right(fediverse: Fediverse) -> None:
    forge, shop = await forge_of(fediverse), await fediverse.studio("shop")
    await forge.grants(await accepted(forge))
    await forge.bo.meets(shop)

    said = await forge.bo.does(lambda tx: posts.publish(tx, forge.bo.uri, Draft("Tea, @shop@shop.example?")))

    assert b"capability" not in (await activity(forge.bo, f"{said.uri}/activity")).body
