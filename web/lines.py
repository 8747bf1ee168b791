"""Posts as whoever is logged in has them before them: who passed them on, and what they made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import quote

from sqlalchemy.orm import Session

from coop import filters, posts, reactions
from federation import ids
from federation.tables import Object
from web import shown
from web.shown import Person, Post

NOBODY: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Line:
    """A post in the feed, and what whoever reads it made of it."""

    post: Post
    boosted_by: Person | None
    mine: frozenset[str]  # kinds of reactions
    is_own: bool
    hidden: str = ""  # the words in it of which they would rather not read

    @property
    def anchor(self) -> str:
        """Where it stands in the page."""
        return f"post-{ids.slug(self.post.number)}"

    @property
    def may_change(self) -> bool:
        """Whether it is theirs, and but words."""
        return self.is_own and self.post.note.type in posts.READABLE

    @property
    def reading(self) -> str:
        return f"/read?of={quote(self.post.note.id, safe='')}"


def lines(
    db: Session, rows: Sequence[Object], reader: str, home: str, boosters: Mapping[str, str] = NOBODY, whole: str = ""
) -> list[Line]:
    """`rows` in their order; `boosters` are those who passed some of them on, by the URI of the post; `whole` is one.

    Of the others there is the beginning.
    """
    passed_on = shown.people(db, boosters.values(), home)
    made, ours = reactions.by(db, reader, [row.id for row in rows]), {row.uri: row for row in rows}
    unwanted, written = filters.of(db, reader), list[Line]()
    for post in shown.posts(db, rows, home, whole):
        row, booster = ours[post.note.id], boosters.get(post.note.id)
        mine = frozenset[str](made.get(row.id, ()))
        hidden = filters.found(unwanted, row) if row.author != reader else ""
        written.append(Line(post, passed_on[booster] if booster else None, mine, row.author == reader, hidden))
    return written
