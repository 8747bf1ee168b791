"""Who stays when people say at the same time, or as if at the same time, what cannot all hold (P-253, P-333)."""

from __future__ import annotations

from itertools import islice, permutations
from time import perf_counter

import pytest

from activitypub.document import Document
from activitypub.statement import Kind
from coop.membership import derive
from tests.coop.logbook import ADA, BO, CY, MAL, Log, catalogue


@pytest.fixture
def log() -> Log:
    return catalogue()


@pytest.mark.proves("P-253", "P-333")
@pytest.mark.parametrize("salt", range(6))
def test_of_a_founder_and_a_lead_who_remove_each_other_the_founder_stays(log: Log, salt: int) -> None:
    before = log.heads()
    log.say(ADA, "remove", after=before, subject=BO, text=str(salt))
    log.say(BO, "remove", after=before, subject=ADA)

    rooms = [derive(order, log.said[0].hash) for order in islice(permutations(log.said), 0, None, 50)]

    assert all(room == rooms[0] for room in rooms)
    assert log.roles() == {ADA: "lead", CY: "member"}


@pytest.mark.proves("P-253", "P-333")
def test_a_removed_lead_ousts_no_founder_with_a_statement_signed_until_its_hash_is_small(log: Log) -> None:
    before = log.heads()
    removal = log.say(ADA, "remove", after=before, subject=BO)
    log.say(ADA, "update", group=Document({}))
    log.join(MAL)

    for salt in range(10_000):  # the keys are new in each run, and its hash may be small by itself
        ground = Log(log.said[:]).say(BO, "remove", after=before, subject=ADA, text=str(salt))
        if ground.hash < removal.hash:
            break
    log.said.append(ground)

    assert ground.hash < removal.hash
    assert log.roles() == {ADA: "lead", CY: "member", MAL: "member"}
    assert log.room().members[CY].since == next(one.id for one in log.said if one.author == CY)


@pytest.mark.proves("P-253", "P-333")
@pytest.mark.parametrize("salt", range(6))
def test_of_leads_as_near_to_the_founder_that_one_stays_whose_invitation_has_the_smaller_hash(salt: int) -> None:
    log = Log()
    log.found()
    bo, cy = log.invite(ADA, BO, "lead"), log.invite(ADA, CY, "lead", text=str(salt))
    log.accept(bo)
    log.accept(cy)
    before = log.heads()

    log.say(BO, "remove", after=before, subject=CY)
    for ground in range(8):
        log.say(CY, "remove", after=before, subject=BO, text=str(ground))

    older = BO if bo.hash < cy.hash else CY
    assert log.roles() == {ADA: "lead", older: "lead"}


@pytest.mark.proves("P-253", "P-333")
@pytest.mark.parametrize("promoted", [False, True])
@pytest.mark.parametrize("salt", range(6))
def test_whom_the_founder_made_a_lead_stands_over_whom_another_lead_did(log: Log, salt: int, promoted: bool) -> None:
    if promoted:
        log.say(BO, "add", subject=CY, role="lead", text=str(salt))
    else:
        log.say(BO, "remove", subject=CY)
        log.accept(log.invite(BO, CY, "lead", text=str(salt)))
    before = log.heads()

    log.say(BO, "remove", after=before, subject=CY)
    log.say(CY, "remove", after=before, subject=BO, text=str(salt))

    assert log.roles() == {ADA: "lead", BO: "lead"}


@pytest.mark.proves("P-253", "P-333")
@pytest.mark.parametrize("salt", range(6))
def test_a_friend_whose_inviter_has_the_smaller_hash_is_no_older_than_who_is_nearer(salt: int) -> None:
    log = Log()
    log.found()
    bo, cy = log.invite(ADA, BO, "lead"), log.invite(ADA, CY, "lead", text=str(salt))
    log.accept(bo)
    log.accept(cy)
    inviter, other = (BO, CY) if bo.hash < cy.hash else (CY, BO)
    log.accept(log.invite(inviter, MAL, "lead"))
    before = log.heads()

    log.say(MAL, "remove", after=before, subject=other)
    log.say(other, "remove", after=before, subject=MAL)

    assert log.roles() == {ADA: "lead", BO: "lead", CY: "lead"}


@pytest.mark.proves("P-253", "P-333")
@pytest.mark.parametrize("salt", range(6))
def test_to_be_promoted_and_to_be_invited_by_the_founder_count_alike(log: Log, salt: int) -> None:
    invite = next(one for one in log.said if one.kind == "invite" and one.subject == BO)
    promotion = log.say(ADA, "add", subject=CY, role="lead", text=str(salt))
    before = log.heads()

    log.say(BO, "remove", after=before, subject=CY)
    log.say(CY, "remove", after=before, subject=BO)

    assert log.roles() == {ADA: "lead", BO if invite.hash < promotion.hash else CY: "lead"}


@pytest.mark.proves("P-253", "P-333")
@pytest.mark.parametrize("salt", range(6))
def test_a_friend_of_the_older_lead_stands_over_one_whose_invitation_was_signed_until_it_fits(salt: int) -> None:
    dee, eve = "https://loft.example/actors/dee", "https://barn.example/actors/eve"
    log = Log()
    log.found()
    bo, cy = log.invite(ADA, BO, "lead"), log.invite(ADA, CY, "lead", text=str(salt))
    log.accept(bo)
    log.accept(cy)
    for inviter, friend in ((BO, dee), (CY, eve)):
        log.accept(log.invite(inviter, friend, "lead", text=str(salt)))
    before = log.heads()

    log.say(dee, "remove", after=before, subject=eve)
    log.say(eve, "remove", after=before, subject=dee)

    older = dee if bo.hash < cy.hash else eve
    assert log.roles().keys() == {ADA, BO, CY, older}


@pytest.mark.proves("P-253", "P-333")
@pytest.mark.parametrize("salt", range(6))
def test_a_founder_withdraws_an_invitation_whatever_the_invited_did_with_it_meanwhile(log: Log, salt: int) -> None:
    invite = log.invite(ADA, MAL, "lead")
    log.say(ADA, "undo", after=[invite], about=invite.id)

    accept = log.accept(invite, after=[invite], text=str(salt))
    log.say(MAL, "remove", after=[accept], subject=ADA, text=str(salt))

    assert log.roles() == {ADA: "lead", BO: "lead", CY: "member"}


@pytest.mark.proves("P-253", "P-333")
@pytest.mark.parametrize("kind", ["remove", "add"])
def test_who_is_no_lead_any_more_cannot_say_what_a_lead_might_have_said_before(log: Log, kind: Kind) -> None:
    before = log.heads()
    log.say(ADA, "add", after=before, subject=BO, role="guest")

    log.say(BO, kind, after=before, subject=ADA, role="guest" if kind == "add" else None)
    log.accept(log.invite(BO, MAL, "lead", after=before))

    assert log.roles() == {ADA: "lead", BO: "guest", CY: "member"}


@pytest.mark.proves("P-253", "P-333")
def test_who_is_no_lead_any_more_may_still_leave_as_they_did(log: Log) -> None:
    before = log.heads()
    log.say(ADA, "add", after=before, subject=BO, role="guest")

    log.say(BO, "leave", after=before, subject=BO)

    assert log.roles() == {ADA: "lead", CY: "member"}


@pytest.mark.proves("P-253", "P-333")
@pytest.mark.parametrize("founder", [False, True])
def test_who_has_left_does_not_come_back_to_remove_the_others(log: Log, founder: bool) -> None:
    gone, left = (ADA, BO) if founder else (BO, ADA)
    before = log.heads()
    log.say(gone, "leave", after=before, subject=gone)

    for salt in range(8):
        log.say(gone, "remove", after=before, subject=left, text=str(salt))
    log.accept(log.invite(gone, MAL, "lead", after=before))

    assert log.roles() == {left: "lead", CY: "member"}


@pytest.mark.proves("P-253", "P-333")
@pytest.mark.parametrize("salt", range(6))
def test_it_is_no_advantage_to_remove_somebody_as_if_one_had_known_less(log: Log, salt: int) -> None:
    before = log.heads()
    detour = log.say(ADA, "update", after=before, group=Document({}))
    log.say(ADA, "remove", after=[detour], subject=BO, text=str(salt))

    log.say(BO, "remove", after=log.said[:1] + before, subject=ADA)

    assert log.roles() == {ADA: "lead", CY: "member"}


@pytest.mark.proves("P-253")
@pytest.mark.parametrize("salt", range(6))
def test_endings_come_before_whatever_else_is_said_at_the_same_time(log: Log, salt: int) -> None:
    before = log.heads()
    log.say(BO, "leave", after=before, subject=BO)

    log.say(BO, "add", after=before, subject=ADA, role="guest", text=str(salt))

    assert log.roles() == {ADA: "lead", CY: "member"}


@pytest.mark.proves("P-253")
def test_a_dispute_among_three_leaves_what_nobody_disputes(log: Log) -> None:
    dee = "https://loft.example/actors/dee"
    log.join(dee, "lead")
    before = log.heads()

    log.say(BO, "remove", after=before, subject=dee)
    log.say(dee, "remove", after=before, subject=CY)
    log.say(ADA, "remove", after=before, subject=BO)

    assert log.roles() == {ADA: "lead", dee: "lead"}


@pytest.mark.proves("P-253")
@pytest.mark.parametrize("salt", range(6))
def test_a_removal_whose_only_opponent_is_out_is_not_undone_by_its_victim(log: Log, salt: int) -> None:
    dee, eve = "https://loft.example/actors/dee", "https://barn.example/actors/eve"
    log.join(dee, "lead")
    log.join(eve, "lead")
    log.join(MAL)
    before = log.heads()

    log.say(ADA, "remove", after=before, subject=BO)
    log.say(BO, "remove", after=before, subject=dee)
    log.say(dee, "remove", after=before, subject=eve)
    log.say(eve, "remove", after=before, subject=MAL, text=str(salt))
    log.say(MAL, "leave", after=before, subject=MAL)

    assert log.roles() == {ADA: "lead", dee: "lead", CY: "member"}


@pytest.mark.proves("P-253")
@pytest.mark.parametrize("salt", range(6))
def test_a_friend_made_lead_in_secret_has_no_better_say_than_who_made_it(log: Log, salt: int) -> None:
    before = log.heads()
    log.say(ADA, "remove", after=before, subject=BO, text=str(salt))

    friend = log.say(BO, "add", after=before, subject=CY, role="lead")
    log.say(CY, "remove", after=[friend], subject=ADA)

    assert log.roles() == {ADA: "lead", CY: "member"}


@pytest.mark.proves("P-253")
def test_what_came_after_both_sides_of_a_dispute_follows_from_its_outcome(log: Log) -> None:
    before = log.heads()
    log.say(ADA, "remove", after=before, subject=BO)
    log.say(BO, "add", after=before, subject=CY, role="lead")

    log.invite(CY, MAL, after=log.heads())

    assert log.room().invitations == {}


@pytest.mark.proves("P-253")
def test_who_was_wronged_by_a_removed_lead_goes_on_as_before(log: Log) -> None:
    log.say(ADA, "add", subject=CY, role="lead")
    before = log.heads()
    log.say(ADA, "remove", after=before, subject=BO)
    log.say(BO, "add", after=before, subject=CY, role="guest")

    invite = log.invite(CY, MAL, after=log.heads())

    assert list(log.room().invitations) == [invite.id]


@pytest.mark.proves("P-253")
def test_whom_only_a_removed_lead_removed_may_still_leave(log: Log) -> None:
    before = log.heads()
    log.say(ADA, "remove", after=before, subject=BO)
    log.say(BO, "remove", after=before, subject=CY)
    assert CY in log.roles()

    log.say(CY, "leave", after=log.heads(), subject=CY)

    assert CY not in log.roles()


@pytest.mark.proves("P-253")
def test_a_member_removed_on_one_side_and_promoted_on_the_other_can_be_invited_again(log: Log) -> None:
    before = log.heads()
    log.say(BO, "remove", after=before, subject=CY)
    detour = log.say(ADA, "update", after=before, group=Document({}))
    log.say(ADA, "add", after=[detour], subject=CY, role="lead")

    log.join(CY, "guest")

    assert log.roles()[CY] == "guest"


@pytest.mark.proves("P-253")
def test_a_member_removed_on_one_side_and_promoted_on_the_other_has_no_say_after_both(log: Log) -> None:
    before = log.heads()
    log.say(BO, "remove", after=before, subject=CY)
    detour = log.say(ADA, "update", after=before, group=Document({}))
    log.say(ADA, "add", after=[detour], subject=CY, role="lead")

    log.invite(CY, MAL, after=log.heads())

    assert log.room().invitations == {}


@pytest.mark.proves("P-333")
def test_hundreds_of_quarrels_that_a_removed_lead_has_joined_one_by_one_take_seconds(log: Log) -> None:
    before = log.heads()
    head = log.say(ADA, "remove", after=before, subject=BO)
    for number in range(400):
        ground = log.say(BO, "remove", after=before, subject=ADA, text=str(number))
        head = log.say(BO, "join", after=[head, ground], subject=BO)

    began = perf_counter()
    roles = log.roles()

    assert perf_counter() - began < 10  # half a second, on an idle machine
    assert roles == {ADA: "lead", CY: "member"}
