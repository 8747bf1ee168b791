"""Signatures on requests, in whichever of the two dialects they come."""

from __future__ import annotations

from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from activitypub import cavage, rfc9421
from activitypub.message import Request, Scheme, Signature


def read(request: Request, now: datetime) -> Signature:
    """What the signature of `request` claims, checked for all but the key: RFC 9421 iff it has ``Signature-Input``.

    Raise `Unverified` if there is none or one that proves too little, `Malformed` if it cannot be read (P-061, B1).
    """
    return rfc9421.read(request, now) if "signature-input" in request.headers else cavage.read(request, now)


def sign(
    scheme: Scheme, request: Request, key_id: str, key: RSAPrivateKey, now: datetime, digest: str | None = None
) -> dict[str, str]:
    """The headers to send in addition to those of `request`; `digest` is `digest.of` its body, if known already."""
    chosen = rfc9421.sign if scheme == "rfc9421" else cavage.sign
    return chosen(request, key_id, key, now, digest)
