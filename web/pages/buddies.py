"""Who holds what is sent to whoever is logged in while this server sleeps, and for whom they do so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from coop import buddies, mailboxes
from coop.errors import Trouble
from federation import discovery
from federation.instance import Instance
from federation.tables import Actor
from web import inside, session, shown
from web.doing import EXPECTED
from web.languages import N_, _, told
from web.pages.saying import does
from web.session import text
from web.shown import Person

SAYS = {
    ("buddy", "asked"): N_("You asked them to hold your mail. They have not answered yet."),
    ("buddy", "agreed"): N_("Holds your mail while your server sleeps, and cannot read it."),
    ("owner", "asked"): N_("Asks you to hold their mail while their server sleeps. You could not read it."),
    ("owner", "agreed"): N_("You hold their mail while their server sleeps."),
}


@dataclass(frozen=True, slots=True)
class Keeper:
    """Somebody with whom there is such an agreement, or a question."""

    person: Person
    says: str
    asks: bool
    since: datetime
    held: tuple[int, int] | None  # parcels and octets, of what is held here
    handed: datetime | None


def keepers(db: Session, me: str, home: str) -> list[Keeper]:
    rows = db.scalars(buddies.concerning(me)).all()
    people = shown.people(db, {one.buddy if one.owner == me else one.owner for one in rows}, home)
    held = mailboxes.amounts(db, me)
    made = []
    for row in rows:
        role, other = ("buddy", row.buddy) if row.owner == me else ("owner", row.owner)
        asks, keeps = row.state == "asked" and role == "owner", row.state == "agreed" and role == "owner"
        amount = held.get(other, (0, 0)) if keeps else None
        made.append(Keeper(people[other], SAYS[role, row.state], asks, row.since, amount, row.handed))
    return made


async def ask(request: Request) -> Response:
    """Ask somebody by their address; what was typed comes back if that cannot be."""
    from web.pages import engine

    here: Instance = request.scope["instance"]
    sent = await session.form_of(request)
    visitor = await session.inhabitant(request)
    asked = text(sent, "asked").strip()[:2_000]
    try:
        found = await discovery.lookup(here, asked)
        if not isinstance(found, Actor):
            raise Trouble("that is not somebody’s address, which looks like ada@attic.example")
        await discovery.completing(here, lambda tx: buddies.ask(tx, visitor.uri, found.uri).uri)
    except EXPECTED as error:
        return await engine.engine(
            request, asked=asked, trouble=_("They were not asked: %(why)s.") % {"why": told(error)}
        )
    return inside.go("/engine#buddies")


routes = [
    Route("/buddies/ask", ask, methods=["POST"]),
    Route("/buddies/accept", does(buddies.accept, "whom"), methods=["POST"]),
    Route("/buddies/decline", does(buddies.decline, "whom"), methods=["POST"]),
    Route("/buddies/drop", does(buddies.drop, "whom"), methods=["POST"]),
]
