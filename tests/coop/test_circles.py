"""Whom those know whom we know: what of it is read, how politely, and of whom it may be told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import ColumnElement, select

from activitypub.document import Json
from coop import circles, departures, follows, profiles
from coop.cards import Card
from coop.circles import Circle, Introduction
from coop.profiles import Changes
from federation.tables import Actor, Object
from tests.coop.neighbours import all_of, does, first, lives_at, neighbours
from tests.federation.stranger import AS2, Stranger
from tests.fediverse import Fediverse, Studio


async def reads(studio: Studio) -> None:
    """The rounds of a few minutes."""
    for _ in range(4):
        await circles.read_circles(studio.instance)
        await circles.meet(studio.instance)
        studio.fediverse.later(minutes=1)


async def introduced(studio: Studio) -> set[tuple[str, str]]:
    return {(row.by, row.of) for row in await studio.knows(Introduction)}


async def knows_card(studio: Studio, uri: str) -> bool:
    query = select(Card.findable).join(Actor, Actor.id == Card.id).where(Actor.uri == uri)
    return bool(await first(studio, query))


def collection(stranger: Stranger, name: str, items: list[Any], **more: Any) -> Json:
    page: Json = {"@context": AS2, "id": f"{stranger.home}/{name}", "type": "OrderedCollection", "orderedItems": items}
    stranger.documents[f"/{name}"] = {**page, **more}
    return page


async def follows_mia(shop: Studio, stranger: Stranger, **more: Any) -> str:
    """The studio follows somebody at the stranger's, whose following is at ``/mia/following`` there."""
    uri = stranger.actor("mia", following=f"{stranger.home}/mia/following", **more)
    follow = await shop.does(lambda tx: follows.follow(tx, shop.uri, uri).uri)
    await shop.fediverse.settle()
    accept = stranger.activity("Accept", uri, follow)
    assert (await stranger.sends(shop, accept)).status_code == 202
    await shop.fediverse.settle()
    return uri


async def test_who_is_followed_by_those_we_follow_is_met_if_they_want_to_be_found(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    mill, barn = await fediverse.studio("mill"), await fediverse.studio("barn")
    for studio, is_open in ((mill, True), (barn, False)):
        await attic.follows(studio)
        await does(studio, profiles.edit, Changes(skills=("Typesetting",), discoverable=is_open))
    await fediverse.settle()

    await reads(shop)

    assert await introduced(shop) == {(attic.uri, mill.uri), (attic.uri, barn.uri)}
    assert await knows_card(shop, mill.uri)
    assert not await knows_card(shop, barn.uri)


async def test_whoever_is_followed_no_more_introduces_nobody(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    mill, barn = await fediverse.studio("mill"), await fediverse.studio("barn")
    await attic.follows(mill)
    await attic.follows(barn)
    await fediverse.settle()
    await reads(shop)

    await does(attic, follows.unfollow, mill.uri)
    fediverse.later(days=3)
    await reads(shop)
    less = await introduced(shop)
    await does(shop, follows.unfollow, attic.uri)
    await shop.does(circles.clear)

    assert less == {(attic.uri, barn.uri)}
    assert (await introduced(shop), await shop.knows(Circle)) == (set(), [])


async def test_whoever_leaves_is_in_no_circle(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    mill = await fediverse.studio("mill")
    await attic.follows(mill)
    await fediverse.settle()
    await reads(shop)

    await does(attic, departures.leave)

    assert (await introduced(shop), await shop.knows(Circle)) == (set(), [])


async def test_who_changes_their_mind_is_found_no_more_after_a_week(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    mill = await fediverse.studio("mill")
    await attic.follows(mill)
    await does(mill, profiles.edit, Changes(skills=("Typesetting",), discoverable=True))
    await reads(shop)
    before = await knows_card(shop, mill.uri)

    await does(mill, profiles.edit, Changes(discoverable=False))
    fediverse.later(days=8)
    await reads(shop)

    assert before
    assert not await knows_card(shop, mill.uri)


async def test_a_circle_is_asked_for_once_in_a_while_in_the_name_of_who_follows(fediverse: Fediverse) -> None:
    shop, stranger = await fediverse.studio("shop"), Stranger(fediverse)
    await follows_mia(shop, stranger)
    collection(stranger, "mia/following", [])

    await reads(shop)
    fediverse.later(hours=20)
    await reads(shop)

    asked = [one for one in fediverse.requests if one.url.path == "/mia/following"]
    assert len(asked) == 1
    assert f'keyId="{shop.uri}#' in asked[0].headers["signature"]


@pytest.mark.parametrize("answer", [401, 403, 404, 410, 500, {"type": "OrderedCollection", "totalItems": 90}])
async def test_what_is_not_served_to_us_is_not_known(fediverse: Fediverse, answer: int | Json) -> None:
    shop, stranger = await fediverse.studio("shop"), Stranger(fediverse)
    await follows_mia(shop, stranger)
    uri = f"{stranger.home}/mia/following"
    stranger.documents["/mia/following"] = answer if isinstance(answer, int) else {"id": uri, **answer}

    await reads(shop)

    assert await introduced(shop) == set()
    assert stranger.asked.count("/mia/following") <= 2  # once in each dialect


async def test_endless_and_odd_collections_end_somewhere(fediverse: Fediverse) -> None:
    shop, stranger = await fediverse.studio("shop"), Stranger(fediverse)
    mia = await follows_mia(shop, stranger)
    odd = [
        7,
        None,
        {},
        {"id": 3},
        "",
        "mia",
        "javascript:alert(1)",
        "https://a b.example/",
        "https://x.example/" + "x" * 9_000,
    ]
    own = [mia, {"id": "https://kim.example/kim", "type": "Person"}, "https://kim.example/kim"]
    for number in range(40):
        items = [f"https://kim.example/{number}/{one}" for one in range(60)]
        name = f"mia/following{number or ''}"
        collection(stranger, name, [*odd, *own, *items], next=f"{stranger.home}/mia/following{number + 1}")

    await circles.read_circles(shop.instance)

    found = await introduced(shop)
    assert 400 < len(found) <= circles.CIRCLE
    assert (mia, "https://kim.example/kim") in found
    assert all(of.startswith("https://kim.example/") for _, of in found)
    assert len(stranger.asked) < 20


async def test_a_collection_on_another_server_is_nobodys_word(fediverse: Fediverse) -> None:
    shop, stranger = await fediverse.studio("shop"), Stranger(fediverse)
    other = Stranger(fediverse, "other.example")
    await follows_mia(shop, stranger)
    collection(other, "more", ["https://kim.example/kim"])
    collection(stranger, "mia/following", [], next=f"{other.home}/more")

    await reads(shop)

    assert (await introduced(shop), other.asked) == (set(), [])


async def test_few_of_one_site_are_asked_at_once_and_nobody_twice(fediverse: Fediverse) -> None:
    shop, stranger = await fediverse.studio("shop"), Stranger(fediverse)
    other = Stranger(fediverse, "kim.example")
    await follows_mia(shop, stranger)
    people = [f"{other.home}/{number}" for number in range(9)]
    collection(stranger, "mia/following", people)
    await circles.read_circles(shop.instance)

    rounds = []
    for _ in range(6):
        await circles.meet(shop.instance)
        rounds.append(len(other.asked))

    assert rounds == [2, 4, 6, 8, 9, 9]


async def test_what_is_nobody_is_not_kept(fediverse: Fediverse) -> None:
    shop, stranger = await fediverse.studio("shop"), Stranger(fediverse)
    mia = await follows_mia(shop, stranger)
    note = stranger.note("note", mia)
    collection(stranger, "mia/following", [note["id"]])

    await reads(shop)

    assert await all_of(shop, select(Object.uri).where(Object.uri == note["id"])) == []


async def test_we_ask_nobody_of_a_blocked_server(fediverse: Fediverse) -> None:
    from coop import blocks

    shop, stranger = await fediverse.studio("shop"), Stranger(fediverse)
    other = Stranger(fediverse, "kim.example")
    await follows_mia(shop, stranger)
    other.actor("kim", skill=["Typesetting"], discoverable=True)
    collection(stranger, "mia/following", [f"{other.home}/kim"])
    await shop.does(lambda tx: blocks.block_domain(tx, "kim.example"))

    await reads(shop)

    assert other.asked == []


async def test_who_is_silent_is_asked_who_they_are_now(fediverse: Fediverse) -> None:
    shop, stranger = await fediverse.studio("shop"), Stranger(fediverse)
    mia = await follows_mia(shop, stranger)
    stranger.actor("mia", skill=["Typesetting"], discoverable=True)
    before = await knows_card(shop, mia)

    fediverse.later(days=3)
    await reads(shop)

    assert not before
    assert await knows_card(shop, mia)


@pytest.mark.proves("P-327")
async def test_of_those_who_are_named_only_who_may_be_shown_is_kept(fediverse: Fediverse) -> None:
    shop, stranger = await fediverse.studio("shop"), Stranger(fediverse)
    await follows_mia(shop, stranger)
    people = [
        stranger.actor("kim", skill=["Typesetting"], discoverable=True),
        stranger.actor("lou", skill=["Typesetting"]),
        stranger.actor("noa", discoverable=True),
    ]
    collection(stranger, "mia/following", people)
    await reads(shop)
    await reads(shop)

    needed = await shop.instance.store.read(lambda db: set(db.scalars(circles.needed(people))))

    assert needed == {people[0]}
    again = {row.of: row.due - fediverse.now for row in await shop.knows(Introduction)}
    assert again[people[0]] < timedelta(days=8)
    assert again[people[1]] > timedelta(days=50)


async def test_whom_somebody_follows_is_told_to_who_follows_them_alone(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    mill = await fediverse.studio("mill")
    await attic.follows(mill)
    await attic.follows(shop)
    await fediverse.settle()
    await reads(shop)
    eve = await lives_at(shop, "eve")

    async def met(which: ColumnElement[bool]) -> list[str]:
        return await all_of(shop, select(Actor.uri).where(which).order_by(Actor.id))

    assert {*await met(circles.following(shop.uri, attic.uri))} == {shop.uri, mill.uri}
    assert await met(circles.followers(shop.uri, mill.uri)) == [attic.uri]
    assert await met(circles.followers(shop.uri, attic.uri)) == [shop.uri]
    for which in (
        circles.following(eve, attic.uri),
        circles.followers(eve, mill.uri),
        circles.followers(eve, attic.uri),
    ):
        assert await met(which) == []
