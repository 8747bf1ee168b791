"""Projects in a real browser: two who live in two houses come together, talk, and promise each other something."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.boxroom.house import House
from tests.browser.test_inside import ada, bo, browser, window
from tests.browser.test_pages import CHROMIUM, NIGHTS, SIZES

__all__ = ["ada", "bo", "browser"]  # fixtures

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here"),
    pytest.mark.xdist_group("browser"),
]


def founds(page: Page, name: str) -> str:
    """Start a project, in the window of somebody who is logged in; its address there."""
    page.get_by_role("link", name="Projects").first.click()
    page.get_by_role("link", name="Start a project").click()
    page.get_by_label("What it is called").fill(name)
    page.get_by_label("What it is about").fill("200 pages by *spring*.")
    page.get_by_role("button", name="Start it").click()
    expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()
    return page.url


def test_two_who_live_in_two_houses_work_together(browser: Browser, ada: House, bo: House) -> None:
    attic, shop = window(browser, ada), window(browser, bo)
    attic.logs_in()
    shop.logs_in()

    room = founds(attic.page, "The catalogue").removeprefix(ada.url)
    attic.page.get_by_role("navigation", name="In this project").get_by_role("link", name="People").click()
    attic.page.get_by_label("Their address, on any server").fill(bo.address)
    attic.page.get_by_role("button", name="Send the invitation").click()
    shop.waits_to_see("/projects", "The catalogue")
    shop.page.get_by_role("link", name="The catalogue").click()
    shop.page.get_by_role("button", name="Come in").click()
    shop.says("I am in.")
    attic.waits_to_see(room, "I am in.")
    attic.page.get_by_role("link", name="Promises").first.click()
    attic.page.get_by_role("link", name="Promise something").click()
    attic.page.get_by_label("What is to be done").fill("Read the proofs")
    attic.page.get_by_role("button", name="Propose it").click()
    shop.waits_to_see("/promises", "Read the proofs")
    shop.page.get_by_role("button", name="Accept it").click()

    expect(shop.page.get_by_text("Open", exact=True)).to_be_visible()
    attic.waits_to_see("/promises?show=mine", "Read the proofs")
    assert (attic.complaints, shop.complaints) == ([], [])


@pytest.mark.parametrize("night", NIGHTS)
@pytest.mark.parametrize("size", SIZES)
def test_every_page_of_a_project_fits_and_can_be_read(
    browser: Browser, ada: House, tmp_path: Path, size: str, night: str
) -> None:
    attic = window(browser, ada, size, night)
    attic.logs_in()
    room = founds(attic.page, "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbau").removeprefix(ada.url)
    pages = {
        "projects": "/projects",
        "new": "/projects/new",
        "talk": room,
        "people": f"{room}&show=people",
        "settings": f"{room}&show=settings",
        "agreements": "/agreements",
        "promises": "/promises",
        "promise": "/promises/new",
    }

    for name, path in pages.items():
        attic.opens(path)
        attic.fits(tmp_path / f"{name}-{size}-{night}.png")
    assert attic.complaints == []
