"""A key that stands for a person, wherever they live: FEP-c390, and how such a key is written down on paper.

The law: a key and an actor belong together only if both say so. The key's holder signs a statement that names the
actor, and the actor's own document lists it. So nobody takes another's address, nor gives theirs to another.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import base58
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from activitypub import context, keys, proof
from activitypub.document import Document, Json
from activitypub.errors import Malformed, ProtocolError

DID: Final = "did:key:"
MAX_STATEMENTS = 4  # of one actor, that are looked at (P-321)
GROUP = 5  # letters of a secret that people copy at a time

_FEP = {"VerifiableIdentityStatement": "https://w3id.org/fep/c390#VerifiableIdentityStatement"}
_CONTEXT: Final[list[Any]] = [
    context.DID,
    context.DATA_INTEGRITY,
    {**_FEP, "subject": "https://w3id.org/fep/c390#subject"},
]
_SUITE: Final = ("DataIntegrityProof", "eddsa-jcs-2022", "assertionMethod")
_TYPE: Final = "VerifiableIdentityStatement"


def did(key: Ed25519PrivateKey) -> str:
    return DID + keys.write_multikey(key.public_key())


def sign(key: Ed25519PrivateKey, actor: str, now: datetime) -> Json:
    """The statement of the holder of `key` that they are `actor`, for that actor's ``attachment``."""
    said = {"@context": _CONTEXT, "type": _TYPE, "subject": did(key), "alsoKnownAs": actor}
    return proof.sign(said, did(key), key, now)


def listed(actor: Document) -> tuple[Json, ...]:
    """The statements in an actor's document, whether they hold or not."""
    found = (one.json for one in actor.embeddeds("attachment") if _TYPE in one.types)
    return tuple(one for one, _ in zip(found, range(MAX_STATEMENTS), strict=False))


def proven(actor: Document) -> frozenset[str]:
    """The ``did:key`` of everyone who says that they are `actor`, and whom `actor` lists."""
    return frozenset(key for one in listed(actor) if (key := _holds(one, actor.id)))


def signing(actor: Document) -> frozenset[str]:
    """Those of the same that are the actor's own: what it proves its words with says who it is (P-244).

    They are kept by its server, so they are nobody's at another address.
    """
    return proven(actor) & {DID + keys.write_multikey(one.public) for one in keys.listed(actor)}


def _holds(statement: Json, actor: str) -> str | None:
    """Whose word it is that they are `actor`; ``None`` unless it is proven by them."""
    said = Document(statement)
    given, key = said.embedded("proof"), said.uri("subject") or ""
    if given is None or said.uris("alsoKnownAs") != (actor,) or not key.startswith(DID):
        return None
    asked = (given.type, given.text("cryptosuite"), given.text("proofPurpose"), given.text("verificationMethod"))
    if asked not in ((*_SUITE, key), (*_SUITE, f"{key}#{key.removeprefix(DID)}")):
        return None
    config = {name: value for name, value in given.json.items() if name != "proofValue"}
    try:
        public = keys.load_multikey(key.removeprefix(DID))
        value, signed = keys.from_multibase(given.text("proofValue")), proof.signed_bytes(statement, config)
    except ProtocolError:
        return None
    return key if isinstance(public, Ed25519PublicKey) and keys.matches(public, "ed25519", value, signed) else None


def write_secret(key: Ed25519PrivateKey) -> str:
    """`key` as somebody writes it down: base 58, with a checksum, in groups."""
    raw = (serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption())
    text = base58.b58encode_check(key.private_bytes(*raw)).decode()
    return "-".join(text[place : place + GROUP] for place in range(0, len(text), GROUP))


def load_secret(text: str) -> Ed25519PrivateKey:
    """Raise `Malformed` if a letter is missing or wrong; what stands between the letters does not matter."""
    letters = "".join(one for one in text if one.isalnum())[:100]
    try:
        return Ed25519PrivateKey.from_private_bytes(base58.b58decode_check(letters.encode("ascii", "replace")))
    except ValueError as error:
        raise Malformed("that is no recovery key: a letter is missing or wrong; capitals count") from error
