"""Which of a project's statements count, by their own order alone (P-253, B5).

The law. A statement *stands* if its author might make it in the state that follows from what it comes after; that never
changes. In a set of statements those that stand *count*, except

- what somebody said without knowing of their ``Remove``, what they said as a lead or an usher without knowing that they
  were one no more, or beside their own ``Leave``, and an ``Accept`` that did not know of the ``Undo`` or ``Reject`` of
  its invitation: endings win over what is concurrent with them;
- what rests on authority or an invitation given by a statement that does not count;
- of two endings that would void each other, the one whose author has the younger authority;
- what would leave the project without a lead.

Authority is the older, the nearer it is to the genesis: the founder's is no grant away from it, that of a lead whom the
founder invited or promoted is one away. Of two as near, that is older whose grants, read from the genesis on, have the
smaller hashes: of the ``Invite`` or the ``Add``, which another wrote, never of the ``Accept``. Only between two endings
by one authority their own hashes decide; taking back one's own invitation, or declining the one that one has, needs no
authority and so comes before what rests on it. So whoever was removed gains nothing by contesting it later in a
statement that claims to be from before, however often they sign that anew to get another hash.

No clock decides. `Statement.published` is asked only whether an ``Accept`` calls itself late: an honest late one is,
and against a liar a lead withdraws the invitation, which wins over every ``Accept`` that does not precede it.

Whatever an ending takes away is told by `coop.disputes`, and what follows for the roles by `coop.record`.

What it costs. Where nothing is in dispute, what counts for a statement is what counts for those that it comes after, so
ten thousand take less than a second, and one more takes its own time wherever it belongs. Only where branches meet that
could void each other is all that is known told anew, once in its order: a dispute of any shape costs its length for
each such meeting. A set of statements is an integer with a bit for the place of each.
"""

from __future__ import annotations

from bisect import insort
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from itertools import islice
from operator import or_

from activitypub.statement import Kind, Role, Statement
from coop.disputes import Disputes, Target
from coop.record import CLOSINGS, WORDS, Record, Seen, Told, applies, bits

_LEADS = frozenset({"invite", "add", "remove", "update"})  # that only a lead may say, and of an invitation an usher
_ENDINGS = frozenset({"remove", "leave", "undo", "reject"})  # that come first, of what is concurrent
_INVITED_BY_USHERS: frozenset[Role | None] = frozenset({"member", "guest"})


class History:
    """Statements of one project, each after those that it comes after; the first is the genesis.

    They are in one order for everybody, see `coop.membership`: what comes later in it has the last word. Each keeps the
    place at which it came here, and takes its turn in that order.
    """

    def __init__(self) -> None:
        self._record = Record()
        self._disputes = Disputes(self._record.statements, self._record.rests_on)
        self._places: dict[str, int] = {}  # by hash
        self._order: list[int] = []  # the places, by turn
        self._dead: list[int] = []  # what of a statement's past stands, and does not count for it
        self._dead_now: int | None = 0  # what of all that is known; None if that has to be weighed
        self._standing = 0
        self._covered = 0  # what something that stands comes after
        self._followed = 0  # what anything comes after
        self._refused: list[int] = []  # what does not stand, and may be dropped
        self._kinds: dict[Kind, int] = defaultdict(int)  # of those that stand, as all below
        self._named: dict[str, list[int]] = defaultdict(list)  # by id, of which an author may use one twice
        self._stated: list[int] = []  # that say what the project is, by turn
        self._crossed = 0  # that are concurrent with others about the same role
        self._leads = 0  # that give the role of a lead
        self._topples = 0  # that may take that role

    @property
    def statements(self) -> list[Statement]:
        """All of them, by place."""
        return self._record.statements

    def append(self, statement: Statement, turn: int | None = None) -> None:
        """Add what comes after none but those that are here: as the last in the order, unless its `turn` is given."""
        record, place = self._record, len(self.statements)
        heads = [self._places[one] for one in statement.after]
        past = reduce(or_, (record.past[one] | 1 << one for one in heads), 0)
        self._dead.append(self._weigh(heads, past))
        seen = Seen(record, self._standing & past & ~self._dead[place])
        self._places[statement.hash] = place
        self._followed |= past
        self._take_turn(place, len(self._order) if turn is None else turn)
        record.statements.append(statement)
        record.past.append(past)
        record.about.append(self._subject_of(statement, seen))
        record.roles.append(self._role_given(place))
        right, rests_on = self._right(place, seen)
        record.rests_on.append(rests_on)
        if right and applies(record, place, seen):
            self._register(place, seen)
        else:
            self._refused.append(place)

    def insert(self, statement: Statement) -> None:
        """Add what comes after none but those that are here, wherever its turn is.

        It is ready once all that it comes after have had theirs, and of those that are ready the least is next.
        """
        turn = 1 + max(self._record.turns[self._places[one]] for one in statement.after)
        while turn < len(self._order) and precedence(self.statements[self._order[turn]]) < precedence(statement):
            turn += 1
        self.append(statement, turn)

    def can_go_on_to(self, known: Mapping[str, Statement]) -> bool:
        """Whether something is here, all of it is `known`, and to go on from it is less than to begin anew."""
        fits = bool(self._places) and self._places.keys() <= known.keys()
        return fits and max(len(known), len(self.statements)) <= 2 * len(self._places)

    def lacking(self, known: Mapping[str, Statement]) -> list[str]:
        """The hashes of those that are `known`, and not here, if all that is here is `known`; newcomers come last."""
        rest = (one for one in reversed([*known]) if one not in self._places)
        return list(islice(rest, len(known) - len(self._places)))

    def __contains__(self, hash_: object) -> bool:
        return hash_ in self._places

    def drop_refused(self) -> None:
        """Forget those that do not stand and that nothing comes after, as logs do. Their places stay empty."""
        for place in self._refused:
            if not self._followed >> place & 1:
                del self._places[self.statements[place].hash]
                del self._order[self._record.turns[place]]
                self._number(self._record.turns[place])
        self._refused = []

    def stands(self, hash_: str) -> bool:
        """Whether its author might make that statement in the state that follows from what it comes after."""
        place = self._places.get(hash_)
        return place is not None and bool(self._standing >> place & 1)

    def counting(self) -> int:
        """The statements that count."""
        if self._dead_now is None:
            self._dead_now = self._weigh_anew((1 << len(self.statements)) - 1)
        return self._standing & ~self._dead_now

    def heads(self) -> list[Statement]:
        """Those that stand and that nothing which stands comes after."""
        return [self.statements[one] for one in bits(self._standing & ~self._covered)]

    def now(self) -> Seen:
        """The state that follows from all statements."""
        return Seen(self._record, self.counting())

    def people(self) -> Iterator[str]:
        """All who ever had a role."""
        return iter(self._record.words)

    def open(self, kind: Kind) -> list[Statement]:
        """The invitations or the requests that wait for an answer, in their order."""
        now, about = self.now(), self._record.about
        in_vain = {about[one] for one in bits(self._standing & ~now.counting)}  # answered by what does not count
        said = self._kinds[kind] & now.counting
        candidates = {*bits(said & ~self._record.answered), *(one for one in in_vain if one and said >> one & 1)}
        places = sorted(candidates, key=self._record.turns.__getitem__)
        return [self.statements[one] for one in places if now.is_open(one)]

    def stated(self) -> Statement:
        """What says last, of all that counts, what the project is: its genesis or an update."""
        counting = self.counting()
        return self.statements[next(one for one in reversed(self._stated) if counting >> one & 1)]

    def _take_turn(self, place: int, turn: int) -> None:
        self._order.insert(turn, place)
        self._record.turns.append(turn)
        if turn < place:
            self._number(turn)

    def _number(self, first: int) -> None:
        for turn in range(first, len(self._order)):
            self._record.turns[self._order[turn]] = turn

    def _weigh(self, heads: Sequence[int], known: int) -> int:
        """What of `known`, which is all `heads` and what they come after, stands and does not count.

        Branches that cannot void each other, and agree on what they have in common, are only put together.
        """
        pasts = sorted(((self._record.past[one] | 1 << one, self._dead[one]) for one in heads), key=_size, reverse=True)
        together, dead = pasts[0] if pasts else (0, 0)
        for past, lost in pasts[1:]:
            if news := past & ~together:
                if dead & past != lost & together or self._is_contested(together | past, news):
                    return self._weigh_anew(known)
                together, dead = together | past, dead | lost
        return dead

    def _weigh_anew(self, known: int) -> int:
        """The same of any `known` that contains the past of each of its members, by the law itself."""
        standing = self._standing & known
        return standing & ~Told(self._record, standing & ~self._disputes.voided(standing)).counting()

    def _is_contested(self, known: int, news: int) -> bool:
        """Whether anything in `news` could fare otherwise with the rest of `known`, or that; rather once too often."""
        if news & (self._disputes.disputed | self._crossed):
            return True
        return any(self._could_tip(place, known) for place in bits(news & (self._leads | self._topples)))

    def _could_tip(self, place: int, known: int) -> bool:
        """Whether who is the last lead could depend on the statement at `place`, or that on who is."""
        rivals = self._topples | (self._leads if self._topples >> place & 1 else 0)
        return bool(rivals & known & ~self._record.past[place] & ~(1 << place))

    def _right(self, place: int, seen: Seen) -> tuple[bool, int | None]:
        """Whether the author might say it, and the place of the statement on which that rests."""
        statement, about = self.statements[place], self._record.about[place]
        answered = None if about is None else self.statements[about]
        match statement.kind:
            case "create":
                return place == 0, None
            case "join" | "leave":
                return True, None
            case "accept":
                return answered is not None and _may_accept(statement, answered), about
            case "reject" if answered is not None and answered.kind == "invite":
                return answered.subject == statement.author, None
            case "undo" if answered is not None and answered.author == statement.author:
                return True, None
        word = seen.last_word(statement.author)
        knows = statement.kind in _LEADS or answered is not None
        return knows and word is not None and _may_say(self._record.roles[word], statement), word

    def _subject_of(self, statement: Statement, seen: Seen) -> int | None:
        """The place of the invitation or request that `statement` answers or undoes, if its author knew of it."""
        if statement.about is None:
            return None
        kinds = ("invite", "join") if statement.kind == "reject" else ("invite",)
        named = self._named.get(statement.about, ())
        candidates = (one for one in named if seen.counts(one) and self.statements[one].kind in kinds)
        return min(candidates, key=self._record.turns.__getitem__, default=None)

    def _role_given(self, place: int) -> Role | None:
        statement, about = self.statements[place], self._record.about[place]
        if statement.kind == "accept":
            return None if about is None else self.statements[about].role
        return statement.role if statement.kind in ("create", "add") else None

    def _register(self, place: int, seen: Seen) -> None:
        statement, bit, past = self.statements[place], 1 << place, self._record.past[place]
        had = seen.role_of(statement.subject or "")
        is_word = statement.kind in WORDS and had != self._record.roles[place]
        self._standing |= bit
        self._covered |= past
        self._kinds[statement.kind] |= bit
        self._named[statement.id].append(place)
        if statement.kind in ("create", "update"):
            insort(self._stated, place, key=self._record.turns.__getitem__)
        self._record.note(place, is_word)
        is_demotion = is_word and _is_less(self._record.roles[place], had)
        self._disputes.hear(place, past, self._exposed(place), self._aim(place, is_demotion))
        self._note_rivals(place, is_word)
        self._go_on(place)

    def _exposed(self, place: int) -> tuple[Target, ...]:
        """What the statement is part of that an ending may void."""
        statement, about = self.statements[place], self._record.about[place]
        is_led = statement.kind in _LEADS or (statement.kind in CLOSINGS and self._record.rests_on[place] is not None)
        if statement.kind == "accept" and about is not None:
            return ("all", statement.author), ("accepts", about)
        return (("all", statement.author), ("led", statement.author)) if is_led else (("all", statement.author),)

    def _aim(self, place: int, is_demotion: bool) -> Target | None:
        """What the statement, if it is an ending, voids of what is concurrent with it."""
        statement, about = self.statements[place], self._record.about[place]
        if statement.kind == "remove":
            return "all", statement.subject or ""
        if statement.kind == "leave" or (statement.kind == "add" and is_demotion):
            return "led", statement.subject or ""
        return ("accepts", about) if statement.kind in CLOSINGS and about is not None else None

    def _note_rivals(self, place: int, is_word: bool) -> None:
        """Note what could fare otherwise beside this one though neither voids the other: by turns, or by who leads."""
        statement, bit, record = self.statements[place], 1 << place, self._record
        if statement.kind not in WORDS:
            return
        deeds = record.deeds[statement.subject or ""]
        if beside := deeds & ~record.past[place] & ~bit:
            self._crossed |= beside | bit
        if is_word and record.roles[place] == "lead":
            self._leads |= bit
            self._topples |= deeds & (self._kinds["add"] | self._kinds["remove"] | self._kinds["leave"]) & ~bit
        elif statement.kind in ("add", "remove", "leave") and statement.subject in record.leads:
            self._topples |= bit

    def _go_on(self, place: int) -> None:
        """What counts of all, with the statement at `place`, which nothing comes after: that does, if it stands."""
        past, others = self._record.past[place], (1 << place) - 1
        if not self._standing & others & ~past:
            self._dead_now = self._dead[place]
        elif self._dead_now is not None:
            agrees = self._dead_now & past == self._dead[place]
            if not agrees or self._is_contested(others | 1 << place, 1 << place):
                self._dead_now = None


def precedence(statement: Statement) -> tuple[bool, str]:
    """Of concurrent statements, the least has the first turn."""
    return statement.kind not in _ENDINGS, statement.hash


def _may_accept(accept: Statement, invite: Statement) -> bool:
    is_late = invite.until is not None and (accept.published is None or accept.published >= invite.until)
    return invite.subject == accept.author and not is_late


def _may_say(role: Role | None, statement: Statement) -> bool:
    """A lead says what is for leads to say; an usher asks in members and guests, and nobody who could ask in others."""
    return role == "lead" or (role == "usher" and statement.kind == "invite" and statement.role in _INVITED_BY_USHERS)


def _is_less(role: Role | None, before: Role | None) -> bool:
    """Whether somebody has less of a say in who is in the project than before."""
    return before == "lead" or (before == "usher" and role not in ("lead", "usher"))


def _size(view: tuple[int, int]) -> int:
    return view[0].bit_count()
