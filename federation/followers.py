"""Telling each server which of its people follow somebody here, as a digest beside what they get (FEP-8fcf, P-170)."""

from __future__ import annotations

from collections import defaultdict

from sqlalchemy import select
from sqlalchemy.orm import Session

from activitypub.document import Document
from activitypub.synchronization import Announcement, digest_of
from federation import registry
from federation.tables import Actor

MOST = 5_000  # followers on one server: so many fit into the answer to who they are
PATH = "followers_synchronization"  # below the actor

Announcements = dict[str, str]  # by host


def is_for_followers(activity: Document, followers: str | None) -> bool:
    return followers in (*activity.uris("to"), *activity.uris("cc"))


def announcements(db: Session, actor: str) -> Announcements:
    """What each server is told of the followers that `actor`, one of us, has there."""
    collection = db.scalar(select(Actor.followers).where(Actor.uri == actor, Actor.local))
    everybody = registry.expansion_of(db, [collection]) if collection else None
    if collection is None or everybody is None:
        return {}
    people: dict[str, list[str]] = defaultdict(list)
    for host, uri in db.execute(select(Actor.host, Actor.uri).where(Actor.uri.in_(everybody), ~Actor.local)):
        people[host].append(uri)
    few = {host: some for host, some in people.items() if len(some) <= MOST}
    return {host: Announcement(collection, f"{actor}/{PATH}", digest_of(some)).write() for host, some in few.items()}
