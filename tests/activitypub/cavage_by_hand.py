"""Requests signed by hand, after draft-cavage-http-signatures-12, to hold our own code against."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256, HashAlgorithm

from activitypub import digest, keys, signatures
from activitypub.message import Request

NOW = datetime(2026, 1, 15, 10, tzinfo=UTC)
UNIX = int(NOW.timestamp())
KEY_ID = "https://ada.example/actors/01HZA#main-key"
KEY, OTHER, ED25519 = keys.new_rsa(), keys.new_rsa(), keys.new_ed25519()
BODY = b'{"a":1}'
POST = Request("POST", "https://social.example", "/inbox", {"content-type": "application/activity+json"}, BODY)
GET = Request("GET", "https://social.example", "/users/mia?page=1", {"accept": "application/activity+json"})
SENT = {
    "host": "social.example",
    "date": "Thu, 15 Jan 2026 10:00:00 GMT",
    "digest": f"SHA-256={digest.of(BODY)}",
    "content-type": "application/activity+json",
}
COVER = "(request-target) host date digest"
FRESH = "(request-target) host (created) digest"


def theirs(
    cover: str = COVER,
    algorithm: str | None = "rsa-sha256",
    key: RSAPrivateKey | Ed25519PrivateKey = KEY,
    hashed: HashAlgorithm | None = None,
    headers: dict[str, str] | None = None,
    more: str = "",
    request: Request = POST,
) -> Request:
    """Signed by hand, after the draft: `more` are parameters, whose values stand for their pseudo-headers."""
    sent = SENT if headers is None else headers
    values = {**sent, "(request-target)": f"{request.method.lower()} {request.target}"}
    values |= {f"({name})": value.strip('"') for name, _, value in (one.partition("=") for one in more.split(","))}
    text = "\n".join(f"{name}: {values.get(name, '')}" for name in cover.lower().split()).encode()
    made = key.sign(text) if isinstance(key, Ed25519PrivateKey) else key.sign(text, PKCS1v15(), hashed or SHA256())
    names = [f'keyId="{KEY_ID}"', f'headers="{cover}"', f'signature="{b64encode(made).decode()}"', more]
    names += [f'algorithm="{algorithm}"'] if algorithm else []
    return replace(request, headers={**sent, "signature": ",".join(filter(None, names))})


def changed(request: Request, **headers: str | None) -> Request:
    values = {**request.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return replace(request, headers={name: value for name, value in values.items() if value is not None})


def accept(request: Request, now: datetime = NOW, key: keys.PublicKey | None = None) -> None:
    signature = signatures.read(request, now)
    assert (signature.scheme, signature.key_id) == ("cavage", KEY_ID)
    signature.verify(key or KEY.public_key())
