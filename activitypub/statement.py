"""One statement of a project's log: an activity with a proof, which says what it follows on (P-251, P-252).

Reading tells what a statement says; whether it holds is for the log as a whole to tell, see `coop.membership`. Read the
activity as it was sent: a lead's ``Update`` embeds a group of another server, which `own_words` would take away, and
the hash is over every byte. The caller has checked that the proof is by `Statement.author`.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, Self, get_args

import msgspec

from activitypub import context, html
from activitypub.document import Document, Json, timestamp
from activitypub.errors import Forbidden, Malformed
from activitypub.origin import origin, own_words
from activitypub.proof import check_sole_form, hash_of
from activitypub.vocabulary import RESOURCES

Kind = Literal["create", "invite", "undo", "accept", "reject", "join", "add", "remove", "leave", "update"]
Role = Literal["lead", "usher", "member", "guest"]

MAX_AFTER = 64  # P-333
MAX_SIZE = 24_000  # octets, as JSON: forty of them, a page of the log, are less than what is read of a page (P-172)
MAX_TEXT = 2_000  # characters of what an invitation says

_KINDS: Final[dict[str, Kind]] = {kind.capitalize(): kind for kind in get_args(Kind)}
_FORGE = "https://forgefed.org/ns#"
_ROLES: Final[dict[str, Role]] = {"admin": "lead", "maintain": "usher", "write": "member", "visit": "guest"}
_SPELLED: Final[dict[Role, str]] = {role: _FORGE + name for name, role in _ROLES.items()}
_PLACES = RESOURCES | {"Group", "Collection", "OrderedCollection"}


@dataclass(frozen=True, slots=True)
class Statement:
    """What one author said about a project, knowing the statements `after`.

    `published` is the author's claim and never an authority (P-333). `subject` is the actor concerned, `about` the id
    of the ``Invite`` or ``Join`` that is answered or undone.
    """

    hash: str
    id: str
    kind: Kind
    author: str
    project: str
    after: tuple[str, ...]
    subject: str | None = None
    about: str | None = None
    role: Role | None = None
    until: datetime | None = None
    published: datetime | None = None
    fingerprint: str | None = None
    replica: str | None = None
    text: str = ""  # clean HTML
    group: Document | None = field(default=None, compare=False)  # the project as genesis or an update states it

    @classmethod
    def read(cls, document: Document) -> Self:
        """Raise `Malformed` unless it is one of the statements of P-251, and no larger or deeper than can be passed on.

        Raise `Forbidden` if its id is not its author's.
        """
        kind = _KINDS.get(document.type)
        if kind is None or not document.has("proof"):
            raise Malformed("a statement about a project is one of ten activities, with a proof")
        author, project = only(document, "actor"), only(document, "context")
        if origin(document.id) != origin(author):
            raise Forbidden(f"{document.id} is not on the server of its actor")
        check_sole_form(document.json)
        name = hash_of(document.json)
        _check_that_it_travels(document, author)
        return cls(
            hash=name,
            id=document.id,
            kind=kind,
            author=author,
            project=project,
            after=_after(document, kind),
            subject=_subject(document, kind, author, project),
            about=only(document, "object") if kind in ("undo", "accept", "reject") else None,
            role=_role(document, kind),
            until=_until(document),
            published=document.time("published"),
            fingerprint=next(iter(document.strings("fingerprint")), None),
            replica=html.safe_url(document.uri("replica")),
            text=html.clean(document.text("content")[:MAX_TEXT]),
            group=_group(document, author, project) if kind in ("create", "update") else None,
        )


@dataclass(frozen=True, slots=True)
class Invitation:
    """An ``Invite`` of any dialect: ours, ForgeFed's, or with `invitee` and `place` the other way round (P-256)."""

    id: str
    author: str
    invitee: str
    place: str  # a project, group or its collection of members
    role: Role
    text: str  # clean HTML
    until: datetime | None

    @classmethod
    def read(cls, document: Document, ours: Container[str]) -> Self:
        """`ours` are the actors who live here. Raise `Malformed` unless it says who is invited, and to what."""
        invitee, place = _oriented(document, ours)
        text = html.clean(document.text("content")[:MAX_TEXT])
        role = read_role(document) or "member"
        return cls(document.id, only(document, "actor"), invitee, place, role, text, _until(document))


@dataclass(frozen=True, slots=True)
class Writer:
    """What all that `author` says in one moment has in common; its methods give activities that lack only the proof.

    `members` is the project's collection of that name, `after` the heads of the log as the author knows it, and
    `people` the present members, who all get it, with the project's inbox (P-254).
    """

    author: str
    project: str
    members: str
    after: Sequence[str]
    people: Sequence[str]
    now: datetime

    def genesis(self, uri: str, group: Json) -> Json:
        """The first statement, whose hash is the project's fingerprint (P-250)."""
        said = self._activity(uri, "Create", object=_inner(group), instrument=_SPELLED["lead"])
        return said | {"@context": context.GENESIS, "after": []}

    def invite(self, uri: str, invitee: str, role: Role, fingerprint: str, until: datetime, text: str) -> Json:
        """Open until `until`; `text` is HTML."""
        terms = {"instrument": _SPELLED[role], "endTime": timestamp(until), "content": text, "fingerprint": fingerprint}
        return self._activity(uri, "Invite", invitee, object=invitee, target=self.members, **terms)

    def undo(self, uri: str, invite: Statement) -> Json:
        """Withdraw an invitation."""
        return self._activity(uri, "Undo", invite.subject, object=invite.id)

    def accept(self, uri: str, invite: Statement, replica: str) -> Json:
        """`replica` is where the new member's copy of the log is to be had."""
        return self._activity(uri, "Accept", invite.author, object=invite.id, replica=replica)

    def reject(self, uri: str, answered: Statement) -> Json:
        """Decline an invitation; or, as a lead, somebody's wish to join."""
        return self._activity(uri, "Reject", answered.author, object=answered.id)

    def join(self, uri: str) -> Json:
        """Ask to become a member."""
        return self._activity(uri, "Join", object=self.members)

    def add(self, uri: str, member: str, role: Role) -> Json:
        """Give a member another role."""
        return self._activity(uri, "Add", member, object=member, target=self.members, instrument=_SPELLED[role])

    def remove(self, uri: str, member: str) -> Json:
        return self._activity(uri, "Remove", member, object=member, origin=self.members)

    def leave(self, uri: str) -> Json:
        return self._activity(uri, "Leave", object=self.project)

    def update(self, uri: str, group: Json) -> Json:
        """Name, summary and settings anew: `group` is the whole project actor, as receivers replace it."""
        return self._activity(uri, "Update", object=_inner(group)) | {"@context": context.GENESIS}

    def _activity(self, uri: str, kind: str, concerned: str | None = None, **terms: object) -> Json:
        everyone = dict.fromkeys([*([concerned] if concerned else []), self.project, *self.people])
        return {
            "@context": context.STATEMENT,
            "id": uri,
            "type": kind,
            "actor": self.author,
            **terms,
            "context": self.project,
            "after": [*self.after],
            "to": [one for one in everyone if one != self.author],
            "published": timestamp(self.now),
        }


def read_role(document: Document) -> Role | None:
    """The role in ``instrument``: ForgeFed's URI, with or without its prefix, or our short name; else ``None``."""
    name = term(document.uri("instrument") or "")
    return _ROLES.get(name) or next((role for role in get_args(Role) if role == name), None)


def term(uri: str) -> str:
    """A term of ForgeFed's by its short name, as it is written under ForgeFed's own context."""
    return uri.removeprefix(_FORGE).removeprefix("forge:")


def _check_that_it_travels(document: Document, author: str) -> None:
    """What one member's server takes, every other has to take from it, or their logs would differ for ever (P-333).

    So it is read as it comes to them: as an item of a list, in an ``Add`` or in a page of the log.
    """
    body = msgspec.json.encode(document.json)
    if len(body) > MAX_SIZE:
        raise Malformed(f"a statement about a project takes up to {MAX_SIZE:,} octets, as JSON without white space")
    add = {"type": "Add", "actor": author, "object": [msgspec.Raw(body)]}
    own_words(Document.parse(msgspec.json.encode(add)))


def only(document: Document, name: str) -> str:
    """The one URI under `name`: with several of them, readers could differ in which they heed."""
    uris = document.uris(name)
    if len(uris) != 1:
        raise Malformed(f"{document.type} has exactly one {name}")
    origin(uris[0])
    return uris[0]


def _after(document: Document, kind: Kind) -> tuple[str, ...]:
    said = document.get("after")
    if not isinstance(said, list) or not all(isinstance(one, str) and one for one in said):
        raise Malformed("a statement has after: an array of hashes of statements")
    if len(said) > MAX_AFTER:
        raise Malformed(f"a statement follows on at most {MAX_AFTER} others")
    if bool(said) == (kind == "create"):
        raise Malformed("the first statement of a project, and no other, follows on none")
    return tuple(sorted(set(said)))


def _subject(document: Document, kind: Kind, author: str, project: str) -> str | None:
    match kind:
        case "invite":
            invitee, _ = _oriented(document, (), project)
            return invitee
        case "add" | "remove":
            return only(document, "object")
        case "create" | "accept" | "join" | "leave":
            return author
        case _:
            return None


def _role(document: Document, kind: Kind) -> Role | None:
    if kind not in ("create", "invite", "add"):
        return None
    role = read_role(document)
    if role is None or (kind == "create" and role != "lead"):
        raise Malformed(
            "instrument is a role of ForgeFed: admin, maintain, write or visit; the first statement gives admin"
        )
    return role


def _until(document: Document) -> datetime | None:
    """An end that cannot be read would be no end at all."""
    until = document.time("endTime")
    if document.has("endTime") and until is None:
        raise Malformed("endTime is not a time")
    return until


def _group(document: Document, author: str, project: str) -> Document:
    group = document.embedded("object")
    if group is None or group.uri("id") != project or group.type != "Group":
        raise Malformed("the project that is created or updated is embedded whole, as a Group")
    if document.type == "Create" and (group.uri("attributedTo") != author or origin(project) != origin(author)):
        raise Forbidden("a project is created by its founder, on the founder's server")
    return group


def _oriented(document: Document, ours: Container[str], project: str | None = None) -> tuple[str, str]:
    """Who is invited, and where: ``object`` to ``target``, unless it is evident that they are turned round."""
    first, second = only(document, "object"), only(document, "target")
    embedded = document.embedded("object")
    is_place = first == project or (embedded is not None and embedded.type in _PLACES)
    if first not in ours and (second in ours or is_place):
        return second, first
    return first, second


def _inner(group: Json) -> Json:
    """The project actor as part of an activity: under its context, and its proof alone."""
    return {name: value for name, value in group.items() if name not in ("@context", "proof")}
