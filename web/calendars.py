"""The calendar of what is due, for programs that have its secret address."""

from __future__ import annotations

from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from coop import calendars
from coop.errors import NotFound
from federation.instance import Instance
from web.documents import FOR_ONE, NOT_HERE

CALENDAR = "text/calendar"


async def get_calendar(request: Request) -> Response:
    """Whoever has the address reads it; of one that is no more, not even that it ever was."""
    here: Instance = request.scope["instance"]

    def read(db: Session) -> bytes:
        return calendars.written(db, calendars.account_of(db, request.path_params["token"]), here.now())

    try:
        body = await here.store.read(read)
    except NotFound as error:
        raise HTTPException(404, NOT_HERE) from error
    headers = FOR_ONE | {
        "Content-Disposition": 'attachment; filename="commitments.ics"',
        "Referrer-Policy": "no-referrer",
    }
    return Response(body, headers=headers, media_type=CALENDAR)


routes = [Route("/calendars/{token}.ics", get_calendar)]
