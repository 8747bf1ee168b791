"""What people bring along from Mastodon besides their archive: whom they follow and whom they block, as it lists them.

The law: such a file is a stranger's word until it is read, so it is bounded; and nobody is asked for anything twice.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from coop.errors import Trouble

Kind = Literal["follows", "blocks", "servers"]

MAX_SIZE = 8 * 1024 * 1024  # octets of a list; nobody follows as many
MAX_NAMES = 20_000

# How Mastodon calls its files, for those that do not say in their first line what they are.
_FILES: dict[str, Kind] = {"follow": "follows", "domain": "servers", "block": "blocks"}
_COLUMNS: dict[str, Kind] = {"show boosts": "follows", "#domain": "servers", "#severity": "servers"}
_FORMS = {
    "people": (re.compile(r"[^@\s/]+@[^@\s/]+"), "an address, like ada@attic.example"),
    "servers": (re.compile(r"[^@\s/]+\.[^@\s/]+"), "the name of a server, like spam.example"),
}
_TITLES = frozenset({"account address", "#domain", "domain"})


@dataclass(frozen=True, slots=True)
class Luggage:
    """The names of people, as ``ada@attic.example``, or of whole servers, each once, in the order of the file."""

    kind: Kind
    names: tuple[str, ...]


def read(file: Path, kind: Kind | None = None) -> Luggage:
    """What is in `file`, which is of that `kind` if it does not say itself. Raise `Trouble` if it is no such list."""
    if file.stat().st_size > MAX_SIZE:
        raise Trouble(f"{file.name} is larger than any such list: at most {MAX_SIZE // 2**20} MiB are read")
    try:
        rows = [row for row in csv.reader(file.read_text("utf-8-sig").splitlines()) if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise Trouble(f"{file.name} is not a list in CSV, as Mastodon exports it") from error
    found = kind or _kind_of(file, rows[:1])
    if found is None:
        raise Trouble(f"{file.name} does not say what it lists: name it with --list follows, blocks or servers")
    names = tuple(dict.fromkeys(_names(row[0] for row in rows)))
    if len(names) > MAX_NAMES:
        raise Trouble(f"{file.name} lists more than {MAX_NAMES:,} names; divide it")
    form, wanted = _FORMS["servers" if found == "servers" else "people"]
    if odd := next((one for one in names if not form.fullmatch(one)), None):
        raise Trouble(f"{odd[:100]!r} in {file.name} is not {wanted}")
    return Luggage(found, names)


def _kind_of(file: Path, first: list[list[str]]) -> Kind | None:
    """By the titles of its columns, else by its name."""
    titles = [cell.strip().lower() for row in first for cell in row]
    by_title = next((_COLUMNS[title] for title in titles if title in _COLUMNS), None)
    return by_title or next((kind for part, kind in _FILES.items() if part in file.name.lower()), None)


def _names(cells: Iterable[str]) -> Iterator[str]:
    for cell in cells:
        name = cell.strip().lstrip("@")
        if name and name.lower() not in _TITLES:
            yield name.lower()
