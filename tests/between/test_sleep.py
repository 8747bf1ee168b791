"""A studio is off for a week while others go on; when it is back, it misses nothing that any of them still holds."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import delete, select

from coop import invitations, offers, posts, projects, waking
from coop.admission import Invitation
from coop.feed import Entry as Shown
from coop.notifications import Notification
from coop.posts import Draft
from coop.visits import Visit
from federation.tables import Delivery, Lane, Object
from federation.upkeep import Upkeep
from tests.coop.guild import guild_of
from tests.coop.neighbours import says
from tests.coop.test_offers import TYPESETTER
from tests.fediverse import Fediverse, Studio, key_pair

DAY = timedelta(days=1)


async def works(studio: Studio, minutes: int = 6) -> None:
    """Let somebody's server go on for a while, its errands included, with everybody who is awake."""
    for _ in range(minutes):
        studio.fediverse.later(minutes=1)
        await studio.upkeep.run_errands()
        await studio.fediverse.settle()


async def wakes(studio: Studio) -> None:
    """Switch it on again: a new process with the same database."""
    studio.fediverse.asleep.discard(studio.host)
    studio.upkeep = Upkeep(studio.instance)
    await works(studio)


async def publishes(studio: Studio, text: str, **how: object) -> str:
    return await studio.does(lambda tx: posts.publish(tx, studio.uri, Draft(text, **how)).uri)  # type: ignore[arg-type]


async def drops_what_waits(studio: Studio, host: str) -> None:
    """As software does that gives up after a few days."""
    await studio.does(lambda tx: tx.db.execute(delete(Delivery).where(Delivery.lane == host)))
    await studio.does(lambda tx: tx.db.execute(delete(Lane).where(Lane.host == host)))


@pytest.mark.proves("P-173", "P-254", "P-167")
async def test_shows_coop_3_after_a_week_of_sleep_nothing_is_missing_and_nothing_is_there_twice(
    fediverse: Fediverse,
) -> None:
    guild, (bo, cy, sam) = await guild_of(fediverse, "bo", "cy", "sam")
    ada, dee = guild.ada, await fediverse.studio("dee")
    others = (ada, bo, cy, dee)
    for other in others:
        await sam.follows(other)
        await other.follows(sam)
    await fediverse.settle()
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
    await drops_what_waits(bo, sam.host)  # what was said in public it still has
    assert await missing(sam, said[bo.host]) == set(said[bo.host])

    await wakes(sam)

    mine = {row.uri: row.document for row in await sam.knows(Object)}
    for other in others:
        theirs = {row.uri: row.document for row in await other.knows(Object)}
        everything = [*said[other.host], old[other.host]]
        assert {uri: mine.get(uri) for uri in everything} == {uri: theirs[uri] for uri in everything}
    assert await guild.roles(sam) == {"ada": "lead", "cy": "member", "sam": "member"}
    assert [row.project for row in await sam.knows(Invitation) if row.state == "open"] == [second]
    shown = [row.object for row in await sam.knows(Shown)]
    told = [(row.kind, row.about) for row in await sam.knows(Notification)]
    assert (len(shown), len(told)) == (len(set(shown)), len(set(told)))
    slept = await sam.instance.store.read(waking.last_sleep)
    assert slept is not None
    assert slept.sentence == "42 posts, 4 offers, 1 invitation, 3 edits while you slept"
    assert await sam.knows(Visit) == []


async def offers_work(studio: Studio) -> str:
    return await studio.does(lambda tx: offers.open(tx, studio.uri, TYPESETTER).uri)


async def edits(studio: Studio, uri: str, text: str) -> None:
    await studio.does(lambda tx: posts.edit(tx, studio.uri, uri, text))


async def missing(studio: Studio, uris: list[str]) -> set[str]:
    query = select(Object.uri).where(Object.uri.in_(uris))
    return set(uris) - await studio.instance.store.read(lambda db: set(db.scalars(query)))
