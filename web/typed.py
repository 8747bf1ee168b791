"""What people type into forms that is more than words: sums and days."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time
from decimal import Decimal

from coop.errors import Trouble
from web.languages import _

_SUM = re.compile(r"\d{1,12}([.,]\d{1,6})?", re.ASCII)  # as much as goes over the wire


def sum_of(typed: str) -> Decimal | None:
    """A sum as people write it, with a comma or a point."""
    if typed and not _SUM.fullmatch(typed):
        raise Trouble(_("“%(typed)s” is not a sum such as 450 or 450.50") % {"typed": typed[:40]})
    return Decimal(typed.replace(",", ".")) if typed else None


def end_of(day: str) -> datetime | None:
    """The end of a day."""
    try:
        return datetime.combine(datetime.fromisoformat(day).date(), time(23, 59, 59), UTC) if day else None
    except ValueError:
        raise Trouble(_("“%(typed)s” is not a day such as 2026-12-24") % {"typed": day[:40]}) from None
