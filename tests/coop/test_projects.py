"""Projects between real servers: who is in them, and what becomes of that when somebody goes, sleeps or cheats."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from activitypub.document import Document
from activitypub.proof import hash_of
from coop import access, departures, finds, follows, invitations, posts, projects
from coop.errors import Conflict, NotAllowed, NotFound, Trouble
from coop.events import Notice
from coop.posts import Draft
from coop.statements import Membership, Project
from federation import discovery
from federation.tables import Activity, Actor, Object
from tests.coop.guild import found, guild_of, invited, passes_on, project, proven, received, sends, writer
from tests.coop.notices import told
from tests.fediverse import Fediverse, key_pair

__all__ = ["told"]  # a fixture

Told = list[tuple[str, Notice]]


def posted(db: Session, uri: str) -> Object:
    return db.scalars(select(Object).where(Object.uri == uri)).one()


@pytest.mark.proves("P-250", "P-254")
async def test_everybody_in_a_project_has_its_log_and_the_same_members(fediverse: Fediverse) -> None:
    guild, (bo, cy) = await guild_of(fediverse, "bo", "cy")

    everybody = {"ada": "lead", "bo": "member", "cy": "member"}
    logs = [{row.hash for row in await guild.log(studio)} for studio in (guild.ada, bo, cy)]
    assert [await guild.roles(studio) for studio in (guild.ada, bo, cy)] == [everybody] * 3
    assert [await guild.remembered(studio) for studio in (guild.ada, bo, cy)] == [everybody] * 3
    assert logs[0] == logs[1] == logs[2]
    assert len(logs[0]) == 5


@pytest.mark.proves("P-250", "P-251", "P-260")
async def test_a_project_is_a_group_whose_first_statement_is_its_fingerprint(fediverse: Fediverse) -> None:
    guild = await found(fediverse, "Catalogue for the Löwen")
    bo = await fediverse.studio("bo")

    answer = await bo.gets(guild.uri)

    group = Document.parse(answer.body)
    assert (group.json["type"], group.uri("attributedTo")) == ("Group", guild.ada.uri)
    assert group.uri("members") == group.uri("collaborators") == f"{guild.uri}/members"
    assert (group.uri("log"), group.get("manuallyApprovesFollowers")) == (f"{guild.uri}/log", False)
    assert group.text("summary") == "<p>200 pages by <em>spring</em>.</p>"
    assert (group.text("preferredUsername"), group.flag("discoverable")) == ("catalogue-for-the-lowen", False)
    [genesis], kept = await guild.log(guild.ada), await project(guild.ada)
    assert kept.fingerprint == genesis.hash == hash_of(genesis.document)
    assert genesis.document["after"] == []


async def test_two_projects_of_one_name_have_two_addresses(fediverse: Fediverse) -> None:
    guild = await found(fediverse)
    ada = guild.ada

    await ada.does(lambda tx: projects.create(tx, ada.uri, "Catalogue", "", key_pair(8), public=True))

    groups = {one.uri: one.address for one in await ada.knows(Actor) if one.type == "Group"}
    public = {groups[one.uri]: one.public for one in await ada.knows(Project)}
    assert public == {"catalogue@ada.example": False, "catalogue-2@ada.example": True}


@pytest.mark.parametrize(("name", "text"), [("", ""), ("  ", ""), ("x" * 101, ""), ("Catalogue", "x" * 5_001)])
async def test_a_project_has_a_name_and_is_not_endless(fediverse: Fediverse, name: str, text: str) -> None:
    ada = await fediverse.studio("ada")

    with pytest.raises(Trouble):
        await ada.does(lambda tx: projects.create(tx, ada.uri, name, text, key_pair(9)))


@pytest.mark.proves("P-250", "P-120", "P-269")
async def test_whoever_follows_a_project_gets_what_it_publishes_and_is_no_member(fediverse: Fediverse) -> None:
    guild, (bo,) = await guild_of(fediverse, "bo")
    mia = await fediverse.studio("mia")
    await mia.does(lambda tx: follows.follow(tx, mia.uri, guild.uri))
    await fediverse.settle()

    public = Draft("The first sheet is printed.", "public", project=guild.uri)
    uri = await bo.does(lambda tx: posts.publish(tx, bo.uri, public).uri)
    await guild.post(bo, "Nobody out there knows this.")

    assert [(one.uri, one.visibility) for one in await mia.knows(Object)] == [(uri, "public")]
    assert await received(mia, "Announce") == [("done", None)]
    assert await mia.knows(Membership) == []
    assert "mia" not in await guild.roles(guild.ada)


@pytest.mark.proves("P-269")
async def test_a_project_boosts_what_was_sent_to_it_and_not_what_it_found(fediverse: Fediverse) -> None:
    guild, (bo,) = await guild_of(fediverse, "bo")
    mia = await fediverse.studio("mia")
    await mia.does(lambda tx: follows.follow(tx, mia.uri, guild.uri))
    await fediverse.settle()
    public = Draft("The first sheet is printed.", "public", project=guild.uri)
    uri = await bo.does(lambda tx: posts.publish(tx, bo.uri, public).uri)

    await discovery.fetch(guild.ada.instance, uri, keep=finds.keep)
    await guild.ada.lanes.work()
    found = [row.type for row in await guild.ada.knows(Activity) if row.type == "Announce"]
    await fediverse.settle()

    assert found == []
    assert await received(mia, "Announce") == [("done", None)]


@pytest.mark.proves("P-269")
async def test_a_project_does_not_pass_on_what_others_say_in_its_name(fediverse: Fediverse) -> None:
    guild, (bo,) = await guild_of(fediverse, "bo")
    mia = await fediverse.studio("mia")
    await mia.does(lambda tx: follows.follow(tx, mia.uri, guild.uri))
    await fediverse.settle()
    await guild.ada.does(lambda tx: projects.give_role(tx, guild.ada.uri, guild.uri, bo.uri, "guest"))

    note = {
        "id": f"{bo.home}/notes/1",
        "type": "Note",
        "attributedTo": bo.uri,
        "content": "Buy!",
        "audience": guild.uri,
    }
    addressed = {"to": ["https://www.w3.org/ns/activitystreams#Public"], "cc": [guild.ada.uri, guild.uri]}
    create = {"id": f"{bo.home}/notes/1/activity", "type": "Create", "actor": bo.uri, **addressed}
    await sends(bo, guild.ada, {**create, "object": {**note, **addressed}})

    assert await received(guild.ada, "Create") == [("done", None)]
    assert await received(mia, "Announce") == []


@pytest.mark.proves("P-251", "P-254")
async def test_a_lead_renames_a_project_everywhere_and_its_followers_learn_it(fediverse: Fediverse) -> None:
    guild, (bo, cy) = await guild_of(fediverse, "bo", "cy")
    mia = await fediverse.studio("mia")
    await mia.does(lambda tx: follows.follow(tx, mia.uri, guild.uri))
    await guild.ada.does(lambda tx: projects.give_role(tx, guild.ada.uri, guild.uri, bo.uri, "lead"))
    await fediverse.settle()
    fediverse.later(minutes=5)

    await bo.does(lambda tx: projects.edit(tx, bo.uri, guild.uri, "Atlas", "Maps, *too*.", public=True))
    await fediverse.settle()

    for studio in (guild.ada, bo, cy):
        kept = await project(studio)
        assert (kept.name, kept.summary, kept.public) == ("Atlas", "<p>Maps, <em>too</em>.</p>", True)
    group = Document.parse((await mia.gets(guild.uri)).body)
    assert (group.text("name"), group.flag("discoverable")) == ("Atlas", True)
    assert await received(mia, "Update") == [("done", None)]
    with pytest.raises(NotAllowed):
        await cy.does(lambda tx: projects.edit(tx, cy.uri, guild.uri, "Mine", ""))


@pytest.mark.proves("P-251", "P-319")
async def test_no_lead_can_change_the_keys_of_a_project(fediverse: Fediverse) -> None:
    guild, (bo,) = await guild_of(fediverse, "bo")
    await guild.ada.does(lambda tx: projects.give_role(tx, guild.ada.uri, guild.uri, bo.uri, "lead"))
    await fediverse.settle()
    before = Document.parse((await bo.gets(guild.uri)).body).json

    write = await writer(bo, guild.uri)
    seized = {**before, "name": "Atlas", "inbox": f"{bo.uri}/inbox", "publicKey": {"id": "x"}, "assertionMethod": []}
    await sends(bo, guild.ada, await proven(bo, write.update(f"{bo.home}/activities/1", seized)))

    after = Document.parse((await bo.gets(guild.uri)).body).json
    assert {name for name in after if after[name] != before[name]} == {"name"}


@pytest.mark.proves("P-251", "P-252")
async def test_roles_change_and_guests_only_read(fediverse: Fediverse, told: Told) -> None:
    guild, (bo, cy) = await guild_of(fediverse, "bo", "cy")

    await guild.ada.does(lambda tx: projects.give_role(tx, guild.ada.uri, guild.uri, bo.uri, "guest"))
    await fediverse.settle()

    assert await guild.roles(cy) == {"ada": "lead", "bo": "guest", "cy": "member"}
    assert (bo.home, Notice("role", bo.uri, guild.ada.uri, guild.uri)) in told
    await guild.post(cy, "Can you all see this?")
    assert await guild.talk(bo) == ["<p>Can you all see this?</p>"]
    with pytest.raises(NotAllowed):
        await guild.post(bo, "And I want to answer.")
    with pytest.raises(NotAllowed):
        await bo.does(lambda tx: projects.give_role(tx, bo.uri, guild.uri, bo.uri, "lead"))
    with pytest.raises(Conflict):
        await guild.ada.does(lambda tx: projects.give_role(tx, guild.ada.uri, guild.uri, bo.uri, "guest"))


@pytest.mark.proves("P-251", "P-253")
async def test_whoever_is_removed_gets_and_reads_nothing_more(fediverse: Fediverse, told: Told) -> None:
    guild, (bo, cy) = await guild_of(fediverse, "bo", "cy")
    old = await guild.post(cy, "Before.")
    assert (await bo.gets(old)).status == 200

    await guild.ada.does(lambda tx: projects.remove(tx, guild.ada.uri, guild.uri, bo.uri))
    await fediverse.settle()
    new = await guild.post(cy, "After.")

    assert [await guild.roles(studio) for studio in (guild.ada, bo, cy)] == [{"ada": "lead", "cy": "member"}] * 3
    assert (bo.home, Notice("removal", bo.uri, guild.ada.uri, guild.uri)) in told
    assert await guild.talk(cy) == ["<p>Before.</p>", "<p>After.</p>"]
    assert await guild.talk(bo) == ["<p>Before.</p>"]
    assert [(await bo.gets(uri)).status for uri in (old, f"{old}/activity", new, f"{new}/activity")] == [404] * 4


@pytest.mark.proves("P-251")
async def test_a_member_leaves_and_a_last_lead_cannot(fediverse: Fediverse, told: Told) -> None:
    guild, (bo, cy) = await guild_of(fediverse, "bo", "cy")
    with pytest.raises(Conflict):
        await guild.ada.does(lambda tx: projects.leave(tx, guild.ada.uri, guild.uri))

    await bo.does(lambda tx: projects.leave(tx, bo.uri, guild.uri))
    await fediverse.settle()

    assert [await guild.roles(studio) for studio in (guild.ada, bo, cy)] == [{"ada": "lead", "cy": "member"}] * 3
    assert (guild.ada.home, Notice("leave", guild.ada.uri, bo.uri, guild.uri)) in told
    assert await bo.instance.store.read(lambda db: db.scalars(projects.projects_of(bo.uri)).all()) == []
    with pytest.raises(NotFound):
        await bo.does(lambda tx: projects.leave(tx, bo.uri, guild.uri))


@pytest.mark.proves("P-253", "P-254", "P-265")
async def test_a_project_goes_on_without_the_server_on_which_it_was_founded(fediverse: Fediverse) -> None:
    guild, (bo, cy) = await guild_of(fediverse, "bo", "cy")
    await guild.ada.does(lambda tx: projects.give_role(tx, guild.ada.uri, guild.uri, bo.uri, "lead"))
    dee = await fediverse.studio("dee")
    await dee.meets(guild.ada)
    await fediverse.settle()
    fediverse.asleep.add(guild.ada.host)

    await guild.invite(dee, by=bo)
    fediverse.later(minutes=5)
    await fediverse.settle()
    [invitation] = await invited(dee)
    await dee.does(lambda tx: invitations.accept(tx, dee.uri, invitation.uri))
    await fediverse.settle()
    await bo.does(lambda tx: projects.edit(tx, bo.uri, guild.uri, "Atlas", ""))
    first = await guild.post(dee, "Where is Ada?")
    await guild.post(cy, "Asleep.", reply_to=first)

    for studio in (bo, cy, dee):
        everybody = {"ada": "lead", "bo": "lead", "cy": "member", "dee": "member"}
        assert await guild.roles(studio) == await guild.remembered(studio) == everybody
        assert await guild.talk(studio) == ["<p>Where is Ada?</p>", "<p>Asleep.</p>"]
        assert (await project(studio)).name == "Atlas"


@pytest.mark.proves("P-253", "P-254", "P-333")
async def test_statements_may_come_in_any_order_by_any_member_and_twice(fediverse: Fediverse) -> None:
    guild, (bo, cy) = await guild_of(fediverse, "bo", "cy")
    ada, known = guild.ada, {row.hash for row in await guild.log(cy)}
    fediverse.asleep.add(cy.host)
    await ada.does(lambda tx: projects.give_role(tx, ada.uri, guild.uri, bo.uri, "lead"))
    await fediverse.settle()
    await bo.does(lambda tx: projects.edit(tx, bo.uri, guild.uri, "Atlas", ""))
    await bo.does(lambda tx: projects.give_role(tx, bo.uri, guild.uri, ada.uri, "guest"))
    await fediverse.settle()
    fediverse.asleep = {ada.host}

    news = [row.document for row in await guild.log(bo) if row.hash not in known]
    for statement in [*reversed(news), *news]:
        await passes_on(bo, cy, statement)

    assert len(news) == 3
    assert await guild.roles(cy) == await guild.roles(bo) == {"ada": "guest", "bo": "lead", "cy": "member"}
    assert (await project(cy)).name == "Atlas"
    assert {row.hash for row in await guild.log(cy)} == {row.hash for row in await guild.log(bo)}
    assert not any(row.held for row in await guild.log(cy))


@pytest.mark.proves("P-253")
async def test_a_statement_waits_a_week_for_what_it_comes_after(fediverse: Fediverse) -> None:
    guild, (bo, cy) = await guild_of(fediverse, "bo", "cy")
    write = await writer(guild.ada, guild.uri)
    first = await proven(guild.ada, write.add(f"{guild.ada.home}/activities/1", bo.uri, "guest"))
    write = await writer(guild.ada, guild.uri)
    second = await proven(guild.ada, {**write.leave(f"{guild.ada.home}/activities/2"), "after": [hash_of(first)]})

    await passes_on(bo, cy, second)
    waiting = [row.hash for row in await guild.log(cy) if row.held]
    fediverse.later(days=8)
    await guild.post(cy, "Still here.")
    await cy.does(lambda tx: projects.leave(tx, cy.uri, guild.uri))

    assert waiting == [hash_of(second)]
    assert not any(row.held for row in await guild.log(cy))
    assert await guild.roles(cy) == {"ada": "lead", "bo": "member"}


@pytest.mark.proves("P-251", "P-253", "P-333")
async def test_what_its_author_might_not_say_is_never_stored(fediverse: Fediverse) -> None:
    guild, (bo, cy) = await guild_of(fediverse, "bo", "cy")
    write = await writer(bo, guild.uri)

    await sends(bo, cy, await proven(bo, write.add(f"{bo.home}/activities/1", bo.uri, "lead")))
    await sends(bo, cy, await proven(bo, write.remove(f"{bo.home}/activities/2", guild.ada.uri)))
    await sends(bo, cy, await proven(bo, write.update(f"{bo.home}/activities/3", {"id": guild.uri, "type": "Group"})))

    for kind in ("Remove", "Update"):
        [(state, _)] = await received(cy, kind)
        assert state == "refused"
    assert len(await guild.log(cy)) == 5
    assert await guild.roles(cy) == {"ada": "lead", "bo": "member", "cy": "member"}


@pytest.mark.proves("P-254", "P-333")
async def test_a_statement_with_a_forged_proof_is_never_stored(fediverse: Fediverse) -> None:
    guild, (bo, cy) = await guild_of(fediverse, "bo", "cy")
    write = await writer(bo, guild.uri, guild.ada.uri)
    words = write.add(f"{guild.ada.home}/activities/1", bo.uri, "lead")
    genuine = next(row.document for row in await guild.log(bo) if row.kind == "invite")

    await sends(bo, cy, await proven(bo, words, f"{guild.ada.uri}#ed25519-key"))
    await passes_on(bo, cy, await proven(bo, words, f"{guild.ada.uri}#ed25519-key"))
    await passes_on(bo, cy, {**genuine, "content": "Come, and bring money."})
    await passes_on(bo, cy, {name: value for name, value in words.items() if name != "proof"})

    states = [state for state, _ in (await received(cy, "Add"))]
    assert states.count("refused") == 3
    assert len(await guild.log(cy)) == 5


@pytest.mark.proves("P-333")
async def test_a_removed_lead_cannot_say_afterwards_what_they_might_have_said_before(fediverse: Fediverse) -> None:
    guild, (bo, cy) = await guild_of(fediverse, "bo", "cy")
    ada = guild.ada
    await ada.does(lambda tx: projects.give_role(tx, ada.uri, guild.uri, bo.uri, "lead"))
    await fediverse.settle()
    before = await writer(bo, guild.uri)
    await ada.does(lambda tx: projects.remove(tx, ada.uri, guild.uri, bo.uri))
    await fediverse.settle()
    after = await writer(bo, guild.uri)

    await sends(bo, cy, await proven(bo, before.add(f"{bo.home}/activities/1", cy.uri, "lead")))
    await sends(bo, cy, await proven(bo, after.remove(f"{bo.home}/activities/2", ada.uri)))

    assert await guild.roles(cy) == {"ada": "lead", "cy": "member"}
    assert await guild.remembered(cy) == {"ada": "lead", "cy": "member"}


@pytest.mark.proves("P-116", "P-265")
async def test_whoever_is_no_more_gets_and_reads_nothing_and_no_authority_depends_on_it(fediverse: Fediverse) -> None:
    guild, (bo, cy, dee) = await guild_of(fediverse, "bo", "cy", "dee")
    await guild.ada.does(lambda tx: projects.give_role(tx, guild.ada.uri, guild.uri, bo.uri, "lead"))
    await fediverse.settle()
    await bo.does(lambda tx: projects.give_role(tx, bo.uri, guild.uri, cy.uri, "lead"))
    await fediverse.settle()
    said = await guild.post(cy, "Before.")
    logs = [len(await guild.log(studio)) for studio in (guild.ada, cy)]

    farewell = {"id": f"{bo.uri}#delete", "type": "Delete", "actor": bo.uri, "object": bo.uri}
    await sends(bo, cy, farewell)
    await cy.does(lambda tx: projects.edit(tx, cy.uri, guild.uri, "Atlas", ""))
    await fediverse.settle()

    assert await guild.remembered(cy) == {"ada": "lead", "cy": "lead", "dee": "member"}
    assert await guild.roles(cy) == await guild.roles(guild.ada) == await guild.roles(dee)
    assert [len(await guild.log(studio)) for studio in (guild.ada, cy)] == [one + 1 for one in logs]
    assert not await cy.instance.store.read(lambda db: projects.role_of(db, guild.uri, bo.uri))
    assert not await cy.instance.store.read(lambda db: access.may_read(db, posted(db, said), bo.uri))
    with pytest.raises(NotFound):
        await cy.does(lambda tx: projects.remove(tx, cy.uri, guild.uri, bo.uri))


@pytest.mark.proves("P-116")
@pytest.mark.parametrize("alone", [True, False])
async def test_who_deletes_their_account_takes_leave_unless_nobody_else_leads(
    fediverse: Fediverse, alone: bool
) -> None:
    guild, (bo,) = await guild_of(fediverse, "bo")
    ada = guild.ada
    if not alone:
        await ada.does(lambda tx: projects.give_role(tx, ada.uri, guild.uri, bo.uri, "lead"))
        await fediverse.settle()

    await ada.does(lambda tx: departures.leave(tx, ada.uri))
    await fediverse.settle()

    role = "member" if alone else "lead"
    assert await guild.remembered(bo) == await guild.remembered(ada) == {"bo": role}
    assert await guild.roles(bo) == ({"ada": "lead", "bo": role} if alone else {"bo": role})


async def test_a_stranger_leaves_nothing_in_our_logs(fediverse: Fediverse) -> None:
    guild, (bo,) = await guild_of(fediverse, "bo")
    mal = await fediverse.studio("mal")
    elsewhere = await mal.does(lambda tx: projects.create(tx, mal.uri, "Trap", "", key_pair(9)).uri)
    [genesis] = [row.document for row in await guild.log(mal)]

    await passes_on(mal, bo, genesis)

    assert elsewhere not in {row.project for row in await guild.log(bo)}


async def test_a_member_is_shown_the_project_and_who_is_invited(fediverse: Fediverse) -> None:
    guild, (bo,) = await guild_of(fediverse, "bo")
    cy = await fediverse.studio("cy")
    uri = await guild.invite(cy)

    view = await bo.instance.store.read(lambda db: projects.show(db, guild.uri, bo.uri, fediverse.now))
    fediverse.later(days=31)
    late = await bo.instance.store.read(lambda db: projects.show(db, guild.uri, bo.uri, fediverse.now))

    assert (view.project.name, [one.role for one in view.members]) == ("Catalogue", ["lead", "member"])
    assert [one.id for one in view.invitations] == [uri]
    assert late.invitations == ()
