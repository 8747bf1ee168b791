"""What commands print: lines and tables for people, one JSON document for scripts, nothing that moves the cursor."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click
import msgspec

if TYPE_CHECKING:
    from rich.console import Console

_UNPRINTABLE = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}
_JOINERS = "\u200c\u200d"  # parts of words and of emoji
WIDE = 500  # columns, where nobody has a screen: scripts want whole addresses


def clean(text: str) -> str:
    """`text` without what a terminal would obey or a reader not see: others wrote it. Line breaks become spaces."""
    kept = (one for one in text if one in _JOINERS or one.isspace() or unicodedata.category(one) not in _UNPRINTABLE)
    return " ".join("".join(kept).split())


def say(text: str, indent: int = 0) -> None:
    """A line for whoever asked, person or script."""
    click.echo(f"{' ' * indent}{clean(text)}")


def whisper(text: str) -> None:
    """A line for a person only: it is not what a script reads."""
    click.echo(clean(text), err=True)


def print_document(value: Any) -> None:
    """One JSON document; times in RFC 3339."""
    click.echo(msgspec.json.format(msgspec.json.encode(value, enc_hook=_encoded), indent=2).decode())


def _encoded(value: object) -> str:
    """A `Sentence` is a string to everybody but to msgspec."""
    if isinstance(value, str):
        return str(value)
    raise NotImplementedError(f"{type(value)} cannot be printed")


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], empty: str) -> None:
    """A table for people; `empty` says what would be in it."""
    lines = [[clean(_cell(value)) for value in row] for row in rows]
    if not lines:
        whisper(empty)
        return
    screen = console()
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for line in lines:
        table.add_row(*(Text(cell) for cell in line))
    screen.print(table)


def console() -> Console:
    """Where tables and colours go; where there is no terminal, plain lines as wide as they need be."""
    for unwanted in ("rich", "pygments"):
        if unwanted in sys.modules and sys.modules[unwanted] is None:
            del sys.modules[unwanted]
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else WIDE)


def _cell(value: object) -> str:
    if isinstance(value, datetime):
        return f"{value.astimezone():%Y-%m-%d %H:%M}"
    return "" if value is None else str(value)
