"""What is there of somebody who was just followed: their last posts and their open offers, which are news to nobody."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from activitypub.document import Json, timestamp
from coop import catalogue, feed, follows, offers, posts, rounds, waking
from coop.notifications import Notification
from coop.offers import Offer
from coop.posts import Draft
from coop.visits import Visit
from federation import discovery
from federation.tables import Activity, Object
from tests.coop.neighbours import all_of, does, has, lives_at, reads, says
from tests.coop.test_offers import TYPESETTER
from tests.coop.test_outboxes import follower, goes_on, hours, lists
from tests.federation.stranger import AS2, Stranger
from tests.fediverse import Fediverse, Studio


async def strangers(fediverse: Fediverse) -> tuple[Studio, Studio]:
    """Ada in the attic, and Bo above the shop, who have not heard of each other."""
    return await fediverse.studio("attic"), await fediverse.studio("shop")


async def gets_to_know(studio: Studio, other: Studio) -> None:
    """Follow somebody and hear what they said before."""
    await studio.follows(other)
    await studio.fediverse.settle()
    await goes_on(studio, 3)


def create(stranger: Stranger, mia: str, name: str, ago: timedelta, **more: Any) -> Json:
    when = timestamp(stranger.fediverse.now - ago)
    note = stranger.note(name, mia, published=when, **more)
    return {"id": f"{note['id']}/activity", "type": "Create", "actor": mia, "published": when, "object": note}


async def newly_follows(fediverse: Fediverse, stranger: Stranger, pages: list[list[Any]], **more: Any) -> Studio:
    """A studio that follows mia, who has an outbox of such pages, and has heard what she said."""
    lists(stranger, pages)
    attic, _ = await follower(fediverse, stranger, **more)
    await goes_on(attic, 5)
    return attic


@pytest.mark.proves("P-223")
async def test_what_somebody_said_and_offers_is_there_once_they_are_followed(
    fediverse: Fediverse,
) -> None:
    attic, shop = await strangers(fediverse)
    old = await says(attic, "From the archive.")
    fediverse.later(days=400)
    filled = await attic.does(lambda tx: offers.open(tx, attic.uri, TYPESETTER).uri)
    await attic.does(lambda tx: offers.fill(tx, attic.uri, filled))
    offer = await attic.does(lambda tx: offers.open(tx, attic.uri, TYPESETTER).uri)
    fediverse.later(days=1)
    for number in range(catalogue.POSTS):
        draft = Draft(f"Number {number}")
        await attic.does(lambda tx, draft=draft: posts.publish(tx, attic.uri, draft))  # type: ignore[misc]
        fediverse.later(minutes=1)
    mine = await says(shop, "I live here, too.")
    fediverse.later(minutes=1)
    latest = await says(attic, "And this.")

    await gets_to_know(shop, attic)

    said = [row for row in await shop.knows(Object) if row.author == attic.uri]
    assert len(said) == catalogue.POSTS + 1
    assert [one.uri for one in await shop.knows(Offer) if one.state == "open"] == [offer]
    assert not await has(shop, old.uri)
    assert (await reads(shop))[:2] == [latest.uri, mine.uri]
    shown = await all_of(shop, feed.profile(attic.uri))
    assert [row.published for row in shown] == sorted((row.published for row in shown), reverse=True)
    assert shown[-1].uri == offer
    assert await shop.knows(Visit) == []


async def test_what_was_said_before_notifies_nobody_is_not_passed_on_and_did_not_come_in_a_sleep(
    fediverse: Fediverse,
) -> None:
    stranger, attic = Stranger(fediverse), await fediverse.studio("attic")
    post = await says(attic, "Who knows paper?")
    await attic.upkeep.run_errands()
    fediverse.later(hours=12)
    await attic.upkeep.run_errands()
    mia = f"{stranger.home}/mia"
    tag = [{"type": "Mention", "href": attic.uri, "name": f"@{attic.address}"}]
    mention = create(stranger, mia, "mention", hours(6), tag=tag, cc=[attic.uri])
    reply = create(stranger, mia, "reply", hours(5), inReplyTo=post.uri, cc=[f"{attic.uri}/followers"])
    sent = len(await attic.knows(Activity))

    await newly_follows(fediverse, stranger, [[reply, mention]])

    slept = await attic.instance.store.read(waking.last_sleep)
    assert {row.uri for row in await attic.knows(Object)} == {post.uri, f"{mia[:-4]}/mention", f"{mia[:-4]}/reply"}
    assert [one.kind for one in await attic.knows(Notification)] == ["follow accepted"]
    assert [one.type for one in await attic.knows(Activity)][sent:] == ["Follow"]
    assert await reads(attic) == [f"{stranger.home}/reply", f"{stranger.home}/mention", post.uri]
    assert slept is not None
    assert slept.came == {}


async def test_what_is_known_is_not_taken_again_nor_asked_for_by_the_next_who_follows(fediverse: Fediverse) -> None:
    stranger, attic = Stranger(fediverse), await fediverse.studio("attic")
    mia = f"{stranger.home}/mia"
    one = create(stranger, mia, "one", hours(1))
    named = create(stranger, mia, "named", hours(2))
    bare = {**create(stranger, mia, "bare", hours(3)), "object": f"{stranger.home}/bare"}
    stranger.documents["/named/activity"] = {"@context": AS2, **named}
    await newly_follows(fediverse, stranger, [[one, named["id"], named["id"], bare, f"{stranger.home}/gone"]])
    first = await attic.knows(Object)
    asked = len(stranger.asked)
    bo = await lives_at(attic, "bo")

    follow = await attic.does(lambda tx: follows.follow(tx, bo, mia).uri)
    await fediverse.settle()
    await stranger.sends(attic, stranger.activity("Accept", mia, follow))
    await fediverse.settle()
    await goes_on(attic, 2)

    assert {row.uri for row in first} == {f"{stranger.home}/{name}" for name in ("one", "named", "bare")}
    assert [row.id for row in await attic.knows(Object)] == [row.id for row in first]
    assert stranger.asked[asked:] == []


@pytest.mark.proves("P-104", "P-105", "P-106")
async def test_what_an_outbox_says_of_others_is_left_out(fediverse: Fediverse) -> None:
    stranger, victim = Stranger(fediverse), Stranger(fediverse, "victim.example", key=6)
    vic, eve, mia = victim.actor("vic"), stranger.actor("eve"), f"{stranger.home}/mia"
    alien, by_eve = create(victim, vic, "alien", hours(2)), create(stranger, eve, "by-eve", hours(3))
    boost = stranger.activity("Announce", mia, f"{victim.home}/alien")
    in_another_name = create(victim, mia, "in-another-name", hours(1))
    good = create(stranger, mia, "good", hours(4))
    attic = await fediverse.studio("attic")
    for one in (vic, eve):
        await discovery.fetch(attic.instance, one)

    await newly_follows(
        fediverse, stranger, [[alien, by_eve, boost, in_another_name, f"{victim.home}/alien", 7, None, {}, good]]
    )

    assert [row.uri for row in await attic.knows(Object)] == [f"{stranger.home}/good"]
    assert [one for one in victim.asked if "webfinger" not in one] == ["/vic"]


@pytest.mark.proves("P-109", "P-311")
async def test_an_outbox_without_an_end_is_read_for_its_last_posts_alone(fediverse: Fediverse) -> None:
    stranger = Stranger(fediverse)
    mia = f"{stranger.home}/mia"
    pages = [
        [create(stranger, mia, f"note-{page}-{number}", hours(page * 30 + number)) for number in range(30)]
        for page in range(4)
    ]
    attic = await newly_follows(fediverse, stranger, pages)

    assert len(await attic.knows(Object)) == catalogue.POSTS
    assert [one for one in stranger.asked if "outbox/" in one] == ["/mia/outbox/0", "/mia/outbox/1"]


@pytest.mark.proves("P-109", "P-311")
async def test_an_outbox_of_boosts_alone_is_read_for_some_pages(fediverse: Fediverse) -> None:
    stranger = Stranger(fediverse)
    boost = stranger.activity("Announce", f"{stranger.home}/mia", "https://elsewhere.example/1")
    attic = await newly_follows(fediverse, stranger, [[boost]] * 9)

    assert [one for one in stranger.asked if "outbox/" in one] == [f"/mia/outbox/{n}" for n in range(rounds.PAGES)]
    assert await attic.knows(Visit) == []


@pytest.mark.proves("P-105", "P-223")
async def test_offers_are_fetched_from_their_author_alone_and_only_those_that_are_open(fediverse: Fediverse) -> None:
    attic, shop = await strangers(fediverse)
    stranger, victim = Stranger(fediverse), Stranger(fediverse, "victim.example", key=6)
    mia, eve = f"{stranger.home}/mia", stranger.actor("eve")
    row = await shop.does(lambda tx: offers.open(tx, shop.uri, TYPESETTER))
    written = msgspec.json.encode({"@context": AS2, **row.document}).decode()
    made: dict[str, Json] = {"open": {}, "filled": {"offerState": "filled"}, "by-eve": {"attributedTo": eve}}
    for name, changes in made.items():
        offer = written.replace(row.uri, f"{stranger.home}/{name}").replace(shop.uri, mia)
        stranger.documents[f"/{name}"] = msgspec.json.decode(offer) | changes
    named = [f"{stranger.home}/{name}" for name in (*made, "gone", "eve")]
    page = {"@context": AS2, "id": f"{mia}/offers", "type": "OrderedCollection"}
    stranger.documents["/mia/offers"] = {**page, "orderedItems": [*named, f"{victim.home}/offer", 7]}

    await newly_follows(fediverse, stranger, [[]], offers=f"{mia}/offers")

    assert [one.uri for one in await attic.knows(Offer)] == [f"{stranger.home}/open"]
    assert victim.asked == []
    assert await attic.knows(Visit) == []


async def test_who_is_not_followed_any_more_is_not_asked(fediverse: Fediverse) -> None:
    attic, shop = await strangers(fediverse)
    await says(attic, "From the archive.")
    await shop.follows(attic)
    await fediverse.settle()
    await does(shop, follows.unfollow, attic.uri)
    before = len(fediverse.requests)

    await goes_on(shop, 2)

    assert [one.url.path for one in fediverse.requests[before:] if "outbox" in one.url.path] == []
    assert await shop.knows(Visit) == []
