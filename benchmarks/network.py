"""A made-up network of freelancers of whom it is known who can do what: for the question who we know that can.

People name what they can do as people do: in one word or another of two languages, in the plural, in capitals. One in
ten tags is in words that no list knows, and one in seven people claim what they cannot do. Some want to be found by
those who do not know them, some do not; some are known to nobody whom we follow.
"""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy.orm import Session

from activitypub import keys, proof
from activitypub.document import Json
from activitypub.endorsement import FRAGMENT
from activitypub.endorsement import Endorsement as Said
from coop import cards, skills, who
from coop.blocks import Block
from coop.circles import Introduction
from coop.endorsements import EndorsedSkill, Endorsement
from coop.follows import Follow
from coop.who import Question
from federation import ids
from federation.store import Transaction
from federation.tables import Actor, Key

FIRST = 5  # answers that count
OWN_WORDS, CLAIMS, FINDABLE, VOUCHED, BLOCKED = 0.1, 0.15, 0.75, 0.3, 0.02  # how often
TIMES = ("from March", "two days a week", "fully booked", "", "ab Herbst", "ausgebucht")
PLACES = ("Linz", "Köln", "", "Gdańsk", "Lisbon")


@dataclass(frozen=True, slots=True)
class Network:
    """`me` asks; `answers` has for each skill those who can do it and may be shown to `me`."""

    me: str
    answers: dict[str, set[str]]

    def precision(self, db: Session, now: datetime) -> float:
        """What part of the first answers is right, in the mean over all skills that somebody has."""
        return sum(self._right(db, skill, now) for skill in self.answers) / len(self.answers)

    def _right(self, db: Session, skill: str, now: datetime) -> float:
        found = who.knows(db, self.me, Question((skill,)), FIRST, now)
        right = [one for one in found if one.actor.uri in self.answers[skill]]
        return len(right) / len(found) if found else 0.0


def build(tx: Transaction, me: str, people: int, seed: int = 1) -> Network:
    """So many people around `me`, who follows every tenth of them."""
    maker = _Maker(tx, me, random.Random(seed))
    for number in range(people):
        maker.add(number, is_friend=number < people // 10)
    tx.db.flush()
    return Network(me, dict(maker.answers))


@dataclass(slots=True)
class _Maker:
    tx: Transaction
    me: str
    chance: random.Random
    answers: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    friends: list[str] = field(default_factory=list)
    listed: dict[str, list[str]] = field(default_factory=lambda: msgspec.toml.decode(skills.LIST.read_bytes()))
    key: Any = field(default_factory=keys.new_ed25519)  # all have the same: it takes long to make one

    def add(self, number: int, *, is_friend: bool) -> None:
        uri = f"https://h{number}.example/actors/p"
        can = self.chance.sample(sorted(self.listed), self.chance.randint(1, 4))
        claims = self.chance.sample(sorted(self.listed), 1) if self.chance.random() < CLAIMS else []
        is_findable = self.chance.random() < FINDABLE
        self.tx.db.add(actor := self._actor(uri, number, [*can, *claims], is_findable))
        self.tx.db.flush()
        cards.keep(self.tx, actor)
        if is_friend:
            self._befriend(uri)
        by = self.chance.sample(self.friends, min(self.chance.randint(0, 3), len(self.friends)))
        self.tx.db.add_all(Introduction(by=one, of=uri, due=self.tx.now) for one in by if one != uri)
        is_blocked = self.chance.random() < BLOCKED
        if is_blocked:
            self.tx.db.add(Block(id=ids.new(self.tx.now), by=self.me, blocked=uri, since=self.tx.now))
        if (is_friend or (is_findable and by)) and not is_blocked:
            for skill in can:
                self.answers[skill].add(uri)
        for skill in can:
            if by and self.chance.random() < VOUCHED:
                self._vouch(by[0], uri, self._spelled(skill))

    def _actor(self, uri: str, number: int, named: list[str], is_findable: bool) -> Actor:
        document: Json = {
            "id": uri,
            "type": "Person",
            "preferredUsername": "p",
            "inbox": f"{uri}/inbox",
            "skill": [self._written(skill) for skill in named],
            "availability": self.chance.choice(TIMES),
            "location": {"type": "Place", "name": self.chance.choice(PLACES)},
            "discoverable": is_findable,
        }
        times: dict[str, Any] = dict.fromkeys(("first_seen", "fetched", "needed"), self.tx.now)
        about: dict[str, Any] = {
            "uri": uri,
            "host": f"h{number}.example",
            "inbox": f"{uri}/inbox",
            "document": document,
        }
        return Actor(id=ids.new(self.tx.now), type="Person", handle="p", name=f"P {number}", **about, **times)

    def _written(self, skill: str) -> str:
        """A skill as somebody may call it."""
        if self.chance.random() < OWN_WORDS:
            return f"{skill}, for {self.chance.randint(2, 30)} years"
        return self._spelled(skill)

    def _spelled(self, skill: str) -> str:
        name = self.chance.choice([skill, skill, *self.listed[skill]])
        if "://" in name:
            return name
        return self.chance.choice([name, name.lower(), name.upper(), name.replace(" ", "-"), f" {name}"])

    def _befriend(self, uri: str) -> None:
        number, public = ids.new(self.tx.now), keys.write_pem(self.key.public_key())
        follow: dict[str, Any] = {"follower": self.me, "followed": uri, "state": "accepted", "since": self.tx.now}
        self.tx.db.add(Follow(id=number, uri=f"{self.me}/follows/{number}", **follow))
        seen: dict[str, Any] = {"first_seen": self.tx.now, "last_seen": self.tx.now}
        self.tx.db.add(Key(id=f"{uri}#key", owner=uri, use="assertionMethod", public=public, **seen))
        self.friends.append(uri)

    def _vouch(self, giver: str, subject: str, skill: str) -> None:
        number = ids.new(self.tx.now)
        uri = f"{giver}/notes/{number}"
        said = Said(uri + FRAGMENT, giver, subject, (skill.strip(),), "client", "<p>Fine work.</p>", self.tx.now)
        inner = proof.sign(said.write(), f"{giver}#key", self.key, self.tx.now)
        about: dict[str, Any] = {
            "uri": uri,
            "endorser": giver,
            "subject": subject,
            "hash": f"{number:x}",
            "inner": inner,
        }
        self.tx.db.add(Endorsement(id=number, received=self.tx.now, display="accepted", **about))
        self.tx.db.add(EndorsedSkill(skill=skill.strip().lower(), endorsement=number))
