"""What is left with a buddy for somebody who sleeps: an activity that its recipient alone can read.

The law: whoever holds a parcel can neither read it, nor change it, nor say that it is from another or for another. It
is sealed with HPKE (RFC 9180, base mode: X25519, HKDF-SHA256, ChaCha20-Poly1305), sender and recipient in its `info`.
That says who can open it, and not who wrote what is inside, which has to prove itself.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Final, Self

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from activitypub import context
from activitypub.document import Document, Json
from activitypub.errors import Malformed, ProtocolError
from activitypub.keys import from_multibase, multibase
from activitypub.origin import origin

VERSION: Final = b"boxroom parcel 1"
MAX_CONTENT = 64_000  # octets of an activity; nobody here sends more (P-166)
OVERHEAD = 48  # octets that a seal adds: a key of its own and a tag

_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
_X25519 = b"\xec\x01"  # its multicodec
_RAW = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()


@dataclass(frozen=True, slots=True)
class SealingKey:
    """The key that somebody lists under ``keyAgreement`` (FEP-521a), for whatever they alone shall read."""

    id: str
    owner: str
    public: X25519PublicKey

    @classmethod
    def of(cls, actor: Document) -> Self | None:
        """The first that `actor` lists as its own, on its own server, and that can be read."""
        for entry in actor.embeddeds("keyAgreement"):
            try:
                key = cls(entry.id, entry.require("controller"), _load(entry.text("publicKeyMultibase")))
                if key.owner == actor.id and origin(key.id) == origin(actor.id):
                    return key
            except ProtocolError:
                continue
        return None


@dataclass(frozen=True, slots=True)
class Parcel:
    """`sealed` by the actor `sender` with the key `key_id` of the actor `owner`."""

    sender: str
    owner: str
    key_id: str
    sealed: bytes

    @classmethod
    def seal(cls, content: bytes, sender: str, key: SealingKey) -> Self:
        """Raise `Malformed` if it is too long, or nothing can be sealed with that key."""
        if len(content) > MAX_CONTENT:
            raise Malformed(f"a parcel has at most {MAX_CONTENT:,} octets")
        try:
            sealed = _SUITE.encrypt(content, key.public, _info(sender, key.owner))
        except ValueError as error:
            raise Malformed(f"nothing can be sealed with {key.id}") from error
        return cls(sender, key.owner, key.id, sealed)

    @classmethod
    def read(cls, document: Document) -> Self:
        """Raise `Malformed` unless it is a parcel of a size that is taken."""
        given = document.get("sealed")
        if document.type != "Parcel" or not isinstance(given, str):
            raise Malformed("this is not a Parcel with something sealed in it")
        if len(given) > (MAX_CONTENT + OVERHEAD + 2) * 4 // 3:
            raise Malformed(f"a parcel has at most {MAX_CONTENT:,} octets")
        try:
            sealed = base64.b64decode(given, validate=True)
        except (binascii.Error, ValueError) as error:
            raise Malformed("what is sealed is not base64") from error
        return cls(document.require("actor"), document.require("to"), document.require("sealedTo"), sealed)

    def write(self) -> Json:
        named = {"type": "Parcel", "actor": self.sender, "to": self.owner, "sealedTo": self.key_id}
        return {"@context": context.PARCEL, **named, "sealed": base64.b64encode(self.sealed).decode()}

    def open(self, private: str) -> bytes:
        """What is inside; `private` is as `new_key` gives it. Raise `Malformed` unless it is as it was sealed."""
        key = serialization.load_pem_private_key(private.encode(), None)
        if not isinstance(key, X25519PrivateKey):
            raise TypeError("parcels are opened with X25519 keys")
        try:
            return _SUITE.decrypt(self.sealed, key, _info(self.sender, self.owner))
        except (InvalidTag, ValueError) as error:
            raise Malformed("it is not as its sender sealed it, or not for this key") from error


def new_key() -> tuple[str, str]:
    """A private key, and its public half: both as PEM."""
    key, form = X25519PrivateKey.generate(), serialization.PublicFormat.SubjectPublicKeyInfo
    return key.private_bytes(*_RAW).decode(), key.public_key().public_bytes(_RAW[0], form).decode()


def write_multikey(pem: str) -> str:
    """The value of ``publicKeyMultibase`` for the public half of a `new_key` (FEP-521a)."""
    key = serialization.load_pem_public_key(pem.encode())
    if not isinstance(key, X25519PublicKey):
        raise TypeError("parcels are sealed with X25519 keys")
    return multibase(_X25519 + key.public_bytes_raw())


def _load(text: str) -> X25519PublicKey:
    """Raise `Malformed` unless `text` is an X25519 key as FEP-521a writes it."""
    raw = from_multibase(text)
    if not raw.startswith(_X25519) or len(raw) != len(_X25519) + 32:
        raise Malformed("publicKeyMultibase is not an X25519 key")
    try:
        return X25519PublicKey.from_public_bytes(raw.removeprefix(_X25519))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Malformed("publicKeyMultibase is not an X25519 key") from error


def _info(sender: str, owner: str) -> bytes:
    """No address has a line break in it (P-331), so the three cannot be taken for others."""
    return b"\n".join((VERSION, sender.encode(), owner.encode()))
