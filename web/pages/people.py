"""People: whom one follows, who follows one, finding somebody anywhere, and what one does with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from sqlalchemy import Select, select
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from activitypub.errors import ProtocolError
from coop import blocks, follows, mutes
from coop.errors import Trouble
from coop.follows import Follow
from federation import discovery, ids
from federation.client import Gone, Unreachable
from federation.instance import Instance
from federation.tables import Actor, Object
from web import inside, session, shown
from web.languages import N_, _, told
from web.pages.saying import does
from web.session import text

LATEST = 50  # people on a page
LONGEST = 2_000  # characters of what is looked for


# --- Everybody -----------------------------------------------------------------------------------------------------

LISTS: dict[str, tuple[str, Callable[[str], Select[Actor, Follow]]]] = {
    "following": (N_("Whom you follow"), lambda me: _met(Follow.followed, Follow.follower == me)),
    "followers": (N_("Who follows you"), lambda me: _met(Follow.follower, *_with(me, "accepted"))),
    "requests": (N_("Who would like to"), lambda me: _met(Follow.follower, *_with(me, "asked"))),
}


async def get_people(request: Request) -> Response:
    return await people(request)


async def people(request: Request, asked: str = "", trouble: str = "") -> Response:
    """One of the lists, and a box to find somebody in, with what was `asked` and why nobody was found."""
    here: Instance = request.scope["instance"]
    visitor = await session.inhabitant(request)
    name = request.query_params.get("show", "following")
    name = name if name in LISTS else "following"
    before = ids.from_slug(request.query_params.get("before", ""))

    def read(db: Session) -> dict[str, Any]:
        query = LISTS[name][1](visitor.uri)
        query = query if before is None else query.where(Follow.id < before)
        rows = db.execute(query.order_by(Follow.id.desc()).limit(LATEST + 1)).all()
        return {
            **inside.insider(db, visitor, here.home),
            "people": [(shown.person(actor, here.home), follow.state) for actor, follow in rows[:LATEST]],
            "older": ids.slug(rows[LATEST - 1][1].id) if len(rows) > LATEST else "",
            "lists": {one: title for one, (title, _) in LISTS.items()},
            "shown": name,
            "asked": asked,
            "trouble": trouble,
        }

    return inside.page(request, "people.html", await here.store.read(read), 422 if trouble else 200)


def _with(me: str, state: follows.State) -> tuple[Any, Any]:
    return Follow.followed == me, Follow.state == state


def _met(whom: Any, *such: Any) -> Select[Actor, Follow]:
    return select(Actor, Follow).join(Follow, whom == Actor.uri).where(*such, Actor.gone.is_(None))


async def find(request: Request) -> Response:
    """Somebody, or something that was said, by an address from any server."""
    here: Instance = request.scope["instance"]
    sent = await session.form_of(request)
    await session.inhabitant(request)
    asked = text(sent, "asked").strip()[:LONGEST]
    try:
        found = await discovery.lookup(here, asked)
    except (Trouble, ProtocolError, Unreachable, Gone) as error:
        return await people(request, asked, _("Nobody was found: %(why)s.") % {"why": told(error)})
    return inside.go(place_of(found))


def place_of(found: Actor | Object) -> str:
    """Where somebody, an offer or a post is shown to whoever is logged in."""
    if isinstance(found, Actor):
        return who(found.uri)
    return f"/{'offer?is' if found.type == 'Proposal' else 'read?of'}={quote(found.uri, safe='')}"


def who(uri: str) -> str:
    """Where somebody is shown to whoever is logged in."""
    return f"/who?is={quote(uri, safe='')}"


routes = [
    Route("/people", get_people, methods=["GET"]),
    Route("/people/find", find, methods=["POST"]),
    Route("/follow", does(follows.follow, "whom"), methods=["POST"]),
    Route("/unfollow", does(follows.unfollow, "whom"), methods=["POST"]),
    Route("/approve", does(follows.approve, "whom"), methods=["POST"]),
    Route("/reject", does(follows.reject, "whom"), methods=["POST"]),
    Route("/mute", does(mutes.mute, "whom"), methods=["POST"]),
    Route("/unmute", does(mutes.unmute, "whom"), methods=["POST"]),
    Route("/block", does(blocks.block, "whom"), methods=["POST"]),
    Route("/unblock", does(blocks.unblock, "whom"), methods=["POST"]),
]
