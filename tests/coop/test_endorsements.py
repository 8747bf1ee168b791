"""Endorsements between studios: given, received, shown, taken back, and forged in every way we could think of."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from sqlalchemy import update

from activitypub import proof
from activitypub.document import Document, Json
from activitypub.errors import Forbidden
from coop import accounts, blocks, endorsements, posts, verdicts
from coop.endorsements import EndorsedSkill, Endorsement, Snapshot
from coop.errors import NotAllowed, NotFound, Trouble
from coop.events import Notice
from federation import discovery, known
from federation.instance import own_proof_key
from federation.tables import Activity, Key, Object, Receipt
from tests.coop.notices import told
from tests.federation.stranger import Stranger
from tests.fediverse import Fediverse, Studio, key_pair

__all__ = ["told"]  # a fixture

Told = list[tuple[str, Notice]]


async def acquainted(fediverse: Fediverse) -> tuple[Studio, Studio, Studio]:
    """Ada in the attic, Bo above the shop, and Cy in the garage, who follows Ada; all know each other."""
    attic, shop, garage = [await fediverse.studio(name) for name in ("attic", "shop", "garage")]
    for one, other in ((attic, shop), (shop, attic), (shop, garage), (garage, shop)):
        await one.meets(other)
    await garage.follows(attic)
    await fediverse.settle()
    return attic, shop, garage


async def endorses(studio: Studio, subject: Studio, *skills: str, **terms: Any) -> str:
    words = "Set our catalogue with *care*."
    row = await studio.does(
        lambda tx: endorsements.give(tx, studio.uri, subject.uri, skills or ("Typesetting",), words, **terms)
    )
    await studio.fediverse.settle()
    return row.uri


async def endorsement_at(studio: Studio, uri: str) -> Endorsement:
    return await studio.instance.store.read(lambda db: endorsements.at(db, uri))


async def verdict(studio: Studio, uri: str) -> str:
    """Without asking anybody."""
    now = studio.instance.now()
    return await studio.instance.store.read(
        lambda db: verdicts.verdict_offline(db, endorsements.at(db, uri), now).verdict
    )


async def sent(studio: Studio, kind: str) -> Json:
    """The newest activity of a kind that a studio sent, as it was on the wire."""
    activities = [one for one in await studio.knows(Activity) if one.type == kind]
    found: Json = msgspec.json.decode(max(activities, key=lambda one: one.id).body)
    return found


async def delivers(studio: Studio, to: Studio, activity: Json) -> Receipt:
    """Put an activity into somebody's inbox and let everybody work; what became of it there."""
    await studio.sends(f"{to.uri}/inbox", activity)
    await studio.fediverse.settle()
    return next(one for one in await to.knows(Receipt) if one.uri == activity["id"])


async def signed(studio: Studio, document: Json) -> Json:
    """`document` with a proof by the account of `studio`, whoever it says it is by."""
    now = studio.instance.now()
    return await studio.instance.store.read(lambda db: proof.sign(document, *own_proof_key(db, studio.uri), now))


def activity(studio: Studio, note: Json, kind: str = "Create", number: int = 1) -> Json:
    uri = f"{studio.home}/made-up/{number}"
    return {"id": uri, "type": kind, "actor": studio.uri, "to": note["to"], "cc": note["cc"], "object": note}


async def made_up(studio: Studio, subject: Studio, **changes: Any) -> Json:
    """A note with an endorsement that `studio` signed, but for `changes`, which are made before."""
    uri = f"{studio.home}/notes/made-up"
    given = await endorses(studio, subject)
    original = await studio.instance.store.read(lambda db: known.find(db, given))
    assert original is not None
    inner = {name: value for name, value in original.document["endorsement"].items() if name != "proof"}
    inner = await signed(studio, {**inner, "id": f"{uri}#endorsement", **changes})
    return {**original.document, "id": uri, "url": uri, "endorsement": inner}


@pytest.mark.proves("P-240", "P-080")
async def test_an_endorsement_arrives_signed_and_is_a_post_to_everybody_else(fediverse: Fediverse, told: Told) -> None:
    attic, shop, garage = await acquainted(fediverse)

    uri = await endorses(attic, shop, "Typesetting", "Patience", capacity="client", work="https://shop.example/work")

    note = (await sent(attic, "Create"))["object"]
    assert note["type"] == "Note"
    assert "I endorse" in note["content"]
    assert "<strong>Typesetting</strong> and <strong>Patience</strong> (as a client)" in note["content"]
    assert [one["href"] for one in note["tag"]] == [shop.uri]
    for studio in (attic, shop, garage):
        row = await endorsement_at(studio, uri)
        assert (row.endorser, row.subject, row.inner) == (attic.uri, shop.uri, note["endorsement"])
        assert row.hash == proof.hash_of(note["endorsement"])
        assert {one.skill for one in await studio.knows(EndorsedSkill)} == {"typesetting", "patience"}
    assert (await endorsement_at(garage, f"{uri}#endorsement")).uri == uri
    assert [await verdict(one, uri) for one in (attic, shop)] == ["valid", "valid, offline"]
    assert (shop.home, Notice("endorsement", shop.uri, attic.uri, uri)) in told


@pytest.mark.proves("P-247")
async def test_whoever_is_endorsed_decides_whether_it_is_shown(fediverse: Fediverse) -> None:
    attic, shop, _ = await acquainted(fediverse)
    uri = await endorses(attic, shop)

    async def listed() -> tuple[int, list[str]]:
        now = fediverse.now
        shown = await shop.instance.store.read(
            lambda db: verdicts.with_verdicts(db, endorsements.shown_of(shop.uri), now)
        )
        page = Document.parse((await attic.gets(f"{shop.uri}/endorsements-received?page=1")).body)
        return len(shown), list(page.strings("orderedItems"))

    at_first = await listed()
    await shop.does(lambda tx: endorsements.accept(tx, shop.uri, uri))
    accepted = await listed()
    await shop.does(lambda tx: endorsements.decline(tx, shop.uri, uri))
    sent_before = len(await shop.knows(Activity))
    declined = await listed()

    assert (at_first, accepted, declined) == ((0, []), (1, [uri]), (0, []))
    assert len(await shop.knows(Activity)) == sent_before
    given = Document.parse((await shop.gets(f"{attic.uri}/endorsements-given?page=1")).body)
    assert given.strings("orderedItems") == (uri,)
    with pytest.raises(NotAllowed):
        await attic.does(lambda tx: endorsements.accept(tx, attic.uri, uri))


@pytest.mark.proves("P-245")
async def test_a_revoked_endorsement_is_revoked_everywhere_and_shown_as_such(fediverse: Fediverse, told: Told) -> None:
    attic, shop, garage = await acquainted(fediverse)
    uri = await endorses(attic, shop)
    await shop.does(lambda tx: endorsements.accept(tx, shop.uri, uri))

    await attic.does(lambda tx: endorsements.revoke(tx, attic.uri, uri))
    await fediverse.settle()

    assert [await verdict(one, uri) for one in (attic, shop, garage)] == ["revoked"] * 3
    assert (await shop.gets(uri)).status == 410
    page = Document.parse((await shop.gets(f"{attic.uri}/revocations?page=1")).body)
    [item] = page.embeddeds("orderedItems")
    assert item.json == await sent(attic, "Delete")
    await garage.instance.store.read(lambda db: known.check_proof(db, item, fediverse.now))
    assert (await endorsement_at(garage, uri)).revocation == item.json
    now = fediverse.now
    [(_, shown)] = await shop.instance.store.read(
        lambda db: verdicts.with_verdicts(db, endorsements.shown_of(shop.uri), now)
    )
    assert shown.verdict == "revoked"
    assert (shop.home, Notice("endorsement revoked", shop.uri, attic.uri, uri)) in told


@pytest.mark.proves("P-245", "P-334")
async def test_an_endorsement_does_not_come_back_to_life(fediverse: Fediverse) -> None:
    attic, shop, _ = await acquainted(fediverse)
    uri = await endorses(attic, shop)
    create = await sent(attic, "Create")
    await attic.does(lambda tx: endorsements.revoke(tx, attic.uri, uri))
    await fediverse.settle()
    update = {**create["object"], "updated": "2026-03-02T09:30:00Z"}
    fediverse.later(hours=1)

    await delivers(attic, shop, activity(attic, create["object"]))
    await delivers(attic, shop, activity(attic, update, "Update", 2))

    assert await verdict(shop, uri) == "revoked"
    kept = await shop.instance.store.read(lambda db: known.find(db, uri))
    assert kept is not None
    assert kept.deleted
    cellar = await fediverse.studio("cellar")
    await cellar.meets(attic)
    await delivers(attic, cellar, {**await sent(attic, "Delete"), "id": f"{attic.home}/again"})
    await delivers(attic, cellar, activity(attic, {**create["object"], "cc": [cellar.uri]}, number=3))
    assert await cellar.knows(Endorsement) == []


@pytest.mark.proves("P-245")
async def test_only_its_giver_revokes_it(fediverse: Fediverse) -> None:
    attic, shop, garage = await acquainted(fediverse)
    uri = await endorses(attic, shop)
    gone = {"id": f"{garage.home}/d", "type": "Delete", "actor": garage.uri, "object": uri}

    receipt = await delivers(garage, shop, gone)
    with pytest.raises(NotAllowed):
        await shop.does(lambda tx: endorsements.revoke(tx, shop.uri, uri))
    with pytest.raises(NotFound):
        await attic.does(lambda tx: endorsements.revoke(tx, attic.uri, f"{uri}0"))

    assert receipt.state == "refused"
    assert await verdict(shop, uri) == "valid, offline"


@pytest.mark.proves("P-241", "P-334")
async def test_an_endorsement_in_anothers_name_is_refused_and_never_stored(fediverse: Fediverse) -> None:
    attic, shop, garage = await acquainted(fediverse)
    theirs = (await made_up(attic, shop))["endorsement"]
    await shop.does(lambda tx: blocks.block(tx, shop.uri, attic.uri))  # so that nothing of hers is known there
    before = len(await shop.knows(Endorsement))
    note = await made_up(garage, shop)

    forgeries = [
        {**note["endorsement"], "attributedTo": attic.uri},
        await signed(garage, {**note["endorsement"], "attributedTo": attic.uri}),
        {**theirs, "id": note["endorsement"]["id"]},
        theirs,
        theirs["id"],
    ]
    receipts = [
        await delivers(garage, shop, activity(garage, {**note, "endorsement": forged}, number=number))
        for number, forged in enumerate(forgeries)
    ]

    assert [one.state for one in receipts] == ["refused"] * len(forgeries)
    assert [one.endorser for one in await shop.knows(Endorsement)][before:] == [garage.uri]
    assert f"{garage.home}/notes/made-up" not in [one.uri for one in await shop.knows(Object)]


@pytest.mark.proves("P-241", "P-334")
@pytest.mark.parametrize(
    "altered",
    [
        {"content": "<p>She is the best.</p>"},
        {"skill": ["Brain surgery"]},
        {"capacity": "employer"},
        {"object": "https://garage.example/actors/somebody"},
        {"published": "2026-03-01T09:00:00Z"},
        {"context": "https://attic.example/work"},
        {"endTime": "2030-01-01T00:00:00Z"},
        {"proof": None},
        {"rides": "along"},
    ],
)
async def test_an_altered_endorsement_is_refused(fediverse: Fediverse, altered: Json) -> None:
    attic, shop, _ = await acquainted(fediverse)
    note = await made_up(attic, shop)
    inner = {name: value for name, value in {**note["endorsement"], **altered}.items() if value is not None}

    receipt = await delivers(attic, shop, activity(attic, {**note, "endorsement": inner}))

    assert receipt.state == "refused"
    assert [one.uri for one in await shop.knows(Endorsement)] != []  # the good one
    assert note["id"] not in [one.uri for one in await shop.knows(Endorsement)]


@pytest.mark.proves("P-241", "P-334")
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"object": "ADA"}, "nobody endorses themselves"),
        ({"published": "2026-03-02T09:06:00Z"}, "from the future"),
        ({"endTime": "2026-03-02T09:00:00Z"}, "has expired"),
        ({"id": "https://attic.example/notes/another#endorsement"}, "in the note that it names"),
        ({"skill": []}, "one to 5"),
        ({"capacity": "god"}, "capacity"),
        ({"content": "x" * 2_001}, "2000 characters"),
    ],
)
async def test_what_is_well_signed_but_no_endorsement_is_refused(
    fediverse: Fediverse, changes: Json, reason: str
) -> None:
    attic, shop, _ = await acquainted(fediverse)
    if changes.get("object") == "ADA":
        changes = {"object": attic.uri}
    note = await made_up(attic, shop, **changes)

    receipt = await delivers(attic, shop, activity(attic, note))

    assert receipt.state == "refused"
    assert reason in (receipt.error or "")
    assert note["id"] not in [one.uri for one in await shop.knows(Endorsement)]


@pytest.mark.proves("P-241", "P-320")
async def test_anothers_endorsement_is_not_taken_from_a_note_that_is_looked_up(fediverse: Fediverse) -> None:
    attic, shop, _ = await acquainted(fediverse)
    note, mallory = await made_up(attic, shop), Stranger(fediverse)
    uri = f"{mallory.home}/note"
    mallory.documents["/note"] = {**note, "id": uri, "attributedTo": mallory.actor("eve")}

    with pytest.raises(Forbidden, match="by the one who gives it"):
        await discovery.fetch(shop.instance, uri)

    assert uri not in [one.uri for one in await shop.knows(Object)]


@pytest.mark.proves("P-241", "P-321")
async def test_a_key_of_a_housemate_proves_nothing_in_her_name(fediverse: Fediverse) -> None:
    attic, shop, _ = await acquainted(fediverse)
    pair = key_pair(9)
    eve = await attic.does(lambda tx: accounts.create(tx, "eve", "Eve", "person", pair).uri)
    await discovery.fetch(shop.instance, eve)
    note = await made_up(attic, shop)
    unsigned = {name: value for name, value in note["endorsement"].items() if name != "proof"}
    inner = await attic.instance.store.read(lambda db: proof.sign(unsigned, *own_proof_key(db, eve), fediverse.now))

    receipt = await delivers(attic, shop, activity(attic, {**note, "endorsement": inner}))

    assert receipt.state == "refused"
    assert note["id"] not in [one.uri for one in await shop.knows(Endorsement)]


@pytest.mark.proves("P-241")
async def test_an_old_endorsement_is_taken_from_a_new_acquaintance_and_a_new_key_proves_nothing_old(
    fediverse: Fediverse,
) -> None:
    attic, shop, _ = await acquainted(fediverse)
    old = await endorses(attic, shop)
    fediverse.later(days=30)
    cellar = await fediverse.studio("cellar")

    await discovery.lookup(cellar.instance, old)

    assert await verdict(cellar, old) == "valid, offline"
    fediverse.later(days=1)
    newer = update(Key).where(Key.owner == attic.uri).values(first_seen=fediverse.now)  # as if she had changed it
    await cellar.does(lambda tx: tx.db.execute(newer) and None)
    note = await made_up(attic, cellar, published="2026-03-20T09:00:00Z")
    receipt = await delivers(attic, cellar, activity(attic, note))
    assert receipt.state == "refused"
    assert "older than the key" in (receipt.error or "")


@pytest.mark.proves("P-246")
async def test_an_endorsement_does_not_change_but_the_words_around_it_may(fediverse: Fediverse) -> None:
    attic, shop, _ = await acquainted(fediverse)
    uri = await endorses(attic, shop)
    note = (await sent(attic, "Create"))["object"]
    fediverse.later(minutes=2)
    first = note["endorsement"]
    unsigned = {name: value for name, value in first.items() if name != "proof"}
    other = await signed(attic, {**unsigned, "skill": ["Brain surgery"]})

    reworded = {**note, "content": "<p>Again.</p>", "updated": "2026-03-02T09:01:00Z"}
    changed = {**note, "endorsement": other, "updated": "2026-03-02T09:02:00Z"}
    good = await delivers(attic, shop, activity(attic, reworded, "Update", 1))
    bad = await delivers(attic, shop, activity(attic, changed, "Update", 2))
    again = await delivers(attic, shop, activity(attic, changed, "Create", 3))

    assert [one.state for one in (good, bad, again)] == ["done", "refused", "refused"]
    assert (await endorsement_at(shop, uri)).inner == first
    kept = await shop.instance.store.read(lambda db: known.find(db, uri))
    assert kept is not None
    assert (kept.document["content"], kept.document["endorsement"]) == ("<p>Again.</p>", first)


@pytest.mark.proves("P-243")
async def test_what_is_needed_to_verify_it_later_is_kept(fediverse: Fediverse) -> None:
    attic, shop, _ = await acquainted(fediverse)
    await endorses(attic, shop)
    first_seen = fediverse.now
    fediverse.later(days=2)
    await discovery.fetch(shop.instance, attic.uri)
    await endorses(attic, shop, "Patience")

    [snapshot] = [one for one in await shop.knows(Snapshot) if one.actor == attic.uri]

    assert (snapshot.first_seen, snapshot.last_seen) == (first_seen, fediverse.now)
    assert snapshot.first["assertionMethod"] == snapshot.last["assertionMethod"]


async def test_an_endorsement_waits_for_a_subject_who_sleeps_for_a_week(fediverse: Fediverse) -> None:
    attic, shop, _ = await acquainted(fediverse)
    fediverse.asleep.add(shop.host)
    uri = await endorses(attic, shop)

    fediverse.later(days=6)
    fediverse.asleep.clear()
    fediverse.later(hours=20)
    await fediverse.settle()

    assert await verdict(shop, uri) == "valid, offline"


@pytest.mark.proves("P-240")
async def test_a_good_word_without_a_signature_is_just_a_post(fediverse: Fediverse) -> None:
    attic, shop, _ = await acquainted(fediverse)

    await attic.does(
        lambda tx: posts.publish(tx, attic.uri, posts.Draft("I endorse @shop@shop.example for everything."))
    )
    await fediverse.settle()

    assert len(await shop.knows(Object)) == 1
    assert await shop.knows(Endorsement) == []


async def test_two_who_live_on_one_server_endorse_each_other(fediverse: Fediverse, told: Told) -> None:
    attic, _, _ = await acquainted(fediverse)
    pair = key_pair(9)
    dee = await attic.does(lambda tx: accounts.create(tx, "dee", "Dee", "person", pair).uri)

    row = await attic.does(lambda tx: endorsements.give(tx, dee, attic.uri, ["Patience"], "Always."))
    await fediverse.settle()

    assert await verdict(attic, row.uri) == "valid"
    assert [one.kind for _, one in told if one.kind.startswith("endorsement")] == ["endorsement"]
    assert [one.state for one in await attic.knows(Receipt) if one.type == "Create"] == ["done"]


@pytest.mark.parametrize(
    ("skills", "text", "terms", "reason"),
    [
        ([], "Good.", {}, "one to 5"),
        (["a", "b", "c", "d", "e", "f"], "Good.", {}, "one to 5"),
        ([" "], "Good.", {}, "one to 5"),
        (["Patience"], "x" * 3_000, {}, "2000"),
        (["Patience"], "Good.", {"capacity": "god"}, "capacity"),
        (["Patience"], "Good.", {"work": "javascript:alert(1)"}, "not a web address"),
        (["Patience"], "Good.", {"until": timedelta(0)}, "over already"),
    ],
)
async def test_what_cannot_be_an_endorsement_is_refused_in_words(
    fediverse: Fediverse, skills: list[str], text: str, terms: Json, reason: str
) -> None:
    attic, shop, _ = await acquainted(fediverse)
    if "until" in terms:
        terms = {"until": fediverse.now}

    with pytest.raises(Trouble, match=reason):
        await attic.does(lambda tx: endorsements.give(tx, attic.uri, shop.uri, skills, text, **terms))
    with pytest.raises(Trouble, match="themselves"):
        await attic.does(lambda tx: endorsements.give(tx, attic.uri, attic.uri, ["Patience"], "Me."))

    assert await attic.knows(Object) == []


async def test_nobody_endorses_across_a_block(fediverse: Fediverse) -> None:
    attic, shop, garage = await acquainted(fediverse)
    note = await made_up(garage, shop)
    known_before = len(await shop.knows(Endorsement))
    await shop.does(lambda tx: blocks.block(tx, shop.uri, garage.uri))
    await shop.does(lambda tx: blocks.block(tx, shop.uri, attic.uri))

    receipt = await delivers(garage, shop, activity(garage, note))
    with pytest.raises(NotAllowed):
        await endorses(shop, attic)

    assert receipt.state == "refused"
    assert len(await shop.knows(Endorsement)) == known_before
