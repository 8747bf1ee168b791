"""Names and hashtags that somebody has begun to type."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from activitypub.errors import ProtocolError
from activitypub.note import Note
from coop import feed, follows
from federation.tables import Actor, Object

MANY = 8  # suggestions
RECENT = 200  # posts in which hashtags are looked for
LONGEST = 100  # characters of a beginning


def people(db: Session, account: str, begun: str) -> Sequence[Actor]:
    """Those whose handle or address begins so: whom `account` follows first, then whoever follows them."""
    begun = begun.lower().lstrip("@")[:LONGEST]
    if not begun:
        return ()
    begins = or_(Actor.address.startswith(begun, autoescape=True), Actor.handle.istartswith(begun, autoescape=True))
    found: dict[str, Actor] = {}
    for crowd in (follows.following(account), follows.followers(account)):
        query = select(Actor).where(Actor.uri.in_(crowd), Actor.address.is_not(None), begins)
        for one in db.scalars(query.order_by(Actor.address).limit(MANY)):
            found.setdefault(one.uri, one)
    return [*found.values()][:MANY]


def hashtags(db: Session, account: int, begun: str) -> list[str]:
    """Those that begin so in what `account` had to read lately, the most used first."""
    begun = begun.lower().lstrip("#")[:LONGEST]
    used: Counter[str] = Counter()
    written: dict[str, str] = {}
    for _, row in db.execute(feed.home(account).limit(RECENT)):
        for name in _hashtags(row):
            if name.lower().startswith(begun):
                used[name.lower()] += 1
                written.setdefault(name.lower(), name)
    return [written[name] for name, _ in used.most_common(MANY)]


def _hashtags(row: Object) -> tuple[str, ...]:
    try:
        return Note.read(row.said).hashtags
    except ProtocolError:
        return ()
