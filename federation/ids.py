"""Names for new rows: 64-bit numbers in the order of time, and their short form for addresses."""

from __future__ import annotations

import secrets
import threading
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(2025, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_OLD = 1 << 22  # milliseconds, somewhat more than an hour: into so much is pressed what was before that year
_PRESSED = 18  # bits: so decades have room in it
_CHANCE = 22  # bits below the milliseconds: a random start, counted up within one millisecond
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32, which nobody misreads

_lock = threading.Lock()
_last: dict[int, int] = {}  # by moment, the least recent first: ids of one alternate with those of others, long past
_REMEMBERED = 1024  # moments


def new(now: datetime) -> int:
    """A row id of that moment, later than this process's last of the same millisecond.

    But for a chance of one in millions it is nobody else's. What was before 2025 is in order, too, and comes first.
    """
    moment = first(now)
    with _lock:
        last = _last.pop(moment, None)
        found = _last[moment] = moment | secrets.randbits(_CHANCE - 1) if last is None else last + 1
        if len(_last) > _REMEMBERED:
            del _last[next(iter(_last))]
    return found


def first(moment: datetime) -> int:
    """Where the row ids of a moment begin: none that is `new` then, or later, is less."""
    since = (moment - _EPOCH) // _MILLISECOND
    return max(since if since >= _OLD else _OLD + (since - _OLD >> _PRESSED), 0) << _CHANCE


def slug(row_id: int) -> str:
    """The row id as it stands in a URI: thirteen characters, in the same order."""
    return "".join(_ALPHABET[row_id >> shift & 31] for shift in range(60, -1, -5))


def from_slug(text: str) -> int | None:
    """The row id of a `slug`; ``None`` for any other text."""
    value = 0
    for letter in text:
        digit = _ALPHABET.find(letter)
        if digit < 0:
            return None
        value = value << 5 | digit
    return value if len(text) == 13 and value < 1 << 63 else None
