"""Which invitations of others are let in, and what is left of them when nobody here takes them up (P-255, P-327)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from activitypub import context
from activitypub.document import Json, timestamp
from coop import acquaintances, admission, blocks, departures, invitations, projects
from coop.admission import MAX_OPEN, Invitation
from coop.logbook import HELD
from coop.statements import Entry, Membership, Project
from coop.vouchers import Voucher
from tests.coop.guild import Guild, guild_of, invited, passes_on, proven, received, sends, writer
from tests.coop.neighbours import lives_at
from tests.fediverse import Fediverse, Studio, key_pair

SHORT = timedelta(minutes=2)


async def invitation(by: Studio, uri: str, invitee: str, name: str, **terms: Any) -> Json:
    """One that `by` writes, and that reaches nobody yet."""
    [place] = [one for one in await by.knows(Project) if one.uri == uri]
    until = by.instance.now() + timedelta(days=1)
    said = (await writer(by, uri)).invite(f"{by.home}/{name}", invitee, "member", place.fingerprint, until, "")
    return await proven(by, said | terms)


async def founded(by: Studio, name: str) -> tuple[str, Json]:
    """A project, and its first statement."""
    uri = await by.does(lambda tx: projects.create(tx, by.uri, name, "", key_pair(9)).uri)
    return uri, next(row.document for row in await by.knows(Entry) if row.project == uri)


async def presses(by: Studio, on: Studio, number: int = 1, in_add: bool = False, **terms: Any) -> None:
    """Invite into that many projects, founded for the purpose."""
    for _ in range(number):
        count = len(await by.knows(Project))
        uri, genesis = await founded(by, f"No {count}")
        said = await invitation(by, uri, on.uri, f"invite-{count}", **terms)
        await (passes_on if in_add else sends)(by, on, said)
        await passes_on(by, on, genesis)


async def two(fediverse: Fediverse) -> tuple[Studio, Studio]:
    mal, bo = await fediverse.studio("mal"), await fediverse.studio("bo")
    await mal.meets(bo)
    await bo.meets(mal)
    return mal, bo


async def a_day_goes_by(studio: Studio, days: int = 1) -> None:
    studio.fediverse.later(days=days)
    await studio.upkeep.do_chores()


# --- What comes in -----------------------------------------------------------------------------------------------


@pytest.mark.proves("P-255", "P-327")
@pytest.mark.parametrize("in_add", [False, True])
async def test_as_many_are_let_in_as_anybody_would_read_whichever_way_they_come(
    fediverse: Fediverse, monkeypatch: pytest.MonkeyPatch, in_add: bool
) -> None:
    monkeypatch.setattr(admission, "MAX_OPEN", 3)
    mal, bo = await two(fediverse)

    await presses(mal, bo, 5, in_add)

    assert len(await invited(bo)) == len(await bo.knows(Project)) == 3
    assert len(await bo.knows(Entry)) == 2 * 3
    assert [state for state, _ in await received(bo, "Add" if in_add else "Invite")].count("refused") == 2


@pytest.mark.proves("P-255", "P-327")
async def test_all_servers_below_one_domain_count_together(
    fediverse: Fediverse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "MAX_OPEN", 3)
    bo = await fediverse.studio("bo")

    for number in range(5):
        farm = await fediverse.studio(f"m{number}.farm")
        await farm.meets(bo)
        await presses(farm, bo)
    await presses(await fediverse.studio("ada"), bo)

    assert len(await bo.knows(Project)) == 3 + 1


@pytest.mark.proves("P-255", "P-327")
async def test_invitations_that_end_soon_count_for_a_day(fediverse: Fediverse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "MAX_OPEN", 2)
    mal, bo = await two(fediverse)

    counts = []
    for wait in (SHORT, SHORT, timedelta(days=1)):
        await presses(mal, bo, 2, endTime=timestamp(fediverse.now + SHORT / 2))
        counts.append(len(await bo.knows(Project)))
        fediverse.later(seconds=wait.total_seconds())
    await presses(mal, bo, 2, endTime=timestamp(fediverse.now + SHORT / 2))

    assert [*counts, len(await bo.knows(Project))] == [2, 2, 2, 4]


@pytest.mark.proves("P-255")
async def test_who_accepts_makes_room(fediverse: Fediverse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "MAX_OPEN", 1)
    mal, bo = await two(fediverse)
    await presses(mal, bo)
    [first] = await invited(bo)

    await bo.does(lambda tx: invitations.accept(tx, bo.uri, first.uri))
    await presses(mal, bo)

    assert [row.state for row in await invited(bo)] == ["accepted", "open"]


@pytest.mark.proves("P-255")
@pytest.mark.parametrize("in_add", [False, True])
@pytest.mark.parametrize(
    ("terms", "why"), [({"endTime": "2026-03-01T00:00:00Z"}, "expired"), ({"fingerprint": None}, "fingerprint")]
)
async def test_what_has_expired_or_names_no_project_is_not_let_in(
    fediverse: Fediverse, in_add: bool, terms: Json, why: str
) -> None:
    mal, bo = await two(fediverse)

    await presses(mal, bo, 1, in_add, **terms)

    [(state, error), *_] = await received(bo, "Add" if in_add else "Invite")
    assert (state, why in (error or "")) == ("refused", True)
    assert (await bo.knows(Entry), await bo.knows(Project)) == ([], [])


@pytest.mark.proves("P-255", "P-327")
async def test_whoever_is_blocked_brings_no_project(fediverse: Fediverse) -> None:
    mal, bo = await two(fediverse)
    await bo.does(lambda tx: blocks.block(tx, bo.uri, mal.uri))

    await presses(mal, bo, in_add=True)

    assert (await bo.knows(Entry), await bo.knows(Project)) == ([], [])


@pytest.mark.proves("P-255", "P-327")
async def test_a_project_is_not_kept_if_the_invitation_to_it_turns_out_void(fediverse: Fediverse) -> None:
    guild, (mal,) = await guild_of(fediverse, "mal")
    bo = await fediverse.studio("bo")
    await mal.meets(bo)
    await sends(mal, bo, await invitation(mal, guild.uri, bo.uri, "void"))

    for row in await guild.log(guild.ada):
        await passes_on(mal, bo, row.document)

    tables: tuple[Any, ...] = (Entry, Project, Membership, Voucher, Invitation)
    assert [await bo.knows(table) for table in tables] == [[]] * 5


@pytest.mark.proves("P-255")
async def test_the_server_of_a_project_is_asked_who_that_is_whichever_way_the_invitation_comes(
    fediverse: Fediverse,
) -> None:
    mal, bo = await two(fediverse)
    del fediverse.requests[:]

    await presses(mal, bo, in_add=True)

    [place] = await bo.knows(Project)
    assert place.uri in {str(one.url) for one in fediverse.requests if one.method == "GET"}


@pytest.mark.proves("P-255")
async def test_of_what_is_said_in_a_project_that_we_have_too_much_is_not_shown_but_taken(
    fediverse: Fediverse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "MAX_OPEN", 1)
    guild, (bo,) = await guild_of(fediverse, "bo")
    people = [await lives_at(bo, name) for name in ("bea", "ben", "bix")]

    for number, uri in enumerate(people):
        await sends(guild.ada, bo, await invitation(guild.ada, guild.uri, uri, f"invite-{number}"))

    assert [row.invitee for row in await invited(bo)] == [bo.uri, people[0]]
    assert [row.subject for row in await guild.log(bo) if row.kind == "invite"] == [bo.uri, *people]
    assert not any(row.held for row in await guild.log(bo))


# --- An id that is used twice ------------------------------------------------------------------------------------


async def uses_an_id_twice(guild: Guild, mal: Studio, bo: Studio, invitee: str) -> None:
    """Mal, a lead, invites by one id into a group that is none, and into the project, which Bo's server hears late."""
    await guild.ada.does(lambda tx: projects.give_role(tx, guild.ada.uri, guild.uri, mal.uri, "lead"))
    await guild.fediverse.settle()
    await mal.meets(bo)
    plain = {"id": f"{mal.home}/twice", "type": "Invite", "actor": mal.uri, "object": invitee, "to": [invitee]}
    await sends(mal, bo, {"@context": context.ACTIVITY, **plain, "target": f"{mal.home}/groups/1"})
    await sends(mal, guild.ada, await invitation(mal, guild.uri, invitee, "twice"))
    await guild.ada.does(lambda tx: projects.remove(tx, guild.ada.uri, guild.uri, mal.uri))
    await guild.fediverse.settle()
    for _ in range(3):
        guild.fediverse.later(hours=2)
        await bo.upkeep.run_errands()
        await guild.fediverse.settle()


@pytest.mark.proves("P-253", "P-333")
async def test_an_id_that_is_used_twice_stops_no_log(fediverse: Fediverse) -> None:
    guild, (mal, bo) = await guild_of(fediverse, "mal", "bo")
    bea = await lives_at(bo, "bea")

    await uses_an_id_twice(guild, mal, bo, bea)

    assert await guild.roles(bo) == await guild.roles(guild.ada) == {"ada": "lead", "bo": "member"}
    assert len(await guild.log(bo)) == len(await guild.log(guild.ada))
    twice = [row for row in await invited(bo) if row.uri == f"{mal.home}/twice"]
    assert [(row.project, row.invitee) for row in twice] == [(f"{mal.home}/groups/1", bea), (guild.uri, bea)]
    await bo.does(lambda tx: invitations.decline(tx, bea, f"{mal.home}/twice"))
    assert "declined" in {row.state for row in await invited(bo)}


@pytest.mark.proves("P-255", "P-333")
async def test_nobody_is_invited_who_has_no_account(fediverse: Fediverse) -> None:
    guild, (mal, bo) = await guild_of(fediverse, "mal", "bo")

    await uses_an_id_twice(guild, mal, bo, bo.instance.uri)
    await presses(mal, bo, object=bo.instance.uri)

    assert await guild.roles(bo) == {"ada": "lead", "bo": "member"}
    assert [row.invitee for row in await invited(bo)] == [bo.uri]
    assert [place.uri for place in await bo.knows(Project)] == [guild.uri]


# --- What is left ------------------------------------------------------------------------------------------------


@pytest.mark.proves("P-255", "P-327")
async def test_a_project_that_nobody_here_took_up_is_forgotten_a_month_later(fediverse: Fediverse) -> None:
    mal, bo = await two(fediverse)
    await presses(mal, bo)

    counts = []
    for days in (1, acquaintances.LEFT.days - 1, 2):
        await a_day_goes_by(bo, days)
        counts.append((len(await bo.knows(Project)), len(await bo.knows(Entry)), len(await invited(bo))))

    assert counts == [(1, 2, 1), (1, 2, 1), (0, 0, 0)]


@pytest.mark.proves("P-254", "P-327")
async def test_a_project_is_kept_for_whoever_is_in_it_and_for_whoever_was(fediverse: Fediverse) -> None:
    guild, (bo,) = await guild_of(fediverse, "bo")
    await a_day_goes_by(bo, 100)
    await bo.does(lambda tx: projects.leave(tx, bo.uri, guild.uri))
    await fediverse.settle()

    counts = []
    for studio, days in ((bo, 29), (bo, 2), (guild.ada, 100)):
        await a_day_goes_by(studio, days)
        counts.append((len(await studio.knows(Project)), len(await studio.knows(Entry))))

    assert counts == [(1, 4)] * 3

    await bo.does(lambda tx: departures.leave(tx, bo.uri))
    await a_day_goes_by(bo, 31)

    assert await bo.knows(Entry) == []
    assert await bo.knows(Membership) == []


@pytest.mark.proves("P-253", "P-327")
async def test_an_invitation_to_what_never_comes_is_forgotten(fediverse: Fediverse) -> None:
    mal, bo = await two(fediverse)
    uri, _ = await founded(mal, "Nowhere")
    await sends(mal, bo, await invitation(mal, uri, bo.uri, "invite"))
    plain = {"id": f"{mal.home}/plain", "type": "Invite", "actor": mal.uri, "object": bo.uri, "to": [bo.uri]}
    ends = {"target": f"{mal.home}/groups/1", "endTime": timestamp(fediverse.now + timedelta(days=1))}
    await sends(mal, bo, {"@context": context.ACTIVITY, **plain, **ends})

    counts = []
    for days in (HELD.days, 1, acquaintances.LEFT.days):
        await a_day_goes_by(bo, days)
        counts.append((len(await bo.knows(Entry)), len(await invited(bo))))

    assert counts == [(1, 1), (0, 1), (0, 0)]


@pytest.mark.proves("P-255", "P-327")
async def test_a_project_is_kept_for_as_long_as_somebody_here_may_accept(fediverse: Fediverse) -> None:
    mal, bo = await two(fediverse)
    await presses(mal, bo, endTime=timestamp(fediverse.now + 2 * acquaintances.LEFT))

    await a_day_goes_by(bo, acquaintances.LEFT.days + 15)
    [waiting] = await invited(bo)
    await bo.does(lambda tx: invitations.accept(tx, bo.uri, waiting.uri))

    assert [row.state for row in await invited(bo)] == ["accepted"]


@pytest.mark.proves("P-250", "P-327")
async def test_the_face_of_a_project_stays_where_it_was_founded(fediverse: Fediverse) -> None:
    guild, (bo,) = await guild_of(fediverse, "bo")
    ada = guild.ada
    await ada.does(lambda tx: projects.give_role(tx, ada.uri, guild.uri, bo.uri, "lead"))
    await ada.does(lambda tx: projects.leave(tx, ada.uri, guild.uri))
    await fediverse.settle()

    await a_day_goes_by(ada, 100)

    assert await guild.roles(ada) == await guild.roles(bo) == {"bo": "lead"}


def test_the_limit_is_what_the_documentation_says() -> None:
    assert (20, timedelta(days=1), timedelta(days=30)) == (MAX_OPEN, admission.DAY, acquaintances.LEFT)
