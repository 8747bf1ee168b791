"""What one said on Mastodon comes along in the browser, while one looks on."""

from __future__ import annotations

import os
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.boxroom.house import House
from tests.boxroom.mastodon import attached, boost, files, packed, post
from tests.browser.test_inside import Window, ada, browser, pytestmark

__all__ = ["ada", "browser", "pytestmark"]  # fixtures

LARGE = 60 * 2**20  # octets: more than any other form may have, and more than is kept in memory


def test_an_archive_is_sent_looked_through_and_brought_without_a_reload(
    browser: Browser, ada: House, tmp_path: Path
) -> None:
    inside = files([post(1), post(2, attachment=[attached()]), boost(3)]) | {"media_attachments/x": os.urandom(LARGE)}
    file = packed(tmp_path, inside)
    window = Window(browser.new_page(), ada)
    window.page.on("console", lambda one: window.complaints.append(one.text))
    window.page.on("pageerror", lambda error: window.complaints.append(str(error)))
    window.logs_in()
    window.opens("/settings/data")

    window.page.get_by_label("The archive that Mastodon makes").set_input_files(file)
    window.page.get_by_role("button", name="Send it").click()
    window.page.evaluate("window.stayed = true")
    expect(window.page.locator("#archive")).to_contain_text("What comes along: 2 posts, 1 picture. Left out: 1 boost.")
    assert window.page.evaluate("window.stayed")
    window.page.locator("#archive").get_by_role("button", name="Bring it along").click()
    window.page.evaluate("window.stayed = true")
    expect(window.page.locator("#archive")).to_contain_text("Brought along: 2 posts, 1 picture.")

    assert window.page.evaluate("window.stayed")
    assert window.complaints == []
    assert [*(ada.folder / "arrived").iterdir()] == []
    window.opens("/@ada")
    expect(window.page.locator("main")).to_contain_text("Post 2")
