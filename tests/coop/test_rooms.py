"""What members say to each other reaches all of them, and nobody else, whatever a server claims."""

from __future__ import annotations

from typing import Any

import pytest

from activitypub.audience import PUBLIC
from activitypub.document import Document, Json
from coop import posts, projects
from coop.errors import NotAllowed, NotFound, Trouble
from coop.events import Notice
from coop.posts import Draft
from coop.statements import Membership
from federation.tables import Activity, Delivery, Object
from tests.coop.guild import Guild, guild_of, objects, received, sends
from tests.coop.notices import told
from tests.fediverse import Fediverse, Studio

__all__ = ["told"]  # a fixture

Told = list[tuple[str, Notice]]


def message(guild: Guild, author: Studio, to: Studio, number: int = 1, **terms: Any) -> Json:
    """A ``Create`` of a message that its author's server did not make."""
    uri, addressed = f"{author.home}/notes/{number}", {"to": [guild.uri, to.uri], "cc": []}
    note = {"id": uri, "type": "Note", "attributedTo": author.uri, "content": f"<p>{number}</p>", **addressed}
    room = {"audience": guild.uri, "context": guild.uri}
    create = {"id": f"{uri}/activity", "type": "Create", "actor": author.uri, **addressed, "context": guild.uri}
    return create | {"object": {**note, **room, **terms}}


async def capability_of(studio: Studio, member: str) -> str:
    return next(row.capability for row in await studio.knows(Membership) if row.member == member)


async def sent(studio: Studio, kind: str) -> list[Json]:
    return [Document.parse(row.body).json for row in await studio.knows(Activity) if row.type == kind]


@pytest.mark.proves("P-265")
async def test_members_talk_and_answer_each_other(fediverse: Fediverse, told: Told) -> None:
    guild, (bo, cy) = await guild_of(fediverse, "bo", "cy")

    first = await guild.post(bo, "First proofs tonight.")
    answer = await guild.post(cy, "At last!", reply_to=first)

    talk = ["<p>First proofs tonight.</p>", "<p>At last!</p>"]
    assert [await guild.talk(studio) for studio in (guild.ada, bo, cy)] == [talk] * 3
    assert {row.visibility for row in await objects(guild.ada, [first, answer])} == {"project"}
    assert (bo.home, Notice("reply", bo.uri, cy.uri, answer)) in told


@pytest.mark.proves("P-257", "P-265")
async def test_a_message_names_the_project_the_members_and_what_gave_its_author_the_right(fediverse: Fediverse) -> None:
    guild, (bo, cy) = await guild_of(fediverse, "bo", "cy")

    uri = await guild.post(bo, "First proofs tonight.")

    [create] = await sent(bo, "Create")
    joined = next(row for row in await guild.log(bo) if row.kind == "accept" and row.author == bo.uri)
    assert create["capability"] == joined.uri
    assert create["context"] == create["object"]["context"] == create["object"]["audience"] == guild.uri
    assert create["to"] == create["object"]["to"] == [guild.uri, guild.ada.uri, cy.uri]
    assert (create["object"]["id"], create["cc"], "proof" in create) == (uri, [], True)


@pytest.mark.proves("P-265", "P-267", "P-269")
async def test_a_message_goes_to_the_inboxes_of_members_alone(fediverse: Fediverse) -> None:
    guild, (bo, cy) = await guild_of(fediverse, "bo", "cy")
    mia = await fediverse.studio("mia")
    await mia.follows(bo)
    await bo.meets(mia)
    await fediverse.settle()

    await guild.post(bo, "Only for us, and not for @mia@mia.example.")

    [create] = [row for row in await bo.knows(Activity) if row.type == "Create"]
    inboxes = {row.inbox for row in await bo.knows(Delivery) if row.activity == create.id}
    assert inboxes == {f"{guild.ada.uri}/inbox", f"{cy.uri}/inbox"}
    assert await mia.knows(Object) == []


@pytest.mark.proves("P-265", "P-035", "P-318")
async def test_only_members_can_ask_for_a_message(fediverse: Fediverse) -> None:
    guild, (bo, cy) = await guild_of(fediverse, "bo", "cy")
    mal = await fediverse.studio("mal")

    uri = await guild.post(bo, "First proofs tonight.")

    answers = [await cy.gets(uri), await mal.gets(uri), await mal.gets(uri, signed=False)]
    assert [answer.status for answer in answers] == [200, 404, 404]
    missing = await mal.gets(f"{bo.home}/notes/0000000000000")
    assert answers[1].body == answers[2].body == missing.body
    assert [(await one.gets(f"{uri}/activity")).status for one in (cy, mal)] == [200, 404]


@pytest.mark.proves("P-265")
async def test_what_one_said_can_be_edited_and_taken_back(fediverse: Fediverse) -> None:
    guild, (bo, cy) = await guild_of(fediverse, "bo", "cy")
    first, second = await guild.post(bo, "First profs tonight."), await guild.post(bo, "Nonsense.")
    fediverse.later(minutes=1)

    await bo.does(lambda tx: posts.edit(tx, bo.uri, first, "First proofs tonight."))
    await bo.does(lambda tx: posts.delete(tx, bo.uri, second))
    await fediverse.settle()

    for studio in (guild.ada, bo, cy):
        assert await guild.talk(studio) == ["<p>First proofs tonight.</p>"]
    [update] = await sent(bo, "Update")
    assert update["capability"] == await capability_of(bo, bo.uri)


@pytest.mark.proves("P-265", "P-333")
async def test_what_a_removed_member_says_is_refused_whatever_their_server_claims(fediverse: Fediverse) -> None:
    guild, (bo, cy) = await guild_of(fediverse, "bo", "cy")
    uri, capability = await guild.post(bo, "Before."), await capability_of(bo, bo.uri)
    await guild.ada.does(lambda tx: projects.remove(tx, guild.ada.uri, guild.uri, bo.uri))
    await fediverse.settle()
    fediverse.later(minutes=1)

    await sends(bo, cy, message(guild, bo, cy) | {"capability": capability})
    edit = message(guild, bo, cy, id=uri, content="Hacked.", updated="2026-03-02T09:00:30Z")
    await sends(bo, cy, edit | {"id": f"{bo.home}/activities/2", "type": "Update"})

    assert [state for state, _ in await received(cy, "Create")] == ["done", "refused"]
    assert [state for state, _ in await received(cy, "Update")] == ["refused"]
    assert await guild.talk(cy) == ["<p>Before.</p>"]
    with pytest.raises(NotAllowed):
        await bo.does(lambda tx: posts.edit(tx, bo.uri, uri, "Something else."))
    with pytest.raises(NotAllowed):
        await guild.post(bo, "After.")


@pytest.mark.proves("P-265")
async def test_nobody_outside_writes_into_a_room(fediverse: Fediverse) -> None:
    guild, (bo,) = await guild_of(fediverse, "bo")
    mal = await fediverse.studio("mal")

    await sends(mal, bo, message(guild, mal, bo))

    [(state, reason)] = await received(bo, "Create")
    assert (state, reason) == ("refused", f"{mal.uri} may not write in {guild.uri}")
    with pytest.raises(NotFound):
        await mal.does(lambda tx: posts.publish(tx, mal.uri, Draft("Hello?", "project", project=guild.uri)))


@pytest.mark.proves("P-265")
@pytest.mark.parametrize("terms", [{"context": "https://bo.example/notes/9"}, {"audience": "https://cy.example/x"}])
async def test_what_is_half_for_a_room_is_for_nobody(fediverse: Fediverse, terms: Json) -> None:
    guild, (bo, cy) = await guild_of(fediverse, "bo", "cy")

    await sends(bo, cy, message(guild, bo, cy, **terms))

    assert [state for state, _ in await received(cy, "Create")] == ["refused"]
    assert await cy.knows(Object) == []


@pytest.mark.proves("P-265")
async def test_what_is_public_is_no_message_of_a_room(fediverse: Fediverse) -> None:
    guild, (bo, cy) = await guild_of(fediverse, "bo", "cy")

    open_to_all = message(guild, bo, cy)
    open_to_all["object"]["to"] = [PUBLIC, cy.uri]
    await sends(bo, cy, open_to_all)

    assert await guild.talk(cy) == []
    assert [row.visibility for row in await cy.knows(Object)] == ["public"]


@pytest.mark.proves("P-257")
async def test_a_message_waits_for_the_statement_that_lets_its_author_write(fediverse: Fediverse) -> None:
    guild, (bo, cy) = await guild_of(fediverse, "bo", "cy")
    ada = guild.ada
    await ada.does(lambda tx: projects.give_role(tx, ada.uri, guild.uri, bo.uri, "guest"))
    await fediverse.settle()
    fediverse.asleep.add(cy.host)
    await ada.does(lambda tx: projects.give_role(tx, ada.uri, guild.uri, bo.uri, "member"))
    await fediverse.settle()
    await guild.post(bo, "I may again.")
    fediverse.asleep = {ada.host}
    fediverse.later(hours=1)
    await fediverse.settle()
    early = await guild.talk(cy)
    fediverse.asleep.clear()
    for _ in range(4):
        fediverse.later(hours=1)
        await fediverse.settle()

    assert early == []
    assert await guild.talk(cy) == ["<p>I may again.</p>"]


@pytest.mark.proves("P-257")
async def test_a_capability_is_no_authority(fediverse: Fediverse) -> None:
    guild, (bo, cy) = await guild_of(fediverse, "bo", "cy")
    mal = await fediverse.studio("mal")

    await sends(mal, cy, message(guild, mal, cy) | {"capability": await capability_of(bo, bo.uri)})
    await sends(bo, cy, message(guild, bo, cy) | {"capability": await capability_of(bo, guild.ada.uri)})

    assert [state for state, _ in await received(cy, "Create")] == ["refused", "done"]
    assert await guild.talk(cy) == ["<p>1</p>"]


async def test_a_draft_for_a_room_is_for_its_members_or_for_everybody(fediverse: Fediverse) -> None:
    guild, (bo,) = await guild_of(fediverse, "bo")

    with pytest.raises(Trouble):
        await bo.does(lambda tx: posts.publish(tx, bo.uri, Draft("Hm.", "followers", project=guild.uri)))
    with pytest.raises(NotFound):
        await bo.does(lambda tx: posts.publish(tx, bo.uri, Draft("Hm.", "project")))


@pytest.mark.proves("P-231")
async def test_an_answer_in_a_room_stays_in_it(fediverse: Fediverse) -> None:
    guild, (bo, cy) = await guild_of(fediverse, "bo", "cy")
    first = await guild.post(bo, "First proofs tonight.")

    answer = await cy.does(lambda tx: posts.publish(tx, cy.uri, Draft("Great!", "public", reply_to=first)).uri)
    await fediverse.settle()

    [row] = await objects(guild.ada, [answer])
    assert (row.visibility, row.conversation) == ("project", guild.uri)
    assert [one.uri for one in await objects(bo, [answer])] == [answer]
