"""Those who live here, from their first moment."""

from __future__ import annotations

import re

import pytest

from activitypub import keys
from activitypub.actor import Actor as Profile
from activitypub.document import Document
from coop import accounts, departures, profiles
from coop.errors import Conflict, NotFound, Trouble
from coop.profiles import Changes
from federation.tables import Actor
from tests.coop.neighbours import account_of, lives_at
from tests.fediverse import Fediverse, key_pair


async def test_a_new_account_is_whole_for_every_other_server(fediverse: Fediverse) -> None:
    attic, shop = await fediverse.studio("attic"), await fediverse.studio("shop")

    actor = await shop.meets(attic)

    profile = Profile.read(Document(actor.document))
    assert (profile.name, profile.url) == ("Attic", "https://attic.example/@attic")
    assert profile.published == fediverse.now
    assert (profile.discoverable, profile.indexable) == (False, True)
    assert {key.use for key in keys.listed(Document(actor.document))} == {"publicKey", "assertionMethod"}


async def test_a_name_is_given_once_whatever_its_case(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")

    with pytest.raises(Conflict):
        await lives_at(attic, "ATTIC")


async def test_the_name_of_one_who_left_is_never_given_to_another(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    await attic.does(lambda tx: departures.leave(tx, attic.uri))

    with pytest.raises(Conflict):
        await lives_at(attic, "attic")


@pytest.mark.parametrize("handle", ["", "a b", "-ada", "ada.", "x" * 31, "ada@attic"])
async def test_a_handle_is_one_word(fediverse: Fediverse, handle: str) -> None:
    attic = await fediverse.studio("attic")

    with pytest.raises(Trouble):
        await attic.does(lambda tx: accounts.create(tx, handle, "Ada", "person", key_pair(0)))


async def test_accounts_are_found_by_name_and_uri(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")

    account = await account_of(attic)
    named = await attic.instance.store.read(lambda db: accounts.named(db, "@Attic"))
    at = await attic.instance.store.read(lambda db: accounts.at(db, attic.uri))

    assert named.id == account.id
    assert at is not None
    assert at.id == account.id
    assert await attic.instance.store.read(accounts.count) == 1
    assert (await attic.instance.store.read(accounts.first)).uri == attic.uri
    with pytest.raises(NotFound):
        await attic.instance.store.read(lambda db: accounts.named(db, "bo"))


async def test_a_studio_is_an_organization_and_the_instance_an_application(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic", "studio")

    assert sorted(one.type for one in await attic.knows(Actor)) == ["Application", "Organization"]


@pytest.mark.proves("P-001", "P-002", "P-003")
async def test_an_id_says_nothing_that_could_change(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    account = await account_of(attic)

    assert re.fullmatch(r"https://attic\.example/actors/[0-9a-z]{13}", account.uri)
    await attic.does(lambda tx: profiles.edit(tx, account.uri, Changes(bio="Books, maps, typesetting.")))

    [actor] = [row for row in await attic.knows(Actor) if row.uri == account.uri]
    said = Document(actor.document)
    assert said.id == account.uri
    assert all(said.require(name).startswith("https://attic.example/") for name in ("inbox", "outbox", "url"))
