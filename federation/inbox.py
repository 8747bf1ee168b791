"""In: bound, verify, write the receipt, answer. What an activity means is found out later, by `receipts`.

The law: the checks run in the order of PROTOCOL 3.1. Nothing is fetched before everything cheap has passed, and
nothing is acknowledged before its receipt is on disk.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import select

from activitypub import digest, signatures
from activitypub.document import Document
from activitypub.errors import Forbidden, Malformed, ProtocolError, Unverified
from activitypub.message import Request, Signature
from activitypub.origin import host, origin, site
from activitypub.synchronization import HEADER, Announcement
from federation import hints, keyring, known
from federation.client import Unreachable
from federation.instance import Instance
from federation.store import Transaction
from federation.tables import Actor, Receipt

# Without an id there is nothing to remember it by, so only what may safely happen twice is taken (P-107).
IDEMPOTENT = frozenset({"Follow", "Undo", "Accept", "Reject", "Delete", "Update", "Block"})
LISTED = frozenset({"Announce", "Create", "Delete", "Update"})  # what an outbox may tell
MAX_TYPE = 256  # characters: more is no name of anything, and every receipt keeps its type

# In both dialects, whatever else may be wrong with the signature: who is not welcome is told so first (step 9).
_KEY_ID = re.compile(r'\bkeyid\s*=\s*"?([^\s",;]+)', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Sent:
    """An activity as it stands in a request, before anybody vouched for it."""

    document: Document
    uri: str
    type: str
    actor: str

    @classmethod
    def parse(cls, body: bytes) -> Sent:
        """Steps 6 and 7. Raise `Malformed`."""
        document = Document.parse(body)
        if not document.type or len(document.type) > MAX_TYPE or not document.type.isprintable():
            raise Malformed("the activity has no type, or one that names nothing")
        actors = document.uris("actor")
        if len(actors) != 1:
            raise Malformed("an activity has exactly one actor")
        origin(actors[0])
        if not isinstance(document.json.get("id"), str | None):
            raise Malformed("the activity's id is not a string")
        uri = document.uri("id")
        if uri is None and document.type not in IDEMPOTENT:
            raise Malformed(f"a {document.type} needs an id")
        if uri is not None:
            origin(uri)
        return cls(document, uri or _made_up_id(actors[0], body), document.type, actors[0])

    @property
    def is_farewell(self) -> bool:
        """Whether an actor is said to be deleted, by itself."""
        return self.type == "Delete" and self.document.uri("object") == self.actor

    @property
    def may_be_passed_on(self) -> bool:
        """Whether it may be more than a forgery: those who pass on what others said do so with a signature inside, be
        it one that we do not read (P-090), or pass on that something was deleted.
        """
        return self.type == "Delete" or self.document.has("proof") or self.document.has("signature")


async def accept(here: Instance, request: Request, came_from: str | None = None) -> None:
    """Answer for an inbox POST: return once the activity is ours to keep, or is to be dropped without a word.

    It `came_from` that address, or from this machine.

    Raise `ProtocolError` with the reason and the status, `keyring.TryLater` if the key's server cannot be asked now,
    `allowance.TooOften`.
    """
    check_digests(request)
    sent = Sent.parse(request.body)
    if await _is_farewell_of_a_stranger(here, sent):
        return
    await _check_welcome(here, request.headers)
    if await here.blocks(host(sent.actor)):
        return
    try:
        signer = await _counted_signer(here, request, came_from)
    except keyring.GoneForEver:
        return  # a server deletes an account, then tells us so with a key that nobody can fetch any more
    _note_followers(here, signer, request.headers.get(HEADER))
    if signer != sent.actor and not sent.may_be_passed_on:
        raise Unverified(f"it is signed by {signer}, and nothing in it says that {sent.actor} sent it")
    if origin(sent.uri) != origin(sent.actor):
        return  # nobody names things on another server (step 13)
    proven = signer == sent.actor or await _proves_itself(here, sent) or await _is_laid_to_rest(here, sent, signer)
    await here.store.write_together(_remember, _receipt(sent, request.body, None if proven else signer))


def _note_followers(here: Instance, signer: str, header: str | None) -> None:
    """Remember what a sender says of its followers here, to compare it later with what we think (P-170)."""
    if header:
        with suppress(Malformed):
            said = Announcement.read(header)
            if origin(said.collection) == origin(signer):
                here.announced[signer] = said


def check_digests(request: Request) -> None:
    """Step 5: nobody looks at a body that is not the one which was sent. Raise `Unverified`."""
    if header := request.headers.get("digest"):
        digest.check(header, request.body)
    if header := request.headers.get("content-digest"):
        digest.check_content(header, request.body)


async def _is_farewell_of_a_stranger(here: Instance, sent: Sent) -> bool:
    """Step 8: servers tell everybody of deleted accounts; their keys are gone, and we never met them."""
    if not sent.is_farewell:
        return False
    return await here.store.read(lambda db: db.scalar(select(Actor.id).where(Actor.uri == sent.actor)) is None)


async def _check_welcome(here: Instance, headers: Mapping[str, str]) -> None:
    """Step 9. Raise `Forbidden` for whoever signs with a key of a blocked domain."""
    if await _names_a_blocked_key(here, headers):
        raise Forbidden("this server does not talk with yours")


async def _names_a_blocked_key(here: Instance, headers: Mapping[str, str]) -> bool:
    if not await here.blocked():
        return False
    for name in ("signature", "signature-input", "authorization"):
        for key_id in _KEY_ID.findall(headers.get(name, "")):
            with suppress(Malformed):
                if await here.blocks(host(key_id)):
                    return True
    return False


async def _counted_signer(here: Instance, request: Request, came_from: str | None) -> str:
    """Steps 10 and 11. Raise `TooOften` for whoever sends more than their share, and as `signer_of` does."""
    signature = signatures.read(request, here.now())
    signer = await signer_of(here, signature, came_from)
    here.senders.take(signer, site(host(signer)), len(request.body))
    return signer


async def signer_of(here: Instance, signature: Signature, came_from: str | None = None) -> str:
    """Whose key made the signature (step 11). A key that does not fit is asked for again, once (P-076).

    Raise `Unverified` if it does not match, and as `keyring.key` does.
    """
    key = await keyring.key(here, signature.key_id, came_from)
    try:
        signature.verify(key.public)
    except Unverified:
        renewed = await keyring.renewed(here, key, came_from)
        if renewed is None:
            raise
        signature.verify(renewed.public)
    return key.owner


async def sender_of(here: Instance, request: Request, came_from: str | None = None) -> str:
    """Who signed a POST that brings something else than an activity, after `check_digests`: as strictly as for those.

    Raise `ProtocolError`, `keyring.TryLater`, `allowance.TooOften`.
    """
    await _check_welcome(here, request.headers)
    try:
        return await _counted_signer(here, request, came_from)
    except keyring.GoneForEver as error:
        raise Unverified(str(error)) from error


async def keep_held(here: Instance, body: bytes, holder: str) -> None:
    """Keep an activity that `holder` kept for one of us while we slept, as if it had come here by itself.

    What cannot be checked now is kept as a hint of the holder's. Raise `ProtocolError` unless it proves itself.
    """
    sent = Sent.parse(body)
    is_unwanted = origin(sent.uri) != origin(sent.actor) or await here.blocks(host(sent.actor))
    if is_unwanted:
        raise Forbidden(f"{sent.actor} is blocked here, or names something on another server")
    try:
        if not await _has_good_proof(here, sent):
            raise Unverified(f"nothing in it proves that {sent.actor} sent it")
        hinted_by = None
    except keyring.TryLater:
        hinted_by = holder
    await here.store.write_together(_remember, _receipt(sent, body, hinted_by))


def keep_listed(tx: Transaction, actor: str, listed: Iterable[Document]) -> int:
    """Keep what the server of `actor` lists as done by that actor, as if it had come here by itself (P-173).

    Return how much of it is new. Whoever calls this has just fetched it from there; whatever is somebody else's word,
    or is done by saying so to whom it concerns and not by listing it, is left out.
    """
    new = 0
    for document in listed:
        with suppress(Malformed):
            body = msgspec.json.encode(document.json)
            sent = Sent.parse(body)
            if sent.type in LISTED and sent.actor == actor and origin(document.require("id")) == origin(actor):
                new += tx.add_new(Receipt, **_receipt(sent, body, None), received=tx.now, due=tx.now)
    if new:
        tx.wakes("receipts")
    return new


async def look_into(here: Instance, body: bytes) -> None:
    """Of what was acknowledged as a hint: keep it as its actor's own word if by now it proves to be, else follow it.

    Raise `keyring.TryLater` while nobody can say what it proves, and as `hints.follow` does.
    """
    sent = Sent.parse(body)
    if await _has_good_proof(here, sent):
        await here.store.write_together(_remember, _receipt(sent, body, None))
    else:
        await hints.follow(here, sent.document)


async def _proves_itself(here: Instance, sent: Sent) -> bool:
    """Whoever brings it does not wait for a server that sleeps: then it is a hint until that can be asked (P-077)."""
    with suppress(keyring.TryLater):
        return await _has_good_proof(here, sent)
    return False


async def _has_good_proof(here: Instance, sent: Sent) -> bool:
    """Whether the actor's own proof vouches for what another passed on (step 12, P-086). Raise `keyring.TryLater`."""
    if not sent.document.has("proof"):
        return False
    try:
        await keyring.make_known(here, sent.actor)
        await here.store.read(lambda db: known.check_proof(db, sent.document, here.now()))
    except (ProtocolError, keyring.GoneForEver):
        return False
    return True


async def _is_laid_to_rest(here: Instance, sent: Sent, signer: str) -> bool:
    """Whether the instance actor of its server says that an actor is deleted, and its own address too (P-117)."""
    if not sent.is_farewell or origin(signer) != origin(sent.actor):
        return False
    instance = select(Actor.id).where(Actor.uri == signer, Actor.type == "Application")
    if not await here.store.read(lambda db: db.scalar(instance)):
        return False
    with suppress(ProtocolError, Unreachable):
        return await hints.absence(here, sent.actor) == 410
    return False


def _receipt(sent: Sent, body: bytes, hinted_by: str | None) -> dict[str, Any]:
    """Keep it under its own name if it is proven; a hint under that of who gave it, so that it stands in no one's way:
    else whoever guesses the id of an activity could have the real one taken for a repeat.
    """
    uri, actor = (_made_up_id(hinted_by, body), hinted_by) if hinted_by else (sent.uri, sent.actor)
    return {"uri": uri, "type": sent.type, "actor": actor, "proven": hinted_by is None, "body": body}


def _remember(tx: Transaction, receipts: list[dict[str, Any]]) -> None:
    """Write down what is ours to keep now; a repeat is there already (P-103)."""
    when = {"received": tx.now, "due": tx.now}
    tx.add_all_new(Receipt, [receipt | when for receipt in receipts])
    tx.wakes("receipts")


def _made_up_id(actor: str, body: bytes) -> str:
    return f"{actor}#{hashlib.sha256(actor.encode() + body).hexdigest()}"
