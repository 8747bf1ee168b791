"""What is remembered of actors elsewhere: what their own server says, their keys, and that they left."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from activitypub.document import Document, Json
from activitypub.errors import Forbidden, Malformed
from activitypub.keys import write_multikey
from coop import posts
from coop.follows import Follow
from coop.posts import Draft
from federation import actors, known
from federation.tables import Actor, Delivery, Key, Object
from tests.federation.stranger import Stranger, ed25519
from tests.fediverse import Fediverse, Studio


@pytest.fixture
async def attic(fediverse: Fediverse) -> Studio:
    return await fediverse.studio("attic")


@pytest.fixture
def social(fediverse: Fediverse) -> Stranger:
    return Stranger(fediverse)


def document(social: Stranger, uri: str) -> Json:
    found = social.documents[uri.removeprefix(social.home)]
    assert isinstance(found, dict)
    return found


async def keep(attic: Studio, json: Json) -> Actor:
    return await attic.does(lambda tx: actors.keep(tx, Document(json)))


def multikey(owner: str, name: str, number: int) -> Json:
    public = write_multikey(ed25519(number).public_key())
    return {"id": f"{owner}#{name}", "type": "Multikey", "controller": owner, "publicKeyMultibase": public}


async def keys_of(attic: Studio, owner: str) -> dict[str, bool]:
    """The fragment of each key that is kept, and whether it may still be used."""
    found = [one for one in await attic.knows(Key) if one.owner == owner]
    return {one.id.partition("#")[2]: one.retired is None for one in found}


@pytest.mark.proves("P-327")
async def test_an_actor_whose_document_is_a_book_is_nobody_here(attic: Studio, social: Stranger) -> None:
    json = document(social, social.actor("cleo"))
    fields = [
        {"type": "PropertyValue", "name": f"Web {n}", "value": "<a href='https://a.example'>a" * 75} for n in range(50)
    ]

    await keep(attic, {**json, "attachment": fields})
    with pytest.raises(Malformed, match="longer than 262,144"):
        await keep(attic, {**json, "attachment": fields * 3})


async def test_an_actor_is_who_its_server_says(attic: Studio, social: Stranger) -> None:
    cleo = social.actor("cleo")
    json = document(social, cleo)

    first = await keep(attic, {**json, "name": "Cleo"})
    attic.fediverse.later(days=1)
    second = await keep(attic, {**json, "name": "Cleo the second"})

    [row] = [one for one in await attic.knows(Actor) if one.uri == cleo]
    assert (row.id, row.name, row.host, row.handle) == (first.id, "Cleo the second", social.host, "cleo")
    assert (row.first_seen, row.fetched) == (first.first_seen, attic.fediverse.now)
    assert second.local is False


@pytest.mark.proves("P-108")
async def test_nobody_else_says_who_lives_here(attic: Studio, social: Stranger) -> None:
    forged = {**document(social, social.actor("cleo")), "id": attic.uri, "inbox": f"{social.home}/inbox"}

    with pytest.raises(Forbidden, match="lives here"):
        await keep(attic, forged)


@pytest.mark.parametrize("flaw", [{"inbox": None}, {"type": "Note"}, {"id": "cleo"}, {"inbox": "mailto:cleo"}])
async def test_what_is_no_actor_is_not_kept(attic: Studio, social: Stranger, flaw: Json) -> None:
    json = {**document(social, social.actor("cleo")), **flaw}

    with pytest.raises(Malformed):
        await keep(attic, json)
    assert [one for one in await attic.knows(Actor) if not one.local] == []


@pytest.mark.proves("P-243")
async def test_a_key_for_proofs_is_retired_and_never_forgotten(attic: Studio, social: Stranger) -> None:
    cleo = social.actor("cleo")
    json = document(social, cleo)
    await keep(attic, json)

    await keep(attic, {**json, "assertionMethod": [multikey(cleo, "proof-2", 3)]})
    retired = await keys_of(attic, cleo)
    await keep(attic, json)

    assert retired == {"main-key": True, "proof": False, "proof-2": True}
    assert await keys_of(attic, cleo) == {"main-key": True, "proof": True, "proof-2": False}


async def test_a_key_for_proofs_never_changes_under_its_id(attic: Studio, social: Stranger) -> None:
    cleo = social.actor("cleo")
    json = document(social, cleo)
    await keep(attic, json)

    await keep(attic, {**json, "assertionMethod": [multikey(cleo, "proof", 3)]})

    kept = await attic.instance.store.read(lambda db: known.key(db, f"{cleo}#proof"))
    assert kept is not None
    assert kept.public == ed25519(social.key).public_key()


@pytest.mark.proves("P-327")
async def test_keys_that_only_signed_requests_are_forgotten(attic: Studio, social: Stranger) -> None:
    cleo = social.actor("cleo")
    json = document(social, cleo)

    for number in range(3):
        key = {**json["publicKey"], "id": f"{cleo}#key-{number}"}
        await keep(attic, {**json, "publicKey": key})

    assert await keys_of(attic, cleo) == {"key-2": True, "proof": True}


@pytest.mark.proves("P-327")
async def test_an_actor_has_so_many_keys_and_no_more(attic: Studio, social: Stranger) -> None:
    cleo = social.actor("cleo")
    json = document(social, cleo)

    for start in range(0, 2 * actors.MAX_KEYS, 30):
        fresh = [multikey(cleo, f"proof-{number}", 3) for number in range(start, start + 30)]
        await keep(attic, {**json, "assertionMethod": fresh})

    assert len(await keys_of(attic, cleo)) <= actors.MAX_KEYS


@pytest.mark.parametrize("who", ["one", "two"])
async def test_a_key_id_that_is_listed_twice_belongs_to_the_first(attic: Studio, social: Stranger, who: str) -> None:
    cleo, bella = social.actor("cleo"), social.actor("bella")
    shared = {
        "id": f"{social.home}/key",
        "owner": cleo,
        "publicKeyPem": document(social, cleo)["publicKey"]["publicKeyPem"],
    }
    await keep(attic, {**document(social, cleo), "publicKey": [shared, shared]})

    if who == "two":
        await keep(attic, {**document(social, bella), "publicKey": {**shared, "owner": bella}})

    assert [(one.id, one.owner) for one in await attic.knows(Key) if "/key" in one.id] == [(shared["id"], cleo)]


@pytest.mark.proves("P-116", "P-319")
@pytest.mark.parametrize("form", ["id", "tombstone", "actor"])
async def test_an_actor_that_deletes_itself_is_gone(
    fediverse: Fediverse, attic: Studio, social: Stranger, form: str
) -> None:
    cleo = social.actor("cleo")
    note = social.note("note", cleo, to=[attic.uri])
    await social.sends(attic, social.activity("Create", cleo, note, to=[attic.uri]))
    await social.sends(attic, social.activity("Follow", cleo, attic.uri))
    await fediverse.settle()
    about: Any = {"id": cleo, "tombstone": {"id": cleo, "type": "Tombstone"}, "actor": document(social, cleo)}[form]

    await social.sends(attic, social.activity("Delete", cleo, about))
    await fediverse.settle()

    [row] = [one for one in await attic.knows(Actor) if one.uri == cleo]
    assert row.gone == fediverse.now
    assert await attic.knows(Follow) == []
    assert [one.deleted is not None for one in await attic.knows(Object)] == [True]
    assert await keys_of(attic, cleo) == {"main-key": False, "proof": False}


@pytest.mark.proves("P-116", "P-319")
async def test_nobody_deletes_another_actor(fediverse: Fediverse, attic: Studio, social: Stranger) -> None:
    cleo, bella = social.actor("cleo"), social.actor("bella")
    evil = Stranger(fediverse, "evil.example", key=3)
    await social.sends(attic, social.activity("Follow", cleo, attic.uri))
    await fediverse.settle()

    await social.sends(attic, social.activity("Delete", bella, cleo))
    await evil.sends(attic, evil.activity("Delete", evil.actor("mallory"), cleo))
    await fediverse.settle()

    assert [one.gone for one in await attic.knows(Actor) if one.uri == cleo] == [None]
    assert [one.follower for one in await attic.knows(Follow)] == [cleo]


async def test_whoever_leaves_takes_nobody_elses_mail_with_them(
    fediverse: Fediverse, attic: Studio, social: Stranger
) -> None:
    together = f"{social.home}/everybody/inbox"
    crowd = [social.actor("cleo"), social.actor("bella", inbox=together), social.actor("dora", inbox=together)]
    for who in crowd:
        await social.sends(attic, social.activity("Follow", who, attic.uri))
    await fediverse.settle()
    fediverse.asleep.add(social.host)
    await attic.does(lambda tx: posts.publish(tx, attic.uri, Draft("Good night.")))
    await fediverse.settle()

    for who in crowd[:2]:
        await attic.does(partial(actors.has_left, uri=who))
    some = [one.inbox for one in await attic.knows(Delivery) if one.state == "waiting"]
    await attic.does(lambda tx: actors.has_left(tx, crowd[2]))

    assert some == [together]
    assert [one for one in await attic.knows(Delivery) if one.state == "waiting"] == []


async def test_nobody_has_their_inbox_on_another_server(attic: Studio, social: Stranger) -> None:
    json = document(social, social.actor("cleo"))

    await keep(attic, {**json, "inbox": "https://inboxes.social.example/cleo"})
    with pytest.raises(Malformed, match="another server"):
        await keep(attic, {**json, "inbox": "https://victim.example/inbox"})


async def test_one_of_us_never_leaves_by_word_of_others(attic: Studio) -> None:
    await attic.does(lambda tx: actors.has_left(tx, attic.uri))
    await attic.does(lambda tx: actors.has_left(tx, "https://nobody.example/x"))

    assert [one.gone for one in await attic.knows(Actor)] == [None, None]


async def test_an_address_finds_whoever_has_proven_it(fediverse: Fediverse, attic: Studio) -> None:
    garage = await fediverse.studio("garage")
    await attic.meets(garage)

    found = await attic.instance.store.read(lambda db: actors.by_address(db, "@Garage@garage.example"))
    nobody = await attic.instance.store.read(lambda db: actors.by_address(db, "garage@attic.example"))

    assert found is not None
    assert (found.uri, nobody) == (garage.uri, None)
