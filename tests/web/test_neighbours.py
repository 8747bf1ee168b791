"""The map of one's co-op: the same people in the same places, in lines and in words."""

from __future__ import annotations

import re
from itertools import combinations
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as some

from coop import endorsements, follows, profiles
from tests.coop.test_paths import street
from tests.fediverse import Fediverse
from tests.web.inhabitants import at_home
from web import drawing
from web.shown import Person

HOSTILE = "<script>alert(1)</script>&\"'"


def person(number: int) -> Person:
    uri = f"https://n{number}.example/a"
    return Person(uri, f"Somebody {number}", f"a@n{number}.example", uri)


async def test_who_is_near_is_on_it_with_what_they_have_to_do_with_each_other(fediverse: Fediverse) -> None:
    attic, shop, garage = await street(fediverse)
    await shop.follows(attic)
    await attic.does(lambda tx: endorsements.give(tx, attic.uri, shop.uri, ["Ink"], "Black."))
    await fediverse.settle()

    page = (await (await at_home(attic)).sees("/co-op")).text
    words = re.sub(r"\s+", " ", re.sub("<[^>]*>", " ", page))

    assert page.count('class="tie works" d="M') == 2  # in the picture and in its legend
    assert f'href="/who?is={garage.uri.replace(":", "%3A")}"' in page
    assert "You vouch for them You follow them" in words
    assert "Follows you" in words
    assert "Works with Garage" in words
    assert "You know them through Shop" in words


async def test_a_crowd_that_follows_us_is_not_on_it(fediverse: Fediverse) -> None:
    attic, shop = await fediverse.studio("attic"), await fediverse.studio("shop")
    await shop.follows(attic)
    await shop.does(lambda tx: endorsements.give(tx, shop.uri, attic.uri, ["Everything"], "Friend!"))
    await fediverse.settle()

    page = (await (await at_home(attic)).sees("/co-op")).text

    assert "Here will be a map" in page
    assert '<svg viewBox="0 0 800' not in page


async def test_a_hostile_name_is_only_a_name_and_the_picture_is_well_formed(fediverse: Fediverse) -> None:
    attic, shop = await fediverse.studio("attic"), await fediverse.studio("shop")
    await shop.does(lambda tx: profiles.edit(tx, shop.uri, profiles.Changes(name=HOSTILE)))
    await attic.meets(shop)
    await attic.does(lambda tx: follows.follow(tx, attic.uri, shop.uri))
    await fediverse.settle()

    page = (await (await at_home(attic)).sees("/co-op")).text
    [picture] = re.findall(r'<svg viewBox="0 0 800.*?</svg>', page, re.DOTALL)

    assert "<script>alert" not in page
    assert HOSTILE in "".join(ElementTree.fromstring(picture).itertext())  # noqa: S314 - ours


@given(some.integers(0, 60), some.data())
def test_everybody_has_a_place_and_the_same_people_have_the_same(number: int, data: some.DataObject) -> None:
    me, people = person(0), [person(one) for one in range(1, number + 1)]
    pairs = [frozenset((one.uri, other.uri)) for one, other in combinations([me, *people[:12]], 2)]
    chosen = data.draw(some.lists(some.sampled_from(pairs), unique=True)) if pairs else []
    ties = {pair: data.draw(some.sampled_from(drawing.KINDS)) for pair in chosen}

    picture = drawing.draw(me, people, ties)

    assert picture == drawing.draw(me, people, dict(reversed(ties.items())))
    assert sorted(one.person.uri for one in picture.spots) == sorted(one.uri for one in people)
    places = [(one.x, one.y) for one in picture.spots]
    assert len({*places}) == number
    assert all(0 <= one <= drawing.SIZE for place in places for one in place)
    assert all(
        (one[0] - other[0]) ** 2 + (one[1] - other[1]) ** 2 >= picture.radius**2
        for one, other in combinations(places, 2)
    )
    assert sum(line.count("M") for line in picture.lines.values()) == len(ties)


def test_those_who_have_to_do_with_each_other_stand_together() -> None:
    people = [person(number) for number in range(1, 9)]
    ties = {frozenset((people[one].uri, people[other].uri)): "works" for one, other in ((0, 4), (1, 5), (2, 6))}

    order = [one.person for one in drawing.draw(person(0), people, ties).spots]

    for one, other in ((0, 4), (1, 5), (2, 6)):
        assert abs(order.index(people[one]) - order.index(people[other])) == 1
