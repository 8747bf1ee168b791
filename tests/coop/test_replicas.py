"""What reached only some members is had by all once somebody goes on from it (P-253, P-254)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import delete, select

from activitypub.collection import PAGE_SIZE
from activitypub.document import Document
from coop import logbook, projects, replicas, statements, visits
from coop.replicas import AGAIN, EVERY, PATIENCE
from coop.visits import Visit
from federation.tables import Actor, BlockedDomain, Delivery
from tests.coop.guild import Guild, guild_of, proven, writer
from tests.coop.neighbours import neighbours
from tests.fediverse import Fediverse, Studio

MANY = 2 * PAGE_SIZE + 5


async def whispers(fediverse: Fediverse, number: int = 1) -> tuple[Guild, Studio, Studio]:
    """Ada says `number` things that reach Bo alone; Bo, a lead by then, says one more, which reaches Cy, too."""
    guild, (bo, cy) = await guild_of(fediverse, "bo", "cy")
    ada = guild.ada
    await ada.does(lambda tx: projects.give_role(tx, ada.uri, guild.uri, bo.uri, "lead"))
    await fediverse.settle()
    for one in range(number):
        write = await writer(bo, guild.uri, ada.uri)
        text = {"id": guild.uri, "type": "Group", "name": f"Atlas {one}"}
        said = Document(await proven(ada, write.update(f"{ada.home}/activities/{one}", text)))
        await bo.does(lambda tx, said=said: logbook.learn(tx, said))  # type: ignore[misc]
    await bo.does(lambda tx: projects.give_role(tx, bo.uri, guild.uri, cy.uri, "guest"))
    await fediverse.settle()
    await cy.upkeep.run_errands()  # everybody's name is confirmed
    return guild, bo, cy


async def waits(studio: Studio, guild: Guild) -> int:
    return len([row for row in await guild.log(studio) if row.held])


@pytest.mark.proves("P-253", "P-254")
@pytest.mark.parametrize("number", [1, MANY])
async def test_what_is_missing_is_had_from_the_copy_of_another_member(fediverse: Fediverse, number: int) -> None:
    guild, bo, cy = await whispers(fediverse, number)
    waiting = await waits(cy, guild)
    fediverse.asleep.add(guild.ada.host)
    fediverse.later(seconds=(PATIENCE + EVERY).total_seconds())
    del fediverse.requests[:]

    await cy.upkeep.run_errands()

    asked = [request.url.host for request in fediverse.requests]
    assert (waiting, await waits(cy, guild)) == (1, 0)
    assert await guild.roles(cy) == await guild.roles(bo) == {"ada": "lead", "bo": "lead", "cy": "guest"}
    assert {row.hash for row in await guild.log(cy)} == {row.hash for row in await guild.log(bo)}
    assert asked == [bo.host] * (1 + -(-(number + 1) // PAGE_SIZE))


@pytest.mark.proves("P-253", "P-109")
async def test_nobody_is_asked_at_once_or_again_and_again(fediverse: Fediverse) -> None:
    guild, bo, cy = await whispers(fediverse)
    fediverse.asleep |= {guild.ada.host, bo.host}
    del fediverse.requests[:]

    counts = []
    for wait in (timedelta(0), PATIENCE + EVERY, EVERY, AGAIN):
        fediverse.later(seconds=wait.total_seconds())
        await cy.upkeep.run_errands()
        counts.append(len(fediverse.requests))

    assert counts == [0, 2, 2, 4]
    fediverse.asleep.clear()
    fediverse.later(seconds=(AGAIN + EVERY).total_seconds())
    await cy.upkeep.run_errands()
    assert await waits(cy, guild) == 0


@pytest.mark.proves("P-254", "P-333")
async def test_what_a_copy_has_besides_is_not_taken_nor_what_is_forged_in_it(fediverse: Fediverse) -> None:
    guild, bo, cy = await whispers(fediverse)
    known = {row.hash for row in await guild.log(cy)}

    def forge(tx: object) -> None:
        for row in tx.db.scalars(statements.log(guild.uri)):  # type: ignore[attr-defined]
            if row.hash not in known and row.kind == "update":
                row.document = {**row.document, "object": {**row.document["object"], "name": "Forged"}}

    await bo.does(forge)
    fediverse.asleep.add(guild.ada.host)
    fediverse.later(seconds=(PATIENCE + EVERY).total_seconds())
    await cy.upkeep.run_errands()

    assert {row.hash for row in await guild.log(cy)} == known
    assert await waits(cy, guild) == 1


@pytest.mark.proves("P-253", "P-254")
async def test_a_statement_that_cannot_be_checked_keeps_no_other_away(fediverse: Fediverse) -> None:
    guild, (bo, cy) = await guild_of(fediverse, "bo", "cy")
    ada, dee = guild.ada, await fediverse.studio("dee")
    await ada.does(lambda tx: projects.give_role(tx, ada.uri, guild.uri, bo.uri, "lead"))
    await fediverse.settle()
    heads = (await writer(bo, guild.uri)).after
    await bo.meets(dee)
    join = (await writer(bo, guild.uri, dee.uri)).join(f"{dee.home}/activities/1")
    rename = (await writer(bo, guild.uri, ada.uri)).update(
        f"{ada.home}/activities/1", {"id": guild.uri, "type": "Group"}
    )
    for one in (await proven(dee, join), await proven(ada, rename | {"after": [*heads]})):
        await bo.does(lambda tx, one=one: logbook.learn(tx, Document(one)))  # type: ignore[misc]
    await bo.does(lambda tx: projects.give_role(tx, bo.uri, guild.uri, cy.uri, "guest"))
    fediverse.asleep |= {ada.host, dee.host}
    await fediverse.settle()
    fediverse.later(seconds=(PATIENCE + EVERY).total_seconds())

    await cy.upkeep.run_errands()

    assert [(row.author, row.kind) for row in await guild.log(cy) if row.held] == [(bo.uri, "add")]
    assert "update" in [row.kind for row in await guild.log(cy)]


async def test_a_blocked_server_is_not_asked_for_its_copy(fediverse: Fediverse) -> None:
    guild, bo, cy = await whispers(fediverse)
    fediverse.asleep.add(guild.ada.host)
    await cy.does(lambda tx: tx.db.add(BlockedDomain(host=bo.host, since=tx.now)))
    cy.instance.store.topic("blocks").set()
    fediverse.later(seconds=(PATIENCE + EVERY).total_seconds())
    del fediverse.requests[:]

    await cy.upkeep.run_errands()

    assert bo.host not in {request.url.host for request in fediverse.requests}
    assert await waits(cy, guild) == 1


@pytest.mark.proves("P-173", "P-254")
async def test_after_a_sleep_the_last_word_is_had_from_any_member(fediverse: Fediverse) -> None:
    """Nothing comes after it here that would tell that it is missing."""
    guild, (bo, cy) = await guild_of(fediverse, "bo", "cy")
    ada = guild.ada
    await cy.upkeep.run_errands()
    fediverse.asleep.add(cy.host)
    fediverse.later(days=2)
    await ada.does(lambda tx: projects.give_role(tx, ada.uri, guild.uri, bo.uri, "lead"))
    await fediverse.settle()
    fediverse.asleep = {ada.host}
    await bo.does(lambda tx: tx.db.execute(delete(Delivery)))

    for _ in range(3):
        await cy.upkeep.run_errands()
        await fediverse.settle()
        fediverse.later(seconds=EVERY.total_seconds())

    assert await guild.roles(cy) == {"ada": "lead", "bo": "lead", "cy": "member"}
    assert [row.what for row in await cy.knows(Visit)] == []


async def test_a_project_whose_members_all_sleep_is_asked_again(fediverse: Fediverse) -> None:
    guild, (bo, cy) = await guild_of(fediverse, "bo", "cy")
    await cy.upkeep.run_errands()
    fediverse.later(days=2)
    fediverse.asleep = {guild.ada.host, bo.host}

    for _ in range(2):
        await cy.upkeep.run_errands()
        fediverse.later(seconds=EVERY.total_seconds())

    assert [(row.what, row.whom, row.failures) for row in await cy.knows(Visit)] == [("log", guild.uri, 1)]


async def test_a_project_that_is_not_known_any_more_is_asked_for_nothing(fediverse: Fediverse) -> None:
    attic, _ = await neighbours(fediverse)
    await attic.does(lambda tx: visits.plan(tx, "log", select(Actor.uri).where(Actor.uri == attic.uri), tx.now))

    await replicas.hear_latest(attic.instance)

    assert await attic.knows(Visit) == []
