"""Who is told that a server is awake again, and what becomes of it there."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest
from sqlalchemy import select

from activitypub.document import Document
from coop import greetings
from federation.settling import GIVE_UP, GIVE_UP_PEER
from federation.tables import Activity, Delivery, Lane, Object
from tests.coop.guild import guild_of
from tests.coop.neighbours import first, has, made_up, neighbours, says
from tests.federation.stranger import Stranger
from tests.fediverse import Fediverse, Studio


async def friends(fediverse: Fediverse) -> tuple[Studio, Studio]:
    """Ada in the attic and Bo above the shop, who follow each other, both awake."""
    attic, shop = await neighbours(fediverse)
    await attic.follows(shop)
    await fediverse.settle()
    for one in (attic, shop):
        await one.upkeep.run_errands()
    return attic, shop


async def sleeps(studio: Studio, **time: float) -> None:
    """Others go on meanwhile, and try to reach it now and then."""
    studio.fediverse.asleep.add(studio.host)
    for _ in range(4):
        studio.fediverse.later(seconds=timedelta(**time).total_seconds() / 4)
        await studio.fediverse.settle()
    studio.fediverse.asleep.discard(studio.host)


async def beats(studio: Studio) -> None:
    await studio.upkeep.run_errands()
    await studio.fediverse.settle()


async def told(studio: Studio) -> list[str]:
    """The hosts to which it has said that it is awake."""
    sent = select(Delivery).join(Activity, Activity.id == Delivery.activity).where(Activity.type == "Arrive")
    rows = await studio.instance.store.read(lambda db: list(db.scalars(sent)))
    return sorted(row.lane for row in rows)


async def lane(studio: Studio, other: Studio) -> Lane:
    found = await first(studio, select(Lane).where(Lane.host == other.host))
    assert found is not None
    return found


@pytest.mark.proves("P-167", "P-164")
async def test_what_waits_for_a_studio_comes_as_soon_as_it_is_awake(fediverse: Fediverse) -> None:
    attic, shop = await friends(fediverse)
    fediverse.asleep.add(shop.host)
    post = await says(attic, "Are you there?")
    await sleeps(shop, days=2)
    waiting = await lane(attic, shop)
    assert waiting.due is not None
    assert waiting.due - fediverse.now > timedelta(minutes=2)

    await beats(shop)

    assert await has(shop, post.uri)


@pytest.mark.proves("P-167")
async def test_it_comes_at_once_even_if_a_proxy_answered_while_the_studio_slept(fediverse: Fediverse) -> None:
    attic, shop = await friends(fediverse)
    app = shop.app
    fediverse.strangers[shop.host] = lambda request: httpx.Response(502)
    post = await says(attic, "Are you there?")
    for _ in range(6):
        fediverse.later(hours=8)
        await fediverse.settle()
    assert (await lane(attic, shop)).error == f"{shop.host} answers 502"
    del fediverse.strangers[shop.host]
    assert shop.app is app

    await beats(shop)

    assert await has(shop, post.uri)


async def test_those_are_told_with_whom_something_goes_both_ways_and_nobody_learns_of_the_others(
    fediverse: Fediverse,
) -> None:
    guild, (bo, cy) = await guild_of(fediverse, "bo", "cy")
    dee, fan, stranger = await fediverse.studio("dee"), await fediverse.studio("fan"), Stranger(fediverse)
    await cy.follows(dee)
    await dee.follows(cy)
    await fan.follows(cy)
    mia = stranger.actor("mia")
    await fediverse.settle()
    await cy.upkeep.run_errands()
    await sleeps(cy, hours=6)

    await beats(cy)

    assert await told(cy) == [guild.ada.host, bo.host, dee.host]
    assert mia not in await told(cy)
    [arrive] = [Document.parse(one.body) for one in await cy.knows(Activity) if one.type == "Arrive"]
    assert sorted(arrive.json.keys() - {"@context", "proof"}) == ["actor", "id", "type"]
    assert arrive.uri("actor") == cy.instance.uri


async def test_whoever_has_no_peers_says_nothing(fediverse: Fediverse) -> None:
    _, shop = await neighbours(fediverse)
    await shop.upkeep.run_errands()
    await sleeps(shop, hours=6)

    await beats(shop)

    assert [one.type for one in await shop.knows(Activity)] == ["Follow"]


async def test_a_short_absence_is_no_sleep_nor_is_a_clock_that_is_set_back(fediverse: Fediverse) -> None:
    _, shop = await friends(fediverse)

    for minutes in (25, -300, 25, 25):
        fediverse.later(minutes=minutes)
        await beats(shop)

    assert await told(shop) == []


@pytest.mark.proves("P-167")
async def test_nobody_wakes_the_lane_to_another_server(fediverse: Fediverse) -> None:
    attic, shop = await friends(fediverse)
    eve = await fediverse.studio("eve")
    await says(attic, "Hello")
    fediverse.asleep.add(shop.host)
    await says(attic, "Are you there?")
    due = (await lane(attic, shop)).due

    arrive = made_up(eve, "Arrive", object=shop.uri, origin=shop.home)
    answer = await eve.sends(f"{attic.uri}/inbox", arrive)
    await fediverse.settle()

    assert answer.status == 202
    assert (await lane(attic, shop)).due == due


@pytest.mark.proves("P-167")
async def test_a_studio_is_waited_for_longer_than_others_are(fediverse: Fediverse) -> None:
    attic, shop = await friends(fediverse)
    fediverse.asleep.add(shop.host)
    post = await says(attic, "Are you there?")
    parked = []
    for days in (GIVE_UP.days + 1, GIVE_UP_PEER.days - GIVE_UP.days - 2, 2):
        fediverse.later(days=days)
        await fediverse.settle()
        parked.append((await lane(attic, shop)).parked is not None)
    assert parked == [False, False, True]

    fediverse.asleep.clear()
    await beats(shop)

    assert await has(shop, post.uri)


async def test_a_greeting_is_sent_once_to_a_server_with_several_friends(fediverse: Fediverse) -> None:
    guild, (bo,) = await guild_of(fediverse, "bo")
    await bo.follows(guild.ada)
    await guild.ada.follows(bo)
    await fediverse.settle()
    await bo.upkeep.run_errands()
    await sleeps(bo, hours=6)

    await beats(bo)

    assert await told(bo) == [guild.ada.host]
    assert len(await bo.instance.store.read(lambda db: list(db.scalars(greetings.peers())))) == 1
    assert [row for row in await guild.ada.knows(Object) if row.type == "Arrive"] == []
