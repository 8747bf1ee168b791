"""Search: one field for everything that is known here, and why somebody is found."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from coop import blocks, endorsements, offers, posts, profiles, projects
from coop.posts import Draft
from tests.coop.neighbours import counting
from tests.fediverse import Fediverse, Studio, key_pair
from tests.web.inhabitants import Inhabitant, at_home, forms
from tests.web.test_collections import says
from tests.web.visitors import neighbours

ODD = [
    '"',
    '""',
    "'",
    "*",
    "NEAR(ink paper)",
    "ink AND",
    "words : ink",
    '" OR 1=1 --',
    "^ink",
    "ink*",
    "-ink",
    "(",
    "!",
    "& |",
    "%",
    "_",
    "\\",
    "\0",
    "\ue000post",
    "ink:*",
    "<->",
    "<script>alert(1)</script>",
    "\U0001f600",
    "日本語",
    "@",
    "@@@",
    "https://",
    "https://[",
    "http://a@b",
    ",",
    ",,,,,,,,,,,,",
]


async def bo_knows_ada(fediverse: Fediverse) -> tuple[Studio, Studio, Inhabitant]:
    """Bo follows Ada, who is a typesetter, offers maps and has said something of ink."""
    attic, shop = await neighbours(fediverse)
    ada = profiles.Changes(name="Ada Lovage", skills=("Typesetting",), availability="Free from March", remote=True)
    await attic.does(lambda tx: profiles.edit(tx, attic.uri, ada))
    await says(attic, "Who has ink for the harbour?")
    await attic.does(lambda tx: offers.open(tx, attic.uri, offers.Draft("offer", "Harbour maps", "By the day")))
    await fediverse.settle()
    return attic, shop, await at_home(shop)


async def test_everything_is_found_in_groups(fediverse: Fediverse) -> None:
    _attic, shop, bo = await bo_knows_ada(fediverse)
    await shop.does(lambda tx: projects.create(tx, shop.uri, "The harbour atlas", "Nine sheets", key_pair(7)))

    page = (await bo.sees("/search?q=harbour")).text
    able = (await bo.sees("/search?in=skills&q=typesetting")).text

    assert all(words in page for words in ("Who has ink for the harbour?", "Harbour maps", "The harbour atlas"))
    assert "/offer?is=" in page
    assert "/read?of=" in page
    assert "/project?is=" in page
    assert "Who do you know that can do “harbour”?" in page
    assert "Free from March" in able


@pytest.mark.parametrize("words", ["lovage", "ADA", "attic@", "@attic@attic.example", "attic.example"])
async def test_people_are_found_by_what_they_are_called(fediverse: Fediverse, words: str) -> None:
    attic, _, bo = await bo_knows_ada(fediverse)

    page = (await bo.sees(f"/search?in=people&q={quote(words)}")).text

    assert "Ada Lovage" in page
    assert f'href="/who?is={quote(attic.uri)}"' in page


async def test_a_group_alone_shows_nothing_of_the_others(fediverse: Fediverse) -> None:
    _, _, bo = await bo_knows_ada(fediverse)

    found = {name: (await bo.sees(f"/search?in={name}&q=harbour")).text for name in ("people", "posts", "offers")}

    assert ["ink for the" in page for page in found.values()] == [False, True, False]
    assert ["Harbour maps" in page for page in found.values()] == [False, False, True]
    assert "has these words" in found["people"]


async def test_nobody_finds_what_is_not_for_them(fediverse: Fediverse) -> None:
    attic, shop, bo = await bo_knows_ada(fediverse)
    barn = await fediverse.studio("barn")
    await attic.meets(barn)
    await shop.meets(barn)
    text = f"@{barn.address} the harbour secret"
    await attic.does(lambda tx: posts.publish(tx, attic.uri, Draft(text, "direct")))
    await shop.does(lambda tx: projects.create(tx, shop.uri, "Harbour of mine", "", key_pair(8)))
    await fediverse.settle()
    cleo = await at_home(barn)

    theirs, found = (await bo.sees("/search?q=harbour")).text, (await cleo.sees("/search?q=harbour")).text

    assert "harbour secret" in found
    assert "harbour secret" not in theirs
    assert "Harbour of mine" in theirs
    assert "Harbour of mine" not in found


@pytest.mark.parametrize("which", ["person", "domain"])
async def test_nobody_is_found_across_a_block(fediverse: Fediverse, which: str) -> None:
    attic, shop, bo = await bo_knows_ada(fediverse)
    if which == "person":
        await shop.does(lambda tx: blocks.block(tx, shop.uri, attic.uri))
    else:
        await shop.does(lambda tx: blocks.block_domain(tx, "attic.example"))

    page = (await bo.sees("/search?in=people&q=lovage")).text

    assert "Ada Lovage" not in page


async def test_of_projects_that_do_not_show_themselves_only_members_hear(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    other = await attic.does(lambda tx: projects.create(tx, attic.uri, "Secret atlas", "", key_pair(7)).uri)
    await attic.does(lambda tx: projects.create(tx, attic.uri, "Open atlas", "", key_pair(8), public=True))
    ada = await at_home(attic)

    before = (await ada.sees("/search?in=projects&q=atlas")).text
    await attic.does(lambda tx: _leaves(tx, attic.uri, other))
    after = (await ada.sees("/search?in=projects&q=atlas")).text

    assert [name in before for name in ("Secret atlas", "Open atlas")] == [True, True]
    assert [name in after for name in ("Secret atlas", "Open atlas")] == [False, True]


def _leaves(tx: object, member: str, project: str) -> None:
    from sqlalchemy import delete

    from coop.statements import Membership

    tx.db.execute(delete(Membership).where(Membership.member == member, Membership.project == project))  # type: ignore[attr-defined]


async def test_it_is_told_why_somebody_is_found(fediverse: Fediverse) -> None:
    attic, shop, bo = await bo_knows_ada(fediverse)
    given = await shop.does(lambda tx: endorsements.give(tx, shop.uri, attic.uri, ["Typesetting"], "Neat.").uri)
    await fediverse.settle()
    await attic.does(lambda tx: endorsements.accept(tx, attic.uri, given))
    await fediverse.settle()

    page = (await bo.sees("/search?in=skills&q=Schriftsatz&available=yes&remote=yes")).text
    none = (await bo.sees("/search?in=skills&q=Schriftsatz&place=Rome")).text

    assert "Can do Typesetting, which is the same as Schriftsatz" in page
    assert "Free from March" in page
    assert "Works for people elsewhere" in page
    assert "You follow Ada Lovage" in page
    assert "Endorsed for it by Shop" in page
    assert "Ada Lovage" not in none
    assert "/board/new?kind=request" in none


async def test_pages_of_hits_lead_to_older_ones(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    for number in range(25):
        await says(attic, f"Ink, pot {number:02}")
    ada = await at_home(attic)

    first = (await ada.sees("/search?in=posts&q=ink")).text
    older = first.partition("before=")[2].partition('"')[0]
    second = (await ada.sees(f"/search?in=posts&q=ink&before={older}")).text

    assert "pot 24" in first
    assert "pot 04" not in first
    assert [f"pot {n:02}" in second for n in (0, 4, 5)] == [True, True, False]
    assert ">Older</a>" in first
    assert ">Older</a>" not in second


@pytest.mark.parametrize("words", ["@ada@far.example", "ada@far.example", "https://far.example/notes/1"])
async def test_an_address_is_asked_for_by_a_button_alone(fediverse: Fediverse, words: str) -> None:
    attic = await fediverse.studio("attic")
    ada = await at_home(attic)
    fediverse.requests.clear()

    page = (await ada.sees(f"/search?q={quote(words)}")).text

    [form] = [one for one in forms(page) if one.action == "/people/find"]
    assert form.fields["asked"].removeprefix("@") == words.removeprefix("@")
    assert fediverse.requests == []


@pytest.mark.parametrize("tab", ["", "people", "posts", "offers", "projects", "skills"])
async def test_odd_words_are_but_words(fediverse: Fediverse, tab: str) -> None:
    attic = await fediverse.studio("attic")
    await says(attic, "ink")
    ada = await at_home(attic)

    for words in ODD:
        answer = await ada.sees(f"/search?in={tab}&q={quote(words)}&place={quote(words)}&before={quote(words)}")

        assert answer.status_code in (200, 422), (words, answer.text)
        assert "<script>" not in answer.text


async def test_what_is_too_long_or_nothing_is_said_so(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    ada = await at_home(attic)

    long, none = await ada.sees(f"/search?q={'ink+' * 500}"), await ada.sees("/search?q=++")
    many = await ada.sees("/search?in=skills&q=a,b,c,d,e,f,g,h,i,j")

    assert (long.status_code, none.status_code, many.status_code) == (422, 200, 422)
    assert "too long" in long.text
    assert "is found here by its words" in none.text
    assert "name one to 8 skills" in many.text


async def test_who_is_not_logged_in_finds_nothing(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    ada = await at_home(attic)
    ada.client.cookies.clear()

    answer = await ada.sees("/search?q=ink")

    assert answer.headers["location"] == "/login?next=/search%3Fq%3Dink"


@given(all_words=some.lists(some.text(max_size=60), min_size=10, max_size=20))
@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_words_may_be_looked_for(fediverse: Fediverse, all_words: list[str]) -> None:
    attic = fediverse.studios.get("attic.example") or await fediverse.studio("attic")
    ada = await at_home(attic)

    for words in all_words:
        answer = await ada.sees(f"/search?q={quote(words, errors='replace')}")

        assert answer.status_code in (200, 422), words


async def test_a_search_takes_few_questions(fediverse: Fediverse) -> None:
    _, shop, bo = await bo_knows_ada(fediverse)
    await bo.sees("/search?q=harbour")

    most = {"q=harbour": 20, "q=typesetting": 20, "q=ink&in=posts": 20, "q=ada&in=people": 20, "q=a&in=projects": 20}
    for query, number in {**most, "q=typesetting&in=skills": 28}.items():  # each step to somebody is some of those
        with counting(shop) as statements:
            await bo.sees(f"/search?{query}")

        assert len(statements) <= number, (query, statements)
