"""Collections in pages: what an actor did, whom it follows, who answered (P-037, P-038).

The law: a page is found by the row id where another one ended, so that it is as quick on a million rows as on ten, and
nobody learns from a collection what they may not read by itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import msgspec
from sqlalchemy import Select, false, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from activitypub.collection import PAGE_SIZE, write_collection, write_page
from activitypub.document import Json
from activitypub.origin import host
from coop import endorsements, feed, follows, offers, pins, posts
from coop.endorsements import Endorsement
from coop.follows import Follow
from coop.offers import Offer
from coop.pins import Pin
from coop.reactions import Reaction
from federation import ids
from federation.followers import MOST, PATH
from federation.instance import Instance
from federation.tables import Activity, Actor, Object
from web import documents
from web.documents import FOR_ALL, FOR_ONE, NOT_HERE, SIGNED, as_it_is_now
from web.readers import reader_of

LAST = (1 << 63) - 1  # comes after every row

Item = str | Json
AnySelect = Select[*tuple[Any, ...]]
Cursors = dict[str, int]
Endpoint = Callable[[Request], Awaitable[Response]]


def second(row: Sequence[Any]) -> Item:
    found: Item = row[1]
    return found


@dataclass(frozen=True, slots=True)
class Listing:
    """A collection as a query for rows that begin with `key`, by which they are ordered, and what to show of each."""

    query: AnySelect
    key: InstrumentedAttribute[int]
    show: Callable[[Sequence[Any]], Item] = second
    oldest_first: bool = False
    hidden: bool = False  # how many there are is told, who they are is not
    from_end: bool = False  # one may begin at the other end, too
    size: int = PAGE_SIZE

    def total(self, db: Session) -> int:
        return db.scalar(select(func.count()).select_from(self.query.order_by(None).subquery())) or 0

    def page(self, db: Session, uri: str, cursors: Cursors) -> Json:
        """The beginning, what follows on a row, or what comes before one."""
        onward, backward = ("after", "before") if self.oldest_first else ("before", "after")
        if (place := cursors.get(backward)) is not None:
            rows = self._rows(db, backward, place)[::-1]
            return self._written(uri, f"{backward}={ids.slug(place)}", rows[-self.size :], len(rows) > self.size, True)
        place = cursors.get(onward)
        rows = self._rows(db, onward, place)
        here = "page=1" if place is None else f"{onward}={ids.slug(place)}"
        return self._written(uri, here, rows[: self.size], place is not None, len(rows) > self.size)

    def _rows(self, db: Session, direction: str, place: int | None) -> Sequence[Sequence[Any]]:
        """One more than a page holds, so that it is known whether there are more."""
        query = self.query.order_by(None).limit(self.size + 1)
        if direction == "after":
            query = query if place is None else query.where(self.key > place)
            return db.execute(query.order_by(self.key.asc())).all()
        query = query if place is None else query.where(self.key < place)
        return db.execute(query.order_by(self.key.desc())).all()

    def _written(self, uri: str, here: str, rows: Sequence[Sequence[Any]], earlier: bool, later: bool) -> Json:
        onward, backward = ("after", "before") if self.oldest_first else ("before", "after")
        following = f"{uri}?{onward}={ids.slug(rows[-1][0])}" if rows and later else None
        previous = f"{uri}?{backward}={ids.slug(rows[0][0])}" if rows and earlier else None
        return write_page(f"{uri}?{here}", uri, [self.show(row) for row in rows], following, previous)


# --- Of actors ---------------------------------------------------------------------------------------------------


def outbox(actor: Actor, here: Instance) -> Listing:
    """What an actor said in public and what it passed on, without what was deleted or taken back (P-037)."""
    undo = aliased(Activity)
    undone = select(undo.id).where(undo.object == Activity.uri, undo.type == "Undo", undo.actor == actor.uri).exists()
    query = (
        select(Activity.id, Activity, Object)
        .outerjoin(Object, Object.uri == Activity.object)
        .where(Activity.actor == actor.uri, Activity.public, Activity.type.in_(("Create", "Announce")))
        .where(Object.deleted.is_(None), ~undone)
    )
    return Listing(query, Activity.id, _activity)


def _activity(row: Sequence[Any]) -> Json:
    found: Json = msgspec.json.decode(as_it_is_now(row[1], row[2]))
    return found


def followers(actor: Actor, here: Instance) -> Listing:
    accepted = (Follow.followed == actor.uri, Follow.state == "accepted")
    return Listing(select(Follow.id, Follow.follower).where(*accepted), Follow.id)


def following(actor: Actor, here: Instance) -> Listing:
    accepted = (Follow.follower == actor.uri, Follow.state == "accepted")
    return Listing(select(Follow.id, Follow.followed).where(*accepted), Follow.id)


def open_offers(actor: Actor, here: Instance) -> Listing:
    """P-223."""
    return Listing(offers.offers_of(actor.uri, here.now()), Offer.id)


def endorsements_given(actor: Actor, here: Instance) -> Listing:
    """P-247."""
    return Listing(endorsements.endorsements_given(actor.uri), Endorsement.id)


def endorsements_received(actor: Actor, here: Instance) -> Listing:
    """Those that the actor wants to be seen (P-247)."""
    return Listing(endorsements.endorsements_received(actor.uri), Endorsement.id)


def revocations(actor: Actor, here: Instance) -> Listing:
    """The signed Deletes themselves, for everybody to pass on (P-245)."""
    return Listing(endorsements.revocations(actor.uri), Endorsement.id)


def featured(actor: Actor, here: Instance) -> Listing:
    return Listing(pins.pinned(actor.uri).with_only_columns(Pin.id, Object.uri), Pin.id)


def tags(actor: Actor, here: Instance) -> Listing:
    """Others expect to find it, and nobody here can feature a hashtag."""
    return Listing(select(Object.id, Object.uri).where(false()), Object.id)


OF_ACTORS: dict[str, Callable[[Actor, Instance], Listing]] = {
    "outbox": outbox,
    "followers": followers,
    "following": following,
    "offers": open_offers,
    "endorsements-given": endorsements_given,
    "endorsements-received": endorsements_received,
    "revocations": revocations,
    "collections/featured": featured,
    "collections/tags": tags,
}


def of_actor(name: str, listing: Callable[[Actor, Instance], Listing]) -> Endpoint:
    """The endpoint for a collection that belongs to an actor here."""

    async def endpoint(request: Request) -> Response:
        here: Instance = request.scope["instance"]
        if here.authorized_fetch and await reader_of(request.scope) is None:
            raise HTTPException(401, documents.SIGN)
        uri = here.home + request.url.path
        owner = select(Actor).where(Actor.uri == uri.removesuffix(f"/{name}"), Actor.local, Actor.gone.is_(None))
        actor = await here.store.read(lambda db: db.scalar(owner))
        if actor is None:
            raise HTTPException(404, NOT_HERE)
        return await answer(request, listing(actor, here), FOR_ONE if here.authorized_fetch else FOR_ALL)

    return endpoint


async def followers_of_reader(request: Request) -> Response:
    """Of somebody's followers those who live on the server that asks, all at once: they are its own (P-170)."""
    here: Instance = request.scope["instance"]
    reader = await reader_of(request.scope)
    if reader is None:
        raise HTTPException(401, documents.SIGN)
    uri = here.home + request.url.path
    owner = select(Actor.uri).where(Actor.uri == uri.removesuffix(f"/{PATH}"), Actor.local, Actor.gone.is_(None))

    def read(db: Session) -> Json | None:
        if (actor := db.scalar(owner)) is None:
            return None
        theirs = select(Actor.uri).where(Actor.uri.in_(follows.followers(actor)), Actor.host == host(reader))
        people = db.scalars(theirs.order_by(Actor.id).limit(MOST)).all()
        return {**write_collection(uri, len(people)), "orderedItems": people}

    if (found := await here.store.read(read)) is None:
        raise HTTPException(404, NOT_HERE)
    return documents.document(found, SIGNED | FOR_ONE)


# --- Of posts ----------------------------------------------------------------------------------------------------


def replies(row: Object) -> Listing:
    return Listing(posts.replies(row.uri).with_only_columns(Object.id, Object.uri), Object.id)


def likes(row: Object) -> Listing:
    liked = (Reaction.object == row.id, Reaction.kind != "boost")
    return Listing(select(Reaction.id, Reaction.uri).where(*liked), Reaction.id)


def shares(row: Object) -> Listing:
    boosted = (Reaction.object == row.id, Reaction.kind == "boost")
    return Listing(select(Reaction.id, Reaction.uri).where(*boosted), Reaction.id)


OF_OBJECTS: dict[str, Callable[[Object], Listing]] = {"replies": replies, "likes": likes, "shares": shares}


def of_object(name: str, listing: Callable[[Object], Listing]) -> Endpoint:
    """The endpoint for a collection that belongs to something said here, for whoever may read that."""

    async def endpoint(request: Request) -> Response:
        here: Instance = request.scope["instance"]
        row = await documents.find(request, (here.home + request.url.path).removesuffix(f"/{name}"))
        if row.deleted:
            raise HTTPException(404, NOT_HERE)
        return await answer(request, listing(row), FOR_ALL if documents.is_open(here, row) else FOR_ONE)

    return endpoint


def at_once(db: Session, row: Object) -> dict[str, Json]:
    """What a post tells of its collections itself: how many there are, and who answered first (P-038).

    Others read their counts there, and would not ask for each. What is signed stays as it was signed.
    """
    if row.deleted or "proof" in row.document:
        return {}
    mine = {name: listing(row) for name, listing in OF_OBJECTS.items() if row.document.get(name) == f"{row.uri}/{name}"}
    return {name: _embedded(db, f"{row.uri}/{name}", one, name == "replies") for name, one in mine.items()}


def _embedded(db: Session, uri: str, listing: Listing, with_page: bool) -> Json:
    first = _inside(listing.page(db, uri, {})) if with_page else f"{uri}?page=1"
    return _inside(write_collection(uri, listing.total(db), first))


def _inside(written: Json) -> Json:
    """What is inside of a document has its context."""
    return {name: value for name, value in written.items() if name != "@context"}


async def conversation(request: Request) -> Response:
    """All that was said in a conversation that began here, as far as whoever asks may read it (FEP-f228, FEP-7888).

    It belongs to whoever began it; an answer has none of its own.
    """
    here: Instance = request.scope["instance"]
    row = await documents.find(request, (here.home + request.url.path).removesuffix("/context"))
    if row.deleted or row.reply_to or row.visibility == "project":
        raise HTTPException(404, NOT_HERE)
    is_open = documents.is_open(here, row)
    reader = None if is_open else await reader_of(request.scope)
    said = await here.store.read(lambda db: [one.id for one in feed.conversation(db, row, reader)])
    listing = Listing(select(Object.id, Object.uri).where(Object.id.in_(said)), Object.id, oldest_first=True)
    return await answer(request, listing, FOR_ALL if is_open else FOR_ONE, {"attributedTo": row.author})


# --- Of both -----------------------------------------------------------------------------------------------------


async def answer(
    request: Request, listing: Listing, headers: dict[str, str], properties: Mapping[str, str] = MappingProxyType({})
) -> Response:
    """A collection, which has `properties` besides, or a page of it."""
    here: Instance = request.scope["instance"]
    uri = here.home + request.url.path
    cursors = {name: place for name in ("before", "after") if (place := _cursor(request, name)) is not None}
    wants_page = bool(cursors) or "page" in request.query_params
    if wants_page and listing.hidden:
        raise HTTPException(404, NOT_HERE)

    def read(db: Session) -> Json:
        if wants_page:
            return listing.page(db, uri, cursors)
        last = f"{uri}?before={ids.slug(LAST)}" if listing.from_end else None
        first = None if listing.hidden else f"{uri}?page=1"
        return {**write_collection(uri, listing.total(db), first, last), **properties}

    return documents.document(await here.store.read(read), SIGNED | headers)


def _cursor(request: Request, name: str) -> int | None:
    """Where a page begins. Raise `HTTPException` for what is no place in a collection."""
    text = request.query_params.get(name)
    found = ids.from_slug(text) if text else None
    if text and found is None:
        raise HTTPException(400, "there is no such page; begin with the collection itself")
    return found


routes = [
    *(Route(f"/actors/{{id}}/{name}", of_actor(name, listing)) for name, listing in OF_ACTORS.items()),
    *(
        Route(f"/projects/{{id}}/{name}", of_actor(name, OF_ACTORS[name]))
        for name in ("outbox", "followers", "following")
    ),
    *(Route(f"/{kind}/{{id}}/{PATH}", followers_of_reader) for kind in ("actors", "projects")),
    *(Route(f"/{{kind}}/{{id}}/{name}", of_object(name, listing)) for name, listing in OF_OBJECTS.items()),
    Route("/{kind}/{id}/context", conversation),
]
