"""Which endings win where they would void each other: the part of a project's history that is in dispute (P-253).

The law is at the head of `coop.history`. This file keeps what it costs in bounds, whoever quarrels about whatever, and
however often: what voids what is noted once, as each statement comes; endings that nothing tells apart speak with one
voice; and to settle a dispute, each voice is heard and each authority looked at once, however many rounds that takes.
"""

from __future__ import annotations

from bisect import insort
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Literal

from activitypub.statement import Statement
from coop.record import bits, lowest

Target = tuple[Literal["all", "led", "accepts"], str | int]
"""What an ending may void: all that somebody says, what they say as a lead, or the acceptances of an invitation."""

_GRANTS = frozenset({"invite", "add"})


class Grounds:
    """What endings rest on: what gave their authors authority, and what that rests on in turn, up to the genesis."""

    def __init__(self, statements: Sequence[Statement], rests_on: Sequence[int | None]) -> None:
        self.places = 0
        self.rests_on = rests_on
        self.resting: dict[int | None, list[int]] = defaultdict(list)  # those that rest on another
        self._statements = statements
        self._grants: dict[int | None, int | None] = {None: None}  # the last that led to each, or that it is itself
        self._before: dict[int, int | None] = {}  # of each grant, the one that led to it
        self._levels: dict[int | None, int] = {None: 0}  # how many grants led to a grant, and it
        self._ranks: dict[int | None, int] = {None: 0}  # among those of a level; without those that came since

    def add(self, place: int | None) -> None:
        """Note what the endings rest on that rest on the statement at `place`."""
        fresh = []
        while place not in self._grants and place is not None:
            fresh.append(place)
            place = self.rests_on[place]
        for one in reversed(fresh):
            self.places |= 1 << one
            self.resting[self.rests_on[one]].append(one)
            before = self._grants[self.rests_on[one]]
            self._grants[one] = before
            if self._statements[one].kind in _GRANTS:
                self._grants[one], self._before[one] = one, before
                self._levels[one] = 1 + self._levels[before]

    def seniority(self, place: int | None) -> tuple[int, int]:
        """How old the authority is that the statement at `place` gave, or that of needing none. The oldest is least."""
        if len(self._ranks) < len(self._levels):
            self._rank()
        grant = self._grants[place]
        return self._levels[grant], self._ranks[grant]

    def _rank(self) -> None:
        """Put those of each level in order: by the hashes of all the grants that led to them, the first ones first."""
        levels: dict[int, list[int]] = defaultdict(list)
        for grant in self._before:
            levels[self._levels[grant]].append(grant)
        for level in sorted(levels):
            order = sorted(levels[level], key=lambda one: (self._ranks[self._before[one]], self._statements[one].hash))
            self._ranks |= {grant: rank for rank, grant in enumerate(order)}


@dataclass(eq=False, slots=True)
class Chorus:
    """Endings by one authority about one target that void the same and are voided by the same: one voice for all.

    Whoever signs the same removal a thousand times adds a thousand members and no other voice. Sets are integers with a
    bit for each place, as in `coop.history`.
    """

    aim: Target
    exposed: tuple[Target, ...]  # to whose endings its members are exposed
    rests_on: int | None
    is_farewell: bool
    members: int
    voids: int
    voided_by: int
    voices: list[tuple[str, int]]  # the members' hashes and places, smallest first

    @property
    def place(self) -> int:
        """That of its first member: what voids one of them voids all."""
        return lowest(self.members)

    def hash_in(self, known: int) -> str:
        """The smallest hash of its members that are `known`."""
        return next(hash_ for hash_, place in self.voices if known >> place & 1)

    def split(self, past: int) -> Chorus:
        """Take out those that are `past` to somebody, and to whom that one's statement says nothing new."""
        voices = [one for one in self.voices if past >> one[1] & 1]
        part = (self.members & past, self.voids, self.voided_by, voices)
        self.members &= ~past
        self.voices = [one for one in self.voices if not past >> one[1] & 1]
        return Chorus(self.aim, self.exposed, self.rests_on, self.is_farewell, *part)


class Disputes:
    """What voids what among the statements that stand.

    `statements` and `rests_on`, by place, are those of the history, and grow with it.
    """

    def __init__(self, statements: Sequence[Statement], rests_on: Sequence[int | None]) -> None:
        self.disputed = 0  # what voids anything, or would be voided
        self._statements = statements
        self._rests_on = rests_on
        self._grounds = Grounds(statements, rests_on)
        self._choruses: list[Chorus] = []
        self._aimed_at: dict[Target, list[Chorus]] = defaultdict(list)
        self._exposed_to: dict[Target, list[Chorus]] = defaultdict(list)
        self._aims: dict[Target, int] = {}  # the statements that have a target
        self._targets: dict[Target, int] = {}  # those that are part of one

    def hear(self, place: int, past: int, exposed: tuple[Target, ...], aim: Target | None) -> None:
        """Note the statement at `place`, which comes after what is `past` and before none that was heard.

        It is part of the targets to which it is `exposed`. If it is an ending, its `aim` is what it takes away.
        """
        bit, apart = 1 << place, ~past
        accusers = reduce(or_, (self._aims.get(one, 0) for one in exposed), 0) & apart
        voids = self._targets.get(aim, 0) & apart if aim else 0
        self.disputed |= accusers | voids | (bit if accusers or voids else 0)
        for target in exposed:
            self._targets[target] = self._targets.get(target, 0) | bit
            for chorus in self._apart(self._aimed_at.get(target, ()), past):
                chorus.voids |= bit
        if aim:
            self._aims[aim] = self._aims.get(aim, 0) | bit
            for chorus in self._apart(self._exposed_to.get(aim, ()), past):
                chorus.voided_by |= bit
            is_farewell = self._statements[place].kind == "leave"
            voice = [(self._statements[place].hash, place)]
            self._join(Chorus(aim, exposed, self._rests_on[place], is_farewell, bit, voids, accusers, voice))

    def voided(self, known: int) -> int:
        """What of `known`, a set that contains the past of each of its members, an ending takes away."""
        if not self.disputed & known:
            return 0
        active = [one for one in self._choruses if one.voids & known and one.members & known]
        farewells = reduce(or_, (one.voids for one in active if one.is_farewell), 0)
        endings = [one for one in active if not one.is_farewell]
        return known & _Settlement(self._grounds, endings, known).voided(farewells)

    def _apart(self, choruses: Iterable[Chorus], past: int) -> Iterator[Chorus]:
        """Those whose members are not in the `past`; where some are, they are one chorus with the others no more."""
        for one in tuple(choruses):
            if not (known := one.members & past):
                yield one
            elif known != one.members:
                self._add(one.split(past))
                yield one

    def _join(self, new: Chorus) -> None:
        for one in self._aimed_at.get(new.aim, ()):
            if _sound_alike(one, new):
                one.members |= new.members
                insort(one.voices, new.voices[0])
                return
        self._add(new)

    def _add(self, chorus: Chorus) -> None:
        self._choruses.append(chorus)
        self._grounds.add(chorus.rests_on)
        self._aimed_at[chorus.aim].append(chorus)
        for target in chorus.exposed:
            self._exposed_to[target].append(chorus)


class _Settlement:
    """One dispute, being settled."""

    def __init__(self, grounds: Grounds, endings: Sequence[Chorus], known: int) -> None:
        self._grounds, self._known = grounds, known
        self._endings = {one.place: one for one in endings}
        self._resting: dict[int | None, list[int]] = defaultdict(list)  # the endings, by what they rest on
        self._threats = _Tally()  # how many endings that may yet win void a place
        for place, one in self._endings.items():
            self._resting[one.rests_on].append(place)
            self._threats.add(one.voids)
        self._needed = grounds.places | reduce(or_, (1 << one for one in self._endings), 0)
        self._threatened = self._threats.some()
        self._safe: set[int | None] = set()  # what is threatened no more, nor anything that it rests on
        self._lost: set[int | None] = set()  # what is voided, or rests on what is
        self._ready: list[int] = []  # endings that are safe
        self._won: set[int] = set()
        self._queue: list[int] | None = None  # all endings, the most senior last

    def voided(self, farewells: int) -> int:
        """What the winners void, and the `farewells`.

        Whoever cannot be voided wins, and takes out what it voids. If there are none left like that, the most senior
        wins; again and again.
        """
        self._release([None])
        before, voided, winners = 0, farewells, self._take_ready()
        while True:
            voided = reduce(or_, (self._endings[one].voids for one in winners), voided)
            self._lose(voided & ~before & self._needed)
            before, winners = voided, self._take_ready() or self._most_senior()
            if not winners:
                return voided

    def _release(self, places: Iterable[int | None]) -> None:
        """Note that nothing but themselves can keep `places` from being safe any more."""
        waiting = [*places]
        while waiting:
            one = waiting.pop()
            if one in self._lost or one in self._safe or (one is not None and self._threatened >> one & 1):
                continue
            self._safe.add(one)
            waiting += self._grounds.resting.get(one, ())
            waiting += self._resting.get(one, ())
            if one in self._endings and one not in self._won:
                self._ready.append(one)

    def _lose(self, voided: int) -> None:
        """Take out what is `voided` and all that rests on it, and see what is no longer threatened thereby."""
        waiting = [*bits(voided)]
        while waiting:
            one = waiting.pop()
            if one in self._lost:
                continue
            self._lost.add(one)
            waiting += self._grounds.resting.get(one, ())
            waiting += self._resting.get(one, ())
            if one in self._endings and one not in self._won:
                self._threats.take(self._endings[one].voids)
        before, self._threatened = self._threatened, self._threats.some()
        relieved = bits(before & ~self._threatened & self._needed)
        self._release(one for one in relieved if self._grounds.rests_on[one] in self._safe)

    def _take_ready(self) -> list[int]:
        winners, self._ready = self._ready, []
        self._won.update(winners)
        return winners

    def _most_senior(self) -> list[int]:
        if self._queue is None:
            self._queue = sorted(self._endings, key=self._seniority, reverse=True)
        while self._queue:
            one = self._queue.pop()
            if one not in self._won and one not in self._lost:
                self._won.add(one)
                return [one]
        return []

    def _seniority(self, place: int) -> tuple[tuple[int, int], str]:
        """First by authority; of one authority, by hash."""
        ending = self._endings[place]
        return self._grounds.seniority(ending.rests_on), ending.hash_in(self._known)


class _Tally:
    """A number for each place, all counted at once: the bits of one integer are the last digits of all of them."""

    def __init__(self) -> None:
        self._digits: list[int] = []

    def add(self, ones: int) -> None:
        for at, digit in enumerate(self._digits):
            self._digits[at], ones = digit ^ ones, digit & ones
            if not ones:
                return
        self._digits.append(ones)

    def take(self, ones: int) -> None:
        for at, digit in enumerate(self._digits):
            self._digits[at], ones = digit ^ ones, ones & ~digit
            if not ones:
                return

    def some(self) -> int:
        """Where the number is not zero."""
        return reduce(or_, self._digits, 0)


def _sound_alike(one: Chorus, other: Chorus) -> bool:
    is_alike = one.rests_on == other.rests_on and one.exposed == other.exposed and one.is_farewell == other.is_farewell
    return is_alike and one.voids == other.voids and one.voided_by == other.voided_by
