"""Lists in CSV as Mastodon has them, read and written: whom somebody follows or blocks, which servers are blocked.

The law: such a file is a stranger's word until it is read, so it is bounded; and nobody is asked for anything twice.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from activitypub import html
from activitypub.sentence import Sentence
from coop.blocks import Block
from coop.errors import Trouble
from coop.follows import Follow
from federation.tables import Actor, BlockedDomain

Kind = Literal["follows", "blocks", "servers"]

MAX_SIZE = 8 * 1024 * 1024  # octets of a list; nobody follows as many
MAX_NAMES = 20_000
MAX_REASON = 300  # characters

# How Mastodon calls its files, for those that do not say in their first line what they are.
_FILES: dict[str, Kind] = {"follow": "follows", "domain": "servers", "block": "blocks"}
_COLUMNS: dict[str, Kind] = {"show boosts": "follows", "#domain": "servers", "#severity": "servers"}
_FORMS = {
    "people": (re.compile(r"[^@\s/]+@[^@\s/]+"), Sentence("an address, like ada@attic.example")),
    "servers": (re.compile(r"[^@\s/]+\.[^@\s/]+"), Sentence("the name of a server, like spam.example")),
}
_QUIETER = frozenset({"silence", "noop", "none"})
_TITLES = frozenset({"account address", "#domain", "domain"})


@dataclass(frozen=True, slots=True)
class Luggage:
    """The names of people, as ``ada@attic.example``, or of whole servers, each once, in the order of the file.

    Servers that somebody only made quieter are left out: here one takes part or does not.
    """

    kind: Kind
    names: tuple[str, ...]
    reasons: Mapping[str, str] = field(default_factory=dict)  # why a server is blocked, where the list says so


def read(file: Path, kind: Kind | None = None) -> Luggage:
    """As `parse`; of a file that is too large, nothing is read."""
    if file.stat().st_size > MAX_SIZE:
        raise Trouble(
            "%(name)s is larger than any such list: at most %(most)s MiB are read",
            name=file.name,
            most=MAX_SIZE // 2**20,
        )
    return parse(file.name, file.read_bytes(), kind)


def parse(name: str, data: bytes, kind: Kind | None = None) -> Luggage:
    """What is in a file, which is of that `kind` if it does not say itself. Raise `Trouble` if it is no such list."""
    try:
        rows = [row for row in csv.reader(data.decode("utf-8-sig").splitlines()) if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise Trouble("%(name)s is not a list in CSV, as Mastodon exports it", name=name) from error
    titles = [cell.strip().lower() for row in rows[:1] for cell in row]
    found = kind or _kind_of(name, titles)
    if found is None:
        raise Trouble("%(name)s does not say what it lists: name it with --list follows, blocks or servers", name=name)
    listed = dict(_names(rows, titles))
    if len(listed) > MAX_NAMES:
        raise Trouble("%(name)s lists more than %(most)s names; divide it", name=name, most=MAX_NAMES)
    form, wanted = _FORMS["servers" if found == "servers" else "people"]
    if odd := next((one for one in listed if not form.fullmatch(one)), None):
        raise Trouble("%(odd)s in %(name)s is not %(wanted)s", odd=repr(odd[:100]), name=name, wanted=wanted)
    reasons = {one: reason for one, reason in listed.items() if reason} if found == "servers" else {}
    return Luggage(found, tuple(listed), reasons)


def _kind_of(file: str, titles: Sequence[str]) -> Kind | None:
    """By the titles of its columns, else by its name."""
    by_title = next((_COLUMNS[title] for title in titles if title in _COLUMNS), None)
    return by_title or next((kind for part, kind in _FILES.items() if part in file.lower()), None)


def _names(rows: Sequence[Sequence[str]], titles: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each name, and what else is said of it."""
    for row in rows:
        name, said = row[0].strip().lstrip("@").lower(), dict(zip(titles, row, strict=False))
        if name and name not in _TITLES and said.get("#severity", "").strip().lower() not in _QUIETER:
            yield name, html.single_line(said.get("#public_comment", ""), MAX_REASON)


# --- Writing -----------------------------------------------------------------------------------------------------


def follows(db: Session, account: str) -> str:
    """Whom an account follows, by the names that every server knows them by."""
    rows = db.scalars(_addresses(Follow.followed).where(Follow.follower == account, Follow.state == "accepted"))
    return _written(["Account address", "Show boosts"], [(one, "true") for one in rows])


def blocks(db: Session, account: str) -> str:
    rows = db.scalars(_addresses(Block.blocked).where(Block.by == account))
    return _written(None, [(one,) for one in rows])


def servers(db: Session) -> str:
    """Those that are blocked here, with the columns that Mastodon's list has."""
    rows = db.execute(select(BlockedDomain.host, BlockedDomain.reason).order_by(BlockedDomain.host)).all()
    titles = ["#domain", "#severity", "#reject_media", "#reject_reports", "#public_comment", "#obfuscate"]
    return _written(titles, [(host, "suspend", "true", "true", reason, "false") for host, reason in rows])


def _addresses(whom: Any) -> Select[str | None]:
    table = whom.class_
    found = select(Actor.address).join(table, whom == Actor.uri).where(Actor.address.is_not(None))
    return found.order_by(table.id)


def _written(titles: Sequence[str] | None, rows: Sequence[Sequence[str | None]]) -> str:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([*([titles] if titles else []), *rows])
    return out.getvalue()
