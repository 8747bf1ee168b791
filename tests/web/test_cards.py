"""What another site shows of a page that somebody links to: what it is about, and its picture if nobody warns of it."""

from __future__ import annotations

from pathlib import Path

from coop import offers, profiles
from tests.fediverse import Fediverse, Studio
from tests.web.pages import Reader, rewrite, tell
from tests.web.uploads import attaches, picture, uploads
from tests.web.visitors import BROWSER, ask, neighbours


async def card(studio: Studio, url: str) -> dict[str, str]:
    """The properties of OpenGraph that a page has."""
    metas = [attrs for tag, attrs in Reader((await ask(studio, url, BROWSER)).text).tags if tag == "meta"]
    return {name: attrs.get("content") or "" for attrs in metas if (name := attrs.get("property"))}


async def test_the_card_of_an_offer_is_titled_with_the_offer(fediverse: Fediverse) -> None:
    attic, _ = await neighbours(fediverse)
    offer = await attic.does(lambda tx: offers.open(tx, attic.uri, offers.Draft("offer", "Maps & <b>", "Daily")).uri)

    found = await card(attic, offer)

    assert (found["og:title"], found["og:url"]) == ("Maps & <b>", offer)
    assert "og:image" not in found


async def test_the_card_of_a_post_shows_its_picture_unless_somebody_warned_of_it(
    fediverse: Fediverse, tmp_path: Path
) -> None:
    attic, _ = await neighbours(fediverse)
    name = await uploads(attic, tmp_path / "media", picture(), "red.png")
    post = await attaches(attic, name, "Look")
    shown = await card(attic, post)
    await rewrite(attic, post, {"sensitive": True})
    sensitive = await card(attic, post)
    await rewrite(attic, post, {"sensitive": False, "summary": "Red"})
    warned = await card(attic, post)

    assert (shown["og:title"], shown["og:description"]) == ("Attic (@attic@attic.example)", "Look")
    assert (shown["og:image"], shown["og:image:alt"]) == (f"{attic.home}/media/{name}", "Something red")
    assert "og:image" not in sensitive
    assert "og:image" not in warned
    assert warned["og:description"] == "Red"


async def test_a_profile_shows_its_header_if_it_lies_here(fediverse: Fediverse, tmp_path: Path) -> None:
    attic, _ = await neighbours(fediverse)
    name = await uploads(attic, tmp_path / "media", picture(), "red.png")
    await attic.does(lambda tx: profiles.edit(tx, attic.uri, profiles.Changes(header=name)))
    page = (await ask(attic, "/@attic", BROWSER)).text

    await tell(attic, {"image": {"type": "Image", "url": "https://evil.example/x.png"}})
    elsewhere = (await ask(attic, "/@attic", BROWSER)).text

    assert f'<img class="banner" src="{attic.home}/media/{name}" alt="Something red">' in page
    assert "banner" not in elsewhere
    assert "evil.example" not in elsewhere
