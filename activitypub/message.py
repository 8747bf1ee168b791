"""An HTTP request as a signature sees it, and what a signature on one claims."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Literal

from activitypub.errors import Malformed, Unverified
from activitypub.keys import PublicKey, matches
from activitypub.origin import host, origin

Scheme = Literal["cavage", "rfc9421"]

# Clocks are wrong by up to an hour; Mastodon, too, signs five minutes and forgives an hour (P-056).
MAX_AHEAD = 3600  # seconds
MAX_AGE = 3900  # seconds

MAX_KEY_ID = 2048  # characters

# The same few hosts come again and again, and taking an address apart is dear beside the rest.
_host = lru_cache(maxsize=1024)(host)


@dataclass(frozen=True, slots=True)
class Request:
    """As much of an HTTP request as a signature covers.

    `origin` is ``https://host[:port]``: of a received request our own, as configured, never as guessed from it (P-065).
    `target` is the raw path and query. Header names are lower-case; several lines of one name are joined by ``", "``;
    octets beyond ASCII are read as Latin-1.
    """

    method: str
    origin: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def url(self) -> str:
        return self.origin + self.target

    @property
    def authority(self) -> str:
        """Host, and the port unless it is the scheme's own."""
        return _host(self.origin)

    @property
    def has_content(self) -> bool:
        """Whether the method is one whose body means something, so that a digest of it has to be signed."""
        return self.method not in ("GET", "HEAD")


@dataclass(frozen=True, slots=True)
class Signature:
    """What a request claims: checked for cover, time and digest, but not yet against the key that it names."""

    scheme: Scheme
    key_id: str
    _algorithms: tuple[str, ...] = field(repr=False)  # any of which may have been used
    _value: bytes = field(repr=False)
    _bases: tuple[bytes, ...] = field(repr=False)  # any of which may have been signed

    def verify(self, key: PublicKey) -> None:
        """Raise `Unverified` unless `key` made this signature."""
        tries = ((algorithm, base) for base in self._bases for algorithm in self._algorithms)
        if not any(matches(key, algorithm, self._value, base) for algorithm, base in tries):
            raise Unverified(f"the signature does not match the key {self.key_id}")


def joined(lines: Sequence[str]) -> bytes:
    """`lines` as a signature covers them. Raise `Unverified` if one has a line break, which could forge another."""
    text = "\n".join(lines)
    if text.count("\n") != len(lines) - 1:
        raise Unverified("a signed header has a line break in it")
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError as error:
        raise Unverified("a signed header has characters that cannot be in one") from error


def check_key_id(key_id: str) -> str:
    """The same again. Raise `Unverified` unless it is a web address; ``acct:`` leads to no key (P-051)."""
    if len(key_id) > MAX_KEY_ID:
        raise Unverified(f"the key id is longer than {MAX_KEY_ID} characters")
    try:
        origin(key_id)
    except Malformed as error:
        raise Unverified(f"the key id {key_id[:200]!r} is not a web address") from error
    return key_id


def check_window(created: float, expires: float | None, now: datetime) -> None:
    """Raise `Unverified` unless a signature of these moments, in Unix seconds, may still be new (P-056)."""
    moment = now.timestamp()
    if created > moment + MAX_AHEAD:
        raise Unverified(f"the signature is from the future; it is {now:%a, %d %b %Y %H:%M:%S} GMT here")
    if moment > created + MAX_AGE or (expires is not None and moment > expires):
        raise Unverified(f"the signature has expired; it is {now:%a, %d %b %Y %H:%M:%S} GMT here")
