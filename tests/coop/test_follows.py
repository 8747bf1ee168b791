"""Who follows whom: asked, agreed, ended, and nobody by force."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from sqlalchemy import select, update

from activitypub.document import Json
from coop import blocks, departures, follows, posts
from coop.accounts import Account
from coop.errors import NotFound, Trouble
from coop.follows import Follow
from coop.notifications import Notification
from federation import outbox
from federation.tables import Activity, Actor, Object
from tests.coop.neighbours import all_of, does, has, lives_at, made_up, neighbours, says, sends
from tests.fediverse import Fediverse, Studio


async def state(studio: Studio) -> list[str]:
    return [one.state for one in await studio.knows(Follow)]


async def answers(studio: Studio) -> list[Json]:
    bodies = await all_of(studio, select(Activity.body).where(Activity.type.in_(("Accept", "Reject"))))
    return [msgspec.json.decode(one) for one in bodies]


async def asks_first(studio: Studio) -> None:
    await studio.does(lambda tx: tx.db.execute(update(Account).values(approves_followers=True)) and None)


async def told(studio: Studio) -> list[str]:
    return [one.kind for one in await studio.knows(Notification)]


@pytest.mark.proves("P-120", "P-162")
async def test_a_follow_is_answered_to_the_personal_inbox_with_the_follow_inside(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)

    [accept] = await answers(attic)
    [follow] = await shop.knows(Follow)
    assert accept["object"]["id"] == follow.uri
    assert accept["object"] == {**accept["object"], "type": "Follow", "actor": shop.uri, "object": attic.uri}
    assert [str(one.url) for one in fediverse.requests if b'"Accept"' in one.content] == [f"{shop.uri}/inbox"]
    assert await state(attic) == await state(shop) == ["accepted"]
    assert await told(attic) == ["follow"]
    assert await told(shop) == ["follow accepted"]


@pytest.mark.proves("P-120")
async def test_a_repeated_follow_is_answered_again_by_its_new_id(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    again = made_up(shop, "Follow", object=attic.uri, unheard=["of"])

    await sends(shop, attic, again)

    assert (await answers(attic))[-1]["object"] == {name: again[name] for name in again if name != "@context"}
    assert [one.uri for one in await attic.knows(Follow)] == [again["id"]]


@pytest.mark.proves("P-120")
async def test_a_locked_account_is_asked_first(fediverse: Fediverse) -> None:
    attic, shop = await fediverse.studio("attic"), await fediverse.studio("shop")
    await asks_first(attic)
    await shop.follows(attic)
    await fediverse.settle()
    before = (await state(attic), await state(shop), await told(attic))

    await does(attic, follows.approve, shop.uri)

    assert before == (["asked"], ["asked"], ["follow request"])
    assert await state(attic) == await state(shop) == ["accepted"]
    with pytest.raises(NotFound):
        await attic.does(lambda tx: follows.approve(tx, attic.uri, shop.uri))


@pytest.mark.proves("P-120")
async def test_a_follow_without_a_name_is_agreed_to_without_one(fediverse: Fediverse) -> None:
    attic, shop = await fediverse.studio("attic"), await fediverse.studio("shop")
    await asks_first(attic)
    nameless = {name: value for name, value in made_up(shop, "Follow", object=attic.uri).items() if name != "id"}
    await shop.sends(f"{attic.uri}/inbox", nameless)
    await fediverse.settle()

    await does(attic, follows.approve, shop.uri)

    assert "id" not in (await answers(attic))[-1]["object"]


@pytest.mark.proves("P-120")
async def test_a_reject_after_an_accept_ends_the_following(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)

    await does(attic, follows.reject, shop.uri)

    assert await state(attic) == await state(shop) == []
    assert await told(shop) == ["follow accepted", "follow rejected"]


@pytest.mark.proves("P-120", "P-317")
@pytest.mark.parametrize("form", ["id", "whole", "more", "anonymous", "array"])
async def test_our_follow_is_agreed_to_in_any_of_the_forms_that_servers_use(fediverse: Fediverse, form: str) -> None:
    attic, shop = await fediverse.studio("attic"), await fediverse.studio("shop")
    await asks_first(attic)
    await shop.follows(attic)
    await fediverse.settle()
    [row] = await shop.knows(Follow)
    whole = {"id": row.uri, "type": "Follow", "actor": shop.uri, "object": attic.uri}
    anonymous = {name: value for name, value in whole.items() if name != "id"}
    forms: Json = {"id": row.uri, "whole": whole, "more": {**whole, "x": 1}, "anonymous": anonymous, "array": [row.uri]}

    await sends(attic, shop, made_up(attic, "Accept", object=forms[form]))

    assert await state(shop) == ["accepted"]


@pytest.mark.proves("P-317")
async def test_nobody_agrees_for_another_and_nothing_comes_of_an_answer_to_nothing(fediverse: Fediverse) -> None:
    attic, shop = await fediverse.studio("attic"), await fediverse.studio("shop")
    barn = await fediverse.studio("barn")
    await asks_first(attic)
    await shop.follows(attic)
    await fediverse.settle()
    [row] = await shop.knows(Follow)
    invented = {"type": "Follow", "actor": shop.uri, "object": barn.uri}

    await sends(barn, shop, made_up(barn, "Accept", object=row.uri))
    await sends(barn, shop, made_up(barn, "Accept", object=invented))

    assert [(one.followed, one.state) for one in await shop.knows(Follow)] == [(attic.uri, "asked")]


@pytest.mark.proves("P-317")
async def test_words_for_followers_do_not_reach_one_who_only_asked(fediverse: Fediverse) -> None:
    attic, shop = await fediverse.studio("attic"), await fediverse.studio("shop")
    await asks_first(attic)
    await shop.follows(attic)
    await fediverse.settle()
    await sends(shop, attic, made_up(shop, "Accept", object={"type": "Follow", "actor": shop.uri, "object": attic.uri}))

    row = await says(attic, "For those who follow", visibility="followers")

    assert await has(shop, row.uri) is None
    assert (await shop.gets(row.uri)).status == 404


@pytest.mark.proves("P-121")
@pytest.mark.parametrize("form", ["id", "whole", "anonymous", "named anew"])
async def test_unfollowing_is_understood_in_all_its_forms(fediverse: Fediverse, form: str) -> None:
    attic, shop = await neighbours(fediverse)
    [row] = await attic.knows(Follow)
    anonymous = {"type": "Follow", "actor": shop.uri, "object": attic.uri}
    forms: Json = {"id": row.uri, "whole": {**anonymous, "id": row.uri}, "anonymous": anonymous}
    forms["named anew"] = {**anonymous, "id": f"{row.uri}/again"}

    await sends(shop, attic, made_up(shop, "Undo", object=forms[form]))

    assert await state(attic) == []


@pytest.mark.proves("P-121")
async def test_a_follow_that_comes_after_its_undo_has_no_effect(fediverse: Fediverse) -> None:
    attic, shop = await fediverse.studio("attic"), await fediverse.studio("shop")
    follow = made_up(shop, "Follow", object=attic.uri)

    await sends(shop, attic, made_up(shop, "Undo", object=follow))
    await sends(shop, attic, follow)

    assert await state(attic) == []


@pytest.mark.proves("P-121", "P-305")
async def test_an_old_undo_that_somebody_passes_on_ends_no_newer_follow(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    barn = await fediverse.studio("barn")
    await attic.meets(barn)
    earlier = made_up(shop, "Follow", object=attic.uri)
    undo = await shop.does(lambda tx: outbox.sign(tx, made_up(shop, "Undo", object=earlier)))

    receipt = await sends(barn, attic, undo)

    assert receipt.state == "done"
    assert await state(attic) == ["accepted"]


@pytest.mark.proves("P-121", "P-319")
async def test_nobody_unfollows_for_another(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    barn = await fediverse.studio("barn")
    [row] = await attic.knows(Follow)

    await sends(barn, attic, made_up(barn, "Undo", object={"id": row.uri, "type": "Follow", "actor": shop.uri}))

    assert await state(attic) == ["accepted"]


async def test_our_undo_embeds_the_whole_follow(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    [row] = await shop.knows(Follow)

    await does(shop, follows.unfollow, attic.uri)

    [body] = await all_of(shop, select(Activity.body).where(Activity.type == "Undo"))
    undo = msgspec.json.decode(body)
    assert undo["id"] == f"{row.uri}/undo"
    assert undo["object"]["object"] == attic.uri
    assert await state(attic) == await state(shop) == []


async def test_asking_again_sends_the_same_request(fediverse: Fediverse) -> None:
    attic, shop = await fediverse.studio("attic"), await fediverse.studio("shop")
    await asks_first(attic)

    await shop.follows(attic)
    await fediverse.settle()
    await shop.follows(attic)
    await fediverse.settle()

    posted = [one.content for one in fediverse.requests if b'"Follow"' in one.content]
    assert len(posted) == 2
    assert len({*posted}) == 1


async def test_neighbours_on_one_server_follow_each_other(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    second = await lives_at(attic, "cy")

    await does(attic, follows.follow, second)

    assert await state(attic) == ["accepted"]
    assert await told(attic) == ["follow accepted", "follow"]


async def test_a_neighbour_who_asks_first_is_asked(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    second = await lives_at(attic, "cy")
    await asks_first(attic)
    await does(attic, follows.follow, second)
    before = await state(attic)

    await attic.does(lambda tx: follows.approve(tx, second, attic.uri))
    await fediverse.settle()

    assert before == ["asked"]
    assert await state(attic) == ["accepted"]
    assert await told(attic) == ["follow request", "follow accepted"]


@pytest.mark.proves("P-120")
@pytest.mark.parametrize("reason", ["blocked", "moved", "left", "application"])
async def test_who_cannot_be_followed_says_so(fediverse: Fediverse, reason: str) -> None:
    attic, shop = await fediverse.studio("attic"), await fediverse.studio("shop")
    await attic.meets(shop)
    whom = attic.instance.uri if reason == "application" else attic.uri

    def prepare(tx: Any) -> None:
        actor = tx.db.scalars(select(Actor).where(Actor.uri == attic.uri)).one()
        if reason == "blocked":
            blocks.block(tx, attic.uri, shop.uri)
        elif reason == "moved":
            actor.document = {**actor.document, "movedTo": "https://barn.example/actor"}
        elif reason == "left":
            departures.leave(tx, attic.uri)

    await attic.does(prepare)
    await shop.sends(f"{attic.home}/inbox", made_up(shop, "Follow", object=whom))
    await fediverse.settle()

    assert await state(attic) == []
    assert [one["type"] for one in await answers(attic)] == ["Reject"]


async def test_nobody_follows_themselves_or_a_stranger(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")

    with pytest.raises(Trouble):
        await attic.does(lambda tx: follows.follow(tx, attic.uri, attic.uri))
    with pytest.raises(NotFound):
        await attic.does(lambda tx: follows.unfollow(tx, attic.uri, "https://nobody.example/actor"))


@pytest.mark.proves("P-121", "P-319")
async def test_an_undo_of_something_else_takes_nothing_from_anybody(fediverse: Fediverse) -> None:
    garage, attic = await fediverse.studio("garage"), await fediverse.studio("attic")
    said = await garage.does(lambda tx: posts.publish(tx, garage.uri, posts.Draft("Still here.")).uri)
    undo = {"id": f"{attic.uri}/undo/1", "type": "Undo", "actor": attic.uri, "object": {"id": said, "type": "Follow"}}

    await attic.sends(f"{garage.home}/inbox", {**undo, "object": said})
    await attic.sends(f"{garage.home}/inbox", {**undo, "id": f"{attic.uri}/undo/2"})
    await fediverse.settle()

    [kept] = [row for row in await garage.knows(Object) if row.uri == said]
    assert kept.deleted is None
