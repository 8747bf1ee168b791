"""Endorsements as visitors see them: whose word it is for whom, whether it holds, and what became of it."""

from __future__ import annotations

from typing import Any

import pytest

from coop import endorsements
from coop.endorsements import Endorsement
from tests.fediverse import Fediverse, Studio
from tests.web.pages import Items, Reader
from tests.web.visitors import BROWSER, ask, neighbours


async def given_one(fediverse: Fediverse, **terms: Any) -> tuple[Studio, Studio, str]:
    """Bo above the shop vouches for Ada in the attic, who shows it; its hash."""
    attic, shop = await neighbours(fediverse)
    work = {"skills": ["Typesetting"], "text": "Set with care.", **terms}
    uri = await shop.does(lambda tx: endorsements.give(tx, shop.uri, attic.uri, **work).uri)
    await fediverse.settle()
    await attic.does(lambda tx: endorsements.accept(tx, attic.uri, uri))
    [row] = await attic.knows(Endorsement)
    return attic, shop, row.hash


async def page_of(studio: Studio, path: str) -> str:
    answer = await ask(studio, path, BROWSER)
    assert answer.status_code == 200
    return answer.text


@pytest.mark.proves("P-242")
async def test_a_visitor_sees_that_a_seal_is_genuine_once_its_giver_was_asked(fediverse: Fediverse) -> None:
    attic, _, hash_ = await given_one(fediverse)
    before = await page_of(attic, f"/endorsements/{hash_}")

    await attic.upkeep.run_errands()
    page, profile = await page_of(attic, f"/endorsements/{hash_}"), await page_of(attic, "/@attic")

    assert "Genuine when last seen" in before
    assert "does not answer" not in before
    assert "<strong>Genuine.</strong>" in page
    assert "<strong>Genuine.</strong>" in profile


async def test_the_back_of_a_seal_names_people_and_folds_its_key_away(fediverse: Fediverse) -> None:
    attic, shop, hash_ = await given_one(fediverse)

    for path in (f"/endorsements/{hash_}", "/@attic"):
        page = await page_of(attic, path)

        assert f'<dd><a href="{shop.home}/@shop">Shop</a></dd>' in page
        assert f'<dd><a class="p-item h-card" href="{attic.home}/@attic">Attic</a></dd>' in page
        assert f">{shop.host}/actors/" not in page
        assert page.count("#ed25519-key") == 1
        assert f'<details class="key"><summary>The key that it is signed with</summary><code>{shop.uri}#' in page


async def test_a_seal_tells_programs_who_said_it_of_whom_and_when(fediverse: Fediverse) -> None:
    attic, _, hash_ = await given_one(fediverse)

    for path in (f"/endorsements/{hash_}", "/@attic"):
        [review] = Items(await page_of(attic, path)).of("h-review")

        assert sorted(review) == ["dt-published", "e-content", "p-author", "p-item", "p-name"], path


async def test_the_card_of_a_seal_leads_to_its_page(fediverse: Fediverse) -> None:
    attic, shop, hash_ = await given_one(fediverse)
    [row] = await shop.knows(Endorsement)

    there, here = await page_of(attic, f"/endorsements/{hash_}"), await page_of(shop, row.uri)

    for page, url in ((there, f"{attic.home}/endorsements/{hash_}"), (here, row.uri)):
        assert f'<meta property="og:url" content="{url}">' in page
        assert '<meta property="og:description" content="Set with care.">' in page


@pytest.mark.proves("P-243", "P-245")
async def test_the_page_of_a_seal_that_was_taken_back_stays_and_says_so(fediverse: Fediverse) -> None:
    attic, shop, hash_ = await given_one(fediverse)
    [row] = await shop.knows(Endorsement)
    await shop.does(lambda tx: endorsements.revoke(tx, shop.uri, row.uri))
    await fediverse.settle()

    page, profile = await page_of(attic, f"/endorsements/{hash_}"), await page_of(attic, "/@attic")
    copy = await ask(attic, f"/endorsements/{hash_}.json", BROWSER)

    assert "Taken back" in page
    assert "Shop vouched for Attic" in page
    assert "Set with care" not in page
    assert "were signed" not in page
    assert "noindex" in page
    assert copy.status_code == 404
    links = Reader(profile).values("href")
    assert f"{attic.home}/endorsements/{hash_}" in links
    assert not [one for one in links + Reader(page).values("href") if one.endswith(".json")]


@pytest.mark.proves("P-247")
async def test_what_its_subject_does_not_show_has_no_page(fediverse: Fediverse) -> None:
    attic, shop, hash_ = await given_one(fediverse)
    [row] = await attic.knows(Endorsement)
    await attic.does(lambda tx: endorsements.decline(tx, attic.uri, row.uri))

    page, elsewhere = await ask(attic, f"/endorsements/{hash_}", BROWSER), await ask(shop, f"/endorsements/{hash_}")

    assert (page.status_code, elsewhere.status_code) == (404, 404)
