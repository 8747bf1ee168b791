"""Who else saw a key: studios tell each other, and what they tell is shown as no more than their word."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import msgspec
import pytest

from activitypub import identity, keys, proof
from activitypub.document import Document, Json
from activitypub.endorsement import Judgement
from activitypub.errors import Malformed
from activitypub.witness import Sighting
from coop import blocks, departures, endorsements, identities, profiles, rotation, witnesses
from coop.identities import Identity
from coop.witnesses import MAX_ASKED, address
from federation import discovery, known
from federation.client import Signer
from federation.instance import own_proof_key
from federation.tables import Actor
from tests.coop.test_identities import same
from tests.coop.test_rotation import document_of
from tests.coop.test_verdicts import copied, given_one
from tests.federation.stranger import ACTIVITY_JSON, Stranger, rsa
from tests.fediverse import Fediverse, Studio, key_pair


async def world(fediverse: Fediverse) -> tuple[Studio, Studio, Studio, Studio, Json]:
    """Ada in the attic vouched for Bo above the shop; Cy, who follows her, has it, too. Di has met Cy alone.

    With the copy that Bo gave to Di.
    """
    cy = await fediverse.studio("cy")
    await fediverse.settle()
    attic, shop, uri = await given_one(fediverse)
    di = await fediverse.studio("di")
    await cy.follows(attic)
    await fediverse.settle()
    await discovery.lookup(cy.instance, uri)
    await di.meets(cy)
    await cy.meets(di)
    return attic, shop, cy, di, await copied(shop, uri)


async def verified(studio: Studio, copy: Json) -> Judgement:
    _, found = await witnesses.verify(studio.instance, msgspec.json.encode(copy))
    return found


def key_of(copy: Json) -> str:
    return str(copy["endorsement"]["proof"]["verificationMethod"])


async def told(studio: Studio, asks: Studio, key_id: str, signed: bool = True) -> tuple[int, Any]:
    answer = await asks.gets(address(studio.home, key_id), signed)
    return answer.status, msgspec.json.decode(answer.body) if answer.status == 200 else answer.body


# --- The statement of a key ----------------------------------------------------------------------------------------


@pytest.mark.proves("P-244")
async def test_everybodys_key_says_on_their_actor_whose_it_is(fediverse: Fediverse) -> None:
    attic, shop = await fediverse.studio("attic"), await fediverse.studio("shop")
    await shop.meets(attic)

    said = Document(await document_of(shop, attic.uri))

    [key] = identity.signing(said)
    assert key == f"did:key:{said.json['assertionMethod'][0]['publicKeyMultibase']}"
    assert await shop.knows(Identity) == []  # it is nobody at another address: its server has the key


@pytest.mark.proves("P-244")
async def test_the_statement_is_made_once_and_anew_for_a_new_key(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    recovery = keys.new_ed25519()
    await attic.does(lambda tx: identities.adopt(tx, attic.uri, recovery))
    first = (await document_of(attic, attic.uri))["attachment"]

    fediverse.later(days=1)
    await attic.does(lambda tx: profiles.edit(tx, attic.uri, profiles.Changes(bio="New")).uri)
    edited = (await document_of(attic, attic.uri))["attachment"]
    await attic.does(lambda tx: rotation.rotate(tx, attic.uri, key_pair(7)))
    fediverse.later(hours=25)
    await fediverse.settle()

    said = Document(await document_of(attic, attic.uri))
    assert (len(first), edited) == (2, first)
    assert identity.proven(said) == {identity.did(recovery), *identity.signing(said)}
    assert identity.signing(said) == {identity.did(load(7))}


def load(number: int) -> Any:
    return keys.load_private(key_pair(number).ed25519)


@pytest.mark.proves("P-244")
async def test_a_server_cannot_make_its_people_somebody_elsewhere_by_their_signing_key(fediverse: Fediverse) -> None:
    attic, shop = await fediverse.studio("attic"), await fediverse.studio("shop")
    stranger = Stranger(fediverse)
    eve = f"{stranger.home}/eve"
    key = await attic.instance.store.read(lambda db: own_proof_key(db, attic.uri)[1])
    stranger.actor("eve", attachment=[identity.sign(key, eve, fediverse.now)])

    await shop.meets(attic)
    await discovery.lookup(shop.instance, eve)

    assert await same(shop, eve) == [eve]
    assert await same(shop, attic.uri) == [attic.uri]


# --- What a witness tells --------------------------------------------------------------------------------------------


@pytest.mark.proves("P-244")
async def test_a_studio_is_told_when_a_key_was_seen_and_no_more_of_its_owner(fediverse: Fediverse) -> None:
    attic, _, cy, di, copy = await world(fediverse)
    await attic.does(lambda tx: profiles.edit(tx, attic.uri, profiles.Changes(bio="Secret since")).uri)
    await fediverse.settle()

    status, said = await told(cy, di, key_of(copy))

    assert status == 200
    found = Sighting.read(Document(said), key_of(copy), attic.uri, fediverse.now)
    assert (found.key.owner, found.by_itself) == (attic.uri, True)
    assert said["actorSnapshots"][0]["actor"].keys() <= {
        *("@context", "id", "type", "preferredUsername", "publicKey", "assertionMethod", "attachment"),
    }
    assert [one["type"] for one in said["actorSnapshots"][0]["actor"]["attachment"]] == ["VerifiableIdentityStatement"]
    assert "Secret" not in msgspec.json.encode(said).decode()


@pytest.mark.proves("P-244")
async def test_nobody_else_is_told_and_of_nothing_else(fediverse: Fediverse) -> None:
    """Who is no studio, or asks for a key of which nothing is kept, gets the same answer."""
    _, _, cy, di, copy = await world(fediverse)
    stranger = Stranger(fediverse)
    eve = Signer(f"{stranger.actor('eve')}#main-key", rsa(stranger.key))

    unknown = await told(cy, di, f"{di.home}/actors/none#ed25519-key")
    kept_by_nobody = await told(cy, di, await key_here(di))
    by_no_studio = await di.instance.client.get(address(cy.home, key_of(copy)), eve)
    by_nobody = await told(cy, di, key_of(copy), signed=False)

    assert unknown == kept_by_nobody == (404, by_no_studio.body)
    assert (by_no_studio.status, by_nobody[0]) == (404, 401)


async def key_here(studio: Studio) -> str:
    return await studio.instance.store.read(lambda db: own_proof_key(db, studio.uri)[0])


# --- What is asked ---------------------------------------------------------------------------------------------------


@pytest.mark.proves("P-244")
async def test_a_giver_who_answers_is_asked_and_nobody_else(fediverse: Fediverse) -> None:
    _, _, cy, di, copy = await world(fediverse)
    fediverse.requests.clear()

    found = await verified(di, copy)

    assert found.verdict == "valid"
    assert [one for one in fediverse.requests if one.url.host == cy.host] == []


@pytest.mark.proves("P-244")
async def test_a_giver_who_answers_tells_what_they_took_back(fediverse: Fediverse) -> None:
    attic, _, _, di, copy = await world(fediverse)
    uri = copy["endorsement"]["id"].partition("#")[0]
    await attic.does(lambda tx: endorsements.revoke(tx, attic.uri, uri))

    assert (await verified(di, copy)).verdict == "revoked"


@pytest.mark.proves("P-244", "P-242")
async def test_once_the_giver_is_gone_others_say_what_they_saw(fediverse: Fediverse) -> None:
    attic, _, cy, di, copy = await world(fediverse)
    fediverse.asleep.add(attic.host)

    found = await verified(di, copy)

    assert found.verdict == "valid by copy"
    assert f"{cy.host} says that it saw the key at its owner's server on 2 March 2026. The key itself" in found.reason
    assert "we never saw it at its owner's ourselves" in found.reason


@pytest.mark.proves("P-244")
async def test_what_came_without_a_key_is_judged_by_that_of_a_witness(fediverse: Fediverse) -> None:
    attic, _, _, di, copy = await world(fediverse)
    fediverse.asleep.add(attic.host)
    bare: Json = copy["endorsement"]

    found, altered = await verified(di, bare), await verified(di, {**bare, "content": "<p>Better.</p>"})

    assert found.verdict == "valid by copy"
    assert "by a key that others told us" in found.reason
    assert altered.verdict == "unknown"


@pytest.mark.proves("P-244")
async def test_a_giver_whose_key_is_a_former_one_leaves_it_to_others(fediverse: Fediverse) -> None:
    attic, _, cy, di, copy = await world(fediverse)
    await attic.does(lambda tx: rotation.rotate(tx, attic.uri, key_pair(7), stolen=True))
    await fediverse.settle()

    found = await verified(di, copy)

    assert found.verdict == "valid by copy"
    assert f"{cy.host} says" in found.reason


@pytest.mark.proves("P-244")
async def test_what_this_studio_saw_itself_needs_nobody(fediverse: Fediverse) -> None:
    attic, _, cy, _, copy = await world(fediverse)
    fediverse.asleep.add(attic.host)
    fediverse.requests.clear()

    assert (await verified(cy, copy)).verdict == "valid, offline"
    assert fediverse.requests == []


async def lied_to(fediverse: Fediverse, say: Json | httpx.Response) -> Judgement:
    """What Di makes of a copy, if the one other whom she can ask answers so."""
    attic, _, cy, di, copy = await world(fediverse)
    fediverse.asleep |= {attic.host}
    if isinstance(say, dict):
        say = httpx.Response(
            200,
            headers={"content-type": ACTIVITY_JSON},
            content=msgspec.json.encode({"id": address(cy.home, key_of(copy)), **say}),
        )
    fediverse.strangers[cy.host] = lambda request: say
    return await verified(di, copy)


FROM, TO = "2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z"


@pytest.mark.proves("P-244", "P-335")
async def test_a_witness_cannot_make_a_forged_copy_valid(fediverse: Fediverse) -> None:
    """Somebody made up a key for Ada, and a friend swears to it: it is told as that friend's word."""
    attic, _, cy, di, copy = await world(fediverse)
    fediverse.asleep.add(attic.host)
    key, key_id = keys.new_ed25519(), f"{attic.uri}#ed25519-key"
    forged: Json = {name: value for name, value in copy["endorsement"].items() if name != "proof"}
    forged = proof.sign({**forged, "content": "<p>Best of all.</p>"}, key_id, key, fediverse.now)
    multikey = keys.as_multikey(keys.Key(key_id, attic.uri, key.public_key(), "assertionMethod"))
    snapshot = {"id": attic.uri, "type": "Person", "attachment": [identity.sign(key, attic.uri, fediverse.now)]}
    said = {"key": multikey, "firstSeen": FROM, "lastSeen": TO, "actorSnapshots": [{"actor": snapshot, "seenAt": FROM}]}
    answer = msgspec.json.encode({"id": address(cy.home, key_id), **said})
    fediverse.strangers[cy.host] = lambda request: httpx.Response(
        200, headers={"content-type": ACTIVITY_JSON}, content=answer
    )

    found = await verified(di, {"endorsement": forged, "keys": [multikey], "actorSnapshots": []})

    assert found.verdict == "valid by copy"
    assert "we never saw it at its owner's ourselves" in found.reason
    assert (
        f"{cy.host} says that it saw the key at its owner's server from 1 January 2020 to 2 January 2020"
        in found.reason
    )
    assert await di.instance.store.read(lambda db: known.key(db, key_id)) is None
    assert (await verified(attic, {"endorsement": forged})).verdict == "invalid"


@pytest.mark.proves("P-244")
async def test_a_witness_who_saw_another_key_is_told_of_as_such(fediverse: Fediverse) -> None:
    attic, _, cy, di, copy = await world(fediverse)
    fediverse.asleep.add(attic.host)
    other = keys.as_multikey(keys.Key(key_of(copy), attic.uri, keys.new_ed25519().public_key(), "assertionMethod"))
    answer = {"id": address(cy.home, key_of(copy)), "key": other, "firstSeen": FROM, "lastSeen": TO}
    fediverse.strangers[cy.host] = lambda request: httpx.Response(
        200, headers={"content-type": ACTIVITY_JSON}, content=msgspec.json.encode(answer)
    )

    found = await verified(di, copy)

    assert found.verdict == "valid by copy"
    assert f"{cy.host} says that it saw another key of that name there: trust neither" in found.reason


@pytest.mark.proves("P-244")
@pytest.mark.parametrize(
    "said",
    [
        {},
        {"key": "https://attic.example/#key", "firstSeen": FROM, "lastSeen": TO},
        {"key": {"id": "https://attic.example/#other", "type": "Multikey", "publicKeyMultibase": "z6Mk"}},
        httpx.Response(404),
        httpx.Response(200, headers={"content-type": ACTIVITY_JSON}, content=b"[" * 100_000),
    ],
)
async def test_a_witness_who_makes_no_sense_is_none(fediverse: Fediverse, said: Json | httpx.Response) -> None:
    found = await lied_to(fediverse, said)

    assert found.verdict == "valid by copy"
    assert found.reason.endswith("One other studio was asked: it has not seen the key.")


async def test_the_two_whom_it_is_about_are_no_witnesses_nor_is_who_is_blocked_or_no_studio(
    fediverse: Fediverse,
) -> None:
    attic, shop, cy, di, _ = await world(fediverse)
    await di.meets(attic)
    await di.meets(shop)
    Stranger(fediverse).actor("eve")
    await discovery.lookup(di.instance, "https://social.example/eve")
    parties = {attic.host, shop.host}

    async def homes() -> list[str]:
        return [*await di.instance.store.read(lambda db: witnesses._homes(db, parties))]

    before = await homes()
    await di.does(lambda tx: blocks.block_domain(tx, cy.host))

    assert (before, await homes()) == ([cy.home], [])


async def test_of_each_site_one_is_asked_and_no_more_than_a_few(fediverse: Fediverse) -> None:
    di = await fediverse.studio("di")
    names = [f"n{number}.farm.example" for number in range(3)] + [
        f"s{number}.example" for number in range(MAX_ASKED + 2)
    ]

    def meet(tx: Any) -> None:
        for number, name in enumerate(names):
            about: dict[str, Any] = {
                "host": name,
                "type": "Person",
                "handle": "a",
                "name": "A",
                "inbox": f"https://{name}/inbox",
            }
            times = dict.fromkeys(("first_seen", "fetched", "needed"), tx.now - timedelta(hours=number))
            tx.db.add(Actor(id=number + 1, uri=f"https://{name}/a", document={}, aware=True, **about, **times))

    await di.does(meet)

    homes = await di.instance.store.read(lambda db: witnesses._homes(db, set()))
    assert homes == ["https://n0.farm.example", *(f"https://s{number}.example" for number in range(MAX_ASKED - 1))]


@pytest.mark.parametrize(
    ("said", "of"),
    [
        ({"firstSeen": TO, "lastSeen": FROM}, ""),
        ({"lastSeen": "2099-01-01T00:00:00Z"}, ""),
        ({"firstSeen": "once"}, ""),
        ({}, "https://attic.example/actors/other"),
    ],
)
async def test_what_a_witness_says_tells_whose_key_was_seen_when(fediverse: Fediverse, said: Json, of: str) -> None:
    attic, _, cy, di, copy = await world(fediverse)
    _, told_so = await told(cy, di, key_of(copy))

    assert Sighting.read(Document(told_so), key_of(copy), attic.uri, fediverse.now)
    with pytest.raises(Malformed):
        Sighting.read(Document(told_so), f"{key_of(copy)}-2", attic.uri, fediverse.now)
    with pytest.raises(Malformed):
        Sighting.read(Document(told_so | said), key_of(copy), of or attic.uri, fediverse.now)


async def test_a_witness_remembers_who_has_left(fediverse: Fediverse) -> None:
    attic, _, cy, di, copy = await world(fediverse)
    await attic.does(lambda tx: departures.leave(tx, attic.uri))
    await fediverse.settle()
    fediverse.asleep.add(attic.host)

    status, said = await told(cy, di, key_of(copy))

    assert (status, "name" in said["actorSnapshots"][0]["actor"]) == (200, False)
    assert (await verified(di, copy)).verdict == "valid by copy"
