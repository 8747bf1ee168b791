"""RFC 9180 in base mode, from its text and the primitives alone: DHKEM(X25519, HKDF-SHA256), ChaCha20-Poly1305."""

from __future__ import annotations

import hashlib
import hmac

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

KEM = b"KEM" + (0x0020).to_bytes(2, "big")
HPKE = b"HPKE" + b"".join(number.to_bytes(2, "big") for number in (0x0020, 0x0001, 0x0003))


def extract(suite: bytes, salt: bytes, label: bytes, key: bytes) -> bytes:
    return hmac.digest(salt or bytes(32), b"HPKE-v1" + suite + label + key, hashlib.sha256)


def expand(suite: bytes, key: bytes, label: bytes, info: bytes, length: int) -> bytes:
    """One block of HKDF is as long as anything here."""
    labelled = length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info
    return hmac.digest(key, labelled + b"\x01", hashlib.sha256)[:length]


def opened(sealed: bytes, key: X25519PrivateKey, info: bytes) -> bytes:
    """What is in `sealed`, the encapsulated key before the ciphertext."""
    encapsulated, ciphertext = sealed[:32], sealed[32:]
    shared = key.exchange(X25519PublicKey.from_public_bytes(encapsulated))
    secret = extract(KEM, b"", b"eae_prk", shared)
    context = encapsulated + key.public_key().public_bytes_raw()
    secret = expand(KEM, secret, b"shared_secret", context, 32)
    schedule = b"\x00" + extract(HPKE, b"", b"psk_id_hash", b"") + extract(HPKE, b"", b"info_hash", info)
    secret = extract(HPKE, secret, b"secret", b"")
    nonce = expand(HPKE, secret, b"base_nonce", schedule, 12)
    return ChaCha20Poly1305(expand(HPKE, secret, b"key", schedule, 32)).decrypt(nonce, ciphertext, b"")
