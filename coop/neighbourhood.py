"""The map of one's co-op: who is near one of us, and who of them follows, vouches for and works with whom.

The law is that of `paths`: on it is who is near by what those say whom one chose, so a crowd that follows or praises
us, or itself, comes onto nobody's map. What it tells is what its reader may know, and nobody else's business.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from coop import paths
from coop.follows import Follow
from coop.paths import Step

PEOPLE = 60
STEPS = 2  # from the one who looks


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """`people` are those around `me`, best known first; `steps` are what all of them say of each other."""

    me: str
    people: tuple[str, ...]
    steps: tuple[Step, ...]


def around(db: Session, me: str, now: datetime) -> Neighbourhood:
    """Whoever is near `me`: those whom one knows oneself first, then those whom they know."""
    near = [*paths.reach(db, me, now, STEPS)][:PEOPLE]
    steps = paths.between(db, me, [me, *near], now)
    told = {step.by for step in steps if step.to == me and step.follows}
    theirs = select(Follow.follower).where(Follow.followed == me, Follow.state == "accepted", Follow.follower.in_(near))
    follow = [Step(one, me, follows=True) for one in db.scalars(theirs.order_by(Follow.id)) if one not in told]
    return Neighbourhood(me, tuple(near), (*steps, *follow))
