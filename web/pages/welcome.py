"""The first steps in a new studio: a passkey, what one is good at, somebody to follow, a first offer. Each can wait."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from coop import follows, logins, passkeys, profiles
from coop.errors import NotFound, Trouble
from coop.logins import Visitor
from coop.profiles import Changes
from federation import discovery
from federation.instance import Instance
from federation.tables import Actor
from web import inside, session
from web.attempts import SHORTEST
from web.doing import EXPECTED
from web.languages import _, told
from web.once import new_key
from web.pages import door
from web.session import text

FIRST = 3  # skills that are asked for
LONGEST = 2_000  # characters of an address


async def come_in(request: Request) -> Response:
    """By the link that whoever founded the studio was given; it lets one browser in, once."""
    here: Instance = request.scope["instance"]
    link = logins.hashed(request.query_params.get("by", ""))
    try:
        account = await here.store.write(lambda tx: logins.come_by_link(tx, link))
    except NotFound:
        if await session.visitor_of(request) is None:
            raise
        return inside.go("/today")
    return await door.come_in(request, account, inside.go("/welcome/key"))


async def _page(request: Request, step: str, values: Mapping[str, Any], trouble: str = "") -> Response:
    here: Instance = request.scope["instance"]
    visitor = await session.inhabitant(request)
    mine = await here.store.read(lambda db: inside.insider(db, visitor, here.home))
    given = {**mine, **values, "trouble": trouble}
    return inside.page(request, f"welcome/{step}.html", given, 422 if trouble else 200)


async def get_key(request: Request) -> Response:
    """Whoever has neither passkey nor password makes one now; the others go on."""
    here: Instance = request.scope["instance"]
    visitor = await session.inhabitant(request)
    has_one = await here.store.read(lambda db: bool(passkeys.of(db, visitor.account.id)))
    if has_one or visitor.account.password is not None:
        return inside.go("/welcome/you")
    return await _page(request, "key", {"shortest": SHORTEST})


async def get_you(request: Request) -> Response:
    visitor = await session.inhabitant(request)
    return await _you(request, visitor, visitor.account.skills[:FIRST], visitor.account.availability)


async def _you(request: Request, visitor: Visitor, skills: list[str], availability: str, trouble: str = "") -> Response:
    boxes = [*skills, *[""] * FIRST][:FIRST]
    return await _page(request, "you", {"skills": boxes, "availability": availability}, trouble)


async def say_you(request: Request) -> Response:
    """What one is good at, and when there is time; of skills that were named before, those beyond the first stay."""
    here: Instance = request.scope["instance"]
    sent = await session.form_of(request)
    visitor = await session.inhabitant(request)
    skills = [text(sent, f"skill-{number}").strip() for number in range(FIRST)]
    availability = text(sent, "availability").strip()
    changes = Changes(skills=(*skills, *visitor.account.skills[FIRST:]), availability=availability)
    try:
        await here.store.write(lambda tx: profiles.edit(tx, visitor.uri, changes) and None)
    except Trouble as error:
        return await _you(
            request, visitor, skills, availability, _("That was not kept: %(why)s.") % {"why": told(error)}
        )
    return inside.go("/welcome/follow")


async def get_follow(request: Request) -> Response:
    return await _page(request, "follow", {"asked": ""})


async def follow(request: Request) -> Response:
    """Somebody from any server. What they said lately comes with them."""
    here: Instance = request.scope["instance"]
    sent = await session.form_of(request)
    visitor = await session.inhabitant(request)
    asked = text(sent, "asked").strip()[:LONGEST]
    try:
        found = await discovery.lookup(here, asked)
        if not isinstance(found, Actor):
            raise Trouble(_("that is something that was said, not somebody"))
        await discovery.completing(here, lambda tx: follows.follow(tx, visitor.uri, found.uri) and None)
    except EXPECTED as error:
        return await _page(
            request, "follow", {"asked": asked}, _("Nobody was followed: %(why)s.") % {"why": told(error)}
        )
    return inside.go("/welcome/offer")


async def get_offer(request: Request) -> Response:
    """A form of the board's, with as little in it as an offer needs."""
    visitor = await session.inhabitant(request)
    return await _page(request, "offer", {"key": new_key(), "skills": ", ".join(visitor.account.skills)})


routes = [
    Route("/welcome", come_in, methods=["GET"]),
    Route("/welcome/key", get_key, methods=["GET"]),
    Route("/welcome/you", get_you, methods=["GET"]),
    Route("/welcome/you", say_you, methods=["POST"]),
    Route("/welcome/follow", get_follow, methods=["GET"]),
    Route("/welcome/follow", follow, methods=["POST"]),
    Route("/welcome/offer", get_offer, methods=["GET"]),
]
