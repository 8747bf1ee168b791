"""What people type into forms that is more than words: sums and days."""

from __future__ import annotations

from datetime import UTC, datetime, time
from decimal import Decimal, InvalidOperation

from coop.errors import Trouble

MAX_SUM = 15  # characters


def sum_of(typed: str) -> Decimal | None:
    """A sum as people write it, with a comma or a point."""
    try:
        amount = Decimal(typed.replace(",", ".")) if typed and len(typed) <= MAX_SUM else None
    except InvalidOperation:
        amount = Decimal("NaN")
    if (amount is None and typed) or (amount is not None and not (amount.is_finite() and amount >= 0)):
        raise Trouble(f"{typed[:40]!r} is not a sum such as 450 or 450.50")
    return amount


def end_of(day: str) -> datetime | None:
    """The end of a day."""
    try:
        return datetime.combine(datetime.fromisoformat(day).date(), time(23, 59, 59), UTC) if day else None
    except ValueError:
        raise Trouble(f"{day[:40]!r} is not a day such as 2026-12-24") from None
