"""Putting right what two servers think of who follows whom, when they do not agree any more (FEP-8fcf, P-170).

The law: the server of whoever is followed decides who follows them, and we decide who of us wants to. So a following
that it does not list ends here, and one that it lists and nobody here knows of is taken back there.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from activitypub.collection import Walk
from activitypub.errors import Malformed, ProtocolError
from activitypub.synchronization import Announcement, digest_of
from coop import follows
from coop.accounts import Account
from coop.follows import Follow
from federation import discovery
from federation.client import Gone, Unreachable
from federation.instance import Instance
from federation.registry import errand
from federation.store import Transaction
from federation.tables import Actor

EVERY = timedelta(minutes=1)
AT_ONCE = 20  # whose word is looked at in one round
AGAIN = timedelta(hours=1)  # after which the same server is asked again about the same actor, whatever it says

log = structlog.get_logger()


@errand(EVERY)
async def compare(here: Instance) -> None:
    """Look at what senders said of their followers here, and ask those who think otherwise than we do."""
    for _ in range(min(len(here.announced), AT_ONCE)):
        actor, said = here.announced.popitem()
        asked = here.compared.get(actor)
        if (asked and here.now() < asked + AGAIN) or not await here.store.read(
            lambda db, actor=actor, said=said: _differs(db, actor, said)  # type: ignore[misc]
        ):
            continue
        here.compared[actor] = here.now()
        try:
            await _put_right(here, actor, said)
        except (ProtocolError, Unreachable, Gone) as error:
            log.info("followers.not_compared", actor=actor, reason=str(error))


def _differs(db: Session, actor: str, said: Announcement) -> bool:
    """Whether they are not the ones that we think; nothing differs if they are no followers of that actor."""
    is_theirs = db.scalar(select(Actor.id).where(Actor.uri == actor, Actor.followers == said.collection, ~Actor.local))
    return is_theirs is not None and digest_of(follows.followers_here(db, actor)) != said.digest


async def _put_right(here: Instance, actor: str, said: Announcement) -> None:
    """Raise as `Instance.document` does, and `Malformed` if the list is not the one that the digest was made of.

    It may have grown meanwhile, or be longer than we read; then nobody is taken for missing from it.
    """
    walk, within = Walk(said.url), discovery.budget(here)
    upcoming: str | None = said.url
    while upcoming is not None:
        within.spend(upcoming, here.now())
        upcoming = walk.take(await here.document(upcoming))
    listed = {one for one in walk.items if isinstance(one, str) and one.startswith(f"{here.home}/")}
    if digest_of(listed) != said.digest:
        raise Malformed(f"{said.url} does not list those whom its digest is of")
    await here.store.write(lambda tx: _agree(tx, actor, listed))


def _agree(tx: Transaction, actor: str, listed: Collection[str]) -> None:
    """Nobody here follows `actor` but those who are `listed`, and those who are listed do, or never wanted to."""
    ours = set(tx.db.scalars(select(Account.uri)))
    mine = tx.db.scalars(select(Follow).where(Follow.followed == actor, Follow.follower.in_(ours))).all()
    for row in mine:
        if row.state == "accepted" and row.follower not in listed:
            follows.lose(tx, row)
        elif row.state == "asked" and row.follower in listed:
            follows.gain(tx, row)
    for one in sorted(ours.intersection(listed) - {row.follower for row in mine}):
        follows.disown(tx, one, actor)
