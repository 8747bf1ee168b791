"""Pages that stay open: what arrives is there without a reload, what is typed stays, and hands stay on the keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, expect

from tests.boxroom.house import PATIENCE, House
from tests.browser.test_inside import Window, browser, house_of, window
from tests.browser.test_pages import CHROMIUM

__all__ = ("browser",)

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here"),
    pytest.mark.xdist_group("browser"),
]

SOON = PATIENCE * 1_000  # milliseconds
REMEMBERED = "Object.keys(localStorage).filter((one) => one.startsWith('draft')).length"


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, House]]:
    """Two who follow each other."""
    folder = tmp_path_factory.mktemp("houses")
    one = house_of("ada", "Ada in the attic", folder / "ada")
    other = house_of("bo", "Bo above the shop", folder / "bo")
    with one.open(), other.open():
        one.does("follow", other.address)
        other.does("follow", one.address)
        other.waits_for("followers", until=one.address)
        one.waits_for("followers", until=other.address)
        yield one, other


@pytest.fixture
def ada(pair: tuple[House, House]) -> House:
    return pair[0]


@pytest.fixture
def bo(pair: tuple[House, House]) -> House:
    return pair[1]


def in_the_attic(browser: Browser, house: House) -> Window:
    attic = window(browser, house)
    attic.logs_in()
    attic.page.wait_for_load_state()
    return attic


def test_what_others_say_is_there_without_a_reload(browser: Browser, ada: House, bo: House) -> None:
    ada.does("post", "Good morning")
    attic = in_the_attic(browser, ada)
    attic.page.get_by_label("Say something").fill("I am in the midst of")
    attic.page.evaluate("window.stayed = true")

    bo.does("post", "The kiln is hot")

    expect(attic.page.get_by_text("The kiln is hot")).to_be_visible(timeout=SOON)
    expect(attic.page.get_by_text("New since you were last here")).to_be_visible()
    assert attic.page.evaluate("window.stayed")
    assert attic.page.get_by_label("Say something").input_value() == "I am in the midst of"
    assert attic.complaints == []


def test_an_answer_is_there_without_a_reload_and_is_counted(browser: Browser, ada: House, bo: House) -> None:
    post = ada.does("post", "Who has a ladder?")
    bo.waits_for("feed", until="ladder")
    attic = in_the_attic(browser, ada)
    attic.opens(f"/read?of={post}")

    bo.does("post", "I have, it is long", "--reply-to", post)

    expect(attic.page.get_by_text("I have, it is long")).to_be_visible(timeout=SOON)
    expect(attic.page.locator("#places").get_by_text("new")).to_be_attached()
    assert attic.complaints == []


def test_what_was_typed_survives_a_closed_tab_and_is_forgotten_once_it_is_said(browser: Browser, ada: House) -> None:
    attic = in_the_attic(browser, ada)
    attic.page.get_by_label("Say something").fill("Half a sentence")
    again = Window(attic.page.context.new_page(), ada)
    attic.page.close()

    again.opens("/today")
    expect(again.page.get_by_label("Say something")).to_have_value("Half a sentence")
    again.says("A whole sentence")

    expect(again.page.get_by_text("A whole sentence")).to_be_visible()
    assert again.page.get_by_label("Say something").input_value() == ""
    assert again.page.evaluate(REMEMBERED) == 0


def test_a_picture_is_uploaded_and_asked_about(browser: Browser, ada: House, tmp_path: Path) -> None:
    Image.new("RGB", (60, 40), "teal").save(tmp_path / "pot.png")
    attic = in_the_attic(browser, ada)
    attic.page.get_by_text("Pictures and files").click()
    attic.page.locator("[name=upload]").set_input_files(tmp_path / "pot.png")
    expect(attic.page.locator("#beside img")).to_be_visible()

    attic.says("A new glaze")
    expect(attic.page.get_by_role("alert")).to_contain_text("Say what is to be seen")
    attic.page.get_by_label("What is to be seen").fill("A pot, teal")
    attic.page.get_by_role("button", name="Say it").click()

    shown = attic.page.get_by_role("img", name="A pot, teal")
    expect(shown).to_be_visible()
    assert shown.evaluate("(one) => one.naturalWidth") == 60
    assert attic.complaints == []


def test_what_is_no_picture_is_refused_in_words_and_nothing_typed_is_lost(
    browser: Browser, ada: House, tmp_path: Path
) -> None:
    (tmp_path / "cut.png").write_bytes(b"\x89PNG\r\n\x1a\n cut short")
    attic = in_the_attic(browser, ada)
    attic.page.get_by_label("Say something").fill("Look at this")
    attic.page.get_by_text("Pictures and files").click()
    attic.page.locator("[name=upload]").set_input_files(tmp_path / "cut.png")

    expect(attic.page.get_by_role("alert")).to_contain_text("cut.png")
    assert attic.page.get_by_label("Say something").input_value() == "Look at this"


def test_names_are_completed_and_words_shown_before_they_are_said(browser: Browser, ada: House, bo: House) -> None:
    attic = in_the_attic(browser, ada)
    area = attic.page.get_by_label("Say something")
    area.click()

    attic.page.keyboard.type("**Thanks** to @b")
    attic.page.get_by_role("option", name="Bo above the shop").wait_for()
    attic.page.keyboard.press("Enter")
    expect(area).to_have_value(f"**Thanks** to @{bo.address} ")
    attic.page.get_by_role("button", name="Preview").click()

    expect(attic.page.locator("#preview strong")).to_have_text("Thanks")
    assert area.input_value() == f"**Thanks** to @{bo.address} "
    assert attic.complaints == []


def test_what_one_said_is_changed_as_it_was_typed_and_a_draft_stays_one(browser: Browser, ada: House) -> None:
    attic = in_the_attic(browser, ada)
    attic.says("The kiln is *hott*")
    line = attic.page.locator(".line", has_text="The kiln is hott")
    line.get_by_role("link", name="Answer").click()
    attic.page.get_by_label("Answer", exact=True).fill("Half an answer")
    attic.page.locator(".this").get_by_role("link", name="Change").click()
    box = attic.page.get_by_label("What it says")
    expect(box).to_have_value("The kiln is *hott*")

    box.fill("The kiln is *hot*")
    attic.page.get_by_role("button", name="Change it").click()

    expect(attic.page.locator(".this em")).to_have_text("hot")
    attic.page.get_by_text("What it said before").click()
    expect(attic.page.locator("#before em")).to_have_text("hott")
    expect(attic.page.get_by_label("Answer", exact=True)).to_have_value("Half an answer")
    assert attic.complaints == []


def test_everything_is_done_with_hands_on_the_keyboard(browser: Browser, ada: House) -> None:
    for words in ("First", "Second"):
        ada.does("post", words)
    attic = in_the_attic(browser, ada)
    keys = attic.page.keyboard

    keys.press("j")
    keys.press("j")
    keys.press("l")

    first = attic.page.locator(".line", has_text="First")
    expect(first.get_by_role("button", name="Liked")).to_be_visible()
    second = attic.page.locator(".line", has_text="Second")
    expect(second.get_by_role("button", name="Like", exact=True)).to_be_visible()
    keys.press("r")
    expect(attic.page.get_by_label("Answer", exact=True)).to_be_visible()
    keys.press("n")
    keys.type("To myself: j, k and ? are letters here")
    keys.press("Tab")
    attic.page.get_by_role("button", name="Answer").press("Enter")
    expect(attic.page.get_by_text("j, k and ? are letters here")).to_be_visible()
    keys.press("?")
    expect(attic.page.get_by_role("dialog", name="Keys")).to_be_visible()
    keys.press("Escape")
    expect(attic.page.get_by_role("dialog", name="Keys")).to_be_hidden()
    keys.press("g")
    keys.press("n")
    expect(attic.page.get_by_role("heading", name="News")).to_be_visible()
    assert attic.complaints == []
