"""The map of my co-op: who is near whoever is logged in, and what they have to do with each other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from coop import neighbourhood
from coop.neighbourhood import Neighbourhood
from coop.paths import Step
from federation.instance import Instance
from web import drawing, inside, session, shown
from web.languages import N_, _
from web.shown import Person

NAMED = 8  # of those whom somebody follows, vouches for or works with
LABELS = {"works": N_("Works with"), "vouches": N_("Vouches for"), "follows": N_("Follows")}
MINE = {"works": N_("You work together"), "vouches": N_("You vouch for them"), "follows": N_("You follow them")}


@dataclass(slots=True)
class Neighbour:
    """Somebody on the map, what one has to do with them oneself, through whom one knows them, and whom they know."""

    person: Person
    mine: list[str]
    through: list[str]
    others: dict[str, list[str]] = field(default_factory=lambda: {kind: [] for kind in LABELS})

    def told(self, kind: str) -> tuple[str, int]:
        """Some names, and how many there are besides."""
        return ", ".join(self.others[kind][:NAMED]), max(0, len(self.others[kind]) - NAMED)


async def get_map(request: Request) -> Response:
    here: Instance = request.scope["instance"]
    visitor = await session.inhabitant(request)

    def read(db: Session) -> dict[str, Any]:
        near = neighbourhood.around(db, visitor.uri, here.now())
        met = shown.people(db, [near.me, *near.people], here.home)
        return {
            **inside.insider(db, visitor, here.home),
            "picture": drawing.draw(met[near.me], [met[uri] for uri in near.people], _ties(near)),
            "people": _in_words(near, met),
            "labels": LABELS,
            "mine": MINE,
        }

    return inside.page(request, "co-op.html", await here.store.read(read))


def _kinds(step: Step) -> list[str]:
    there = {"works": step.works, "vouches": step.endorsements, "follows": step.follows}
    return [kind for kind, found in there.items() if found]


def _ties(near: Neighbourhood) -> dict[frozenset[str], str]:
    found: dict[frozenset[str], list[str]] = defaultdict(list)
    for step in near.steps:
        found[frozenset((step.by, step.to))] += _kinds(step)
    return {pair: drawing.firmest(kinds) for pair, kinds in found.items()}


def _in_words(near: Neighbourhood, met: Mapping[str, Person]) -> list[Neighbour]:
    mine = {step.to: _kinds(step) for step in near.steps if step.by == near.me}
    found = {uri: Neighbour(met[uri], mine.get(uri, []), []) for uri in near.people}
    for step in near.steps:
        if step.by in mine and step.to in found:
            found[step.to].through.append(met[step.by].name)
        for kind in _kinds(step) if step.by in found else ():
            found[step.by].others[kind].append(_("you") if step.to == near.me else met[step.to].name)
    return [*found.values()]


routes = [Route("/co-op", get_map, methods=["GET"])]
