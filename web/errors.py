"""The one place where an error becomes a response: a sentence for machines, a page for people (P-101)."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

import structlog
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from activitypub.errors import ProtocolError
from activitypub.sentence import Sentence
from coop.errors import Trouble
from federation.allowance import PAUSE, TooOften
from federation.keyring import TryLater
from federation.store import Unavailable
from web import documents
from web.languages import N_, _, told
from web.negotiation import wants_document
from web.rendering import render
from web.session import LogIn, to_log_in

ACCEPT_SIGNATURE = 'sig1=("@method" "@target-uri" "content-digest");created;keyid'  # P-067

HEADINGS = {
    401: N_("Say who you are first"),
    403: N_("This is not for you"),
    404: N_("There is nothing here"),
    405: N_("There is nothing to look at here"),
    410: N_("This is gone"),
    429: N_("One thing at a time"),
    500: N_("Something broke here"),
    503: N_("Not just now"),
}
OTHERWISE = N_("That did not work")
SENTENCES = {  # for what the router refuses
    404: N_("there is nothing at this address, or it is not for everybody"),
    405: N_("this address is read, and not written to"),
}

FOR_PEOPLE = {  # in place of what tells a program what to do
    documents.SIGN: N_("this is for those who say who they are: search for its address on your own server"),
    documents.INBOX: N_("other servers leave here what is for somebody at this one"),
}

log = structlog.get_logger()


class Errors:
    """Answers for whatever is raised below it. What nobody foresaw is logged, and told without its details."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def noting(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, receive, noting)
        except Exception as error:  # this is the edge
            if started or scope["type"] != "http":
                raise
            await respond(scope, error)(scope, receive, send)


def respond(scope: Scope, error: Exception) -> Response:
    accept = Headers(scope=scope).get("accept", "")
    if isinstance(error, LogIn) and "text/html" in accept:
        return RedirectResponse(to_log_in(Request(scope)), 303, {"Cache-Control": "no-store"})
    status, sentence, headers = explain(error)
    if status == 500:
        log.error("request.failed", path=scope["path"], exc_info=error)
    headers = {**headers, "Cache-Control": "no-store"}
    if "text/html" not in accept or wants_document(accept):
        return JSONResponse({"error": told(sentence)}, status, {**headers, "Access-Control-Allow-Origin": "*"})
    words, plain = _(HEADINGS.get(status, OTHERWISE)), told(FOR_PEOPLE.get(sentence, sentence))
    found = render(scope["instance"], "error.html", status=status, heading=words, sentence=plain)
    return Response(found, status, headers, "text/html")


def explain(error: Exception) -> tuple[int, str, Mapping[str, str]]:
    """Status, sentence and headers for `error`."""
    match error:
        case HTTPException():
            is_ours = error.detail != HTTPStatus(error.status_code).phrase
            sentence = error.detail if is_ours else SENTENCES.get(error.status_code, error.detail)
            return error.status_code, sentence, _with_help(error.status_code, error.headers or {})
        case ProtocolError():
            return error.status, _words(error), _with_help(error.status, {})
        case Trouble():
            return error.status, _words(error), {}
        case LogIn():
            return 403, N_("log in first; nothing was done"), {}
        case TooOften():
            return 429, Sentence("%(why)s; send it again later", why=error), {"Retry-After": str(PAUSE)}
        case TryLater():
            return 503, Sentence("%(why)s; send it again later", why=error), {"Retry-After": "300"}
        case Unavailable():
            return (
                503,
                N_("nothing can be stored here now, and nothing was; send it again later"),
                {"Retry-After": "60"},
            )
        case _:
            return 500, N_("something broke here; it has been noted, and trying again later may help"), {}


def _words(error: Exception) -> str:
    """What it tells, with what is named in it still apart."""
    return error.args[0] if error.args else ""


def _with_help(status: int, headers: Mapping[str, str]) -> Mapping[str, str]:
    """Whoever is asked to sign is told how (P-067)."""
    return {**headers, "Accept-Signature": ACCEPT_SIGNATURE} if status == 401 else headers
