"""Requests signed by hand, after RFC 9421, to hold our own code against."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256, SHA512

from activitypub import keys, signatures
from activitypub.message import Request

NOW = datetime(2026, 1, 15, 10, tzinfo=UTC)
UNIX = int(NOW.timestamp())
KEY_ID = "https://ada.example/actors/01HZA#main-key"
KEY, OTHER, ED25519 = keys.new_rsa(), keys.new_rsa(), keys.new_ed25519()
BODY = b'{"a":1}'
CONTENT_DIGEST = "sha-256=:AVq9f1zFei3ZS3WQ8ErYCEJzkF7jPsXOvq5iJ2qX+GI=:"
HEADERS = {"host": "social.example", "date": "Thu, 15 Jan 2026 10:00:00 GMT", "content-digest": CONTENT_DIGEST}
POST = Request("POST", "https://social.example", "/inbox", HEADERS, BODY)
GET = Request("GET", "https://social.example", "/users/mia?page=1", {"host": "social.example"})
VALUES = {  # of POST, by hand
    "@method": "POST",
    "@target-uri": "https://social.example/inbox",
    "@authority": "social.example",
    "@scheme": "https",
    "@request-target": "/inbox",
    "@path": "/inbox",
    "@query": "?",
    **HEADERS,
}
COVER = "@method @target-uri content-digest"
FRESH = f";created={UNIX}"
NAMED = f';keyid="{KEY_ID}"'
Signer = Callable[[bytes], bytes]
SIGNERS: dict[str, Signer] = {
    "rsa-v1_5-sha256": lambda text: KEY.sign(text, PKCS1v15(), SHA256()),
    "rsa-v1_5-sha512": lambda text: KEY.sign(text, PKCS1v15(), SHA512()),
    "rsa-pss-sha512": lambda text: KEY.sign(text, PSS(MGF1(SHA512()), 64), SHA512()),
    "ed25519": ED25519.sign,
}


def inputs(cover: str = COVER, parameters: str = FRESH + NAMED) -> str:
    return "(" + " ".join(f'"{name}"' for name in cover.split()) + ")" + parameters


def theirs(
    cover: str = COVER,
    parameters: str = FRESH + NAMED,
    values: dict[str, str] | None = None,
    signer: Signer = SIGNERS["rsa-v1_5-sha256"],
    request: Request = POST,
) -> Request:
    """Signed by hand, after the RFC."""
    known = {**VALUES, **(values or {})}
    lines = [f'"{name}": {known.get(name, "")}' for name in cover.split()]
    lines.append(f'"@signature-params": {inputs(cover, parameters)}')
    value = b64encode(signer("\n".join(lines).encode())).decode()
    return changed(request, signature_input=f"sig1={inputs(cover, parameters)}", signature=f"sig1=:{value}:")


def changed(request: Request, **headers: str | None) -> Request:
    values = {**request.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return replace(request, headers={name: value for name, value in values.items() if value is not None})


def accept(request: Request, now: datetime = NOW, key: keys.PublicKey | None = None) -> None:
    signature = signatures.read(request, now)
    assert (signature.scheme, signature.key_id) == ("rfc9421", KEY_ID)
    signature.verify(key or KEY.public_key())
