"""What is said of endorsements: while their giver's server answers, when it does not, and from a copy alone."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some
from sqlalchemy import delete, update

from activitypub import keys, proof
from activitypub.document import Document, Json
from activitypub.errors import Malformed, ProtocolError
from coop import endorsements, posts, verdicts
from coop.endorsements import Endorsement
from federation import actors, discovery, known, outbox
from federation.dispatch import disappeared
from federation.instance import own_proof_key
from federation.tables import Activity, Actor, Delivery, Object
from tests.coop.neighbours import counting, lives_at, made_up, sends
from tests.federation.stranger import Stranger
from tests.fediverse import Fediverse, Studio


async def given_one(fediverse: Fediverse, **terms: Any) -> tuple[Studio, Studio, str]:
    """Ada in the attic endorses Bo above the shop, who shows it."""
    attic, shop = await fediverse.studio("attic"), await fediverse.studio("shop")
    await attic.meets(shop)
    work = {"skills": ["Typesetting"], "text": "With care.", **terms}
    row = await attic.does(lambda tx: endorsements.give(tx, attic.uri, shop.uri, **work))
    await fediverse.settle()
    await shop.does(lambda tx: endorsements.accept(tx, shop.uri, row.uri))
    return attic, shop, row.uri


async def years_pass(studio: Studio) -> None:
    """For one studio, which forgets what nobody there needs."""
    for _ in range(20):
        studio.fediverse.later(days=40)
        await studio.upkeep.work()
        await studio.fediverse.settle()


async def offline(studio: Studio, uri: str) -> str:
    now = studio.instance.now()
    return await studio.instance.store.read(
        lambda db: verdicts.verdict_offline(db, endorsements.at(db, uri), now).verdict
    )


async def live(studio: Studio, uri: str) -> str:
    return (await verdicts.check(studio.instance, uri)).verdict


async def copied(studio: Studio, uri: str) -> Json:
    """The bundle that a studio gives away."""
    return await studio.instance.store.read(lambda db: verdicts.bundle(db, endorsements.at(db, uri)))


async def verified(studio: Studio, document: Json) -> str:
    """What a studio makes of a file, with all that it has seen and no network."""
    body, now = msgspec.json.encode(document), studio.instance.now()
    asked = len(studio.fediverse.requests)
    _, found = await studio.instance.store.read(lambda db: verdicts.verify_here(db, body, now))
    assert len(studio.fediverse.requests) == asked
    return found.verdict


def by_stranger(document: Json, fediverse: Fediverse) -> str:
    """What somebody makes of a file who has never met anybody."""
    _, found = verdicts.verify_file(msgspec.json.encode(document), lambda key_id: None, fediverse.now)
    return found.verdict


@pytest.mark.proves("P-242")
async def test_an_endorsement_is_valid_for_a_week_after_its_givers_server_stood_by_it(fediverse: Fediverse) -> None:
    attic, shop, uri = await given_one(fediverse)
    before = await offline(shop, uri)

    asked = await live(shop, uri)
    fediverse.asleep.add(attic.host)
    fediverse.later(days=7)
    within = await live(shop, uri)
    fediverse.later(seconds=1)
    after = await live(shop, uri)
    fediverse.asleep.clear()
    again = await live(shop, uri)

    assert (before, asked, within) == ("valid, offline", "valid", "valid")
    assert (after, again) == ("valid, offline", "valid")


async def keeps_up(studio: Studio, fediverse: Fediverse, days: int) -> list[str]:
    """Let upkeep run by the hour; what is said of what is shown at the end of each day."""
    said = []
    for hour in range(1, 24 * days + 1):
        fediverse.later(hours=1)
        await studio.upkeep.run_errands()
        if hour % 24 == 0:
            said += await shown(studio)
    return said


async def shown(studio: Studio) -> list[str]:
    now = studio.instance.now()
    return await studio.instance.store.read(
        lambda db: [found.reason for _, found in verdicts.with_verdicts(db, endorsements.shown_of(studio.uri), now)]
    )


@pytest.mark.proves("P-242")
async def test_forty_endorsements_are_judged_with_no_more_questions_than_one(fediverse: Fediverse) -> None:
    attic, shop, _ = await given_one(fediverse)
    garage = await fediverse.studio("garage")
    await garage.meets(shop)
    with counting(shop) as for_one:
        assert len(await shown(shop)) == 1
    for studio in (attic, garage, garage):
        await studio.does(lambda tx, by=studio.uri: endorsements.give(tx, by, shop.uri, ["Sewing"], "Well."))  # type: ignore[misc]
    await fediverse.settle()
    for row in await shop.knows(Endorsement):
        await shop.does(lambda tx, uri=row.uri: endorsements.accept(tx, shop.uri, uri))  # type: ignore[misc]

    with counting(shop) as for_all:
        assert len(await shown(shop)) == 4

    assert len(for_all) == len(for_one)


def asked_for(fediverse: Fediverse, studio: Studio) -> int:
    return sum(str(one.url) == studio.uri for one in fediverse.requests)


@pytest.mark.proves("P-242")
async def test_what_is_shown_is_confirmed_before_its_week_is_over_without_anybody_asking(fediverse: Fediverse) -> None:
    attic, shop, uri = await given_one(fediverse)
    fediverse.later(days=1)
    [before] = await shown(shop)
    met = asked_for(fediverse, attic)

    await shop.upkeep.run_errands()
    [at_once] = await shown(shop)
    said = await keeps_up(shop, fediverse, days=20)

    assert "was not asked" in before
    assert {at_once, *said} == {"The proof holds, and the key is confirmed by the server of the one who gave it."}
    assert asked_for(fediverse, attic) - met == 4  # now, and every six days
    await shop.does(lambda tx: endorsements.decline(tx, shop.uri, uri))
    await keeps_up(shop, fediverse, days=8)
    assert asked_for(fediverse, attic) - met == 4


@pytest.mark.proves("P-242")
async def test_a_server_is_called_silent_only_after_it_was_asked_and_is_then_left_in_peace(
    fediverse: Fediverse,
) -> None:
    attic, shop, _ = await given_one(fediverse)
    await shop.upkeep.run_errands()
    fediverse.asleep.add(attic.host)
    fediverse.later(days=7)
    tried = asked_for(fediverse, attic)

    said = await keeps_up(shop, fediverse, days=3)

    assert all("did not confirm it when we last asked" in one for one in said)
    assert asked_for(fediverse, attic) - tried <= 3 * 4  # every six hours
    fediverse.asleep.clear()
    [*_, last] = await keeps_up(shop, fediverse, days=2)
    assert "is confirmed" in last
    fediverse.later(days=8)
    [unasked] = await shown(shop)
    assert "was not asked" in unasked


@pytest.mark.proves("P-242", "P-245")
@pytest.mark.parametrize(("host", "verdict"), [("attic.example", "valid"), ("garage.example", "valid, offline")])
async def test_what_somebody_revoked_is_for_their_own_server_to_say(
    fediverse: Fediverse, host: str, verdict: str
) -> None:
    attic, shop, uri = await given_one(fediverse)
    garage = Stranger(fediverse, "garage.example")
    garage.documents["/none"] = {"id": f"{garage.home}/none", "type": "OrderedCollection", "orderedItems": []}
    [document] = [one.document for one in await attic.knows(Actor) if one.uri == attic.uri]
    listed = document["revocations"] if host == attic.host else f"{garage.home}/none"
    changed = update(Actor).where(Actor.uri == attic.uri).values(document={**document, "revocations": listed})
    await attic.does(lambda tx: tx.db.execute(changed) and None)

    assert await live(shop, uri) == verdict
    assert garage.asked == []


@pytest.mark.proves("P-242", "P-245")
async def test_a_revocation_that_never_reached_us_is_found_where_it_is_listed(fediverse: Fediverse) -> None:
    attic, shop, uri = await given_one(fediverse)
    fediverse.asleep.add(shop.host)
    await attic.does(lambda tx: endorsements.revoke(tx, attic.uri, uri))
    await fediverse.settle()
    before = await offline(shop, uri)

    found = await live(shop, uri)

    assert (before, found) == ("valid, offline", "revoked")
    row = await shop.instance.store.read(lambda db: endorsements.at(db, uri))
    assert row.revocation is not None
    note = await shop.instance.store.read(lambda db: known.find(db, uri))
    assert note is not None
    assert note.deleted
    assert await live(shop, uri) == "revoked"


@pytest.mark.proves("P-245")
async def test_what_is_listed_as_revoked_without_a_proof_is_not_taken_back(fediverse: Fediverse) -> None:
    """Whoever has got hold of a server can list what they like, and has not the key of those who live there."""
    attic, shop, uri = await given_one(fediverse)
    fediverse.asleep.add(shop.host)
    await attic.does(lambda tx: endorsements.revoke(tx, attic.uri, uri))
    [revoked] = await attic.knows(Endorsement)
    bare = {name: value for name, value in (revoked.revocation or {}).items() if name != "proof"}
    await attic.does(lambda tx: tx.db.execute(update(Endorsement).values(revocation=bare)) and None)
    await attic.does(lambda tx: tx.db.execute(delete(Delivery)) and None)  # it is listed, and never sent

    fediverse.later(days=8)
    await verdicts.keep_confirmed(shop.instance)

    listed = Document.parse((await shop.gets(f"{attic.uri}/revocations?page=1")).body)
    assert [one.uri("object") for one in listed.embeddeds("orderedItems")] == [uri]
    kept = await shop.instance.store.read(lambda db: endorsements.at(db, uri))
    assert (kept.revoked, kept.confirmed) == (None, shop.instance.now())


@pytest.mark.proves("P-245")
async def test_a_revocation_is_believed_only_from_its_giver(fediverse: Fediverse) -> None:
    attic, shop, uri = await given_one(fediverse)
    garage = await fediverse.studio("garage")
    await garage.meets(shop)
    await shop.meets(garage)
    words = {"@context": ["https://www.w3.org/ns/activitystreams"], "type": "Delete", "object": uri}

    async def counts(signer: Studio, **changes: str) -> bool:
        said = {**words, "id": f"{attic.home}/d", "actor": attic.uri, **changes}
        pair = await signer.instance.store.read(lambda db: own_proof_key(db, signer.uri))
        deletion = Document(proof.sign(said, *pair, fediverse.now))
        return await shop.instance.store.read(
            lambda db: endorsements.is_signed(db, uri, attic.uri, deletion, fediverse.now)
        )

    assert await counts(attic)
    assert await counts(attic, object=f"{uri}#endorsement")
    assert not await counts(attic, object=f"{uri}0")
    assert not await counts(attic, type="Undo")
    assert not await counts(garage)
    assert not await counts(garage, actor=garage.uri)


async def test_a_server_that_forgets_the_post_revokes_nothing(fediverse: Fediverse) -> None:
    attic, shop, uri = await given_one(fediverse)

    await shop.does(lambda tx: disappeared(tx, uri, attic.uri))

    assert await offline(shop, uri) == "valid, offline"


@pytest.mark.proves("P-243")
async def test_a_retired_key_still_proves_what_it_proved(fediverse: Fediverse) -> None:
    attic, shop, uri = await given_one(fediverse)
    actor = await shop.instance.store.read(lambda db: known.actor(db, attic.uri))
    without = {name: value for name, value in actor.document.items() if name != "assertionMethod"}

    await shop.does(lambda tx: actors.keep(tx, Document(without)))

    assert await offline(shop, uri) == "valid, offline"


async def test_an_endorsement_expires(fediverse: Fediverse) -> None:
    _, shop, uri = await given_one(fediverse, until=fediverse.now + timedelta(hours=1))

    before = await offline(shop, uri)
    fediverse.later(hours=1)

    assert (before, await offline(shop, uri)) == ("valid, offline", "expired")


@pytest.mark.proves("P-242", "P-334")
@pytest.mark.parametrize("changes", [{"skill": ["Brain surgery"]}, {"rides": "along"}, {"proof": None}, {"proof": []}])
async def test_what_was_altered_where_it_is_kept_is_shown_as_invalid(fediverse: Fediverse, changes: Json) -> None:
    _, shop, uri = await given_one(fediverse)
    row = await shop.instance.store.read(lambda db: endorsements.at(db, uri))
    changed = update(Endorsement).values(inner={**row.inner, **changes})

    await shop.does(lambda tx: tx.db.execute(changed) and None)

    now = fediverse.now
    shown = await shop.instance.store.read(lambda db: verdicts.with_verdicts(db, endorsements.shown_of(shop.uri), now))
    assert [(one.uri, found.verdict) for one, found in shown] == [(uri, "invalid")]


@pytest.mark.proves("P-243", "P-242")
async def test_a_copy_is_verified_without_any_network(fediverse: Fediverse) -> None:
    attic, shop, uri = await given_one(fediverse)
    garage = await fediverse.studio("garage")

    copy = await copied(shop, uri)

    assert copy["endorsement"] == (await shop.instance.store.read(lambda db: endorsements.at(db, uri))).inner
    assert [one["actor"]["id"] for one in copy["actorSnapshots"]] == [attic.uri]
    assert copy["receivedAt"] == "2026-03-02T09:00:00Z"
    assert await verified(shop, copy) == "valid, offline"
    assert await verified(shop, copy["endorsement"]) == "valid, offline"
    assert await verified(garage, copy) == "valid by copy"
    assert by_stranger(copy, fediverse) == "valid by copy"
    assert by_stranger(copy["endorsement"], fediverse) == "unknown"
    await garage.meets(attic)
    assert await verified(garage, copy) == "valid, offline"


@pytest.mark.proves("P-243", "P-247")
async def test_a_copy_is_served_only_of_what_is_shown(fediverse: Fediverse) -> None:
    attic, shop, uri = await given_one(fediverse)
    name = (await shop.instance.store.read(lambda db: endorsements.at(db, uri))).hash

    async def served(studio: Studio) -> bool:
        return await studio.instance.store.read(lambda db: verdicts.served(db, name) is not None)

    shown, elsewhere = await served(shop), await served(attic)
    await shop.does(lambda tx: endorsements.decline(tx, shop.uri, uri))
    declined = await served(shop)
    await shop.does(lambda tx: endorsements.accept(tx, shop.uri, uri))
    await attic.does(lambda tx: endorsements.revoke(tx, attic.uri, uri))
    await fediverse.settle()

    assert (shown, elsewhere, declined, await served(shop)) == (True, False, False, False)


@pytest.mark.proves("P-334", "P-242")
@pytest.mark.parametrize(
    "changes",
    [
        {"skill": ["Brain surgery"]},
        {"object": "https://garage.example/actors/cy"},
        {"attributedTo": "https://garage.example/actors/cy"},
        {"id": "https://attic.example/notes/1#endorsement"},
        {"content": "<p>Without care.</p>"},
        {"published": "2026-03-02T08:00:00Z"},
        {"capacity": "client"},
        {"endTime": "2030-01-01T00:00:00Z"},
        {"context": "https://attic.example/"},
    ],
)
async def test_a_copy_in_which_a_field_was_changed_is_invalid(fediverse: Fediverse, changes: Json) -> None:
    _, shop, uri = await given_one(fediverse)
    copy = await copied(shop, uri)
    forged = {**copy, "endorsement": {**copy["endorsement"], **changes}}

    found = await verified(shop, forged), by_stranger(forged, fediverse)

    assert found == ("invalid", "invalid")


@pytest.mark.proves("P-245", "P-334")
async def test_a_copy_of_what_was_revoked_is_revoked_for_whoever_knows(fediverse: Fediverse) -> None:
    attic, shop, uri = await given_one(fediverse)
    garage, cellar = await fediverse.studio("garage"), await fediverse.studio("cellar")
    await garage.follows(attic)
    await fediverse.settle()
    copy = await copied(shop, uri)

    await attic.does(lambda tx: endorsements.revoke(tx, attic.uri, uri))
    await fediverse.settle()

    assert await garage.knows(Endorsement) == []
    assert [one.uri for one in await garage.knows(Object) if one.deleted] == [uri]
    found = [await verified(studio, copy) for studio in (attic, shop, garage, cellar)]
    assert found == ["revoked", "revoked", "revoked", "valid by copy"]


@pytest.mark.proves("P-245")
async def test_a_revocation_is_remembered_for_good_where_the_endorsement_never_came(fediverse: Fediverse) -> None:
    attic, shop, uri = await given_one(fediverse)
    garage = await fediverse.studio("garage")
    await garage.meets(attic)
    copy = await copied(shop, uri)
    await attic.does(lambda tx: endorsements.revoke(tx, attic.uri, uri))
    [body] = [one.body for one in await attic.knows(Activity) if one.type == "Delete"]
    await sends(attic, garage, msgspec.json.decode(body))
    await sends(attic, garage, made_up(attic, "Delete", object=f"{attic.home}/notes/any"))
    unsigned = {"id": f"{attic.home}/notes/unsigned", "type": "Tombstone", "formerType": "Endorsement"}
    await sends(attic, garage, made_up(attic, "Delete", object=unsigned))

    await years_pass(garage)

    assert [one.uri for one in await garage.knows(Object)] == [uri]
    assert attic.uri not in [one.uri for one in await garage.knows(Actor)]
    assert await verified(garage, copy) == "revoked"


@pytest.mark.proves("P-245")
async def test_a_neighbour_of_its_giver_takes_nothing_back(fediverse: Fediverse) -> None:
    """Who lives on the same server may well delete what never came, and has given nothing."""
    attic, shop, uri = await given_one(fediverse)
    garage = await fediverse.studio("garage")
    await garage.meets(attic)
    copy, mal = await copied(shop, uri), await lives_at(attic, "mal")

    await garage.does(lambda tx: known.bury(tx, uri, mal))

    assert await verified(garage, copy) == "valid, offline"


@pytest.mark.proves("P-245", "P-327")
async def test_nobody_fills_the_disk_with_revocations_of_what_never_came(fediverse: Fediverse) -> None:
    attic, shop, _ = await given_one(fediverse)
    count = endorsements.MAX_REVOKED + 1
    gone = [
        {"id": f"{attic.home}/notes/{number}", "type": "Tombstone", "formerType": "Endorsement"}
        for number in range(count)
    ]
    for start in range(0, count, posts.MAX_ERASED):
        deletion = made_up(attic, "Delete", object=gone[start : start + posts.MAX_ERASED])
        signed = await attic.does(lambda tx, said=deletion: outbox.sign(tx, said))  # type: ignore[misc]
        await sends(attic, shop, signed)
    unsigned = {**gone[0], "id": f"{attic.home}/notes/unsigned"}
    await sends(attic, shop, made_up(attic, "Delete", object=unsigned))

    kept = [one.uri for one in await shop.knows(Object) if one.deleted and one.type == "Endorsement"]

    assert kept == [one["id"] for one in gone[: endorsements.MAX_REVOKED]]


@pytest.mark.proves("P-246")
async def test_a_second_endorsement_under_the_same_id_is_invalid_however_well_signed(fediverse: Fediverse) -> None:
    attic, shop, uri = await given_one(fediverse)
    copy = await copied(shop, uri)
    unsigned = {name: value for name, value in copy["endorsement"].items() if name != "proof"}
    pair = await attic.instance.store.read(lambda db: own_proof_key(db, attic.uri))

    other = proof.sign({**unsigned, "skill": ["Brain surgery"]}, *pair, fediverse.now)

    assert await verified(shop, other) == "invalid"
    assert await verified(shop, copy) == "valid, offline"


async def bundle_with_fresh_key(fediverse: Fediverse, key_name: str) -> tuple[Studio, Studio, Json]:
    """What Bo might make up: praise by Ada, with a key of his own that he says is hers."""
    attic, shop, uri = await given_one(fediverse)
    copy = await copied(shop, uri)
    invented, key_id = keys.new_ed25519(), f"{attic.uri}#{key_name}"
    unsigned = {name: value for name, value in copy["endorsement"].items() if name != "proof"}
    praise = {**unsigned, "id": f"{attic.home}/notes/praise#endorsement", "skill": ["Everything"]}
    listed = {
        "id": key_id,
        "type": "Multikey",
        "controller": attic.uri,
        "publicKeyMultibase": keys.write_multikey(invented.public_key()),
    }
    [snapshot] = copy["actorSnapshots"]
    actor = {**snapshot["actor"], "assertionMethod": [listed]}
    signed = proof.sign(praise, key_id, invented, fediverse.now)
    return attic, shop, {"endorsement": signed, "actorSnapshots": [{**snapshot, "actor": actor}]}


@pytest.mark.proves("P-335", "P-242")
async def test_a_key_that_came_with_a_copy_makes_it_valid_by_copy_at_best(fediverse: Fediverse) -> None:
    _, shop, forged = await bundle_with_fresh_key(fediverse, "ed25519-key-2")

    assert await verified(shop, forged) == "valid by copy"
    assert by_stranger(forged, fediverse) == "valid by copy"


@pytest.mark.proves("P-335")
async def test_a_key_that_we_saw_ourselves_is_not_replaced_by_one_in_a_copy(fediverse: Fediverse) -> None:
    _, shop, forged = await bundle_with_fresh_key(fediverse, "ed25519-key")

    assert await verified(shop, forged) == "invalid"


@pytest.mark.proves("P-335")
async def test_a_copy_lists_no_keys_for_anybody_but_its_giver(fediverse: Fediverse) -> None:
    _, _, forged = await bundle_with_fresh_key(fediverse, "ed25519-key-2")
    [snapshot] = forged["actorSnapshots"]
    other = {**snapshot, "actor": {**snapshot["actor"], "id": "https://shop.example/actors/bo"}}

    assert by_stranger({**forged, "actorSnapshots": [other]}, fediverse) == "unknown"


@pytest.mark.proves("P-241", "P-334")
async def test_praise_of_oneself_is_invalid_in_a_copy_too(fediverse: Fediverse) -> None:
    attic, shop, uri = await given_one(fediverse)
    copy = await copied(shop, uri)
    unsigned = {name: value for name, value in copy["endorsement"].items() if name != "proof"}
    pair = await attic.instance.store.read(lambda db: own_proof_key(db, attic.uri))
    praise = proof.sign({**unsigned, "object": attic.uri}, *pair, fediverse.now)

    assert by_stranger({**copy, "endorsement": praise}, fediverse) == "invalid"


async def test_one_that_is_looked_up_is_verified_like_one_that_was_sent(fediverse: Fediverse) -> None:
    _, _, uri = await given_one(fediverse)
    cellar = await fediverse.studio("cellar")

    await discovery.lookup(cellar.instance, uri)

    assert await live(cellar, uri) == "valid"


async def test_a_file_without_an_endorsement_says_so(fediverse: Fediverse) -> None:
    with pytest.raises(Malformed, match="no endorsement"):
        by_stranger({"type": "Note", "content": "Well done!"}, fediverse)


json_values = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats(allow_nan=False) | some.text(max_size=9),
    lambda inner: some.lists(inner, max_size=2) | some.dictionaries(some.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)
names = some.sampled_from(["endorsement", "actorSnapshots", "object", "type", "receivedAt", "proof", "id"])


@given(some.dictionaries(names, json_values))
def test_any_file_has_a_verdict_or_none_in_it(document: Json) -> None:
    with suppress(ProtocolError):
        verdicts.verify_file(msgspec.json.encode(document), lambda key_id: None, datetime(2026, 3, 2, tzinfo=UTC))


@pytest.mark.proves("P-245", "P-335")
async def test_a_revocation_in_a_copy_is_its_givers_own_or_none(fediverse: Fediverse) -> None:
    attic, shop, uri = await given_one(fediverse)
    before = await copied(shop, uri)
    await attic.does(lambda tx: endorsements.revoke(tx, attic.uri, uri))
    await fediverse.settle()
    copy = await copied(shop, uri)
    deletion = copy["revocation"]
    of_another = made_up(attic, "Delete", object=f"{attic.home}/notes/another")

    forged = [
        await attic.does(lambda tx: outbox.sign(tx, of_another)),
        {**deletion, "actor": shop.uri},
        {**deletion, "type": "Undo"},
        {**deletion, "object": f"{attic.home}/notes/another"},
        {**deletion, "to": []},
        {name: value for name, value in deletion.items() if name != "proof"},
        {},
    ]
    assert by_stranger(copy, fediverse) == "revoked"
    assert by_stranger(before, fediverse) == "valid by copy"
    assert [by_stranger({**copy, "revocation": one}, fediverse) for one in forged] == ["valid by copy"] * len(forged)
    garage = await fediverse.studio("garage")
    await garage.meets(attic)
    assert await verified(garage, copy) == "revoked"
    assert await verified(garage, {**copy, "revocation": forged[3]}) == "valid, offline"
