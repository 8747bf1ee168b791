"""Telling the co-op that this server is awake, so that what waited for it comes at once (P-167).

The law: an ``Arrive`` says that its actor's own server is there again and nothing else; it wakes the lane to that
server, whoever else it names. Whom it is sent to, it does not say: nobody learns from it who else is a peer.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Select, func, select, union
from sqlalchemy.orm import aliased

from activitypub.origin import Activity, host
from coop.accounts import Account
from coop.events import Woken, listens
from coop.follows import Follow
from coop.statements import Membership
from federation import outbox, settling
from federation.registry import receives
from federation.store import Transaction
from federation.tables import Actor

USE = timedelta(days=1)  # so long it is news


@listens(Woken)
def greet(tx: Transaction, event: Woken) -> None:
    """Tell one inbox of each server with which we have something to do both ways, and which understands it."""
    if tx.db.scalar(peers().limit(1)) is None:
        return
    arrive = {"id": outbox.new_uri(tx), "type": "Arrive", "actor": f"{tx.home}/actor"}
    outbox.publish(tx, arrive, also=peers(), collapse=True, until=tx.now + USE)


@receives("Arrive")
def receive(tx: Transaction, activity: Activity) -> None:
    """Even if something answered in its place: a proxy before a server that sleeps says that it is out of order."""
    settling.wake(tx, host(activity.actor))


def peers() -> Select[str]:
    """Of each server that speaks our own words one actor: somebody who follows one of us and is followed by one, or is
    in a project with one.
    """
    ours = select(Account.uri)
    followers = select(Follow.follower).where(Follow.followed.in_(ours), Follow.state == "accepted")
    both_ways = (Follow.follower.in_(ours), Follow.state == "accepted", Follow.followed.in_(followers))
    mine = aliased(Membership)
    members = select(Membership.member).join(mine, mine.project == Membership.project).where(mine.member.in_(ours))
    people = union(select(Follow.followed).where(*both_ways), members).subquery()
    aware = select(func.min(Actor.uri)).where(Actor.uri.in_(select(people.c[0])), Actor.aware, ~Actor.local)
    return aware.where(Actor.gone.is_(None)).group_by(Actor.host)
