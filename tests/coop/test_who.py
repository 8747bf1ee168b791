"""Who do we know that can…? Who is found, who must not be, in which order, and why."""

from __future__ import annotations

from typing import Any

import pytest

from coop import blocks, circles, endorsements, follows, profiles, who
from coop.errors import Trouble
from coop.profiles import Changes
from coop.who import Found, Question
from tests.coop.guild import guild_of
from tests.coop.neighbours import does, lives_at, made_up, neighbours, sends
from tests.fediverse import Fediverse, Studio

TYPESETTER: dict[str, Any] = {"skills": ("Typesetting",), "discoverable": True}


async def asks(studio: Studio, *skills: str, limit: int = 10, **how: Any) -> list[Found]:
    question, now = Question(skills, **how), studio.fediverse.now
    return await studio.instance.store.read(lambda db: who.knows(db, studio.uri, question, limit, now))


def ways(found: Found) -> list[list[str]]:
    """Each way to somebody, by the people on it."""
    return [[way[0].by, *(step.to for step in way)] for way in found.ways]


async def finds(studio: Studio, *skills: str, **how: Any) -> list[str]:
    return [one.actor.uri for one in await asks(studio, *skills, **how)]


async def edits(studio: Studio, **changes: Any) -> None:
    await does(studio, profiles.edit, Changes(**changes))


async def hears(studio: Studio) -> None:
    """The circles of those whom a studio follows are read."""
    for _ in range(3):
        await circles.read_circles(studio.instance)
        await circles.meet(studio.instance)
        studio.fediverse.later(minutes=1)


async def circle(fediverse: Fediverse, *names: str, **card: Any) -> tuple[Studio, Studio, list[Studio]]:
    """Bo, who follows Ada, who follows people of these names: typesetters, unless their card says otherwise."""
    attic, shop = await neighbours(fediverse)
    others = [await fediverse.studio(name) for name in names]
    for other in others:
        await attic.follows(other)
        await edits(other, **{**TYPESETTER, **card})
    await fediverse.settle()
    await hears(shop)
    return attic, shop, others


@pytest.mark.parametrize(
    ("asked", "how"),
    [("typesetting", "same"), ("Typesetters", "synonym"), ("Schriftsatz", "synonym")],
)
async def test_whom_we_follow_is_found_by_whatever_a_skill_is_called(
    fediverse: Fediverse, asked: str, how: str
) -> None:
    attic, shop = await neighbours(fediverse)
    await edits(attic, skills=("Typesetting", "Maps"), availability="from March")

    [found] = await asks(shop, asked)

    assert (found.actor.uri, found.card.availability) == (attic.uri, "from March")
    assert [(one.asked, one.skill, one.how) for one in found.matched] == [(asked, "Typesetting", how)]
    assert ways(found) == [[shop.uri, attic.uri]]
    assert await asks(shop, "plumbing") == await asks(attic, "typesetting") == []


async def test_a_public_identifier_finds_what_it_stands_for(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    uri = "https://www.wikidata.org/wiki/Q644687"
    await edits(attic, skills=("Illustration",))
    by_uri = await asks(shop, uri)
    await edits(attic, skills=(uri,))

    by_name = await asks(shop, "drawing")

    assert [one.matched[0].how for one in (*by_uri, *by_name)] == ["identifier", "identifier"]


async def test_who_is_followed_by_whom_we_follow_is_found_with_the_way_there(fediverse: Fediverse) -> None:
    attic, shop, [mill] = await circle(fediverse, "mill")

    [found] = await asks(shop, "typesetting")

    assert (found.actor.uri, ways(found)) == (mill.uri, [[shop.uri, attic.uri, mill.uri]])


async def test_who_does_not_want_to_be_found_by_strangers_is_not(fediverse: Fediverse) -> None:
    _, shop, [mill] = await circle(fediverse, "mill", discoverable=False)
    hidden = await finds(shop, "typesetting")

    await shop.follows(mill)
    await fediverse.settle()

    assert hidden == []
    assert await finds(shop, "typesetting") == [mill.uri]


async def test_a_stranger_whom_nobody_we_follow_follows_is_not_found(fediverse: Fediverse) -> None:
    _, shop = await neighbours(fediverse)
    mill = await fediverse.studio("mill")
    await edits(mill, **TYPESETTER)

    await shop.meets(mill)

    assert await finds(shop, "typesetting") == []


async def test_whom_a_neighbour_follows_is_the_neighbours_to_tell(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    await edits(attic, **TYPESETTER)
    cy = await lives_at(shop, "cy")

    found = await shop.instance.store.read(lambda db: who.knows(db, cy, Question(("typesetting",)), 10, fediverse.now))

    assert found == []


async def test_who_lives_here_is_known(fediverse: Fediverse) -> None:
    shop = await fediverse.studio("shop")
    cy = await lives_at(shop, "cy")
    await shop.does(lambda tx: profiles.edit(tx, cy, Changes(skills=("Typesetting",))).uri)

    [found] = await asks(shop, "typesetting")

    assert (found.actor.uri, found.actor.local, found.ways) == (cy, True, ())


async def test_nobody_is_found_across_a_block_or_of_a_blocked_server(fediverse: Fediverse) -> None:
    _, shop, [mill, barn, fort] = await circle(fediverse, "mill", "barn", "fort")
    everybody = await finds(shop, "typesetting")

    await does(shop, blocks.block, mill.uri)
    await sends(barn, shop, made_up(barn, "Block", object=shop.uri))
    one_left = await finds(shop, "typesetting")
    await shop.does(lambda tx: blocks.block_domain(tx, "example"))

    assert set(everybody) == {mill.uri, barn.uri, fort.uri}
    assert one_left == [fort.uri]
    assert await finds(shop, "typesetting") == []


async def test_whoever_left_is_not_found(fediverse: Fediverse) -> None:
    from coop import departures

    attic, shop = await neighbours(fediverse)
    await edits(attic, **TYPESETTER)

    await does(attic, departures.leave)

    assert await finds(shop, "typesetting") == []


async def test_only_those_are_found_who_have_time_are_there_or_work_from_afar(fediverse: Fediverse) -> None:
    _, shop, [mill, barn, fort] = await circle(fediverse, "mill", "barn", "fort")
    await edits(mill, availability="two days a week", place="Köln-Ehrenfeld")
    await edits(barn, availability="booked until June", remote=True)
    await edits(fort, place="100 % Wien")
    fediverse.later(days=8)
    await hears(shop)

    assert await finds(shop, "typesetting", available=True) == [mill.uri]
    assert await finds(shop, "typesetting", remote=True) == [barn.uri]
    assert await finds(shop, "typesetting", place=" KOLN ") == [mill.uri]
    assert await finds(shop, "typesetting", place="%") == [fort.uri]
    assert await finds(shop, "typesetting", place="_") == []
    assert await finds(shop, "typesetting", place="Wien", remote=True) == []


async def test_the_order_is_the_one_that_is_told(fediverse: Fediverse) -> None:
    attic, shop, [mill, barn, fort, glen] = await circle(fediverse, "mill", "barn", "fort", "glen")
    await edits(fort, availability="from March")
    await edits(attic, **TYPESETTER)
    await edits(glen, skills=("Maps", "Typesetting"))
    await attic.does(lambda tx: endorsements.give(tx, attic.uri, barn.uri, ["typesetting"], "Fine work.").uri)
    await fediverse.settle()
    fediverse.later(days=8)
    await hears(shop)

    # More of what is asked; then whom we follow; endorsed by whom we follow; with time; by name.
    assert await finds(shop, "typesetting", "maps") == [glen.uri, attic.uri, barn.uri, fort.uri, mill.uri]
    assert await finds(shop, "typesetting", limit=2) == [attic.uri, barn.uri]


async def test_endorsements_that_hold_are_shown_and_no_others(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    mill = await fediverse.studio("mill")
    await edits(attic, skills=("Typesetting", "Maps"))
    await shop.follows(mill)
    await mill.meets(attic)
    await fediverse.settle()
    uris = [
        await mill.does(lambda tx, skill=skill: endorsements.give(tx, mill.uri, attic.uri, [skill], "Fine.").uri)  # type: ignore[misc]
        for skill in ("Schriftsatz", "Typesetting", "Maps")
    ]
    await fediverse.settle()
    await mill.does(lambda tx: endorsements.revoke(tx, mill.uri, uris[1]))
    await fediverse.settle()

    [found] = await asks(shop, "typesetting")

    assert [(row.uri, judged.verdict) for row, judged in found.endorsements] == [(uris[0], "valid, offline")]


async def test_how_often_somebody_worked_with_whom_we_follow_is_said(fediverse: Fediverse) -> None:
    attic, shop, [mill] = await circle(fediverse, "mill")
    await attic.meets(mill)
    for work in ("https://attic.example/atlas", "https://attic.example/atlas", "https://attic.example/almanac"):
        given = (attic.uri, mill.uri, ["Typesetting"], "Fine.", "client", work)
        await attic.does(lambda tx, given=given: endorsements.give(tx, *given).uri)  # type: ignore[misc]
    await fediverse.settle()

    [found] = await asks(shop, "typesetting")

    assert ways(found) == [[shop.uri, attic.uri, mill.uri]]
    assert (found.ways[0][-1].follows, len(found.ways[0][-1].works)) == (True, 2)


async def test_who_is_in_a_project_with_us_is_known_and_so_is_their_work_with_others(fediverse: Fediverse) -> None:
    guild, [barn, mill] = await guild_of(fediverse, "barn", "mill")
    await edits(mill, skills=("Typesetting",))
    await barn.meets(mill)
    await barn.follows(guild.ada)
    await fediverse.settle()

    [found] = await asks(barn, "typesetting")

    assert found.actor.uri == mill.uri
    assert ways(found) == [[barn.uri, mill.uri], [barn.uri, guild.ada.uri, mill.uri]]
    assert [way[-1].works for way in found.ways] == [{guild.uri}, {guild.uri}]


async def test_what_is_done_in_a_project_that_we_are_not_in_is_not_told(fediverse: Fediverse) -> None:
    guild, [barn] = await guild_of(fediverse, "barn")
    cy = await lives_at(barn, "cy")
    await edits(guild.ada, skills=("Typesetting",))
    await barn.does(lambda tx: follows.follow(tx, cy, guild.ada.uri) and None)
    await barn.does(lambda tx: follows.follow(tx, cy, barn.uri) and None)
    await fediverse.settle()

    found = await barn.instance.store.read(lambda db: who.knows(db, cy, Question(("typesetting",)), 10, fediverse.now))

    assert [[cy, guild.ada.uri]] == ways(found[0])
    assert (found[0].ways[0][0].follows, found[0].ways[0][0].works) == (True, frozenset())


@pytest.mark.parametrize("skills", [(), ("",), (" \u200b",), tuple(f"skill {one}" for one in range(9))])
async def test_a_question_without_a_skill_or_with_too_many_is_refused_in_words(
    fediverse: Fediverse, skills: tuple[str, ...]
) -> None:
    shop = await fediverse.studio("shop")

    with pytest.raises(Trouble, match="one to 8 skills"):
        await asks(shop, *skills)


async def test_a_question_goes_nowhere(fediverse: Fediverse) -> None:
    _, shop, _ = await circle(fediverse, "mill")
    fediverse.later(days=30)
    before = len(fediverse.requests)

    assert len(await finds(shop, "typesetting")) == 1
    assert len(fediverse.requests) == before


@pytest.mark.parametrize("odd", ["'; DROP TABLE cards; --", "\0", "%", "https://", "C:\\", "é" * 9_000])
async def test_any_words_may_be_asked_for(fediverse: Fediverse, odd: str) -> None:
    attic, shop = await neighbours(fediverse)
    await edits(attic, **TYPESETTER)

    assert await finds(shop, odd, "typesetting") == [attic.uri]
