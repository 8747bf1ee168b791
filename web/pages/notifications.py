"""What concerns whoever is logged in, the latest first."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from coop import notifications
from federation import ids
from federation.instance import Instance
from web import inside, notices, session

LATEST = 40  # on a page


async def get_notifications(request: Request) -> Response:
    here: Instance = request.scope["instance"]
    visitor = await session.inhabitant(request)
    before, show = ids.from_slug(request.query_params.get("before", "")), _shown(request.query_params.get("show", ""))

    def read(db: Session) -> dict[str, Any]:
        rows = db.scalars(
            notifications.listing(visitor.account.id, before, notices.FILTERS[show][1]).limit(LATEST + 1)
        ).all()
        return {
            **inside.insider(db, visitor, here.home),
            "news": notices.told(db, rows[:LATEST], visitor.uri, here.home),
            "newest": ids.slug(rows[0].id) if rows else "",
            "filters": {name: title for name, (title, _kinds) in notices.FILTERS.items()},
            "shown": show,
            "older": ids.slug(rows[LATEST - 1].id) if len(rows) > LATEST else "",
        }

    return inside.page(request, "notifications.html", await here.store.read(read))


def _shown(name: str) -> str:
    return name if name in notices.FILTERS else "all"


async def mark_read(request: Request) -> Response:
    """All of what was shown, up to the newest of it: what came since is still new."""
    here: Instance = request.scope["instance"]
    sent = await session.form_of(request)
    visitor = await session.inhabitant(request)
    until = ids.from_slug(session.text(sent, "until"))
    kinds = notices.FILTERS[_shown(session.text(sent, "show"))][1]
    if until is not None:
        await here.store.write(lambda tx: notifications.mark_read(tx, visitor.account.id, until, kinds))
    return inside.go(session.way_back(session.text(sent, "back")))


routes = [
    Route("/notifications", get_notifications, methods=["GET"]),
    Route("/notifications/read", mark_read, methods=["POST"]),
]
