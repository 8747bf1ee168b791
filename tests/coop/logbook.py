"""A project's log as tests write it: statements without proofs, whose hashes are of what they say."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from activitypub.document import Document
from activitypub.statement import Kind, Role, Statement
from coop.membership import Room, derive

PROJECT = "https://attic.example/projects/catalogue"
ADA, BO, CY, MAL = (f"https://{name}.example/actors/{name}" for name in ("attic", "shop", "garage", "cellar"))
PEOPLE = (ADA, BO, CY, MAL)
NOON = datetime(2026, 1, 20, 12, 0, tzinfo=UTC)


@dataclass
class Log:
    """A log that grows: each statement comes after all so far, unless `after` says otherwise."""

    said: list[Statement] = field(default_factory=list)

    def say(self, author: str, kind: Kind, after: Sequence[Statement] | None = None, **terms: Any) -> Statement:
        before = tuple(sorted(one.hash for one in (self.heads() if after is None else after)))
        words = repr((author, kind, before, sorted(terms.items(), key=lambda term: term[0])))
        name = hashlib.sha256(words.encode()).hexdigest()
        terms = {"id": f"{author}/activities/{name[:12]}", "published": NOON, "project": PROJECT, **terms}
        self.said.append(Statement(hash=name, kind=kind, author=author, after=before, **terms))
        return self.said[-1]

    def heads(self) -> list[Statement]:
        followed = {before for one in self.said for before in one.after}
        return [one for one in self.said if one.hash not in followed]

    def found(self) -> Statement:
        group = Document({"id": PROJECT, "type": "Group", "name": "Catalogue"})
        return self.say(ADA, "create", subject=ADA, role="lead", group=group)

    def invite(self, author: str, who: str, role: Role = "member", **terms: Any) -> Statement:
        return self.say(author, "invite", subject=who, role=role, **terms)

    def accept(self, invite: Statement, **terms: Any) -> Statement:
        who = invite.subject or ""
        return self.say(who, "accept", **{"subject": who, "about": invite.id, **terms})

    def join(self, who: str, role: Role = "member") -> Statement:
        """`who` is invited by Ada and accepts."""
        return self.accept(self.invite(ADA, who, role))

    def room(self) -> Room:
        return derive(self.said, self.said[0].hash)

    def roles(self) -> dict[str, Role]:
        return {uri: member.role for uri, member in self.room().members.items()}


def catalogue() -> Log:
    """Ada's project, with Bo as a lead and Cy as a member."""
    log = Log()
    log.found()
    log.join(BO, "lead")
    log.join(CY)
    return log
