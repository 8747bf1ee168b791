"""The same person at another address: by a recovery key, when the first server is gone, and by nothing less."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from activitypub import identity, keys
from coop import accounts, endorsements, identities, paths, verdicts
from coop.accounts import Account
from coop.endorsements import Endorsement
from coop.errors import NotAllowed
from coop.identities import MAX_SAME, Identity
from federation import discovery
from federation.tables import Actor
from tests.coop.neighbours import account_of, all_of, does
from tests.federation.stranger import Stranger
from tests.fediverse import Fediverse, Studio

KEY = keys.new_ed25519()


async def moved(fediverse: Fediverse) -> tuple[Studio, Studio, Studio, str]:
    """Ben vouched for Ada in the attic, whose machine is gone; she lives in the loft now. Cy follows Ben."""
    attic, ben, cy = [await fediverse.studio(name) for name in ("attic", "ben", "cy")]
    await does(attic, identities.adopt, KEY)
    await ben.meets(attic)
    await cy.follows(ben)
    await fediverse.settle()
    await cy.meets(attic)
    row = await ben.does(lambda tx: endorsements.give(tx, ben.uri, attic.uri, ["Drawing"], "A steady hand."))
    await fediverse.settle()
    fediverse.asleep.add(attic.host)
    return await fediverse.studio("loft"), ben, cy, row.uri


async def same(studio: Studio, uri: str) -> list[str]:
    return await studio.instance.store.read(lambda db: identities.same(db, uri))


@pytest.mark.proves("P-244")
async def test_whoever_has_the_recovery_key_is_the_same_person_at_a_new_address(fediverse: Fediverse) -> None:
    loft, ben, cy, uri = await moved(fediverse)
    attic = fediverse.studios["attic.example"]
    await ben.meets(loft)
    await loft.meets(ben)
    before = await same(ben, loft.uri)

    others = await does(loft, identities.adopt, KEY)
    await cy.meets(loft)

    assert (before, others) == ([loft.uri], [])
    assert await same(ben, loft.uri) == [loft.uri, attic.uri]  # told by an Update
    assert await same(cy, loft.uri) == [loft.uri, attic.uri]  # met only now
    assert await same(ben, attic.uri) == [attic.uri, loft.uri]
    now = fediverse.now
    rows = await cy.instance.store.read(
        lambda db: verdicts.with_verdicts(db, endorsements.shown_of(*identities.same(db, loft.uri)), now)
    )
    assert [(row.uri, found.verdict) for row, found in rows] == [(uri, "valid, offline")]
    [way] = await cy.instance.store.read(lambda db: paths.ways(db, cy.uri, loft.uri, now))
    assert [(step.by, step.to) for step in way] == [(cy.uri, ben.uri), (ben.uri, attic.uri)]


@pytest.mark.proves("P-244")
async def test_nobody_takes_an_address_by_claiming_it(fediverse: Fediverse) -> None:
    loft, ben, _, _ = await moved(fediverse)
    attic = fediverse.studios["attic.example"]
    mallory, thief = Stranger(fediverse), keys.new_ed25519()
    claims = [
        identity.sign(thief, attic.uri, fediverse.now),  # a key of her own, for Ada's address
        (await account_of(attic)).recovery,  # Ada's own statement, which is about another address
        {**identity.sign(thief, f"{mallory.home}/eve", fediverse.now), "subject": identity.did(KEY)},
    ]
    eve = mallory.actor("eve", attachment=claims)

    await discovery.lookup(ben.instance, eve)

    assert await same(ben, eve) == [eve]
    assert await same(ben, attic.uri) == [attic.uri]
    assert await same(ben, loft.uri) == [loft.uri]


@pytest.mark.proves("P-244", "P-327")
async def test_of_many_addresses_of_one_few_are_looked_at(fediverse: Fediverse) -> None:
    """One key at a thousand addresses costs whoever met them no more than at eight."""
    ben, crowd = await fediverse.studio("ben"), Stranger(fediverse)
    addresses = [f"{crowd.home}/eve{number}" for number in range(MAX_SAME + 2)]
    for uri in addresses:
        name = uri.rpartition("/")[2]
        assert crowd.actor(name, attachment=[identity.sign(KEY, uri, fediverse.now)]) == uri
        await discovery.lookup(ben.instance, uri)

    assert len(await same(ben, addresses[0])) == 1 + MAX_SAME


async def test_what_was_seen_stays_when_the_first_server_says_something_else(fediverse: Fediverse) -> None:
    loft, ben, _, _ = await moved(fediverse)
    attic = fediverse.studios["attic.example"]
    await does(loft, identities.adopt, KEY)
    await ben.meets(loft)
    fediverse.asleep.clear()

    await does(attic, identities.adopt, keys.new_ed25519())

    assert await same(ben, loft.uri) == [loft.uri, attic.uri]


async def test_what_was_said_of_one_at_another_address_is_ones_own_to_show(fediverse: Fediverse) -> None:
    loft, ben, _, uri = await moved(fediverse)
    await does(loft, identities.adopt, KEY)
    await loft.meets(ben)
    fediverse.asleep.clear()
    await loft.meets(fediverse.studios["attic.example"])
    fediverse.asleep.add("attic.example")
    await discovery.lookup(loft.instance, uri)
    [row] = await loft.knows(Endorsement)
    assert row.display == "accepted"

    await does(loft, endorsements.decline, uri)

    [row] = await loft.knows(Endorsement)
    assert row.display == "declined"
    with pytest.raises(NotAllowed):
        await does(ben, endorsements.decline, uri)


async def test_an_account_may_be_founded_with_a_recovery_key_which_is_nowhere(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    pair = accounts.new_keys()
    eve = await attic.does(lambda tx: accounts.create(tx, "eve", "Eve", "person", pair, KEY).uri)

    [account] = await all_of(attic, select(Account).where(Account.uri == eve))
    [actor] = await all_of(attic, select(Actor).where(Actor.uri == eve))
    stated = [one for one in actor.document["attachment"] if one["type"] == "VerifiableIdentityStatement"]
    [statement] = [one for one in stated if one["subject"] == identity.did(KEY)]
    assert statement == account.recovery
    ben = await fediverse.studio("ben")
    await discovery.lookup(ben.instance, eve)
    assert [(one.actor, one.key) for one in await ben.knows(Identity)] == [(eve, identity.did(KEY))]


@pytest.mark.proves("P-327")
async def test_whom_nobody_knows_any_more_is_forgotten_with_their_key(fediverse: Fediverse) -> None:
    ben, mallory = await fediverse.studio("ben"), Stranger(fediverse)
    uri = f"{mallory.home}/eve"
    eve = mallory.actor("eve", attachment=[identity.sign(keys.new_ed25519(), uri, fediverse.now)])
    await discovery.lookup(ben.instance, eve)
    assert len(await ben.knows(Identity)) == 1

    for _ in range(3):
        fediverse.later(days=31)
        await fediverse.settle()
    fediverse.now += timedelta(hours=2)
    await fediverse.settle()

    assert await ben.knows(Identity) == []
