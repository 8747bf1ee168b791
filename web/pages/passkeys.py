"""Logging in with a passkey, and keeping them (WebAuthn). A browser without JavaScript has the password.

The law: what is signed is a challenge that was made for that very browser, minutes ago at the most, and is good once.
"""

from __future__ import annotations

import secrets
from typing import Any

import msgspec
from cachetools import TTLCache
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from activitypub.origin import host
from coop import passkeys
from coop.errors import Trouble
from federation.instance import Instance
from web import inside, limits, session
from web.languages import N_
from web.pages import door
from web.readers import headers
from web.session import text

CHALLENGES = 1_000, 300  # browsers, seconds
LONGEST = 64 * 1024  # octets of what a browser sends
NOT_THAT = N_("the passkey does not fit: nothing was changed; try again, or use your password")


async def begin_adding(request: Request) -> Response:
    """What the device is to make a key for."""
    from webauthn import generate_registration_options
    from webauthn.helpers.structs import (
        AuthenticatorSelectionCriteria,
        PublicKeyCredentialDescriptor,
        ResidentKeyRequirement,
        UserVerificationRequirement,
    )

    here: Instance = request.scope["instance"]
    await _sent(request)
    visitor = await session.inhabitant(request)
    mine = await here.store.read(lambda db: passkeys.of(db, visitor.account.id))
    wanted = AuthenticatorSelectionCriteria(
        resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
    )
    options = generate_registration_options(
        rp_id=_rp(here),
        rp_name=host(here.home),
        user_name=f"{visitor.account.handle}@{host(here.home)}",
        user_id=visitor.account.id.to_bytes(8, "big"),
        challenge=_challenge(request),
        authenticator_selection=wanted,
        exclude_credentials=[PublicKeyCredentialDescriptor(_bytes(one.id)) for one in mine],
    )
    return _json(options)


async def add(request: Request) -> Response:
    from webauthn import verify_registration_response
    from webauthn.helpers import bytes_to_base64url

    here: Instance = request.scope["instance"]
    sent = await _sent(request)
    visitor = await session.inhabitant(request)
    expected = _expected(request)
    try:
        made = verify_registration_response(
            credential=sent.get("credential", {}),
            expected_challenge=expected,
            expected_rp_id=_rp(here),
            expected_origin=here.home,
            require_user_verification=True,
        )
    except Exception as error:  # of whatever kind: what a stranger may send is read by its library
        raise Trouble(NOT_THAT) from error
    id_, name, way = bytes_to_base64url(made.credential_id), str(sent.get("name", "")), str(sent.get("next", ""))
    number, public, count = visitor.account.id, made.credential_public_key, made.sign_count
    await here.store.write(lambda tx: passkeys.add(tx, number, id_, public, count, name))
    return _go(session.way_back(way or "/settings/logins?done=passkey"))


async def begin_login(request: Request) -> Response:
    """Whoever it is: the device offers those whom it has a key of."""
    from webauthn import generate_authentication_options
    from webauthn.helpers.structs import UserVerificationRequirement

    here: Instance = request.scope["instance"]
    await _sent(request)
    return _json(
        generate_authentication_options(
            rp_id=_rp(here), challenge=_challenge(request), user_verification=UserVerificationRequirement.REQUIRED
        )
    )


async def log_in(request: Request) -> Response:
    from webauthn import verify_authentication_response

    here: Instance = request.scope["instance"]
    sent = await _sent(request)
    expected, credential = _expected(request), sent.get("credential", {})
    id_ = str(credential.get("id", "")) if isinstance(credential, dict) else ""
    row = await here.store.read(lambda db: passkeys.find(db, id_))
    try:
        done = verify_authentication_response(
            credential=credential,
            expected_challenge=expected,
            expected_rp_id=_rp(here),
            expected_origin=here.home,
            credential_public_key=row.public,
            credential_current_sign_count=row.count,
            require_user_verification=True,
        )
    except Exception as error:  # as above
        raise Trouble(NOT_THAT) from error
    await here.store.write(lambda tx: passkeys.was_used(tx, id_, done.new_sign_count))
    way = session.way_back(str(sent.get("next", "")))
    return await door.come_in(request, row.account, _go(way))


async def take_away(request: Request) -> Response:
    here: Instance = request.scope["instance"]
    sent = await session.form_of(request)
    visitor = await session.inhabitant(request)
    await here.store.write(lambda tx: passkeys.take_away(tx, visitor.account.id, text(sent, "passkey")))
    return inside.go("/settings/logins?done=no-passkey")


async def _sent(request: Request) -> dict[str, Any]:
    """What a page of ours sends. Raise `HTTPException` for what does not come from one."""
    session.check_origin(request)
    browser = session.browser_of(request)
    if browser.is_new or not secrets.compare_digest(request.headers.get("x-form", "").encode(), browser.token.encode()):
        raise HTTPException(403, session.STALE)
    body = await limits.read_body(headers(request.scope), request.receive)
    try:
        sent = msgspec.json.decode(body[: LONGEST + 1])
    except msgspec.MsgspecError as error:
        raise HTTPException(400, "that is not what a page of this house sends") from error
    if not isinstance(sent, dict):
        raise HTTPException(400, "that is not what a page of this house sends")
    return sent


def _challenge(request: Request) -> bytes:
    challenges: TTLCache[str, bytes] = request.scope["challenges"]
    made = challenges[session.browser_of(request).key] = secrets.token_bytes(32)
    return made


def _expected(request: Request) -> bytes:
    """The challenge of that browser; from now on it has none. Raise `Trouble` if it is too old."""
    challenges: TTLCache[str, bytes] = request.scope["challenges"]
    found = challenges.pop(session.browser_of(request).key, None)
    if found is None:
        raise Trouble("that took too long; try again")
    return found


def _rp(here: Instance) -> str:
    """The name that passkeys are bound to: of the host, whatever its port."""
    return host(here.home).partition(":")[0]


def _bytes(id_: str) -> bytes:
    from webauthn.helpers import base64url_to_bytes

    return base64url_to_bytes(id_)


def _go(path: str) -> Response:
    return Response(msgspec.json.encode({"go": path}), headers=inside.PRIVATE, media_type="application/json")


def _json(options: Any) -> Response:
    from webauthn import options_to_json

    return Response(options_to_json(options), headers=inside.PRIVATE, media_type="application/json")


routes = [
    Route("/passkeys/begin", begin_adding, methods=["POST"]),
    Route("/passkeys", add, methods=["POST"]),
    Route("/passkeys/take-away", take_away, methods=["POST"]),
    Route("/login/passkey/begin", begin_login, methods=["POST"]),
    Route("/login/passkey", log_in, methods=["POST"]),
]
