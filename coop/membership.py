"""Who is in a project: a pure function of its statements, in whatever order and however often they came (P-253)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from heapq import heappop, heappush

from activitypub.document import Document
from activitypub.errors import Forbidden
from activitypub.statement import MAX_AFTER, Role, Statement
from coop.history import History, precedence

MAX_STATEMENTS = 10_000  # P-333
WRITERS: frozenset[Role | None] = frozenset({"lead", "usher", "member"})
INVITERS: frozenset[Role | None] = frozenset({"lead", "usher"})


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody in a project; `since` is the id of the statement that gave the present role: the capability (P-257)."""

    uri: str
    role: Role
    since: str


@dataclass(frozen=True, slots=True)
class Room:
    """What follows from a project's statements. Without the genesis there is nobody in it.

    `invitations` and `requests` are the open ones, by the id of their ``Invite`` or ``Join``; whether an invitation has
    expired is for its reader to ask (`invitations_at`). `heads` is what the next statement comes after. `missing` are
    hashes that others come after and that we lack: those wait, and change nothing. `group` is the project as it was
    last stated.
    """

    fingerprint: str
    project: str = ""
    founder: str = ""
    group: Document | None = None
    members: Mapping[str, Member] = field(default_factory=dict)
    invitations: Mapping[str, Statement] = field(default_factory=dict)
    requests: Mapping[str, Statement] = field(default_factory=dict)
    heads: tuple[str, ...] = ()
    missing: frozenset[str] = frozenset()

    def invitations_at(self, now: datetime) -> tuple[Statement, ...]:
        """Those that are open and have not expired."""
        return tuple(one for one in self.invitations.values() if one.until is None or one.until > now)

    def role_of(self, uri: str) -> Role | None:
        member = self.members.get(uri)
        return member.role if member else None

    def may_post(self, uri: str) -> bool:
        """Everybody but guests, who read."""
        return self.role_of(uri) in WRITERS

    def may_lead(self, uri: str) -> bool:
        return self.role_of(uri) == "lead"

    def has_capability(self, uri: str, statement: str) -> bool:
        """Whether `statement` is the one that gave `uri` the role it has now (P-257)."""
        member = self.members.get(uri)
        return member is not None and member.since == statement


def derive(statements: Iterable[Statement], fingerprint: str) -> Room:
    """The room of the project whose genesis has the hash `fingerprint`, from all that is known of its log.

    The proof of each statement has been checked. Raise `Forbidden` if there are more than `MAX_STATEMENTS`.
    """
    known = {one.hash: one for one in statements}
    return room(history(known, fingerprint), known, fingerprint)


def history(known: Mapping[str, Statement], fingerprint: str, begun: History | None = None) -> History:
    """The history of the project whose genesis has the hash `fingerprint`; without that, an empty one.

    One that was `begun` with less of what is `known` is continued where that can be, which costs no more than what is
    new. Raise `Forbidden` if there are more than `MAX_STATEMENTS`.
    """
    if len(known) > MAX_STATEMENTS:
        raise Forbidden(f"the log of a project has at most {MAX_STATEMENTS} statements")
    if begun is not None and begun.can_go_on_to(known):
        for statement in _following(begun, known):
            begun.insert(statement)
        return begun
    genesis = known.get(fingerprint)
    if genesis is None or genesis.kind != "create":
        return History()
    written = History()
    for statement in in_order((one for one in known.values() if one.project == genesis.project), genesis):
        written.append(statement)
    return written


def room(history: History, known: Mapping[str, Statement], fingerprint: str) -> Room:
    """What follows from a history, which is that of all that is `known`."""
    if not history.statements:
        return Room(fingerprint, missing=frozenset({fingerprint}) - known.keys())
    said, now = history.statements, history.now()
    words = {uri: place for uri in history.people() if (place := now.last_word(uri)) is not None}
    roles = {uri: now.role_of(uri) for uri in words}
    return Room(
        fingerprint=fingerprint,
        project=said[0].project,
        founder=said[0].author,
        group=history.stated().group,
        members={uri: Member(uri, role, said[words[uri]].id) for uri, role in sorted(roles.items()) if role},
        invitations={one.id: one for one in history.open("invite")},
        requests={one.id: one for one in history.open("join")},
        heads=_heads(history),
        missing=_missing(said[0].project, known) if history.lacking(known) else frozenset(),
    )


def in_order(statements: Iterable[Statement], genesis: Statement) -> list[Statement]:
    """Those with a whole history that begins with `genesis`: ancestors first, of others the endings, then by hash."""
    return _in_order({one.hash: one for one in statements}, (), [genesis])


def _following(begun: History, known: Mapping[str, Statement]) -> list[Statement]:
    """Those that are not in the history yet but can be, in the same order."""
    fresh = {one: known[one] for one in begun.lacking(known) if known[one].project == begun.statements[0].project}
    ready = [one for one in fresh.values() if one.after and all(before in begun for before in one.after)]
    return _in_order(fresh, begun, ready)


def _in_order(known: Mapping[str, Statement], here: Container[str], first: Iterable[Statement]) -> list[Statement]:
    followers: dict[str, list[Statement]] = defaultdict(list)
    lacking = {one.hash: sum(before not in here for before in one.after) for one in known.values()}
    for one in known.values():
        for before in one.after:
            followers[before].append(one)
    ordered, ready = list[Statement](), sorted(precedence(one) for one in first)
    while ready:
        ordered.append(known[heappop(ready)[1]])
        for later in followers[ordered[-1].hash]:
            lacking[later.hash] -= 1
            if not lacking[later.hash]:
                heappush(ready, precedence(later))
    return ordered


def _missing(project: str, known: Mapping[str, Statement]) -> frozenset[str]:
    ours = (one for one in known.values() if one.project == project)
    return frozenset(before for one in ours for before in one.after if before not in known)


def _heads(history: History) -> tuple[str, ...]:
    """At most as many as a statement may come after; what strangers say by asking to join displaces nothing."""
    heads = sorted(history.heads(), key=lambda one: (one.kind == "join", one.hash))
    return tuple(sorted(one.hash for one in heads[:MAX_AFTER]))
