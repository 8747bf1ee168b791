"""Whatever one member's server takes into a log, every other can have from it: nobody tears one by its size (P-333)."""

from __future__ import annotations

from typing import Any

import pytest

from activitypub.document import Document
from coop import logbook, membership, projects
from coop.errors import Conflict, NotAllowed, Trouble
from federation.tables import Activity
from tests.coop.guild import Guild, found, guild_of, project, proven, received, sends, writer
from tests.fediverse import Fediverse, Studio, key_pair


async def leads(guild: Guild, *studios: Studio) -> None:
    for studio in studios:
        await guild.ada.does(lambda tx, who=studio.uri: projects.give_role(tx, guild.ada.uri, guild.uri, who, "lead"))  # type: ignore[misc]
        await guild.fediverse.settle()


async def renamed(guild: Guild, by: Studio, **terms: Any) -> dict[str, Any]:
    group = {"id": guild.uri, "type": "Group", "name": "Atlas", **terms}
    return await proven(by, (await writer(by, guild.uri)).update(f"{by.home}/activities/long", group))


@pytest.mark.proves("P-253", "P-333")
async def test_nobody_stays_by_saying_what_others_cannot_pass_on(fediverse: Fediverse) -> None:
    guild, (bo, cy) = await guild_of(fediverse, "bo", "cy")
    await leads(guild, bo, cy)
    await cy.meets(bo)
    said = await renamed(guild, bo, summary="y" * 30_000)

    for studio in (guild.ada, cy):
        await sends(bo, studio, said)
    await cy.does(lambda tx: projects.remove(tx, cy.uri, guild.uri, bo.uri))
    await fediverse.settle()

    assert [await guild.roles(studio) for studio in (guild.ada, cy)] == [{"ada": "lead", "cy": "lead"}] * 2
    assert [(await received(studio, "Update"))[-1][0] for studio in (guild.ada, cy)] == ["refused"] * 2


@pytest.mark.proves("P-254", "P-333")
async def test_no_stranger_asks_to_join_at_such_length_that_nobody_can_be_invited(fediverse: Fediverse) -> None:
    guild, mal, cy = await found(fediverse), await fediverse.studio("mal"), await fediverse.studio("cy")
    await mal.meets(guild.ada)
    join = (await writer(guild.ada, guild.uri, mal.uri)).join(f"{mal.home}/activities/1")

    await sends(mal, guild.ada, await proven(mal, join | {"ballast": "x" * 70_000}))
    await guild.join(cy)

    assert [state for state, _ in await received(guild.ada, "Join")] == ["refused"]
    assert await guild.roles(cy) == {"ada": "lead", "cy": "member"}


@pytest.mark.proves("P-028", "P-333")
@pytest.mark.parametrize("swelling", ["&", '<a href="//a.b">', "<p>"])
async def test_what_grows_when_it_is_made_harmless_reaches_followers_nonetheless(
    fediverse: Fediverse, swelling: str
) -> None:
    guild, (bo,) = await guild_of(fediverse, "bo")
    await leads(guild, bo)
    said = await renamed(guild, bo, summary=swelling * (16_000 // len(swelling)))

    await sends(bo, guild.ada, said)

    updates = [row for row in await guild.ada.knows(Activity) if (row.actor, row.type) == (guild.uri, "Update")]
    group = Document.parse(updates[-1].body).embedded("object")
    assert await received(guild.ada, "Update") == [("done", None)]
    assert group is not None
    assert group.text("name") == (await project(guild.ada)).name == "Atlas"


@pytest.mark.proves("P-333")
async def test_who_says_too_much_is_told_so(fediverse: Fediverse) -> None:
    guild, (bo,) = await guild_of(fediverse, "bo")
    ada = guild.ada

    with pytest.raises(Trouble, match="24,000 bytes in all: shorten it"):
        await ada.does(lambda tx: projects.edit(tx, ada.uri, guild.uri, "Atlas", "&" * 5_000))
    with pytest.raises(Trouble, match="shorten it"):
        await ada.does(lambda tx: projects.create(tx, ada.uri, "Atlas", "&" * 5_000, key_pair(8)))
    await ada.does(lambda tx: projects.edit(tx, ada.uri, guild.uri, "Atlas", "Ä" * 5_000))
    await fediverse.settle()

    assert (await project(bo)).summary == f"<p>{'Ä' * 5_000}</p>"


@pytest.mark.proves("P-254", "P-333")
async def test_members_for_whom_a_statement_has_no_room_get_it_nonetheless(
    fediverse: Fediverse, monkeypatch: pytest.MonkeyPatch
) -> None:
    guild, (bo, cy) = await guild_of(fediverse, "bo", "cy")
    monkeypatch.setattr(logbook, "MAX_NAMED", len(guild.ada.uri))

    await guild.ada.does(lambda tx: projects.edit(tx, guild.ada.uri, guild.uri, "Atlas", ""))
    await fediverse.settle()

    said = (await guild.log(cy))[-1].document
    assert (said["type"], said["to"]) == ("Update", [guild.uri])
    assert [(await project(studio)).name for studio in (guild.ada, bo, cy)] == ["Atlas"] * 3


@pytest.mark.proves("P-333")
async def test_whoever_comes_to_a_full_log_is_told_so_and_what_to_do(
    fediverse: Fediverse, monkeypatch: pytest.MonkeyPatch
) -> None:
    guild, (bo,) = await guild_of(fediverse, "bo")
    ada = guild.ada
    monkeypatch.setattr(membership, "MAX_STATEMENTS", len(await guild.log(ada)))

    with pytest.raises(Conflict, match=r"log is full.*found a new project, and invite its members there"):
        await ada.does(lambda tx: projects.edit(tx, ada.uri, guild.uri, "Atlas"))
    with pytest.raises(Conflict, match="log is full"):
        await bo.does(lambda tx: projects.leave(tx, bo.uri, guild.uri))
    with pytest.raises(NotAllowed, match="only a lead"):
        await bo.does(lambda tx: projects.edit(tx, bo.uri, guild.uri, "Atlas"))

    await guild.post(bo, "We can talk.")
    assert await guild.talk(ada) == ["<p>We can talk.</p>"]
    assert (await project(ada)).name == (await project(bo)).name == "Catalogue"
