"""What holds for every log, however hostile (P-333)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from time import perf_counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from activitypub.document import Document
from activitypub.errors import Forbidden
from activitypub.statement import MAX_AFTER, Kind, Role, Statement
from coop.history import History
from coop.membership import MAX_STATEMENTS, derive, history, in_order, room
from tests.coop.logbook import ADA, BO, CY, MAL, NOON, PEOPLE, Log, catalogue


@pytest.fixture
def log() -> Log:
    return catalogue()


@pytest.mark.proves("P-333")
def test_the_time_that_a_statement_claims_gives_it_no_authority(log: Log) -> None:
    log.say(ADA, "remove", subject=BO)

    log.invite(BO, MAL, published=NOON - timedelta(days=300))

    assert log.room().invitations == {}


@pytest.mark.proves("P-253", "P-333")
def test_what_a_removed_lead_goes_on_to_say_counts_for_nothing(log: Log) -> None:
    before = log.heads()
    log.say(ADA, "remove", after=before, subject=BO)

    late = log.invite(BO, MAL, after=before)
    log.accept(late, after=[late])
    log.say(BO, "update", after=before, group=Document({"name": "Bo's"}))
    log.say(BO, "add", after=before, subject=CY, role="guest")

    assert log.roles() == {ADA: "lead", CY: "member"}
    assert log.room().group is log.said[0].group


@pytest.mark.proves("P-333")
def test_a_removed_lead_does_not_come_back_by_way_of_a_friend(log: Log) -> None:
    before = log.heads()
    log.say(ADA, "remove", after=before, subject=BO)

    friend = log.invite(BO, MAL, "lead", after=before)
    friend = log.accept(friend, after=[friend])
    back = log.invite(MAL, BO, "lead", after=[friend])
    log.accept(back, after=[back])
    another = log.invite(MAL, "https://loft.example/actors/dee", "lead", after=[friend])
    log.accept(another, after=[another])

    assert log.roles() == {ADA: "lead", CY: "member"}
    assert log.room().invitations == {}


@pytest.mark.proves("P-333")
def test_a_removed_lead_cannot_add_itself_or_use_an_invitation_from_before(log: Log) -> None:
    kept = log.invite(BO, BO, "lead")
    log.say(ADA, "remove", subject=BO)

    log.accept(kept)
    log.say(BO, "add", subject=BO, role="lead")
    log.say(CY, "add", subject=BO, role="lead")

    assert BO not in log.roles()


@pytest.mark.proves("P-250", "P-333")
def test_a_second_genesis_for_the_same_project_is_another_project(log: Log) -> None:
    forged = Log([replace(log.said[0], hash="0" * 64, author=MAL, subject=MAL)])
    forged.invite(MAL, "https://loft.example/actors/dee", "lead")
    alone = log.room()

    beside = derive([*forged.said, *log.said], log.said[0].hash)

    assert (beside.members, beside.heads) == (alone.members, alone.heads)


@pytest.mark.proves("P-333")
def test_a_fork_in_what_one_author_says_is_the_same_fork_for_all(log: Log) -> None:
    before = log.heads()
    first = log.say(ADA, "add", after=before, subject=CY, role="guest", id=f"{ADA}/activities/one")
    second = log.say(ADA, "add", after=before, subject=CY, role="lead", id=f"{ADA}/activities/one")

    rooms = [derive([*log.said[:-2], *order], log.said[0].hash) for order in permutations((first, second))]

    assert rooms[0] == rooms[1]
    assert set(rooms[0].heads) == {first.hash, second.hash}


@pytest.mark.proves("P-333")
def test_a_log_has_an_end(log: Log) -> None:
    flood = [replace(log.said[0], hash=str(number)) for number in range(MAX_STATEMENTS)]

    with pytest.raises(Forbidden, match="10000"):
        derive([*log.said, *flood], log.said[0].hash)


@pytest.mark.proves("P-333")
def test_strangers_who_ask_to_join_crowd_nothing_out_of_the_heads(log: Log) -> None:
    genesis, latest = log.said[0], log.heads()[0]
    for number in range(2 * MAX_AFTER):
        who = f"https://cellar.example/actors/{number}"
        log.say(who, "join", after=[genesis], subject=who)

    heads = log.room().heads

    assert len(heads) == MAX_AFTER
    assert latest.hash in heads


@pytest.mark.proves("P-333")
def test_ten_thousand_statements_take_seconds() -> None:
    log = Log([])
    last = log.found()
    for number in range(2_400):
        who = f"https://loft.example/actors/{number}"
        invite = log.say(ADA, "invite", after=[last], subject=who, role="member")
        aside = log.say(ADA, "update", after=[last], group=Document({}))
        accept = log.say(who, "accept", after=[invite], subject=who, about=invite.id)
        last = log.say(ADA, "remove", after=[accept, aside], subject=who)

    began = perf_counter()
    people = derive(log.said, log.said[0].hash).members

    assert perf_counter() - began < 10  # a second, on an idle machine
    assert list(people) == [ADA]


class Weighing(History):
    """Weighs what counts wherever branches meet, also where nothing is in dispute."""

    def _is_contested(self, known: int, news: int) -> bool:
        return True


KINDS: list[Kind] = ["invite", "accept", "accept", "undo", "reject", "join", "add", "remove", "leave", "update"]
ROLES: list[Role] = ["lead", "usher", "member", "guest"]


@some.composite
def logs(draw: some.DrawFn) -> Log:
    """Statements by members, leads and strangers, true to the rules or not, each after some of the others."""
    log = Log()
    log.found()
    for who in PEOPLE[1 : draw(some.integers(1, 4))]:
        log.join(who, draw(some.sampled_from(["lead", "lead", "usher", "member"])))
    for number in range(draw(some.integers(0, 14))):
        kind, author, subject = (
            draw(some.sampled_from(KINDS)),
            draw(some.sampled_from(PEOPLE)),
            draw(some.sampled_from(PEOPLE)),
        )
        recent = log.said[-draw(some.integers(1, len(log.said))) :]
        parts = some.lists(some.sampled_from(recent), min_size=1, max_size=3, unique_by=lambda one: one.hash)
        after = draw(some.just(log.heads()) | parts)
        asked = [one.id for one in log.said if one.kind in ("invite", "join")]
        about = draw(some.sampled_from(asked)) if asked and kind in ("accept", "undo", "reject") else None
        role = draw(some.sampled_from(ROLES)) if kind in ("invite", "add") else None
        own = kind in ("accept", "join", "leave")
        log.say(author, kind, after, subject=author if own else subject, role=role, about=about, text=str(number))
    return log


@pytest.mark.proves("P-253", "P-333")
@settings(max_examples=100, deadline=None)
@given(logs(), some.randoms(use_true_random=False))
def test_any_order_and_any_repetition_gives_the_same_room(log: Log, chance: Any) -> None:
    once = log.room()

    for _ in range(3):
        again = [*log.said, *chance.choices(log.said, k=5)]
        chance.shuffle(again)
        assert derive(again, log.said[0].hash) == once


@pytest.mark.proves("P-253")
@settings(max_examples=100, deadline=None)
@given(logs())
def test_a_project_always_has_a_lead(log: Log) -> None:
    assert "lead" in log.roles().values()


@pytest.mark.proves("P-253", "P-333")
@settings(max_examples=100, deadline=None)
@given(logs())
def test_nothing_counts_that_somebody_said_while_being_removed(log: Log) -> None:
    ordered = in_order(log.said, log.said[0])
    counting = counted(ordered, History)
    past = ancestry(ordered)

    for removal in (one for one in counting if one.kind == "remove"):
        others = [one for one in counting if one.author == removal.subject and one is not removal]
        assert all(one.hash in past[removal.hash] or removal.hash in past[one.hash] for one in others)


@pytest.mark.proves("P-253", "P-333")
@settings(max_examples=100, deadline=None)
@given(logs())
def test_nothing_counts_that_a_lead_said_beside_their_farewell(log: Log) -> None:
    ordered = in_order(log.said, log.said[0])
    counting = counted(ordered, History)
    past = ancestry(ordered)

    for farewell in (one for one in counting if one.kind == "leave"):
        said = [one for one in counting if one.author == farewell.author and one.kind in ("invite", "add", "remove")]
        assert all(one.hash in past[farewell.hash] or farewell.hash in past[one.hash] for one in said)


@pytest.mark.proves("P-253")
@settings(max_examples=100, deadline=None)
@given(logs())
def test_nobody_has_a_role_that_nobody_with_authority_gave(log: Log) -> None:
    ordered = in_order(log.said, log.said[0])
    counting = counted(ordered, History)

    for uri, member in log.room().members.items():
        given_by = next(one for one in counting if one.id == member.since)
        assert given_by.subject == uri
        assert given_by.kind == "add" or given_by.author == uri


@settings(max_examples=100, deadline=None)
@given(logs())
def test_weighing_only_where_there_is_a_dispute_is_no_different(log: Log) -> None:
    ordered = in_order(log.said, log.said[0])

    assert counted(ordered, History) == counted(ordered, Weighing)


@pytest.mark.proves("P-253", "P-333")
@settings(max_examples=60, deadline=None)
@given(logs())
def test_a_history_that_grows_with_the_log_is_that_of_the_whole(log: Log) -> None:
    known: dict[str, Statement] = {}
    growing = History()

    for one in log.said:
        known[one.hash] = one
        growing = history(known, log.said[0].hash, growing)
        assert room(growing, known, log.said[0].hash) == derive(known.values(), log.said[0].hash)


@pytest.mark.proves("P-253")
def test_a_history_does_not_go_on_from_what_was_refused_meanwhile(log: Log) -> None:
    known, fingerprint = {one.hash: one for one in log.said}, log.said[0].hash
    refused = log.say(CY, "remove", subject=ADA)
    begun = history(known | {refused.hash: refused}, fingerprint)

    renewed = history(known, fingerprint, begun)

    assert not begun.stands(refused.hash)
    assert renewed is not begun
    assert room(renewed, known, fingerprint) == derive(known.values(), fingerprint)


@pytest.mark.proves("P-333")
def test_a_long_log_that_comes_one_by_one_takes_seconds() -> None:
    log, known = Log([]), dict[str, Statement]()
    last, growing = log.found(), History()
    for _ in range(3_000):
        known[last.hash] = last
        growing = history(known, log.said[0].hash, growing)
        last = log.say(ADA, "update", after=[last], group=Document({}))
    began = perf_counter()
    for _ in range(100):
        known[last.hash] = last
        growing = history(known, log.said[0].hash, growing)
        last = log.say(ADA, "update", after=[last], group=Document({}))

    assert perf_counter() - began < 3  # a twentieth of a second, on an idle machine
    assert len(growing.statements) == len(known) == 3_100


@settings(max_examples=60, deadline=None)
@given(logs())
def test_a_part_of_the_log_has_the_order_that_it_has_in_the_whole(log: Log) -> None:
    whole = in_order(log.said, log.said[0])
    past = ancestry(whole)

    for one in log.said[1:]:
        part = [each for each in whole if each.hash in past[one.hash]]
        assert in_order(part[::-1], log.said[0]) == part


def counted(ordered: Sequence[Statement], kind: type[History]) -> list[Statement]:
    written = kind()
    for statement in ordered:
        written.append(statement)
    counting = written.counting()
    return [one for place, one in enumerate(ordered) if counting >> place & 1]


def ancestry(ordered: Sequence[Statement]) -> dict[str, set[str]]:
    """By hash, all that a statement comes after."""
    past: dict[str, set[str]] = {}
    for one in ordered:
        past[one.hash] = set(one.after).union(*(past[before] for before in one.after))
    return past
