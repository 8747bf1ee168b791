"""The first evening, in a real browser: from the link that the program prints to a desk with a post on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.boxroom.house import PATIENCE, House, free_port
from tests.boxroom.test_first_serving import link_of
from tests.browser.evening import founds, makes_a_key, settles_in
from tests.browser.hands import Keyboard
from tests.browser.test_inside import Apart, Window, authenticator, browser, house_of, window
from tests.browser.test_pages import CHROMIUM, CONTRAST, NIGHTS, SIZES, WIDE

__all__ = ["browser"]  # a fixture
NOBODY = "403"  # what the console says of a link that is not good any more
REFUSED = "422"  # and of a form that comes back

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here"),
    pytest.mark.xdist_group("browser"),
]


@pytest.fixture
def ground(tmp_path: Path) -> House:
    """Where there is no studio yet."""
    return Apart(tmp_path / "data", f"http://localhost:{free_port()}")


@pytest.fixture
def bo(tmp_path: Path) -> Iterator[House]:
    house = house_of("bo", "Bo above the shop", tmp_path / "bo")
    with house.open():
        yield house


def test_a_studio_is_founded_with_a_passkey_by_keyboard_on_a_phone_and_talks(
    browser: Browser, ground: House, bo: House
) -> None:
    bo.does("post", "The shop is open")
    phone = window(browser, ground, "phone")
    ada = Keyboard(phone.page)
    authenticator(phone.page)

    with ground.starts("serve", "--port", ground.port) as server:
        phone.page.goto(link_of(server, ground))
        founds(ada, "Ada Verne", "ada")
        makes_a_key(ada)
        settles_in(ada, "Maps", "Maps, drawn by hand", knows=bo.address)
        phone.waits_to_see("/today", "The shop is open")
        bo.waits_for("followers", until=ground.address)
        phone.opens("/today")
        phone.says("The lamp is lit")
        expect(phone.page.get_by_text("The lamp is lit")).to_be_visible()

        phone.goes_out()
        phone.opens("/login")
        phone.page.get_by_role("button", name="Log in with a passkey").click()
        expect(phone.page.get_by_text("The lamp is lit")).to_be_visible()
    assert phone.complaints == []


@pytest.mark.parametrize("night", NIGHTS)
@pytest.mark.parametrize("size", SIZES)
def test_every_page_of_the_first_run_fits_and_can_be_read_without_any_script(
    browser: Browser, ground: House, tmp_path: Path, size: str, night: str
) -> None:
    width, height = SIZES[size]
    given = {"viewport": {"width": width, "height": height}, "color_scheme": night, "java_script_enabled": False}
    attic = Window(browser.new_context(**given).new_page(), ground)  # type: ignore[arg-type]
    page = attic.page
    page.on("console", lambda message: attic.complaints.append(message.text))

    def is_at(heading: str) -> None:
        expect(page.get_by_role("heading", level=1)).to_have_text(heading, timeout=PATIENCE * 1000)
        page.screenshot(path=tmp_path / f"{heading[:8]}-{size}-{night}.png", full_page=True)
        assert page.evaluate(WIDE) == [], heading
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), heading
        assert page.evaluate(CONTRAST) == [], heading

    with ground.starts("serve", "--port", ground.port) as server:
        link = link_of(server, ground)
        page.goto(link.partition("?")[0])
        is_at("Nobody lives here yet")
        page.goto(link)
        page.get_by_label("Name", exact=True).fill("Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbau")
        page.get_by_label("Short name").fill("ada.")
        page.get_by_role("button", name="Go on").click()
        is_at("Whose studio is this?")
        page.get_by_label("Short name").fill("a" * 30)
        page.get_by_role("button", name="Go on").click()
        page.get_by_label("The address", exact=True).fill(f"{'studio-' * 8}x.nowhere.invalid")
        page.get_by_role("button", name="See whether").click()
        expect(page.get_by_text("nevertheless")).to_be_visible(timeout=PATIENCE * 1000)
        is_at("The address, for ever")
        page.get_by_role("button", name="Go on with it nevertheless").click()
        is_at("How you come in")
        page.get_by_label("With a password").check()
        page.get_by_label("10 characters or more").fill("one lamp, two windows")
        page.get_by_role("button", name="Go on").click()
        is_at("Your sheet")
        page.get_by_label("I have it on paper").check()
        page.get_by_role("button", name="Found the studio").click()
        is_at("The studio stands")
    expected = {NOBODY, REFUSED}
    assert [one for one in attic.complaints if not any(status in one for status in expected)] == []
