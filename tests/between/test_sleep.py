"""A studio is off for a week while others go on; when it is back, it misses nothing that any of them still holds."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from sqlalchemy import delete, select

from coop import invitations, offers, posts, projects, waking
from coop.admission import Invitation
from coop.feed import Entry as Shown
from coop.mailboxes import Held
from coop.notifications import Notification
from coop.posts import Draft
from coop.visits import Visit
from federation.tables import Delivery, Lane, Object
from tests.coop.guild import Guild, guild_of
from tests.coop.mail import agrees, held, wakes, works
from tests.coop.neighbours import says
from tests.coop.test_offers import TYPESETTER
from tests.fediverse import Fediverse, Studio, key_pair


async def publishes(studio: Studio, text: str, **how: object) -> str:
    return await studio.does(lambda tx: posts.publish(tx, studio.uri, Draft(text, **how)).uri)  # type: ignore[arg-type]


async def drops_what_waits(studio: Studio, host: str) -> None:
    """As software does that gives up after a few days."""
    await studio.does(lambda tx: tx.db.execute(delete(Delivery).where(Delivery.lane == host)))
    await studio.does(lambda tx: tx.db.execute(delete(Lane).where(Lane.host == host)))


@dataclass
class Week:
    """What four others did while Sam slept: what they said, by their hosts, and where Sam was invited to."""

    sam: Studio
    guild: Guild
    others: tuple[Studio, ...]
    said: dict[str, list[str]]
    second: str

    async def shows_all(self) -> None:
        """All is as those have it who said it, and nothing is there twice."""
        mine = {row.uri: row.document for row in await self.sam.knows(Object)}
        for other in self.others:
            theirs = {row.uri: row.document for row in await other.knows(Object)}
            said = self.said[other.host]
            assert {uri: mine.get(uri) for uri in said} == {uri: theirs[uri] for uri in said}
        assert await self.guild.roles(self.sam) == {"ada": "lead", "cy": "member", "sam": "member"}
        shown = [row.object for row in await self.sam.knows(Shown)]
        told = [(row.kind, row.about) for row in await self.sam.knows(Notification)]
        assert (len(shown), len(told)) == (len(set(shown)), len(set(told)))

    async def invited(self) -> list[str]:
        return [row.project for row in await self.sam.knows(Invitation) if row.state == "open"]


async def a_week(fediverse: Fediverse, buddy: str | None = None) -> Week:
    """Sam sleeps, and has a buddy or none, while four others post, offer, invite and edit."""
    guild, (bo, cy, sam) = await guild_of(fediverse, "bo", "cy", "sam")
    ada, dee = guild.ada, await fediverse.studio("dee")
    others = (ada, bo, cy, dee)
    for other in others:
        await sam.follows(other)
        await other.follows(sam)
    await fediverse.settle()
    if buddy is not None:
        await agrees(sam, await fediverse.studio(buddy))
    old = {other.host: (await says(other, "Before the week.")).uri for other in others}
    await sam.upkeep.run_errands()

    fediverse.asleep.add(sam.host)
    said: dict[str, list[str]] = {other.host: [] for other in others}
    for day in range(7):
        fediverse.later(days=1)
        for other in others:
            said[other.host].append(await publishes(other, f"Day {day}."))
        said[cy.host].append(await publishes(cy, f"For @{sam.address} alone, {day}.", visibility="direct"))
        said[ada.host].append(await publishes(ada, f"For the guild, {day}.", visibility="project", project=guild.uri))
        await fediverse.settle()
    for other in others:
        said[other.host].append(await offers_work(other))
        await edits(other, said[other.host][0], "Day 0, put better.")
    for other in (ada, cy, dee):
        await edits(other, old[other.host], "As it was meant.")
    second = await dee.does(lambda tx: projects.create(tx, dee.uri, "Second", "", key_pair(8)).uri)
    await dee.meets(sam)
    await dee.does(lambda tx: invitations.invite(tx, dee.uri, second, sam.uri, "member", "Come!"))
    await ada.does(lambda tx: projects.remove(tx, ada.uri, guild.uri, bo.uri))
    await fediverse.settle()
    return Week(sam, guild, others, {host: [*uris, old[host]] for host, uris in said.items()}, second)


@pytest.mark.proves("P-173", "P-254", "P-167")
async def test_shows_coop_3_after_a_week_of_sleep_nothing_is_missing_and_nothing_is_there_twice(
    fediverse: Fediverse,
) -> None:
    week = await a_week(fediverse)
    sam, bo = week.sam, week.others[1]
    await drops_what_waits(bo, sam.host)  # what was said in public it still has
    new = week.said[bo.host][:-1]
    assert await missing(sam, new) == set(new)

    await wakes(sam)

    await week.shows_all()
    assert await week.invited() == [week.second]
    slept = await sam.instance.store.read(waking.last_sleep)
    assert slept is not None
    assert slept.sentence == "42 posts, 4 offers, 1 invitation, 3 edits while you slept"
    assert await sam.knows(Visit) == []


@pytest.mark.proves("P-173", "P-254", "P-167")
async def test_shows_coop_3_with_a_buddy_nothing_is_missing_even_if_everybody_else_sleeps_by_then(
    fediverse: Fediverse,
) -> None:
    week = await a_week(fediverse, buddy="eve")
    sam, eve = week.sam, fediverse.studios["eve.example"]
    for other in week.others:
        await works(other, 3)
        fediverse.asleep.add(other.host)
    assert {*await held(eve)} == {"ada", "bo", "cy", "dee"}
    assert not any(uri.encode() in row.sealed for row in await eve.knows(Held) for uri in week.said["bo.example"])

    await wakes(sam)

    await week.shows_all()
    assert (await held(eve), await week.invited()) == ([], [week.second])
    before = len(await sam.knows(Object))
    fediverse.asleep.clear()
    for _ in range(14):
        fediverse.later(hours=2)
        await works(sam, 1)
    await week.shows_all()
    assert len(await sam.knows(Object)) == before
    assert [row for other in week.others for row in await other.knows(Delivery) if row.state == "waiting"] == []


async def offers_work(studio: Studio) -> str:
    return await studio.does(lambda tx: offers.open(tx, studio.uri, TYPESETTER).uri)


async def edits(studio: Studio, uri: str, text: str) -> None:
    await studio.does(lambda tx: posts.edit(tx, studio.uri, uri, text))


async def missing(studio: Studio, uris: list[str]) -> set[str]:
    query = select(Object.uri).where(Object.uri.in_(uris))
    return set(uris) - await studio.instance.store.read(lambda db: set(db.scalars(query)))
