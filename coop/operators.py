"""Who runs this server: whoever set it up. On a page it is they alone who decide what concerns all who live here.

At a command line it is whoever has the machine, since nobody could keep them from anything.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from coop import accounts
from coop.errors import NotAllowed


def runs_it(db: Session, account: int) -> bool:
    """If whoever set it up has left, it is the one who came next."""
    return accounts.first(db).id == account


def check(db: Session, account: int) -> None:
    """Raise `NotAllowed` for all others."""
    first = accounts.first(db)
    if first.id != account:
        raise NotAllowed(
            "that is for @%(handle)s, who runs this server: ask them; nothing was done", handle=first.handle
        )
