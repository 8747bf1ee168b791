"""How whoever is logged in comes in: where they are logged in, their password, passkeys and spare codes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from coop import logins, passkeys, spare_codes
from coop.errors import Trouble
from federation.instance import Instance
from web import inside, session
from web.attempts import SHORTEST, Attempts
from web.languages import N_, _, sentence
from web.session import text

BROWSERS = {"Firefox": "Firefox", "Edg": "Edge", "OPR": "Opera", "Chrom": "Chrome", "Safari": "Safari"}
MACHINES = {
    "Android": "Android",
    "iPhone": N_("an iPhone"),
    "iPad": N_("an iPad"),
    "Windows": "Windows",
    "Mac": N_("a Mac"),
}
MACHINES |= {"CrOS": N_("a Chromebook"), "Linux": "Linux"}


PLACES = {  # the pages of settings, by their addresses
    "/settings": N_("Profile"),
    "/settings/privacy": N_("Privacy"),
    "/settings/logins": N_("Logging in"),
    "/settings/appearance": N_("Looks"),
    "/settings/language": N_("Language"),
    "/settings/data": N_("Coming and going"),
}


async def get_settings(request: Request) -> Response:
    return await settings(request)


async def settings(request: Request, trouble: str = "", codes: Sequence[str] = ()) -> Response:
    """The page; with `codes` that are shown this once."""
    here: Instance = request.scope["instance"]
    visitor = await session.inhabitant(request)

    def read(db: Session) -> dict[str, Any]:
        browsers = logins.browsers_of(db, visitor.account.id, here.now())
        return {
            **inside.insider(db, visitor, here.home),
            "places": PLACES,
            "browsers": [(one, named(one.name), one.browser == visitor.browser) for one in browsers],
            "trouble": trouble,
            "shortest": SHORTEST,
            "has_password": visitor.account.password is not None,
            "passkeys": passkeys.of(db, visitor.account.id),
            "codes": codes,
            "codes_left": spare_codes.left(db, visitor.account.id),
            "done": request.query_params.get("done", "") if not trouble else "",
        }

    return inside.page(request, "settings.html", await here.store.read(read), 422 if trouble else 200)


def named(agent: str) -> str:
    """What people call a browser that calls itself `agent`: nearly all of them say that they are each other."""
    which = next((name for sign, name in BROWSERS.items() if sign in agent), _("A browser"))
    where = next((name for sign, name in MACHINES.items() if sign in agent), "")
    return _("%(browser)s on %(machine)s") % {"browser": which, "machine": _(where)} if where else which


async def change_password(request: Request) -> Response:
    """Whoever has another browser of theirs open is logged out there: it may be why the password is changed."""
    here: Instance = request.scope["instance"]
    sent = await session.form_of(request)
    visitor = await session.inhabitant(request)
    attempts: Attempts = request.scope["attempts"]
    if attempts.wait(None, visitor.account.handle, visitor.browser):
        return await settings(request, _("That was tried too often. Wait a minute."))
    kept = visitor.account.password
    if kept is not None and not await attempts.matches(kept, text(sent, "old")):
        return await settings(request, _("The old password is not that one. Nothing was changed."))
    try:
        hashed = await attempts.hash_of(text(sent, "new"))
    except Trouble as error:
        return await settings(request, sentence(error))
    await here.store.write(lambda tx: logins.change_password(tx, visitor.uri, hashed, visitor.browser))
    return inside.go(session.way_back(text(sent, "next") or "/settings/logins?done=password"))


async def log_out_elsewhere(request: Request) -> Response:
    """All browsers but this one; what is lost or borrowed is nobody's way in any more."""
    here: Instance = request.scope["instance"]
    await session.form_of(request)
    visitor = await session.inhabitant(request)
    await here.store.write(lambda tx: logins.leave_everywhere(tx, visitor.account.id, but=visitor.browser))
    return inside.go("/settings/logins?done=browsers")


async def make_codes(request: Request) -> Response:
    here: Instance = request.scope["instance"]
    await session.form_of(request)
    visitor = await session.inhabitant(request)
    made = await here.store.write(lambda tx: spare_codes.new(tx, visitor.account.id))
    return await settings(request, codes=made)


routes = [
    Route("/settings/logins", get_settings, methods=["GET"]),
    Route("/settings/password", change_password, methods=["POST"]),
    Route("/settings/codes", make_codes, methods=["POST"]),
    Route("/settings/browsers", log_out_elsewhere, methods=["POST"]),
]
