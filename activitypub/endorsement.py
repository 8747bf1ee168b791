"""One actor's signed word for another's skill: what exactly is proven, and what may be said of it (P-240 to P-246).

The inner object is all that counts: it carries its own context and proof, is kept byte for byte, and can be passed on
by anybody. The note around it is for those who only read posts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from typing import Any, Final, Literal, NamedTuple, Self, get_args

from activitypub import context, html
from activitypub.document import Document, Json, timestamp
from activitypub.errors import Forbidden, Malformed, ProtocolError, Unverified
from activitypub.keys import Key, listed
from activitypub.origin import origin
from activitypub.proof import MAX_PROOFS, check_sole_form
from activitypub.sentence import Sentence

Capacity = Literal["client", "collaborator", "employer", "employee", "peer", "student", "other"]
Verdict = Literal["valid", "valid, offline", "valid by copy", "revoked", "expired", "invalid", "unknown"]
KeySeen = Literal["live", "silent", "memory", "gone", "bundle"]

MAX_SKILLS = 5
MAX_SKILL = 100  # characters
MAX_CONTENT = 2_000  # characters
MAX_AHEAD = timedelta(minutes=5)
MAX_BEFORE_KEY = timedelta(hours=24)  # a key may have signed a day before we first saw it
FRAGMENT: Final = "#endorsement"

_REQUIRED = frozenset({"@context", "id", "type", "attributedTo", "object", "skill", "capacity", "content", "published"})
_OPTIONAL = frozenset({"context", "endTime", "proof"})
_MAX_SNAPSHOTS = 8


@dataclass(frozen=True, slots=True)
class Endorsement:
    """`author` vouches for `subject`, an actor, in one to five `skills`. `text` is clean HTML, `work` a URL."""

    id: str
    author: str
    subject: str
    skills: tuple[str, ...]
    capacity: Capacity
    text: str
    published: datetime
    work: str | None = None
    until: datetime | None = None

    @property
    def note(self) -> str:
        """The id of the note that carries it: who deletes the note revokes the endorsement (P-245)."""
        return self.id.removesuffix(FRAGMENT)

    @classmethod
    def read(cls, inner: Document) -> Self:
        """Raise `Malformed` unless it has exactly the shape of P-240: nothing may ride along unread."""
        json = inner.json
        if unknown := json.keys() - _REQUIRED - _OPTIONAL:
            raise Malformed(f"an endorsement has no {', '.join(sorted(unknown))[:200]}")
        if missing := _REQUIRED - json.keys():
            raise Malformed(f"the endorsement has no {', '.join(sorted(missing))}")
        if json["@context"] != context.ENDORSEMENT or json["type"] != "Endorsement":
            raise Malformed("the @context or the type of the endorsement is not the one that is prescribed")
        if "proof" in json:
            check_sole_form(json)
        if _has_float(json):
            raise Malformed("an endorsement has no fractional numbers")
        return cls(
            id=_id(json),
            author=_address(json, "attributedTo"),
            subject=_address(json, "object"),
            skills=_skills(json["skill"]),
            capacity=_capacity(json["capacity"]),
            text=html.clean(_text(json, "content", MAX_CONTENT)),
            published=_time(inner, "published"),
            work=_address(json, "context") if "context" in json else None,
            until=_time(inner, "endTime") if "endTime" in json else None,
        )

    def write(self) -> Json:
        """The inner object, still to be signed by its author. Raise `Malformed` if it could not be read again."""
        written: Json = {
            "@context": context.ENDORSEMENT,
            "id": self.id,
            "type": "Endorsement",
            "attributedTo": self.author,
            "object": self.subject,
            "skill": [*self.skills],
            "capacity": self.capacity,
            "content": self.text,
            "published": timestamp(self.published),
        }
        if self.work:
            written["context"] = self.work
        if self.until:
            written["endTime"] = timestamp(self.until)
        Endorsement.read(Document(written))
        return written


class Judgement(NamedTuple):
    """A verdict, with the reason in words for whoever looks at it."""

    verdict: Verdict
    reason: str


def check(endorsement: Endorsement, proof_owner: str, now: datetime, key_first_seen: datetime | None = None) -> None:
    """The rules of P-241 that need nothing but the endorsement and who proved it.

    Raise `Unverified` if that is not its author, `Forbidden` for a breach of the others; `key_first_seen` is when this
    instance first saw the key, if it has.
    """
    if proof_owner != endorsement.author:
        raise Unverified("an endorsement is proven by the one who gives it")
    if endorsement.author == endorsement.subject:
        raise Forbidden("nobody endorses themselves")
    if origin(endorsement.id) != origin(endorsement.author):
        raise Forbidden("the id of an endorsement is on the server of the one who gives it")
    if endorsement.published > now + MAX_AHEAD:
        raise Forbidden("the endorsement is from the future")
    if key_first_seen is not None and endorsement.published < key_first_seen - MAX_BEFORE_KEY:
        raise Forbidden("the endorsement is said to be older than the key that proves it")


def has_expired(endorsement: Endorsement, now: datetime) -> bool:
    return endorsement.until is not None and endorsement.until <= now


def verdict(
    endorsement: Endorsement, *, proof_ok: bool, revoked: datetime | None, key_seen: KeySeen | None, now: datetime
) -> Judgement:
    """What may be said of `endorsement` (P-242, B6).

    `proof_ok` is whether its proof holds by a key of its author's, `revoked` as of when we hold its author's signed
    ``Delete``, if we do, `key_seen` how we know the key: ``live`` from the author's server within 7 days, with the
    revocations read; from our own memory, that server having been ``silent`` when it was asked last; from our own
    ``memory`` without asking; from our memory of an author who is ``gone`` (P-116); only from a ``bundle``; or not.
    """
    if revoked:
        return Judgement("revoked", Sentence("The one who gave it took it back, as of %(day)s.", day=revoked.date()))
    try:
        check(endorsement, endorsement.author, now)
    except ProtocolError as error:
        return Judgement("invalid", refused(error))
    if key_seen is None:
        return Judgement(
            "unknown", Sentence("The key of the one who gave it is not known here, so nobody here can tell.")
        )
    if not proof_ok:
        return Judgement(
            "invalid", Sentence("The proof does not match: it was altered, or is not by the one it names.")
        )
    if has_expired(endorsement, now):
        return Judgement("expired", Sentence("It was given for a time, which is over."))
    return _BY_KEY[key_seen]


def refused(error: ProtocolError) -> Sentence:
    return Sentence("Refused: %(why)s.", why=error)


_BY_KEY: Final[dict[KeySeen, Judgement]] = {
    "live": Judgement(
        "valid", Sentence("The proof holds, and the key is confirmed by the server of the one who gave it.")
    ),
    "silent": Judgement(
        "valid, offline",
        Sentence(
            "The proof holds by a key that we saw ourselves earlier. That server did not confirm it when we last asked."
        ),
    ),
    "memory": Judgement(
        "valid, offline",
        Sentence(
            "The proof holds by a key that we saw ourselves earlier. That server was not asked in the last seven days."
        ),
    ),
    "gone": Judgement(
        "valid, offline",
        Sentence(
            "Author gone: the proof holds by a key that we saw ourselves, before the account of the one who gave it "
            "ended."
        ),
    ),
    "bundle": Judgement(
        "valid by copy",
        Sentence("The proof holds by a key that came with this copy; we never saw it at its owner's ourselves."),
    ),
}


def revokes(deletion: Document, uri: str, author: str) -> bool:
    """Whether that is, if proven, its author's word that the endorsement at `uri` holds no more (P-245)."""
    about = {uri.removesuffix(FRAGMENT), uri.removesuffix(FRAGMENT) + FRAGMENT}
    return (
        deletion.type == "Delete"
        and deletion.uris("actor") == (author,)
        and not about.isdisjoint(deletion.uris("object"))
    )


def content(endorsement: Endorsement, address: str, profile: str) -> str:
    """The note's HTML, to be understood without our software. `address` is the subject's ``bo@bo.example``."""
    skills = " and ".join(f"<strong>{escape(one)}</strong>" for one in endorsement.skills)
    article = "an" if endorsement.capacity.startswith("e") else "a"
    role = "" if endorsement.capacity == "other" else f" (as {article} {endorsement.capacity})"
    handle = escape(address.partition("@")[0])
    mention = (
        f'<span class="h-card"><a href="{escape(profile)}" class="u-url mention">@<span>{handle}</span></a></span>'
    )
    links = "<br>".join(_link(url) for url in (endorsement.work, endorsement.note) if url)
    return f"<p>I endorse {mention} for {skills}{role}.</p>{endorsement.text}<p>{links}</p>"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The document of an actor, with its keys, as somebody saw it."""

    actor: Document
    seen: datetime


@dataclass(frozen=True, slots=True)
class Bundle:
    """An endorsement with what is needed to verify it when its author's server is gone (P-243).

    `keys` are the Multikeys that prove it, for its author may have had others before and after; `revocation` is the
    signed ``Delete``, once it was taken back.
    """

    endorsement: Document  # the inner object, exactly as it was received
    snapshots: tuple[Snapshot, ...] = ()
    received: datetime | None = None
    keys: tuple[Json, ...] = ()
    revocation: Document | None = None

    def listed(self) -> dict[str, Key]:
        """All keys that came with it, by their ids: nobody but who made this copy says that they are its author's."""
        author = self.endorsement.uri("attributedTo")
        several = [one.actor for one in self.snapshots]
        several += [Document({"id": author, "assertionMethod": [*self.keys]})] if author else []
        return {key.id: key for one in several for key in listed(one)}

    @classmethod
    def parse(cls, body: bytes) -> Self:
        return cls.read(Document.parse(body))

    @classmethod
    def read(cls, document: Document) -> Self:
        """A bundle, a bare endorsement, the note that carries one, or a badge. Raise `Malformed` if it is none."""
        if document.type == "Endorsement":
            return cls(document)
        around = document.embedded("object") or document
        inner = around.embedded("endorsement") or around.embedded("signedEndorsement")
        if inner is None:
            raise Malformed("there is no endorsement in it")
        entries = document.embeddeds("actorSnapshots")[:_MAX_SNAPSHOTS]
        snapshots = tuple(one for entry in entries if (one := _snapshot(entry)))
        keys = tuple(one.json for one in document.embeddeds("keys")[:MAX_PROOFS])
        return cls(inner, snapshots, document.time("receivedAt"), keys, document.embedded("revocation"))

    def write(self) -> Json:
        """As it is served at ``/endorsements/HASH.json``."""
        seen = [{"actor": one.actor.json, "seenAt": timestamp(one.seen)} for one in self.snapshots]
        received = {"receivedAt": timestamp(self.received)} if self.received else {}
        also: Json = {"keys": [*self.keys]} if self.keys else {}
        also |= {"revocation": self.revocation.json} if self.revocation else {}
        return {"endorsement": self.endorsement.json, "actorSnapshots": seen, **received, **also}


def _snapshot(entry: Document) -> Snapshot | None:
    actor, seen = entry.embedded("actor"), entry.time("seenAt")
    return Snapshot(actor, seen) if actor and seen else None


def _id(json: Json) -> str:
    uri = _address(json, "id")
    if not uri.endswith(FRAGMENT):
        raise Malformed(f"the id of an endorsement is that of its note and {FRAGMENT}")
    return uri


def _address(json: Json, name: str) -> str:
    uri = _text(json, name, 2048)
    origin(uri)
    return uri


def _text(json: Json, name: str, limit: int) -> str:
    text = json[name]
    if not isinstance(text, str) or len(text) > limit:
        raise Malformed(f"{name} of an endorsement is a string of at most {limit} characters")
    return text


def _skills(said: Any) -> tuple[str, ...]:
    is_list = isinstance(said, Sequence) and not isinstance(said, str) and 1 <= len(said) <= MAX_SKILLS
    if not is_list or not all(isinstance(one, str) and one and one == html.single_line(one, MAX_SKILL) for one in said):
        raise Malformed(f"skill of an endorsement is a list of one to {MAX_SKILLS} short names")
    return tuple(said)


def _capacity(said: Any) -> Capacity:
    found: Capacity | None = next((one for one in get_args(Capacity) if one == said), None)
    if found is None:
        raise Malformed(f"capacity of an endorsement is one of {', '.join(get_args(Capacity))}")
    return found


def _time(inner: Document, name: str) -> datetime:
    said = inner.json[name]
    moment = inner.time(name) if isinstance(said, str) else None
    if moment is None:
        raise Malformed(f"{name} of an endorsement is a time")
    return moment


def _has_float(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_has_float, value.values()))
    return any(map(_has_float, value)) if isinstance(value, list) else isinstance(value, float)


def _link(url: str) -> str:
    shown = url.partition("://")[2]
    return f'<a href="{escape(url)}">{escape(shown)}</a>'
