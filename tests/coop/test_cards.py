"""Skill cards: what documents say of skills, time and place, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from sqlalchemy import delete, select

from coop import cards, departures, profiles
from coop.cards import Card, CardSkill
from coop.profiles import Changes
from federation import discovery
from federation.tables import Actor
from tests.coop.neighbours import all_of, does, first, neighbours
from tests.federation.stranger import Stranger
from tests.fediverse import Fediverse, Studio


async def card_of(studio: Studio, uri: str) -> Card | None:
    return await first(studio, select(Card).join(Actor, Actor.id == Card.id).where(Actor.uri == uri))


async def skills_of(studio: Studio, uri: str) -> dict[str, str]:
    rows = await all_of(studio, select(CardSkill).join(Actor, Actor.id == CardSkill.card).where(Actor.uri == uri))
    return {row.skill: row.name for row in rows}


async def edits(studio: Studio, **changes: Any) -> None:
    await does(studio, profiles.edit, Changes(**changes))


async def test_what_somebody_says_of_themselves_is_on_their_card_here_and_elsewhere(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)

    await edits(
        attic,
        skills=("Typesetting", "Web Designs"),
        availability="from March",
        pronouns="she/her",
        place="Köln",
        remote=True,
        discoverable=True,
    )

    for studio in (attic, shop):
        card = await card_of(studio, attic.uri)
        assert card is not None
        assert (card.availability, card.has_time, card.pronouns) == ("from March", True, "she/her")
        assert (card.place, card.area, card.remote, card.findable) == ("Köln", "koln", True, True)
        assert await skills_of(studio, attic.uri) == {"typesetting": "Typesetting", "web design": "Web Designs"}


async def test_a_card_follows_every_change_and_goes_with_the_last_skill(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    await edits(attic, skills=("Typesetting", "Maps"))

    await edits(attic, skills=("Maps",), availability="fully booked")
    card = await card_of(shop, attic.uri)
    left = await skills_of(shop, attic.uri)
    await edits(attic, skills=())

    assert card is not None
    assert not card.has_time
    assert left == {"map": "Maps"}
    assert await card_of(shop, attic.uri) is None
    assert await skills_of(shop, attic.uri) == {}


async def test_nobody_has_a_card_who_is_suspended_or_has_left(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    await edits(attic, skills=("Typesetting",))

    await does(attic, profiles.suspend)
    suspended = await card_of(shop, attic.uri)
    await attic.does(lambda tx: profiles.suspend(tx, attic.uri, suspended=False))
    await fediverse.settle()
    back = await card_of(shop, attic.uri)
    await does(attic, departures.leave)

    assert (suspended, back is not None) == (None, True)
    for studio in (attic, shop):
        assert await card_of(studio, attic.uri) is None
        assert await skills_of(studio, attic.uri) == {}


async def test_of_those_whose_software_knows_no_skills_the_fields_are_read(fediverse: Fediverse) -> None:
    shop, stranger = await fediverse.studio("shop"), Stranger(fediverse)
    value = "<p>Illustration, <b>Comics</b>; Kochen · illustration<br>Löten</p>"
    fields = [
        {"type": "PropertyValue", "name": name, "value": told}
        for name, told in [("Fähigkeiten:", value), ("Pronomen", "<p>sie\u202e</p>"), ("Skills", "never read")]
    ]
    uri = stranger.actor("mia", attachment=fields)

    await discovery.fetch(shop.instance, uri)

    card = await card_of(shop, uri)
    assert card is not None
    assert (card.pronouns, card.findable, card.has_time) == ("sie", False, False)
    assert set(await skills_of(shop, uri)) == {"illustration", "comic", "kochen", "loten"}


async def test_a_card_has_room_for_so_much_whatever_comes(fediverse: Fediverse) -> None:
    shop, stranger = await fediverse.studio("shop"), Stranger(fediverse)
    odd = ["", " \u200b ", 7, None, {"a": 1}, "x" * 5_000, "\ufdfa" * 100, "🎻"]
    uri = stranger.actor(
        "mia", skill=[*odd, *(f"skill number {one}" for one in range(500))], location={"name": ["Linz"]}
    )

    await discovery.fetch(shop.instance, uri)

    named = await skills_of(shop, uri)
    assert 20 < len(named) <= cards.MAX_SKILLS
    assert "🎻" in named
    assert all(0 < len(key) <= 100 and 0 < len(name) <= 100 for key, name in named.items())


async def test_groups_and_servers_have_no_card(fediverse: Fediverse) -> None:
    shop, stranger = await fediverse.studio("shop"), Stranger(fediverse)
    uri = stranger.actor("circle", "Group", skill=["Typesetting"])

    await discovery.fetch(shop.instance, uri)

    assert await card_of(shop, uri) is None


async def test_cards_of_those_who_are_forgotten_go_and_who_lives_here_gets_one(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    await edits(attic, skills=("Typesetting",))
    await shop.does(lambda tx: tx.db.execute(delete(Actor).where(Actor.uri == attic.uri)) and None)
    await attic.does(lambda tx: tx.db.execute(delete(Card)) and None)

    await shop.does(cards.clear)
    await attic.does(cards.complete)

    assert (await shop.knows(Card), await shop.knows(CardSkill)) == ([], [])
    assert await card_of(attic, attic.uri) is not None


@pytest.mark.parametrize(
    ("words", "has_time"),
    [
        ("", False),
        ("from March, two days a week", True),
        ("Yes!", True),
        ("Available now", True),
        ("Unavailable", False),
        ("not  available until May", False),
        ("fully booked", False),
        ("No", False),
        ("no Mondays", True),
        ("Ausgebucht bis Herbst", False),
        ("zur Zeit nicht verfügbar", False),
        ("Keine Kapazitäten", False),
        ("ab Mai, sehr gern", True),
    ],
)
def test_whether_somebody_has_time_is_read_from_their_words(words: str, has_time: bool) -> None:
    assert cards.says_time(words) is has_time


@given(some.text())
def test_any_words_can_be_read(words: str) -> None:
    assert cards.says_time(words) in (True, False)
