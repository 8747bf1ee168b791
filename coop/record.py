"""What the statements of a project say, and about whom; and who has which role where certain of them count.

There are two ways to ask who has which role: `Seen` answers for any set of statements, `Told` while one after the other
is told in their order. Both are asked the same questions by one rule, `applies`.
"""

from __future__ import annotations

from bisect import insort
from collections import defaultdict
from collections.abc import Iterator
from functools import reduce
from operator import or_
from typing import Protocol

from activitypub.statement import Role, Statement

WORDS = frozenset({"create", "accept", "add", "remove", "leave"})  # by which somebody's role changes
CLOSINGS = frozenset({"undo", "reject"})  # of an invitation or a request

Step = tuple[int, int | None, str | None]
"""A statement's place, that of what it rests on, and whom it removes, if that is what it does."""


class Record:
    """All statements by their places, in the order in which they came here. A set of them has a bit for each place.

    Whatever depends on an order goes by `turns`, which are the same for everybody.
    """

    def __init__(self) -> None:
        self.statements: list[Statement] = []
        self.turns: list[int] = []  # where in the order of all each one is
        self.past: list[int] = []  # whatever a statement comes after, directly or not
        self.rests_on: list[int | None] = []  # the place of what gave its author the right to say it
        self.about: list[int | None] = []  # the place of the invitation or request that it closes or accepts
        self.roles: list[Role | None] = []  # the role that it gives
        # Of those that stand:
        self.steps: list[Step] = []  # all on which the roles depend, in order
        self.resting: dict[int, list[int]] = defaultdict(list)  # others, by what they rest on
        self.deeds: dict[str, int] = defaultdict(int)  # about somebody's role, whether or not that changes it
        self.words: dict[str, int] = defaultdict(int)  # that change somebody's role
        self.changing: set[int] = set()  # all words
        self.removals: dict[str, int] = defaultdict(int)  # of somebody
        self.answers: dict[int, list[int]] = defaultdict(list)  # to the invitation or request at a place
        self.answered = 0  # those that have any
        self.leads: dict[str, int] = defaultdict(int)  # that give somebody the role of a lead
        self._ordered: dict[str, list[int]] = defaultdict(list)  # the words about somebody, in order

    def note(self, place: int, is_word: bool) -> None:
        """Keep what the statement at `place`, which stands, says of whom."""
        statement, about, bit = self.statements[place], self.about[place], 1 << place
        subject, rests_on = statement.subject or "", self.rests_on[place]
        if statement.kind in WORDS or statement.kind in CLOSINGS:
            removed = subject if statement.kind == "remove" else None
            insort(self.steps, (place, rests_on, removed), key=lambda step: self.turns[step[0]])
        elif rests_on is not None:
            self.resting[rests_on].append(place)
        if statement.kind in WORDS:
            self.deeds[subject] |= bit
        if statement.kind == "remove":
            self.removals[subject] |= bit
        if about is not None:
            self.answers[about].append(place)
            self.answered |= 1 << about
        if is_word:
            self.words[subject] |= bit
            self.changing.add(place)
            insort(self._ordered[subject], place, key=self.turns.__getitem__)
            if self.roles[place] == "lead":
                self.leads[subject] |= bit

    def last_word(self, uri: str, counting: int) -> int | None:
        """The place of the statement that gave `uri` its present role, where that is what counts; None without one."""
        said = self.words.get(uri, 0) & counting
        if not said & said - 1:  # it has one word, or none
            place = said.bit_length() - 1
        else:
            place = next(one for one in reversed(self._ordered[uri]) if said >> one & 1)
        return place if said and self.roles[place] else None


class State(Protocol):
    """Who has which role, and which invitations are open."""

    def counts(self, place: int) -> bool: ...
    def role_of(self, uri: str) -> Role | None: ...
    def is_last_lead(self, uri: str) -> bool: ...
    def is_open(self, place: int) -> bool: ...


def applies(record: Record, place: int, state: State) -> bool:
    """Whether there is anything to do for the statement at `place` in that state."""
    statement, about = record.statements[place], record.about[place]
    subject = statement.subject or ""
    match statement.kind:
        case "accept":
            return about is not None and state.counts(about) and state.is_open(about)
        case "add":
            return state.role_of(subject) is not None and (statement.role == "lead" or not state.is_last_lead(subject))
        case "remove":
            return not state.is_last_lead(subject)
        case "leave":
            return state.role_of(statement.author) is not None and not state.is_last_lead(statement.author)
        case _:
            return True


class Seen:
    """The state that follows where nothing but the set `counting` counts."""

    def __init__(self, record: Record, counting: int) -> None:
        self.counting = counting
        self._record = record

    def counts(self, place: int) -> bool:
        return bool(self.counting >> place & 1)

    def last_word(self, uri: str) -> int | None:
        return self._record.last_word(uri, self.counting)

    def role_of(self, uri: str) -> Role | None:
        place = self.last_word(uri)
        return None if place is None else self._record.roles[place]

    def is_last_lead(self, uri: str) -> bool:
        if self.role_of(uri) != "lead":
            return False
        return not any(one != uri and self.role_of(one) == "lead" for one in self._record.leads)

    def is_open(self, place: int) -> bool:
        """Whether an invitation or a request still waits for its answer."""
        record, statement = self._record, self._record.statements[place]
        if any(self.counts(one) for one in record.answers.get(place, ())):
            return False
        who = statement.subject or ""
        since = record.words.get(who, 0) if statement.kind == "join" else record.removals.get(who, 0)
        return not since & self.counting & ~record.past[place] and not self.role_of(who)


class Told:
    """The state that follows from what has been told so far, one statement after the other in their order."""

    def __init__(self, record: Record, live: int) -> None:
        """`live` are those that are to be told unless what they rest on, or the state, lets them fail."""
        self._record = record
        self._live = bytearray(f"{live:0{len(record.statements)}b}"[::-1], "ascii")  # a digit for each place
        self._roles: dict[str, Role] = {}
        self._leads = 0
        self._answered: set[int] = set()
        self._removals: dict[str, list[int]] = defaultdict(list)  # of somebody
        self._removed: dict[str, int] = {}  # the same as a set, as far as anybody asked

    def counting(self) -> int:
        """Tell all; return those that count."""
        live, roles = self._live, self._roles
        for place, ground, removed in self._record.steps:
            if live[place] == _ZERO:
                continue
            if ground is not None and live[ground] == _ZERO:
                live[place] = _ZERO
            elif removed is None or removed in roles:
                self._tell(place)
            else:  # who is out is removed once more; that may be said a thousand times
                self._removals[removed].append(place)
        for ground, others in self._record.resting.items():
            if live[ground] == _ZERO:
                for place in others:
                    live[place] = _ZERO
        return int(live[::-1], 2)

    def counts(self, place: int) -> bool:
        ground = self._record.rests_on[place]
        return self._live[place] == _ONE and (ground is None or self._live[ground] == _ONE)

    def role_of(self, uri: str) -> Role | None:
        return self._roles.get(uri)

    def is_last_lead(self, uri: str) -> bool:
        return self._leads == 1 and self._roles.get(uri) == "lead"

    def is_open(self, place: int) -> bool:
        who = self._record.statements[place].subject or ""
        if place in self._answered or who in self._roles:
            return False
        since = reduce(or_, (1 << one for one in self._removals.pop(who, ())), self._removed.get(who, 0))
        self._removed[who] = since
        return not since & ~self._record.past[place]

    def _tell(self, place: int) -> None:
        if not applies(self._record, place, self):
            self._live[place] = _ZERO
            return
        statement, about = self._record.statements[place], self._record.about[place]
        if about is not None:
            self._answered.add(about)
        if statement.kind == "remove":
            self._removals[statement.subject or ""].append(place)
        if place in self._record.changing:
            self._give(statement.subject or "", self._record.roles[place])

    def _give(self, uri: str, role: Role | None) -> None:
        before = self._roles.pop(uri, None)
        self._leads += (role == "lead") - (before == "lead")
        if role:
            self._roles[uri] = role


def bits(number: int) -> Iterator[int]:
    """The places of the bits that are set, lowest first."""
    if number.bit_count() < FEW:
        while number:
            yield (place := lowest(number))
            number ^= 1 << place
    else:
        digits = f"{number:b}"[::-1]
        place = digits.find("1")
        while place >= 0:
            yield place
            place = digits.find("1", place + 1)


def lowest(number: int) -> int:
    """The place of the lowest bit that is set."""
    return (number & -number).bit_length() - 1


FEW = 16  # bits that are found faster one by one
_ZERO, _ONE = b"01"
