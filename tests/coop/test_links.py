"""Links that lead both ways, and those that only say so."""

from __future__ import annotations

import httpx
import pytest

from coop import links, profiles
from coop.profiles import Changes
from federation import known
from federation.store import Transaction
from tests.coop.neighbours import does, neighbours
from tests.fediverse import Fediverse, Studio

PAGE = "https://attic.example/@attic"


def website(fediverse: Fediverse, host: str, html: str, status: int = 200) -> str:
    """A page of somebody's; return its address."""

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(status, text=html, headers={"content-type": "text/html"}, request=request)

    fediverse.strangers[host] = answer
    return f"https://{host}/"


async def names(studio: Studio, *urls: str) -> None:
    await does(studio, profiles.edit, Changes(links=urls))


@pytest.mark.proves("P-023")
@pytest.mark.parametrize(
    "html",
    [
        f'<a href="{PAGE}" rel="me">me</a>',
        f'<link rel="ME nofollow" href="{PAGE.upper()}">',
        f'<p><A REL="noopener me" HREF="{PAGE}">',
    ],
)
async def test_a_page_that_links_back_is_verified(fediverse: Fediverse, html: str) -> None:
    attic = await fediverse.studio("attic")
    url = website(fediverse, "verne.example", f"<html><body>{html}</body></html>")
    await names(attic, url)

    found = await links.verify(attic.instance, attic.uri)

    assert found == {url}
    assert await attic.instance.store.read(lambda db: links.verified(db, attic.uri)) == {url}


@pytest.mark.proves("P-023")
@pytest.mark.parametrize(
    ("html", "status"),
    [
        (f'<a href="{PAGE}">not me</a>', 200),
        (f'<a href="{PAGE}x" rel="me">another</a>', 200),
        (f'<!-- <a href="{PAGE}" rel="me"> -->', 200),
        (f'<a href="{PAGE}" rel="me">me</a>', 404),
        (f"{PAGE} rel=me", 200),
        (f'<![foo[bar]]><a href="{PAGE}" rel="me">', 200),
    ],
)
async def test_a_page_that_does_not_is_not(fediverse: Fediverse, html: str, status: int) -> None:
    attic = await fediverse.studio("attic")
    await names(attic, website(fediverse, "verne.example", html, status), "https://nowhere.example/")

    assert await links.verify(attic.instance, attic.uri) == frozenset()


@pytest.mark.proves("P-023")
async def test_the_links_of_others_are_verified_in_the_same_way(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    url = website(fediverse, "verne.example", f'<link rel="me" href="{PAGE}">')
    await names(attic, url, website(fediverse, "else.example", "nothing"))

    assert await links.verify(shop.instance, attic.uri) == {url}


async def test_a_link_that_leads_back_no_more_is_forgotten(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    await names(attic, website(fediverse, "verne.example", f'<link rel="me" href="{PAGE}">'))
    await links.verify(attic.instance, attic.uri)

    website(fediverse, "verne.example", "sold")
    await links.verify(attic.instance, attic.uri)

    assert await attic.instance.store.read(lambda db: links.verified(db, attic.uri)) == frozenset()


async def test_nobody_makes_us_ask_for_many_pages(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    value = '<a href="https://p{}.example/" rel="me">x</a>'
    fields = [{"type": "PropertyValue", "name": "Web", "value": value.format(number)} for number in range(40)]

    def widen(tx: Transaction) -> None:
        row = known.actor(tx.db, attic.uri)
        row.document = {**row.document, "attachment": fields}

    await shop.does(widen)
    before = len(fediverse.requests)

    await links.verify(shop.instance, attic.uri)

    assert len(fediverse.requests) - before == links.MAX_LINKS
