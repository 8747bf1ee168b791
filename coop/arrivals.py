"""Whoever looks at a page now wants to know when there is something new: told to all, for they look for themselves."""

from __future__ import annotations

from coop.events import Edited, Erased, Event, Grown, Notice, Shown, listens
from federation.store import Transaction

ARRIVALS = "arrivals"  # the topic


@listens(Shown)
@listens(Edited)
@listens(Erased)
@listens(Notice)
@listens(Grown)
def ring(tx: Transaction, event: Event) -> None:
    tx.wakes(ARRIVALS)
