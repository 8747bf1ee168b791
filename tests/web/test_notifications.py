"""News: by kind, together where several did the same, with an answer at hand where one is waited for."""

from __future__ import annotations

from typing import get_args

import pytest

from coop import accounts, notifications, posts, profiles, reactions
from coop.events import Kind
from coop.posts import Draft
from tests.fediverse import Fediverse, Studio
from tests.web.inhabitants import at_home, forms
from tests.web.test_collections import says
from tests.web.visitors import BROWSER
from web.notices import FILTERS, WORDS


async def liked_by(fediverse: Fediverse, *names: str) -> tuple[Studio, list[Studio]]:
    """Ada, whose post is liked by studios of these names, which follow her."""
    attic = await fediverse.studio("attic")
    others = [await fediverse.studio(name) for name in names]
    for one in others:
        await one.follows(attic)
    await fediverse.settle()
    post = await says(attic, "Ink!")
    await fediverse.settle()
    for one in others:
        await likes(one, post)
        fediverse.later(minutes=1)
        await fediverse.settle()
    return attic, others


async def likes(studio: Studio, post: str) -> None:
    await studio.does(lambda tx: reactions.like(tx, studio.uri, post))


async def unread(studio: Studio) -> int:
    account = await studio.instance.store.read(lambda db: accounts.at(db, studio.uri))
    assert account is not None
    return await studio.instance.store.read(lambda db: notifications.unread(db, account.id))


async def test_what_several_did_alike_is_told_once(fediverse: Fediverse) -> None:
    attic, _ = await liked_by(fediverse, "shop", "barn", "mill")
    ada = await at_home(attic)

    page = (await ada.sees("/notifications")).text

    assert "Mill and 2 others like what you said" in " ".join(page.split())
    assert page.count("likes what you said") == 0
    assert all(f"<b>{name}</b>" in page for name in ("Shop", "Barn", "Mill"))
    assert page.count("follows you") == 3


async def test_each_kind_is_shown_and_seen_alone(fediverse: Fediverse) -> None:
    attic, _ = await liked_by(fediverse, "shop")
    ada = await at_home(attic)

    liked = (await ada.sees("/notifications?show=liked")).text
    people = (await ada.sees("/notifications?show=people")).text
    none = (await ada.sees("/notifications?show=vouching")).text
    await ada.sends_from(liked, "/notifications/read")

    assert [words in liked for words in ("likes what you said", "follows you")] == [True, False]
    assert [words in people for words in ("likes what you said", "follows you")] == [False, True]
    assert "Nothing of that kind yet" in none
    assert await unread(attic) == 1
    assert 'class="told new"' in (await ada.sees("/notifications?show=people")).text


async def test_who_asks_is_answered_where_it_is_told(fediverse: Fediverse) -> None:
    attic, shop = await fediverse.studio("attic"), await fediverse.studio("shop")
    await attic.does(lambda tx: profiles.edit(tx, attic.uri, profiles.Changes(approves_followers=True)))
    await shop.follows(attic)
    await fediverse.settle()
    ada = await at_home(attic)

    before = (await ada.sees("/notifications")).text
    done = await ada.sends_from(before, "/approve")
    after = (await ada.sees(done.headers["location"])).text

    assert "would like to follow you" in after
    assert [one for one in forms(after) if one.action in ("/approve", "/reject")] == []


async def test_every_kind_of_news_has_words_and_one_place(fediverse: Fediverse) -> None:
    listed = [kind for _, kinds in FILTERS.values() for kind in kinds]

    assert sorted(listed) == sorted(WORDS) == sorted(get_args(Kind))


@pytest.mark.parametrize("odd", ["show=x", "show=", "before=x", "show=liked&before=zzzzzzzzzzzzzz", "show=%00"])
async def test_odd_addresses_show_what_there_is(fediverse: Fediverse, odd: str) -> None:
    attic, _ = await liked_by(fediverse, "shop")
    ada = await at_home(attic)

    assert (await ada.sees(f"/notifications?{odd}")).status_code == 200


async def test_a_forged_form_marks_nothing(fediverse: Fediverse) -> None:
    attic, _ = await liked_by(fediverse, "shop")
    ada = await at_home(attic)

    answer = await ada.client.post("/notifications/read", data={"token": "x", "until": "z"}, headers=BROWSER)

    assert answer.status_code == 403
    assert await unread(attic) == 2


async def test_nothing_is_quoted_that_may_not_be_read_any_more(fediverse: Fediverse) -> None:
    attic, shop = await fediverse.studio("attic"), await fediverse.studio("shop")
    await shop.meets(attic)
    text = f"@{attic.address} a secret"
    uri = await shop.does(lambda tx: posts.publish(tx, shop.uri, Draft(text, "direct")).uri)
    await fediverse.settle()
    ada = await at_home(attic)

    before = (await ada.sees("/notifications?show=said")).text
    await shop.does(lambda tx: posts.delete(tx, shop.uri, uri))
    await fediverse.settle()

    assert "a secret" in before
    assert "a secret" not in (await ada.sees("/notifications?show=said")).text
