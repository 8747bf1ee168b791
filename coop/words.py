"""Words as they are compared and searched: without case, accents and whatever else writers do differently."""

from __future__ import annotations

import re
import unicodedata

_WORD = re.compile(r"[^\W_]+")


def fold(text: str) -> str:
    """`text` without case and accents, in one form for what Unicode can write in several."""
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", text.casefold())
    return unicodedata.normalize("NFKC", "".join(one for one in apart if not unicodedata.combining(one))).casefold()


def split(text: str) -> list[str]:
    """The words of `text`, folded: runs of letters and digits, in whatever script."""
    return _WORD.findall(fold(text))
