"""What to make of an activity that nobody proved: ask the server that it is about (P-091).

Servers pass on each other's Deletes, and relays other people's posts. Such an activity is never believed; it only says
where to look.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from activitypub.document import Document
from activitypub.origin import origin
from federation import discovery, known
from federation.client import Gone, Unreachable
from federation.dispatch import disappeared
from federation.instance import Instance
from federation.tables import Actor, Object

CONFIRMATION = timedelta(hours=1)  # one failing proxy must not erase anything (P-116, P-118)


async def follow(here: Instance, activity: Document) -> None:
    """Look up what `activity` is about, if it is its actor's to say and of interest here (P-091).

    Raise as `discovery.fetch` does if that cannot be done.
    """
    about, actor = activity.uri("object"), activity.require("actor")
    if about is None or origin(about) != origin(actor) or origin(about) == origin(here.home):
        return
    if not await here.store.read(lambda db: _concerns_us(db, activity, about, actor)):
        return
    if activity.type == "Delete":
        await _check_deleted(here, about)
    elif activity.type in ("Create", "Update"):
        try:
            await discovery.fetch(here, about)
        except Gone:
            await _check_deleted(here, about)


async def absence(here: Instance, uri: str) -> int | None:
    """With which status its own server says that `uri` is not there, if it does. Raise as `Instance.document` does."""
    try:
        document = await here.document(uri)
    except Gone as error:
        return error.status
    return 410 if document.type == known.TOMBSTONE else None


async def _check_deleted(here: Instance, uri: str) -> None:
    """Take something for deleted if its own server says so twice, an hour apart. Raise `Unreachable` in between."""
    owner = await here.store.read(lambda db: _owner(db, uri))
    if owner is None:
        return
    status = await absence(here, uri)
    if status is None:
        here.missed.pop(uri, None)
        return
    if owner == uri and status != 410:
        raise Unreachable(f"{uri} is not to be found")  # an actor that comes back has lost nothing
    if here.now() < here.missed.setdefault(uri, here.now()) + CONFIRMATION:
        raise Unreachable(f"{uri} answers {status}; it is asked again in an hour, to be sure")
    await here.store.write(lambda tx: disappeared(tx, uri, owner))


def _concerns_us(db: Session, activity: Document, about: str, actor: str) -> bool:
    """Whether we know the actor, the object, or what that answers: nobody makes us fetch the rest of the world."""
    if db.scalar(select(Actor.id).where(Actor.uri == actor)):
        return True
    embedded = activity.embedded("object")
    answered = embedded.uri("inReplyTo") if embedded else None
    return db.scalar(select(Object.id).where(Object.uri.in_([about, answered or about])).limit(1)) is not None


def _owner(db: Session, uri: str) -> str | None:
    """Whose word `uri` is, if we have it: an actor's own, or its author's."""
    if found := db.scalar(select(Actor.uri).where(Actor.uri == uri)):
        return found
    return db.scalar(select(Object.author).where(Object.uri == uri, Object.deleted.is_(None)))
