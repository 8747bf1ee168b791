"""What needs somebody's attention: told once, counted, seen, and never without bound."""

from __future__ import annotations

from typing import Any

import pytest

from coop import blocks, endorsements, follows, notifications, posts, reactions
from coop.events import Notice, tell
from coop.notifications import Notification
from tests.coop.neighbours import account_of, all_of, does, neighbours, says
from tests.fediverse import Fediverse, Studio


async def told(studio: Studio) -> list[tuple[str, str]]:
    account = await account_of(studio)
    rows = await all_of(studio, notifications.listing(account.id))
    return [(one.kind, one.about) for one in rows if not one.kind.startswith("follow")]


async def hears(studio: Studio, *notices: Notice) -> None:
    def say(tx: Any) -> None:
        for notice in notices:
            tell(tx, notice)

    await studio.does(say)


async def test_answers_mentions_likes_and_boosts_are_told_latest_first(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    await shop.meets(attic)
    row = await says(attic, "Who has a ladder?")

    await does(shop, reactions.like, row.uri)
    await does(shop, reactions.boost, row.uri)
    answer = await says(shop, "I have.", reply_to=row.uri)
    mention = await says(shop, "@attic@attic.example come by")

    assert await told(attic) == [
        ("mention", mention.uri),
        ("reply", answer.uri),
        ("boost", row.uri),
        ("like", row.uri),
    ]


async def test_the_same_is_told_once_however_often_it_happens(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    row = await says(attic, "Hello")

    for _ in range(3):
        await does(shop, reactions.like, row.uri)
        await does(shop, reactions.unlike, row.uri)

    assert await told(attic) == [("like", row.uri)]


async def test_what_is_new_is_counted_until_it_was_seen(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    account = await account_of(attic)
    some = [Notice("like", attic.uri, f"https://shop.example/{number}", "https://x.example/1") for number in range(3)]
    await hears(attic, *some)
    store = attic.instance.store
    rows = await all_of(attic, notifications.listing(account.id))
    before = await store.read(lambda db: notifications.unread(db, account.id))

    await attic.does(lambda tx: notifications.mark_read(tx, account.id, rows[1].id))

    assert before == 3
    assert await store.read(lambda db: notifications.unread(db, account.id)) == 1
    older = await all_of(attic, notifications.listing(account.id, before=rows[0].id))
    assert [one.id for one in older] == [rows[1].id, rows[2].id]


async def test_a_crowd_fills_neither_the_count_nor_the_disk(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    account = await account_of(attic)
    many = notifications.KEPT + 5
    crowd = [Notice("follow", attic.uri, f"https://crowd.example/{number}") for number in range(many)]

    await hears(attic, *crowd)
    await attic.does(notifications.forget_oldest)

    kept = await all_of(attic, notifications.listing(account.id))
    assert len(kept) == notifications.KEPT
    assert kept[0].by == f"https://crowd.example/{many - 1}"
    assert await attic.instance.store.read(lambda db: notifications.unread(db, account.id)) == notifications.MANY


@pytest.mark.proves("P-322")
async def test_nothing_is_told_of_somebody_blocked(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    row = await says(attic, "Hello")
    await does(shop, reactions.like, row.uri)

    await does(attic, blocks.block, shop.uri)
    await hears(attic, Notice("mention", attic.uri, shop.uri, "https://shop.example/1"))

    assert await attic.knows(Notification) == []


async def test_what_is_deleted_needs_no_attention(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    mention = await says(shop, "Hello")
    await attic.does(lambda tx: tell(tx, Notice("mention", attic.uri, shop.uri, mention.uri)))
    before = await told(attic)
    await attic.follows(shop)
    await fediverse.settle()
    await says(shop, "Known from now on")
    second = await says(shop, "@attic@attic.example hello")

    await does(shop, posts.delete, second.uri)

    assert before == [("mention", mention.uri)]
    assert await told(attic) == [("mention", mention.uri)]


async def test_whoever_was_endorsed_still_reads_that_it_was_taken_back(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    await attic.meets(shop)
    row = await does(attic, endorsements.give, shop.uri, ["Lettering"], "A steady hand")

    await does(attic, endorsements.revoke, row.uri)

    assert await told(shop) == [("endorsement revoked", row.uri)]


async def test_nobody_is_told_of_what_they_did_themselves(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    row = await says(attic, "Hello")

    await does(attic, reactions.like, row.uri)
    await hears(attic, Notice("follow", "https://elsewhere.example/actor", attic.uri))

    assert await attic.knows(Notification) == []
    assert await all_of(attic, follows.requests(attic.uri)) == []
