"""Somebody from any server, as whoever is logged in sees them: what they do, who vouches for it, and what to do now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from activitypub.actor import Actor as Profile
from activitypub.document import Document
from coop import feed, follows, invitations, offers, paths
from coop.blocks import Block
from coop.offers import Offer
from federation import discovery
from federation.instance import Instance
from web import inside, session, shown
from web.languages import _
from web.lines import lines
from web.pages import company
from web.pages.board import EXPECTED, hung
from web.pages.people import who
from web.pages.public import public_projects
from web.pages.seals import seals_of
from web.session import text
from web.shown import Person, Seal

POSTS = 20
WAYS = 3
OFFERS = 6


@dataclass(frozen=True, slots=True)
class Between:
    """What two have to do with each other, as one of them sees it."""

    follows: str  # "", "asked" or "accepted"
    followed: str  # the same, the other way
    blocked: bool


@dataclass(frozen=True, slots=True)
class Skill:
    """What somebody is good at, by their own word or by that of others."""

    name: str
    by: tuple[Person, ...]


async def get_person(request: Request) -> Response:
    return await person_page(request, request.query_params.get("is", ""))


async def person_page(request: Request, uri: str, typed: str = "", trouble: str = "") -> Response:
    """What they say of themselves, who vouches for them, and how one knows them; what was `typed` to invite is kept."""
    here: Instance = request.scope["instance"]
    visitor = await session.inhabitant(request)

    def read(db: Session) -> dict[str, Any]:
        actor = company.at(db, uri)
        profile, seals = Profile.read(Document(actor.document)), seals_of(db, here, uri)
        return {
            **inside.insider(db, visitor, here.home),
            **_between(db, here, visitor.uri, uri),
            **_work(db, here, visitor.uri, uri),
            "person": shown.person(actor, here.home),
            "profile": profile,
            "fields": [pair for pair in profile.fields if pair[0] not in ("Skills", "Availability")],
            "seals": seals,
            "skills": skills_of(profile.skills, seals),
            "is_me": uri == visitor.uri,
            "back": who(uri),
            "typed": typed,
            "trouble": trouble,
        }

    return inside.page(request, "person.html", await here.store.read(read), 422 if trouble else 200)


def _between(db: Session, here: Instance, me: str, other: str) -> dict[str, Any]:
    mine, theirs = follows.find(db, me, other), follows.find(db, other, me)
    blocked = db.scalar(select(exists().where(Block.by == me, Block.blocked == other)))
    return {
        "between": Between(mine.state if mine else "", theirs.state if theirs else "", bool(blocked)),
        "ways": [paths.words(db, way) for way in paths.ways(db, me, other, here.now())[:WAYS]],
        "company": company.a_few(db, here, me, other),
        "inviting": db.scalars(invitations.inviting(me)).all(),
    }


def _work(db: Session, here: Instance, me: str, other: str) -> dict[str, Any]:
    """What they offer, say and show, as far as it is for `me`."""
    on_board = offers.board(here.now(), me).where(Offer.author == other).limit(OFFERS)
    rows = db.scalars(on_board).all() or db.scalars(_open_to_all(db, other, here)).all()
    said = db.scalars(feed.profile(other, me).limit(POSTS)).all()
    return {
        "hung": [one for row in rows if (one := hung(db, here, row))],
        "lines": lines(db, said, me, here.home),
        "projects": [shown.person(one, here.home) for one in db.scalars(public_projects(other))],
    }


def _open_to_all(db: Session, author: str, here: Instance) -> Any:
    found = [number for number, _ in db.execute(offers.offers_of(author, here.now()).limit(OFFERS))]
    return select(Offer).where(Offer.id.in_(found)).order_by(Offer.id.desc())


def skills_of(named: Iterable[str], seals: Iterable[Seal]) -> list[Skill]:
    """What they name, each with who vouches for it; then what only others name."""
    names = {one.casefold(): one for one in named}
    by: dict[str, dict[str, Person]] = {one: {} for one in names}
    for seal in seals:
        for one in seal.said.skills if seal.holds else ():
            names.setdefault(one.casefold(), one)
            by.setdefault(one.casefold(), {})[seal.endorser.uri] = seal.endorser
    return [Skill(names[one], tuple(people.values())) for one, people in by.items()]


# --- Into a project ------------------------------------------------------------------------------------------------


async def invite(request: Request) -> Response:
    """Ask them into a project of one's own, as a member."""
    here: Instance = request.scope["instance"]
    sent = await session.form_of(request)
    visitor = await session.inhabitant(request)
    whom, project, words = text(sent, "whom"), text(sent, "project"), text(sent, "text")
    try:
        invited = partial(invitations.invite, by=visitor.uri, project=project, invitee=whom, text=words)
        await discovery.completing(here, lambda tx: invited(tx).id)
    except EXPECTED as error:
        return await person_page(request, whom, words, _("They were not invited: %(reason)s.") % {"reason": error})
    return inside.go(who(whom))


routes = [
    Route("/who", get_person, methods=["GET"]),
    Route("/who/invite", invite, methods=["POST"]),
]
