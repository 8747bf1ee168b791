"""The public face of a project moves, and the project with its followers outlives the server where it was founded."""

from __future__ import annotations

import httpx
import pytest

from activitypub.actor import Actor as Profile
from activitypub.document import Document
from coop import faces, follows, invitations, joining, posts, projects, statements
from coop.errors import Conflict, NotAllowed
from coop.faces import EVERY, Face
from coop.posts import Draft
from federation import discovery, known
from federation.tables import Activity
from tests.coop.guild import Guild, guild_of, passes_on, proven, writer
from tests.federation.stranger import ACTIVITY_JSON, Stranger
from tests.fediverse import Fediverse, Studio, key_pair

MOVED = 11  # which of the shared key pairs a face has that moved


async def led_by(fediverse: Fediverse, *names: str) -> tuple[Guild, list[Studio]]:
    """Ada's project, whose other members are leads, too."""
    guild, members = await guild_of(fediverse, *names)
    for one in members:
        await guild.ada.does(lambda tx, one=one: projects.give_role(tx, guild.ada.uri, guild.uri, one.uri, "lead"))  # type: ignore[misc]
    await fediverse.settle()
    return guild, members


async def moves(guild: Guild, to: Studio) -> str:
    """The face of the project is moved to the server of one of its leads, and whoever is there hears of it."""
    uri = await to.does(lambda tx: faces.move(tx, to.uri, guild.uri, key_pair(MOVED)))
    await goes_on(guild.fediverse)
    return uri


async def goes_on(fediverse: Fediverse) -> None:
    await fediverse.settle()
    fediverse.later(seconds=EVERY.total_seconds())
    for studio in fediverse.studios.values():
        if studio.host not in fediverse.asleep:
            await studio.upkeep.run_errands()
    await fediverse.settle()


async def publishes(guild: Guild, studio: Studio, text: str) -> str:
    uri = await studio.does(lambda tx: posts.publish(tx, studio.uri, Draft(text, "public", project=guild.uri)).uri)
    await guild.fediverse.settle()
    return uri


async def follows_as_mastodon(social: Stranger, actor: str) -> None:
    """Mia follows an actor of ours, as her server does it."""
    mia = f"{social.home}/mia"
    follow = social.activity("Follow", mia, actor)
    assert (await social.sends(f"{actor}/inbox", follow)).status_code == 202
    await social.fediverse.settle()


def accepted(social: Stranger, actor: str) -> bool:
    return any(one["type"] == "Accept" and one["actor"] == actor for one in social.received)


def news(social: Stranger, face: str) -> list[str]:
    """What Mia was shown by `face`."""
    return [one["object"] for one in social.received if one["type"] == "Announce" and one["actor"] == face]


async def document_of(studio: Studio, uri: str) -> Document:
    return Document(await studio.instance.store.read(lambda db: known.actor(db, uri).document))


async def served(fediverse: Fediverse, uri: str) -> Document:
    """What anybody is answered who asks for an actor."""
    answer = await fediverse.carry(httpx.Request("GET", uri, headers={"accept": ACTIVITY_JSON}))
    return Document.parse(await answer.aread())


async def follow_the_move(social: Stranger) -> str:
    """What Mastodon does with a Move: it looks whether the target agrees, and follows that."""
    [move] = [one for one in social.received if one["type"] == "Move"]
    assert move["object"] in (await served(social.fediverse, move["target"])).uris("alsoKnownAs")
    await follows_as_mastodon(social, move["target"])
    return str(move["target"])


@pytest.mark.proves("P-259", "P-026", "P-269")
async def test_a_lead_moves_the_face_and_its_followers_go_along(fediverse: Fediverse) -> None:
    guild, (bo, cy) = await led_by(fediverse, "bo", "cy")
    social = Stranger(fediverse)
    social.actor("mia")
    await follows_as_mastodon(social, guild.uri)

    face = await moves(guild, bo)
    target = await follow_the_move(social)
    post = await publishes(guild, cy, "The catalogue is out.")

    assert target == face
    assert (accepted(social, face), news(social, face), news(social, guild.uri)) == (True, [post], [])
    assert (await document_of(guild.ada, guild.uri)).uri("movedTo") == face
    assert (await document_of(bo, face)).uris("alsoKnownAs") == (guild.uri,)
    order = [one["type"] for one in social.received if one["actor"] == guild.uri and one["type"] != "Accept"]
    assert order == ["Update", "Move"]


@pytest.mark.proves("P-259", "P-253", "P-254")
async def test_shows_coop_2_a_project_and_its_news_outlive_the_server_that_founded_it(fediverse: Fediverse) -> None:
    guild, (bo, cy) = await led_by(fediverse, "bo", "cy")
    ada, dee, eve = guild.ada, await fediverse.studio("dee"), await fediverse.studio("eve")
    social = Stranger(fediverse)
    social.actor("mia")
    fediverse.asleep.add(ada.host)  # for ever

    invitation = await guild.invite(dee, by=bo)  # to whom nothing can say any more what was founded there
    fediverse.later(minutes=5)
    await fediverse.settle()
    await dee.does(lambda tx: invitations.accept(tx, dee.uri, invitation))
    await fediverse.settle()
    face = await moves(guild, cy)
    await follows_as_mastodon(social, face)
    first = await publishes(guild, dee, "Still here.")
    await bo.does(lambda tx: projects.remove(tx, bo.uri, guild.uri, ada.uri))
    await fediverse.settle()
    await guild.post(bo, "Only for us.")
    await discovery.fetch(eve.instance, face)
    await eve.does(lambda tx: joining.ask(tx, eve.uri, face))
    await goes_on(fediverse)
    second = await publishes(guild, bo, "And going on.")

    everybody = {"bo": "lead", "cy": "lead", "dee": "member"}
    for studio in (bo, cy, dee):
        assert await guild.roles(studio) == await guild.remembered(studio) == everybody
        assert await guild.talk(studio) == ["<p>Only for us.</p>"]
        requests = await studio.instance.store.read(
            lambda db: statements.room_of(db, statements.at(db, guild.uri)).requests
        )
        assert [one.author for one in requests.values()] == [eve.uri]
    assert news(social, face) == [first, second]
    profile = Profile.read(await served(fediverse, face))
    assert (profile.type, profile.name, profile.also_known_as) == ("Group", "Catalogue", (guild.uri,))


@pytest.mark.proves("P-259")
async def test_the_server_that_slept_while_the_face_moved_leads_its_followers_on_when_it_wakes(
    fediverse: Fediverse,
) -> None:
    guild, (bo, _) = await led_by(fediverse, "bo", "cy")
    social = Stranger(fediverse)
    social.actor("mia")
    await follows_as_mastodon(social, guild.uri)
    fediverse.asleep.add(guild.ada.host)
    face = await moves(guild, bo)
    assert [one for one in social.received if one["type"] == "Move"] == []

    fediverse.asleep.clear()
    fediverse.later(hours=3)
    await goes_on(fediverse)

    assert await follow_the_move(social) == face


@pytest.mark.proves("P-259", "P-125")
async def test_followers_on_our_own_kind_of_server_go_along_by_themselves(fediverse: Fediverse) -> None:
    guild, (bo, cy) = await led_by(fediverse, "bo", "cy")
    mia = await fediverse.studio("mia")
    await mia.meets(guild.ada)
    await discovery.fetch(mia.instance, guild.uri)
    await mia.does(lambda tx: follows.follow(tx, mia.uri, guild.uri))
    await fediverse.settle()

    face = await moves(guild, bo)
    post = await publishes(guild, cy, "The catalogue is out.")

    assert [(row.followed, row.state) for row in await mia.knows(follows.Follow)] == [(face, "accepted")]
    assert await mia.instance.store.read(lambda db: known.is_known(db, post))
    assert await guild.ada.instance.store.read(lambda db: db.scalars(follows.followers(guild.uri)).all()) == []


@pytest.mark.proves("P-259")
async def test_the_face_moves_on_and_back_and_every_former_one_leads_to_where_it_is(fediverse: Fediverse) -> None:
    guild, (bo, cy) = await led_by(fediverse, "bo", "cy")
    social = Stranger(fediverse)
    social.actor("mia")

    first, second = await moves(guild, bo), await moves(guild, cy)
    await follows_as_mastodon(social, second)
    assert [(await document_of(one, uri)).uri("movedTo") for one, uri in ((guild.ada, guild.uri), (bo, first))] == [
        second,
        second,
    ]
    back = await moves(guild, guild.ada)

    assert back == guild.uri
    assert await follow_the_move(social) == guild.uri
    home = await document_of(guild.ada, guild.uri)
    assert (home.uri("movedTo"), set(home.uris("alsoKnownAs"))) == (None, {first, second})
    assert (await document_of(bo, first)).uri("movedTo") == guild.uri
    assert [(await moves(guild, bo)), len(await bo.knows(Face))] == [first, 1]


@pytest.mark.proves("P-259")
async def test_only_a_lead_moves_the_face_and_not_to_where_it_is(fediverse: Fediverse) -> None:
    guild, (bo,) = await guild_of(fediverse, "bo")

    with pytest.raises(NotAllowed):
        await moves(guild, bo)
    with pytest.raises(Conflict):
        await moves(guild, guild.ada)

    assert await bo.knows(Face) == []


@pytest.mark.proves("P-259", "P-333")
async def test_a_lead_cannot_make_anybody_else_the_face(fediverse: Fediverse) -> None:
    guild, (bo, cy) = await led_by(fediverse, "bo", "cy")
    before = await document_of(cy, cy.uri)
    write = await writer(bo, guild.uri)
    stolen = {"id": guild.uri, "type": "Group", "name": "Stolen", "movedTo": cy.uri}

    await passes_on(bo, cy, await proven(bo, write.update(f"{bo.home}/activities/1", stolen)))
    await goes_on(fediverse)
    await publishes(guild, bo, "In whose name?")

    assert (await document_of(cy, cy.uri)).json == before.json
    assert [row.type for row in await cy.knows(Activity) if row.type in ("Announce", "Update", "Move")] == []
    assert (await cy.instance.store.read(lambda db: known.actor(db, cy.uri))).name == "Cy"


@pytest.mark.proves("P-259", "P-026")
async def test_nobody_is_led_to_an_actor_that_does_not_say_that_it_is_the_project(fediverse: Fediverse) -> None:
    guild, (bo, _) = await led_by(fediverse, "bo", "cy")
    social = Stranger(fediverse)
    social.actor("mia")
    await follows_as_mastodon(social, guild.uri)
    trap = social.actor("trap", "Group")
    write = await writer(bo, guild.uri)
    stated = {"id": guild.uri, "type": "Group", "name": "Catalogue", "movedTo": trap}

    await passes_on(bo, guild.ada, await proven(bo, write.update(f"{bo.home}/activities/1", stated)))
    await goes_on(fediverse)

    assert [one for one in social.received if one["type"] == "Move"] == []
    assert (await document_of(guild.ada, guild.uri)).uri("movedTo") is None


@pytest.mark.proves("P-259", "P-254")
async def test_the_server_with_the_face_hears_on_when_its_lead_has_left(fediverse: Fediverse) -> None:
    guild, (bo, cy) = await led_by(fediverse, "bo", "cy")
    face = await moves(guild, bo)
    await bo.does(lambda tx: projects.leave(tx, bo.uri, guild.uri))
    await fediverse.settle()

    await cy.does(lambda tx: projects.edit(tx, cy.uri, guild.uri, "Atlas"))
    await fediverse.settle()

    assert (await document_of(bo, face)).text("name") == "Atlas"
    assert await guild.roles(bo) == await guild.roles(cy) == {"ada": "lead", "cy": "lead"}
