"""Sentences that know what is named in them, so that a page can say them in another language."""

from __future__ import annotations

import copy
import json
import pickle
from datetime import date

import pytest

from activitypub.errors import Malformed
from activitypub.sentence import Sentence, Telling, together

BACKWARDS = {"%(name)s has %(number)s maps": "%(number)s Karten hat %(name)s", "Nobody knows.": "Niemand weiß es."}


def say(words: str) -> str:
    return BACKWARDS.get(words, words)


def test_it_is_itself_in_english() -> None:
    said = Sentence("%(name)s has %(number)s maps since %(day)s", name="Ada", number=24_000, day=date(2026, 3, 2))

    assert said == "Ada has 24,000 maps since 2 March 2026"
    assert json.dumps([said]) == '["Ada has 24,000 maps since 2 March 2026"]'


def test_it_can_be_said_otherwise_with_its_parts_where_they_belong() -> None:
    said = Sentence("%(name)s has %(number)s maps", name="Ada", number=3)

    assert said.told(say, str) == "3 Karten hat Ada"


def test_words_without_parts_are_taken_as_they_are() -> None:
    assert Sentence("100% of it") == "100% of it"
    assert Sentence("100% of it").told(say, str) == "100% of it"


def test_what_is_named_in_it_is_never_read_as_a_place_for_something() -> None:
    said = Sentence("%(name)s has %(number)s maps", name="%(number)s %s %", number=3)

    assert said == "%(number)s %s % has 3 maps"
    assert said.told(say, str) == "3 Karten hat %(number)s %s %"


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])  # noqa: S301
def test_a_copy_can_be_said_otherwise_too(copied: object) -> None:
    said = Sentence("%(name)s has %(number)s maps", name="100%", number=3)

    assert callable(copied)
    assert copied(said).told(say, str) == "3 Karten hat 100%"


def test_several_are_said_one_after_another() -> None:
    both = together(Sentence("%(name)s has %(number)s maps", name="Ada", number=3), Sentence("Nobody knows."))

    def write(part: object) -> str:
        return part.told(say, write) if isinstance(part, Sentence) else str(part)

    assert both == "Ada has 3 maps Nobody knows."
    assert both.told(say, write) == "3 Karten hat Ada Niemand weiß es."


def test_an_error_tells_one_and_keeps_its_parts() -> None:
    error = Malformed("%(name)s has %(number)s maps", name="Ada", number=3)

    assert str(error) == "Ada has 3 maps"
    assert error.args[0].told(say, str) == "3 Karten hat Ada"
    assert str(Telling("that did not work: %(why)s", why=error)) == "that did not work: Ada has 3 maps"
