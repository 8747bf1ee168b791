"""Light or dark, a colour, a language: chosen by account, kept, and always to be read."""

from __future__ import annotations

import re
from importlib.resources import files
from math import cos, radians, sin

import pytest

from coop import looks
from coop.accounts import Account
from tests.fediverse import Fediverse
from tests.web.inhabitants import at_home
from tests.web.test_engine import somebody_else
from tests.web.visitors import BROWSER, ask
from web.pages.looks import HUES

AA = 4.5  # contrast of text (WCAG 2.2, 1.4.3)
_TOKEN = re.compile(
    r"--(paper|sheet|tint|accent-depth): (?:oklch\()?([\d.]+) ([\d.]+)(?: (?:calc\(var\(--hue\) \+ )?([\d.]+))?"
)


def luminance(lightness: float, chroma: float, degrees: float) -> float:
    """Of a colour in OKLCH, as sRGB shows it (CSS Color 4, with what is out of gamut clipped)."""
    a, b = chroma * cos(radians(degrees)), chroma * sin(radians(degrees))
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    red = 4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short
    green = -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short
    blue = -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short
    light = [min(max(one, 0.0), 1.0) for one in (red, green, blue)]
    return 0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2]


def contrast(one: float, other: float) -> float:
    high, low = max(one, other), min(one, other)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("sheet", ["boxroom.css", "night.css"])
def test_every_colour_that_a_studio_can_choose_can_be_read_by_day_and_by_night(sheet: str) -> None:
    found = {one[1]: one for one in _TOKEN.finditer((files("web") / "static" / sheet).read_text())}
    assert set(found) == {"paper", "sheet", "tint", "accent-depth"}

    for degrees in looks.HUES:
        accent = luminance(float(found["accent-depth"][2]), float(found["accent-depth"][3]), degrees)
        for name in ("paper", "sheet"):
            token = found[name]
            assert contrast(accent, luminance(float(token[2]), float(token[3]), float(token[4]))) >= AA, (degrees, name)
        tint = luminance(float(found["tint"][2]), float(found["tint"][3]), degrees + float(found["tint"][4] or 0))
        assert contrast(accent, tint) >= AA, degrees


def test_each_colour_has_a_name_and_a_sample() -> None:
    inside = (files("web") / "static" / "inside.css").read_text()

    assert tuple(HUES) == looks.HUES
    assert all(f".hue-{one} {{ --hue: {one};" in inside for one in looks.HUES)


async def test_day_or_night_goes_along_with_the_account(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    ada = await at_home(attic)

    first = (await ada.sees("/today")).text
    await ada.sends("/settings/appearance", "/settings/theme", theme="dark")
    dark = (await (await at_home(attic)).sees("/today")).text
    await ada.sends("/settings/appearance", "/settings/theme", theme="light")
    light = (await ada.sees("/today")).text
    await ada.sends("/settings/appearance", "/settings/theme", theme="")
    odd = await ada.sends("/settings/appearance", "/settings/theme", theme="mauve")

    assert 'media="screen and (prefers-color-scheme: dark)"' in first
    assert "night.css" in dark
    assert 'media="screen and (prefers-color-scheme: dark)"' not in dark
    assert 'content="dark"' in dark
    assert "night.css" not in light
    assert odd.status_code == 400
    assert [one.theme for one in await attic.knows(Account)] == [None]


async def test_the_studio_has_one_colour_on_all_its_pages(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    ada = await at_home(attic)

    plain = await ask(attic, "/hue.css", BROWSER)
    await ada.sends("/settings/appearance", "/settings/hue", hue="218")
    sheet = await ask(attic, "/hue.css", BROWSER)
    odd = [await ada.sends("/settings/appearance", "/settings/hue", hue=one) for one in ("219", "x", "²", "-1")]

    assert plain.text == ""
    assert sheet.text == ":root { --hue: 218; }\n"
    assert sheet.headers["content-type"].startswith("text/css")
    assert 'href="/hue.css"' in (await ask(attic, "/@attic", BROWSER)).text
    assert 'href="/hue.css?218"' in (await ada.sees("/today")).text
    assert [one.status_code for one in odd] == [400] * 4
    assert [one.hue for one in await attic.knows(Account)] == [218]


async def test_only_whoever_runs_the_studio_chooses_its_colour(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    bo = await somebody_else(attic)
    page = await bo.sees("/settings/appearance")

    token = re.search(r'name="token" value="(\w+)"', page.text)
    assert token is not None
    answer = await bo.client.post("/settings/hue", data={"token": token[1], "hue": "218"}, headers=BROWSER)

    assert "/settings/hue" not in page.text
    assert answer.status_code == 403
    assert [one.hue for one in await attic.knows(Account)] == [None, None]


async def test_a_language_is_chosen_and_given_up(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    ada = await at_home(attic)

    await ada.sends("/settings/language", "/settings/language", language="en")
    chosen = [one.language for one in await attic.knows(Account)]
    await ada.sends("/settings/language", "/settings/language", language="")
    odd = await ada.sends("/settings/language", "/settings/language", language="tlh")

    assert chosen == ["en"]
    assert [one.language for one in await attic.knows(Account)] == [None]
    assert odd.status_code == 400
