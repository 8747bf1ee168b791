"""What anybody sees: the house and who lives in it, their profiles, posts and offers.

Every address here is also that of a document; which of the two is answered is negotiated (P-030).
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from sqlalchemy import Select, String, cast, func, select
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from activitypub import html, markdown
from activitypub.actor import Actor as Profile
from activitypub.document import Document
from activitypub.errors import Malformed
from activitypub.origin import host
from activitypub.proposal import Proposal
from activitypub.webfinger import Address
from coop import (
    access,
    conversations,
    essays,
    faces,
    follows,
    fulfilment,
    links,
    offers,
    pins,
    posts,
    projects,
    statements,
)
from coop.accounts import Account
from coop.reactions import Reaction
from coop.statements import Membership, Project
from federation import known
from federation.instance import Instance
from federation.store import Unavailable
from federation.tables import Actor, Object
from web import collections, documents, shown
from web.feeds import posts_by
from web.languages import _
from web.negotiation import wants_document
from web.pages import seals
from web.rendering import page
from web.shown import Card, Post

LED = {"Vary": "Accept", "Cache-Control": "public, max-age=180"}  # programs are not led there
LATEST = 20  # posts on a page
SHOWN_OFFERS = 12


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
        residents = [(shown.person(one, here.home), Profile.read(Document(one.document))) for one in rows]
        everyone = [one.uri for one in rows]
        return {
            "residents": residents,
            "cards": cards(db, here, everyone),
            "posts": shown.posts(db, latest(db, everyone), here.home),
        }

    return page(request, "home.html", await here.store.read(read))


def latest(db: Session, authors: list[str]) -> list[Object]:
    """The newest posts by some of us that everybody may see, answers to others left out."""
    found = [row for one in authors for row in db.scalars(posts_by(one).limit(LATEST))]
    return sorted(found, key=lambda row: row.id, reverse=True)[:LATEST]


def cards(db: Session, here: Instance, authors: list[str]) -> list[Card]:
    """The offers of some of us that are open now."""
    found = [uri for author in authors for _, uri in db.execute(offers.offers_of(author, here.now())).all()]
    rows = db.scalars(select(Object).where(Object.uri.in_(found)).order_by(Object.id.desc()).limit(SHOWN_OFFERS))
    return [card(db, here, one) for one in rows]


def card(db: Session, here: Instance, row: Object) -> Card:
    document = row.said
    proposal = Proposal.read(document)
    if source := document.embedded("source"):
        proposal = replace(proposal, text=markdown.from_text(source.text("content"), here.home))
    author = shown.people(db, [row.author], here.home)[row.author]
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

    def read(db: Session) -> dict[str, Any]:
        return {
            "person": shown.person(actor, here.home),
            "profile": profile,
            "header": shown.kept_here(profile.image, here.home),
            "fields": [pair for pair in profile.fields if pair[0] not in ("Skills", "Availability")],
            "links": links.named(profile),
            "verified": links.verified(db, actor.uri),
            "followers": count(db, follows.followers(actor.uri)),
            "following": count(db, follows.following(actor.uri)),
            "cards": cards(db, here, [actor.uri]),
            "seals": seals.seals_of(db, here, actor.uri),
            "promises": shown.promises(db, fulfilment.shown_of(actor.uri).limit(LATEST), here.home),
            "pinned": shown.posts(db, db.scalars(pins.pinned(actor.uri)), here.home),
            "posts": shown.posts(db, latest(db, [actor.uri]), here.home),
            "projects": [shown.person(one, here.home) for one in db.scalars(public_projects(actor.uri))],
        }

    return page(request, "profile.html", await here.store.read(read), alternate=actor.uri)


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
        return {
            "person": shown.person(actor, here.home),
            "project": project,
            "moved": moved,
            "members": list(shown.people(db, members, here.home).values()),
            "followers": count(db, follows.followers(actor.uri)),
            "posts": shown.posts(db, published, here.home),
        }

    return page(request, "project.html", await here.store.read(read), alternate=actor.uri)


def count(db: Session, query: Select[str]) -> int:
    return db.scalar(select(func.count()).select_from(query.subquery())) or 0


# --- What they say -----------------------------------------------------------------------------------------------


async def get_object(request: Request) -> Response:
    """A post, an offer, or whatever else was said here, to whoever may read it."""
    here: Instance = request.scope["instance"]
    row = await documents.find(request, here.home + request.url.path)
    if is_for_program(request) or row.type not in _PAGES:
        return documents.object_document(request, row, await here.store.read(lambda db: collections.at_once(db, row)))
    if row.deleted:
        raise HTTPException(410, "this was taken back by whoever wrote it")
    return await _PAGES[row.type](request, row)


async def post_page(request: Request, row: Object) -> Response:
    here: Instance = request.scope["instance"]

    def read(db: Session) -> dict[str, Any]:
        [post] = shown.posts(db, [row], here.home)
        if whole := essays.whole(db, row.uri):
            post = replace(post, note=replace(post.note, content=whole))
        return {"post": post, **around(db, post)}

    await look_around(here, row)
    return page(
        request, "post.html", await here.store.read(read), alternate=row.uri, private=not documents.is_open(here, row)
    )


async def offer_page(request: Request, row: Object) -> Response:
    here: Instance = request.scope["instance"]

    def read(db: Session) -> dict[str, Any]:
        [post] = shown.posts(db, [row], here.home)
        return {"post": post, "card": card(db, here, row), **around(db, post)}

    await look_around(here, row)
    return page(
        request, "offer.html", await here.store.read(read), alternate=row.uri, private=not documents.is_open(here, row)
    )


_PAGES = {
    **dict.fromkeys(posts.READABLE, post_page),
    "Proposal": offer_page,
    "Endorsement": seals.note_page,
}


def around(db: Session, post: Post) -> dict[str, Any]:
    """What a post answers, and what answers it, as far as everybody may see that."""
    parent = known.find(db, post.note.in_reply_to)
    is_open = parent is not None and not parent.deleted and access.may_read(db, parent, None)
    answered = shown.posts(db, [parent], post.home) if parent and is_open else []
    replies = db.scalars(posts.replies(post.note.id).limit(LATEST)).all()
    return {"answered": answered, "replies": shown.posts(db, replies, post.home)}


async def look_around(here: Instance, row: Object) -> None:
    """Have what is missing of a conversation asked for, now and then: whoever looks at a page waits for nobody."""
    if await here.store.read(lambda db: conversations.is_wanted_by_anybody(db, row, here.now())):
        with suppress(Unavailable):
            await here.store.write(lambda tx: conversations.complete_for_anybody(tx, row))


async def get_tag(request: Request) -> Response:
    """Where the hashtags of what was written here lead: to all that was said here under them."""
    here: Instance = request.scope["instance"]
    name = request.path_params["name"].lower()
    written = f'"href":"{here.home}/tags/{quote(name)}"'

    def read(db: Session) -> list[Post]:
        seen = (Object.visibility == "public", Object.deleted.is_(None), Object.author.in_(select(Account.uri)))
        query = select(Object).where(*seen, cast(Object.document, String).contains(written, autoescape=True))
        return shown.posts(db, db.scalars(query.order_by(Object.id.desc()).limit(LATEST)), here.home)

    return page(request, "tag.html", {"name": name, "posts": await here.store.read(read)})


async def get_skill(request: Request) -> Response:
    """A skill has an address of its own on the wire (P-220); what is said of it stands under its hashtag."""
    return RedirectResponse(f"/tags/{quote(request.path_params['name'].replace('-', ''))}", 302)


async def get_authorize(request: Request) -> Response:
    """Where other servers send those who say that they live here: it tells what to do, and does nothing (P-330)."""
    asked = request.query_params.get("uri", "").strip()
    link = html.safe_url(asked)
    try:
        wanted = link or f"@{Address.parse(asked)}"
    except Malformed:
        raise HTTPException(400, "that is no address of somebody or something; search for it here instead") from None
    return page(request, "authorize.html", {"wanted": wanted, "link": link}, private=True)


routes = [
    Route("/authorize", get_authorize),
    Route("/", get_home),
    Route("/@{handle}", get_profile),
    Route("/tags/{name}", get_tag),
    Route("/skills/{name}", get_skill),
]
