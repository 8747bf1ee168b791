"""What somebody is told of the time in which their server slept."""

from __future__ import annotations

import pytest

from coop import offers, posts, waking
from coop.visits import Visit
from coop.waking import Slept, Waking
from federation.upkeep import Upkeep
from tests.coop.neighbours import neighbours, says
from tests.coop.test_offers import TYPESETTER
from tests.fediverse import Fediverse, Studio


async def last_sleep(studio: Studio) -> Slept | None:
    return await studio.instance.store.read(waking.last_sleep)


async def goes_on(studio: Studio, minutes: int = 1) -> None:
    for _ in range(minutes):
        studio.fediverse.later(minutes=1)
        await studio.upkeep.run_errands()
        await studio.fediverse.settle()


async def test_what_came_is_counted_by_when_it_was_said(
    fediverse: Fediverse, capfd: pytest.CaptureFixture[str]
) -> None:
    attic, shop = await neighbours(fediverse)
    old = await says(attic, "Before.")
    await goes_on(shop)
    fediverse.later(minutes=4)
    fediverse.asleep.add(shop.host)
    fediverse.later(hours=6)
    await says(attic, "Meanwhile.")
    await attic.does(lambda tx: offers.open(tx, attic.uri, TYPESETTER))
    await attic.does(lambda tx: posts.edit(tx, attic.uri, old.uri, "Before, put better."))
    await fediverse.settle()
    fediverse.later(hours=6)
    fediverse.asleep.clear()

    await goes_on(shop, 2)
    await says(attic, "Afterwards.")
    await goes_on(shop, 3)

    slept = await last_sleep(shop)
    assert slept is not None
    assert slept.came == {"posts": 1, "offers": 1, "edits": 1}
    assert slept.sentence == "1 post, 1 offer, 1 edit while you slept"
    logged = [line for line in capfd.readouterr().out.splitlines() if "server.caught_up" in line]
    assert len(logged) == 1
    assert "1 post, 1 offer, 1 edit while you slept" in logged[0]


async def test_a_sleep_through_a_restart_is_noticed(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    await goes_on(shop)
    fediverse.later(days=7)
    shop.upkeep = Upkeep(shop.instance)

    await shop.upkeep.run_errands()

    slept = await last_sleep(shop)
    assert slept is not None
    assert (slept.until - slept.since).days == 7
    assert (slept.outboxes_left, slept.sentence) == (1, "nothing while you slept")
    assert [(row.whom, row.since) for row in await shop.knows(Visit)] == [(attic.uri, slept.since)]


async def test_whoever_sleeps_again_before_all_is_read_is_told_of_both_times(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    await goes_on(shop)
    [awake] = await shop.knows(Waking)
    fediverse.asleep.add(attic.host)
    for _ in range(2):
        fediverse.later(days=2)
        await goes_on(shop)

    [visit] = await shop.knows(Visit)
    slept = await last_sleep(shop)
    assert visit.since == awake.until
    assert slept is not None
    assert (slept.since, (slept.until - slept.since).days) == (awake.until, 4)


async def test_only_the_last_sleep_is_kept_once_it_was_told(fediverse: Fediverse) -> None:
    _, shop = await neighbours(fediverse)
    for _ in range(3):
        fediverse.later(days=1)
        await goes_on(shop, 4)

    slept = await last_sleep(shop)
    assert slept is not None
    assert (slept.until - slept.since).days == 1
    assert len(await shop.knows(Waking)) == 2


async def test_the_first_start_is_no_waking(fediverse: Fediverse) -> None:
    _, shop = await neighbours(fediverse)
    fediverse.later(days=100)

    await shop.upkeep.run_errands()

    assert await last_sleep(shop) is None
    assert await shop.knows(Visit) == []
