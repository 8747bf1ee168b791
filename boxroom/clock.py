"""Whether this machine's clock is right, as far as other servers can tell (P-056)."""

from __future__ import annotations

from datetime import timedelta

TOLERABLE = timedelta(seconds=60)  # above this the operator is warned
REFUSED = timedelta(seconds=300)  # above this Misskey refuses what we send


def complaint(error: timedelta | None) -> str | None:
    """What to tell the operator about a clock that is `error` ahead of the others'; ``None`` if all is well."""
    if error is None or abs(error) <= TOLERABLE:
        return None
    direction = "ahead of" if error > timedelta() else "behind"
    worse = " Some servers refuse what we send." if abs(error) > REFUSED else ""
    return f"the clock is {round(abs(error).total_seconds())} seconds {direction} other servers'.{worse} Turn on NTP."
