"""Whether this machine's clock is right, as far as other servers can tell (P-056)."""

from __future__ import annotations

from datetime import timedelta

from activitypub.sentence import Sentence, together

TOLERABLE = timedelta(seconds=60)  # above this the operator is warned
REFUSED = timedelta(seconds=300)  # above this Misskey refuses what we send


def complaint(error: timedelta | None) -> str | None:
    """What to tell the operator about a clock that is `error` ahead of the others'; ``None`` if all is well."""
    if error is None or abs(error) <= TOLERABLE:
        return None
    seconds, todo = round(abs(error).total_seconds()), Sentence("Turn on NTP.")
    if error > timedelta():
        said = Sentence("the clock is %(number)s seconds ahead of other servers'.", number=seconds)
    else:
        said = Sentence("the clock is %(number)s seconds behind other servers'.", number=seconds)
    if abs(error) > REFUSED:
        return together(said, Sentence("Some servers refuse what we send."), todo)
    return together(said, todo)
