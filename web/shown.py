"""What pages show: people, posts, offers, as plain values, read in one transaction before anything is rendered."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from activitypub import html
from activitypub.actor import Actor as Profile
from activitypub.actor import Picture
from activitypub.document import Document
from activitypub.endorsement import Capacity, Endorsement, Judgement, Verdict
from activitypub.errors import ProtocolError
from activitypub.media import Media
from activitypub.note import Note
from activitypub.origin import host
from activitypub.proposal import Proposal
from coop.commitments import Commitment
from coop.endorsements import Endorsement as Row
from federation import ids
from federation.tables import Actor, Object
from web.languages import N_

BEGINNING = 1_500  # characters of HTML, of a post among others: somebody's book does not keep a page from coming
TONES = 6  # tints for whoever has no picture


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody as others see them. `address` is proven, or else the host alone (P-018, P-315)."""

    uri: str
    name: str
    address: str
    url: str
    picture: Picture | None = None
    local: bool = False
    seen: str = ""  # where those inside see their picture, which is elsewhere

    @property
    def letter(self) -> str:
        """What stands in the place of a picture."""
        return next((one.upper() for one in self.name if one.isalnum()), "·")

    @property
    def tone(self) -> int:
        """Which of the tints it stands on: always the same for one person."""
        return sum(self.uri.encode()) % TONES


@dataclass(frozen=True, slots=True)
class Post:
    note: Note
    author: Person
    home: str
    number: int  # of its row
    goes_on: bool = False  # where it is on its own

    @property
    def seen(self) -> str:
        """Where those inside see its pictures, which are elsewhere, each by its place."""
        return f"/seen/post/{ids.slug(self.number)}"

    @property
    def url(self) -> str:
        """Where its author shows it; ours are shown here."""
        return self.note.url or self.note.id

    @property
    def text(self) -> str:
        """What everybody reads of it at once: the warning, where there is one."""
        return self.note.warning or html.plain(self.note.content)

    @property
    def files(self) -> tuple[Media, ...]:
        """What is shown with it outside of its page, where nothing is veiled until asked."""
        is_veiled = self.note.warning or self.note.sensitive
        return () if is_veiled else tuple(one for one in self.note.attachments if self.shows(one.url))

    @property
    def pictures(self) -> tuple[Media, ...]:
        return tuple(one for one in self.files if one.kind == "Image")

    def shows(self, url: str) -> bool:
        """Whether a file is shown in the page: those of other servers would tell them who reads (P-339)."""
        return url.startswith(f"{self.home}/")


@dataclass(frozen=True, slots=True)
class Card:
    """An offer on the board."""

    proposal: Proposal
    author: Person
    url: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class Seal:
    """An endorsement, and what may be said of it now.

    If it is shown here, `page` is where, and `copy` where it is to be had, as long as it is not taken back (P-243).
    """

    said: Endorsement
    endorser: Person
    subject: Person
    verdict: Verdict
    reason: str
    key: str
    page: str | None
    copy: str | None

    @property
    def holds(self) -> bool:
        return self.verdict.startswith("valid")

    @property
    def words(self) -> str:
        """The verdict as people say it."""
        return WORDS[self.verdict]

    @property
    def capacity(self) -> str:
        """As what whoever gave it knows the other; nothing, if they did not say."""
        return CAPACITIES.get(self.said.capacity, "")


@dataclass(frozen=True, slots=True)
class Promise:
    """A commitment that was kept, as both want it to be seen."""

    text: str  # clean HTML
    receiver: Person
    kept: datetime


CAPACITIES: dict[Capacity, str] = {
    "client": N_("as a client"),
    "collaborator": N_("as a collaborator"),
    "employer": N_("as an employer"),
    "employee": N_("as an employee"),
    "peer": N_("as a peer"),
    "student": N_("as a student"),
}

WORDS: dict[Verdict, str] = {
    "valid": N_("Genuine"),
    "valid, offline": N_("Genuine when last seen"),
    "valid by copy": N_("Known from a copy only"),
    "revoked": N_("Taken back"),
    "expired": N_("Over"),
    "invalid": N_("Not genuine"),
    "unknown": N_("Not to be checked now"),
}


def person(actor: Actor, home: str) -> Person:
    profile = Profile.read(Document(actor.document))
    name, address, url = profile.name or profile.handle, actor.address or actor.host, profile.url or actor.uri
    picture = kept_here(profile.icon, home)
    seen = f"/seen/face/{ids.slug(actor.id)}" if profile.icon and not picture else ""
    return Person(actor.uri, name, address, url, picture, actor.local, seen)


def kept_here(picture: Picture | None, home: str) -> Picture | None:
    """A picture, unless a page with it would tell another server who reads (P-339)."""
    return picture if picture and picture.url.startswith(f"{home}/") else None


def people(db: Session, uris: Iterable[str], home: str) -> dict[str, Person]:
    """Everyone of `uris` whom we have met; the others go by their host, as does a server that complains of somebody."""
    wanted = {*uris}
    memory: dict[str, Person] = db.info.setdefault("shown", {})  # a page shows the same few again and again
    if unknown := wanted - memory.keys():
        met = {one.uri: person(one, home) for one in db.scalars(select(Actor).where(Actor.uri.in_(unknown)))}
        memory |= {uri: met.get(uri) or _unmet(uri) for uri in unknown}
    return {uri: memory[uri] for uri in wanted}


def _unmet(uri: str) -> Person:
    """Somebody of whom no more is known; a server, which has no page, is named by its host alone (P-124)."""
    name = host(uri) if "://" in uri else uri
    return Person(uri, name, name, uri if "://" in uri else "")


def posts(db: Session, rows: Iterable[Object], home: str, whole: str = "") -> list[Post]:
    """The rows that can be read as posts, in their order: of each the beginning, but for the one that is `whole`."""
    notes = [(note, row.id) for row in rows if (note := _note(row))]
    authors = people(db, {one.author for one, _ in notes}, home)
    return [_post(one, authors[one.author], home, number, one.id == whole) for one, number in notes]


def _post(note: Note, author: Person, home: str, number: int, is_whole: bool) -> Post:
    if is_whole or len(note.content) <= BEGINNING:
        return Post(note, author, home, number)
    return Post(replace(note, content=html.beginning(note.content, BEGINNING)), author, home, number, goes_on=True)


def promises(db: Session, query: Select[Commitment], home: str) -> list[Promise]:
    rows = db.scalars(query).all()
    met = people(db, {one.receiver for one in rows}, home)
    return [Promise(one.text, met[one.receiver], one.kept) for one in rows if one.kept]


def seals(db: Session, judged: Iterable[tuple[Row, Judgement]], home: str) -> list[Seal]:
    """Endorsements with their verdicts, in their order; what cannot even be read is left out."""
    read = [(row, judgement, said) for row, judgement in judged if (said := _said(row))]
    known = people(db, {uri for _, _, said in read for uri in (said.author, said.subject)}, home)
    return [_seal(row, judgement, said, known, home) for row, judgement, said in read]


def _seal(row: Row, judgement: Judgement, said: Endorsement, known: dict[str, Person], home: str) -> Seal:
    endorser, subject = known[said.author], known[said.subject]
    page = f"{home}/endorsements/{row.hash}" if subject.local and row.display == "accepted" else None
    return Seal(
        said=said,
        endorser=endorser,
        subject=subject,
        verdict=judgement.verdict,
        reason=judgement.reason,
        key=_key(Document(row.inner)),
        page=page,
        copy=f"{page}.json" if page and row.revoked is None else None,
    )


def copied(db: Session, inner: Document, judgement: Judgement, home: str) -> Seal:
    """One that came with a copy, from whoever brought it. Raise `ProtocolError` if it cannot be read."""
    said = Endorsement.read(inner)
    known = people(db, {said.author, said.subject}, home)
    return Seal(said, known[said.author], known[said.subject], *judgement, key=_key(inner), page=None, copy=None)


def _key(inner: Document) -> str:
    proof = inner.embedded("proof")
    return (proof.uri("verificationMethod") or "") if proof else ""


def _said(row: Row) -> Endorsement | None:
    try:
        return Endorsement.read(Document(row.inner))
    except ProtocolError:
        return None


def _note(row: Object) -> Note | None:
    try:
        return Note.read(row.said)
    except ProtocolError:
        return None
