"""What posts were typed as: kept for whoever wrote them, and for nobody else."""

from __future__ import annotations

import pytest

from coop import essays, offers, posts, sources
from coop.departures import leave
from coop.errors import Trouble
from coop.events import Erased
from coop.offers import Draft as Offered
from coop.sources import Source
from tests.coop.neighbours import does, holds, neighbours, says
from tests.fediverse import Fediverse, Studio

TYPED = "Who has a *ladder*, @shop@shop.example?\n\n- long\n- light"


async def typed(studio: Studio, uri: str) -> str:
    row = await holds(studio, uri)
    return await studio.instance.store.read(lambda db: sources.of(db, row))


async def test_a_post_comes_back_as_it_was_typed_last(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    await attic.meets(shop)
    row = await says(attic, TYPED)

    first = await typed(attic, row.uri)
    fediverse.later(minutes=1)
    await does(attic, posts.edit, row.uri, "I have *one*.")

    assert first == TYPED
    assert await typed(attic, row.uri) == "I have *one*."
    assert TYPED not in str((await holds(shop, row.uri)).document)
    assert await shop.knows(Source) == []


async def test_of_what_came_otherwise_the_text_is_changed_and_nobody_is_mentioned_less(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    await attic.meets(shop)
    row = await says(attic, TYPED)
    [one] = await attic.knows(Source)

    await attic.does(lambda tx: sources.forget(tx, Erased(row, {})))
    read = await typed(attic, row.uri)

    assert one.text == TYPED
    assert read == "Who has a ladder, @shop@shop.example?\n\nlong\nlight"


async def test_of_a_long_post_the_whole_comes_back(fediverse: Fediverse) -> None:
    attic, _ = await neighbours(fediverse)
    text = "\n\n".join(f"Chapter {number}, and what we know of it." for number in range(800))
    row = await says(attic, text)

    assert len(row.document["content"]) < essays.BEGINNING + 300
    assert await typed(attic, row.uri) == text


async def test_what_is_taken_back_is_not_kept_as_it_was_typed(fediverse: Fediverse) -> None:
    attic, _ = await neighbours(fediverse)
    first, _ = await says(attic, "One"), await says(attic, "Two")

    await does(attic, posts.delete, first.uri)
    after = [row.text for row in await attic.knows(Source)]
    await attic.does(lambda tx: leave(tx, attic.uri))

    assert after == ["Two"]
    assert await attic.knows(Source) == []


async def test_what_others_rely_on_is_not_changed(fediverse: Fediverse) -> None:
    attic, _ = await neighbours(fediverse)
    offer = await attic.does(lambda tx: offers.open(tx, attic.uri, Offered("offer", "Maps", "By hand")).uri)

    with pytest.raises(Trouble, match="more than words"):
        await does(attic, posts.edit, offer, "Other maps")
