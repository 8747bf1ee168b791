"""Nobody fills the logs that we keep, and whom we refuse tears no log apart (P-333)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from activitypub.document import Document
from activitypub.errors import Forbidden
from activitypub.proof import hash_of
from coop import floods, logbook, projects
from tests.coop.guild import Guild, guild_of, passes_on, proven, received, writer
from tests.fediverse import Fediverse, Studio


async def renames(
    guild: Guild, author: Studio, to: Studio, numbers: range, in_a_row: bool = False, **terms: Any
) -> list[Document]:
    """What `author` says to `to` alone; none comes after another, or each after the one before."""
    write, made = await writer(author, guild.uri), list[Document]()
    for number in numbers:
        group = {"id": guild.uri, "type": "Group", "name": f"Number {number}"}
        activity = write.update(f"{author.home}/activities/made-up-{number}", group) | terms
        if in_a_row and made:
            activity["after"] = [hash_of(made[-1].json)]
        made.append(Document(await proven(author, activity)))
    for document in made:
        await to.does(lambda tx, one=document: logbook.learn(tx, one))  # type: ignore[misc]
    return made


async def a_lead(fediverse: Fediverse, *names: str) -> tuple[Guild, list[Studio]]:
    """A project that is older than a day, in which Bo is a lead."""
    guild, studios = await guild_of(fediverse, "bo", *names)
    await guild.ada.does(lambda tx: projects.give_role(tx, guild.ada.uri, guild.uri, studios[0].uri, "lead"))
    await fediverse.settle()
    fediverse.later(days=2)
    return guild, studios


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> int:
    """So many a day, since five hundred signatures take long."""
    monkeypatch.setattr(floods, "MAX_A_DAY", 12)
    monkeypatch.setattr(floods, "MAX_OF_OUTSIDERS", 3)
    return 12


@pytest.mark.proves("P-333")
async def test_a_member_says_so_much_a_day(fediverse: Fediverse, few: int) -> None:
    guild, (bo, cy) = await a_lead(fediverse, "cy")
    await renames(guild, bo, cy, range(few))

    with pytest.raises(Forbidden, match=f"{few} things"):
        await renames(guild, bo, cy, range(few, few + 1))
    fediverse.later(days=1)
    await renames(guild, bo, cy, range(few + 1, few + 2))

    assert len([row for row in await guild.log(cy) if row.kind == "update"]) == few + 1


@pytest.mark.proves("P-333")
async def test_who_was_removed_says_less_about_it_afterwards(fediverse: Fediverse, few: int) -> None:
    guild, (bo, cy) = await a_lead(fediverse, "cy")
    before = (await writer(bo, guild.uri)).after
    await guild.ada.does(lambda tx: projects.remove(tx, guild.ada.uri, guild.uri, bo.uri))
    await fediverse.settle()

    with pytest.raises(Forbidden, match=r"3 things .*: wait a day"):
        await renames(guild, bo, cy, range(few), after=[*before])

    assert len([row for row in await guild.log(cy) if row.kind == "update"]) == 3


@pytest.mark.proves("P-253", "P-333")
async def test_what_another_member_goes_on_from_is_taken_however_much_there_was(fediverse: Fediverse, few: int) -> None:
    guild, (bo, cy) = await a_lead(fediverse, "cy")
    await renames(guild, bo, cy, range(few))
    surplus = await renames(guild, bo, guild.ada, range(few, few + 3), in_a_row=True)
    await guild.ada.does(lambda tx: projects.edit(tx, guild.ada.uri, guild.uri, "Atlas", ""))
    await fediverse.settle()
    waiting = [row.author for row in await guild.log(cy) if row.held]

    for one in reversed(surplus):
        await passes_on(guild.ada, cy, one.json)

    assert waiting == [guild.ada.uri]
    assert not any(row.held for row in await guild.log(cy))
    assert {hash_of(one.json) for one in surplus} <= {row.hash for row in await guild.log(cy)}


@pytest.mark.proves("P-333")
async def test_what_only_an_outsider_goes_on_from_is_not_taken_for_that(fediverse: Fediverse, few: int) -> None:
    guild, (bo, cy) = await a_lead(fediverse, "cy")
    mal = await fediverse.studio("mal")
    await mal.meets(cy)
    await cy.meets(mal)
    await renames(guild, bo, cy, range(few))
    [surplus] = await renames(guild, bo, bo, range(few, few + 1))
    join = (await writer(cy, guild.uri, mal.uri)).join(f"{mal.home}/activities/1")
    await passes_on(mal, cy, await proven(mal, join | {"after": [hash_of(surplus.json)]}))

    await passes_on(bo, cy, surplus.json)

    assert [row.author for row in await guild.log(cy) if row.held] == [mal.uri]
    assert "refused" in {state for state, _ in await received(cy, "Add")}


@pytest.mark.proves("P-254")
async def test_a_long_log_is_handed_over_on_the_first_day(fediverse: Fediverse, few: int) -> None:
    guild, (bo,) = await a_lead(fediverse)
    await renames(guild, bo, guild.ada, range(few), in_a_row=True)
    fediverse.later(days=1)
    await renames(guild, bo, guild.ada, range(few, 2 * few), in_a_row=True)
    cy = await fediverse.studio("cy")

    await guild.join(cy)

    assert len(await guild.log(cy)) == len(await guild.log(guild.ada))
    assert (await guild.roles(cy))["cy"] == "member"


@pytest.mark.proves("P-333")
async def test_what_waits_for_nothing_that_we_know_is_bounded(
    fediverse: Fediverse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(floods, "MAX_HELD", 4)
    guild, (bo, cy) = await a_lead(fediverse, "cy")
    await renames(guild, bo, cy, range(4), after=["zUnheardOf"])

    with pytest.raises(Forbidden, match="wait already"):
        await renames(guild, bo, cy, range(4, 5), after=["zUnheardOf"])

    assert len([row for row in await guild.log(cy) if row.held]) == 4


def test_the_limits_are_what_the_documentation_says() -> None:
    assert (500, 20, timedelta(days=1)) == (floods.MAX_A_DAY, floods.MAX_OF_OUTSIDERS, floods.DAY)
