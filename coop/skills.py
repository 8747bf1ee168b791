"""Skills are free tags: people write what they like. Here it is decided when two tags mean the same.

The law: what is stored is a tag's `key`, which follows from the tag alone. What it means is looked up when somebody
asks, in `skills.toml`; so the list may grow, and nothing that is stored has to be made anew.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec

from activitypub import html
from coop import words

How = Literal["same", "synonym", "identifier"]

MAX_TAG = 100  # characters of a tag that are looked at
LIST = Path(__file__).with_name("skills.toml")

_WIKIDATA = re.compile(r"https?://(?:www\.|m\.)?wikidata\.org/(?:wiki|entity)/(Q\d+)\Z")
_ESCO = re.compile(r"https?://data\.europa\.eu/esco/skill/([0-9a-f-]+)\Z")
_WORD = re.compile(r"[^\W_]+[+#]*")  # C++ and C# are not C
_SILENT = re.compile(r"[.'’]")  # Node.js is NodeJS


def key(tag: str) -> str:
    """The form in which tags are compared: words without case, accents and plural; of an identifier its usual address.

    Of what has no words in it, the tag itself.
    """
    tag = html.single_line(tag, MAX_TAG)
    if "://" in tag:
        return _address(tag)
    said = _WORD.findall(_SILENT.sub("", words.fold(tag)))
    return " ".join(map(words.singular, said))[:MAX_TAG] or tag  # some characters fold to many


def alike(tag: str) -> frozenset[str]:
    """The keys of all tags that mean what `tag` does, its own among them."""
    own = key(tag)
    return _keys().get(own, frozenset((own,)))


def names(tag: str) -> frozenset[str]:
    """In lower case, `tag` and all that the list calls the same."""
    return _names().get(key(tag), frozenset()) | {tag.strip().lower()}


def how(asked: str, found: str) -> How:
    """In what way the key `found` is alike the key `asked`."""
    if asked == found:
        return "same"
    return "identifier" if "://" in asked or "://" in found else "synonym"


def _address(uri: str) -> str:
    if found := _WIKIDATA.match(uri):
        return f"https://www.wikidata.org/wiki/{found[1]}"
    if found := _ESCO.match(uri):
        return f"http://data.europa.eu/esco/skill/{found[1]}"
    return uri


@cache
def _keys() -> dict[str, frozenset[str]]:
    return _grouped(key)


@cache
def _names() -> dict[str, frozenset[str]]:
    return _grouped(str.lower)


def _grouped(written: Callable[[str], str]) -> dict[str, frozenset[str]]:
    """For the key of each tag in the list, all that stand with it, each as it is `written`."""
    found: dict[str, frozenset[str]] = {}
    for name, others in msgspec.toml.decode(LIST.read_bytes(), type=dict[str, list[str]]).items():
        group = (name, *others)
        found |= dict.fromkeys(map(key, group), frozenset(map(written, group)))
    return found
