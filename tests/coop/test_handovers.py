"""Who joins a project later has what its members had promised each other before, from whoever is there to tell."""

from __future__ import annotations

import random
import secrets
from typing import Any

import msgspec
import pytest
from sqlalchemy import delete

from activitypub.document import Json
from coop import fulfilment, invitations, projects
from coop.commitments import Commitment
from federation.tables import Activity, Object, Receipt
from tests.coop.guild import Guild, guild_of, sends
from tests.coop.test_commitments import accepts as signs
from tests.coop.test_commitments import activity, agree, changes, keeps, proposes, refusals, standings
from tests.fediverse import Fediverse, Studio, key_pair


async def made_before(guild: Guild, bo: Studio) -> None:
    """One that is open in its second version, one that is kept, one released; and one that only one has signed."""
    ada = guild.ada
    root = await agree(guild, bo, ada)
    await signs(ada, await changes(bo, root, "Read them twice."))
    kept = await agree(guild, ada, bo, "Print them.")
    await keeps(ada, kept)
    await keeps(bo, kept)
    released = await agree(guild, bo, ada, "Bind them.")
    await ada.does(lambda tx: fulfilment.release(tx, ada.uri, released) and None)
    await proposes(guild, bo, ada, "Burn them.")


async def handed(*studios: Studio) -> list[tuple[Studio, Json]]:
    """What studios have handed over."""
    rows = [(one, msgspec.json.decode(row.body)) for one in studios for row in await one.knows(Activity)]
    return [(one, said) for one, said in rows if said["type"] == "Add" and said["target"] == said.get("context")]


async def hands_over(sender: Studio, guild: Guild, to: Studio, *documents: Json, **more: Any) -> None:
    """Send what we made up, as any member may."""
    uri = f"{sender.home}/made-up/{secrets.token_hex(4)}"
    add = await activity(sender, guild, "Add", list(documents), target=guild.uri, **more)
    await sends(sender, to, {**add, "id": uri})


async def states(studio: Studio) -> dict[str, tuple[Any, ...]]:
    """What both have signed, and what became of it."""
    rows = [one for one in await studio.knows(Commitment) if one.accepted]
    return {one.hash: (one.state, one.claim, one.thanks, one.release, one.accepted) for one in rows}


async def forget(studio: Studio) -> None:
    """As if nothing of it had come yet."""
    for table, which in ((Receipt, Receipt.type == "Add"), (Object, Object.type.in_(("Commitment", "EconomicEvent")))):
        await studio.does(lambda tx, table=table, which=which: tx.db.execute(delete(table).where(which)) and None)  # type: ignore[misc]
    await studio.does(lambda tx: tx.db.execute(delete(Commitment)) and None)


async def goes_by(fediverse: Fediverse) -> None:
    for _ in range(6):
        fediverse.later(minutes=10)
        await fediverse.settle()


@pytest.mark.proves("P-254", "P-265")
async def test_who_joins_later_has_what_was_promised_before(fediverse: Fediverse) -> None:
    guild, [bo] = await guild_of(fediverse, "bo")
    await made_before(guild, bo)
    cy = await fediverse.studio("cy")

    await guild.join(cy)

    assert await states(cy) == await states(guild.ada) == await states(bo)
    assert sorted(await standings(cy)) == ["kept", "open", "released", "replaced"]
    assert await refusals(cy, "Add") == []
    later = await agree(guild, cy, bo, "Sell them.")
    assert later in {one.uri for one in await guild.ada.knows(Commitment)}
    assert len(await handed(guild.ada, bo)) == 4  # three by Ada, who brings the log, and one that Bo signed last


@pytest.mark.proves("P-254", "P-265")
async def test_it_is_handed_over_though_who_promised_it_is_gone(fediverse: Fediverse) -> None:
    guild, [bo] = await guild_of(fediverse, "bo")
    await made_before(guild, bo)
    cy = await fediverse.studio("cy")
    fediverse.asleep.add(bo.host)  # for ever

    invitation = await guild.invite(cy)
    await goes_by(fediverse)
    await cy.does(lambda tx: invitations.accept(tx, cy.uri, invitation))
    await goes_by(fediverse)

    assert await states(cy) == await states(guild.ada)
    assert len(await states(cy)) == 4


@pytest.mark.proves("P-254", "P-265")
async def test_it_comes_from_all_who_have_it_and_is_there_once(fediverse: Fediverse) -> None:
    guild, [bo] = await guild_of(fediverse, "bo")
    await made_before(guild, bo)
    cy = await fediverse.studio("cy")
    invitation = await guild.invite(cy)
    fediverse.asleep.add(guild.ada.host)

    await cy.does(lambda tx: invitations.accept(tx, cy.uri, invitation))
    await fediverse.settle()
    from_bo = await standings(cy)
    fediverse.asleep.clear()
    await goes_by(fediverse)

    assert from_bo == ["kept"]  # which Bo signed last; Ada proposed it
    assert await states(cy) == await states(bo)
    assert len(await cy.knows(Commitment)) == 4


@pytest.mark.proves("P-254", "P-265")
@pytest.mark.parametrize("seed", range(3))
async def test_it_comes_in_any_order_and_before_the_log(fediverse: Fediverse, seed: int) -> None:
    guild, [bo] = await guild_of(fediverse, "bo")
    await made_before(guild, bo)
    cy, dee = await fediverse.studio("cy"), await fediverse.studio("dee")
    await guild.join(cy)
    single = [(one, {**add, "object": [said]}) for one, add in await handed(guild.ada, bo) for said in add["object"]]
    random.Random(seed).shuffle(single)

    await forget(cy)
    for to in (cy, dee):
        for sender, add in single:
            await hands_over(sender, guild, to, *add["object"], capability=add["capability"])
    early = await dee.knows(Commitment)
    await guild.join(dee)
    await goes_by(fediverse)

    assert early == []
    assert await states(cy) == await states(dee) == await states(guild.ada)
    assert [await refusals(one, "Add") for one in (cy, dee)] == [[], []]


@pytest.mark.proves("P-265", "P-267")
async def test_it_goes_to_nobody_else(fediverse: Fediverse) -> None:
    guild, [bo, dee] = await guild_of(fediverse, "bo", "dee")
    cellar, cy = await fediverse.studio("cellar"), await fediverse.studio("cy")
    await made_before(guild, bo)
    await agree(guild, dee, guild.ada, "Carry them.")
    await dee.does(lambda tx: projects.leave(tx, dee.uri, guild.uri))
    await guild.invite(cellar)
    fediverse.requests.clear()

    await guild.join(cy)

    adds = [add for _, add in await handed(guild.ada, bo)]
    assert {to for one in adds for to in one["to"]} == {cy.uri}
    assert await cellar.knows(Commitment) == []
    assert ("Read them" in str(adds), "Carry them" in str(adds)) == (True, False)  # who is in it alone


# --- Others ------------------------------------------------------------------------------------------------------


async def _signed(guild: Guild, bo: Studio) -> tuple[Json, Json, Json]:
    """An ``Accept``, an ``EconomicEvent``, and the ``Update`` that releases from another."""
    await made_before(guild, bo)
    rows = await guild.ada.knows(Commitment)
    event, update = (next(getattr(one, what) for one in rows if getattr(one, what)) for what in ("thanks", "release"))
    accept = next(one.accepted or {} for one in rows if one.state == "agreed" and not one.is_over)
    return accept, event, update


@pytest.mark.proves("P-254", "P-265", "P-320")
async def test_what_is_handed_over_is_nobodys_word_but_of_who_signed_it(fediverse: Fediverse) -> None:
    guild, [bo, mal] = await guild_of(fediverse, "bo", "mal")
    accept, event, update = await _signed(guild, bo)
    cy = await fediverse.studio("cy")
    await guild.join(cy)
    await forget(cy)
    result = accept["result"]
    forged = [
        {**accept, "result": {**result, "content": "<p>Everything.</p>"}},
        {**accept, "published": "2026-03-01T00:00:00Z"},
        {name: value for name, value in accept.items() if name != "proof"},
        {**accept, "result": {name: value for name, value in result.items() if name != "proof"}},
        await activity(mal, guild, "Accept", result["id"], result=result),
        {**await activity(mal, guild, "Accept", result["id"], result=result), "actor": accept["actor"]},
        {**accept, "id": f"{mal.home}/activities/1"},
        {**accept, "context": f"{mal.home}/projects/1"},
        await activity(mal, guild, "Create", result),
        result,
    ]

    for one in forged:
        await hands_over(mal, guild, cy, one)
    assert [one.accepted for one in await cy.knows(Commitment)] == []

    for sender, add in await handed(guild.ada):
        if event not in add["object"] and update not in add["object"]:
            await hands_over(sender, guild, cy, *add["object"])
        else:
            await hands_over(sender, guild, cy, *(one for one in add["object"] if one["type"] == "Accept"))
    for one in (
        {**event, "discoverable": not event["discoverable"]},
        {name: value for name, value in update.items() if name != "proof"},
        {**update, "actor": bo.uri, "id": f"{bo.home}/activities/1"},
        await activity(bo, guild, "Update", update["object"]),
    ):
        await hands_over(mal, guild, cy, one)
    assert sorted(await standings(cy)) == ["open", "open", "open", "replaced"]

    await hands_over(mal, guild, cy, event)
    await hands_over(mal, guild, cy, update)
    assert sorted(await standings(cy)) == ["kept", "open", "released", "replaced"]


@pytest.mark.proves("P-265")
async def test_what_was_signed_in_one_project_is_not_handed_over_in_another(fediverse: Fediverse) -> None:
    guild, [bo, cy] = await guild_of(fediverse, "bo", "cy")
    ada = guild.ada
    pair = key_pair(8)
    other = Guild(fediverse, ada, await ada.does(lambda tx: projects.create(tx, ada.uri, "Leaflets", "", pair).uri))
    await other.join(bo)
    await other.join(cy)
    await agree(other, bo, ada)
    [row] = await ada.knows(Commitment)
    await forget(cy)

    await hands_over(bo, guild, cy, row.accepted or {})
    in_another = (await states(cy), len(await refusals(cy, "Add")))
    await hands_over(bo, other, cy, row.accepted or {})

    assert in_another == ({}, 1)
    assert await states(cy) == await states(ada)


@pytest.mark.proves("P-254", "P-265")
async def test_it_waits_until_it_is_known_that_both_are_in_the_project(fediverse: Fediverse) -> None:
    """Who brings it may well know of a member that those to whom it is brought have not heard of yet."""
    guild, [cy] = await guild_of(fediverse, "cy")
    bo = await fediverse.studio("bo")
    await bo.meets(cy)
    fediverse.asleep.add(cy.host)
    await guild.join(bo)
    await agree(guild, bo, guild.ada)
    [row] = await guild.ada.knows(Commitment)
    fediverse.asleep.clear()

    await hands_over(guild.ada, guild, cy, row.accepted or {})
    early = (await guild.roles(cy), await states(cy), await refusals(cy, "Add"))
    await goes_by(fediverse)

    assert early == ({"ada": "lead", "cy": "member"}, {}, [])
    assert await states(cy) == await states(guild.ada)


@pytest.mark.proves("P-265")
async def test_nobody_hands_over_from_outside_or_too_much_at_once(fediverse: Fediverse) -> None:
    guild, [bo] = await guild_of(fediverse, "bo")
    accept, _, _ = await _signed(guild, bo)
    outsider, guest, cy = [await fediverse.studio(name) for name in ("outsider", "guest", "cy")]
    await guild.join(guest, "guest")
    await guild.join(cy)
    await forget(cy)

    await hands_over(outsider, guild, cy, accept)
    await hands_over(guest, guild, cy, accept)
    await hands_over(bo, guild, cy, *[accept] * 51)

    assert await cy.knows(Commitment) == []
    assert len(await refusals(cy, "Add")) == 3


@pytest.mark.proves("P-265")
async def test_of_who_is_in_it_no_more_nothing_is_taken(fediverse: Fediverse) -> None:
    """Who was removed could go on to sign, as if it had been before."""
    guild, [bo, mal] = await guild_of(fediverse, "bo", "mal")
    cy = await fediverse.studio("cy")
    await guild.join(cy)
    fediverse.asleep.add(cy.host)
    await agree(guild, bo, mal)
    [row] = await bo.knows(Commitment)
    await guild.ada.does(lambda tx: projects.remove(tx, guild.ada.uri, guild.uri, bo.uri))
    await fediverse.settle()
    await cy.does(lambda tx: tx.db.execute(delete(Receipt)) and None)
    fediverse.asleep.clear()
    await goes_by(fediverse)
    await forget(cy)

    await hands_over(mal, guild, cy, row.accepted or {})

    assert await cy.knows(Commitment) == []
