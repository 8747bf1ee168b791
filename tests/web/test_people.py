"""People: finding somebody on any server, following, letting follow, blocking."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from coop import endorsements, follows, profiles
from tests.fediverse import Fediverse
from tests.web.inhabitants import at_home, forms
from tests.web.test_collections import says
from tests.web.visitors import BROWSER, neighbours


def who(uri: str) -> str:
    return f"/who?is={quote(uri, safe='')}"


async def test_somebody_is_found_by_their_address_and_followed(fediverse: Fediverse) -> None:
    attic, shop = await fediverse.studio("attic"), await fediverse.studio("shop")
    one = await at_home(attic)

    found = await one.sends("/people", "/people/find", asked=f"@{shop.address}")
    await one.sends(found.headers["location"], "/follow")
    await fediverse.settle()

    assert found.headers["location"] == who(shop.uri)
    assert "Shop" in (await one.sees("/people")).text
    assert "Stop following" in (await one.sees(who(shop.uri))).text
    assert await shop.instance.store.read(lambda db: follows.find(db, attic.uri, shop.uri)) is not None


async def test_something_that_was_said_is_found_by_its_link(fediverse: Fediverse) -> None:
    attic, shop = await fediverse.studio("attic"), await fediverse.studio("shop")
    one = await at_home(attic)
    post = await says(shop, "Ink!")

    found = await one.sends("/people", "/people/find", asked=post)

    assert "Ink!" in (await one.sees(found.headers["location"])).text


@pytest.mark.parametrize(
    "asked", ["nobody", "@nobody@shop.example", "@a@gone.example", "https://shop.example/none", " "]
)
async def test_who_is_not_found_is_not_found_in_words(fediverse: Fediverse, asked: str) -> None:
    attic, _ = await fediverse.studio("attic"), await fediverse.studio("shop")
    one = await at_home(attic)

    answer = await one.sends("/people", "/people/find", asked=asked)

    assert answer.status_code == 422
    assert "Nobody was found" in answer.text
    assert next(one for one in forms(answer.text) if one.action == "/people/find").fields["asked"] == asked.strip()


async def test_who_asks_to_follow_is_let_or_not(fediverse: Fediverse) -> None:
    attic, shop, barn = [await fediverse.studio(name) for name in ("attic", "shop", "barn")]
    await attic.does(lambda tx: profiles.edit(tx, attic.uri, profiles.Changes(approves_followers=True)))
    for other in (shop, barn):
        await other.follows(attic)
    await fediverse.settle()
    one = await at_home(attic)

    await one.sends(who(shop.uri), "/approve")
    await one.sends("/people?show=requests", "/reject")
    await fediverse.settle()

    assert await attic.instance.store.read(lambda db: list(db.scalars(follows.followers(attic.uri)))) == [shop.uri]
    assert "Nobody waits" in (await one.sees("/people?show=requests")).text
    assert "Shop" in (await one.sees("/people?show=followers")).text


async def test_a_block_is_made_and_lifted(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    await attic.follows(shop)
    await fediverse.settle()
    await says(shop, "Ink!")
    await fediverse.settle()
    one = await at_home(attic)

    await one.sends(who(shop.uri), "/block")
    blocked = (await one.sees(who(shop.uri))).text
    await one.sends(who(shop.uri), "/unblock")

    assert "Lift the block" in blocked
    assert "Ink!" not in blocked
    assert "Ink!" not in (await one.sees("/today")).text
    assert "Follow</button>" in (await one.sees(who(shop.uri))).text


async def test_a_person_is_shown_with_who_vouches_and_how_one_knows_them(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    await attic.follows(shop)
    await shop.does(lambda tx: profiles.edit(tx, shop.uri, profiles.Changes(skills=("Lettering",), bio="Signs.")))
    given = await attic.does(lambda tx: endorsements.give(tx, attic.uri, shop.uri, ["Lettering"], "Steady hand.").uri)
    await fediverse.settle()
    await shop.does(lambda tx: endorsements.accept(tx, shop.uri, given))
    await fediverse.settle()
    one = await at_home(attic)

    page = (await one.sees(who(shop.uri))).text

    assert all(words in page for words in ("Lettering", "Signs.", "Follows you", "How you know them"))


@pytest.mark.parametrize("act", ["/follow", "/unfollow", "/approve", "/reject", "/block", "/unblock"])
async def test_nothing_is_done_with_nobody(fediverse: Fediverse, act: str) -> None:
    attic = await fediverse.studio("attic")
    one = await at_home(attic)
    token = forms((await one.sees("/today")).text)[0].fields["token"]

    sent = [
        {"token": token, "whom": whom, "back": "/people"} for whom in ("", "x", "https://gone.example/a", attic.uri)
    ]
    answers = [await one.client.post(act, data=each, headers=BROWSER) for each in sent]

    assert all(answer.status_code < 500 for answer in answers)
    assert (await one.sees(who("https://gone.example/a"))).status_code == 404
