"""Words found again, by those who may read them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from sqlalchemy import text

from activitypub.document import Document
from coop import blocks, departures, posts, search
from tests.coop.neighbours import does, lives_at, neighbours, says
from tests.fediverse import Fediverse, Studio


async def indexes(studio: Studio) -> None:
    while await studio.does(search.index):
        pass


async def finds(studio: Studio, words: str, reader: str | None = None, **how: Any) -> list[str]:
    await indexes(studio)
    found = await studio.instance.store.read(lambda db: search.posts(db, reader, words, **{"limit": 20, **how}))
    return [one.uri for one in found]


async def indexed(studio: Studio) -> int:
    await indexes(studio)
    return await studio.instance.store.read(lambda db: db.execute(text("SELECT count(*) FROM search")).scalar_one())


@pytest.mark.parametrize(
    ("words", "is_found"),
    [
        ("ladder", True),
        ("LADDER borrow", True),
        ("borr", True),
        ("ladder piano", False),
        ("adder", False),
        ("  !? ", False),
        ("", False),
        ("strong", False),
    ],
)
async def test_a_post_is_found_by_its_words_and_their_beginnings(
    fediverse: Fediverse, words: str, is_found: bool
) -> None:
    attic, shop = await neighbours(fediverse)

    row = await says(attic, "Who lets me **borrow** a ladder?")

    assert await finds(attic, words) == await finds(shop, words) == ([row.uri] if is_found else [])


async def test_the_latest_is_found_first_page_by_page(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    rows = [await says(attic, f"Ladder number {number}") for number in range(3)]

    assert await finds(attic, "ladder") == [one.uri for one in reversed(rows)]
    assert await finds(attic, "ladder", limit=2) == [rows[2].uri, rows[1].uri]
    assert await finds(attic, "ladder", before=rows[1].id) == [rows[0].uri]


async def test_an_edit_is_found_by_its_new_words_alone_and_a_deleted_post_by_none(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    row = await says(attic, "Who has a ladder?")
    await indexes(shop)

    await does(attic, posts.edit, row.uri, "Who has a piano?")
    edited = (await finds(shop, "ladder"), await finds(shop, "piano"))
    await does(attic, posts.delete, row.uri)

    assert edited == ([], [row.uri])
    assert await finds(shop, "piano") == []
    assert await indexed(shop) == 0


@pytest.mark.proves("P-318")
async def test_nobody_finds_what_they_may_not_read(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    second = await lives_at(shop, "cy")
    await attic.meets(shop)
    private = await says(attic, "The ladder is behind the door", visibility="followers")
    direct = await says(attic, "The ladder is yours, @shop@shop.example", visibility="direct")

    assert await finds(shop, "ladder") == []
    assert await finds(shop, "ladder", second) == []
    assert await finds(shop, "ladder", shop.uri) == [direct.uri, private.uri]
    await does(shop, blocks.block, attic.uri)
    assert await finds(shop, "ladder", shop.uri) == []


async def test_who_left_is_found_no_more(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    await says(attic, "Who has a ladder?")
    await indexes(shop)

    await attic.does(lambda tx: departures.leave(tx, attic.uri))
    await fediverse.settle()

    assert await indexed(shop) == await indexed(attic) == 0


@pytest.mark.parametrize(
    "words", ["a' OR 1=1 --", 'ladder" NEAR(', "ladder:*", "NOT ladder", "ladder & | !", "\0ladder"]
)
async def test_no_words_are_taken_for_a_command(fediverse: Fediverse, words: str) -> None:
    attic = await fediverse.studio("attic")
    await says(attic, "Who has a ladder?")

    assert len(await finds(attic, words)) <= 1


@given(some.dictionaries(some.sampled_from(["name", "summary", "content", "skill", "attachment"]), some.text()))
def test_any_document_has_words(json: dict[str, str]) -> None:
    assert len(search.words_of(Document(dict(json)))) <= search.MAX_WORDS
