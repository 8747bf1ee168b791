"""What people get to read: everything meant for them, once, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from activitypub.document import timestamp
from coop import accounts, blocks, feed, follows, posts, reactions
from coop.feed import Entry
from federation import discovery
from tests.coop.neighbours import (
    account_of,
    all_of,
    does,
    holds,
    lives_at,
    made_up,
    neighbours,
    note_by,
    reads,
    says,
    sends,
)
from tests.fediverse import Fediverse, Studio


async def number_of(studio: Studio, name: str) -> int:
    return await studio.instance.store.read(lambda db: accounts.named(db, name).id)


async def page_of(studio: Studio, author: str, reader: str | None = None) -> list[str]:
    return [one.uri for one in await all_of(studio, feed.profile(author, reader))]


async def thread(studio: Studio, uri: str, reader: str | None = None) -> list[str]:
    row = await holds(studio, uri)
    return [one.uri for one in await studio.instance.store.read(lambda db: feed.conversation(db, row, reader))]


async def test_followers_and_the_author_read_a_post_latest_first(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    barn = await fediverse.studio("barn")
    await barn.meets(attic)

    first = await says(attic, "First")
    fediverse.later(minutes=1)
    second = await says(attic, "Second", visibility="followers")

    assert await reads(attic) == await reads(shop) == [second.uri, first.uri]
    assert await reads(barn) == []


@pytest.mark.proves("P-113", "P-317")
async def test_private_words_come_to_those_whom_they_name_and_to_no_other_follower(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    second = await lives_at(shop, "cy")
    await shop.does(lambda tx: follows.follow(tx, second, attic.uri))
    await fediverse.settle()
    await attic.meets(shop)

    row = await says(attic, "Only you, @shop@shop.example", visibility="direct")

    account = await account_of(shop)
    assert [(one.account, one.object) for one in await shop.knows(Entry)] == [
        (account.id, (await holds(shop, row.uri)).id)
    ]


async def test_an_answer_comes_to_those_who_follow_both(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    barn = await fediverse.studio("barn")
    await attic.follows(barn)
    await fediverse.settle()
    question = await says(barn, "Who has a ladder?")

    answer = await says(attic, "I have.", reply_to=question.uri)
    unheard = await reads(shop)
    await shop.follows(barn)
    await discovery.fetch(shop.instance, question.uri)
    await fediverse.settle()
    second = await says(attic, "Two, even.", reply_to=question.uri)

    assert answer.uri in await reads(barn)
    assert unheard == []
    assert second.uri in await reads(shop)


async def test_what_comes_late_stands_in_its_place(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    old = note_by(attic, published=timestamp(fediverse.now))
    fediverse.later(hours=2)
    new = await says(attic, "New")

    await sends(attic, shop, made_up(attic, "Create", object=old))

    assert await reads(shop) == [new.uri, old["id"]]


async def test_a_post_is_there_once_however_many_boost_it(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    barn = await fediverse.studio("barn")
    await shop.follows(barn)
    await barn.follows(attic)
    await fediverse.settle()
    row = await says(attic, "Hello")

    await does(barn, reactions.boost, row.uri)

    assert await reads(shop) == [row.uri]


async def test_who_is_newly_followed_is_read_at_once(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    second = await lives_at(attic, "cy")
    before = await attic.does(lambda tx: posts.publish(tx, second, posts.Draft("Said before")).uri)
    await attic.does(lambda tx: posts.publish(tx, second, posts.Draft("And to few", visibility="followers")))
    unheard = await reads(attic)

    await does(attic, follows.follow, second)

    assert unheard == []
    assert await reads(attic) == [before]


async def test_the_home_feed_is_turned_page_by_page(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    rows = []
    for number in range(5):
        fediverse.later(minutes=1)
        rows.append(await says(attic, f"Number {number}"))
    account = await account_of(attic)

    def turn(db: Any) -> list[list[str]]:
        pages, before = [], None
        while page := db.execute(feed.home(account.id, before).limit(2)).all():
            pages.append([row.Object.uri for row in page])
            before = page[-1].Entry.id
        return pages

    uris = [row.uri for row in reversed(rows)]
    assert await attic.instance.store.read(turn) == [uris[:2], uris[2:4], uris[4:]]


@pytest.mark.on("sqlite")  # PostgreSQL scans an empty table whatever the indexes
async def test_a_page_of_the_home_feed_is_one_range_of_an_index(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")

    def plan(db: Any) -> str:
        query = feed.home(1, 2).limit(20).compile(db.get_bind(), compile_kwargs={"literal_binds": True})
        return " ".join(row.detail for row in db.execute(text(f"EXPLAIN QUERY PLAN {query}")))

    found = await attic.instance.store.read(plan)
    assert "entries USING" in found
    assert "SCAN" not in found
    assert "TEMP B-TREE" not in found


async def test_a_deleted_post_is_read_no_more(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    row = await says(attic, "Hello")

    await does(attic, posts.delete, row.uri)

    assert await reads(attic) == await reads(shop) == []
    assert await page_of(shop, attic.uri) == []


@pytest.mark.proves("P-322")
async def test_after_a_block_neither_reads_the_other(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    barn = await fediverse.studio("barn")
    await shop.follows(barn)
    await barn.follows(attic)
    await fediverse.settle()
    own = await says(attic, "Hello")

    await does(shop, blocks.block, attic.uri)
    boosted = await says(attic, "Again")
    await does(barn, reactions.boost, boosted.uri)

    assert await reads(shop) == []
    assert await page_of(shop, attic.uri, shop.uri) == []
    assert own.uri in await page_of(attic, attic.uri)


@pytest.mark.proves("P-316")
async def test_a_boost_of_what_became_private_is_read_no_more(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    barn = await fediverse.studio("barn")
    await barn.follows(shop)
    await fediverse.settle()
    note = note_by(attic, cc=[barn.uri])
    for studio in (shop, barn):
        await sends(attic, studio, made_up(attic, "Create", object=note))
    other = note_by(attic)
    await sends(attic, shop, made_up(attic, "Create", object=other))
    row = await says(attic, "Public at first")
    await does(shop, reactions.boost, row.uri)
    before = await reads(barn)
    fediverse.later(hours=1)

    narrower = {**row.document, "to": [f"{attic.uri}/followers"], "cc": [], "updated": timestamp(fediverse.now)}
    await sends(attic, barn, made_up(attic, "Update", object=narrower))

    assert row.uri in before
    assert row.uri not in await reads(barn)


@pytest.mark.proves("P-316")
async def test_what_became_private_stays_with_those_alone_whom_it_is_for(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    bea = await lives_at(shop, "bea")
    note = note_by(attic)
    await sends(attic, shop, made_up(attic, "Create", object=note))
    before = await reads(shop)
    fediverse.later(minutes=5)

    narrower = {**note, "to": [bea], "content": "<p>For Bea</p>", "updated": timestamp(fediverse.now)}
    await sends(attic, shop, made_up(attic, "Update", object=narrower))

    assert before == [note["id"]]
    assert await reads(shop) == []
    assert [one.account for one in await shop.knows(Entry)] == [await number_of(shop, "bea")]


@pytest.mark.proves("P-231", "P-316")
async def test_who_was_sent_away_does_not_read_what_is_edited_afterwards(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    bea = await lives_at(shop, "bea")
    await shop.does(lambda tx: follows.follow(tx, bea, attic.uri))
    await fediverse.settle()
    row = await says(attic, "For those who follow", visibility="followers")
    await does(attic, follows.reject, shop.uri)
    fediverse.later(minutes=5)

    await does(attic, posts.edit, row.uri, "Other words for those who follow")

    assert await reads(shop) == []
    assert [one.account for one in await shop.knows(Entry)] == [await number_of(shop, "bea")]


@pytest.mark.proves("P-317", "P-318")
async def test_a_page_shows_each_reader_what_is_for_them(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    barn = await fediverse.studio("barn")
    await attic.meets(shop)
    public = await says(attic, "For all")
    unlisted = await says(attic, "For all who look", visibility="unlisted")
    private = await says(attic, "For those who follow", visibility="followers")
    await says(attic, "For you, @shop@shop.example", visibility="direct")

    everybody = [unlisted.uri, public.uri]
    assert await page_of(attic, attic.uri) == everybody
    assert await page_of(attic, attic.uri, barn.uri) == everybody
    assert await page_of(attic, attic.uri, shop.uri) == [private.uri, *everybody]
    assert await page_of(attic, attic.uri, attic.uri) == [private.uri, *everybody]


@pytest.mark.proves("P-318")
async def test_a_conversation_shows_each_reader_what_is_for_them(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    await attic.follows(shop)
    await fediverse.settle()
    question = await says(attic, "Who has a ladder?")
    answer = await says(shop, "I have.", reply_to=question.uri)
    aside = await says(attic, "How much?", reply_to=answer.uri, visibility="direct")

    assert await thread(attic, answer.uri) == [question.uri, answer.uri]
    assert await thread(attic, question.uri, shop.uri) == [question.uri, answer.uri, aside.uri]
    assert await thread(shop, aside.uri, attic.uri) == [question.uri, answer.uri, aside.uri]


@pytest.mark.proves("P-311")
async def test_a_conversation_that_runs_in_a_circle_comes_to_an_end(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    one, other = note_by(attic), note_by(attic)
    circle = ({**one, "inReplyTo": other["id"]}, {**other, "inReplyTo": one["id"]})
    for note in circle:
        await sends(attic, shop, made_up(attic, "Create", object=note))

    assert {*await thread(shop, one["id"])} == {one["id"], other["id"]}
