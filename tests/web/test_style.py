"""The page of styles shows each component that there is, and colours that can be read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.fediverse import Fediverse
from tests.web.visitors import BROWSER, ask
from web import colours

TEMPLATES = Path(__file__).parent.parent.parent / "web" / "templates"


@pytest.mark.parametrize("file", ["parts", "threads"])
async def test_the_page_of_styles_shows_every_macro(fediverse: Fediverse, file: str) -> None:
    attic = await fediverse.studio("attic")
    macros = re.findall(r"{% macro (\w+)\(", (TEMPLATES / f"{file}.html").read_text())
    used = re.findall(rf"{file}\.(\w+)\(", (TEMPLATES / "style.html").read_text())

    page = await ask(attic, "/style", BROWSER)

    assert page.status_code == 200
    assert {*macros} - {*used} == set()
    assert all(f"<code>{file}.{name}</code>" in page.text for name in macros)
    assert 'content="noindex"' in page.text


def test_every_text_can_be_read_on_every_ground() -> None:
    poor = [one for one in colours.pairs() if min(one.day, one.night) < 4.5]

    assert poor == []


def test_contrast_is_what_wcag_says_it_is() -> None:
    assert colours.contrast("oklch(1 0 0)", "oklch(0 0 0)") == pytest.approx(21, abs=0.01)
    assert colours.contrast("oklch(0.6 0 0)", "oklch(0.6 0 0)") == 1
    assert colours.contrast("oklch(0.6280 0.2577 29.23)", "oklch(1 0 0)") == pytest.approx(4.0, abs=0.05)  # pure red
