"""Somebody from any server, as whoever is logged in sees them: what they do, who vouches for it, and what to do now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from activitypub.actor import Actor as Profile
from activitypub.document import Document
from activitypub.proposal import Proposal
from coop import feed, offers
from coop.blocks import Block
from coop.follows import Follow
from coop.logins import Visitor
from coop.mutes import Mute
from coop.offers import Offer
from federation.instance import Instance
from federation.tables import Object
from web import inside, session, shown
from web.lines import lines
from web.pages import company
from web.pages.board import Hung
from web.pages.people import who
from web.pages.public import public_projects
from web.pages.seals import seals_of
from web.shown import Card, Person, Seal

POSTS = 12
PROJECTS = 20
OFFERS = 6


@dataclass(frozen=True, slots=True)
class Between:
    """What two have to do with each other, as one of them sees it."""

    follows: str  # "", "asked" or "accepted"
    followed: str  # the same, the other way
    blocked: bool
    muted: bool


@dataclass(frozen=True, slots=True)
class Skill:
    """What somebody is good at, by their own word or by that of others."""

    name: str
    by: tuple[Person, ...]


async def get_person(request: Request) -> Response:
    """What they say of themselves, what they offer and do, and who vouches for them."""
    here: Instance = request.scope["instance"]
    visitor = await session.inhabitant(request)
    uri = request.query_params.get("is", "")

    def read(db: Session) -> dict[str, Any]:
        actor = company.at(db, uri)
        person, profile, seals = (
            shown.person(actor, here.home),
            Profile.read(Document(actor.document)),
            seals_of(db, here, uri),
        )
        known = between(db, visitor, uri)
        return {
            **inside.insider(db, visitor, here.home),
            "person": person,
            "profile": profile,
            "between": known,
            "fields": [pair for pair in profile.fields if pair[0] not in ("Skills", "Availability")],
            "skills": skills_of(profile.skills, seals),
            "seals": seals,
            "hung": _hung(db, here, person, visitor.uri, known.follows == "accepted"),
            "projects": [shown.person(one, here.home) for one in db.scalars(public_projects(uri).limit(PROJECTS))],
            "lines": lines(db, db.scalars(feed.profile(uri, visitor.uri).limit(POSTS)).all(), visitor.uri, here.home),
            "lists": company.LISTS,
            "is_me": uri == visitor.uri,
            "back": who(uri),
        }

    return inside.page(request, "person.html", await here.store.read(read))


def between(db: Session, visitor: Visitor, other: str) -> Between:
    me = visitor.uri
    both = (me, other)
    rows = db.scalars(select(Follow).where(Follow.follower.in_(both), Follow.followed.in_(both)))
    states = {row.follower: row.state for row in rows}
    is_blocked = exists().where(Block.by == me, Block.blocked == other)
    is_muted = exists().where(Mute.account == visitor.account.id, Mute.muted == other)
    blocked, muted = db.execute(select(is_blocked, is_muted)).one()
    return Between(states.get(me, ""), states.get(other, ""), bool(blocked), bool(muted))


def _hung(db: Session, here: Instance, author: Person, reader: str, follows: bool) -> list[Hung]:
    """What they have on the board: all of it for who follows them, else what is for everybody."""
    if follows:
        found = [row.id for row in db.scalars(offers.board(here.now(), reader).where(Offer.author == author.uri))]
    else:
        found = [number for number, _ in db.execute(offers.offers_of(author.uri, here.now()))]
    rows = db.scalars(select(Object).where(Object.id.in_(found)).order_by(Object.id.desc()).limit(OFFERS))
    return [Hung(Card(Proposal.read(row.said), author, row.uri, True), "open") for row in rows]


def skills_of(named: Iterable[str], seals: Iterable[Seal]) -> list[Skill]:
    """What they name, each with who vouches for it; then what only others name."""
    names = {one.casefold(): one for one in named}
    by: dict[str, dict[str, Person]] = {one: {} for one in names}
    for seal in seals:
        for one in seal.said.skills if seal.holds else ():
            names.setdefault(one.casefold(), one)
            by.setdefault(one.casefold(), {})[seal.endorser.uri] = seal.endorser
    return [Skill(names[one], tuple(people.values())) for one, people in by.items()]


routes = [Route("/who", get_person, methods=["GET"])]
