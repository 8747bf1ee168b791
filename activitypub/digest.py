"""Digests of a body in headers: ``Digest`` (RFC 3230) and ``Content-Digest`` (RFC 9530)."""

from __future__ import annotations

import binascii
import hashlib
from base64 import b64decode, b64encode
from collections.abc import Callable
from hmac import compare_digest
from typing import Any, cast

import http_sf

from activitypub.errors import Malformed, Unverified

_KNOWN: dict[str, Callable[[bytes], Any]] = {"sha-256": hashlib.sha256, "sha-512": hashlib.sha512}


def of(body: bytes) -> str:
    """SHA-256 in base64: computed once for a body that goes to many inboxes."""
    return b64encode(hashlib.sha256(body).digest()).decode()


def write(digest: str) -> str:
    """The value of ``Digest`` for `of` a body."""
    return f"SHA-256={digest}"


def write_content(digest: str) -> str:
    """The value of ``Content-Digest`` for `of` a body."""
    return f"sha-256=:{digest}:"


def check(header: str, body: bytes) -> None:
    """Raise `Unverified` unless ``Digest`` has a SHA-256, and each SHA-256 and SHA-512 in it is the body's (P-057)."""
    entries = [entry.strip().partition("=") for entry in header.split(",")]
    digests = [(name.lower(), value) for name, _, value in entries]
    if not any(name == "sha-256" for name, _ in digests):
        raise Unverified("the Digest has no SHA-256")
    for name, value in digests:
        if name in _KNOWN:
            _compare("Digest", name, _decoded(value), body)


def check_content(header: str, body: bytes) -> None:
    """Raise `Unverified` unless ``Content-Digest`` has a known digest, and each of them is the body's (P-064).

    Raise `Malformed` if it is not a dictionary of RFC 8941, or says something twice.
    """
    digests = dictionary("Content-Digest", header)
    if not digests.keys() & _KNOWN.keys():
        raise Unverified("the Content-Digest has no sha-256")
    for name in digests.keys() & _KNOWN.keys():
        value = digests[name][0]
        _compare("Content-Digest", name, value if isinstance(value, bytes) else b"", body)


def dictionary(name: str, header: str) -> dict[str, Any]:
    """A dictionary of RFC 8941 whose keys and parameters occur once each. Raise `Malformed` for anything else."""

    def refuse(key: str, _: str) -> None:
        raise Malformed(f"{name} has {key} twice")

    try:
        parsed = http_sf.parse(header.encode("latin-1"), tltype="dictionary", on_duplicate_key=refuse)
    except ValueError as error:
        raise Malformed(f"{name} is not a structured field (RFC 8941): {error}") from error
    return cast(dict[str, Any], parsed)


def _decoded(value: str) -> bytes:
    try:
        return b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _compare(header: str, name: str, value: bytes, body: bytes) -> None:
    if not compare_digest(value, _KNOWN[name](body).digest()):
        raise Unverified(f"the {name} in {header} is not that of the body that arrived")
