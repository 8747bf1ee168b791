"""Actors who change, and actors who go, by their own word alone."""

from __future__ import annotations

from typing import Any

import httpx
import msgspec
import pytest
from sqlalchemy import select, update

from activitypub import keys
from activitypub.document import Json, timestamp
from coop import departures, endorsements, posts, reactions, verdicts
from coop.accounts import Account
from coop.errors import NotFound
from coop.feed import Entry
from coop.follows import Follow
from coop.notifications import Notification
from coop.reactions import Reaction, Tally
from federation import known
from federation.tables import Activity, Actor, Delivery, Key, Object
from tests.coop.neighbours import (
    account_of,
    all_of,
    does,
    has,
    holds,
    lives_at,
    made_up,
    neighbours,
    reads,
    says,
    sends,
)
from tests.fediverse import Fediverse, Studio


async def actor(studio: Studio, uri: str) -> Actor:
    return await studio.instance.store.read(lambda db: known.actor(db, uri))


async def document(studio: Studio) -> Json:
    return (await actor(studio, studio.uri)).document


async def leaves(studio: Studio) -> None:
    await studio.does(lambda tx: departures.leave(tx, studio.uri))
    await studio.fediverse.settle()


# --- Delete ------------------------------------------------------------------------------------------------------


@pytest.mark.proves("P-116", "P-029")
async def test_who_leaves_is_gone_everywhere_with_all_they_said(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    barn = await fediverse.studio("barn")
    await barn.meets(attic)
    await attic.meets(barn)
    theirs, ours = await says(attic, "I was here"), await says(shop, "Hello")
    await attic.follows(shop)
    await fediverse.settle()
    await does(attic, reactions.like, (await says(shop, "Like me")).uri)

    await leaves(attic)

    assert (await actor(shop, attic.uri)).gone is not None
    assert (await actor(barn, attic.uri)).gone is not None  # everybody known hears of it
    assert (await holds(shop, theirs.uri)).deleted is not None
    assert "I was here" not in str((await holds(shop, theirs.uri)).document)
    assert await shop.knows(Follow) == []
    assert await shop.knows(Reaction) == []
    assert [one.likes for one in await shop.knows(Tally)] == [0]
    assert [one.by for one in await shop.knows(Notification)] == []
    assert ours.uri in await reads(shop)
    assert theirs.uri not in await reads(shop)


@pytest.mark.proves("P-029", "P-036")
async def test_the_address_of_one_who_left_says_gone_and_the_farewell_verifies(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    row = await says(attic, "I was here")
    fediverse.asleep.add(shop.host)

    await leaves(attic)
    fediverse.asleep.clear()
    fediverse.later(days=2)
    await fediverse.settle()

    answer = await shop.gets(attic.uri, signed=False)
    assert answer.status == 410
    assert msgspec.json.decode(answer.body)["type"] == "Tombstone"
    assert (await shop.gets(row.uri, signed=False)).status == 410
    assert (await actor(shop, attic.uri)).gone is not None
    assert await attic.knows(Account) == []
    assert await attic.knows(Entry) == []
    assert [one.owner for one in await attic.knows(Key) if one.owner == attic.uri and one.private] != []


@pytest.mark.proves("P-116")
async def test_what_the_farewell_says_is_what_others_read(fediverse: Fediverse) -> None:
    attic, _ = await neighbours(fediverse)

    await leaves(attic)

    [body] = await all_of(attic, select(Activity.body).where(Activity.type == "Delete"))
    farewell = msgspec.json.decode(body)
    assert farewell["id"] == f"{attic.uri}#delete"
    assert farewell["object"] == farewell["actor"] == attic.uri
    with pytest.raises(NotFound):
        await attic.does(lambda tx: departures.leave(tx, attic.uri))


@pytest.mark.proves("P-116")
@pytest.mark.parametrize("form", ["id", "tombstone", "whole"])
async def test_a_farewell_is_understood_in_all_its_forms(fediverse: Fediverse, form: str) -> None:
    attic, shop = await neighbours(fediverse)
    whole = await document(attic)
    forms: Json = {"id": attic.uri, "tombstone": {"id": attic.uri, "type": "Tombstone"}, "whole": whole}

    await sends(attic, shop, made_up(attic, "Delete", object=forms[form]))

    assert (await actor(shop, attic.uri)).gone is not None


@pytest.mark.proves("P-116", "P-319")
@pytest.mark.parametrize("form", ["id", "tombstone"])
async def test_nobody_deletes_another(fediverse: Fediverse, form: str) -> None:
    attic, shop = await neighbours(fediverse)
    barn = await fediverse.studio("barn")
    forms: Json = {"id": attic.uri, "tombstone": {"id": attic.uri, "type": "Tombstone"}}

    receipt = await sends(barn, shop, made_up(barn, "Delete", object=forms[form]))

    assert receipt.state == "refused"
    assert (await actor(shop, attic.uri)).gone is None


@pytest.mark.proves("P-319")
async def test_a_flood_of_farewells_of_strangers_leaves_nothing(fediverse: Fediverse) -> None:
    attic, shop = await fediverse.studio("attic"), await fediverse.studio("shop")
    await attic.meets(shop)

    for _ in range(3):
        answer = await attic.sends(f"{shop.uri}/inbox", made_up(attic, "Delete", object=attic.uri))
        assert answer.status == 202

    assert [one.uri for one in await shop.knows(Actor) if not one.local] == []
    assert await shop.knows(Object) == []


@pytest.mark.proves("P-116", "P-118")
@pytest.mark.parametrize(("status", "is_gone"), [(410, True), (404, False)])
async def test_an_actor_whose_server_says_gone_is_gone_after_an_hour(
    fediverse: Fediverse, status: int, is_gone: bool
) -> None:
    attic, shop = await neighbours(fediverse)
    barn = await fediverse.studio("barn")
    row = await says(attic, "I was here")
    del fediverse.studios[attic.host]
    fediverse.strangers[attic.host] = lambda request: httpx.Response(status, request=request)

    rumour = {**made_up(attic, "Delete", object=attic.uri), "id": f"{attic.home}/rumour"}
    await barn.sends(f"{shop.uri}/inbox", rumour)
    await fediverse.settle()
    at_once = (await actor(shop, attic.uri)).gone
    for _ in range(5):
        fediverse.later(minutes=30)
        await fediverse.settle()
    await attic.instance.client.close()
    attic.instance.store.close()

    assert at_once is None
    assert ((await actor(shop, attic.uri)).gone is not None) is is_gone
    assert ((await holds(shop, row.uri)).deleted is not None) is is_gone


@pytest.mark.proves("P-116", "P-242")
async def test_what_somebody_vouched_for_is_still_proven_when_they_are_gone_and_is_marked_so(
    fediverse: Fediverse,
) -> None:
    attic, shop = await neighbours(fediverse)
    await attic.meets(shop)
    given = await attic.does(lambda tx: endorsements.give(tx, attic.uri, shop.uri, ["Sewing"], "So fine."))
    await fediverse.settle()
    await shop.does(lambda tx: endorsements.accept(tx, shop.uri, given.uri))
    before = await verdicts.check(shop.instance, given.uri)

    await leaves(attic)

    after = [await verdicts.check(one.instance, given.uri) for one in (shop, attic)]
    assert before.verdict == "valid"
    assert [one.verdict for one in after] == ["valid, offline"] * 2
    assert all(one.reason.startswith("Author gone: ") for one in after)
    shown = await attic.instance.client.get(f"{shop.home}/@shop", accept="text/html")
    assert "Author gone" in shown.body.decode()


@pytest.mark.proves("P-116")
async def test_what_waits_for_one_who_left_is_not_sent(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    fediverse.asleep.add(attic.host)
    await says(shop, "Are you there, @attic@attic.example?", visibility="direct")
    waiting = select(Delivery.lane).where(Delivery.state == "waiting")
    before = await all_of(shop, waiting)

    await sends(attic, shop, made_up(attic, "Delete", object=attic.uri))
    await says(shop, "Are you, @attic@attic.example?")

    assert before == [attic.host]
    assert await all_of(shop, waiting) == []


async def test_who_stays_on_the_same_server_stays(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    second = await lives_at(attic, "cy")
    row = await attic.does(lambda tx: posts.publish(tx, second, posts.Draft("Still here")))

    await leaves(attic)

    assert (await holds(attic, row.uri)).deleted is None
    assert [one.uri for one in await attic.knows(Account)] == [second]
    assert (await account_of(shop)).uri == shop.uri


# --- Update ------------------------------------------------------------------------------------------------------


@pytest.mark.proves("P-114")
async def test_an_actor_speaks_for_itself_without_being_asked_again(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    before = len(fediverse.requests)

    await sends(attic, shop, made_up(attic, "Update", object={**await document(attic), "name": "Ada Verne"}))

    assert (await actor(shop, attic.uri)).name == "Ada Verne"
    assert len(fediverse.requests) == before + 1


@pytest.mark.proves("P-114", "P-319")
async def test_nobody_speaks_for_another_actor(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    second = await lives_at(attic, "cy")
    signer = await attic.instance.signer(second)
    stolen = {**made_up(attic, "Update", object={**await document(attic), "name": "Stolen"}), "actor": second}

    await attic.sends(f"{shop.uri}/inbox", stolen, signer)
    await fediverse.settle()

    assert (await actor(shop, attic.uri)).name == "Attic"


@pytest.mark.proves("P-114")
@pytest.mark.parametrize("is_true", [True, False])
async def test_new_keys_are_believed_only_from_where_the_actor_lives(fediverse: Fediverse, is_true: bool) -> None:
    attic, shop = await neighbours(fediverse)
    pem = keys.write_pem(keys.new_rsa().public_key())
    told = await document(attic)
    new_key = {"id": f"{attic.uri}#new-key", "owner": attic.uri, "publicKeyPem": pem}
    told = {**told, "name": "Ada Verne", "publicKey": new_key}
    if is_true:
        changed = update(Actor).where(Actor.uri == attic.uri).values(document=told)
        await attic.does(lambda tx: tx.db.execute(changed) and None)

    receipt = await sends(attic, shop, made_up(attic, "Update", object=told))

    assert receipt.state == ("done" if is_true else "refused")
    assert (await actor(shop, attic.uri)).name == ("Ada Verne" if is_true else "Attic")
    assert (new_key["id"] in [one.id for one in await shop.knows(Key)]) is is_true


@pytest.mark.proves("P-114")
async def test_an_older_update_of_an_actor_is_ignored(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    told = await document(attic)
    new = {**told, "name": "New", "updated": timestamp(fediverse.now)}
    old = {**told, "name": "Old", "updated": "2026-01-01T00:00:00Z"}

    await sends(attic, shop, made_up(attic, "Update", object=new))
    await sends(attic, shop, made_up(attic, "Update", object=old))

    assert (await actor(shop, attic.uri)).name == "New"


@pytest.mark.proves("P-114")
async def test_an_update_that_only_names_the_actor_makes_it_fetched(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    renamed = update(Actor).where(Actor.uri == attic.uri).values(document={**await document(attic), "name": "Ada"})
    await attic.does(lambda tx: tx.db.execute(renamed) and None)
    fediverse.later(minutes=5)

    await sends(attic, shop, made_up(attic, "Update", object=attic.uri))

    assert (await actor(shop, attic.uri)).name == "Ada"


async def test_a_new_handle_has_to_be_confirmed_again(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    before = (await actor(shop, attic.uri)).address

    told: Any = {**await document(attic), "preferredUsername": "bo", "webfinger": "bo@shop.example"}
    await sends(attic, shop, made_up(attic, "Update", object=told))

    assert before == "attic@attic.example"
    assert (await actor(shop, attic.uri)).address is None
    assert await has(shop, attic.uri) is None
