"""What is in an archive from Mastodon: who it is of, and what they said, as far as it can live on here.

The law: it is an archive of one person. What anybody else said, and what was not for everybody, is left where it is:
the few for whom it was are not those who read here.
"""

from __future__ import annotations

import mimetypes
from collections import Counter
from dataclasses import dataclass, field

from activitypub import audience, html
from activitypub.audience import Visibility
from activitypub.document import Document
from activitypub.errors import ProtocolError
from activitypub.note import Note
from boxroom import archive
from boxroom.archive import Archive
from coop import access, media, profiles
from coop.errors import Trouble

ACTOR, POSTS = "actor.json", "outbox.json"
MAX_ACTOR = 1 << 20  # octets

POST, PICTURE = "post", "picture"
BOOST, DIRECT, FOLLOWERS = "boost", "direct message", "post for followers alone"
OTHERS, STRANGE, LONG, EMPTY, FILE = "post by others", "entry of another kind", "long post", "empty post", "file"
MANY = {FOLLOWERS: "posts for followers alone", OTHERS: "posts by others", STRANGE: "entries of other kinds"}

_PRONOUNS = ("pronouns", "pronomen")


@dataclass(frozen=True, slots=True)
class Said:
    """A post; of its files, what the archive calls them and what is to be seen on them."""

    note: Note
    visibility: Visibility
    files: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Tally:
    """What became of all that is in an archive."""

    brought: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    here_already: int = 0

    def in_words(self) -> str:
        """``1,204 posts, 87 pictures; left out: 310 boosts, 12 direct messages``"""
        words = f"{_listed(self.brought)}" if self.brought else "no new posts"
        words += f"; {self.here_already:,} here already" if self.here_already else ""
        return f"{words}; left out: {_listed(self.left_out)}" if self.left_out else words


def owner(box: Archive) -> Document:
    """Whom it is of. Raise `Trouble` if it does not say."""
    if ACTOR not in box.places or POSTS not in box.places:
        raise Trouble(
            "it has no %(one)s and %(other)s, as the archive has that Mastodon makes of an account",
            one=ACTOR,
            other=POSTS,
        )
    try:
        actor = Document.parse(archive.whole(box, ACTOR, MAX_ACTOR))
        actor.require("id")
    except ProtocolError as error:
        raise Trouble("its %(name)s cannot be read: %(why)s", name=ACTOR, why=error) from error
    return actor


def read(entry: bytes, actor: Document) -> Said | str:
    """One entry of the outbox of `actor`; what is left out is a word for what it is."""
    try:
        activity = Document.parse(entry)
        return _read(activity, actor)
    except ProtocolError:
        return STRANGE


def _read(activity: Document, actor: Document) -> Said | str:
    if activity.uri("actor") != actor.id:
        return OTHERS
    if activity.type == "Announce":
        return BOOST
    document = activity.embedded("object")
    if activity.type != "Create" or document is None or document.type not in ("Note", "Question"):
        return STRANGE
    note = Note.read(document)
    if {*document.uris("attributedTo")} != {actor.id}:
        return OTHERS
    seen = audience.visibility(document, actor.uri("followers"), activity)
    if seen not in access.EVERYBODY:
        return FOLLOWERS if seen == "followers" else DIRECT
    files = tuple((archive.called(url), one.text("name")) for one in _files(document) if (url := one.uri("url")))
    return Said(note, seen, files)


def _files(document: Document) -> list[Document]:
    return [one for one in document.embeddeds("attachment") if "Link" not in one.types][: media.MAX_ATTACHED]


def profile(actor: Document) -> profiles.Changes:
    """What it says of its owner, without their pictures."""
    fields = [
        (html.single_line(one.text("name"), 60).lower(), html.plain(one.text("value")).strip())
        for one in actor.embeddeds("attachment")
        if "PropertyValue" in one.types
    ]
    links = [value for _, value in fields if html.safe_url(value) and len(value) <= profiles.MAX_LINK]
    pronouns = (html.single_line(value, profiles.LINES["pronouns"]) for name, value in fields if name in _PRONOUNS)
    return profiles.Changes(
        name=html.single_line(actor.text("name"), profiles.LINES["name"]),
        bio=html.plain(actor.text("summary"))[: profiles.MAX_BIO],
        pronouns=next(pronouns, ""),
        links=tuple(links[: profiles.MAX_LINKS]),
    )


def picture(box: Archive, actor: Document, name: str) -> str | None:
    """The file that ``icon`` or ``image`` names, if it is there."""
    embedded = actor.embedded(name)
    file = archive.called(embedded.uri("url") or "") if embedded else ""
    return file if file in box.places else None


def is_picture(name: str) -> bool:
    """Whether the archive calls it one; what it is shows when it is opened."""
    return (mimetypes.guess_type(name)[0] or "") in media.PICTURES


def _listed(found: Counter[str]) -> str:
    words = ((number, what if number == 1 else MANY.get(what, f"{what}s")) for what, number in found.items())
    return ", ".join(f"{number:,} {what}" for number, what in words)
