"""What follows from a log is what the law says word by word, and what it costs is bounded, whatever the log (P-333)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from random import Random
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from activitypub.document import Document
from activitypub.statement import Kind, Role, Statement
from coop.history import History
from coop.membership import MAX_STATEMENTS, derive, history, room
from tests.coop.literal import Law
from tests.coop.logbook import ADA, BO, CY, MAL, Log, catalogue

CHANCE = some.randoms(use_true_random=False)
KINDS: Sequence[Kind] = ["remove", "remove", "remove", "add", "leave", "update", "undo", "accept", "invite", "reject"]
ROLES: Sequence[Role] = ["lead", "usher", "member", "guest"]


def quarrel(chance: Random) -> Log:
    """Leads who were invited by one another, and fall out: whatever they say comes after little of it, or after all."""
    log, leads = Log(), [ADA]
    log.found()
    for number in range(chance.randint(2, 7)):
        who = f"https://barn.example/actors/{number}"
        log.accept(log.invite(chance.choice(leads), who, "lead"))
        if chance.random() < 0.3:
            log.say(ADA, "add", subject=who, role="usher")
        leads.append(who)
    log.invite(chance.choice(leads), MAL, "lead")
    points = [log.heads()]
    for _ in range(chance.randint(1, 10)):
        base = chance.choice(points[-3:])
        told = [_words(log, chance, leads, base) for _ in range(chance.randint(1, 4))]
        points += [[chance.choice(told)], log.heads()]
        met = {one.hash: one for one in [*chance.choice(points), *chance.choice(points)]}
        points.append([log.say(chance.choice(leads), "update", [*met.values()], text=str(len(log.said)))])
    return log


def _words(log: Log, chance: Random, leads: Sequence[str], base: Sequence[Statement]) -> Statement:
    kind, author, other = chance.choice(KINDS), chance.choice(leads), chance.choice([*leads, MAL])
    terms: dict[str, Any] = {"subject": author if kind == "leave" else other, "text": str(len(log.said))}
    if kind in ("add", "invite"):
        terms["role"] = chance.choice(ROLES)
    if kind in ("undo", "reject", "accept"):
        invite = chance.choice([one for one in log.said if one.kind == "invite"])
        author = invite.subject or author if chance.random() < 0.8 else invite.author
        terms |= {"about": invite.id, "subject": author}
    return log.say(author, kind, base, **terms)


def arriving(said: Sequence[Statement], chance: Random) -> list[Statement]:
    """The same, in another order in which each comes after what it goes on from."""
    arrived = dict[str, Statement]()
    while len(arrived) < len(said):
        ready = [one for one in said if one.hash not in arrived and arrived.keys() >= set(one.after)]
        arrived |= {one.hash: one for one in chance.sample(ready, chance.randint(1, len(ready)))}
    return [*arrived.values()]


def counted(written: History) -> set[str]:
    counting = written.counting()
    return {one.hash for place, one in enumerate(written.statements) if counting >> place & 1}


def lawful(log: Log) -> set[str]:
    law = Law(log.said)
    return {one.it.hash for one in law.counting(law.said.values())}


@pytest.mark.proves("P-253", "P-333")
@settings(max_examples=150, deadline=None)
@given(CHANCE)
def test_what_counts_is_what_the_law_says_word_by_word(chance: Random) -> None:
    log = quarrel(chance)

    written = history({one.hash: one for one in log.said}, log.said[0].hash)

    assert {one.hash for one in log.said if written.stands(one.hash)} == Law(log.said).standing()
    assert counted(written) == lawful(log)


@pytest.mark.proves("P-253", "P-333")
@settings(max_examples=100, deadline=None)
@given(CHANCE)
def test_in_whatever_order_statements_come_the_history_that_goes_on_is_that_of_all(chance: Random) -> None:
    log = quarrel(chance)
    known, growing = dict[str, Statement](), History()

    for one in arriving(log.said, chance):
        known[one.hash] = one
        growing = history(known, log.said[0].hash, growing)
        if chance.random() < 0.3:
            assert room(growing, known, log.said[0].hash) == derive(known.values(), log.said[0].hash)

    assert room(growing, known, log.said[0].hash) == log.room()
    assert counted(growing) == lawful(log)


@pytest.mark.proves("P-253")
def test_of_two_leads_who_leave_at_the_same_time_one_has_to_stay() -> None:
    log = Log()
    log.found()
    log.join(BO, "lead")
    before = log.heads()

    for who in (ADA, BO):
        log.say(who, "leave", before, subject=who)

    assert len(log.roles()) == 1


@pytest.mark.proves("P-253")
@pytest.mark.parametrize("salt", range(4))
def test_who_declined_on_one_side_has_no_say_by_having_accepted_on_the_other(salt: int) -> None:
    log = Log()
    log.found()
    invite = log.invite(ADA, BO, "lead")
    sides = [log.accept(invite, after=[invite]), log.say(BO, "reject", [invite], about=invite.id)]
    log.say(ADA, "update", sides, text=str(salt))

    log.invite(BO, MAL, after=sides[:1])

    assert log.room().invitations == {}
    log.say(ADA, "update")
    assert log.room().invitations == {}
    assert [*log.roles()] == [ADA]


@pytest.mark.proves("P-253", "P-257")
def test_who_accepts_twice_at_the_same_time_has_the_role_by_the_first_in_order() -> None:
    log = Log()
    log.found()
    invite = log.invite(ADA, BO)

    accepts = [log.accept(invite, after=[invite], text=str(salt)) for salt in range(4)]

    assert log.room().members[BO].since == min(accepts, key=lambda one: one.hash).id


@pytest.mark.proves("P-253")
@pytest.mark.parametrize("salt", range(6))
def test_who_left_to_a_lead_that_was_none_has_left_if_another_came_at_the_same_time(salt: int) -> None:
    log = Log()
    log.found()
    first, second = log.invite(ADA, BO, "lead"), log.invite(ADA, CY, "lead")
    accept = log.accept(first, after=[second], text=str(salt))
    undo = log.say(ADA, "undo", [second], about=first.id)
    other = log.accept(second, after=[second])
    aside = log.say(MAL, "join", [accept, undo, other], subject=MAL)
    log.say(MAL, "join", [aside], subject=MAL)

    left = log.say(ADA, "leave", [accept], subject=ADA)
    log.say(MAL, "join", [left, undo], subject=MAL)
    log.say(MAL, "join", subject=MAL)

    assert log.roles() == ({CY: "lead"} if other.hash < accept.hash else {ADA: "lead", CY: "lead"})


# --- What it costs ---------------------------------------------------------------------------------------------------


def work(run: Callable[[], object]) -> int:
    """How many lines of `coop` are run: the same on every machine, and more for each step that is taken in vain."""
    lines = 0

    def count(frame: FrameType, event: str, _: object) -> Any:
        nonlocal lines
        if not frame.f_globals.get("__name__", "").startswith("coop."):
            return None
        lines += event == "line"
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        run()
    finally:
        sys.settrace(before)
    return lines


def derivation(log: Log) -> int:
    known = {one.hash: one for one in log.said}
    return work(lambda: room(history(known, log.said[0].hash), known, log.said[0].hash))


def one_more(log: Log, statement: Statement) -> int:
    """The work for a statement that comes when all of the log is known."""
    known = {one.hash: one for one in log.said}
    begun = history(known, log.said[0].hash)
    room(begun, known, log.said[0].hash)
    known = known | {statement.hash: statement}
    return work(lambda: room(history(known, log.said[0].hash, begun), known, log.said[0].hash))


def mutual(number: int) -> Log:
    """Two leads remove each other again and again, as if at the same time, and a third goes on from each of that."""
    log = Log()
    log.found()
    log.join(BO, "lead")
    log.join(CY, "lead")
    base = met = log.said[-1]
    for salt in range(number):
        sides = [log.say(one, "remove", [base], subject=two, text=str(salt)) for one, two in ((BO, CY), (CY, BO))]
        met = log.say(ADA, "update", [met, *sides])
    return log


def pairs(number: int) -> Log:
    """The same of many pairs, each of which quarrels once."""
    log = Log()
    last = log.found()
    for who in range(2 * number):
        invite = log.invite(ADA, f"https://barn.example/{who}", "lead", after=[last])
        last = log.accept(invite, after=[invite])
    base = met = last
    for who in range(number):
        one, two = f"https://barn.example/{2 * who}", f"https://barn.example/{2 * who + 1}"
        sides = [log.say(a, "remove", [base], subject=b) for a, b in ((one, two), (two, one))]
        met = log.say(ADA, "update", [met, *sides])
    return log


def rungs(number: int) -> Log:
    """One goes on and on, and another, as if knowing only so much of that, removes them at each step."""
    log = catalogue()
    base = step = met = log.said[-1]
    for salt in range(number):
        removal = log.say(ADA, "remove", [base, step], subject=BO, text=str(salt))
        step = log.say(BO, "update", [step], text=str(salt))
        met = log.say(CY, "join", [met, removal, step], subject=CY)
    return log


@pytest.mark.proves("P-333")
@pytest.mark.parametrize("shape", [mutual, pairs, rungs])
def test_a_quarrel_twice_as_long_takes_four_times_the_work_at_most(shape: Callable[[int], Log]) -> None:
    short, long = derivation(shape(40)), derivation(shape(80))

    assert long < 4.2 * short
    assert long < 10 * len(shape(80).said) ** 2


@pytest.mark.proves("P-333")
def test_to_sign_the_same_removal_anew_adds_no_voice_to_a_quarrel() -> None:
    short, long = mutual(100), mutual(200)

    again = Log().say(BO, "remove", [short.said[4]], subject=CY, text="more")
    more = [one_more(log, again) for log in (short, long)]

    assert more[1] < 2.2 * more[0]
    assert more[1] < 20 * len(long.said)


@pytest.fixture(scope="module")
def orderly() -> Log:
    """A hundred members, and ten thousand statements one after the other."""
    log, chance = Log([]), Random(5)
    last = log.found()
    people = [f"https://barn.example/actors/{number}" for number in range(100)]
    for who in people:
        invite = log.invite(ADA, who, chance.choice(ROLES), after=[last])
        last = log.accept(invite, after=[invite])
    while len(log.said) < MAX_STATEMENTS - 3:
        who = chance.choice(people)
        last = log.say(ADA, "add", [last], subject=who, role=chance.choice(ROLES), text=str(len(log.said)))
        last = log.say(ADA, "remove", [last], subject=who)
        invite = log.invite(ADA, who, chance.choice(ROLES), after=[last])
        last = log.accept(invite, after=[invite])
    return log


@pytest.mark.proves("P-333")
def test_a_long_log_in_which_nobody_quarrels_takes_so_much_for_each_statement(orderly: Log) -> None:
    assert derivation(Log(orderly.said[:2_000])) < 200 * 2_000
    assert derivation(orderly) < 200 * len(orderly.said)


@pytest.mark.proves("P-333")
def test_one_more_statement_takes_its_own_work_however_long_the_log(orderly: Log) -> None:
    for length in (1_001, len(orderly.said)):
        log = Log(orderly.said[:length])
        next_ = Log().say(ADA, "update", [log.said[-1]], group=Document({}))
        beside = Log().say(CY, "join", [log.said[-2]], subject=CY)

        assert one_more(log, next_) < 3_000
        assert one_more(log, beside) < 3_000
