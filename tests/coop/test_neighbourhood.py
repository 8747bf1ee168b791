"""Who is on the map of somebody's co-op, and in what order."""

from __future__ import annotations

import pytest

from coop import blocks, neighbourhood
from coop.neighbourhood import Neighbourhood
from tests.coop.neighbours import does
from tests.coop.test_paths import keep, somebody, street, vouches
from tests.fediverse import Fediverse, Studio


async def around(studio: Studio, me: str | None = None) -> Neighbourhood:
    now = studio.instance.now()
    return await studio.instance.store.read(lambda db: neighbourhood.around(db, me or studio.uri, now))


async def test_those_whom_one_knows_come_first_and_then_those_whom_they_know(fediverse: Fediverse) -> None:
    attic, shop, garage = await street(fediverse)
    await shop.follows(attic)
    await vouches(garage, attic, "Everything")

    found = await around(attic)

    assert found.people == (shop.uri, garage.uri)
    assert {(step.by, step.to, step.follows, len(step.endorsements)) for step in found.steps} == {
        (attic.uri, shop.uri, True, 0),
        (shop.uri, attic.uri, True, 0),
        (shop.uri, garage.uri, False, 3),
        (garage.uri, attic.uri, False, 1),
    }


@pytest.mark.proves("P-334")
async def test_whoever_only_knows_us_is_not_on_it_nor_whom_one_blocks(fediverse: Fediverse) -> None:
    attic, shop, _ = await street(fediverse)
    mill = await fediverse.studio("mill")
    await mill.follows(attic)
    await vouches(mill, attic, "Everything")
    assert mill.uri not in (await around(attic)).people

    await does(attic, blocks.block, shop.uri)

    assert (await around(attic)).people == ()


@pytest.mark.on("sqlite")
async def test_there_is_place_for_so_many_and_those_who_are_nearest_have_it(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    near = [(0, number) for number in range(1, 26)]
    far = [(number % 2 + 1, number) for number in range(41, 90)]
    await attic.does(lambda tx: keep(tx, [*far, *near]))

    people = (await around(attic, somebody(0))).people

    assert len(people) == neighbourhood.PEOPLE
    assert {*people[:25]} == {somebody(number) for _, number in near}
