"""Words as they are compared and searched: without case, accents and whatever else writers do differently."""

from __future__ import annotations

import re
import unicodedata

MAX_WORD = 60  # characters

_WORD = re.compile(r"[^\W_]+")


def fold(text: str) -> str:
    """`text` without case and accents, in one form for what Unicode can write in several."""
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", text.casefold())
    return unicodedata.normalize("NFKC", "".join(one for one in apart if not unicodedata.combining(one))).casefold()


def split(text: str) -> list[str]:
    """The words of `text`, folded: runs of letters and digits, in whatever script, as far as they are compared."""
    return [word[:MAX_WORD] for word in _WORD.findall(fold(text))]


def singular(word: str) -> str:
    """A folded `word` without the ending of most English plurals; it is enough that both sides lose the same."""
    if len(word) < 4 or word[-1] != "s" or not word.isascii() or word.endswith(("ss", "us", "is")):
        return word
    return f"{word[:-3]}y" if word.endswith("ies") and len(word) > 4 else word[:-1]
