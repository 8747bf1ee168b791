"""The whole story, with the keyboard alone: two strangers move in, meet, agree, vouch and work together.

Whatever one of them does is on the page that the other has open, without a reload.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, expect

from tests.boxroom.house import House, free_port
from tests.boxroom.test_first_serving import link_of
from tests.browser.evening import founds, makes_a_key, settles_in
from tests.browser.hands import Keyboard
from tests.browser.test_inside import PASSWORD, Apart, Window, authenticator, browser, window
from tests.browser.test_pages import CHROMIUM, SIZES

__all__ = ["browser"]  # a fixture

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here"),
    pytest.mark.xdist_group("browser"),
    pytest.mark.timeout(900),
]


class Studio(Keyboard):
    """One of the two: a program on this machine, a window on it, and somebody at the keyboard."""

    def __init__(self, browser: Browser, house: House, size: str) -> None:
        self.house = house
        self.window: Window = window(browser, house, size)
        super().__init__(self.window.page)

    def opens(self, *places: str) -> None:
        """Go there by the links of the page; the window stays as it is from then on."""
        for place in places:
            self.presses(place)
        self.page.evaluate("window.stayed = true")

    def sees(self, words: str, where: str = "main") -> None:
        """It comes by itself."""
        expect(self.page.locator(where).get_by_text(words).first).to_be_visible()
        assert self.page.evaluate("window.stayed"), "the page was loaded anew"


@pytest.fixture
def moves_in(browser: Browser, tmp_path: Path) -> Iterator[Callable[..., Studio]]:
    """How somebody gets a studio: with a program that was just started, and its link."""
    with ExitStack() as running:

        def move_in(handle: str, name: str, size: str, way: str) -> Studio:
            house = Apart(tmp_path / handle, f"http://localhost:{free_port()}", handle)
            server = running.enter_context(house.starts("serve", "--port", house.port))
            one = Studio(browser, house, size)
            authenticator(one.page)
            one.page.goto(link_of(server, house))
            founds(one, name, handle, way)
            return one

        yield move_in


@pytest.mark.parametrize("size", SIZES)
def test_shows_home_1_two_studios_from_the_first_run_to_a_project(
    moves_in: Callable[..., Studio], tmp_path: Path, size: str
) -> None:
    bo = moves_in("bo", "Bo Lindqvist", size, "password")
    settles_in(bo, "Typesetting", "Catalogues, set by hand")
    bo.opens("News")
    ada = moves_in("ada", "Ada Verne", size, "passkey")
    makes_a_key(ada)
    settles_in(ada, "Maps", "Maps, drawn by hand", knows=bo.house.address)

    they_follow_each_other(ada, bo)
    they_say_something(ada, bo, tmp_path)
    they_agree_on_an_offer(ada, bo)
    one_vouches_for_the_other(ada, bo)
    one_invites_the_other(ada, bo)
    they_go_out_and_come_back(ada, bo)

    assert (ada.window.complaints, bo.window.complaints) == ([], [])


def they_follow_each_other(ada: Studio, bo: Studio) -> None:
    bo.sees("Ada Verne follows you")
    ada.opens("News")
    bo.presses("Ada Verne")
    bo.presses("Follow")
    ada.sees("Bo Lindqvist follows you")


def they_say_something(ada: Studio, bo: Studio, folder: Path) -> None:
    Image.new("RGB", (60, 40), "teal").save(folder / "kiln.png")
    ada.opens("Today")
    bo.opens("Today")
    bo.types("Say something", "The kiln is *hot*.")
    bo.unfolds("Pictures and files")
    bo.adds("Up to 40 MB each", folder / "kiln.png")
    expect(bo.page.locator("#beside img")).to_be_visible()
    bo.types("What is to be seen", "A kiln, teal")
    bo.presses("Say it")
    ada.sees("The kiln is hot.")
    expect(ada.page.get_by_role("img", name="A kiln, teal")).to_be_visible()


def they_agree_on_an_offer(ada: Studio, bo: Studio) -> None:
    bo.opens("Board")
    ada.opens("Board", "Offer work")
    ada.types("In a few words", "An atlas of the canal")
    ada.types("What it is about", "Nine sheets, by spring.")
    ada.presses("Put it on the board")
    ada.page.evaluate("window.stayed = true")
    bo.sees("An atlas of the canal")
    bo.opens("An atlas of the canal")
    bo.types("What you say to Ada Verne", "I would set the type.")
    bo.presses("Send it")
    bo.page.evaluate("window.stayed = true")
    ada.sees("I would set the type.")
    ada.presses("Agree")
    bo.sees("Agreed")


def one_vouches_for_the_other(ada: Studio, bo: Studio) -> None:
    ada.unfolds("Ada Verne")
    ada.opens("Endorsements")
    bo.opens("People", "Ada Verne", "Vouch for them")
    bo.types("Skills", "Cartography")
    bo.types("What you have seen of it", "Nine sheets, and every lock where it is.")
    bo.presses("Sign and give it")
    bo.page.evaluate("window.stayed = true")
    ada.sees("every lock where it is")
    ada.presses("Show it on your page")


def one_invites_the_other(ada: Studio, bo: Studio) -> None:
    bo.opens("Projects")
    ada.opens("Projects", "Start a project")
    ada.types("What it is called", "The canal atlas")
    ada.presses("Start it")
    ada.opens("People", "Bo Lindqvist", "Invite them into a project")
    ada.presses("Send the invitation")
    ada.opens("Projects", "The canal atlas")
    bo.sees("The canal atlas")
    bo.opens("The canal atlas")
    bo.presses("Come in")
    bo.page.evaluate("window.stayed = true")
    ada.sees("Bo Lindqvist", where="#about")
    ada.types("Say something", "The first sheet is here on Monday.")
    ada.presses("Say it")
    bo.sees("The first sheet is here on Monday.")


def they_go_out_and_come_back(ada: Studio, bo: Studio) -> None:
    for one, name in ((ada, "Ada Verne"), (bo, "Bo Lindqvist")):
        one.unfolds(name)
        one.presses("Log out")
        one.page.goto(f"{one.house.url}/login")
    ada.presses("Log in with a passkey")
    bo.types("Name", "bo")
    bo.types("Password", PASSWORD)
    bo.leads_away("Enter")
    ada.is_at("Today")
    bo.is_at("Today")
