"""What one member has reaches everybody who was let in meanwhile, in whatever order it comes (P-254)."""

from __future__ import annotations

from functools import partial
from random import Random

import pytest

from activitypub.document import Document
from coop import invitations, joining, logbook, projects
from federation.tables import Activity
from tests.coop.guild import Guild, found, guild_of
from tests.fediverse import Fediverse, Studio


async def hashes(guild: Guild, studio: Studio) -> set[str]:
    return {row.hash for row in await guild.log(studio) if not row.held}


async def leaves_unheard(guild: Guild, studio: Studio) -> Document:
    """`studio` leaves, and its server is never heard of again; gives the statement, which somebody may have had."""
    guild.fediverse.asleep.add(studio.host)
    await studio.does(lambda tx: projects.leave(tx, studio.uri, guild.uri))
    return Document((await guild.log(studio))[-1].document)


async def learns(studio: Studio, statement: Document) -> None:
    await studio.does(lambda tx: logbook.learn(tx, statement))
    await studio.fediverse.settle()


async def accepts(studio: Studio, invitation: str) -> None:
    await studio.does(lambda tx: invitations.accept(tx, studio.uri, invitation))
    await studio.fediverse.settle()


async def goes_by(fediverse: Fediverse, hours: int = 12) -> None:
    """Time in which all that is tried again is."""
    for _ in range(hours):
        fediverse.later(hours=1)
        await fediverse.settle()


@pytest.mark.proves("P-254")
@pytest.mark.parametrize("late", [False, True])
async def test_whoever_joins_hears_from_their_inviter_that_somebody_left(fediverse: Fediverse, late: bool) -> None:
    guild, (bo,) = await guild_of(fediverse, "bo")
    cy = await fediverse.studio("cy")
    invitation = await guild.invite(cy)
    leave = await leaves_unheard(guild, bo)

    if late:
        await accepts(cy, invitation)
        await learns(guild.ada, leave)
    else:
        await learns(guild.ada, leave)
        await accepts(cy, invitation)

    assert await guild.roles(cy) == {"ada": "lead", "cy": "member"}
    assert await hashes(guild, cy) == await hashes(guild, guild.ada)


@pytest.mark.proves("P-254")
async def test_whoever_joins_hears_from_those_who_left_themselves(fediverse: Fediverse) -> None:
    guild, (bo,) = await guild_of(fediverse, "bo")
    cy = await fediverse.studio("cy")
    invitation = await guild.invite(cy)
    fediverse.asleep.add(guild.ada.host)

    await bo.does(lambda tx: projects.leave(tx, bo.uri, guild.uri))
    await accepts(cy, invitation)

    assert await guild.roles(cy) == await guild.roles(bo) == {"ada": "lead", "cy": "member"}


@pytest.mark.proves("P-254")
async def test_whose_inviter_is_gone_hears_from_everybody_else(fediverse: Fediverse) -> None:
    guild, (bo, dee) = await guild_of(fediverse, "bo", "dee")
    ada, cy = guild.ada, await fediverse.studio("cy")
    await ada.does(lambda tx: projects.give_role(tx, ada.uri, guild.uri, bo.uri, "lead"))
    await fediverse.settle()
    invitation = await guild.invite(cy, by=bo)
    await bo.does(lambda tx: projects.leave(tx, bo.uri, guild.uri))
    await fediverse.settle()
    fediverse.asleep.add(bo.host)
    leave = await leaves_unheard(guild, dee)

    await accepts(cy, invitation)
    await learns(ada, leave)

    assert await guild.roles(cy) == {"ada": "lead", "cy": "member"}


@pytest.mark.proves("P-254")
async def test_two_who_join_at_the_same_time_hear_of_each_other(fediverse: Fediverse) -> None:
    guild, (bo,) = await guild_of(fediverse, "bo")
    ada, cy, dee = guild.ada, await fediverse.studio("cy"), await fediverse.studio("dee")
    await ada.does(lambda tx: projects.give_role(tx, ada.uri, guild.uri, bo.uri, "lead"))
    await fediverse.settle()
    by_ada, by_bo = await guild.invite(cy), await guild.invite(dee, by=bo)

    await cy.does(lambda tx: invitations.accept(tx, cy.uri, by_ada))
    await dee.does(lambda tx: invitations.accept(tx, dee.uri, by_bo))
    await fediverse.settle()

    everybody = {"ada": "lead", "bo": "lead", "cy": "member", "dee": "member"}
    assert [await guild.roles(one) for one in (ada, bo, cy, dee)] == [everybody] * 4


@pytest.mark.proves("P-251", "P-254")
async def test_whoever_joins_hears_who_asked_to_be_let_in_before_that_was_known(fediverse: Fediverse) -> None:
    guild, (bo,) = await guild_of(fediverse, "bo")
    ada, cy, dee = guild.ada, await fediverse.studio("cy"), await fediverse.studio("dee")
    await ada.does(lambda tx: projects.give_role(tx, ada.uri, guild.uri, bo.uri, "lead"))
    await fediverse.settle()
    invitation = await guild.invite(cy, "lead", by=bo)
    fediverse.asleep.add(bo.host)

    wish = await dee.does(lambda tx: joining.ask(tx, dee.uri, guild.uri))
    await fediverse.settle()
    await accepts(cy, invitation)

    now = fediverse.now
    view = await cy.instance.store.read(lambda db: projects.show(db, guild.uri, cy.uri, now))
    assert [one.id for one in view.requests] == [wish]


@pytest.mark.proves("P-254")
async def test_what_its_author_tells_everybody_is_told_once(fediverse: Fediverse) -> None:
    guild, (bo, cy) = await guild_of(fediverse, "bo", "cy")
    before = [len(await studio.knows(Activity)) for studio in (guild.ada, bo, cy)]

    await guild.ada.does(lambda tx: projects.edit(tx, guild.ada.uri, guild.uri, "Atlas", ""))
    await bo.does(lambda tx: projects.leave(tx, bo.uri, guild.uri))
    await fediverse.settle()

    after = [len(await studio.knows(Activity)) for studio in (guild.ada, bo, cy)]
    assert [late - early for early, late in zip(before, after, strict=True)] == [2, 1, 0]  # Ada's actor is told, too
    assert await guild.roles(cy) == {"ada": "lead", "cy": "member"}


@pytest.mark.proves("P-253", "P-254")
@pytest.mark.parametrize("seed", range(5))
async def test_whoever_sleeps_when_everybody_ends_with_the_same_log(fediverse: Fediverse, seed: int) -> None:
    chance, guild = Random(seed), await found(fediverse)
    ada, bo, cy, dee, eve, fay = guild.ada, *[await fediverse.studio(one) for one in ("bo", "cy", "dee", "eve", "fay")]
    await guild.join(bo, "lead")
    await guild.join(cy)
    to_dee, to_eve = await guild.invite(dee), await guild.invite(eve, "guest", by=bo)
    acts = [
        (dee, partial(invitations.accept, account=dee.uri, uri=to_dee)),
        (eve, partial(invitations.accept, account=eve.uri, uri=to_eve)),
        (cy, partial(projects.leave, member=cy.uri, uri=guild.uri)),
        (bo, partial(projects.edit, by=bo.uri, uri=guild.uri, name="Atlas", text="")),
        (fay, partial(joining.ask, account=fay.uri, project=guild.uri)),
    ]
    for who, act in chance.sample(acts, len(acts)):
        others = [one.host for one in (ada, bo, cy, dee, eve) if one is not who]
        fediverse.asleep = set(chance.sample(others, chance.randint(0, 3))) - ({ada.host} if who is fay else set())
        await who.does(lambda tx, act=act: act(tx))  # type: ignore[misc]
        await fediverse.settle()
    fediverse.asleep.clear()
    await goes_by(fediverse)

    logs = [await hashes(guild, studio) for studio in (ada, bo, dee, eve)]
    assert logs == [logs[0]] * 4
    assert await guild.roles(eve) == {"ada": "lead", "bo": "lead", "dee": "member", "eve": "guest"}
