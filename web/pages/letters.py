"""What somebody reads whose own server shows no invitations, at the secret address that a letter gave them (P-258)."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from coop import letters
from coop.errors import NotFound
from federation import known
from federation.instance import Instance
from web import shown
from web.documents import NOT_HERE
from web.rendering import page


async def get_invitation(request: Request) -> Response:
    """Who invites to what, and what to do about it; of one that is answered or expired, not even that it ever was."""
    here: Instance = request.scope["instance"]

    def read(db: Session) -> dict[str, Any]:
        project, invite = letters.read(db, request.path_params["token"], here.now())
        return {
            "project": project,
            "invite": invite,
            "inviter": shown.person(known.actor(db, invite.author), here.home),
            "invited": shown.person(known.actor(db, invite.subject or ""), here.home),
            "face": shown.people(db, [project.face], here.home)[project.face],
        }

    try:
        return page(request, "invitation.html", await here.store.read(read), private=True)
    except NotFound as error:
        raise HTTPException(404, NOT_HERE) from error


routes = [Route("/invitations/{token}", get_invitation)]
