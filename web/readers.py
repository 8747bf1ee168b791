"""Who asks: a request as its signature covers it, and whose signature that is."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.types import Scope

from activitypub import signatures
from activitypub.errors import ProtocolError
from activitypub.message import Request
from activitypub.origin import host
from federation import inbox
from federation.instance import Instance
from federation.keyring import GoneForEver


def headers(scope: Scope) -> dict[str, str]:
    """By name; of a name that occurs several times all values, joined with commas."""
    found: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def message(scope: Scope, given: Mapping[str, str], body: bytes = b"") -> Request:
    """A request with those headers, as its signature covers it.

    Its origin is as configured, never as it says itself (P-058, P-065).
    """
    here: Instance = scope["instance"]
    query = scope["query_string"]
    target = (scope.get("raw_path") or scope["path"].encode()) + (b"?" + query if query else b"")
    return Request(scope["method"], here.home, target.decode("latin-1"), given, body)


async def reader_of(scope: Scope) -> str | None:
    """Who signed the request; ``None`` if nobody did, or not so that it counts.

    Raise `HTTPException` 403 for a blocked domain, `keyring.TryLater` if the key's server cannot be asked now.
    """
    here: Instance = scope["instance"]
    request = message(scope, headers(scope))
    if "signature" not in request.headers:
        return None
    try:
        signature = signatures.read(request, here.now())
        if await here.blocks(host(signature.key_id)):
            raise HTTPException(403, "this server does not talk with yours")
        return await inbox.signer_of(here, signature, scope.get("came_from"))
    except (ProtocolError, GoneForEver):
        return None
