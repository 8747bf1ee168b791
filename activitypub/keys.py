"""Keys: making, writing and reading them, and finding out whose they are."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

import base58
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256, SHA512

from activitypub.document import Document, Json
from activitypub.errors import Malformed, ProtocolError, Unverified
from activitypub.origin import origin
from activitypub.vocabulary import ACTORS

PublicKey = RSAPublicKey | Ed25519PublicKey
PrivateKey = RSAPrivateKey | Ed25519PrivateKey
Use = Literal["publicKey", "assertionMethod", "keyAgreement"]

RSA_BITS = range(2048, 8192 + 1)  # smaller ones can be broken, larger ones are there to keep us busy
MAX_KEYS = 32  # of one actor
_MAX_EXPONENT_BITS = 64  # a longer one makes each verification as slow as signing
_MAX_PEM = 16 * 1024  # characters
_MAX_MULTIBASE = 128  # characters of a signature, or of a short key; decoding takes time by the square of the length
_MAX_MULTIKEY = 1_500  # characters; an RSA key of 8192 bits has 1,420
_ED25519, _RSA = b"\xed\x01", b"\x85\x24"  # their multicodecs
_PKCS1V15, _PSS = PKCS1v15(), PSS(MGF1(SHA512()), 64)
_SHA256, _SHA512 = SHA256(), SHA512()

_CHECKS: dict[tuple[str, bool], Callable[..., None]] = {
    ("rsa-v1_5-sha256", True): lambda key, value, base: key.verify(value, base, _PKCS1V15, _SHA256),
    ("rsa-v1_5-sha512", True): lambda key, value, base: key.verify(value, base, _PKCS1V15, _SHA512),
    ("rsa-pss-sha512", True): lambda key, value, base: key.verify(value, base, _PSS, _SHA512),
    ("ed25519", False): lambda key, value, base: key.verify(value, base),
}
ALGORITHMS = frozenset(algorithm for algorithm, _ in _CHECKS)  # by their names in RFC 9421


@dataclass(frozen=True, slots=True)
class Key:
    """A public key as its owner's document lists it; only one under ``assertionMethod`` may prove documents (P-084)."""

    id: str
    owner: str
    public: PublicKey
    use: Use


def new_rsa() -> RSAPrivateKey:
    """For signing requests: 2048 bits, as everybody's (P-050)."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def new_ed25519() -> Ed25519PrivateKey:
    """For proofs on documents (P-050)."""
    return Ed25519PrivateKey.generate()


def matches(key: PublicKey, algorithm: str, value: bytes, base: bytes) -> bool:
    """Whether `value` is `key`'s signature of `base`; never, if the algorithm is not one for such a key."""
    check = _CHECKS.get((algorithm, isinstance(key, RSAPublicKey)))
    if check is None:
        return False
    try:
        check(key, value, base)
    except InvalidSignature:
        return False
    return True


def write_private(key: PrivateKey) -> str:
    """PEM (PKCS #8), not encrypted."""
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(encoding, form, serialization.NoEncryption()).decode()


def load_private(pem: str) -> PrivateKey:
    """A key that `write_private` wrote. It is not validated again, which for RSA would take 50 ms each."""
    key = serialization.load_pem_private_key(pem.encode(), password=None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(key, RSAPrivateKey | Ed25519PrivateKey):
        raise TypeError("we make only RSA and Ed25519 keys")
    return key


def write_pem(key: PublicKey) -> str:
    """SubjectPublicKeyInfo in PEM, with a newline at its end (P-021)."""
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


def load_pem(pem: str) -> PublicKey:
    """Raise `Malformed` unless `pem` is an Ed25519 key, or an RSA key of 2048 to 8192 bits."""
    if len(pem) > _MAX_PEM:
        raise Malformed("publicKeyPem is too long for a key")
    try:
        key = serialization.load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Malformed("publicKeyPem is not a public key in PEM") from error
    if isinstance(key, Ed25519PublicKey):
        return key
    if not isinstance(key, RSAPublicKey):
        raise Malformed("publicKeyPem is neither an RSA nor an Ed25519 key")
    if key.key_size not in RSA_BITS or key.public_numbers().e.bit_length() > _MAX_EXPONENT_BITS:
        raise Malformed(f"an RSA key has {RSA_BITS[0]} to {RSA_BITS[-1]} bits and a short exponent")
    return key


def write_multikey(key: PublicKey) -> str:
    """The value of ``publicKeyMultibase`` (FEP-521a, P-022)."""
    if isinstance(key, Ed25519PublicKey):
        return multibase(_ED25519 + key.public_bytes_raw())
    return multibase(_RSA + key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1))


def as_multikey(key: Key) -> Json:
    """As its owner's document lists it (FEP-521a)."""
    named = {"id": key.id, "type": "Multikey", "controller": key.owner}
    return {**named, "publicKeyMultibase": write_multikey(key.public)}


def load_multikey(text: str) -> PublicKey:
    """Raise `Malformed` unless `text` is an Ed25519 or RSA key as FEP-521a writes it, and one as `load_pem` wants."""
    raw = from_multibase(text, _MAX_MULTIKEY)
    if raw.startswith(_RSA):
        encoded = base64.b64encode(raw.removeprefix(_RSA)).decode()
        return load_pem(f"-----BEGIN RSA PUBLIC KEY-----\n{encoded}\n-----END RSA PUBLIC KEY-----\n")
    if not raw.startswith(_ED25519) or len(raw) != len(_ED25519) + 32:
        raise Malformed("publicKeyMultibase is neither an Ed25519 nor an RSA key")
    return Ed25519PublicKey.from_public_bytes(raw.removeprefix(_ED25519))


def multibase(raw: bytes) -> str:
    """In base58btc, the one base that FEP-521a, FEP-8b32 and P-260 use."""
    return f"z{base58.b58encode(raw).decode()}"


def from_multibase(text: str, limit: int = _MAX_MULTIBASE) -> bytes:
    """Raise `Malformed` unless `text` is base58btc with its ``z``, of the length of a key or signature."""
    if not text.startswith("z") or len(text) > limit or not text.isalnum():
        raise Malformed("this is not base58btc (multibase z) of the length of a key or signature")
    try:
        return base58.b58decode(text[1:])
    except ValueError as error:
        raise Malformed("this is not base58btc") from error


def listed(actor: Document) -> tuple[Key, ...]:
    """Every key that is readable and that `actor`, fetched from its own id, gives as its own."""
    found = []
    for use, entry in _entries(actor):
        with suppress(ProtocolError):
            found.append(_owned(actor, _key(entry, use)))
    return tuple(found)


def owner(document: Document, key_id: str) -> str:
    """Whose document decides about `key_id`, by the word of the one that was fetched from there (P-052, step 3).

    That may be the actor's own, a stub of it (GoToSocial) or a key that stands alone; none of them proves anything
    before `find` has seen the key in the owner's full document, see `is_full`. Raise `Malformed` for what is neither,
    `Unverified` for a key of another name or of an owner on another server.
    """
    if is_actor(document):
        claimed = document.id
    else:
        claimed = _key(document, _use(document)).owner
        if document.id != key_id:
            raise Unverified(f"{key_id} answers with another key, {document.id}")
    if origin(claimed) != origin(key_id):
        raise Unverified(f"{key_id} is not on the server of its owner, {claimed}")
    return claimed


def is_actor(document: Document) -> bool:
    """Whether it is an actor, or at least a stub of one."""
    return document.type in ACTORS


def is_full(document: Document) -> bool:
    """Whether it is an actor's whole document, not the stub with a key that GoToSocial shows to strangers."""
    return is_actor(document) and document.has("inbox")


def find(actor: Document, key_id: str, standing_alone: Document | None = None) -> Key:
    """The key that `actor`, fetched from its own id, lists under exactly `key_id` (P-052, steps 2 to 4).

    If the actor gives only the key's id, the key is read from `standing_alone`, fetched from there. Raise `Unverified`
    if it lists no such key or one of another owner, `Malformed` if the key is unreadable.
    """
    for use, entry in _entries(actor):
        if entry.uri("id") == key_id:
            return _owned(actor, _key(entry, use))
    if standing_alone is not None and key_id in (*actor.strings("publicKey"), *actor.strings("assertionMethod")):
        key = _key(standing_alone, "assertionMethod" if key_id in actor.strings("assertionMethod") else "publicKey")
        if key.id == key_id:
            return _owned(actor, key)
    raise Unverified(f"{actor.id} does not list the key {key_id}")


def _entries(actor: Document) -> Iterator[tuple[Use, Document]]:
    uses: tuple[Use, ...] = ("publicKey", "assertionMethod")
    entries = [(use, entry) for use in uses for entry in actor.embeddeds(use)]
    return iter(entries[:MAX_KEYS])


def _use(key: Document) -> Use:
    return "assertionMethod" if key.has("publicKeyMultibase") else "publicKey"


def _key(entry: Document, use: Use) -> Key:
    """Raise `Malformed` unless `entry` is a ``Multikey``, or a key in PEM, with its id and owner."""
    if "Multikey" in entry.types:
        return Key(entry.id, entry.require("controller"), load_multikey(entry.text("publicKeyMultibase")), use)
    return Key(entry.id, entry.require("owner"), load_pem(entry.text("publicKeyPem")), use)


def _owned(actor: Document, key: Key) -> Key:
    if key.owner != actor.id:
        raise Unverified(f"{key.id} belongs to {key.owner}, not to {actor.id}")
    if origin(key.id) != origin(key.owner):
        raise Unverified(f"{key.id} is not on the server of its owner, {key.owner}")
    return key
