"""Who is in a project, as it follows from statements in any order, from anybody."""

from __future__ import annotations

from datetime import datetime, timedelta
from time import perf_counter
from typing import Any

import pytest

from activitypub.document import Document
from activitypub.statement import Kind
from coop.membership import derive
from tests.coop.logbook import ADA, BO, CY, MAL, NOON, PROJECT, Log, catalogue


@pytest.fixture
def log() -> Log:
    return catalogue()


def test_the_founder_leads_a_project_of_one() -> None:
    log = Log()
    genesis = log.found()

    room = log.room()

    assert (room.project, room.founder, room.fingerprint) == (PROJECT, ADA, genesis.hash)
    assert {uri: (one.role, one.since) for uri, one in room.members.items()} == {ADA: ("lead", genesis.id)}
    assert room.group is genesis.group
    assert room.heads == (genesis.hash,)


@pytest.mark.proves("P-253", "P-257")
def test_who_accepts_an_invitation_has_its_role_by_the_acceptance(log: Log) -> None:
    accept = log.join(MAL, "guest")

    room = log.room()

    assert room.role_of(MAL) == "guest"
    assert room.has_capability(MAL, accept.id)
    assert not room.has_capability(MAL, log.said[0].id)
    assert (room.may_post(MAL), room.may_post(CY), room.may_lead(CY), room.may_lead(BO)) == (False, True, False, True)
    assert room.role_of("https://nobody.example/") is None
    assert not room.may_post("https://nobody.example/")


@pytest.mark.proves("P-257")
def test_a_change_of_role_gives_a_new_capability(log: Log) -> None:
    change = log.say(BO, "add", subject=CY, role="lead")

    assert log.room().role_of(CY) == "lead"
    assert log.room().has_capability(CY, change.id)


@pytest.mark.proves("P-251", "P-253")
@pytest.mark.parametrize(
    ("kind", "terms"),
    [
        ("invite", {"subject": MAL, "role": "member"}),
        ("add", {"subject": CY, "role": "lead"}),
        ("add", {"subject": ADA, "role": "guest"}),
        ("remove", {"subject": BO}),
        ("update", {"group": Document({"name": "Mine"})}),
    ],
)
@pytest.mark.parametrize("author", [CY, MAL])
def test_only_a_lead_changes_a_project(log: Log, author: str, kind: Kind, terms: dict[str, Any]) -> None:
    before = log.room()

    log.say(author, kind, **terms)

    after = log.room()
    assert (after.members, after.invitations, after.group) == (before.members, {}, before.group)


def test_a_lead_changes_the_name_of_a_project(log: Log) -> None:
    renamed = Document({"id": PROJECT, "type": "Group", "name": "Catalogue of 2027"})

    log.say(BO, "update", group=renamed)

    assert log.room().group is renamed


@pytest.mark.proves("P-253")
def test_an_invitation_is_open_until_it_is_answered(log: Log) -> None:
    invite = log.invite(BO, MAL)
    assert list(log.room().invitations) == [invite.id]

    log.say(MAL, "reject", about=invite.id)

    assert log.room().invitations == {}
    log.accept(invite)
    assert MAL not in log.roles()


@pytest.mark.proves("P-253")
def test_nobody_accepts_for_somebody_else(log: Log) -> None:
    invite = log.invite(BO, "https://loft.example/actors/dee")

    log.say(MAL, "accept", subject=MAL, about=invite.id)

    assert MAL not in log.roles()


@pytest.mark.proves("P-253")
@pytest.mark.parametrize("author", [ADA, BO])
def test_an_invitation_that_was_withdrawn_cannot_be_accepted(log: Log, author: str) -> None:
    invite = log.invite(BO, MAL)
    log.say(author, "undo", about=invite.id)

    log.accept(invite)

    assert MAL not in log.roles()
    assert log.room().invitations == {}


@pytest.mark.proves("P-253")
def test_withdrawing_wins_over_accepting_at_the_same_time(log: Log) -> None:
    invite = log.invite(BO, MAL)
    log.accept(invite, after=[invite])
    withdrawn = log.say(BO, "update", after=[invite], group=Document({}))
    for _ in range(5):
        withdrawn = log.say(BO, "update", after=[withdrawn], group=Document({}))

    log.say(BO, "undo", after=[withdrawn], about=invite.id)

    assert MAL not in log.roles()


def test_who_has_accepted_is_removed_not_uninvited(log: Log) -> None:
    accept = log.join(MAL)

    log.say(ADA, "undo", about=accept.about)

    assert log.roles()[MAL] == "member"


@pytest.mark.proves("P-253", "P-333")
def test_an_invitation_is_good_for_one_acceptance(log: Log) -> None:
    invite = log.invite(ADA, MAL)
    log.accept(invite)
    log.say(MAL, "leave", subject=MAL)

    log.accept(invite, published=NOON + timedelta(hours=1))

    assert MAL not in log.roles()


@pytest.mark.proves("P-253")
@pytest.mark.parametrize(("claimed", "is_member"), [(NOON, True), (NOON + timedelta(days=2), False), (None, False)])
def test_an_acceptance_that_calls_itself_late_is_late(log: Log, claimed: datetime | None, is_member: bool) -> None:
    invite = log.invite(ADA, MAL, until=NOON + timedelta(days=1))

    log.accept(invite, published=claimed)

    assert (MAL in log.roles()) is is_member


def test_who_was_removed_may_be_invited_again(log: Log) -> None:
    log.say(ADA, "remove", subject=BO)

    log.join(BO)

    assert log.roles()[BO] == "member"


@pytest.mark.proves("P-253")
@pytest.mark.parametrize(("kind", "terms"), [("leave", {}), ("remove", {}), ("add", {"role": "guest"})])
def test_the_last_lead_stays_one(kind: Kind, terms: dict[str, Any]) -> None:
    log = Log()
    log.found()
    log.join(CY)

    log.say(ADA, kind, subject=ADA, **terms)

    assert log.roles() == {ADA: "lead", CY: "member"}


@pytest.mark.proves("P-253")
def test_one_of_two_leads_who_leave_at_once_has_to_stay(log: Log) -> None:
    before = log.heads()
    log.say(ADA, "leave", after=before, subject=ADA)
    log.say(BO, "leave", after=before, subject=BO)

    leads = [uri for uri, role in log.roles().items() if role == "lead"]

    assert len(leads) == 1
    log.say(leads[0], "update", group=(new := Document({"name": "Alone"})))
    assert log.room().group is new


@pytest.mark.proves("P-253")
def test_removing_wins_over_a_new_role_at_the_same_time(log: Log) -> None:
    before = log.heads()
    log.say(BO, "remove", after=before, subject=CY)
    detour = log.say(ADA, "update", after=before, group=Document({}))

    log.say(ADA, "add", after=[detour], subject=CY, role="lead")

    assert CY not in log.roles()


def test_whoever_leaves_is_out_until_invited(log: Log) -> None:
    log.say(CY, "leave", subject=CY)
    assert CY not in log.roles()

    log.say(ADA, "add", subject=CY, role="member")

    assert CY not in log.roles()


def test_a_wish_to_join_waits_for_a_lead(log: Log) -> None:
    wish = log.say(MAL, "join", subject=MAL)
    assert list(log.room().requests) == [wish.id]

    log.say(CY, "reject", about=wish.id)
    assert list(log.room().requests) == [wish.id]

    log.say(BO, "reject", about=wish.id)
    assert log.room().requests == {}


def test_a_wish_to_join_is_fulfilled_by_an_invitation(log: Log) -> None:
    log.say(MAL, "join", subject=MAL)
    log.join(MAL)
    log.say(MAL, "leave", subject=MAL)

    assert log.room().requests == {}


@pytest.mark.proves("P-253")
def test_what_comes_after_something_unknown_is_held_until_that_arrives(log: Log) -> None:
    invite = log.invite(ADA, MAL)
    accept = log.accept(invite)
    without = [one for one in log.said if one is not invite]

    held = derive(without, log.said[0].hash)

    assert held.missing == {invite.hash}
    assert MAL not in held.members
    assert accept.hash not in held.heads
    assert MAL in log.room().members
    assert not log.room().missing


def test_without_its_genesis_a_project_has_nobody(log: Log) -> None:
    genesis, *rest = log.said

    room = derive(rest, genesis.hash)

    assert not room.members
    assert room.missing == {genesis.hash}


def test_a_statement_about_another_project_says_nothing_about_ours(log: Log) -> None:
    alone = log.room()

    log.say(ADA, "remove", subject=CY, project="https://attic.example/projects/other")

    assert log.room().members == alone.members


@pytest.mark.proves("P-333")
def test_forty_leads_who_all_remove_each_other_take_seconds_to_sort_out(log: Log) -> None:
    leads = [f"https://loft.example/actors/{number}" for number in range(40)]
    for lead in leads:
        log.join(lead, "lead")
    before = log.heads()
    for author in leads:
        for subject in leads:
            if author != subject:
                log.say(author, "remove", after=before, subject=subject)

    began = perf_counter()
    remaining = set(log.roles()) & set(leads)

    assert perf_counter() - began < 10  # a third of a second, on an idle machine
    assert len(remaining) == 1
