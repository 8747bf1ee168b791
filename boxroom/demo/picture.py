"""The picture that Bo posts: a sign for a ferry, drawn on the spot."""

from __future__ import annotations

import io

SHOWS = "A painted wooden sign: a white ferry under a yellow moon on dark blue water, and the words OTTER FERRY."
_NIGHT, _WATER, _MOON, _HULL = "#1d2b4f", "#12607a", "#f4c95d", "#fbf7ee"


def sign() -> bytes:
    """A PNG of 1200 × 800 pixels."""
    from PIL import Image, ImageDraw, ImageFont

    board = Image.new("RGB", (1200, 800), _NIGHT)
    draw = ImageDraw.Draw(board)
    draw.ellipse((860, 80, 1040, 260), fill=_MOON)
    draw.rectangle((0, 560, 1200, 800), fill=_WATER)
    draw.polygon([(260, 470), (940, 470), (860, 600), (340, 600)], fill=_HULL)
    draw.rectangle((430, 380, 770, 470), fill=_HULL)
    draw.rectangle((560, 290, 620, 380), fill=_MOON)
    draw.text((600, 700), "OTTER FERRY", fill=_HULL, anchor="mm", font=ImageFont.load_default(110))
    out = io.BytesIO()
    board.save(out, "PNG")
    return out.getvalue()
