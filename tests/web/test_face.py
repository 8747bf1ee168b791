"""A studio as visitors and the programs of search engines see it: its pictures, its cards, what may be listed."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import msgspec
import pytest
from PIL import Image

from activitypub.audience import Visibility
from activitypub.proposal import Price
from coop import accounts, endorsements, offers, pins, posts, profiles, projects
from coop.posts import Draft
from tests.coop.neighbours import counting
from tests.fediverse import Fediverse, Studio, key_pair
from tests.web.pages import Reader, check_harmless, tell
from tests.web.uploads import attaches, picture, uploads
from tests.web.visitors import BROWSER, ask, neighbours

LOC = "{http://www.sitemaps.org/schemas/sitemap/0.9}loc"
DATA = re.compile(r'<script type="application/ld\+json">(.*?)</script>', re.DOTALL)


async def says_of_itself(studio: Studio, url: str) -> list[dict[str, Any]]:
    """What a page says for programs."""
    [data] = DATA.findall((await ask(studio, url, BROWSER)).text)
    found: dict[str, Any] = msgspec.json.decode(data)
    assert found["@context"] == "https://schema.org"
    things: list[dict[str, Any]] = found["@graph"]
    return things


async def lists(studio: Studio) -> set[str]:
    """Every address that its sitemap has."""
    index = await ask(studio, "/sitemap.xml", {"accept": "*/*"})
    found: set[str] = set()
    for file in ElementTree.fromstring(index.text).iter(LOC):  # noqa: S314 - it is our own
        answer = await ask(studio, file.text or "", {"accept": "*/*"})
        assert answer.headers["content-type"] == "application/xml"
        found |= {one.text or "" for one in ElementTree.fromstring(answer.text).iter(LOC)}  # noqa: S314
    return found


async def is_found(studio: Studio) -> None:
    await studio.does(lambda tx: profiles.edit(tx, studio.uri, profiles.Changes(discoverable=True)))


async def says_to(studio: Studio, other: Studio, how: Visibility) -> str:
    draft = Draft(f"@{other.address} Ink", how)
    return await studio.does(lambda tx: posts.publish(tx, studio.uri, draft).uri)


async def offers_a_map(studio: Studio, number: int) -> None:
    draft = offers.Draft("offer", f"Map {number}", "x")
    await studio.does(lambda tx: offers.open(tx, studio.uri, draft))


async def vouched(fediverse: Fediverse) -> tuple[Studio, Studio, str]:
    attic, shop = await neighbours(fediverse)
    ada = profiles.Changes(name="Ada", skills=("Typesetting",), bio="Books & maps", availability="from March")
    await attic.does(lambda tx: profiles.edit(tx, attic.uri, ada))
    uri = await shop.does(lambda tx: endorsements.give(tx, shop.uri, attic.uri, ["Typesetting"], "Neat.").uri)
    await fediverse.settle()
    await attic.does(lambda tx: endorsements.accept(tx, attic.uri, uri))
    await fediverse.settle()
    return attic, shop, uri


async def test_the_home_of_one_is_their_website(fediverse: Fediverse) -> None:
    attic, _shop, _ = await vouched(fediverse)
    await attic.does(lambda tx: offers.open(tx, attic.uri, offers.Draft("offer", "Maps", "By the day")))
    await attic.does(lambda tx: projects.create(tx, attic.uri, "Atlas", "", key_pair(7), public=True))
    pinned = await attic.does(lambda tx: posts.publish(tx, attic.uri, Draft("Come in!")).uri)
    await attic.does(lambda tx: pins.pin(tx, attic.uri, pinned))

    page = (await ask(attic, "/", BROWSER)).text

    for words in ("Books &amp; maps", "Typesetting", "Neat.", "Maps", "Atlas", "from March", "Come in!", "Genuine"):
        assert words in page
    assert '<link rel="canonical" href="https://attic.example/@attic">' in page
    assert page.index("First of all") < page.index("On the board")


async def test_the_home_of_several_shows_each_of_them(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    await attic.does(lambda tx: accounts.create(tx, "cleo", "Cleo", "person", key_pair(3)))

    page = (await ask(attic, "/", BROWSER)).text

    assert "Who lives at attic.example" in page
    assert all(f'href="https://attic.example/@{one}"' in page for one in ("attic", "cleo"))
    assert '<meta property="og:image" content="https://attic.example/@attic/preview.png' in page


async def test_pictures_that_everybody_may_see_are_a_strip(fediverse: Fediverse, tmp_path: Path) -> None:
    attic = await fediverse.studio("attic")
    names = [await uploads(attic, tmp_path / "media", picture(), "red.png") for _ in range(4)]
    await attaches(attic, names[0], "Open")
    await attaches(attic, names[1], "Quiet", "unlisted")
    await attaches(attic, names[2], "Followers", "followers")
    await attaches(attic, names[3], "Veiled", warning="Paint")

    page = (await ask(attic, "/@attic", BROWSER)).text

    strip = page.partition('<ul class="strip">')[2].partition("</ul>")[0]
    assert [name in strip for name in names] == [True, False, False, False]
    assert 'alt="Something red"' in strip


async def test_programs_are_told_who_somebody_is_and_what_holds(fediverse: Fediverse) -> None:
    attic, shop, uri = await vouched(fediverse)
    price = Price("EUR", Decimal(400), Decimal("600.50"), "day")
    draft = offers.Draft("request", "A binder", "Soon", price, until=datetime(2026, 4, 1, tzinfo=UTC))
    offer = await attic.does(lambda tx: offers.open(tx, attic.uri, draft).uri)

    person, demand, review = await says_of_itself(attic, "/@attic")
    [alone] = await says_of_itself(attic, offer)
    await shop.does(lambda tx: endorsements.revoke(tx, shop.uri, uri))
    await fediverse.settle()
    after = await says_of_itself(attic, "/")

    assert (person["@type"], person["name"], person["knowsAbout"]) == ("Person", "Ada", ["Typesetting"])
    assert (person["description"], person["identifier"]) == ("Books & maps", "@attic@attic.example")
    assert (demand["@type"], demand["seller"]) == ("Demand", {"@id": attic.uri})
    assert alone["priceSpecification"]["minPrice"] == "400"
    assert alone["priceSpecification"]["maxPrice"] == "600.50"
    assert (alone["validThrough"], alone["availability"]) == ("2026-04-01T00:00:00Z", "https://schema.org/InStock")
    assert (review["reviewBody"], review["itemReviewed"]["@id"]) == ("Neat.", attic.uri)
    assert review["author"]["name"] == "Shop"
    assert [one["@type"] for one in after] == ["Person", "Demand"]


@pytest.mark.parametrize("words", ["</script><script>alert(1)</script>", "<!--<script>", "&lt;/script&gt;", "\u2028"])
async def test_nothing_that_is_said_ends_what_is_said_to_programs(fediverse: Fediverse, words: str) -> None:
    attic = await fediverse.studio("attic")
    await tell(attic, {"name": words, "summary": words, "skill": [words]})

    page = (await ask(attic, "/@attic", BROWSER)).text

    assert len([tag for tag, _ in Reader(page).tags if tag == "script"]) == 1
    assert "<" not in DATA.findall(page)[0]
    check_harmless(page, attic.home)


async def test_a_page_without_a_picture_has_a_painted_card(fediverse: Fediverse, tmp_path: Path) -> None:
    attic = await fediverse.studio("attic")
    before = Reader((await ask(attic, "/@attic", BROWSER)).text)
    [card] = [attrs["content"] or "" for _, attrs in before.tags if attrs.get("property") == "og:image"]

    painted = await ask(attic, card, BROWSER)
    await attic.does(lambda tx: profiles.edit(tx, attic.uri, profiles.Changes(name="Anna")))
    other = (await ask(attic, "/@attic", BROWSER)).text
    name = await uploads(attic, tmp_path / "media", picture(), "red.png")
    await attic.does(lambda tx: profiles.edit(tx, attic.uri, profiles.Changes(avatar=name)))
    own = (await ask(attic, "/@attic", BROWSER)).text

    assert painted.headers["content-type"] == "image/png"
    assert Image.open(io.BytesIO(painted.content)).size == (1200, 630)
    assert len(painted.content) < 60_000
    assert card not in other
    assert "preview.png" not in own
    assert (await ask(attic, "/@nobody/preview.png", BROWSER)).status_code == 404


@pytest.mark.parametrize("name", ["", "x" * 5000, "名前", "A\nB\0", "é" * 90, "👩‍🎨 Ada", "\\u0000", '"}'])
async def test_a_card_is_painted_whatever_somebody_is_called(fediverse: Fediverse, name: str) -> None:
    attic = await fediverse.studio("attic")
    await tell(attic, {"name": name, "skill": [name]})

    painted = await ask(attic, "/@attic/preview.png", BROWSER)

    assert Image.open(io.BytesIO(painted.content)).size == (1200, 630)


async def test_only_who_wants_to_be_found_is_listed(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    post = await attic.does(lambda tx: posts.publish(tx, attic.uri, Draft("Ink")).uri)

    before = await lists(attic)
    await is_found(attic)
    after = await lists(attic)
    await tell(attic, {"indexable": False})

    assert before == {"https://attic.example/"}
    assert {post, "https://attic.example/@attic"} <= after
    assert await lists(attic) == before


async def test_only_what_is_public_is_listed(fediverse: Fediverse) -> None:
    attic, shop, _ = await vouched(fediverse)
    await is_found(attic)
    await attic.meets(shop)
    how: tuple[Visibility, ...] = ("public", "unlisted", "followers", "direct")
    said = {one: await says_to(attic, shop, one) for one in how}
    answer = await attic.does(lambda tx: posts.publish(tx, attic.uri, Draft("x", reply_to=said["public"])).uri)
    gone = await attic.does(lambda tx: posts.publish(tx, attic.uri, Draft("y")).uri)
    await attic.does(lambda tx: posts.delete(tx, attic.uri, gone))
    secret = await attic.does(lambda tx: projects.create(tx, attic.uri, "Hidden", "", key_pair(7)).uri)
    shown = await attic.does(lambda tx: projects.create(tx, attic.uri, "Open", "", key_pair(8), public=True).uri)
    offer = await attic.does(lambda tx: offers.open(tx, attic.uri, offers.Draft("offer", "Maps", "x")).uri)

    found = await lists(attic)

    assert {said["public"], offer, shown} <= found
    assert not found & {said["unlisted"], said["followers"], said["direct"], answer, gone, secret}
    assert len([one for one in found if "/endorsements/" in one]) == 1


@pytest.mark.parametrize("file", ["x", "-1", "21", "9" * 30, "1.5"])
async def test_there_are_no_more_files_than_that(fediverse: Fediverse, file: str) -> None:
    attic = await fediverse.studio("attic")

    assert (await ask(attic, f"/sitemaps/{file}.xml", {"accept": "*/*"})).status_code == 404


async def test_search_engines_are_told_where_to_look(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")

    robots = (await ask(attic, "/robots.txt", {"accept": "*/*"})).text

    assert "Sitemap: https://attic.example/sitemap.xml" in robots
    assert "Disallow: /way\n" in robots


async def test_a_full_page_takes_few_questions(fediverse: Fediverse, tmp_path: Path) -> None:
    attic, _, _ = await vouched(fediverse)
    name = await uploads(attic, tmp_path / "media", picture(), "red.png")
    await attaches(attic, name, "Open")
    for number in range(12):
        await offers_a_map(attic, number)

    with counting(attic) as statements:
        page = await ask(attic, "/", BROWSER)

    assert page.text.count('<article class="card') == 12
    assert len(statements) <= 20, statements
