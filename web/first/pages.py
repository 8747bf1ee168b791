"""The first run, step by step: whose studio it is, its address, how one comes in, and the sheet to keep."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from activitypub import identity
from coop import logins
from coop.errors import Trouble
from web import inside, session
from web.attempts import SHORTEST
from web.first import draft as drafts
from web.first.beginning import STEPS, Beginning
from web.languages import N_, _, sentence, told
from web.session import Browser, text

LONGEST = 300  # characters of what is typed
STATES = {"well": N_("well"), "look": N_("look at this"), "must": N_("this does not work yet")}
THINGS = {
    "permissions": N_("Folder"),
    "disk": N_("Disk"),
    "name": N_("Name"),
    "certificate": N_("Certificate"),
    "proxy": N_("Proxy"),
    "machine": N_("Way back"),
}

Page = Callable[[Request, Beginning], Awaitable[Response]]


def opened(page: Page, step: str = "") -> Callable[[Request], Awaitable[Response]]:
    """The endpoint of a page for the browser that opened the link, once it has come as far as `step`."""
    names = list(STEPS)

    async def endpoint(request: Request) -> Response:
        beginning: Beginning = request.scope["beginning"]
        if session.browser_of(request).key != beginning.browser:
            return _closed(request, beginning)
        if step and names.index(step) > names.index(beginning.step):
            return inside.go(STEPS[beginning.step])
        return await page(request, beginning)

    return endpoint


def _closed(request: Request, beginning: Beginning) -> Response:
    was_used = beginning.browser is not None
    values = {"host": _("A new studio"), "was_used": was_used, "asked": "key" in request.query_params}
    return inside.page(request, "first/closed.html", values, 403)


def _page(request: Request, beginning: Beginning, step: str, trouble: str = "", **more: Any) -> Response:
    values = {
        "host": _("A new studio"),
        "step": step,
        "steps": STEPS,
        "reached": list(STEPS).index(beginning.step),
        "draft": beginning.draft,
        "trouble": trouble,
        **more,
    }
    return inside.page(request, f"first/{step}.html", values, 422 if trouble else 200)


# --- The link ------------------------------------------------------------------------------------------------------


async def get_first(request: Request) -> Response:
    """The link that the program printed; without its key, the first step."""
    beginning: Beginning = request.scope["beginning"]
    key, browser = request.query_params.get("key"), Browser.new()
    if key is not None and beginning.opens(key, browser.key):
        return session.hand_out(request, inside.go(STEPS[beginning.step]), browser)
    return await opened(get_whose)(request)


# --- Whose it is ---------------------------------------------------------------------------------------------------


async def get_whose(request: Request, beginning: Beginning) -> Response:
    return _page(request, beginning, "whose")


async def say_whose(request: Request, beginning: Beginning) -> Response:
    sent = await session.form_of(request)
    typed: dict[str, Any] = {name: text(sent, name).strip()[:LONGEST] for name in ("name", "handle", "kind")}
    draft = msgspec.structs.replace(beginning.draft, **{**typed, "handle": typed["handle"].removeprefix("@")})
    try:
        drafts.check_whose(draft)
    except Trouble as error:
        return _page(request, beginning, "whose", sentence(error), draft=draft)
    beginning.type(draft)
    return inside.go(STEPS["address"])


# --- Its address ---------------------------------------------------------------------------------------------------


async def get_address(request: Request, beginning: Beginning) -> Response:
    return _address(request, beginning, beginning.draft.url)


def _address(request: Request, beginning: Beginning, typed: str, trouble: str = "") -> Response:
    more: dict[str, Any] = {"typed": typed, "trial": beginning.ground.trial}
    more |= {"seen": () if trouble else beginning.seen}
    more |= {"states": STATES, "things": THINGS, "is_stuck": beginning.is_stuck}
    return _page(request, beginning, "address", trouble, **more)


async def look_at_address(request: Request, beginning: Beginning) -> Response:
    """See whether others would come by it to this machine; it can still be another one."""
    sent = await session.form_of(request)
    is_trial = text(sent, "where") == "trial"
    typed = beginning.ground.trial if is_trial else text(sent, "url").strip()[:LONGEST]
    try:
        home = beginning.ground.home(typed)
    except Trouble as error:
        return _address(request, beginning, typed, sentence(error))
    beginning.type(msgspec.structs.replace(beginning.draft, url=home, is_taken=False))
    found = await beginning.ground.look(home, beginning.mark)
    if beginning.draft.url == home:
        beginning.seen = found
    return inside.go(f"{STEPS['address']}#looked")


async def take_address(request: Request, beginning: Beginning) -> Response:
    """That one it is, whatever was seen of it."""
    sent = await session.form_of(request)
    home = beginning.draft.url
    if not beginning.seen or text(sent, "url") != home:
        return _address(request, beginning, home, _("Have the address looked at first."))
    beginning.type(msgspec.structs.replace(beginning.draft, is_taken=True))
    return inside.go(STEPS["way-in"])


# --- The way in ----------------------------------------------------------------------------------------------------


async def get_way_in(request: Request, beginning: Beginning) -> Response:
    return _way_in(request, beginning, beginning.draft.way_in)


def _way_in(request: Request, beginning: Beginning, way: str, trouble: str = "") -> Response:
    more = {"way": way, "takes_passkeys": drafts.takes_passkeys(beginning.draft.url), "shortest": SHORTEST}
    return _page(request, beginning, "way-in", trouble, **more)


async def choose_way_in(request: Request, beginning: Beginning) -> Response:
    sent = await session.form_of(request)
    way = text(sent, "way")
    if way not in drafts.WAYS_IN or (way == "passkey" and not drafts.takes_passkeys(beginning.draft.url)):
        return _way_in(request, beginning, way, _("Choose how you will come in."))
    try:
        hashed = None if way == "passkey" else await beginning.attempts.hash_of(text(sent, "password"))
    except Trouble as error:
        return _way_in(request, beginning, way, sentence(error))
    beginning.password = hashed
    beginning.type(msgspec.structs.replace(beginning.draft, way_in=way))
    return inside.go(STEPS["sheet"])


# --- The sheet, and the last confirmation --------------------------------------------------------------------------


async def get_sheet(request: Request, beginning: Beginning) -> Response:
    return _sheet(request, beginning)


def _sheet(request: Request, beginning: Beginning, trouble: str = "") -> Response:
    more = {"secret": identity.write_secret(beginning.recovery), "codes": beginning.codes}
    return _page(request, beginning, "sheet", trouble, **more)


async def found(request: Request, beginning: Beginning) -> Response:
    """Found the studio, and let it take over; sent twice, it is founded once."""
    sent = await session.form_of(request)
    if not text(sent, "kept"):
        return _sheet(request, beginning, _("Print the sheet or write it down first, and say so below."))

    async def work() -> str:
        link = secrets.token_urlsafe(32)
        await beginning.ground.found(beginning, logins.hashed(link))
        beginning.is_founded = True
        return link

    try:
        link = await beginning.once.do("found", work)
    except Trouble as error:
        return _sheet(
            request, beginning, _("Nothing was founded, and nothing is lost: %(why)s.") % {"why": told(error)}
        )
    response = _page(request, beginning, "founded", enter=f"{beginning.draft.url}/welcome?by={link}")
    response.background = BackgroundTask(beginning.end)
    return response


async def get_anything(request: Request) -> Response:
    return await opened(_to_step)(request)


async def _to_step(request: Request, beginning: Beginning) -> Response:
    return inside.go(STEPS[beginning.step])


routes = [
    Route("/first", get_first, methods=["GET"]),
    Route("/first", opened(say_whose), methods=["POST"]),
    Route("/first/address", opened(get_address, "address"), methods=["GET"]),
    Route("/first/address", opened(look_at_address, "address"), methods=["POST"]),
    Route("/first/address/take", opened(take_address, "address"), methods=["POST"]),
    Route("/first/way-in", opened(get_way_in, "way-in"), methods=["GET"]),
    Route("/first/way-in", opened(choose_way_in, "way-in"), methods=["POST"]),
    Route("/first/sheet", opened(get_sheet, "sheet"), methods=["GET"]),
    Route("/first/found", opened(found, "sheet"), methods=["POST"]),
    Route("/{anything:path}", get_anything, methods=["GET"]),
]
