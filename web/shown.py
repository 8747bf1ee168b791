"""What pages show: people, posts, offers, as plain values, read in one transaction before anything is rendered."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
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
from federation.tables import Actor, Object
from web.languages import N_

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
    return Person(actor.uri, name, address, url, kept_here(profile.icon, home), actor.local)


def kept_here(picture: Picture | None, home: str) -> Picture | None:
    """A picture, unless a page with it would tell another server who reads (P-339)."""
    return picture if picture and picture.url.startswith(f"{home}/") else None


def people(db: Session, uris: Iterable[str], home: str) -> dict[str, Person]:
    """Everyone of `uris` whom we have met; the others go by their host."""
    wanted = {*uris}
    met = {one.uri: person(one, home) for one in db.scalars(select(Actor).where(Actor.uri.in_(wanted)))}
    return {uri: met.get(uri) or Person(uri, host(uri), host(uri), uri) for uri in wanted}


def posts(db: Session, rows: Iterable[Object], home: str) -> list[Post]:
    """The rows that can be read as posts, in their order."""
    notes = [note for row in rows if (note := _note(row))]
    authors = people(db, {one.author for one in notes}, home)
    return [Post(one, authors[one.author], home) for one in notes]


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
    proof = Document(row.inner).embedded("proof")
    endorser, subject = known[said.author], known[said.subject]
    page = f"{home}/endorsements/{row.hash}" if subject.local and row.display == "accepted" else None
    return Seal(
        said=said,
        endorser=endorser,
        subject=subject,
        verdict=judgement.verdict,
        reason=judgement.reason,
        key=(proof.uri("verificationMethod") or "") if proof else "",
        page=page,
        copy=f"{page}.json" if page and row.revoked is None else None,
    )


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
