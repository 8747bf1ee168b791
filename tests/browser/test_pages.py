"""Pages in a real browser: on a phone and on a desk, by day and by night, with nothing from elsewhere."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Browser, Page, Route, async_playwright

from activitypub.proposal import Price
from coop import endorsements, offers, posts, profiles, projects
from coop.posts import Draft
from tests.fediverse import Fediverse, Studio, key_pair
from tests.web.uploads import attaches, picture, uploads

CHROMIUM = shutil.which("chromium")
SIZES = {"phone": (390, 844), "desk": (1440, 900)}
NIGHTS = ("light", "dark")
LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here"),
    pytest.mark.xdist_group("browser"),
]

# Each text against what is painted behind it, as WCAG 2 measures it; large text needs less.
CONTRAST = """() => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgba = color => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
                          return [...canvas.getImageData(0, 0, 1, 1).data]; };
  const light = color => { const [r, g, b] = rgba(color).map(v => v / 255)
                             .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
                           return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const behind = element => { for (let e = element; e; e = e.parentElement) {
                                const color = getComputedStyle(e).backgroundColor;
                                if (rgba(color)[3] === 255) return color; }
                              return getComputedStyle(document.documentElement).backgroundColor; };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const poor = [];
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement, style = getComputedStyle(element);
    if (!walker.currentNode.data.trim() || !element.checkVisibility() || element.closest('svg')) continue;
    const [a, b] = [light(style.color), light(behind(element))].sort((x, y) => y - x);
    const size = parseFloat(style.fontSize);
    const needed = size >= 24 || (size >= 18.66 && style.fontWeight >= 700) ? 3 : 4.5;
    const found = (a + 0.05) / (b + 0.05);
    if (found < needed) poor.push(`${walker.currentNode.data.trim().slice(0, 40)}: ${found.toFixed(2)}`);
  }
  return poor;
}"""

# What leaves the window on the right, with its class, to be found.
WIDE = """() => [...document.querySelectorAll('body *')]
  .filter(e => e.checkVisibility() && !e.closest('.unseen, .skip, pre'))
  .filter(e => e.getBoundingClientRect().right > innerWidth + 1)
  .map(e => `${e.tagName}.${e.className}`)"""

# Where the words in an element begin.
LEFT = """selector => { const range = document.createRange();
  range.selectNodeContents(document.querySelector(selector));
  return Math.round(range.getClientRects()[0].left); }"""

GAP = """selectors => {
  const [upper, lower] = selectors.map(one => document.querySelector(one).getBoundingClientRect());
  return lower.top - upper.bottom; }"""

FOCUSED = "() => [getComputedStyle(document.activeElement).outlineStyle, document.activeElement.outerHTML]"


@dataclass
class Visit:
    """A browser's window on a studio, whose application answers every request itself."""

    page: Page
    studio: Studio
    asked: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)
    cookie: str = ""  # of whoever is logged in
    complaints: list[str] = field(default_factory=list)

    async def answer(self, route: Route) -> None:
        request = route.request
        self.asked.append(request.url)
        if not request.url.startswith(f"{self.studio.home}/"):
            self.elsewhere.append(request.url)
            await route.abort()
            return
        if request.url == f"{self.studio.home}/live" or request.url.startswith(f"{self.studio.home}/live?"):
            await route.fulfill(status=204)  # what has no end is not to be had without a socket
            return
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self.studio.app)) as wire:
            headers = {**request.headers, **({"cookie": self.cookie} if self.cookie else {})}
            given = await wire.request(
                request.method, request.url, headers=headers, content=request.post_data_buffer or b""
            )
        headers = {name: value for name, value in given.headers.items() if name != "content-encoding"}
        await route.fulfill(status=given.status_code, headers=headers, body=given.content)

    @property
    def loaded(self) -> list[str]:
        return [url for url in self.asked if "/media/" in url]

    async def opens(self, url: str) -> None:
        response = await self.page.goto(url)
        assert response is not None
        assert response.status < 400, url


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        await browser.close()


async def visit(browser: Browser, studio: Studio, size: str = "desk", night: str = "light") -> Visit:
    width, height = SIZES[size]
    context = await browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if night == "dark" else "light",
        reduced_motion="reduce",
    )
    visit = Visit(await context.new_page(), studio)
    visit.page.on("console", lambda message: visit.complaints.append(message.text))
    visit.page.on("pageerror", lambda error: visit.complaints.append(str(error)))
    await context.route("**/*", visit.answer)
    return visit


async def house(fediverse: Fediverse, folder: Path) -> tuple[Studio, dict[str, str]]:
    """A studio with something of everything, some of it as long as words get, and the addresses of its pages."""
    attic, shop = await fediverse.studio("attic"), await fediverse.studio("shop")
    await attic.meets(shop)
    await shop.meets(attic)
    ada = profiles.Changes(
        name="Ada in the attic",
        bio=f"# Hello\n\nBooks, maps and catalogues, set with care. {LONG}",
        availability="Free from March",
        skills=("Typesetting", "Cartography", LONG[:60]),
        links=("https://attic-letters.example/", f"https://codeberg.example/{LONG}"),
    )
    await attic.does(lambda tx: profiles.edit(tx, attic.uri, ada))
    face, header = [await uploads(attic, folder / "media", picture(), "red.png") for _ in range(2)]
    await attic.does(lambda tx: profiles.edit(tx, attic.uri, profiles.Changes(avatar=face, header=header)))
    text = (
        f"# {LONG}\n\nFootnotes: 412. `code` and {LONG}\n\n## Rooms\n\n> A page is a room.\n\n- one\n- two\n\n"
        f"#books https://a.example/{LONG}"
    )
    post = await attic.does(lambda tx: posts.publish(tx, attic.uri, Draft(text)).uri)
    await attic.does(lambda tx: posts.publish(tx, attic.uri, Draft("By the page", warning="Money")))
    await attic.does(lambda tx: posts.publish(tx, attic.uri, Draft("Nine!", reply_to=post)))
    price, until = Price("EUR", Decimal(2400), Decimal(3600), "day"), datetime(2026, 3, 31, tzinfo=UTC)
    draft = offers.Draft(
        "request", f"Typesetter {LONG[:60]}", text, price, ("Typesetting",), True, "Bremen", None, until
    )
    offer = await attic.does(lambda tx: offers.open(tx, attic.uri, draft).uri)
    project = await attic.does(
        lambda tx: projects.create(tx, attic.uri, "The harbour atlas", "Nine sheets", key_pair(7), public=True).uri
    )
    kept, revoked = [
        await shop.does(lambda tx: endorsements.give(tx, shop.uri, attic.uri, ["Typesetting", LONG], "Good.").uri)
        for _ in range(2)
    ]
    await fediverse.settle()
    await attic.does(lambda tx: endorsements.accept(tx, attic.uri, kept))
    await attic.does(lambda tx: endorsements.accept(tx, attic.uri, revoked))
    await shop.does(lambda tx: endorsements.revoke(tx, shop.uri, revoked))
    await fediverse.settle()
    [seal] = [one.hash for one in await attic.knows(endorsements.Endorsement) if one.uri == kept]
    pages = {"home": "/", "profile": "/@attic", "tag": "/tags/books", "authorize": "/authorize?uri=@ada@far.example"}
    pages |= {"seal": f"/endorsements/{seal}"}
    urls = {name: attic.home + path for name, path in pages.items()}
    return attic, urls | {"post": post, "offer": offer, "project": project}


@pytest.mark.parametrize("night", NIGHTS)
@pytest.mark.parametrize("size", SIZES)
async def test_every_page_fits_can_be_read_and_asks_nobody_else(
    fediverse: Fediverse, browser: Browser, tmp_path: Path, size: str, night: str
) -> None:
    attic, urls = await house(fediverse, tmp_path)
    window = await visit(browser, attic, size, night)

    for name, url in urls.items():
        await window.opens(url)
        for summary in await window.page.locator("summary").all():
            await summary.click()
        await window.page.screenshot(path=tmp_path / f"{name}-{size}-{night}.png", full_page=True)

        assert await window.page.evaluate(WIDE) == [], name
        assert await window.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
        assert await window.page.evaluate(CONTRAST) == [], name

    assert (window.elsewhere, window.complaints) == ([], [])


async def test_everything_is_reached_by_keyboard_and_shows_where_one_is(
    fediverse: Fediverse, browser: Browser, tmp_path: Path
) -> None:
    attic, urls = await house(fediverse, tmp_path)
    window = await visit(browser, attic)
    await window.opens(urls["profile"])
    count = await window.page.locator("a[href]:visible, summary:visible").count()
    seen = set()

    for _ in range(count):
        await window.page.keyboard.press("Tab")
        outlined, where = await window.page.evaluate(FOCUSED)
        assert outlined != "none", where
        seen.add(where)

    assert len(seen) >= count - 2  # the same link may stand twice


async def test_a_page_has_one_heading_a_language_and_words_for_every_picture(
    fediverse: Fediverse, browser: Browser, tmp_path: Path
) -> None:
    attic, urls = await house(fediverse, tmp_path)
    window = await visit(browser, attic)

    for name, url in urls.items():
        await window.opens(url)
        assert await window.page.locator("html[lang]").count() == 1
        assert await window.page.locator("main").count() == 1
        assert await window.page.locator("h1").count() == 1, name
        assert await window.page.locator("aside h1").count() == 0, name  # whom a page is about is not beside the point
        assert await window.page.locator("img:not([alt])").count() == 0
        assert await window.page.title() != ""


@pytest.mark.parametrize("size", SIZES)
async def test_who_signed_a_seal_and_as_what_stands_in_one_line_above_its_back(
    fediverse: Fediverse, browser: Browser, tmp_path: Path, size: str
) -> None:
    attic, urls = await house(fediverse, tmp_path)
    window = await visit(browser, attic, size)
    await window.opens(urls["seal"])

    name, role = [await window.page.evaluate(LEFT, one) for one in (".signed .p-name", ".signed p")]
    gap = await window.page.evaluate(GAP, [".signed", ".how"])

    assert name == role
    assert gap < 32


async def test_the_picture_at_the_top_of_a_profile_is_as_wide_as_a_phone(
    fediverse: Fediverse, browser: Browser, tmp_path: Path
) -> None:
    attic, urls = await house(fediverse, tmp_path)
    window = await visit(browser, attic, "phone")
    await window.opens(urls["profile"])

    banner = await window.page.locator(".banner").bounding_box()

    assert banner is not None
    assert (banner["x"], banner["width"]) == (0, 390)


async def test_a_veil_is_lifted_and_a_seal_turned_without_any_script(
    fediverse: Fediverse, browser: Browser, tmp_path: Path
) -> None:
    attic, urls = await house(fediverse, tmp_path)
    context = await browser.new_context(java_script_enabled=False)
    window = Visit(await context.new_page(), attic)
    await context.route("**/*", window.answer)
    await window.opens(urls["profile"])

    await window.page.get_by_text("Money", exact=True).click()
    await window.page.locator(".turn > summary").last.click()
    await window.page.get_by_text("The key that it is signed with").last.click()

    assert await window.page.get_by_text("By the page").is_visible()
    assert await window.page.get_by_text("ed25519-key").last.is_visible()
    assert await window.page.get_by_text("Taken back").first.is_visible()


async def test_a_picture_behind_a_veil_is_neither_seen_nor_loaded_before_somebody_asks(
    fediverse: Fediverse, browser: Browser, tmp_path: Path
) -> None:
    attic = await fediverse.studio("attic")
    name = await uploads(attic, tmp_path / "media", picture(), "red.png")
    post = await attaches(attic, name, "A lot of paint", warning="Red")
    window = await visit(browser, attic)
    await window.opens(post)
    image = window.page.get_by_alt_text("Something red")
    await window.page.wait_for_load_state("networkidle")
    before = await image.is_visible(), window.loaded

    async with window.page.expect_request_finished():
        await window.page.get_by_text("Red", exact=True).click()

    assert before == (False, [])
    assert await image.is_visible()
    assert window.loaded == [f"{attic.home}/media/{name}"]
