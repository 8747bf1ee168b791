"""A program of its own, run by `web.previews`: paints the card that stands for a page where somebody shares its link.

The server itself never loads an image library. It imports nothing of ours, so that it starts fast.

In: a line of JSON with name, address and words. Out: a PNG.
"""

from __future__ import annotations

import io
import json
import resource
import sys
from typing import Any

MEMORY = 1 << 29  # octets of address space
SECONDS = 10  # of computing
SIZE = 1200, 630  # as those who show such cards ask for
PAPER, INK, SOFT, LINE, ACCENT = "#fcf9f5", "#2c2620", "#6b6259", "#e2dcd4", "#9a4a1c"
LEFT, WIDE = 90, 1020  # pixels: where words begin, and how far they go


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    sys.stdout.buffer.write(paint(**json.loads(sys.stdin.buffer.read())))


def paint(name: str, address: str, words: str) -> bytes:
    """The card: a window, and beside it what is given, as far as there are letters for it."""
    from PIL import Image, ImageDraw

    card = Image.new("RGB", SIZE, PAPER)
    draw = ImageDraw.Draw(card)
    draw.rectangle((0, 0, SIZE[0], 14), fill=ACCENT)
    _window(draw)
    bottom = 330
    for line in _lines(draw, _readable(name) or _readable(address), 84, 2):
        draw.text((LEFT, bottom), line, INK, _font(84), anchor="ls")
        bottom += 96
    for line in _lines(draw, _readable(words), 38, 1):
        draw.text((LEFT, bottom), line, SOFT, _font(38), anchor="ls")
    draw.line((LEFT, 540, LEFT + WIDE, 540), LINE, 2)
    for line in _lines(draw, _readable(address), 34, 1):
        draw.text((LEFT, 590), line, ACCENT, _font(34), anchor="ls")
    file = io.BytesIO()
    card.save(file, "PNG", optimize=True)
    return file.getvalue()


def _window(draw: Any) -> None:
    left, top, right, bottom = LEFT, 90, LEFT + 110, 200
    draw.rectangle((left, top, right, bottom), "#f6c667", ACCENT, 8)
    draw.line(((left + right) // 2, top, (left + right) // 2, bottom), ACCENT, 8)
    draw.line((left, (top + bottom) // 2, right, (top + bottom) // 2), ACCENT, 8)


def _font(size: int) -> Any:
    from PIL import ImageFont

    return ImageFont.load_default(size)


def _readable(words: str) -> str:
    """What the font that comes along has letters for; nothing, if that would leave out any of it."""
    line = " ".join(words.split())
    return line if all(one < "\u0180" or one in "–—‘’“”…€" for one in line) else ""


def _lines(draw: Any, words: str, size: int, most: int) -> list[str]:
    """`words` as they fit, in up to so many lines; what does not is left out, and that is to be seen."""
    font, lines, left = _font(size), list[str](), words
    while left and len(lines) < most:
        end = len(left)
        while end > 1 and draw.textlength(left[:end], font) > WIDE:
            end = left.rfind(" ", 0, end) if " " in left[:end] else end - 1
        lines.append(left[:end].strip())
        left = left[end:].strip()
    if left and lines:
        lines[-1] = f"{lines[-1][:-1].rstrip()}…"
    return lines


if __name__ == "__main__":
    main()
