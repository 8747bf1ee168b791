"""Today: what needs whoever is logged in, and what the others are doing."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from coop import commitments, feed, invitations, markers, notifications, responses
from coop.feed import Entry
from coop.follows import Follow
from coop.logins import Visitor
from federation import ids
from federation.instance import Instance
from federation.store import Unavailable
from federation.tables import Actor, Object
from web import inside, notices, session
from web.languages import N_, NN_
from web.lines import lines
from web.writing import Words

LATEST = 18  # posts on a page
SOON = 5  # of each kind of what waits

Query = Select[Entry, Object]
_STUDIOS = select(Actor.uri).where(Actor.type == "Organization")
SHOWN: dict[str, tuple[str, Callable[[Query], Query]]] = {
    "everything": (N_("Everything"), lambda query: query),
    "offers": (N_("Offers"), lambda query: query.where(Object.type == "Proposal")),
    "studios": (N_("Studios"), lambda query: query.where(Object.author.in_(_STUDIOS))),
}


@dataclass(frozen=True, slots=True)
class Need:
    """Something that waits for an answer."""

    one: str  # what is said of one, and of many, each with a place for the number
    many: str
    where: str  # it is answered
    number: int


async def get_today(request: Request) -> Response:
    return await today(request, Words())


async def today(request: Request, words: Words, status: int = 200) -> Response:
    """The page, with `words` in the box where one writes."""
    here: Instance = request.scope["instance"]
    visitor = await session.inhabitant(request)
    name = request.query_params.get("show", "everything")
    name = name if name in SHOWN else "everything"
    before, since = (ids.from_slug(request.query_params.get(one, "")) for one in ("before", "since"))

    def read(db: Session) -> dict[str, Any]:
        query = SHOWN[name][1](feed.home(visitor.account.id, before)).limit(LATEST + 1)
        found = [(entry, row) for entry, row in db.execute(query).all()]
        seen = since or markers.place(db, visitor.account.id, "home") or 0
        boosters = {row.uri: entry.boosted_by for entry, row in found if entry.boosted_by}
        news = db.scalars(notifications.listing(visitor.account.id).limit(SOON)).all()
        return {
            **inside.insider(db, visitor, here.home),
            "lines": lines(db, [row for _, row in found[:LATEST]], visitor.uri, here.home, boosters),
            "older": ids.slug(found[LATEST - 1][0].id) if len(found) > LATEST else "",
            "needs": needs(db, visitor, here),
            "news": notices.told(db, [one for one in news if one.read is None], visitor.uri, here.home),
            "filters": {one: title for one, (title, _) in SHOWN.items()},
            "shown": name,
            "first": before is None,
            "before": request.query_params.get("before", ""),
            "words": words,
            "new": {row.uri for entry, row in found if entry.id > seen > 0},
            "newest": found[0][0].id if found else 0,
            "since": ids.slug(seen) if seen else "",
            "was_seen": seen,
        }

    values = await here.store.read(read)
    if name == "everything" and before is None and values["newest"] > values["was_seen"]:
        with suppress(Unavailable):  # they may read nevertheless
            await here.store.write(lambda tx: markers.move(tx, visitor.account.id, "home", values["newest"]))
    return inside.page(request, "today.html", values, status)


def needs(db: Session, visitor: Visitor, here: Instance) -> list[Need]:
    """What waits for their answer, how much of each."""
    uri = visitor.uri
    requests = select(Follow).where(Follow.followed == uri, Follow.state == "asked")
    agreed = commitments.mine(uri).where(commitments.Commitment.state == "agreed")
    found = {
        "/people?show=requests": (
            NN_("%(number)s would like to follow you", "%(number)s would like to follow you"),
            requests,
        ),
        "/projects": (
            NN_("%(number)s invitation into a project", "%(number)s invitations into projects"),
            invitations.invitations_for(uri, here.now()),
        ),
        "/board?show=mine": (
            NN_("%(number)s answer to your offers", "%(number)s answers to your offers"),
            responses.waiting(uri),
        ),
        "/promises?show=mine": (
            NN_("%(number)s promise of yours to keep", "%(number)s promises of yours to keep"),
            agreed,
        ),
    }
    counted = [
        Need(*words, where, db.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0)
        for where, (words, query) in found.items()
    ]
    return [need for need in counted if need.number]


routes = [Route("/today", get_today, methods=["GET"])]
