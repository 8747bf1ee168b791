"""What anybody sees: the house and who lives in it, their profiles, and the projects that they show.

Every address here is also that of a document; which of the two is answered is negotiated (P-030).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from activitypub import markdown
from activitypub.actor import Actor as Profile
from activitypub.document import Document
from activitypub.media import Media
from activitypub.origin import host
from activitypub.proposal import Proposal
from coop import access, faces, follows, fulfilment, links, offers, pins, projects, statements
from coop.accounts import Account
from coop.media import Media as Upload
from coop.reactions import Reaction
from coop.statements import Membership, Project
from federation.instance import Instance
from federation.tables import Actor, Object
from web import documents, linked, previews, shown
from web.feeds import posts_by
from web.languages import _
from web.negotiation import wants_document
from web.pages import seals
from web.rendering import page
from web.shown import Card, Person, Post

LED = {"Vary": "Accept", "Cache-Control": "public, max-age=180"}  # programs are not led there
LATEST = 20  # posts on a page
SHOWN_OFFERS = 12
PICTURES = 12


def is_for_program(request: Request) -> bool:
    return wants_document(request.headers.get("accept", ""))


# --- The house ---------------------------------------------------------------------------------------------------


async def get_home(request: Request) -> Response:
    """Who lives here, what they offer, what they said last."""
    here: Instance = request.scope["instance"]
    if is_for_program(request):
        return RedirectResponse(here.uri, 303, LED)

    def read(db: Session) -> dict[str, Any]:
        living = select(Actor).join(Account, Account.id == Actor.id).where(~Account.suspended).order_by(Actor.id)
        rows = db.scalars(living).all()
        if len(rows) == 1:
            return portrait(db, here, rows[0])
        residents = [(shown.person(one, here.home), Profile.read(Document(one.document))) for one in rows]
        everyone = [one.uri for one in rows]
        return {
            "residents": residents,
            "cards": cards(db, here, everyone),
            "strip": strip(db, here, everyone),
            "posts": shown.posts(db, latest(db, everyone), here.home),
            "previews": [previews.of(person, said, here.home) for person, said in residents[:1]],
            "linked": linked.graph(*(linked.named(person, said.type) for person, said in residents)),
        }

    values = await here.store.read(read)
    return page(request, "profile.html" if "person" in values else "home.html", values)


def latest(db: Session, authors: list[str]) -> list[Object]:
    """The newest posts by some of us that everybody may see, answers to others left out."""
    found = [row for one in authors for row in db.scalars(posts_by(one).limit(LATEST))]
    return sorted(found, key=lambda row: row.id, reverse=True)[:LATEST]


def cards(db: Session, here: Instance, authors: list[str]) -> list[Card]:
    """The offers of some of us that are open now."""
    found = [uri for author in authors for _, uri in db.execute(offers.offers_of(author, here.now())).all()]
    rows = db.scalars(select(Object).where(Object.uri.in_(found)).order_by(Object.id.desc()).limit(SHOWN_OFFERS))
    return cards_of(db, here, rows.all())


def cards_of(db: Session, here: Instance, rows: Sequence[Object]) -> list[Card]:
    authors = shown.people(db, {one.author for one in rows}, here.home)
    return [_card(here, one, authors[one.author]) for one in rows]


def card(db: Session, here: Instance, row: Object) -> Card:
    return cards_of(db, here, [row])[0]


def _card(here: Instance, row: Object, author: Person) -> Card:
    document = row.said
    proposal = Proposal.read(document)
    if source := document.embedded("source"):
        proposal = replace(proposal, text=markdown.from_text(source.text("content"), here.home))
    return Card(proposal, author, row.uri, proposal.is_open(here.now()))


# --- People and projects -----------------------------------------------------------------------------------------


async def get_profile(request: Request) -> Response:
    """Whoever goes by a handle here, or went by it."""
    here: Instance = request.scope["instance"]
    address = f"{request.path_params['handle'].lower()}@{host(here.home)}"
    named = select(Actor).where(Actor.address == address, Actor.local).order_by(Actor.id.desc()).limit(1)
    actor = await here.store.read(lambda db: db.scalar(named))
    if actor is None:
        raise HTTPException(404, "nobody of that name lives here")
    if is_for_program(request):
        return documents.actor_document(actor)
    if actor.uri == here.uri or actor.type == "Group":
        return RedirectResponse(actor.uri if actor.type == "Group" else "/", 303, LED)
    return await profile_page(request, actor)


async def get_actor(request: Request) -> Response:
    """An actor under its id: a document for programs; people are led to where it is shown."""
    here: Instance = request.scope["instance"]
    uri = here.home + request.url.path
    actor = await here.store.read(lambda db: db.scalar(select(Actor).where(Actor.uri == uri, Actor.local)))
    if actor is None:
        raise HTTPException(404, documents.NOT_HERE)
    if wants_document(request.headers.get("accept", ""), otherwise=True):
        return documents.actor_document(actor)
    if actor.type == "Group" and not actor.gone:
        return await project_page(request, actor)
    where = "/" if uri == here.uri else f"/@{actor.handle}"
    return RedirectResponse(where, 303, LED)


async def profile_page(request: Request, actor: Actor) -> Response:
    here: Instance = request.scope["instance"]
    if actor.gone:
        raise HTTPException(410, _("whoever was called %(name)s here has left") % {"name": actor.handle})
    profile = Profile.read(Document(actor.document))
    if profile.suspended:
        raise HTTPException(404, "whoever has that name here is not to be seen at present")

    values = await here.store.read(lambda db: portrait(db, here, actor))
    return page(request, "profile.html", values, alternate=actor.uri)


def portrait(db: Session, here: Instance, actor: Actor) -> dict[str, Any]:
    """Somebody with all that visitors may see of them: their own page, or that of a house where nobody else lives."""
    person, profile = shown.person(actor, here.home), Profile.read(Document(actor.document))
    hung, given = cards(db, here, [actor.uri]), seals.seals_of(db, here, actor.uri)
    proven = links.verified(db, actor.uri)
    return {
        "person": person,
        "profile": profile,
        "header": shown.kept_here(profile.image, here.home),
        "fields": [pair for pair in profile.fields if pair[0] not in ("Skills", "Availability")],
        "links": links.named(profile),
        "verified": proven,
        "followers": count(db, follows.followers(actor.uri)),
        "following": count(db, follows.following(actor.uri)),
        "cards": hung,
        "strip": strip(db, here, [actor.uri]),
        "seals": given,
        "promises": shown.promises(db, fulfilment.shown_of(actor.uri).limit(LATEST), here.home),
        "pinned": shown.posts(db, db.scalars(pins.pinned(actor.uri)), here.home),
        "posts": shown.posts(db, latest(db, [actor.uri]), here.home),
        "projects": [shown.person(one, here.home) for one in db.scalars(public_projects(actor.uri))],
        "preview": previews.of(person, profile, here.home),
        "linked": linked.profile(person, profile, proven, hung, given),
    }


def strip(db: Session, here: Instance, authors: list[str]) -> list[tuple[Media, Post]]:
    """The latest pictures that some of us show to everybody, each with the post that it belongs to."""
    pictures = select(Upload.object).where(Upload.owner.in_(authors), Upload.media_type.startswith("image/"))
    shown_to_all = (Object.visibility == "public", Object.deleted.is_(None), Object.id.in_(pictures))
    rows = db.scalars(select(Object).where(*shown_to_all).order_by(Object.id.desc()).limit(PICTURES)).all()
    return [(one, post) for post in shown.posts(db, rows, here.home) for one in post.pictures][:PICTURES]


def public_projects(member: str) -> Select[Actor]:
    """The projects that somebody is in and that show who is in them."""
    query = select(Actor).join(Project, Project.uri == Actor.uri).join(Membership, Membership.project == Project.uri)
    return query.where(Membership.member == member, Project.public).order_by(Project.id.desc())


async def project_page(request: Request, actor: Actor) -> Response:
    """What a project shows to the world: what it is, what it publishes and, if it wants that, who is in it."""
    here: Instance = request.scope["instance"]

    def read(db: Session) -> dict[str, Any]:
        project = faces.shown_by(db, actor.uri) or statements.at(db, actor.uri)
        moved = None if project.face == actor.uri else shown.people(db, [project.face], here.home).get(project.face)
        boosted = select(Object).join(Reaction, Reaction.object == Object.id).where(Reaction.actor == actor.uri)
        public = (Reaction.kind == "boost", Object.deleted.is_(None), Object.visibility.in_(access.EVERYBODY))
        published = db.scalars(boosted.where(*public).order_by(Reaction.id.desc()).limit(LATEST))
        members = list(db.scalars(projects.people(project.uri))) if project.public else []
        person, inside = shown.person(actor, here.home), list(shown.people(db, members, here.home).values())
        return {
            "person": person,
            "project": project,
            "moved": moved,
            "members": inside,
            "followers": count(db, follows.followers(actor.uri)),
            "posts": shown.posts(db, published, here.home),
            "preview": previews.of(person, None, here.home),
            "linked": linked.project(person, project.summary, inside),
        }

    return page(request, "project.html", await here.store.read(read), alternate=actor.uri)


def count(db: Session, query: Select[str]) -> int:
    return db.scalar(select(func.count()).select_from(query.subquery())) or 0


routes = [
    Route("/", get_home),
    Route("/@{handle}", get_profile),
]
