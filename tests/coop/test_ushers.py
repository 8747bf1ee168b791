"""Delegated invitations: a lead lets a member ask others in, and takes that back, which wins (P-251, P-252, P-253)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from coop import invitations, projects, statements
from coop.errors import Conflict, NotAllowed, Trouble
from tests.coop.guild import guild_of, invited, passes_on, proven, writer
from tests.coop.logbook import ADA, BO, CY, MAL, Log, catalogue
from tests.fediverse import Fediverse


@pytest.fixture
def log() -> Log:
    """Ada's project, in which Cy, a member, may invite."""
    log = catalogue()
    log.say(ADA, "add", subject=CY, role="usher")
    return log


@pytest.mark.proves("P-251", "P-252")
@pytest.mark.parametrize(("role", "stands"), [("member", True), ("guest", True), ("usher", False), ("lead", False)])
def test_an_usher_asks_in_members_and_guests_and_nobody_who_could_ask_in_others(
    log: Log, role: str, stands: bool
) -> None:
    log.accept(log.invite(CY, MAL, role))  # type: ignore[arg-type]

    assert log.roles().get(MAL) == (role if stands else None)


@pytest.mark.proves("P-251")
@pytest.mark.parametrize(
    ("kind", "terms"),
    [("add", {"subject": CY, "role": "lead"}), ("remove", {"subject": BO}), ("update", {"text": "Mine"})],
)
def test_nothing_else_is_for_an_usher_to_say(log: Log, kind: str, terms: dict[str, str]) -> None:
    before = log.room()

    said = log.say(CY, kind, **terms)  # type: ignore[arg-type]

    assert (log.roles(), log.room().group) == ({uri: one.role for uri, one in before.members.items()}, before.group)
    assert said.hash not in log.room().heads


@pytest.mark.proves("P-253")
@pytest.mark.parametrize("role", ["member", "guest"])
def test_an_invitation_that_an_usher_makes_while_being_one_no_more_counts_for_nothing(log: Log, role: str) -> None:
    before = log.heads()
    log.say(ADA, "add", before, subject=CY, role=role)

    log.accept(log.invite(CY, MAL, after=before), after=log.heads()[-1:])

    assert log.roles() == {ADA: "lead", BO: "lead", CY: role}
    assert log.room().invitations == {}


@pytest.mark.proves("P-253")
def test_who_accepted_before_the_delegation_ended_stays(log: Log) -> None:
    log.accept(log.invite(CY, MAL))

    log.say(ADA, "add", subject=CY, role="member")

    assert log.roles()[MAL] == "member"


@pytest.mark.proves("P-253")
def test_an_usher_who_is_made_a_lead_loses_no_invitation_by_that(log: Log) -> None:
    before = log.heads()
    invite = log.invite(CY, MAL, after=before)
    log.say(ADA, "add", before, subject=CY, role="lead")

    assert [*log.room().invitations] == [invite.id]


@pytest.mark.proves("P-251", "P-252", "P-254")
async def test_whom_an_usher_invites_is_in_on_every_server(fediverse: Fediverse) -> None:
    guild, (bo, cy) = await guild_of(fediverse, "bo", "cy")
    ada, dee = guild.ada, await fediverse.studio("dee")
    with pytest.raises(NotAllowed):
        await guild.invite(dee, by=bo)
    await ada.does(lambda tx: projects.give_role(tx, ada.uri, guild.uri, bo.uri, "usher"))
    await fediverse.settle()
    for role in ("lead", "usher"):
        with pytest.raises(NotAllowed):
            await guild.invite(dee, role, by=bo)

    await guild.join(dee, by=bo)
    await guild.post(bo, "Ushers write, too.")

    everybody = {"ada": "lead", "bo": "usher", "cy": "member", "dee": "member"}
    assert [await guild.roles(one) for one in (ada, bo, cy, dee)] == [everybody] * 4
    assert await guild.talk(dee) == ["<p>Ushers write, too.</p>"]


@pytest.mark.proves("P-251", "P-333")
async def test_a_server_that_lets_its_usher_invite_a_lead_is_not_believed(fediverse: Fediverse) -> None:
    guild, (bo, cy) = await guild_of(fediverse, "bo", "cy")
    await guild.ada.does(lambda tx: projects.give_role(tx, guild.ada.uri, guild.uri, bo.uri, "usher"))
    await fediverse.settle()
    write = await writer(bo, guild.uri)
    until = fediverse.now + timedelta(days=3)

    said = await proven(bo, write.invite(f"{bo.home}/activities/1", "https://mal.example/a", "lead", "zQm", until, ""))
    await passes_on(bo, cy, said)

    assert said["id"] not in {row.uri for row in await guild.log(cy)}


@pytest.mark.proves("P-251", "P-253")
async def test_an_invitation_is_open_for_as_long_as_was_said(fediverse: Fediverse) -> None:
    guild, (bo,) = await guild_of(fediverse, "bo")
    ada, dee = guild.ada, await fediverse.studio("dee")
    await ada.meets(dee)
    for wrong in (timedelta(0), timedelta(days=-1), timedelta(days=400)):
        with pytest.raises(Trouble):
            await ada.does(lambda tx, wrong=wrong: invitations.invite(tx, ada.uri, guild.uri, dee.uri, open_for=wrong))  # type: ignore[misc]

    await ada.does(lambda tx: invitations.invite(tx, ada.uri, guild.uri, dee.uri, open_for=timedelta(days=2)).id)
    await fediverse.settle()
    fediverse.later(days=2)

    [invitation] = await invited(dee)
    with pytest.raises(Conflict):
        await dee.does(lambda tx: invitations.accept(tx, dee.uri, invitation.uri))
    room = await bo.instance.store.read(lambda db: statements.room_of(db, statements.at(db, guild.uri)))
    late = (await writer(dee, guild.uri)).accept(f"{dee.home}/activities/1", room.invitations[invitation.uri], "")
    await passes_on(dee, bo, await proven(dee, late))
    assert await guild.roles(bo) == {"ada": "lead", "bo": "member"}
