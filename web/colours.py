"""The colours of the stylesheet, and how well each can be read on another, as WCAG 2 measures it."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

TEXTS = ("ink", "soft", "accent", "good", "bad")
GROUNDS = ("paper", "sheet", "tint")

_ROOT = re.compile(r":root \{(.*?)\n *\}", re.DOTALL)
_TOKEN = re.compile(r"--([\w-]+): ([^;]+);")
_OKLCH = re.compile(r"oklch\(([\d.]+) ([\d.]+) (.+)\)")
_NUMBER = re.compile(r"[+-]? ?[\d.]+")


@dataclass(frozen=True, slots=True)
class Pair:
    """One colour written on another: how many times lighter one is than the other, by day and by night."""

    text: str
    ground: str
    day: float
    night: float


@cache
def pairs() -> tuple[Pair, ...]:
    by_day, by_night = tokens()
    return tuple(
        Pair(text, ground, *(contrast(one[text], one[ground]) for one in (by_day, by_night)))
        for text in TEXTS
        for ground in GROUNDS
    )


def tokens() -> tuple[dict[str, str], dict[str, str]]:
    """What the stylesheets say by day, and by night."""
    by_day, by_night = (_tokens_of(name) for name in ("boxroom.css", "night.css"))
    return by_day, by_day | by_night


def _tokens_of(name: str) -> dict[str, str]:
    css = (files("web") / "static" / name).read_text()
    first = _ROOT.search(css)
    found = dict(_TOKEN.findall(first[1])) if first else {}
    return {name: value.replace("var(--accent-depth)", found["accent-depth"]) for name, value in found.items()}


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    """Of an ``oklch()`` as the stylesheet writes it (CSS Color 4, 10; Ottosson's matrices)."""
    found = _OKLCH.fullmatch(colour)
    assert found is not None, colour  # noqa: S101 - the stylesheet is ours, and a test reads all of it
    lightness, chroma, hue = float(found[1]), float(found[2]), math.radians(_hue(found[3]))
    a, b = chroma * math.cos(hue), chroma * math.sin(hue)
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    red = 4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short
    green = -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short
    blue = -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short
    return sum(
        share * min(max(part, 0), 1) for share, part in zip((0.2126, 0.7152, 0.0722), (red, green, blue), strict=True)
    )


def _hue(written: str) -> float:
    """Degrees: a number, or the studio's own hue and so many more."""
    own = tokens()[0]["hue"]
    parts = _NUMBER.findall(written.replace("var(--hue)", own))
    return sum(float(part.replace(" ", "")) for part in parts)
