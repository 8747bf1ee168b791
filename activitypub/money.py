"""Money as the wire names it: exact decimals, and currencies by their Wikidata URIs (P-220)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from activitypub.errors import Malformed

_QUANTITY = re.compile(r"\d{1,12}(\.\d{1,6})?", re.ASCII)
_ITEM = re.compile(r"(?:https?://www\.wikidata\.org/(?:wiki|entity)/|wd:)(Q\d+)", re.ASCII)

_ITEMS: Final = {
    "AED": "Q200294",
    "AUD": "Q259502",
    "BRL": "Q173117",
    "CAD": "Q1104069",
    "CHF": "Q25344",
    "CNY": "Q39099",
    "CZK": "Q131016",
    "DKK": "Q25417",
    "EUR": "Q4916",
    "GBP": "Q25224",
    "HKD": "Q31015",
    "HUF": "Q47190",
    "IDR": "Q41588",
    "INR": "Q80524",
    "ISK": "Q131473",
    "JPY": "Q8146",
    "KRW": "Q202040",
    "MXN": "Q4730",
    "MYR": "Q163712",
    "NOK": "Q132643",
    "NZD": "Q1472704",
    "PHP": "Q17193",
    "PLN": "Q123213",
    "RON": "Q131645",
    "SEK": "Q122922",
    "SGD": "Q190951",
    "THB": "Q177882",
    "TRY": "Q172872",
    "USD": "Q4917",
    "ZAR": "Q181907",
}
_CODES: Final = {item: code for code, item in _ITEMS.items()}
CURRENCIES: Final = frozenset(_ITEMS)  # ISO 4217, those that the wire has a name for


@dataclass(frozen=True, slots=True)
class Money:
    """An amount as people write it (``Decimal("1200.50")``, in major units) in an ISO 4217 currency."""

    amount: Decimal
    currency: str

    def __str__(self) -> str:
        return f"{self.amount:,f} {self.currency}"


def read_currency(uri: str | None) -> str | None:
    """The ISO 4217 code of a currency's URI; ``None`` for one that is not in our table."""
    item = _ITEM.fullmatch(uri or "")
    return _CODES.get(item[1]) if item else None


def write_currency(code: str) -> str:
    """Raise `Malformed` for a currency that the wire has no name for."""
    if code not in _ITEMS:
        raise Malformed(f"{code[:20]} is not a currency that can be sent; these are: {', '.join(sorted(_ITEMS))}")
    return f"https://www.wikidata.org/wiki/{_ITEMS[code]}"


def read_quantity(said: Any) -> Decimal | None:
    """A decimal string or number, bare or as JSON-LD's typed value, which Fedify writes; ``None`` if absent.

    Raise `Malformed` for anything else (P-222).
    """
    if said is None:
        return None
    value = said.get("@value") if isinstance(said, dict) else said
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    text = str(value) if is_number else value
    if not isinstance(text, str) or not _QUANTITY.fullmatch(text):
        raise Malformed("a quantity is a decimal with at most 12 digits, and 6 after the point")
    return Decimal(text)


def write_quantity(value: Decimal) -> str:
    """Raise `Malformed` if it could not be read again: negative, too large or too fine."""
    text = f"{value:f}"
    read_quantity(text)
    return text
