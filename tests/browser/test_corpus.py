"""Nothing that anybody elsewhere writes runs in our pages, loads anything, or leads where nobody meant to go."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from urllib.parse import quote

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Dialog, Page

from coop.endorsements import Endorsement
from coop.offers import Offer
from federation.tables import Actor
from tests.browser.conftest import window
from tests.browser.corpus import CORPUS
from tests.browser.hostile import Hostile, comes
from tests.browser.test_pages import CHROMIUM, Visit
from tests.web.every_page import every_page
from tests.web.lively import Lively
from web.safety import CSP

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here"),
    pytest.mark.xdist_group("browser"),
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(1800),
]

CANARY = "window.ran = []; window.pwned = () => { window.ran.push(document.currentScript?.outerHTML || 'a handler') }"

# What would run or lead away if it were touched, and what no page of ours has.
AUDIT = r"""() => {
  const found = [], say = (what, e) => found.push(`${what}: ${e.outerHTML.slice(0, 200)}`);
  const goes = url => { try { return new URL(url, location.href).href } catch { return '' } };
  const home = url => goes(url).startsWith(`${location.origin}/`);
  for (const e of document.querySelectorAll('*')) {
    if (e.matches('iframe, frame, object, embed, base, portal, math, style, video, audio, marquee')) say('element', e);
    if (e.matches('meta[http-equiv]')) say('meta', e);
    if (e.matches('[formaction]') && !home(e.getAttribute('formaction'))) say('formaction', e);
    const runs = e.matches('script:not([type="application/ld+json"])');
    if (runs && !(e.getAttribute('src') || '').startsWith('/static/')) say('script', e);
    if (e.matches('link[rel~=stylesheet], link[rel~=icon]') && !home(e.href)) say('link', e);
    if (e.matches('form') && !home(e.getAttribute('action') || '')) say('form', e);
    if (e.matches('img, source') && !home(e.src)) say('image', e);
    if (e.matches('use') && !e.getAttribute('href').startsWith('/static/')) say('use', e);
    if (e.matches('a[href]') && !/^(https?|mailto):/.test(goes(e.getAttribute('href')))) say('link', e);
    for (const {name} of e.attributes)
      if (/^on|^style$|^srcdoc$|^ping$|^background$/i.test(name)) say(name, e);
  }
  if (document.body.innerText.includes('1337')) found.push('a template was evaluated');
  return found;
}"""


@dataclass
class Watch:
    """A window, and all that went wrong in it."""

    visit: Visit
    dialogs: list[str] = field(default_factory=list)

    @property
    def page(self) -> Page:
        return self.visit.page

    async def looks(self, path: str) -> list[str]:
        """What a page did, or would do, that it should not."""
        visit = self.visit
        for seen in (visit.complaints, visit.elsewhere, self.dialogs):
            seen.clear()
        await self.page.goto(f"{visit.studio.home}{path}", wait_until="load")
        await self.page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        found = await self.page.evaluate(AUDIT)
        found += [f"ran: {one}" for one in await self.page.evaluate("window.ran")]
        return [*found, *visit.complaints, *visit.elsewhere, *self.dialogs]


async def watch(chromium: Browser, house: Lively) -> Watch:
    found = Watch(await window(chromium, house.ada, house))

    async def note(dialog: Dialog) -> None:
        found.dialogs.append(dialog.message)
        await dialog.dismiss()

    found.page.on("dialog", note)
    await found.page.add_init_script(CANARY)
    return found


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def hostile(house: Lively) -> AsyncIterator[Hostile]:
    yield await comes(house, CORPUS)


async def older(one: Watch, path: str, least: int) -> dict[str, list[str]]:
    """What is wrong with a list, to its end, which is no sooner than after so many pages."""
    found, number = {}, 0
    while path:
        number += 1
        if wrong := await one.looks(path):
            found[path] = wrong
        more = one.page.locator("p.more a").last
        path = await more.get_attribute("href") or "" if await more.count() else ""
    assert number >= least, number
    return found


async def test_the_corpus_is_large_and_each_trick_is_another() -> None:
    assert len({*CORPUS}) == len(CORPUS) >= 80


async def test_shows_home_6_no_list_runs_what_somebody_wrote(
    chromium: Browser, house: Lively, hostile: Hostile
) -> None:
    one, many = await watch(chromium, house), len(CORPUS)
    lists = {
        "/today": 3 * many // 20,
        "/board?kind=offer": many // 24,
        "/notifications": many // 40,
        "/people?show=requests": many // 50,
    }

    assert {path: wrong for path, least in lists.items() if (wrong := await older(one, path, least))} == {}


async def test_shows_home_6_no_page_runs_what_somebody_wrote(
    chromium: Browser, house: Lively, hostile: Hostile
) -> None:
    one = await watch(chromium, house)
    offers = [row.uri for row in await house.attic.knows(Offer) if row.author == hostile.mal]
    seals = [row.hash for row in await house.attic.knows(Endorsement) if row.endorser in hostile.people]
    met = [row.uri for row in await house.attic.knows(Actor) if row.uri in (*hostile.people, hostile.mal)]
    pages = [f"/who?is={quote(uri, safe='')}" for uri in met]
    pages += [f"/offer?is={quote(uri, safe='')}" for uri in offers[::3]]
    pages += [f"/endorsements/{hash_}" for hash_ in seals[::5]]
    pages += [
        f"/read?of={quote(f'{hostile.far.home}/answer-{number}', safe='')}" for number in range(0, len(CORPUS), 12)
    ]
    pages += every_page(house)

    assert min(len(offers), len(seals), len(met)) > 0.9 * len(CORPUS)  # the rest was refused at the door
    assert {path: wrong for path in pages if (wrong := await one.looks(path))} == {
        "/nothing-here": ["Failed to load resource: the server responded with a status of 404 (Not Found)"],
        "/@nobody": ["Failed to load resource: the server responded with a status of 404 (Not Found)"],
    }


@pytest.mark.parametrize(
    "trick",
    [
        "<script>pwned()</script>",
        "<img src=x onerror=pwned()>",
        "<svg onload=pwned()>",
        "<a href=javascript:pwned()>x</a>",
        "<img src=https://evil.example/pixel.png>",
        "<p style='position:fixed'>x</p>",
        "<form action=https://evil.example/><button>x</button></form>",
        "<iframe src=https://evil.example/></iframe>",
        "<base href=https://evil.example/>",
        "<style>*{background:url(https://evil.example/s)}</style>",
    ],
)
async def test_whoever_watches_sees_it(chromium: Browser, house: Lively, trick: str) -> None:
    one = await watch(chromium, house)
    headers = {"content-type": "text/html", "content-security-policy": CSP}
    body = f"<!doctype html><title>x</title><main>{trick}</main>"
    await one.page.route("**/raw", lambda route: route.fulfill(status=200, headers=headers, body=body))

    assert await one.looks("/raw") != []
