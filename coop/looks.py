"""How pages look and speak to somebody here: light or dark, their language, and the one colour of the whole studio."""

from __future__ import annotations

from sqlalchemy.orm import Session

from coop import accounts, operators
from coop.accounts import Account
from coop.errors import Trouble
from federation.store import Transaction

THEMES = ("light", "dark")
HUES = tuple(range(8, 360, 30))  # degrees; which shade of each can be read on paper and at night, the style sheet knows
MAX_LANGUAGE = 35  # characters of a language tag (RFC 5646, 4.4.1)


def hue(db: Session) -> int | None:
    """The colour that whoever runs this server chose for all its pages."""
    return accounts.first(db).hue if accounts.count(db) else None


def choose_theme(tx: Transaction, account: int, theme: str | None) -> None:
    """``None`` is as the device has it."""
    if theme is not None and theme not in THEMES:
        raise Trouble("pages are light, dark, or as your device has it")
    tx.db.get_one(Account, account).theme = theme
    tx.db.flush()


def choose_hue(tx: Transaction, account: int, degrees: int | None) -> None:
    """Raise `NotAllowed` for all but whoever runs this server."""
    operators.check(tx.db, account)
    if degrees is not None and degrees not in HUES:
        raise Trouble("choose one of the colours that are offered: each of them can be read")
    tx.db.get_one(Account, account).hue = degrees
    tx.db.flush()


def choose_language(tx: Transaction, account: int, tag: str | None) -> None:
    """``None`` is as the browser asks for it."""
    if tag is not None and not (tag.isascii() and tag.replace("-", "").isalnum() and len(tag) <= MAX_LANGUAGE):
        raise Trouble("choose one of the languages that are offered")
    tx.db.get_one(Account, account).language = tag
    tx.db.flush()
