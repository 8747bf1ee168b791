"""Words that somebody would rather miss: found where they stand as words, whatever is around them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from coop import filters
from coop.errors import Conflict, NotFound, Trouble
from coop.filters import Filter, stands_in
from tests.coop.neighbours import lives_at
from tests.fediverse import Fediverse


@pytest.mark.parametrize(
    ("words", "text", "is_there"),
    [
        ("ink", "Ink, and paper", True),
        ("ink", "we think", False),
        ("Straße", "in der STRASSE", True),
        ("moon landing", "the moon landing is on", True),
        ("moon landing", "moon. landing", False),
        ("#ai", "all about #AI!", True),
        ("#ai", "#airplanes", False),
        ("c++", "more c++ than c", True),
        (".*", "anything", False),
        ("(", "a ( b", True),
    ],
)
def test_words_count_where_they_stand_as_words(words: str, text: str, is_there: bool) -> None:
    assert stands_in(words, text.casefold()) is is_there


@given(some.text(min_size=1, max_size=filters.MAX_WORDS), some.text(max_size=200))
def test_any_words_are_looked_for_in_any_text(words: str, text: str) -> None:
    stands_in(words, text.casefold())
    assert stands_in(words, f"\n{words.casefold()}\n")


async def test_each_has_words_of_their_own(fediverse: Fediverse, monkeypatch: pytest.MonkeyPatch) -> None:
    attic = await fediverse.studio("attic")
    bo = await lives_at(attic, "bo")
    monkeypatch.setattr(filters, "MAX_FILTERS", 2)
    for words in ("Spiders", " spiders ", "An \x00election"):
        await attic.does(lambda tx, words=words: filters.add(tx, attic.uri, words))  # type: ignore[misc]

    rows = await attic.knows(Filter)
    assert [one.words for one in rows] == ["Spiders", "An election"]
    with pytest.raises(Conflict, match="2 already"):
        await attic.does(lambda tx: filters.add(tx, attic.uri, "Rain"))
    with pytest.raises(NotFound):
        await attic.does(lambda tx: filters.remove(tx, bo, rows[0].id))
    await attic.does(lambda tx: filters.remove(tx, attic.uri, rows[0].id))
    assert [one.words for one in await attic.knows(Filter)] == ["An election"]


@pytest.mark.parametrize("words", ["", " \n", "\u202e", "x" * (filters.MAX_WORDS + 1)])
async def test_what_are_no_words_is_refused(fediverse: Fediverse, words: str) -> None:
    attic = await fediverse.studio("attic")

    with pytest.raises(Trouble, match="a word or a few"):
        await attic.does(lambda tx: filters.add(tx, attic.uri, words))
