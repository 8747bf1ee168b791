"""Sentences for people, said in English, that a page may say in the language of whoever reads it.

What a sentence is about, a name, a number, a day, stays beside it: ``Sentence("nobody called %(name)s is here",
name=…)`` is that sentence in English, as the command line prints it, and knows how to be said otherwise. The words are
written where it is made, so that those who translate find them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date


class Sentence(str):
    """`words` with `parts` put in: numbers and days in English, too, and of an error what it says."""

    __slots__ = ("parts", "words")

    words: str
    parts: dict[str, object]

    def __new__(cls, words: str, /, **parts: object) -> Sentence:
        said = words % {name: in_english(part) for name, part in parts.items()} if parts else words
        made = super().__new__(cls, said)
        made.words, made.parts = words, parts
        return made

    def told(self, say: Callable[[str], str], write: Callable[[object], str]) -> str:
        """The same with its words as `say` has them, and each part as `write` does."""
        words = say(self.words)
        return words % {name: write(part) for name, part in self.parts.items()} if self.parts else words


class Telling(Exception):
    """An error that tells a person what is wrong: `words` with `parts` put in, as in a `Sentence`."""

    def __init__(self, words: str, /, **parts: object) -> None:
        super().__init__(Sentence(words, **parts) if parts else words)


def in_english(part: object) -> str:
    match part:
        case int():
            return f"{part:,}"
        case float():
            return f"{part:,g}"
        case date():
            return f"{part.day} {part:%B %Y}"
    return str(part)


def together(*some: str, between: str = " ") -> Sentence:
    """Several sentences, one after another."""
    parts = {f"part{number}": one for number, one in enumerate(some)}
    return Sentence(between.join(f"%({name})s" for name in parts), **parts)
