"""How one of us knows somebody: told in words, by those in between, and by nobody who merely says so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from sqlalchemy import delete

from activitypub import endorsement
from coop import blocks, endorsements, paths, projects
from coop.endorsements import Endorsement
from coop.paths import Step, Way
from federation import ids
from federation.store import Transaction
from tests.coop.guild import found
from tests.coop.neighbours import does, lives_at
from tests.federation.stranger import Stranger
from tests.fediverse import Fediverse, Studio

NOW = datetime.fromisoformat("2026-03-02T09:00:00Z")
ME = "https://attic.example/actors/me"


async def ways(studio: Studio, to: str, me: str | None = None) -> list[Way]:
    now = studio.instance.now()
    return await studio.instance.store.read(lambda db: paths.ways(db, me or studio.uri, to, now))


async def told(studio: Studio, to: str) -> list[str]:
    found = await ways(studio, to)
    return await studio.instance.store.read(lambda db: [paths.words(db, way) for way in found])


async def vouches(one: Studio, other: Studio, skill: str, work: str | None = None) -> str:
    await one.meets(other)
    row = await one.does(lambda tx: endorsements.give(tx, one.uri, other.uri, [skill], "Well done.", work=work))
    await one.fediverse.settle()
    return row.uri


async def street(fediverse: Fediverse) -> tuple[Studio, Studio, Studio]:
    """Ada in the attic follows Bo above the shop, who worked with Cy in the garage three times."""
    attic, shop, garage = [await fediverse.studio(name) for name in ("attic", "shop", "garage")]
    await attic.follows(shop)
    await fediverse.settle()
    await attic.meets(garage)
    for number in range(3):
        await vouches(shop, garage, "Welding", f"https://shop.example/gate/{number}")
    return attic, shop, garage


async def test_a_friend_who_worked_with_somebody_three_times_is_a_reason(fediverse: Fediverse) -> None:
    attic, shop, garage = await street(fediverse)

    [way] = await ways(attic, garage.uri)

    assert [(step.by, step.to, step.follows) for step in way] == [
        (attic.uri, shop.uri, True),
        (shop.uri, garage.uri, False),
    ]
    assert (len(way[1].works), way[1].skills) == (3, ("Welding",))
    assert await told(attic, garage.uri) == [
        "You follow Shop (shop@shop.example); Shop (shop@shop.example) worked with Garage (garage@garage.example) "
        "3 times and vouches for Garage (garage@garage.example): Welding"
    ]
    assert await told(attic, shop.uri) == ["You follow Shop (shop@shop.example)"]
    assert await told(garage, attic.uri) == []


@pytest.mark.proves("P-245")
async def test_what_was_taken_back_or_is_over_is_no_reason(fediverse: Fediverse) -> None:
    attic, shop, garage = await street(fediverse)
    given_here = [row.uri for row in await attic.knows(Endorsement)]
    for uri in given_here:
        await does(shop, endorsements.revoke, uri)
    assert await ways(attic, garage.uri) == []

    until = fediverse.now.replace(month=6)
    await shop.does(lambda tx: endorsements.give(tx, shop.uri, garage.uri, ["Welding"], "For now.", until=until))
    await fediverse.settle()
    before = len(await ways(attic, garage.uri))
    fediverse.later(days=120)

    assert (before, await ways(attic, garage.uri)) == (1, [])


@pytest.mark.proves("P-334")
async def test_a_crowd_that_vouches_for_itself_and_for_us_leads_nowhere(fediverse: Fediverse) -> None:
    attic, shop, garage = [await fediverse.studio(name) for name in ("attic", "shop", "garage")]
    await attic.follows(shop)
    await shop.meets(attic)
    await shop.meets(garage)
    await garage.follows(attic)
    await vouches(garage, attic, "Everything")
    await vouches(garage, shop, "Everything")
    mallory = Stranger(fediverse)
    uri = mallory.actor("mallory")

    assert await ways(attic, garage.uri) == []
    assert await ways(attic, uri) == []


async def test_with_whom_there_is_a_block_there_is_no_way(fediverse: Fediverse) -> None:
    attic, shop, garage = await street(fediverse)

    await does(attic, blocks.block, shop.uri)

    assert await ways(attic, garage.uri) == []
    assert await ways(attic, shop.uri) == []


async def test_whom_a_neighbour_follows_is_nobody_elses_to_know(fediverse: Fediverse) -> None:
    attic, _, garage = await street(fediverse)
    eve = await lives_at(attic, "eve")

    assert await ways(attic, garage.uri, me=eve) == []


@pytest.mark.parametrize("public", [False, True])
async def test_a_project_is_a_reason_for_those_in_it_and_for_all_if_it_shows_who_is(
    fediverse: Fediverse, public: bool
) -> None:
    guild = await found(fediverse)
    bo, cy = await fediverse.studio("bo"), await fediverse.studio("cy")
    for studio in (bo, cy):
        await guild.join(studio)
    eve = await lives_at(guild.ada, "eve")
    await guild.ada.does(lambda tx: projects.edit(tx, guild.ada.uri, guild.uri, "Catalogue", "Text", public=public))
    await guild.ada.does(lambda tx: endorsements.give(tx, eve, guild.ada.uri, ["Cooking"], "Soup."))
    await fediverse.settle()

    await bo.meets(guild.ada)
    cys = f"Cy ({cy.uri})"
    assert await told(bo, cy.uri) == [
        f"You have worked with {cys} once",
        f"You have worked with Ada (ada@ada.example) once; Ada (ada@ada.example) worked with {cys} once",
    ]
    assert len(await ways(guild.ada, bo.uri, me=eve)) == (2 if public else 0)


async def test_what_somebody_would_rather_not_have_shown_is_not_told(fediverse: Fediverse) -> None:
    attic, shop, _ = await street(fediverse)
    eve = await lives_at(attic, "eve")
    await attic.does(lambda tx: endorsements.give(tx, eve, shop.uri, ["Patience"], "Waits."))
    uri = await vouches(shop, attic, "Patience")
    before = len(await ways(attic, attic.uri, me=eve))

    await does(attic, endorsements.decline, uri)

    assert (before, await ways(attic, attic.uri, me=eve)) == (1, [])


# --- Of any shape ------------------------------------------------------------------------------------------------


def somebody(number: int) -> str:
    return ME if number == 0 else f"https://far.example/actors/{number:03}"


def keep(tx: Transaction, edges: Iterable[tuple[int, int]]) -> None:
    """Let each vouch for the other, as if it had come from elsewhere."""
    tx.db.execute(delete(Endorsement))
    for number, (one, other) in enumerate(edges):
        uri = f"https://far.example/notes/{number:04}"
        said = endorsement.Endorsement(f"{uri}#endorsement", somebody(one), somebody(other), ("Any",), "peer", "", NOW)
        fields: dict[str, Any] = {"endorser": said.author, "subject": said.subject, "hash": uri, "inner": said.write()}
        tx.db.add(Endorsement(id=ids.new(tx.now) + number, uri=uri, received=tx.now, display="accepted", **fields))
    tx.db.flush()


def distances(edges: Sequence[tuple[int, int]]) -> dict[str, int]:
    found, frontier = {0: 0}, [0]
    for depth in range(1, paths.DEPTH + 1):
        frontier = sorted({other for one, other in edges if one in frontier and other not in found})
        found |= dict.fromkeys(frontier, depth)
    return {somebody(one): depth for one, depth in found.items() if one}


@pytest.mark.on("sqlite")
async def test_everybody_within_three_steps_is_near_by_a_shortest_way(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    pairs = some.tuples(some.integers(0, 9), some.integers(0, 9)).filter(lambda pair: pair[0] != pair[1])
    cases: list[list[tuple[int, int]]] = []

    @settings(max_examples=60)
    @given(some.lists(pairs, max_size=25, unique=True))
    def collect(edges: list[tuple[int, int]]) -> None:
        cases.append(edges)

    collect()
    for edges in cases:
        await attic.does(lambda tx, edges=edges: keep(tx, edges))  # type: ignore[misc]
        near = await attic.instance.store.read(lambda db: paths.reach(db, ME, NOW))
        assert {uri: len(way) for uri, way in near.items()} == distances(edges)
        for uri, way in near.items():
            assert [way[0].by, *(step.to for step in way)][-1] == uri
            assert all(one.to == after.by for one, after in pairwise(way))
        again = await attic.instance.store.read(lambda db: paths.reach(db, ME, NOW))
        assert again == near


@pytest.mark.proves("P-332")
async def test_nobody_crowds_out_others_by_vouching_for_thousands(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    crowd = [(1, number) for number in range(100, 100 + 2 * paths.EACH)]
    await attic.does(lambda tx: keep(tx, [(0, 1), (0, 2), (2, 3), *crowd]))

    near = await attic.instance.store.read(lambda db: paths.reach(db, ME, NOW))

    assert [step.by for step in near[somebody(3)]] == [ME, somebody(2)]
    assert len(near) == 3 + paths.EACH


async def test_whoever_is_not_known_goes_by_their_address(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    way = (Step(ME, "https://far.example/actors/1", follows=True),)

    assert await attic.instance.store.read(lambda db: paths.words(db, way)) == "You follow https://far.example/actors/1"
