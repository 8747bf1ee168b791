"""Taking along what is here, and coming and going as the same person."""

from __future__ import annotations

import json
import re

import httpx
import pytest

from activitypub import identity
from coop import blocks, follows, identities, luggage, moving
from coop.accounts import Account
from coop.follows import Follow
from coop.luggage import Brought
from federation import known
from tests.fediverse import Fediverse, Studio
from tests.web.inhabitants import Inhabitant, at_home, forms
from tests.web.test_collections import says
from tests.web.test_engine import somebody_else
from tests.web.visitors import BROWSER, neighbours


async def test_everything_goes_along_but_no_key_and_only_with_whoever_runs_the_server(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    await says(attic, "Ink!")
    ada, bo = await at_home(attic), await somebody_else(attic)

    file = await ada.sees("/settings/data/everything.json")
    refused = await bo.sees("/settings/data/everything.json")

    assert len(json.loads(file.text)["posts"]) == 1
    assert "PRIVATE KEY" not in file.text
    assert "argon2" not in file.text
    assert file.headers["content-disposition"] == 'attachment; filename="boxroom.json"'
    assert refused.status_code == 403
    assert "/settings/data/everything.json" not in (await bo.sees("/settings/data")).text


async def test_whom_one_follows_and_blocks_goes_along_as_lists_that_mastodon_reads(fediverse: Fediverse) -> None:
    attic, shop, barn = [await fediverse.studio(name) for name in ("attic", "shop", "barn")]
    await attic.follows(shop)
    await attic.meets(barn)
    await attic.does(lambda tx: blocks.block(tx, attic.uri, barn.uri))
    await fediverse.settle()
    ada = await at_home(attic)

    followed, blocked = [await ada.sees(f"/settings/data/{one}.csv") for one in ("follows", "blocks")]

    assert followed.text.splitlines() == ["Account address,Show boosts", f"{shop.address},true"]
    assert blocked.text.splitlines() == [barn.address]
    assert (await ada.sees("/settings/data/none.csv")).status_code == 404


async def test_one_comes_from_elsewhere_with_those_who_follow(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    barn = await fediverse.studio("barn")
    ada, there = await at_home(attic), await at_home(barn)
    early = await ada.sends("/settings/data", "/settings/data/go", target=f"@{barn.address}", sure="yes")

    await there.sends("/settings/data", "/settings/data/come", former=f"@{attic.address}")
    unsure = await ada.sends("/settings/data", "/settings/data/go", target=f"@{barn.address}", sure="")
    gone = await ada.sends("/settings/data", "/settings/data/go", target=f"@{barn.address}", sure="yes")
    await fediverse.settle()

    assert (early.status_code, unsure.status_code) == (422, 422)
    assert "was known as" in early.text
    assert "tick that you are sure" in unsure.text
    assert gone.headers["location"] == "/settings/data?done=moved"
    assert "attic.example/actors" in (await there.sees("/settings/data")).text
    assert "You moved to barn.example/actors" in (await ada.sees("/settings/data")).text
    assert await shop.instance.store.read(lambda db: follows.find(db, shop.uri, barn.uri)) is not None


@pytest.mark.parametrize(("way", "field"), [("come", "former"), ("go", "target")])
@pytest.mark.parametrize("asked", ["", "nobody", "@a@gone.example", "@attic@attic.example"])
async def test_who_is_nobody_to_come_from_or_go_to_is_told_and_kept(
    fediverse: Fediverse, way: str, field: str, asked: str
) -> None:
    attic = await fediverse.studio("attic")
    ada = await at_home(attic)

    answer = await ada.sends("/settings/data", f"/settings/data/{way}", **{field: asked, "sure": "yes"})

    if way == "come" and "attic" in asked:
        assert answer.status_code == 303  # oneself is no former self, and nothing is said
    else:
        assert answer.status_code == 422
        assert next(one for one in forms(answer.text) if one.action.endswith(way)).fields[field] == asked
    actor = await attic.instance.store.read(lambda db: known.account(db, attic.uri))
    assert not actor.document.get("movedTo")
    assert await attic.instance.store.read(lambda db: moving.last_move(db, attic.uri)) is None


@pytest.mark.parametrize("way", ["come", "go"])
async def test_a_forged_form_moves_nobody(fediverse: Fediverse, way: str) -> None:
    attic = await fediverse.studio("attic")
    ada = await at_home(attic)
    sent = {"token": "0" * 64, "former": "@a@b.example", "target": "@a@b.example", "sure": "yes"}

    assert (await ada.client.post(f"/settings/data/{way}", data=sent, headers=BROWSER)).status_code == 403


async def bring(one: Inhabitant, data: bytes, name: str = "following_accounts.csv", kind: str = "") -> httpx.Response:
    token = forms((await one.sees("/settings/data")).text)[0].fields["token"]
    file = {"file": (name, data, "text/csv")}
    sent = {"token": token, "kind": kind}
    return await one.client.post("/settings/data/list", data=sent, files=file, headers=BROWSER)


async def test_whom_one_followed_elsewhere_is_followed_here_in_the_background(fediverse: Fediverse) -> None:
    attic, shop, barn = [await fediverse.studio(name) for name in ("attic", "shop", "barn")]
    ada = await at_home(attic)
    fediverse.asleep.add(barn.host)
    listed = f"Account address,Show boosts\n{shop.address},true\n{barn.address},true\nnobody@{shop.host},true\n"

    done = await bring(ada, listed.encode())
    waiting = (await ada.sees("/settings/data")).text
    await luggage.go(attic.instance)
    tried = (await ada.sees("/settings/data")).text
    fediverse.asleep.clear()
    fediverse.later(hours=2)
    await luggage.go(attic.instance)
    await fediverse.settle()

    followed = await attic.knows(Follow)
    assert done.headers["location"] == "/settings/data?done=list"
    assert "3 more are being looked up" in waiting
    assert "1 more is being looked up" in tried
    assert {one.followed for one in followed} == {shop.uri, barn.uri}
    assert [(one.name, one.due) for one in await attic.knows(Brought)] == [(f"nobody@{shop.host}", None)]
    assert f"<b>nobody@{shop.host}</b>" in (await ada.sees("/settings/data")).text
    await ada.sends("/settings/data", "/settings/data/forget")
    assert await attic.knows(Brought) == []


async def test_a_server_that_stays_silent_is_given_up(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    ada = await at_home(attic)
    await bring(ada, b"a@gone.example\nb@gone.example\n", kind="blocks")

    for _ in range(luggage.TRIES):
        fediverse.later(hours=20)
        await luggage.go(attic.instance)

    rows = await attic.knows(Brought)
    assert [(one.kind, one.tries, one.due) for one in rows] == [("blocks", luggage.TRIES, None)] * 2
    again = await bring(ada, b"a@gone.example\n", kind="blocks")
    assert again.status_code == 303
    assert [one.tries for one in await attic.knows(Brought)] == [0, luggage.TRIES]


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"", ""),
        (b"\xff", "following.csv"),
        (b"not an address\n", "following.csv"),
        (b"spam.example\n", "domains.csv"),
        (b"a@b.example\n", "some.csv"),
    ],
)
async def test_what_is_no_list_of_people_brings_nobody(fediverse: Fediverse, data: bytes, name: str) -> None:
    attic = await fediverse.studio("attic")
    ada = await at_home(attic)

    answer = await bring(ada, data, name)

    assert answer.status_code == 422
    assert "Nothing was done" in answer.text
    assert await attic.knows(Brought) == []


# --- The recovery key ----------------------------------------------------------------------------------------------


@pytest.mark.proves("P-079")
async def test_a_new_recovery_key_is_shown_once_and_kept_nowhere(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    ada = await at_home(attic)

    page = (await ada.sends("/settings/data", "/settings/data/recovery")).text
    again = (await ada.sees("/settings/data")).text

    secret = re.search(r'<code class="long">([\w-]+)</code>', page)
    assert secret is not None
    assert secret[1] not in again
    [account] = await attic.knows(Account)
    assert identity.did(identity.load_secret(secret[1])) in json.dumps(account.recovery)
    assert secret[1] not in json.dumps(account.recovery)


async def test_whoever_lost_an_address_proves_with_the_key_who_they_were(fediverse: Fediverse) -> None:
    attic, barn = await neighbours_of_both(fediverse)
    ada, there = await at_home(attic), await at_home(barn)
    page = (await ada.sends("/settings/data", "/settings/data/recovery")).text
    await fediverse.settle()
    [secret] = re.findall(r'<code class="long">([\w-]+)</code>', page)

    wrong = await there.sends("/settings/data", "/settings/data/prove", key=secret[:-1])
    before = await barn.instance.store.read(lambda db: identities.same(db, barn.uri))
    done = await there.sends("/settings/data", "/settings/data/prove", key=secret)

    assert wrong.status_code == 422
    assert "that is no recovery key: a letter is missing or wrong; capitals count" in wrong.text
    assert before == [barn.uri]
    assert done.headers["location"] == "/settings/data?done=proven"
    assert await barn.instance.store.read(lambda db: identities.same(db, barn.uri)) == [barn.uri, attic.uri]


async def neighbours_of_both(fediverse: Fediverse) -> tuple[Studio, Studio]:
    """The attic, and the barn, whose people follow there."""
    attic, barn = await fediverse.studio("attic"), await fediverse.studio("barn")
    await barn.follows(attic)
    await fediverse.settle()
    return attic, barn
