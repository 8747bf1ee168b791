"""Whoever never met somebody can check what they said in a project, by the word of those who did, and no further."""

from __future__ import annotations

import pytest

from activitypub import context, keys, proof
from activitypub.document import Document
from activitypub.errors import Unverified
from coop import accounts, confirming, departures, invitations, projects, rotation, statements, vouchers
from coop.confirming import AGAIN
from coop.events import Notice
from coop.statements import Membership, Project
from coop.vouchers import Voucher
from federation import known
from federation.instance import own_key, own_proof_key
from federation.store import Transaction
from federation.tables import Actor, Key, Receipt
from tests.coop.guild import Guild, found, guild_of, invited, proven, sends, writer
from tests.coop.notices import told
from tests.fediverse import Fediverse, Studio, key_pair

__all__ = ["told"]  # a fixture

Told = list[tuple[str, Notice]]


async def goes_by(fediverse: Fediverse, hours: int = 4) -> None:
    for _ in range(hours):
        fediverse.later(hours=1)
        await fediverse.settle()


async def without_founder(fediverse: Fediverse) -> tuple[Guild, Studio, Studio]:
    """Ada's server is gone; Bo, who leads what she founded, lets in Cy, who never met her."""
    guild, (bo,) = await guild_of(fediverse, "bo")
    ada, cy = guild.ada, await fediverse.studio("cy")
    await ada.does(lambda tx: projects.give_role(tx, ada.uri, guild.uri, bo.uri, "lead"))
    await fediverse.settle()
    fediverse.asleep.add(ada.host)
    invitation = await guild.invite(cy, by=bo)
    await goes_by(fediverse)
    await cy.does(lambda tx: invitations.accept(tx, cy.uri, invitation))
    await fediverse.settle()
    return guild, bo, cy


async def met(studio: Studio, uri: str) -> bool:
    return any(row.uri == uri for row in await studio.knows(Actor)) or any(
        row.owner == uri for row in await studio.knows(Key)
    )


async def lists_another_key(studio: Studio) -> None:
    """The server of `studio` lists, under the same name, another key than that with which statements were proven."""
    other = keys.load_private(key_pair(8).ed25519)

    def replace(tx: Transaction) -> None:
        row = own_key(tx.db, studio.uri, "assertionMethod")
        row.public, row.private = keys.write_pem(other.public_key()), key_pair(8).ed25519
        tx.db.flush()
        actor = known.actor(tx.db, studio.uri)
        actor.document = {**actor.document, **accounts.public_keys(tx.db, studio.uri).write(studio.uri)}

    await studio.does(replace)


@pytest.mark.proves("P-253", "P-254", "P-255")
async def test_somebody_joins_who_never_met_the_founder_when_that_server_is_gone(fediverse: Fediverse) -> None:
    guild, bo, cy = await without_founder(fediverse)

    assert await guild.roles(cy) == await guild.roles(bo) == {"ada": "lead", "bo": "lead", "cy": "member"}
    assert {row.hash for row in await guild.log(cy)} == {row.hash for row in await guild.log(bo)}
    assert not await met(cy, guild.ada.uri)
    assert [(one.owner, one.by, one.project) for one in await cy.knows(Voucher)] == [(guild.ada.uri, bo.uri, guild.uri)]
    said = await guild.post(cy, "Good to be here.")
    assert await guild.talk(bo) == ["<p>Good to be here.</p>"]
    assert said


@pytest.mark.proves("P-116", "P-254", "P-255")
async def test_somebody_joins_who_never_met_the_founder_who_is_no_more(fediverse: Fediverse) -> None:
    guild, (bo,) = await guild_of(fediverse, "bo")
    ada, cy = guild.ada, await fediverse.studio("cy")
    await ada.does(lambda tx: projects.give_role(tx, ada.uri, guild.uri, bo.uri, "lead"))
    await fediverse.settle()
    await ada.does(lambda tx: departures.leave(tx, ada.uri))
    await fediverse.settle()

    await guild.join(cy, by=bo)

    assert await guild.roles(cy) == await guild.roles(bo) == {"bo": "lead", "cy": "member"}
    assert {one.owner for one in await cy.knows(Voucher)} == {ada.uri}


@pytest.mark.proves("P-254", "P-255")
async def test_whoever_can_be_asked_is_asked_and_hears_who_joined(fediverse: Fediverse) -> None:
    guild, (bo,) = await guild_of(fediverse, "bo")
    cy = await fediverse.studio("cy")

    await guild.join(cy)

    assert await met(cy, bo.uri)
    assert await cy.knows(Voucher) == []
    assert await guild.roles(bo) == {"ada": "lead", "bo": "member", "cy": "member"}


@pytest.mark.proves("P-084", "P-243", "P-303")
async def test_a_key_that_was_vouched_for_is_good_for_one_log_alone(fediverse: Fediverse) -> None:
    guild, bo, cy = await without_founder(fediverse)
    ada = guild.ada
    key_id, key = await ada.instance.store.read(lambda db: own_proof_key(db, ada.uri))
    note = {"id": f"{ada.home}/notes/1", "type": "Note", "attributedTo": ada.uri, "content": "<p>Hello</p>"}
    signed = proof.sign({"@context": context.ACTIVITY, **note}, key_id, key, fediverse.now)

    like = {"@context": context.ACTIVITY, "type": "Like", "actor": ada.uri, "object": cy.uri}
    refused = await ada.sends(f"{cy.uri}/inbox", like | {"id": f"{ada.home}/likes/1"})
    await sends(bo, cy, await proven(ada, like | {"id": f"{ada.home}/likes/2"}))

    assert refused.status in (401, 503)
    assert [one.proven for one in await cy.knows(Receipt) if one.type == "Like"] == [False]
    with pytest.raises(Unverified, match="unknown"):
        await cy.instance.store.read(lambda db: known.check_proof(db, Document(signed), fediverse.now))
    with pytest.raises(known.Missing):
        await cy.instance.store.write(lambda tx: vouchers.proven(tx, Document(signed), f"{guild.uri}-2"))
    await cy.instance.store.write(lambda tx: vouchers.proven(tx, Document(signed), guild.uri))


@pytest.mark.proves("P-243", "P-254")
async def test_what_was_only_vouched_for_is_not_vouched_for_in_turn(fediverse: Fediverse) -> None:
    guild, bo, cy = await without_founder(fediverse)
    genesis = next(row.document for row in await guild.log(cy) if row.kind == "create")

    first = await bo.instance.store.read(lambda db: vouchers.vouch(db, genesis, fediverse.now))
    second = await cy.instance.store.read(lambda db: vouchers.vouch(db, genesis, fediverse.now))

    assert first is not None
    assert (first["controller"], first["type"]) == (guild.ada.uri, "Multikey")
    assert second is None


@pytest.mark.proves("P-078", "P-243", "P-254")
async def test_a_founder_with_new_keys_still_lets_people_in(fediverse: Fediverse) -> None:
    guild, cy = await found(fediverse), await fediverse.studio("cy")
    ada = guild.ada
    await ada.does(lambda tx: rotation.rotate(tx, ada.uri, key_pair(8), stolen=True))
    fediverse.later(minutes=1)

    await guild.join(cy)

    assert await guild.roles(cy) == {"ada": "lead", "cy": "member"}
    assert [(one.owner, one.by) for one in await cy.knows(Voucher)] == [(ada.uri, ada.uri)]


@pytest.mark.proves("P-243")
async def test_the_owner_s_own_word_takes_the_place_of_what_others_said(fediverse: Fediverse) -> None:
    guild, _, cy = await without_founder(fediverse)
    await cy.upkeep.run_errands()
    asleep = [one.asked for one in await cy.knows(Voucher)]
    fediverse.asleep.clear()
    fediverse.later(minutes=10)
    await cy.upkeep.run_errands()
    patient = len(await cy.knows(Voucher))
    fediverse.later(seconds=AGAIN.total_seconds())

    await cy.upkeep.run_errands()

    assert None not in asleep
    assert patient == 1
    assert await cy.knows(Voucher) == []
    assert await met(cy, guild.ada.uri)
    assert await guild.roles(cy) == {"ada": "lead", "bo": "lead", "cy": "member"}


@pytest.mark.proves("P-243", "P-333")
async def test_a_project_that_its_founder_never_founded_is_forgotten(fediverse: Fediverse, told: Told) -> None:
    guild, bo, cy = await without_founder(fediverse)
    dee = await fediverse.studio("dee")
    await guild.invite(dee, by=bo)
    await goes_by(fediverse)
    before = [row.state for row in await invited(dee)]
    await lists_another_key(guild.ada)
    fediverse.asleep.clear()
    fediverse.later(minutes=1)

    for studio in (cy, dee):
        await confirming.confirm(studio.instance)

    assert before == ["open"]
    for studio in (cy, dee):
        assert [await studio.knows(table) for table in (Project, Membership, Voucher)] == [[], [], []]
        assert not any(row.kind == "create" for row in await guild.log(studio))
    assert [row.state for row in await invited(dee)] == ["withdrawn"]
    assert (dee.home, "invitation withdrawn") in [(home, one.kind) for home, one in told]
    assert "ada" in await guild.roles(bo)  # who saw the key there with his own eyes


@pytest.mark.proves("P-243", "P-333")
async def test_only_what_rests_on_a_forged_statement_goes_with_it(fediverse: Fediverse) -> None:
    guild, (bo,) = await guild_of(fediverse, "bo")
    ada, cy = guild.ada, await fediverse.studio("cy")
    await ada.does(lambda tx: projects.give_role(tx, ada.uri, guild.uri, bo.uri, "lead"))
    await fediverse.settle()
    await bo.does(lambda tx: projects.edit(tx, bo.uri, guild.uri, "Atlas", ""))
    await fediverse.settle()
    fediverse.asleep.add(bo.host)
    invitation = await guild.invite(cy)
    await goes_by(fediverse)
    await cy.does(lambda tx: invitations.accept(tx, cy.uri, invitation))
    await fediverse.settle()
    before = await guild.roles(cy)
    await lists_another_key(bo)
    fediverse.asleep.clear()
    fediverse.later(minutes=1)

    await confirming.confirm(cy.instance)

    assert before == {"ada": "lead", "bo": "lead", "cy": "member"}
    assert await guild.roles(cy) == {"ada": "lead"}
    assert [row.kind for row in await guild.log(cy) if not row.held] == ["create", "invite"]
    assert await cy.instance.store.read(lambda db: statements.at(db, guild.uri).name) == "Catalogue"


@pytest.mark.proves("P-254", "P-335")
async def test_nobody_vouches_who_is_not_in_it_and_invited_nobody(fediverse: Fediverse) -> None:
    guild, (cy,) = await guild_of(fediverse, "cy")
    mal = await fediverse.studio("mal")
    await mal.meets(cy)
    zoe, key = "https://zoe.example/actors/zoe", keys.load_private(key_pair(7).ed25519)
    multikey = {"id": f"{zoe}#key", "type": "Multikey", "controller": zoe}
    multikey |= {"publicKeyMultibase": keys.write_multikey(key.public_key())}
    write = await writer(cy, guild.uri, zoe)
    join = {"@context": context.STATEMENT, **write.join("https://zoe.example/activities/1")}
    signed = proof.sign(join, f"{zoe}#key", key, fediverse.now)  # type: ignore[arg-type]
    add = {"type": "Add", "object": signed, "target": f"{guild.uri}/log", "vouchedKey": multikey}

    for number, (carrier, terms) in enumerate(
        [(mal, {}), (guild.ada, {"vouchedKey": {**multikey, "controller": mal.uri}}), (guild.ada, {})]
    ):
        head = {"@context": context.HANDOVER, "id": f"{carrier.home}/made-up/{number}", "actor": carrier.uri}
        await sends(carrier, cy, {**head, **add, **terms})
        await goes_by(fediverse, 1)
        known_keys = [(one.owner, one.by) for one in await cy.knows(Voucher)]
        assert known_keys == ([(zoe, guild.ada.uri)] if number == 2 else [])

    assert [row.kind for row in await guild.log(cy) if row.author == zoe] == ["join"]


@pytest.mark.proves("P-327")
async def test_one_vouches_for_so_many(fediverse: Fediverse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vouchers, "MAX_VOUCHERS", 0)

    guild, (bo,) = await guild_of(fediverse, "bo")
    ada, cy = guild.ada, await fediverse.studio("cy")
    await ada.does(lambda tx: projects.give_role(tx, ada.uri, guild.uri, bo.uri, "lead"))
    await fediverse.settle()
    fediverse.asleep.add(ada.host)
    await guild.invite(cy, by=bo)
    await goes_by(fediverse)

    assert (await cy.knows(Voucher), await cy.knows(Project)) == ([], [])
