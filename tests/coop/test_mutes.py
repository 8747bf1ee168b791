"""Whom somebody mutes is in no feed and no news of theirs, until they are heard again; all else stays as it was."""

from __future__ import annotations

import pytest

from coop import departures, feed, follows, mutes, notifications, reactions
from coop.errors import NotFound, Trouble
from coop.mutes import Mute
from tests.coop.neighbours import lives_at
from tests.fediverse import Fediverse, Studio
from tests.web.test_collections import says


async def friends(fediverse: Fediverse) -> tuple[Studio, Studio, Studio]:
    """Ada follows Bo and Cleo, who both follow her and each other."""
    attic, shop, barn = [await fediverse.studio(name) for name in ("attic", "shop", "barn")]
    for one in (attic, shop, barn):
        for other in (attic, shop, barn):
            if one is not other:
                await one.follows(other)
    await fediverse.settle()
    return attic, shop, barn


async def number(studio: Studio) -> int:
    from coop import accounts

    return await studio.instance.store.read(lambda db: accounts.first(db).id)


async def reads(studio: Studio) -> list[str]:
    me = await number(studio)
    return await studio.instance.store.read(lambda db: [row.uri for _, row in db.execute(feed.home(me))])


async def news(studio: Studio) -> tuple[list[str], int]:
    me = await number(studio)
    return await studio.instance.store.read(
        lambda db: (
            [one.by for one in db.scalars(notifications.listing(me))],
            notifications.unread(db, me),
        )
    )


async def test_nothing_is_heard_of_who_is_muted_until_the_mute_is_lifted(fediverse: Fediverse) -> None:
    attic, shop, barn = await friends(fediverse)
    ours = await says(attic, "Tea?")
    await fediverse.settle()
    theirs, others = await says(shop, "Ink!"), await says(barn, "Hay!")
    await shop.does(lambda tx: reactions.like(tx, shop.uri, ours) and None)
    await fediverse.settle()
    await shop.does(lambda tx: reactions.boost(tx, shop.uri, ours) and None)
    await fediverse.settle()
    before, told = await reads(attic), await news(attic)

    await attic.does(lambda tx: mutes.mute(tx, attic.uri, shop.uri))
    muted, quiet = await reads(attic), await news(attic)
    still = await attic.instance.store.read(lambda db: follows.find(db, attic.uri, shop.uri))
    await attic.does(lambda tx: mutes.unmute(tx, attic.uri, shop.uri))

    assert {theirs, others} <= set(before)
    assert theirs not in muted
    assert others in muted
    assert shop.uri in told[0]
    assert shop.uri not in quiet[0]
    assert told[1] > quiet[1] == len(quiet[0])
    assert still is not None
    assert (await reads(attic), await news(attic)) == (before, told)


async def test_what_the_muted_pass_on_and_what_others_pass_on_of_them_is_not_heard(fediverse: Fediverse) -> None:
    attic, shop, barn = await friends(fediverse)
    await attic.does(lambda tx: follows.unfollow(tx, attic.uri, barn.uri))
    await attic.does(lambda tx: mutes.mute(tx, attic.uri, shop.uri))
    post, other = await says(barn, "Hay!"), await says(shop, "Ink!")
    await fediverse.settle()

    await shop.does(lambda tx: reactions.boost(tx, shop.uri, post) and None)
    await fediverse.settle()
    assert await reads(attic) == []

    await attic.follows(barn)
    await barn.does(lambda tx: reactions.boost(tx, barn.uri, other) and None)
    await fediverse.settle()
    assert other not in await reads(attic)


async def test_a_mute_is_of_one_account_alone(fediverse: Fediverse) -> None:
    attic, shop = await fediverse.studio("attic"), await fediverse.studio("shop")
    bo = await lives_at(attic, "bo")
    await attic.meets(shop)
    await attic.does(lambda tx: follows.follow(tx, bo, shop.uri).state)
    await attic.follows(shop)
    await fediverse.settle()

    await attic.does(lambda tx: mutes.mute(tx, bo, shop.uri))
    post = await says(shop, "Ink!")
    await fediverse.settle()

    assert await reads(attic) == [post]
    with pytest.raises(NotFound):
        await attic.does(lambda tx: mutes.unmute(tx, attic.uri, shop.uri))


async def test_nobody_mutes_themselves_and_who_is_gone_is_muted_no_more(fediverse: Fediverse) -> None:
    attic, shop = await fediverse.studio("attic"), await fediverse.studio("shop")
    await attic.meets(shop)
    with pytest.raises(Trouble, match="yourself"):
        await attic.does(lambda tx: mutes.mute(tx, attic.uri, attic.uri))
    for _ in range(2):
        await attic.does(lambda tx: mutes.mute(tx, attic.uri, shop.uri))
    assert [one.muted for one in await attic.knows(Mute)] == [shop.uri]

    await attic.does(lambda tx: departures.leave(tx, attic.uri))

    assert await attic.knows(Mute) == []
