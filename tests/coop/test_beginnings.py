"""An agreement becomes a project: its members, what was agreed on, and the first commitments."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from activitypub.proposal import Price
from coop import agreements, beginnings, commitments, invitations, projects, promises
from coop.admission import Invitation
from coop.agreements import Agreement
from coop.commitments import Commitment
from coop.offers import Draft
from coop.promises import Draft as Promise
from tests.coop.guild import Guild
from tests.coop.test_agreements import OPEN, accepts, counters
from tests.coop.test_responses import CATALOGUE, opened, responds
from tests.fediverse import Fediverse, Studio, key_pair

HOURLY = replace(CATALOGUE, purpose="offer", price=Price("EUR", Decimal(50), Decimal(50), "hour"))


async def joined(fediverse: Fediverse, draft: Draft = OPEN) -> tuple[Studio, Studio, Guild, str]:
    """They talked, agreed, and Ada opened a project, which Bo has joined."""
    attic, shop, offer = await opened(fediverse, draft)
    uri = await responds(shop, offer)
    if draft is OPEN:
        uri = await counters(attic, uri, amount=Decimal(2000), due=fediverse.now + timedelta(days=30))
    made = await accepts(shop if draft is OPEN else attic, uri)
    pair = key_pair(9)
    project = await attic.does(lambda tx: beginnings.open_project(tx, attic.uri, made, "Catalogue", pair).uri)
    await fediverse.settle()
    [invitation] = await shop.knows(Invitation)
    await shop.does(lambda tx: invitations.accept(tx, shop.uri, invitation.uri))
    await fediverse.settle()
    return attic, shop, Guild(fediverse, attic, project), made


async def promised(studio: Studio) -> list[tuple[str, str, str, bool]]:
    rows = await studio.knows(Commitment)
    return sorted((row.provider, row.text, row.standing(studio.instance.now()), row.due is not None) for row in rows)


async def test_what_was_agreed_on_is_there_when_the_other_comes_in(fediverse: Fediverse) -> None:
    attic, shop, guild, made = await joined(fediverse)

    for studio in (attic, shop):
        assert await promised(studio) == sorted(
            [
                (shop.uri, "<p>Typesetter for a catalogue</p>", "open", True),
                (attic.uri, "<p>2,000 EUR for: Typesetter for a catalogue</p>", "open", False),
            ]
        )
        assert {row.agreement for row in await studio.knows(Commitment)} == {made}
        assert [row.project for row in await studio.knows(Agreement)] == [guild.uri]
        [talk] = await guild.talk(studio)
        assert "We agreed on: Typesetter for a catalogue; 2,000 EUR" in talk
        assert made in talk


async def test_whoever_offers_work_does_it_and_is_paid_for_it(fediverse: Fediverse) -> None:
    attic, shop, *_ = await joined(fediverse, HOURLY)

    assert await promised(shop) == sorted(
        [
            (attic.uri, "<p>1 × hour: Typesetter for a catalogue</p>", "open", False),
            (shop.uri, "<p>50 EUR for: Typesetter for a catalogue</p>", "open", False),
        ]
    )


async def test_a_favour_is_promised_by_one_alone(fediverse: Fediverse) -> None:
    _, shop, *_ = await joined(fediverse, replace(CATALOGUE, price=None))

    assert await promised(shop) == [(shop.uri, "<p>Typesetter for a catalogue</p>", "open", False)]


@pytest.mark.parametrize("differs", ["", "words", "date", "hours", "agreement", "a new version"])
async def test_nothing_else_is_signed_for_anybody(fediverse: Fediverse, differs: str) -> None:
    attic, shop, offer = await opened(fediverse)
    made = await accepts(attic, await responds(shop, offer))
    pair = key_pair(9)
    place = await attic.does(lambda tx: projects.create(tx, attic.uri, "Catalogue", "", pair).uri)
    guild = Guild(fediverse, attic, place)
    await guild.join(shop)
    other = await attic.does(lambda tx: promises.propose(tx, attic.uri, place, shop.uri, attic.uri, Promise("Other.")))
    await fediverse.settle()
    await shop.does(lambda tx: promises.accept(tx, shop.uri, other.uri))
    [agreement] = await attic.knows(Agreement)
    [clause, _] = await attic.instance.store.read(lambda db: beginnings.clauses_of(db, agreement, place, attic.uri))
    said = {
        "": clause,
        "words": replace(clause, text="<p>Typesetter for two catalogues</p>"),
        "date": replace(clause, due=fediverse.now),
        "hours": replace(clause, hours=Decimal(900)),
        "agreement": replace(clause, agreement=offer),
        "a new version": replace(clause, previous=other.hash),
    }

    uri = await attic.does(lambda tx: promises.make(tx, said[differs]).uri)
    await fediverse.settle()

    assert clause.agreement == made
    for studio in (attic, shop):
        [row] = [one for one in await studio.knows(Commitment) if one.uri == uri]
        assert row.state == ("proposed" if differs else "agreed")


async def test_what_was_signed_once_is_not_signed_again(fediverse: Fediverse) -> None:
    attic, shop, guild, _ = await joined(fediverse)
    [agreement] = await attic.knows(Agreement)
    [clause, _] = await attic.instance.store.read(lambda db: beginnings.clauses_of(db, agreement, guild.uri, attic.uri))

    await attic.does(lambda tx: promises.make(tx, clause))
    await fediverse.settle()

    assert sorted(row.state for row in await shop.knows(Commitment)) == ["agreed", "agreed", "proposed"]


async def test_others_in_the_project_are_promised_nothing_by_it(fediverse: Fediverse) -> None:
    attic, shop, guild, made = await joined(fediverse)
    cy = await fediverse.studio("cy")
    before = len(await shop.knows(Commitment))

    await guild.join(cy)
    said = Promise("Bring the paper.")
    uri = await cy.does(lambda tx: promises.propose(tx, cy.uri, guild.uri, shop.uri, cy.uri, said).uri)
    await fediverse.settle()

    found = await shop.instance.store.read(lambda db: commitments.find(db, uri))
    assert found is not None
    assert (len(await shop.knows(Commitment)), found.state) == (before + 1, "proposed")
    assert len(await guild.talk(shop)) == 1
    assert await attic.instance.store.read(lambda db: agreements.find(db, made)) is not None
