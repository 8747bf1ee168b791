"""Who leaves a project, or is removed, keeps a copy of it that they can read, and that never grows (FEATURES 55)."""

from __future__ import annotations

import pytest

from activitypub.document import Document
from coop import access, departures, invitations, keepsakes, posts, projects
from coop.acquaintances import LEFT
from coop.errors import NotAllowed, NotFound
from coop.keepsakes import Keepsake
from coop.projects import View
from coop.statements import Entry
from federation import discovery
from tests.coop.guild import Guild, guild_of
from tests.coop.neighbours import holds, lives_at
from tests.fediverse import Fediverse, Studio


async def view(studio: Studio, guild: Guild, reader: str | None = None) -> View:
    now = studio.fediverse.now
    return await studio.instance.store.read(lambda db: projects.show(db, guild.uri, reader or studio.uri, now))


async def kept_talk(studio: Studio, guild: Guild) -> list[str]:
    shown = await view(studio, guild)
    rows = await studio.instance.store.read(lambda db: db.scalars(projects.talk(guild.uri, shown.kept)).all())
    return [Document(row.document).text("content") for row in rows]


async def goes(guild: Guild, who: Studio, how: str) -> None:
    if how == "leaves":
        await who.does(lambda tx: projects.leave(tx, who.uri, guild.uri))
    else:
        await guild.ada.does(lambda tx: projects.remove(tx, guild.ada.uri, guild.uri, who.uri))
    await guild.fediverse.settle()


@pytest.mark.proves("P-253", "P-265")
@pytest.mark.parametrize("how", ["leaves", "is removed"])
async def test_who_goes_reads_on_what_was_said_before_and_nothing_after(fediverse: Fediverse, how: str) -> None:
    guild, (bo, cy) = await guild_of(fediverse, "bo", "cy")
    old = await guild.post(cy, "Before.")
    await goes(guild, bo, how)
    fediverse.later(minutes=1)

    await guild.post(cy, "After.")
    await guild.ada.does(lambda tx: projects.edit(tx, guild.ada.uri, guild.uri, "Another name"))
    await fediverse.settle()

    shown = await view(bo, guild)
    assert shown.kept is not None
    assert (shown.kept.role, [one.uri for one in shown.members]) == ("member", sorted([guild.ada.uri, cy.uri]))
    assert (shown.project.name, await kept_talk(bo, guild)) == ("Catalogue", ["<p>Before.</p>"])
    row = await holds(bo, old)
    assert await bo.instance.store.read(lambda db: access.may_read(db, row, bo.uri))
    with pytest.raises(NotAllowed):
        await guild.post(bo, "And one more thing.")


async def test_it_is_still_there_when_projects_of_others_are_forgotten(fediverse: Fediverse) -> None:
    guild, (bo,) = await guild_of(fediverse, "bo")
    await guild.post(bo, "Before.")
    await goes(guild, bo, "leaves")

    for _ in range(3):
        fediverse.later(days=LEFT.days)
        await bo.upkeep.do_chores()

    assert await kept_talk(bo, guild) == ["<p>Before.</p>"]
    assert await bo.knows(Entry) != []


async def test_of_two_who_share_a_server_the_one_who_left_sees_nothing_new_nor_what_an_old_post_says_now(
    fediverse: Fediverse,
) -> None:
    guild, (bo, cy) = await guild_of(fediverse, "bo", "cy")
    bea = await lives_at(bo, "bea")
    await discovery.fetch(guild.ada.instance, bea)
    uri = await guild.ada.does(lambda tx: invitations.invite(tx, guild.ada.uri, guild.uri, bea).id)
    await fediverse.settle()
    await bo.does(lambda tx: invitations.accept(tx, bea, uri))
    await fediverse.settle()
    first, second = await guild.post(cy, "First."), await guild.post(cy, "Second.")
    fediverse.later(minutes=1)
    await goes(guild, bo, "is removed")
    fediverse.later(minutes=1)

    third = await guild.post(cy, "Third.")
    await cy.does(lambda tx: posts.edit(tx, cy.uri, second, "Second, and a secret."))
    await fediverse.settle()

    assert len(await guild.talk(bo)) == 3
    assert await kept_talk(bo, guild) == ["<p>First.</p>"]
    rows = [await holds(bo, one) for one in (first, second, third)]
    may = [await bo.instance.store.read(lambda db, row=row: access.may_read(db, row, bo.uri)) for row in rows]  # type: ignore[misc]
    assert may == [True, False, False]
    assert (await view(bo, guild, bea)).kept is None


async def test_who_comes_back_is_a_member_like_others(fediverse: Fediverse) -> None:
    guild, (bo, cy) = await guild_of(fediverse, "bo", "cy")
    await goes(guild, bo, "leaves")
    await guild.join(bo)

    await guild.post(cy, "Welcome back.")

    assert (await view(bo, guild)).kept is None
    assert await bo.knows(Keepsake) == []
    assert await guild.talk(bo) == ["<p>Welcome back.</p>"]


async def test_nobody_else_has_a_copy_and_who_deletes_their_account_keeps_none(fediverse: Fediverse) -> None:
    guild, (bo, _) = await guild_of(fediverse, "bo", "cy")
    await goes(guild, bo, "leaves")

    assert await guild.ada.knows(Keepsake) == []
    with pytest.raises(NotFound):
        await view(guild.ada, guild, bo.uri)
    await guild.join(bo)
    await bo.does(lambda tx: departures.leave(tx, bo.uri))
    assert await bo.knows(Keepsake) == []
    assert await bo.instance.store.read(lambda db: db.scalars(keepsakes.kept_by(bo.uri)).all()) == []
