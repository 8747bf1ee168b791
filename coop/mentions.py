"""Whom words name, and how words look with them: as links to where people look at each of them."""

from __future__ import annotations

from sqlalchemy.orm import Session

from activitypub import markdown
from activitypub.document import Document
from activitypub.note import Mention
from federation import actors
from federation.tables import Actor


def mentioned(db: Session, text: str) -> dict[str, Actor]:
    """Whoever `text` mentions and we know, by their address as `markdown.from_text` wants it."""
    found = {address: actors.by_address(db, address) for address in markdown.addresses(text)}
    return {address: actor for address, actor in found.items() if actor is not None}


def mention(actor: Actor) -> Mention:
    return Mention(actor.uri, f"@{actor.address or actor.handle}")


def profile_page(actor: Actor) -> str:
    """Where a person looks at an actor."""
    return Document(actor.document).uri("url") or actor.uri


def rendered(db: Session, home: str, text: str) -> str:
    """`text` as it will be when it is said, with those who are known by then."""
    names = {address: (profile_page(one), one.handle) for address, one in mentioned(db, text).items()}
    return markdown.from_text(text, home, names)
