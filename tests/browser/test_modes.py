"""Pages as some need them: with more contrast, in colours that are not ours, without motion, on paper."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser

from tests.browser.conftest import window
from tests.browser.test_pages import CHROMIUM, CONTRAST, NIGHTS, Visit
from tests.web.lively import Lively

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here"),
    pytest.mark.xdist_group("browser"),
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(600),
]

MORE_CONTRAST = CONTRAST.replace("? 3 : 4.5", "? 4.5 : 7")  # WCAG 2.2, 1.4.6
PAPER = "() => getComputedStyle(document.documentElement).backgroundColor"
EDGES = "all => all.map(one => getComputedStyle(one).borderBottomColor)"
MOVES = """() => [...document.querySelectorAll('*')].flatMap(e => { const style = getComputedStyle(e);
  return [style.transitionDuration, style.animationDuration].flatMap(one => one.split(', ').map(parseFloat)); })"""


def some(house: Lively) -> list[str]:
    """Pages with something of everything."""
    return [
        "/today",
        "/board",
        f"/offer?is={house.has['offer']}",
        "/@attic",
        f"/endorsements/{house.has['seal']}",
        "/style",
    ]


async def opened(visit: Visit, path: str) -> None:
    await visit.page.goto(f"{visit.studio.home}{path}")
    await visit.page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")


@pytest.mark.parametrize("night", NIGHTS)
async def test_who_asks_for_more_contrast_gets_it(chromium: Browser, house: Lively, night: str) -> None:
    assert MORE_CONTRAST != CONTRAST
    visit = await window(chromium, house.ada, house)
    await visit.page.emulate_media(color_scheme="dark" if night == "dark" else "light", contrast="more")

    for path in some(house):
        await opened(visit, path)
        assert await visit.page.evaluate(MORE_CONTRAST) == [], path


async def test_where_one_is_can_be_seen_in_whatever_colours(chromium: Browser, house: Lively) -> None:
    visit = await window(chromium, house.ada, house)
    await visit.page.emulate_media(forced_colors="active")
    await opened(visit, "/today")

    for nav in (".places", ".filters"):
        here = await visit.page.locator(f"{nav} [aria-current]").evaluate_all(EDGES)
        others = await visit.page.locator(f"{nav} a:not([aria-current])").evaluate_all(EDGES)
        assert len(here) == 1
        assert here[0] not in others


@pytest.mark.parametrize(("wish", "longest"), [("reduce", 0.0), ("no-preference", 0.2)])
async def test_nothing_moves_for_long_and_nothing_at_all_for_those_who_would_rather_not(
    chromium: Browser, house: Lively, wish: str, longest: float
) -> None:
    visit = await window(chromium, house.ada, house)
    await visit.page.emulate_media(reduced_motion="reduce" if wish == "reduce" else "no-preference")

    for path in ("/board", "/@attic"):
        await opened(visit, path)
        assert max(await visit.page.evaluate(MOVES)) <= longest, path
    assert wish == "reduce" or max(await visit.page.evaluate(MOVES)) > 0


async def test_on_paper_the_ink_is_dark_whatever_the_hour_and_nothing_is_there_to_be_clicked(
    chromium: Browser, house: Lively
) -> None:
    visit = await window(chromium, house.ada, house)
    await visit.page.emulate_media(color_scheme="dark", media="print")

    for path in some(house)[2:5]:
        await opened(visit, path)
        assert await visit.page.evaluate(PAPER) == "rgb(255, 255, 255)"
        assert await visit.page.evaluate(CONTRAST) == [], path
        assert await visit.page.locator(".bar:visible, .foot:visible, form:visible").count() == 0, path
    assert await visit.page.get_by_role("heading", name="The back of the seal").is_visible()
    assert await visit.page.get_by_text("ed25519-key").last.is_visible()
