"""Through the house with the keyboard alone, with scripts and without: nothing needs a mouse, and nothing a script."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.boxroom.house import House
from tests.browser.hands import Keyboard
from tests.browser.test_inside import PASSWORD, Window, ada, bo, browser
from tests.browser.test_pages import CHROMIUM

__all__ = ["ada", "bo", "browser"]  # fixtures

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here"),
    pytest.mark.xdist_group("browser"),
    pytest.mark.timeout(600),
]


def visitor(browser: Browser, house: House, scripts: bool) -> Window:
    context = browser.new_context(java_script_enabled=scripts, viewport={"width": 1440, "height": 900})
    return Window(context.new_page(), house)


@pytest.mark.parametrize("scripts", [True, False])
def test_somebody_works_a_morning_without_a_mouse(browser: Browser, ada: House, bo: House, scripts: bool) -> None:
    attic = visitor(browser, ada, scripts)
    attic.logs_in()
    hands = Keyboard(attic.page)

    hands.types("Say something", "Who has a ladder?")
    hands.presses("Say it")
    expect(attic.page.get_by_text("Who has a ladder?")).to_be_visible()
    hands.presses("People")
    hands.types("Find somebody", f"@{bo.address}")
    hands.presses("Find")
    expect(attic.page.get_by_role("heading", name="Bo above the shop")).to_be_visible()
    hands.presses("Follow")
    ada.waits_for("following", until='"state": "accepted"')
    hands.presses("Board")
    hands.presses("Offer work")
    hands.types("In a few words", "Maps, drawn by hand")
    hands.types("What it is about", "Nine sheets.")
    hands.presses("Put it on the board")
    expect(attic.page.get_by_role("heading", name="Maps, drawn by hand")).to_be_visible()
    hands.unfolds("Take it down")
    hands.presses("Take it down")
    expect(attic.page.get_by_text("Withdrawn")).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False])
def test_somebody_changes_their_password_and_goes_out_without_a_mouse(
    browser: Browser, ada: House, scripts: bool
) -> None:
    attic = visitor(browser, ada, scripts)
    attic.logs_in()
    hands = Keyboard(attic.page)

    hands.unfolds("Ada in the attic")
    hands.presses("Settings")
    hands.presses("Logging in")
    hands.types("The old one", PASSWORD)
    hands.types("A new one", "three lamps, one window")
    hands.presses("Change it")
    expect(attic.page.get_by_text("Your password is another one now")).to_be_visible()
    hands.unfolds("Ada in the attic")
    hands.presses("Log out")
    attic.opens("/today")

    expect(attic.page.get_by_role("heading", name="Come in")).to_be_visible()
