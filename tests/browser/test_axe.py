"""Every page, held against WCAG 2.2 AA by axe-core, on a phone and on a desk, by day and by night."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.browser.conftest import window
from tests.browser.test_pages import CHROMIUM, NIGHTS, SIZES, Visit
from tests.interop.npm import install
from tests.web.every_page import bare_pages, every_page
from tests.web.lively import Lively

HERE = Path(__file__).parent
RULES = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]}
OF_COLOURS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}  # what else does the night change?
RUN = """async only => {
  for (const one of document.querySelectorAll('details')) one.open = true;
  const found = await axe.run(document, {runOnly: only, resultTypes: ['violations']});
  const why = node => (node.any[0] || node.all[0] || node.none[0]).message.slice(0, 160);
  return found.violations.flatMap(
    rule => rule.nodes.map(node => `${rule.id}: ${node.html.slice(0, 160)} ${why(node)}`));
}"""

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here"),
    pytest.mark.xdist_group("browser"),
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(900),
]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def axe() -> AsyncIterator[str]:
    install(HERE)
    yield (HERE / "node_modules" / "axe-core" / "axe.min.js").read_text()


async def violations(visit: Visit, axe: str) -> list[str]:
    """What is wrong with the page that is open, at each size and by day and night, with all that folds unfolded."""
    await visit.page.evaluate(axe)
    found = []
    for size, (width, height) in SIZES.items():
        await visit.page.set_viewport_size({"width": width, "height": height})
        for night in NIGHTS:
            await visit.page.emulate_media(color_scheme="dark" if night == "dark" else "light")
            only = OF_COLOURS if night == "dark" else RULES
            found += [f"{size}, {night}: {one}" for one in await visit.page.evaluate(RUN, only)]
    return found


async def walk(visit: Visit, axe: str, paths: list[str]) -> dict[str, list[str]]:
    """By address, what is wrong there."""
    found = {}
    for path in paths:
        await visit.page.goto(f"{visit.studio.home}{path}")
        if wrong := await violations(visit, axe):
            found[path] = wrong
    return found


async def test_shows_home_2_no_page_of_a_busy_house_violates_wcag(chromium: Browser, house: Lively, axe: str) -> None:
    visit = await window(chromium, house.ada, house)

    assert await walk(visit, axe, list(every_page(house))) == {}


async def test_shows_home_2_no_page_of_an_empty_house_violates_wcag(chromium: Browser, house: Lively, axe: str) -> None:
    visit = await window(chromium, house.nobody, house)

    assert await walk(visit, axe, bare_pages()) == {}


async def test_shows_home_2_nor_does_the_door(chromium: Browser, house: Lively, axe: str) -> None:
    visit = await window(chromium, None, house)

    assert await walk(visit, axe, ["/login", "/", "/@attic"]) == {}


async def test_what_is_wrong_with_a_page_is_found(chromium: Browser, house: Lively, axe: str) -> None:
    visit = await window(chromium, None, house)
    await visit.page.goto(f"{house.attic.home}/login")
    await visit.page.evaluate("document.querySelector('label').remove()")
    await visit.page.evaluate("document.querySelector('h1').style.color = 'rgb(200 200 200)'")

    found = await violations(visit, axe)

    assert {one.partition(": ")[2].partition(":")[0] for one in found} == {"label", "color-contrast"}
