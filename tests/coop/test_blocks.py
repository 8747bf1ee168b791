"""Wanting nothing to do with somebody: quietly, both ways, and on every path."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from coop import blocks, posts, reactions
from coop.blocks import Block
from coop.errors import NotFound, Trouble
from coop.follows import Follow
from coop.notifications import Notification
from coop.reactions import Reaction
from federation import outbox
from federation.tables import Activity, BlockedDomain, Delivery
from tests.coop.neighbours import all_of, does, has, made_up, neighbours, note_by, reads, says, sends
from tests.fediverse import Fediverse


@pytest.mark.proves("P-124")
async def test_a_block_ends_every_relation_and_is_announced_to_nobody(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    await attic.follows(shop)
    await fediverse.settle()
    row = await says(attic, "Hello")
    await does(shop, reactions.like, row.uri)

    await does(attic, blocks.block, shop.uri)

    assert await attic.knows(Follow) == []
    assert await attic.knows(Reaction) == []
    assert await attic.knows(Notification) == []
    kinds = await all_of(attic, select(Activity.type))
    assert "Block" not in kinds
    assert await shop.knows(Follow) == []  # it is told that it follows no more, and not why


@pytest.mark.proves("P-124")
async def test_a_block_from_elsewhere_hides_both_from_each_other(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    row = await says(attic, "Hello")

    await sends(attic, shop, made_up(attic, "Block", object=shop.uri))

    assert await shop.knows(Follow) == []
    assert await reads(shop) == []
    with pytest.raises(NotFound):
        await shop.does(lambda tx: reactions.like(tx, shop.uri, row.uri))


@pytest.mark.proves("P-121")
@pytest.mark.parametrize("by", ["id", "whole", "anonymous"])
async def test_a_block_is_taken_back_in_all_its_forms(fediverse: Fediverse, by: str) -> None:
    attic, shop = await neighbours(fediverse)
    block = made_up(attic, "Block", object=shop.uri)
    await sends(attic, shop, block)
    anonymous = {"type": "Block", "actor": attic.uri, "object": shop.uri}

    await sends(attic, shop, made_up(attic, "Undo", object={"id": block["id"], "whole": block}.get(by, anonymous)))

    assert await shop.knows(Block) == []


@pytest.mark.proves("P-121", "P-305")
async def test_an_old_undo_that_somebody_passes_on_ends_no_newer_block(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    barn = await fediverse.studio("barn")
    await shop.meets(barn)
    block, newer = [made_up(attic, "Block", object=shop.uri) for _ in range(2)]
    undo = await attic.does(lambda tx: outbox.sign(tx, made_up(attic, "Undo", object=block)))
    await sends(attic, shop, newer)

    receipt = await sends(barn, shop, undo)

    assert receipt.state == "done"
    assert [one.uri for one in await shop.knows(Block)] == [newer["id"]]


@pytest.mark.proves("P-121")
async def test_a_block_that_comes_after_its_undo_has_no_effect(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    block = made_up(attic, "Block", object=shop.uri)

    await sends(attic, shop, made_up(attic, "Undo", object=block))
    await sends(attic, shop, block)

    assert await shop.knows(Block) == []


@pytest.mark.proves("P-322")
async def test_whom_somebody_blocks_reaches_them_on_no_path(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    row = await says(attic, "Hello")
    await does(attic, blocks.block, shop.uri)
    mention = {"type": "Mention", "href": attic.uri, "name": "@attic"}

    like = await sends(shop, attic, made_up(shop, "Like", object=row.uri))
    boost = await sends(shop, attic, made_up(shop, "Announce", object=row.uri))
    await sends(shop, attic, made_up(shop, "Create", object=note_by(shop, cc=[attic.uri], tag=[mention])))
    await shop.follows(attic)
    await fediverse.settle()

    assert (like.state, boost.state) == ("refused", "refused")
    assert await attic.knows(Notification) == []
    assert await attic.knows(Follow) == []
    assert await reads(attic) == [row.uri]


@pytest.mark.proves("P-318", "P-322")
async def test_a_blocked_actor_reads_no_words_for_followers(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    row = await says(attic, "For those who follow", visibility="followers")
    before = (await shop.gets(row.uri)).status

    await does(attic, blocks.block, shop.uri)

    assert before == 200
    assert (await shop.gets(row.uri)).status == 404


@pytest.mark.proves("P-322")
async def test_a_blocked_domain_is_heard_on_no_path_and_told_nothing(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    fediverse.asleep.add(shop.host)
    waiting = await says(attic, "Before")

    await attic.does(lambda tx: blocks.block_domain(tx, " Shop.example. ", "spam"))
    fediverse.asleep.clear()
    fediverse.later(hours=1)
    await fediverse.settle()
    after = await says(attic, "After")
    answer = await shop.sends(f"{attic.uri}/inbox", made_up(shop, "Like", object=after.uri))

    assert answer.status == 403
    assert await has(shop, waiting.uri) is None
    assert await has(shop, after.uri) is None
    assert await all_of(attic, select(Delivery.id).where(Delivery.state == "waiting")) == []


async def test_blocking_a_domain_forgets_what_waits_for_its_subdomains(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    hosts = ("shop.example", "a.shop.example", "workshop.example")
    waiting = [Delivery(lane=one, inbox=f"https://{one}/inbox", activity=1, sender=attic.uri) for one in hosts]
    await attic.does(lambda tx: tx.db.add_all(waiting))

    await attic.does(lambda tx: blocks.block_domain(tx, "shop.example"))

    assert [one.lane for one in await attic.knows(Delivery)] == ["workshop.example"]


async def test_what_was_blocked_can_be_let_in_again(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    await does(attic, blocks.block, shop.uri)
    await attic.does(lambda tx: blocks.block_domain(tx, "barn.example"))

    await does(attic, blocks.unblock, shop.uri)
    await attic.does(lambda tx: blocks.unblock_domain(tx, "Barn.example"))

    assert await attic.knows(Block) == []
    assert await attic.knows(BlockedDomain) == []
    with pytest.raises(NotFound):
        await attic.does(lambda tx: blocks.unblock(tx, attic.uri, shop.uri))
    with pytest.raises(NotFound):
        await attic.does(lambda tx: blocks.unblock_domain(tx, "barn.example"))


@pytest.mark.parametrize("domain", ["", "https://barn.example/", "two words"])
async def test_a_domain_looks_like_one(fediverse: Fediverse, domain: str) -> None:
    attic = await fediverse.studio("attic")

    with pytest.raises(Trouble):
        await attic.does(lambda tx: blocks.block_domain(tx, domain))


async def test_nobody_blocks_themselves(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")

    with pytest.raises(Trouble):
        await attic.does(lambda tx: blocks.block(tx, attic.uri, attic.uri))


async def test_a_post_before_the_block_stays_its_authors(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    row = await says(attic, "Hello")

    await does(attic, blocks.block, shop.uri)
    await does(attic, posts.delete, row.uri)

    assert (await has(attic, row.uri) or row).deleted is not None
