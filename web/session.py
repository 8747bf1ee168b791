"""Browsers: who is logged in there, and forms that only they can have sent.

The law: nothing is done for a request but what its browser's secret allows, and nothing is done by POST unless the form
that was sent came from a page of ours in that very browser.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import quote

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import Response

from coop import logins
from coop.logins import Visitor
from federation.instance import Instance
from federation.store import Unavailable
from web import languages, limits
from web.languages import N_, _

TOKEN = "token"  # noqa: S105 - the name of the field, which no form has as a property of its own
LASTS = int(logins.LASTS.total_seconds())
FIELDS, FILES = 200, 8  # of one form
FIELD = 512 * 1024  # octets
STALE = N_(
    "this form is from before you logged in, or from another page: nothing was done; go back, reload and try again"
)

_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")
_ELSEWHERE = re.compile(r"//|/\\|[\x00-\x1f\x7f\\]")


class LogIn(Exception):
    """Whoever asks has to log in first, and comes back here then."""


@dataclass(frozen=True, slots=True)
class Browser:
    """What a browser proves itself with: made by us, known to it alone."""

    secret: str
    is_new: bool

    @classmethod
    def new(cls) -> Browser:
        return cls(secrets.token_urlsafe(32), is_new=True)

    @property
    def key(self) -> str:
        """By what it is kept."""
        return logins.hashed(self.secret)

    @property
    def token(self) -> str:
        """What stands in our forms, and tells nobody the secret."""
        return hmac.new(self.secret.encode(), b"form", sha256).hexdigest()


def browser_of(request: Request) -> Browser:
    """The browser that asks, or a secret for one that has none yet."""
    found: Browser | None = request.scope.get("browser")
    if found is None:
        given = request.cookies.get(_cookie(request), "")
        found = Browser(given, is_new=False) if _SECRET.fullmatch(given) else Browser.new()
        request.scope["browser"] = found
    return found


def hand_out(request: Request, response: Response, browser: Browser) -> Response:
    """Let the browser keep its secret."""
    is_safe = _is_over_tls(request)
    response.set_cookie(
        _cookie(request), browser.secret, max_age=LASTS, path="/", secure=is_safe, httponly=True, samesite="lax"
    )
    return response


async def visitor_of(request: Request) -> Visitor | None:
    """Whoever is logged in in the browser that asks."""
    if "visitor" not in request.scope:
        here: Instance = request.scope["instance"]
        browser = browser_of(request)
        now = here.now()
        found = None
        if not browser.is_new:
            found = await here.store.read(lambda db: logins.visitor(db, browser.key, now))
        if found is not None and not found.is_noted:
            with suppress(Unavailable):  # they may read nevertheless
                await here.store.write(lambda tx: logins.come_by(tx, browser.key))
        request.scope["visitor"] = found
    known: Visitor | None = request.scope["visitor"]
    languages.speak(known.account.language if known else None)
    return known


async def inhabitant(request: Request) -> Visitor:
    """Whoever is logged in. Raise `LogIn` if nobody is."""
    found = await visitor_of(request)
    if found is None:
        raise LogIn
    return found


async def form_of(request: Request, most: int = limits.MAX_BODY) -> FormData:
    """What was sent with a form of ours, of `most` octets; more than usual only from whoever is logged in.

    Raise `HTTPException` for what did not come from a page of ours.
    """
    sent = await sent_by_anybody(request, most)
    browser = browser_of(request)
    if browser.is_new or not hmac.compare_digest(text(sent, TOKEN).encode(), browser.token.encode()):
        raise HTTPException(403, STALE)
    return sent


async def sent_by_anybody(request: Request, most: int = limits.MAX_BODY) -> FormData:
    """What was sent with a form of a page that everybody sees: nothing may be done in anybody's name for it."""
    check_origin(request)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in ("application/x-www-form-urlencoded", "multipart/form-data"):
        raise HTTPException(415, "this address takes what a form sends")
    length = request.headers.get("content-length", "")
    if not length.isdecimal() or int(length[:20]) > most:
        raise HTTPException(413, _("a form may have %(number)s bytes here; nothing was done") % {"number": f"{most:,}"})
    try:
        sent = await request.form(max_files=FILES, max_fields=FIELDS, max_part_size=FIELD)
        request.scope["sent"] = sent  # whose files are closed when all is done
    except (MultiPartException, UnicodeDecodeError) as error:
        raise HTTPException(400, _("the form cannot be read: %(why)s") % {"why": error}) from error
    return sent


def check_origin(request: Request) -> None:
    """Raise `HTTPException` for what a page of another origin had this browser send (Fetch Metadata, RFC 6454)."""
    here: Instance = request.scope["instance"]
    site = request.headers.get("sec-fetch-site", "same-origin")
    origin = request.headers.get("origin", here.home)
    if site not in ("same-origin", "none") or origin != here.home:
        raise HTTPException(403, STALE)


def text(sent: Mapping[str, object], name: str) -> str:
    """What was typed into a field; nothing, if it is a file. What no charset can write is not in it."""
    found = sent.get(name, "")
    if not isinstance(found, str):
        return ""
    return found.encode(errors="replace").decode().replace("\r\n", "\n").replace("\0", "")


def way_back(path: str) -> str:
    """`path`, if it is one of ours to go on to after a login."""
    return path if path.startswith("/") and not _ELSEWHERE.match(path) and path.isprintable() else "/today"


def to_log_in(request: Request) -> str:
    """Where to log in, and come back from."""
    query = request.scope["query_string"].decode("latin-1")
    path = request.url.path + (f"?{query}" if query else "") if request.method == "GET" else "/today"
    return f"/login?next={quote(path, safe='/')}"


def _cookie(request: Request) -> str:
    """Over TLS a name that no neighbouring host can set (RFC 6265bis, 4.1.3)."""
    return "__Host-boxroom" if _is_over_tls(request) else "boxroom"


def _is_over_tls(request: Request) -> bool:
    here: Instance = request.scope["instance"]
    return here.home.startswith("https://")
