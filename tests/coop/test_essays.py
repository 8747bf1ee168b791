"""Long posts: what others get of them, and what is kept and shown here."""

from __future__ import annotations

import msgspec
import pytest
from sqlalchemy import select

from coop import essays, posts
from coop.departures import leave
from coop.errors import Trouble
from coop.essays import Essay
from federation.outbox import MAX_BODY, TooLong
from federation.tables import Activity, Object
from tests.coop.neighbours import all_of, does, first, has, holds, neighbours, says
from tests.fediverse import Fediverse, Studio

WORDS = "and whoever was there knows it as well as we do, and tells it better"
LONG = "\n\n".join(f"Chapter {n} of *what we learnt*, says @shop@shop.example, {WORDS}." for n in range(400))


async def page_of(studio: Studio, uri: str) -> str:
    answer = await studio.instance.client.get(uri, accept="text/html")
    return answer.body.decode()


@pytest.mark.proves("P-166")
async def test_of_a_long_post_a_beginning_travels_and_the_whole_is_on_its_page(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    await attic.meets(shop)

    row = await says(attic, LONG)

    [body] = await all_of(attic, select(Activity.body).where(Activity.type == "Create"))
    content = (await holds(shop, row.uri)).document["content"]
    assert len(body) < MAX_BODY
    assert content == msgspec.json.decode(body)["object"]["content"]
    assert content.startswith("<p>Chapter 0 of <em>what we learnt</em>")
    assert content.endswith(
        f'<a href="{row.uri}" rel="nofollow noopener noreferrer" target="_blank">{row.uri[8:]}</a></p>'
    )
    assert len(content) < essays.BEGINNING + 300
    assert "Chapter 399" not in content
    page = await page_of(shop, row.uri)
    assert [f"Chapter {n} of" in page for n in range(400)] == [True] * 400
    assert page.count("The whole text") == 0
    assert page.count(f'<a href="{shop.home}/@shop" class="u-url mention"') == 400


@pytest.mark.proves("P-166")
@pytest.mark.parametrize("character", ["x", "ж", "木", '"', "<", "\\\\", "@shop@shop.example "])
async def test_whatever_it_is_made_of_a_post_for_everybody_goes_out(fediverse: Fediverse, character: str) -> None:
    attic, shop = await neighbours(fediverse)

    for length in (5_000, 11_000, 17_000, 24_000):
        row = await says(attic, (character * length)[:length])

        assert await has(shop, row.uri) is not None
    assert max(map(len, await all_of(attic, select(Activity.body)))) < MAX_BODY


@pytest.mark.proves("P-166")
async def test_a_long_post_may_become_short_and_long_again(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    row = await says(attic, LONG)

    fediverse.later(minutes=1)
    await does(attic, posts.edit, row.uri, LONG.replace("learnt", "forgot"))
    changed = await page_of(shop, row.uri)
    fediverse.later(minutes=1)
    await does(attic, posts.edit, row.uri, "It was too much.")
    short = await page_of(shop, row.uri), await attic.knows(Essay), await holds(shop, row.uri)
    fediverse.later(minutes=1)
    await does(attic, posts.edit, row.uri, LONG)

    assert (changed.count("we forgot</em>"), changed.count("learnt")) == (400, 0)
    assert "It was too much." in short[0]
    assert (short[1], short[2].document["content"]) == ([], "<p>It was too much.</p>")
    assert (await page_of(shop, row.uri)).count("we learnt</em>") == 400


@pytest.mark.proves("P-166", "P-115")
async def test_nothing_is_left_of_a_long_post_that_is_deleted_or_whose_author_leaves(fediverse: Fediverse) -> None:
    attic, _ = await neighbours(fediverse)
    row = await says(attic, LONG)
    await says(attic, LONG)

    await does(attic, posts.delete, row.uri)
    one = len(await attic.knows(Essay))
    await does(attic, lambda tx, who: leave(tx, who))

    assert (one, await attic.knows(Essay)) == (1, [])


@pytest.mark.proves("P-166")
async def test_what_is_for_a_few_is_never_cut_for_they_could_not_read_on(fediverse: Fediverse) -> None:
    attic, _ = await neighbours(fediverse)

    with pytest.raises(TooLong, match="shorten it"):
        await says(attic, LONG, visibility="followers")

    assert await first(attic, select(Object)) is None


async def test_a_post_may_be_as_long_as_its_page_shows(fediverse: Fediverse) -> None:
    attic, _ = await neighbours(fediverse)

    with pytest.raises(Trouble, match="write it in parts"):
        await says(attic, "#a " * 30_000)

    assert await attic.knows(Essay) == []
