"""What two have done together, to choose what an endorsement is about."""

from __future__ import annotations

from coop import agreements, works
from tests.coop.guild import guild_of
from tests.coop.neighbours import lives_at
from tests.coop.test_agreements import agreed
from tests.coop.test_commitments import agree, keeps
from tests.fediverse import Fediverse, Studio


async def together(studio: Studio, other: str, one: str | None = None) -> list[tuple[str, bool]]:
    """The words of each, and whether it is done."""
    done = await studio.instance.store.read(lambda db: works.done_together(db, one or studio.uri, other))
    return [(work.words, work.done is not None) for work in done]


async def test_promises_that_were_kept_and_projects_that_both_are_in(fediverse: Fediverse) -> None:
    guild, [bo, cy] = await guild_of(fediverse, "bo", "cy")
    await agree(guild, bo, guild.ada, "Still *open*.")
    await keeps(guild.ada, await agree(guild, bo, guild.ada))
    await keeps(cy, await agree(guild, bo, cy, "For another."))
    eve = await lives_at(bo, "eve")

    assert await together(bo, guild.ada.uri) == [("Read the proofs.", True), ("Catalogue", False)]
    assert await together(guild.ada, bo.uri) == [("Read the proofs.", True), ("Catalogue", False)]
    assert await together(guild.ada, cy.uri) == [("Catalogue", False)]
    assert await together(bo, guild.ada.uri, one=eve) == []


async def test_what_was_agreed_and_is_done(fediverse: Fediverse) -> None:
    attic, shop, made = await agreed(fediverse)
    before = await together(attic, shop.uri)

    await attic.does(lambda tx: agreements.confirm(tx, attic.uri, made))
    await fediverse.settle()

    assert before == []
    for one, other in ((attic, shop), (shop, attic)):
        [(words, is_done)] = await together(one, other.uri)
        assert (words, is_done) == ("Typesetter for a catalogue", True)
