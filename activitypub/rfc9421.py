"""HTTP Message Signatures: RFC 9421, in the profile that the fediverse uses."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import http_sf
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256

from activitypub import digest as digests
from activitypub.errors import Malformed, Unverified
from activitypub.keys import ALGORITHMS
from activitypub.message import Request, Signature, check_key_id, check_window, joined

POST = ("@method", "@target-uri", "content-digest")  # what we sign (P-066)
GET = ("@method", "@target-uri")
ALSO = ("collection-synchronization",)  # where it is sent (P-170)
MAX_LABELS = 4  # that we look at (P-061)

_DEFAULT = ("rsa-v1_5-sha256", "ed25519")  # without alg the key decides (P-063)
_DERIVED: dict[str, Callable[[Request], str]] = {
    "@method": lambda request: request.method,
    "@target-uri": lambda request: request.url,
    "@authority": lambda request: request.authority,
    "@scheme": lambda request: request.origin.partition("://")[0],
    "@request-target": lambda request: request.target,
    "@path": lambda request: request.target.partition("?")[0] or "/",
    "@query": lambda request: f"?{request.target.partition('?')[2]}",
}
_PADDING, _HASH = PKCS1v15(), SHA256()

Parameters = dict[str, Any]


def sign(request: Request, key_id: str, key: RSAPrivateKey, now: datetime, digest: str | None = None) -> dict[str, str]:
    """The headers to send in addition to those of `request` (P-066); `digest` is `digest.of` its body, if known."""
    added = {}
    if request.has_content:
        added["content-digest"] = digests.write_content(digest or digests.of(request.body))
    names = (*(POST if request.has_content else GET), *(one for one in ALSO if one in request.headers))
    covered = " ".join(f'"{name}"' for name in names)
    parameters = f'({covered});created={int(now.timestamp())};keyid="{key_id}";alg="rsa-v1_5-sha256"'
    value = b64encode(
        key.sign(signature_base(request, names, {**request.headers, **added}, parameters), _PADDING, _HASH)
    ).decode()
    return {**added, "signature-input": f"sig1={parameters}", "signature": f"sig1=:{value}:"}


def accept_signature(method: str = "POST") -> str:
    """The value of ``Accept-Signature`` beside a 401, for those who then sign again (P-067)."""
    covered = " ".join(f'"{name}"' for name in (POST if method == "POST" else GET))
    return f"sig1=({covered});created;keyid"


def read(request: Request, now: datetime) -> Signature:
    """What the first acceptable signature of `request` claims (P-061).

    Raise `Unverified` if none covers enough (P-062), or if that one is too old, or for another body (P-064);
    `Malformed` if a field is not one of RFC 8941.
    """
    names, parameters, value = _first_acceptable(request)
    check_window(parameters["created"], parameters.get("expires"), now)
    if "content-digest" in names:
        digests.check_content(request.headers.get("content-digest", ""), request.body)
    signed: Any = ([*names], parameters)
    base = signature_base(request, names, request.headers, http_sf.ser([signed]))
    algorithm = parameters.get("alg")
    return Signature("rfc9421", parameters["keyid"], (algorithm,) if algorithm else _DEFAULT, value, (base,))


def signature_base(request: Request, names: Sequence[str], values: Mapping[str, str], parameters: str) -> bytes:
    """What is signed (section 2.5). Raise `Unverified` if a name has no value, or one that would forge a line."""
    lines = []
    for name in names:
        derived = _DERIVED.get(name)
        value = derived(request) if derived else values.get(name)
        if value is None:
            raise Unverified(f"the signature covers {name[:50]}, which the request lacks or we do not know")
        lines.append(f'"{name}": {value.strip()}')
    return joined([*lines, f'"@signature-params": {parameters}'])


def _first_acceptable(request: Request) -> tuple[tuple[str, ...], Parameters, bytes]:
    """Components, parameters and value of the first signature with a key id and cover that we accept."""
    inputs = digests.dictionary("Signature-Input", request.headers.get("signature-input", ""))
    values = digests.dictionary("Signature", request.headers.get("signature", ""))
    refusal = Unverified("no label is in both Signature-Input and Signature")
    for label in [label for label in inputs if label in values][:MAX_LABELS]:
        (components, parameters), (value, _) = inputs[label], values[label]
        if not isinstance(components, list) or not isinstance(value, bytes):
            raise Malformed(f"{label[:50]} is not a list of components with a signature (RFC 9421, section 4)")
        try:
            names = _covered(components, request)
            _check_parameters(parameters)
        except Unverified as error:
            refusal = error
        else:
            return names, parameters, value
    raise refusal


def _covered(components: list[tuple[Any, Parameters]], request: Request) -> tuple[str, ...]:
    """Their names. Raise `Unverified` for any that we cannot compute, and if they are too few (P-062)."""
    for name, parameters in components:
        if not isinstance(name, str) or parameters or (name.startswith("@") and name not in _DERIVED):
            raise Unverified(f"the signature covers {str(name)[:50]} in a way that we do not know")
    names = tuple(name for name, _ in components)
    if len(set(names)) != len(names):
        raise Unverified("the signature covers a component twice")
    _check_cover(set(names), request)
    return names


def _check_cover(names: set[str], request: Request) -> None:
    if missing := ({"@method", "content-digest"} if request.has_content else {"@method"}) - names:
        raise Unverified(f"the signature does not cover {', '.join(sorted(missing))}")
    by_path = {"@authority", "@path", "@query"} if "?" in request.target else {"@authority", "@path"}
    if not any(choice <= names for choice in ({"@target-uri"}, {"@authority", "@request-target"}, by_path)):
        raise Unverified(f"the signature covers neither @target-uri nor {' with '.join(sorted(by_path))}")


def _check_parameters(parameters: Parameters) -> None:
    """Raise `Unverified` unless there is a key id, a time and, if any, an algorithm that we know (P-062, P-063)."""
    if not isinstance(parameters.get("keyid"), str) or type(parameters.get("created")) is not int:
        raise Unverified("the signature has no keyid or no created")
    check_key_id(parameters["keyid"])
    if type(parameters.get("expires", 0)) is not int:
        raise Unverified("the signature's expires is not a time in Unix seconds")
    algorithm = parameters.get("alg", "ed25519")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise Unverified(f"the algorithm is none of {', '.join(sorted(ALGORITHMS))}")
