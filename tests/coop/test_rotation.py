"""New keys between studios: nothing is lost on the way, and a stolen key is worth nothing."""

from __future__ import annotations

from functools import partial

import msgspec
import pytest

from activitypub.document import Json
from activitypub.errors import Unverified
from coop import departures, endorsements, rotation, verdicts
from coop.errors import Conflict
from federation import discovery, keyring, known
from federation.client import Signer
from federation.tables import Activity, Actor, Key
from tests.coop.neighbours import made_up, note_by, reads, says
from tests.coop.test_endorsements import endorsement_at, endorses, verdict
from tests.fediverse import Fediverse, Studio, key_pair

DAY = {"hours": 24, "minutes": 1}


async def friends(fediverse: Fediverse) -> tuple[Studio, Studio]:
    """Ada in the attic, and Bo above the shop, who follows her."""
    attic, shop = await fediverse.studio("attic"), await fediverse.studio("shop")
    await shop.follows(attic)
    await fediverse.settle()
    fediverse.later(hours=2)
    return attic, shop


async def rotates(studio: Studio, number: int = 7, *, stolen: bool = False) -> None:
    await studio.does(lambda tx: rotation.rotate(tx, studio.uri, key_pair(number), stolen=stolen))
    await studio.fediverse.settle()


async def posts(studio: Studio, words: str) -> str:
    return (await says(studio, words)).uri


async def document_of(studio: Studio, actor: str) -> Json:
    return (await studio.instance.store.read(lambda db: known.actor(db, actor))).document


async def names(studio: Studio, actor: str) -> set[str]:
    """The fragments of the keys of `actor` that are good for requests, as a studio knows them."""
    rows = [row for row in await studio.knows(Key) if row.owner == actor and row.retired is None]
    return {row.id.partition("#")[2] for row in rows}


def signed_with(fediverse: Fediverse) -> list[str]:
    """The fragments of the keys that the POSTs so far were signed with."""
    posted = [
        str(one.headers.get("signature-input") or one.headers.get("signature"))
        for one in fediverse.requests
        if one.method == "POST"
    ]
    return [one.partition("#")[2].partition('"')[0] for one in posted]


@pytest.mark.proves("P-078")
async def test_posts_arrive_before_during_and_after_a_change_of_keys(fediverse: Fediverse) -> None:
    attic, shop = await friends(fediverse)
    said = [await posts(attic, "before")]

    await rotates(attic)
    fediverse.requests.clear()
    said.append(await posts(attic, "during"))
    fediverse.later(hours=23, minutes=58)
    await fediverse.settle()
    said.append(await posts(attic, "still during"))
    assert set(signed_with(fediverse)) == {"main-key"}

    fediverse.later(minutes=3)
    await fediverse.settle()
    fediverse.requests.clear()
    said.append(await posts(attic, "after"))

    assert set(signed_with(fediverse)) == {"main-key-2"}
    assert await reads(shop) == said[::-1]
    assert await names(shop, attic.uri) == {"main-key-2", "ed25519-key-2"}


@pytest.mark.proves("P-078", "P-021")
async def test_new_keys_are_announced_with_the_old_key_a_day_before_they_are_used(fediverse: Fediverse) -> None:
    attic, shop = await friends(fediverse)
    fediverse.requests.clear()

    await rotates(attic)

    document = await document_of(shop, attic.uri)
    assert document["publicKey"]["id"] == f"{attic.uri}#main-key"
    listed = [one["id"].partition("#")[2] for one in document["assertionMethod"]]
    assert listed == ["ed25519-key", "ed25519-key-2", "main-key-2"]
    assert [one.type for one in await attic.knows(Activity)][-1] == "Update"
    assert signed_with(fediverse) == ["main-key"]
    assert await names(shop, attic.uri) == {"main-key", "ed25519-key", "main-key-2", "ed25519-key-2"}


@pytest.mark.proves("P-078")
async def test_whoever_slept_through_the_whole_day_learns_the_new_key_from_its_name(fediverse: Fediverse) -> None:
    attic, shop = await friends(fediverse)
    fediverse.asleep.add(shop.host)
    await rotates(attic)
    fediverse.later(**DAY)
    await fediverse.settle()
    fediverse.asleep.clear()
    fediverse.later(hours=2)

    said = await posts(attic, "Good morning")

    assert await reads(shop) == [said]
    assert await names(shop, attic.uri) == {"main-key-2", "ed25519-key-2"}


@pytest.mark.proves("P-078", "P-243")
async def test_what_an_old_key_proved_stays_proven(fediverse: Fediverse) -> None:
    attic, shop = await friends(fediverse)
    await attic.meets(shop)
    uri = await endorses(attic, shop)
    old = (await endorsement_at(shop, uri)).inner["proof"]["verificationMethod"]

    await rotates(attic)
    fediverse.later(**DAY)
    await fediverse.settle()
    newer = await endorses(attic, shop, "Patience")

    assert old == f"{attic.uri}#ed25519-key"
    assert (await endorsement_at(shop, newer)).inner["proof"]["verificationMethod"] == f"{attic.uri}#ed25519-key-2"
    assert [await verdict(shop, one) for one in (uri, newer)] == ["valid, offline"] * 2
    [kept] = [row for row in await shop.knows(Key) if row.id == old]
    assert kept.retired is not None


@pytest.mark.proves("P-078")
async def test_a_stolen_key_is_given_up_at_once(fediverse: Fediverse) -> None:
    attic, shop = await friends(fediverse)
    thief = await attic.instance.signer(attic.uri)
    fediverse.requests.clear()

    await rotates(attic, stolen=True)

    assert set(signed_with(fediverse)) == {"main-key-2"}
    assert (await document_of(shop, attic.uri))["publicKey"]["id"] == f"{attic.uri}#main-key-2"
    assert await names(shop, attic.uri) == {"main-key-2", "ed25519-key-2"}
    fediverse.later(hours=1, minutes=1)
    assert await _forges(attic, shop, thief) == 401
    said = await posts(attic, "It is me")
    assert await reads(shop) == [said]


async def _forges(attic: Studio, shop: Studio, thief: Signer) -> int:
    """The answer to a post in Ada's name by somebody who has her old key."""
    note = note_by(attic)
    forged = made_up(attic, "Create", object=note, to=note["to"])
    answer = await attic.sends(f"{shop.uri}/inbox", forged, thief)
    await shop.fediverse.settle()
    return answer.status


@pytest.mark.proves("P-078")
async def test_a_stolen_key_of_ours_is_not_believed_here_either(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    stolen = await attic.instance.signer(attic.uri)
    await keyring.key(attic.instance, stolen.key_id)

    await rotates(attic, stolen=True)

    with pytest.raises(Unverified):
        await keyring.key(attic.instance, stolen.key_id)


@pytest.mark.proves("P-078", "P-079")
async def test_the_private_half_of_an_old_key_is_not_kept(fediverse: Fediverse) -> None:
    attic, _ = await friends(fediverse)

    await rotates(attic, stolen=True)

    own = [row for row in await attic.knows(Key) if row.owner == attic.uri]
    assert {row.id.partition("#")[2] for row in own if row.private is None} == {"main-key", "ed25519-key"}
    assert {row.id.partition("#")[2] for row in own if row.retired is None} == {"main-key-2", "ed25519-key-2"}


async def test_keys_are_changed_once_a_day_unless_they_are_stolen(fediverse: Fediverse) -> None:
    attic, shop = await friends(fediverse)
    await rotates(attic)
    fediverse.later(hours=1)

    with pytest.raises(Conflict):
        await rotates(attic, 8)
    await rotates(attic, 8, stolen=True)

    assert await names(shop, attic.uri) == {"main-key-3", "ed25519-key-3"}


@pytest.mark.proves("P-078", "P-027")
async def test_the_server_itself_gets_new_keys_too(fediverse: Fediverse) -> None:
    attic, shop = await friends(fediverse)
    here = attic.instance

    await attic.does(partial(rotation.rotate, actor=here.uri, pair=key_pair(7), stolen=True))
    await fediverse.settle()

    answer = await here.client.get(shop.uri, await here.signer(here.uri))
    assert (answer.status, (await here.signer(here.uri)).key_id) == (200, f"{here.uri}#main-key-2")
    [row] = [row for row in await attic.knows(Actor) if row.uri == here.uri]
    assert row.document["publicKey"]["id"] == f"{here.uri}#main-key-2"


async def test_whoever_left_gets_no_new_keys_any_more(fediverse: Fediverse) -> None:
    attic, _ = await friends(fediverse)
    await rotates(attic)
    await attic.does(lambda tx: departures.leave(tx, attic.uri))
    fediverse.later(**DAY)
    await fediverse.settle()

    assert [one.type for one in await attic.knows(Activity)][-1] == "Delete"
    assert (await document_of(attic, attic.uri))["type"] == "Tombstone"


@pytest.mark.proves("P-243")
async def test_an_endorsement_outlives_every_key_and_server_of_its_giver(fediverse: Fediverse) -> None:
    """The key that proved it is neither the first nor the last that Bo's server saw; the copy has it all the same."""
    attic, shop = await friends(fediverse)
    await attic.meets(shop)
    await endorses(attic, shop, "Patience")
    await rotates(attic, 7)
    fediverse.later(**DAY)
    await fediverse.settle()
    uri = await endorses(attic, shop)
    await rotates(attic, 8)
    fediverse.later(**DAY)
    await fediverse.settle()
    await discovery.refresh(shop.instance, attic.uri)
    await shop.does(lambda tx: endorsements.remember(tx, known.actor(tx.db, attic.uri)))
    fediverse.asleep.add(attic.host)

    copy = await shop.instance.store.read(lambda db: verdicts.bundle(db, endorsements.at(db, uri)))
    without = {name: value for name, value in copy.items() if name != "keys"}

    assert await verdict(shop, uri) == "valid, offline"
    found = [
        verdicts.verify_file(msgspec.json.encode(one), lambda _: None, fediverse.now)[1] for one in (copy, without)
    ]
    assert [one.verdict for one in found] == ["valid by copy", "unknown"]
