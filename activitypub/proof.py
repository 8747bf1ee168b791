"""Proofs that a document carries with it, whoever delivers it: FEP-8b32 with ``eddsa-jcs-2022``.

They need no JSON-LD: what is signed is the document as it was sent, so nothing here expands it, and a document with
keywords that would let expansion move its parts about is refused (P-325). Mastodon's older ``signature`` is neither
made nor read (P-090).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from activitypub.document import Document, Json
from activitypub.errors import Malformed, ProtocolError, Unverified
from activitypub.keys import Key, from_multibase, matches, multibase
from activitypub.origin import origin
from activitypub.origin import owner as owner_of
from activitypub.vocabulary import ACTORS

MAX_PROOFS = 4  # of one document, that we look at (P-321)
MAX_AHEAD = timedelta(hours=1)
KEYWORDS = frozenset({"@graph", "@included", "@reverse"})

_REQUIRED = {"type": "DataIntegrityProof", "cryptosuite": "eddsa-jcs-2022", "proofPurpose": "assertionMethod"}
_UNSIGNED = ("proof", "signature")
_SHA256 = b"\x12\x20"  # its multihash prefix: the algorithm, and 32 bytes


@dataclass(frozen=True, slots=True)
class Proof:
    """What a document claims: checked in all but the key, which has to be its owner's."""

    key_id: str
    owner: str
    _document: Json = field(repr=False)
    _config: Json = field(repr=False)
    _value: bytes = field(repr=False)

    def verify(self, key: Key) -> None:
        """Raise `Unverified` unless `key` is the one named, its owner's for proofs, and made this one (P-084)."""
        if (key.id, key.owner, key.use) != (self.key_id, self.owner, "assertionMethod"):
            raise Unverified(f"{key.id} is not a key with which {self.owner} proves documents")
        if not matches(key.public, "ed25519", self._value, signed_bytes(self._document, self._config)):
            raise Unverified(f"the proof does not match the document and the key {self.key_id}")


def sign(document: Json, key_id: str, key: Ed25519PrivateKey, now: datetime) -> Json:
    """`document` with a proof by its owner in place of any that it had (P-081).

    Raise `Malformed` unless its ``@context`` is an array, as Mastodon demands (P-083), and its JSON canonical (P-082).
    """
    if not isinstance(document.get("@context"), list):
        raise Malformed("the @context of a document with a proof is an array")
    created = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    config = {"@context": document["@context"], **_REQUIRED, "verificationMethod": key_id, "created": created}
    value = multibase(key.sign(signed_bytes(document, config)))
    return {**_unsigned(document), "proof": {**config, "proofValue": value}}


def verify(document: Json, find: Callable[[str], Key | None], now: datetime) -> Proof:
    """The first valid proof by the owner of `document`; `find` gives a key by its id (P-321).

    Raise `Unverified` if there is none, with the reason of the last one tried.
    """
    refusal = Unverified("the document has no proof")
    for proof in read(document, now):
        try:
            if key := find(proof.key_id):
                proof.verify(key)
                return proof
            refusal = Unverified(f"the key {proof.key_id} of the proof is unknown")
        except Unverified as error:
            refusal = error
    raise refusal


def read(document: Json, now: datetime) -> tuple[Proof, ...]:
    """The proofs of `document` that may hold, so that their keys can be looked up; none if it carries none.

    Raise `Unverified` if it carries only such as cannot hold, belongs to nobody, or has a keyword of JSON-LD with which
    its parts could be rearranged.
    """
    found = document.get("proof") or []
    configs = (found if isinstance(found, list) else [found])[:MAX_PROOFS]
    if not configs:
        return ()
    _refuse_keywords(document)
    owner = _owner(document)
    proofs, refusal = [], Unverified("there is no proof")
    for config in configs:
        try:
            proofs.append(_claim(document, owner, config, now))
        except ProtocolError as error:
            refusal = Unverified(str(error))
    if not proofs:
        raise refusal
    return tuple(proofs)


def check_sole_form(document: Json) -> None:
    """Raise `Malformed` unless nothing of `document` could be other than it is without its proof failing.

    What has its hash for a name must have but one: else whoever passes it on could give it a second, and have what was
    said long ago count as said anew (P-260, P-333). The key's owner alone can sign twice.
    """
    config = document.get("proof")
    if not isinstance(config, dict) or "signature" in document:
        raise Malformed("this has exactly one proof, and no other signature")
    if canonical(config.get("@context", document.get("@context"))) != canonical(document.get("@context")):
        raise Malformed("the @context of this is that of its proof, and no more")


def signed_bytes(document: Json, config: Json) -> bytes:
    """The 64 octets that are signed: the hashes of the proof's configuration and of the document (P-081, P-083).

    If the configuration has a context, the document's has to begin with it, and is replaced by it; else `Unverified`.
    """
    unsigned = _unsigned(document)
    if "@context" in config and config["@context"] is not document.get("@context"):  # as when we sign
        ours, theirs = _list(document.get("@context")), _list(config["@context"])
        if canonical(ours[: len(theirs)]) != canonical(theirs):  # to Python, 1 and true are the same
            raise Unverified("the @context of the document does not begin with that of its proof")
        unsigned["@context"] = config["@context"]
    return hashlib.sha256(canonical(config)).digest() + hashlib.sha256(canonical(unsigned)).digest()


def hash_of(document: Json) -> str:
    """The name of a statement, proof included, by which others follow on it: a multihash (P-260)."""
    return multibase(_SHA256 + hashlib.sha256(canonical(document)).digest())


def canonical(value: Any) -> bytes:
    """RFC 8785. Raise `Malformed` for integers from 2^53, NaN, infinity and lone surrogates (P-082)."""
    try:
        return rfc8785.dumps(value)
    except ValueError as error:
        raise Malformed(f"the document has no canonical form (RFC 8785): {error}") from error


def _claim(document: Json, owner: str, config: Any, now: datetime) -> Proof:
    if not isinstance(config, dict) or any(config.get(name) != value for name, value in _REQUIRED.items()):
        raise Unverified("a proof is a DataIntegrityProof of eddsa-jcs-2022 for assertionMethod")
    key_id, value = config.get("verificationMethod"), config.get("proofValue")
    if not isinstance(key_id, str) or not isinstance(value, str):
        raise Unverified("the proof has no verificationMethod or no proofValue")
    if origin(key_id) != origin(owner):
        raise Unverified(f"the key {key_id[:200]} of the proof is not on the server of {owner}")
    _check_times(Document(config), now)
    signed = {name: entry for name, entry in config.items() if name != "proofValue"}
    return Proof(key_id, owner, document, signed, from_multibase(value))


def _check_times(config: Document, now: datetime) -> None:
    created, expires = config.time("created"), config.time("expires")
    if config.has("created") and (created is None or created > now + MAX_AHEAD):
        raise Unverified("the proof is from the future, or its created is not a time")
    if config.has("expires") and (expires is None or expires <= now):
        raise Unverified("the proof has expired, or its expires is not a time")


def _owner(document: Json) -> str:
    """Whose word it is, without a doubt: nobody's, if ``actor`` and ``attributedTo`` name several."""
    read = Document(document)
    owner = owner_of(read)
    named = {uri for name in ("actor", "attributedTo") for uri in read.uris(name)} if read.type not in ACTORS else set()
    if owner is None or named - {owner}:
        raise Unverified("a document with a proof has one actor or author")
    return owner


def _refuse_keywords(document: Json) -> None:
    level: list[Any] = [document]
    while level:
        value = level.pop()
        if isinstance(value, list):
            level += value
        elif isinstance(value, dict):
            if found := KEYWORDS & value.keys():
                raise Unverified(f"a document with a proof has no {', '.join(sorted(found))}")
            level += value.values()


def _unsigned(document: Json) -> Json:
    return {name: value for name, value in document.items() if name not in _UNSIGNED}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
