"""Checking an endorsement that came from anywhere, for anybody: what it says, and whether that is to be believed.

The law: what is pasted is a stranger's word. Nothing in it is fetched, kept or shown but what the signature is about.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from activitypub.errors import ProtocolError
from coop import verdicts
from coop.errors import Trouble
from federation.instance import Instance
from web import inside, session, shown
from web.languages import _, told
from web.pages.copies import sighting
from web.pages.giving import CAPACITIES
from web.session import text

MAX_COPY = 256 * 1024  # octets
_MARK = b"\xef\xbb\xbf"  # with which some editors begin a file
GIVEN_BACK = 20_000  # characters that stand in the form again, if they were not to be read


async def get_check(request: Request) -> Response:
    return check_page(request)


def check_page(request: Request, pasted: str = "", trouble: str = "", **found: Any) -> Response:
    """The form; with what was found, or with why nothing was."""
    kept = pasted if len(pasted) <= GIVEN_BACK else ""
    values = {"pasted": kept, "trouble": trouble, "seal": None, "key": None, "capacities": CAPACITIES, **found}
    return inside.page(request, "check.html", values, 422 if trouble else 200)


async def check(request: Request) -> Response:
    """Judge what was pasted or uploaded by what this server has seen itself, and without asking anybody."""
    here: Instance = request.scope["instance"]
    sent = await session.form_of(request)
    pasted = text(sent, "pasted")
    try:
        body = await _copy(sent, pasted)
        found = await here.store.read(lambda db: _judged(db, here, body))
    except (Trouble, ProtocolError) as error:
        trouble = _("That is no endorsement that can be checked: %(reason)s.") % {"reason": told(error)}
        return check_page(request, pasted, trouble)
    finally:
        await sent.close()
    return check_page(request, **found)


async def _copy(sent: FormData, pasted: str) -> bytes:
    """What was uploaded, or else pasted. Raise `Trouble` for nothing, and for too much."""
    file = sent.get("file")
    body = await file.read(MAX_COPY + 1) if isinstance(file, UploadFile) else b""
    body = body or pasted.encode()
    if len(body) > MAX_COPY:
        raise Trouble(_("an endorsement has at most %(number)s bytes") % {"number": f"{MAX_COPY:,}"})
    if not body.strip():
        raise Trouble("paste an endorsement, or choose the file that it is in")
    return body.removeprefix(_MARK).strip()


def _judged(db: Session, here: Instance, body: bytes) -> dict[str, Any]:
    inner, found = verdicts.verify_here(db, body, here.now())
    seal = shown.copied(db, inner, found, here.home)
    return {"seal": seal, "key": sighting(db, seal.key)}


routes = [
    Route("/check", get_check, methods=["GET"]),
    Route("/check", check, methods=["POST"]),
]
