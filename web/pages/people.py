"""People: whom one follows, who follows one, finding somebody anywhere, and what one has to do with them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from sqlalchemy import Select, exists, select
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from activitypub.actor import Actor as Profile
from activitypub.document import Document
from activitypub.errors import ProtocolError
from coop import blocks, feed, follows, paths
from coop.blocks import Block
from coop.errors import NotFound, Trouble
from coop.follows import Follow
from federation import discovery, ids
from federation.client import Gone, Unreachable
from federation.instance import Instance
from federation.tables import Actor
from web import inside, session, shown
from web.languages import N_, _
from web.lines import lines
from web.pages.saying import does
from web.pages.seals import seals_of
from web.session import text

LATEST = 50  # people on a page
POSTS = 20
LONGEST = 2_000  # characters of what is looked for
WAYS = 3


@dataclass(frozen=True, slots=True)
class Between:
    """What two have to do with each other, as one of them sees it."""

    follows: str  # "", "asked" or "accepted"
    followed: str  # the same, the other way
    blocked: bool


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
        return await people(request, asked, _("Nobody was found: %(why)s.") % {"why": _(str(error))})
    return inside.go(who(found.uri) if isinstance(found, Actor) else f"/read?of={quote(found.uri, safe='')}")


def who(uri: str) -> str:
    """Where somebody is shown to whoever is logged in."""
    return f"/who?is={quote(uri, safe='')}"


# --- One of them ---------------------------------------------------------------------------------------------------


async def get_person(request: Request) -> Response:
    """Somebody from any server: what they say of themselves, who vouches for them, and how one knows them."""
    here: Instance = request.scope["instance"]
    visitor = await session.inhabitant(request)
    uri, now = request.query_params.get("is", ""), here.now()

    def read(db: Session) -> dict[str, Any]:
        actor = db.scalar(select(Actor).where(Actor.uri == uri, Actor.gone.is_(None)))
        if actor is None:
            raise NotFound("nobody is known here by that address: look for them under People")
        rows = db.scalars(feed.profile(uri, visitor.uri).limit(POSTS)).all()
        return {
            **inside.insider(db, visitor, here.home),
            "person": shown.person(actor, here.home),
            "profile": Profile.read(Document(actor.document)),
            "between": between(db, visitor.uri, uri),
            "seals": seals_of(db, here, uri),
            "ways": [paths.words(db, way) for way in paths.ways(db, visitor.uri, uri, now)[:WAYS]],
            "lines": lines(db, rows, visitor.uri, here.home),
            "is_me": uri == visitor.uri,
            "back": who(uri),
        }

    return inside.page(request, "person.html", await here.store.read(read))


def between(db: Session, me: str, other: str) -> Between:
    mine, theirs = follows.find(db, me, other), follows.find(db, other, me)
    blocked = db.scalar(select(exists().where(Block.by == me, Block.blocked == other)))
    return Between(mine.state if mine else "", theirs.state if theirs else "", bool(blocked))


routes = [
    Route("/people", get_people, methods=["GET"]),
    Route("/people/find", find, methods=["POST"]),
    Route("/who", get_person, methods=["GET"]),
    Route("/follow", does(follows.follow, "whom"), methods=["POST"]),
    Route("/unfollow", does(follows.unfollow, "whom"), methods=["POST"]),
    Route("/approve", does(follows.approve, "whom"), methods=["POST"]),
    Route("/reject", does(follows.reject, "whom"), methods=["POST"]),
    Route("/block", does(blocks.block, "whom"), methods=["POST"]),
    Route("/unblock", does(blocks.unblock, "whom"), methods=["POST"]),
]
