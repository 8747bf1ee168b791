"""What ``--json`` prints of people and of what they say. The names are a contract: scripts rely on them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from activitypub.document import Document
from activitypub.html import plain
from federation.tables import Actor, Object

Shape = dict[str, Any]


def actor_shape(actor: Actor) -> Shape:
    return {
        "uri": actor.uri,
        "address": actor.address,
        "name": actor.name,
        "type": actor.type,
        "url": Document(actor.document).uri("url") or actor.uri,
    }


def object_shape(db: Session, row: Object) -> Shape:
    """What somebody said, as text; `address` is its author's."""
    document = row.said
    author = db.scalar(select(Actor).where(Actor.uri == row.author))
    return {
        "uri": row.uri,
        "type": row.type,
        "author": row.author,
        "address": author.address if author else None,
        "published": row.published,
        "visibility": row.visibility,
        "warning": document.text("summary"),
        "text": plain(document.text("content")),
        "reply_to": row.reply_to,
        "url": document.uri("url") or row.uri,
    }


def person(actor: Actor) -> str:
    """How to name somebody in a sentence."""
    return f"{actor.name} ({actor.address})" if actor.address else f"{actor.name} ({actor.uri})"
