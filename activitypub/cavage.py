"""HTTP signatures as nearly everybody still makes them: draft-cavage-http-signatures-12."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256

from activitypub import digest as digests
from activitypub.errors import Malformed, Unverified
from activitypub.message import Request, Signature, check_key_id, check_window, joined

POST = ("(request-target)", "host", "date", "digest", "content-type")  # what we sign, in this order (P-060)
GET = ("(request-target)", "host", "date", "accept")
ALSO = ("collection-synchronization",)  # where it is sent (P-170)

_ALGORITHMS = {
    "hs2019": ("rsa-v1_5-sha256", "rsa-v1_5-sha512", "ed25519"),  # the key decides
    "rsa-sha256": ("rsa-v1_5-sha256",),
    "rsa-sha512": ("rsa-v1_5-sha512",),
}
_PARAMETER = re.compile(r'\s*(\w+)\s*=\s*(?:"([^"]*)"|([^\s",]+))\s*(?:,|$)|\s*(\S)')
_MOMENT = re.compile(r"\d{1,11}(?:\.\d{1,9})?", re.ASCII)
_PADDING, _HASH = PKCS1v15(), SHA256()


def sign(request: Request, key_id: str, key: RSAPrivateKey, now: datetime, digest: str | None = None) -> dict[str, str]:
    """The headers to send in addition to those of `request`, which has ``content-type`` or (GET) ``accept`` (P-060).

    `digest` is `digest.of` the body, if that is known already.
    """
    added = {"host": request.authority, "date": format_datetime(now.astimezone(UTC), usegmt=True)}
    if request.has_content:
        added["digest"] = digests.write(digest or digests.of(request.body))
    names = (*(POST if request.has_content else GET), *(one for one in ALSO if one in request.headers))
    base = signing_string(request, names, {**request.headers, **added}, request.target)
    value = b64encode(key.sign(base, _PADDING, _HASH)).decode()
    added["signature"] = f'keyId="{key_id}",algorithm="rsa-sha256",headers="{" ".join(names)}",signature="{value}"'
    return added


def read(request: Request, now: datetime) -> Signature:
    """What the ``Signature`` of `request` claims, or the one in ``Authorization``.

    Raise `Unverified` if it is absent, covers too little (P-055), is too old (P-056), was made for another host (P-058)
    or for another body (P-057); `Malformed` if it cannot be read or has a parameter twice (P-053).
    """
    given = _parameters(_header(request.headers))
    algorithm = given.get("algorithm", "hs2019").lower()
    if algorithm not in _ALGORITHMS:
        raise Unverified(f"the algorithm {algorithm[:50]!r} is not hs2019, rsa-sha256 or rsa-sha512")
    names = _names(given, algorithm)
    _check_cover(names, given, algorithm, request)
    _check_time(names, given, request.headers, now)
    _check_host(request)
    if "digest" in names:
        digests.check(request.headers.get("digest", ""), request.body)
    special = {f"({name})": given[name] for name in ("created", "expires") if name in given}
    bases = tuple(
        signing_string(request, names, {**request.headers, **special}, target) for target in _targets(request)
    )
    return Signature("cavage", check_key_id(given["keyid"]), _ALGORITHMS[algorithm], _value(given), bases)


def signing_string(request: Request, names: tuple[str, ...], values: Mapping[str, str], target: str) -> bytes:
    """What is signed (section 2.3). Raise `Unverified` if a name has no value, or one that would forge a line."""
    values = {**values, "(request-target)": f"{request.method.lower()} {target}"}
    try:
        return joined([f"{name}: {values[name].strip()}" for name in names])
    except KeyError as error:
        raise Unverified(f"the signature covers {error.args[0][:50]}, which the request lacks") from error


def _header(headers: Mapping[str, str]) -> str:
    header = headers.get("signature") or headers.get("authorization", "")
    scheme, _, rest = header.lstrip().partition(" ")
    if scheme.lower() == "signature":
        return rest
    if "signature" in headers:
        return header
    raise Unverified("the request has no Signature")


def _parameters(header: str) -> dict[str, str]:
    """By their names in lower case. Raise `Malformed` for a parameter that occurs twice or cannot be read."""
    given: dict[str, str] = {}
    for found in _PARAMETER.finditer(header):  # one by one: junk ends it, however much of it there is
        name, quoted, token, junk = found.groups()
        if junk:
            raise Malformed('Signature is not a list of name="value" with commas between')
        if name.lower() in given:
            raise Malformed(f"Signature has {name[:50]} twice")
        given[name.lower()] = quoted or token or ""
    if absent := [name for name in ("keyId", "signature") if not given.get(name.lower())]:
        raise Unverified(f"Signature has no {' and no '.join(absent)}")
    return given


def _names(given: Mapping[str, str], algorithm: str) -> tuple[str, ...]:
    """What is covered, in order; by default next to nothing (P-054)."""
    return tuple(given.get("headers", "(created)" if algorithm == "hs2019" else "date").lower().split())


def _check_cover(names: tuple[str, ...], given: dict[str, str], algorithm: str, request: Request) -> None:
    needed = {"(request-target)", "host"} | ({"digest"} if request.has_content else set())
    if missing := needed.difference(names):
        raise Unverified(f"the signature does not cover {', '.join(sorted(missing))}")
    if "date" not in names and "(created)" not in names:
        raise Unverified("the signature covers neither date nor (created)")
    if len(set(names)) != len(names):
        raise Unverified("the signature covers a header twice")
    for name in ("created", "expires"):
        if f"({name})" in names and (name not in given or algorithm != "hs2019"):
            raise Unverified(f"({name}) goes with its parameter and with hs2019 only")


def _check_time(names: tuple[str, ...], given: dict[str, str], headers: Mapping[str, str], now: datetime) -> None:
    """By ``created`` or ``Date``, whichever is signed: what is not could have been changed by whoever repeats it."""
    created = _seconds(given["created"]) if "(created)" in names else _date(headers.get("date", ""))
    check_window(created, _seconds(given["expires"]) if "expires" in given else None, now)


def _check_host(request: Request) -> None:
    port = ":443" if request.origin.startswith("https:") else ":80"
    if request.headers.get("host", "").strip().lower().removesuffix(port) != request.authority:
        raise Unverified(f"the signed Host is not {request.authority}")


def _seconds(moment: str) -> float:
    if not _MOMENT.fullmatch(moment):
        raise Unverified(f"{moment[:50]!r} is not a time in Unix seconds")
    return float(moment)


@lru_cache(maxsize=64)  # requests that come together are of the same second
def _date(header: str) -> float:
    try:
        date = parsedate_to_datetime(header)
        return date.replace(tzinfo=date.tzinfo or UTC).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError) as error:
        raise Unverified("the Date is not one that HTTP knows") from error


def _value(given: dict[str, str]) -> bytes:
    try:
        return b64decode(given["signature"], validate=True)
    except (binascii.Error, ValueError) as error:
        raise Unverified("the signature is not base64") from error


def _targets(request: Request) -> tuple[str, ...]:
    """As received; for a GET also without its query, which Fedify and old Mastodons leave out (P-059)."""
    path, question, _ = request.target.partition("?")
    return (request.target, path) if question and request.method == "GET" else (request.target,)
