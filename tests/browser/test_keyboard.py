"""Through the house with the keyboard alone, with scripts and without: nothing needs a mouse, and nothing a script."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.boxroom.house import PATIENCE, House
from tests.browser.test_inside import PASSWORD, Window, ada, bo, browser
from tests.browser.test_pages import CHROMIUM, FOCUSED

__all__ = ["ada", "bo", "browser"]  # fixtures

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here"),
    pytest.mark.xdist_group("browser"),
    pytest.mark.timeout(600),
]

MANY = 120  # things on a page that one may have to pass
NAMED = """() => { const e = document.activeElement; if (e === document.body) return '';
  return (e.labels?.[0] || e).innerText?.trim() || e.getAttribute('aria-label') || e.value || ''; }"""


def visitor(browser: Browser, house: House, scripts: bool) -> Window:
    context = browser.new_context(java_script_enabled=scripts, viewport={"width": 1440, "height": 900})
    return Window(context.new_page(), house)


def goes_to(window: Window, name: str) -> None:
    """Press the tabulator until what has the focus is called that; wherever one comes by can be seen."""
    passed = []
    for _ in range(MANY):
        window.page.keyboard.press("Tab")
        passed.append(window.page.evaluate(NAMED))
        if any(line.startswith(name) for line in passed[-1].splitlines()):
            outlined, where = window.page.evaluate(FOCUSED)
            assert outlined != "none", where
            return
    raise AssertionError((name, passed))


def presses(window: Window, name: str) -> None:
    """What leads to another page."""
    goes_to(window, name)
    with window.page.expect_navigation(timeout=1_000 * PATIENCE):
        window.page.keyboard.press("Enter")


def unfolds(window: Window, name: str) -> None:
    goes_to(window, name)
    window.page.keyboard.press("Enter")


def types(window: Window, name: str, words: str) -> None:
    goes_to(window, name)
    window.page.keyboard.type(words)


@pytest.mark.parametrize("scripts", [True, False])
def test_somebody_works_a_morning_without_a_mouse(browser: Browser, ada: House, bo: House, scripts: bool) -> None:
    attic = visitor(browser, ada, scripts)
    attic.logs_in()

    types(attic, "Say something", "Who has a ladder?")
    presses(attic, "Say it")
    expect(attic.page.get_by_text("Who has a ladder?")).to_be_visible()
    presses(attic, "People")
    types(attic, "Find somebody", f"@{bo.address}")
    presses(attic, "Find")
    expect(attic.page.get_by_role("heading", name="Bo above the shop")).to_be_visible()
    presses(attic, "Follow")
    ada.waits_for("following", until='"state": "accepted"')
    presses(attic, "Board")
    presses(attic, "Offer work")
    types(attic, "In a few words", "Maps, drawn by hand")
    types(attic, "What it is about", "Nine sheets.")
    presses(attic, "Put it on the board")
    expect(attic.page.get_by_role("heading", name="Maps, drawn by hand")).to_be_visible()
    unfolds(attic, "Take it down")
    presses(attic, "Take it down")
    expect(attic.page.get_by_text("Withdrawn")).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False])
def test_somebody_changes_their_password_and_goes_out_without_a_mouse(
    browser: Browser, ada: House, scripts: bool
) -> None:
    attic = visitor(browser, ada, scripts)
    attic.logs_in()

    unfolds(attic, "Ada in the attic")
    presses(attic, "Settings")
    presses(attic, "Logging in")
    types(attic, "The old one", PASSWORD)
    types(attic, "A new one", "three lamps, one window")
    presses(attic, "Change it")
    expect(attic.page.get_by_text("Your password is another one now")).to_be_visible()
    unfolds(attic, "Ada in the attic")
    presses(attic, "Log out")
    attic.opens("/today")

    expect(attic.page.get_by_role("heading", name="Come in")).to_be_visible()
