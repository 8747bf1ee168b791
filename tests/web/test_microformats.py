"""What pages say to programs that read pages: who wrote what, and when."""

from __future__ import annotations

from pathlib import Path

from coop import offers, posts, profiles, projects
from coop.posts import Draft
from tests.fediverse import Fediverse, Studio, key_pair
from tests.web.pages import Items
from tests.web.uploads import picture, uploads
from tests.web.visitors import BROWSER, ask, neighbours

PERSON = {"p-name", "u-url", "u-photo"}


async def items(studio: Studio, url: str) -> Items:
    return Items((await ask(studio, url, BROWSER)).text)


async def has_a_face(studio: Studio, folder: Path) -> None:
    name = await uploads(studio, folder, picture(), "red.png")
    await studio.does(lambda tx: profiles.edit(tx, studio.uri, profiles.Changes(avatar=name)))


async def test_a_post_has_an_author_with_a_face_and_a_date_of_its_own(fediverse: Fediverse, tmp_path: Path) -> None:
    attic, _ = await neighbours(fediverse)
    await has_a_face(attic, tmp_path / "media")
    first = await attic.does(lambda tx: posts.publish(tx, attic.uri, Draft("Ink?")).uri)
    second = await attic.does(lambda tx: posts.publish(tx, attic.uri, Draft("Ink!", reply_to=first)).uri)

    for url in (first, second):
        page = await items(attic, url)

        entries, people = page.of("h-entry"), page.of("h-card")
        assert [set(one) for one in people] == [PERSON, PERSON]
        for one in entries:
            assert sorted(set(one) - {"u-in-reply-to"}) == ["dt-published", "e-content", "p-author", "u-url"], url
            assert one.count("dt-published") == one.count("p-author") == 1


async def test_on_a_profile_every_post_says_when_it_was_published(fediverse: Fediverse) -> None:
    attic, _ = await neighbours(fediverse)
    await attic.does(lambda tx: posts.publish(tx, attic.uri, Draft("Ink!")))

    for url in ("/", "/@attic"):
        [entry] = (await items(attic, url)).of("h-entry")
        assert "dt-published" in entry


async def test_an_offer_says_who_made_it_and_when(fediverse: Fediverse, tmp_path: Path) -> None:
    attic, _ = await neighbours(fediverse)
    await has_a_face(attic, tmp_path / "media")
    draft = offers.Draft("offer", "Maps", "By the day", skills=("Cartography",))
    offer = await attic.does(lambda tx: offers.open(tx, attic.uri, draft).uri)

    page = await items(attic, offer)

    assert [set(one) for one in page.of("h-card")] == [PERSON]
    [entry] = page.of("h-entry")
    assert sorted(entry) == ["dt-published", "e-content", "p-author", "p-category", "p-name", "u-url"]


async def test_each_member_of_a_project_is_one_person(fediverse: Fediverse, tmp_path: Path) -> None:
    attic = await fediverse.studio("attic")
    await has_a_face(attic, tmp_path / "media")
    pair = key_pair(7)
    project = await attic.does(lambda tx: projects.create(tx, attic.uri, "Atlas", "Maps", pair, public=True).uri)

    room, member = (await items(attic, project)).of("h-card")

    assert set(room) == {"p-name", "u-url", "u-uid", "p-note"}
    assert set(member) == PERSON


async def test_the_page_of_a_post_or_an_offer_says_when_to_the_minute(fediverse: Fediverse) -> None:
    attic, _ = await neighbours(fediverse)
    post = await attic.does(lambda tx: posts.publish(tx, attic.uri, Draft("Ink?")).uri)
    offer = await attic.does(lambda tx: offers.open(tx, attic.uri, offers.Draft("offer", "Maps", "By the day")).uri)
    fediverse.later(hours=1)
    await attic.does(lambda tx: posts.edit(tx, attic.uri, post, "Ink!"))

    for url in (post, offer):
        page = (await ask(attic, url, BROWSER)).text
        assert ">2 March 2026, 09:00 UTC</time>" in page
        assert (">2 March 2026, 10:00 UTC</time>" in page) == (url == post)
    assert "1 hr ago</time>" in (await ask(attic, "/@attic", BROWSER)).text
