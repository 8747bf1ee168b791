"""Search: people, posts, offers and projects that are known here, who can do something, and what is at an address."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from activitypub.errors import Malformed
from activitypub.webfinger import Address
from coop import names, paths, projects, search, who
from coop.errors import Trouble
from coop.logins import Visitor
from coop.search import Kind, Search
from coop.who import Found, Question
from federation import ids
from federation.instance import Instance
from web import inside, session, shown
from web.languages import N_, _, told
from web.pages import people
from web.pages.people import place_of
from web.shown import Person, Post

LONGEST = 400  # characters
LATEST, SOME = 20, 4  # hits on a page of one group, and of each where all are shown
ABLE = 10  # people who can do something: why each is found is told at length

TABS = {
    "": N_("Everything"),
    "people": N_("People"),
    "posts": N_("Posts"),
    "offers": N_("Offers"),
    "projects": N_("Projects"),
    "skills": N_("Who can do it?"),
}
MORE = {
    "people": N_("More people"),
    "posts": N_("More posts"),
    "offers": N_("More offers"),
    "projects": N_("More projects"),
}
_KINDS: dict[str, Kind] = {"posts": "post", "offers": "offer"}


@dataclass(frozen=True, slots=True)
class Hit:
    """Something that was found, and where it is shown."""

    where: str
    post: Post


@dataclass(frozen=True, slots=True)
class Room:
    """A project that was found."""

    where: str
    name: str
    summary: str  # clean HTML
    is_mine: bool


@dataclass(frozen=True, slots=True)
class Able:
    """Somebody who can do what is asked for, and why one may think so."""

    person: Person
    found: Found
    ways: list[str]
    vouchers: list[str]


@dataclass(frozen=True, slots=True)
class Looked:
    """What is looked for, by whom, and which part of it is to be shown."""

    words: str
    visitor: Visitor
    here: Instance
    most: int
    before: int | None


Group = tuple[list[Any], str]  # what was found, and from where on there is more


async def get_search(request: Request) -> Response:
    """One field for everything; what is typed is looked for here alone, until somebody asks for more by a button."""
    here: Instance = request.scope["instance"]
    visitor = await session.inhabitant(request)
    words, tab = request.query_params.get("q", "").replace("\0", "").strip(), request.query_params.get("in", "")
    tab = tab if tab in TABS else ""
    only = {name: request.query_params.get(name, "").strip()[:LONGEST] for name in ("available", "remote", "place")}
    trouble = _("That is too long to search for: a few words will do.") if len(words) > LONGEST else ""
    before = ids.from_slug(request.query_params.get("before", ""))
    looked = Looked(words[:LONGEST], visitor, here, LATEST if tab else SOME, before if tab else None)
    is_asked = bool(words) and not trouble

    def read(db: Session) -> dict[str, Any]:
        groups = {name: GROUPS[name](db, looked) for name in GROUPS if is_asked and tab in ("", name)}
        values = {
            **inside.insider(db, visitor, here.home),
            "groups": {name: one for name, one in groups.items() if one[0]},
        }
        able, wrong = _able(db, looked, only) if is_asked and tab == "skills" else ([], trouble)
        return {**values, "able": able, "trouble": wrong}

    values = await here.store.read(read)
    about = {
        "words": words,
        "tab": tab,
        "tabs": TABS,
        "more": MORE,
        "only": only,
        "address": _address(words),
        "is_asked": is_asked,
    }
    return inside.page(request, "search.html", {**values, **about}, 422 if values["trouble"] else 200)


def _address(words: str) -> str:
    """`words`, if they look like an address at which a server could be asked."""
    if len(words) > LONGEST or " " in words:
        return ""
    if words.startswith(("https://", "http://")):
        return words
    try:
        return f"@{Address.parse(words)}"
    except Malformed:
        return ""


def _people(db: Session, looked: Looked) -> Group:
    query = names.people(looked.visitor.uri, looked.words, looked.before)
    rows = db.scalars(query.limit(looked.most + 1)).all()
    return [shown.person(one, looked.here.home) for one in rows[: looked.most]], _more(looked, [one.id for one in rows])


def _projects(db: Session, looked: Looked) -> Group:
    rows = db.scalars(names.projects(looked.visitor.uri, looked.words, looked.before).limit(looked.most + 1)).all()
    mine = {one.uri for one in db.scalars(projects.projects_of(looked.visitor.uri))}
    found = [
        Room(_room(one.uri, one.face, mine), one.name, one.summary, one.uri in mine) for one in rows[: looked.most]
    ]
    return found, _more(looked, [one.id for one in rows])


def _room(uri: str, face: str, mine: set[str]) -> str:
    return f"/project?is={quote(uri, safe='')}" if uri in mine else people.who(face)


def _said(tab: str) -> Callable[[Session, Looked], Group]:
    def find(db: Session, looked: Looked) -> Group:
        wanted = Search(looked.words, _KINDS[tab])
        rows = search.find(db, looked.visitor.uri, wanted, looked.most + 1, looked.before)
        places = {one.uri: place_of(one) for one in rows}
        posts = shown.posts(db, rows[: looked.most], looked.here.home)
        return [Hit(places[one.note.id], one) for one in posts], _more(looked, [one.id for one in rows])

    return find


def _more(looked: Looked, numbers: list[int]) -> str:
    """From where on older ones are found; empty if these are all."""
    return ids.slug(numbers[looked.most - 1]) if len(numbers) > looked.most else ""


GROUPS: dict[str, Callable[[Session, Looked], Group]] = {
    "people": _people,
    "posts": _said("posts"),
    "offers": _said("offers"),
    "projects": _projects,
}


# --- Who can do it? ----------------------------------------------------------------------------------------------


def _able(db: Session, looked: Looked, only: dict[str, str]) -> tuple[list[Able], str]:
    """Those whom one knows, or may hear of, who can do what is asked for; or what is wrong with the question."""
    asked = Question(tuple(looked.words.split(",")), bool(only["available"]), bool(only["remote"]), only["place"])
    try:
        found = who.knows(db, looked.visitor.uri, asked, ABLE, looked.here.now())
    except Trouble as error:
        return [], _("That cannot be asked: %(why)s.") % {"why": told(error)}
    ways = iter(paths.all_in_words(db, [way for one in found for way in one.ways]))
    givers = shown.people(db, {row.endorser for one in found for row, _judged in one.endorsements}, looked.here.home)
    return [
        Able(
            person=shown.person(one.actor, looked.here.home),
            found=one,
            ways=[next(ways) for _way in one.ways],
            vouchers=sorted({givers[row.endorser].name for row, _judged in one.endorsements}),
        )
        for one in found
    ], ""


routes = [Route("/search", get_search, methods=["GET"])]
