"""Inside the house, in a real browser: two real studios, whose owners log in, say something, answer, and go out."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, CDPSession, Page, expect, sync_playwright

from tests.boxroom.house import PATIENCE, House, free_port
from tests.browser.test_pages import CHROMIUM, CONTRAST, NIGHTS, SIZES, WIDE

PASSWORD = "one lamp, two windows"
expect.set_options(timeout=1_000 * PATIENCE)

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here"),
    pytest.mark.xdist_group("browser"),
]


@dataclass
class Window:
    """What somebody has before them, and what the browser had to complain of."""

    page: Page
    house: House
    complaints: list[str] = field(default_factory=list)

    def opens(self, path: str) -> None:
        self.page.goto(f"{self.house.url}{path}")

    def logs_in(self) -> None:
        """With the keyboard alone."""
        self.opens("/login")
        expect(self.page.locator("#name")).to_be_focused()  # which is some time after the page is there
        self.page.keyboard.type(self.house.handle)
        self.page.keyboard.press("Tab")
        self.page.keyboard.type(PASSWORD)
        self.page.keyboard.press("Enter")
        expect(self.page.get_by_role("link", name="Today")).to_have_attribute("aria-current", "page")

    def says(self, words: str) -> None:
        self.page.get_by_label("Say something").fill(words)
        self.page.get_by_role("button", name="Say it").click()

    def waits_to_see(self, path: str, words: str) -> None:
        """Look at a page until it has those words."""
        end = time.monotonic() + PATIENCE
        self.opens(path)
        while not self.page.get_by_text(words).count():
            assert time.monotonic() < end, (path, words)
            time.sleep(0.3)
            self.opens(path)

    def fits(self, picture: Path) -> None:
        """With all that can be unfolded, nothing of the page is beyond its edge or hard to read; keep a picture."""
        for summary in self.page.locator("main summary").all():
            summary.click()
        self.page.screenshot(path=picture, full_page=True)
        assert self.page.evaluate(WIDE) == [], picture.name
        assert self.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), picture.name
        assert self.page.evaluate(CONTRAST) == [], picture.name
        assert self.page.locator("h1").count() == 1, picture.name

    def goes_out(self) -> None:
        self.page.locator(".who-am-i > summary").click()
        self.page.get_by_role("button", name="Log out").click()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield found
        found.close()


class Apart(House):
    """One whose commands are processes of their own, since the browser's loop runs in this one."""

    def does(self, *arguments: str) -> str:
        command = [sys.executable, "-m", "boxroom", *arguments]
        done = subprocess.run(command, env={**os.environ, **self.environment}, capture_output=True, text=True)
        assert done.returncode == 0, (arguments, done.stdout, done.stderr)
        return done.stdout.strip()


def house_of(handle: str, name: str, folder: Path) -> House:
    """At localhost, which browsers trust as if it were encrypted."""
    folder.mkdir()
    secret = folder / "password"
    secret.write_text(PASSWORD)
    house = Apart(folder / "data", f"http://localhost:{free_port()}", handle)
    house.does("init", "--url", house.url, "--handle", handle, "--name", name, "--password-file", str(secret))
    return house


@pytest.fixture
def ada(tmp_path: Path) -> Iterator[House]:
    house = house_of("ada", "Ada in the attic", tmp_path / "ada")
    with house.open():
        yield house


@pytest.fixture
def bo(tmp_path: Path) -> Iterator[House]:
    house = house_of("bo", "Bo above the shop", tmp_path / "bo")
    with house.open():
        yield house


def window(browser: Browser, house: House, size: str = "desk", night: str = "light") -> Window:
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if night == "dark" else "light",
        reduced_motion="reduce",
    )
    found = Window(context.new_page(), house)
    found.page.on("console", lambda message: found.complaints.append(message.text))
    found.page.on("pageerror", lambda error: found.complaints.append(str(error)))
    return found


def authenticator(page: Page) -> CDPSession:
    """A device with a key in it and a finger on it."""
    session = page.context.new_cdp_session(page)
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    session.send("WebAuthn.enable")
    given = {**options, "isUserVerified": True, "automaticPresenceSimulation": True}
    session.send("WebAuthn.addVirtualAuthenticator", {"options": given})
    return session


def test_two_who_live_in_two_houses_talk(browser: Browser, ada: House, bo: House) -> None:
    bo.does("follow", ada.address)
    ada.waits_for("followers", until=bo.address)
    attic, shop = window(browser, ada), window(browser, bo)
    attic.logs_in()
    shop.logs_in()

    attic.says("Who has a *ladder*?")
    shop.waits_to_see("/today", "ladder")
    shop.page.get_by_role("link", name="Answer").first.click()
    shop.page.get_by_label("Answer", exact=True).fill("I have, it is long.")
    shop.page.get_by_role("button", name="Answer").click()
    attic.waits_to_see("/today", "answered you")
    attic.waits_to_see("/notifications", "I have, it is long.")
    attic.page.get_by_role("link", name="I have, it is long.").click()
    attic.page.locator(".this").get_by_role("button", name="Like").click()

    expect(attic.page.get_by_role("button", name="Liked")).to_have_attribute("aria-pressed", "true")
    shop.waits_to_see("/notifications", "likes what you said")
    assert (attic.complaints, shop.complaints) == ([], [])


def test_a_passkey_opens_the_door(browser: Browser, ada: House) -> None:
    attic = window(browser, ada)
    authenticator(attic.page)
    attic.logs_in()

    attic.opens("/settings/logins")
    attic.page.get_by_label("What this device is to be called").fill("The old laptop")
    attic.page.get_by_role("button", name="Add a passkey").click()
    expect(attic.page.get_by_text("The passkey is added")).to_be_visible()
    attic.goes_out()
    attic.opens("/login?next=/notifications")
    attic.page.get_by_role("button", name="Log in with a passkey").click()

    expect(attic.page.get_by_role("heading", name="News")).to_be_visible()
    assert attic.complaints == []


def test_who_has_no_device_with_a_key_is_told_and_has_the_password(browser: Browser, ada: House) -> None:
    attic = window(browser, ada)
    session = authenticator(attic.page)
    attic.opens("/login")
    session.send("WebAuthn.disable")

    attic.logs_in()

    assert attic.complaints == []


@pytest.mark.parametrize("night", NIGHTS)
@pytest.mark.parametrize("size", SIZES)
def test_every_page_inside_fits_and_can_be_read(
    browser: Browser, ada: House, tmp_path: Path, size: str, night: str
) -> None:
    long = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
    url = ada.does("post", f"# A heading\n\n{long} https://a.example/{long}")
    ada.does("edit", url, f"# A heading, mended\n\n{long} https://a.example/{long}")
    ada.does("post", "By the page", "--warning", "Money")
    attic = window(browser, ada, size, night)
    attic.opens("/login")
    attic.page.get_by_text("I have lost my password").click()
    pages = {
        "login": "",
        "today": "/today",
        "news": "/notifications",
        "settings": "/settings",
        "read": f"/read?of={url}",
        "change": f"/change?of={url}",
        "engine": "/engine",
        "out": "/moderation",
        "words": "/moderation/words",
        "servers": "/moderation/servers",
        "reports": "/moderation/reports",
        "logins": "/settings/logins",
        "privacy": "/settings/privacy",
        "looks": "/settings/appearance",
        "language": "/settings/language",
        "data": "/settings/data",
    }

    for name, path in pages.items():
        if name == "today":
            attic.logs_in()
        if path:
            attic.opens(path)
        attic.fits(tmp_path / f"{name}-{size}-{night}.png")
    assert attic.complaints == []


def test_everything_inside_works_without_any_script(browser: Browser, ada: House) -> None:
    context = browser.new_context(java_script_enabled=False)
    attic = Window(context.new_page(), ada)
    attic.logs_in()

    attic.says("No script was run for this")

    expect(attic.page.get_by_text("No script was run for this")).to_be_visible()
    attic.goes_out()
    attic.opens("/today")
    expect(attic.page.get_by_role("heading", name="Come in")).to_be_visible()
