"""Whose key signed: from memory, from the store, else fetched once from where it says it lives (P-052, P-075 to P-077).

The law: a key is believed only if its owner's own document, fetched from the owner's id, lists it.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from activitypub import keys
from activitypub.document import Document
from activitypub.errors import ProtocolError, Unverified
from federation import actors, known
from federation.allowance import REMEMBERED
from federation.client import Gone, Unreachable
from federation.instance import Absence, Instance
from federation.tables import Actor, Key

RENEWAL = timedelta(minutes=5)  # at most one per actor (P-076)
RENEWAL_OF_ADDRESS = timedelta(minutes=1)  # and one for each address that bad signatures come from
STALE = timedelta(hours=24)  # an actor in use is asked for again after this, in the background (P-075)
TOO_OLD = timedelta(days=7)  # and after this before its key is used again
NO_SUCH_KEY = timedelta(hours=6)
NO_ANSWER = timedelta(minutes=5)


class TryLater(Exception):
    """The server of a key cannot be asked now; whoever sent us something should send it again later (P-077)."""


class GoneForEver(Exception):
    """The server of a key says that its owner was deleted."""


async def key(here: Instance, key_id: str, came_from: str | None = None) -> keys.Key:
    """The key of that id, for verifying a request that `came_from` an address, or from this machine.

    Raise `Unverified` if its owner does not list it, `TryLater` if the owner's server cannot be asked, `GoneForEver`.
    """
    retired = here.store.topic("keyring")
    if retired.is_set():  # or whoever stole a key would be believed for as long as it is in memory
        retired.clear()
        here.keyring.clear()
    if (found := here.keyring.get(key_id)) is None:
        try:
            found = await here.store.read(lambda db: _stored(db, key_id, here)) or await _looked_for(
                here, key_id, came_from
            )
        except ProtocolError as error:
            raise Unverified(str(error)) from error
        here.keyring[key_id] = found
    return found


async def renewed(here: Instance, old: keys.Key, came_from: str | None = None) -> keys.Key | None:
    """The key under the same id, asked for again because `old` did not fit; ``None`` if it is still the same.

    Nobody is asked more than once in `RENEWAL`, whatever arrives in their name, nor because of one address more than
    once in `RENEWAL_OF_ADDRESS` (P-076).
    """
    pauses = {old.owner: RENEWAL} | ({came_from: RENEWAL_OF_ADDRESS} if came_from else {})
    if any(here.now() < here.renewals[who] + pause for who, pause in pauses.items() if who in here.renewals):
        return None
    here.renewals.update(dict.fromkeys(pauses, here.now()))
    try:
        new = await _fetched(here, old.id)
    except (ProtocolError, TryLater, GoneForEver):
        return None
    if new.public == old.public:
        return None
    here.keyring[old.id] = new
    return new


async def make_known(here: Instance, owner: str) -> None:
    """Fetch the document of `owner`, with its keys, unless it is known already. Raise as `key` does."""
    if not await here.store.read(lambda db: db.scalar(select(Actor.id).where(Actor.uri == owner))):
        await _fetched_document(here, owner)


def _stored(db: Session, key_id: str, here: Instance) -> keys.Key | None:
    """A key to verify requests with; a retired one signs no more. An owner not asked for long is noted."""
    present = (Key.id == key_id, Key.retired.is_(None))
    actor = db.scalar(select(Actor).join(Key, Key.owner == Actor.uri).where(*present))
    if actor is None or (here.now() > actor.fetched + TOO_OLD and not actor.local):
        return None
    if here.now() > actor.fetched + STALE and not actor.local and len(here.stale) < REMEMBERED:
        here.stale.add(actor.uri)
    return known.key(db, key_id)


async def _looked_for(here: Instance, key_id: str, came_from: str | None) -> keys.Key:
    """As `_fetched`; a key that is not there counts against whoever named it, for naming it costs them nothing."""
    if came_from and here.unproven.take(came_from):
        raise TryLater("too many keys that do not exist were named from your address")
    found = await _fetched(here, key_id)
    if came_from:
        here.unproven.give_back(came_from)
    return found


async def _fetched(here: Instance, key_id: str) -> keys.Key:
    """Ask where the key says it lives, then its owner, and believe only the owner (P-052)."""
    document = await _fetched_document(here, key_id.partition("#")[0])
    owner = keys.owner(document, key_id)
    if document.id == owner:
        return keys.find(document, key_id)
    whole = await _fetched_document(here, owner)
    return keys.find(whole, key_id, standing_alone=document)


async def _fetched_document(here: Instance, uri: str) -> Document:
    """The document at `uri`, an actor or a key. Who asks for it while it is being fetched gets the same answer."""
    task = here.asking.get(uri)
    if task is None:
        task = here.asking[uri] = asyncio.create_task(_fetch(here, uri))
        task.add_done_callback(lambda _: here.asking.pop(uri))
    return await asyncio.shield(task)


async def _fetch(here: Instance, uri: str) -> Document:
    """Actors are kept, and not asked again for a while; so is a failure (P-076, P-077)."""
    absence = here.absences.get(uri)
    if absence and here.now() < absence.until:
        raise absence.error(f"the key cannot be fetched: {absence.reason}")
    lately = select(Actor.document).where(Actor.uri == uri, Actor.fetched > here.now() - RENEWAL)
    if (found := await here.store.read(lambda db: db.scalar(lately))) is not None:
        return Document(found)
    try:
        document = await here.document(uri, unproven=True)
        if keys.is_full(document):
            await here.store.write(lambda tx: actors.keep(tx, document))
        elif (
            not keys.is_actor(document) and not document.has("publicKeyPem") and not document.has("publicKeyMultibase")
        ):
            raise Unverified(f"{uri} is neither an actor nor a key")
    except Gone as error:
        absence = Absence(here.now() + NO_SUCH_KEY, GoneForEver if error.status == 410 else Unverified, str(error))
    except Unreachable as error:
        absence = Absence(here.now() + NO_ANSWER, TryLater, str(error))
    except ProtocolError as error:
        absence = Absence(here.now() + NO_ANSWER, Unverified, str(error))
    else:
        return document
    here.absences[uri] = absence
    raise absence.error(f"the key cannot be fetched: {absence.reason}")
