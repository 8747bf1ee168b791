"""Who asks to be let in is heard by every lead, answered once, and no flood."""

from __future__ import annotations

from functools import partial

import pytest

from activitypub.document import Document, Json
from coop import accounts, invitations, joining, projects
from coop.errors import Conflict, NotAllowed, NotFound, Trouble
from coop.events import Notice
from coop.floods import MAX_JOINS, MAX_JOINS_OF_HOST
from coop.joining import AGAIN
from coop.projects import View
from federation import known
from federation.store import Transaction
from tests.coop.guild import Guild, found, guild_of, invited, project, proven, received, sends
from tests.coop.notices import told
from tests.fediverse import Fediverse, Studio, key_pair

__all__ = ["told"]  # a fixture

Told = list[tuple[str, Notice]]


async def asks(guild: Guild, studio: Studio) -> str:
    uri = await studio.does(lambda tx: joining.ask(tx, studio.uri, guild.uri))
    await guild.fediverse.settle()
    return uri


async def view(guild: Guild, studio: Studio) -> View:
    now = guild.fediverse.now
    return await studio.instance.store.read(lambda db: projects.show(db, guild.uri, studio.uri, now))


def one_of_a_crowd_asks(tx: Transaction, number: int, project: str) -> None:
    known.actor(tx.db, project)
    who = accounts.create(tx, f"no{number}", "", "person", key_pair(0)).uri
    joining.ask(tx, who, project)


@pytest.mark.proves("P-251", "P-254")
async def test_a_wish_to_join_reaches_all_leads_wherever_they_live(fediverse: Fediverse, told: Told) -> None:
    guild, (bo, cy) = await guild_of(fediverse, "bo", "cy")
    await guild.ada.does(lambda tx: projects.give_role(tx, guild.ada.uri, guild.uri, bo.uri, "lead"))
    await fediverse.settle()
    dee = await fediverse.studio("dee")

    uri = await asks(guild, dee)

    for studio in (guild.ada, bo, cy):
        assert [(one.id, one.author) for one in (await view(guild, studio)).requests] == [(uri, dee.uri)]
    wishes = [(home, one.to) for home, one in told if one.kind == "request to join"]
    assert wishes == [(guild.ada.home, guild.ada.uri), (bo.home, bo.uri)]
    assert "dee" not in await guild.roles(cy)


@pytest.mark.proves("P-251")
async def test_any_lead_fulfils_a_wish_by_an_invitation(fediverse: Fediverse) -> None:
    guild, (bo,) = await guild_of(fediverse, "bo")
    await guild.ada.does(lambda tx: projects.give_role(tx, guild.ada.uri, guild.uri, bo.uri, "lead"))
    dee = await fediverse.studio("dee")
    uri = await asks(guild, dee)

    with pytest.raises(NotFound):
        await bo.does(lambda tx: joining.accept(tx, bo.uri, guild.uri, guild.uri))
    await bo.does(lambda tx: joining.accept(tx, bo.uri, guild.uri, uri))
    await fediverse.settle()
    waiting = (await view(guild, guild.ada)).requests
    [invitation] = await invited(dee)
    await dee.does(lambda tx: invitations.accept(tx, dee.uri, invitation.uri))
    await fediverse.settle()

    assert waiting == (await view(guild, dee)).requests == ()
    assert await guild.roles(guild.ada) == await guild.roles(dee) == {"ada": "lead", "bo": "lead", "dee": "member"}


@pytest.mark.proves("P-251")
async def test_a_lead_says_no_and_who_asked_learns_it(fediverse: Fediverse, told: Told) -> None:
    guild, (bo,) = await guild_of(fediverse, "bo")
    dee, ada = await fediverse.studio("dee"), guild.ada
    uri = await asks(guild, dee)

    with pytest.raises(NotAllowed):
        await bo.does(lambda tx: joining.decline(tx, bo.uri, guild.uri, uri))
    await ada.does(lambda tx: joining.decline(tx, ada.uri, guild.uri, uri))
    await fediverse.settle()

    assert (await view(guild, ada)).requests == (await view(guild, bo)).requests == ()
    assert (dee.home, Notice("request declined", dee.uri, ada.uri, guild.uri)) in told
    with pytest.raises(NotFound):
        await ada.does(lambda tx: joining.decline(tx, ada.uri, guild.uri, uri))


@pytest.mark.proves("P-251", "P-321")
@pytest.mark.parametrize(
    ("change", "states"),
    [({}, ["done"]), ({"proof": {"x": 1}}, ["refused"]), ({"context": "https://mal.example/projects/1"}, ["done"])],
)
async def test_a_refusal_is_proven_and_about_what_was_asked(
    fediverse: Fediverse, told: Told, change: Json, states: list[str]
) -> None:
    guild, dee, mal = await found(fediverse), await fediverse.studio("dee"), await fediverse.studio("mal")
    await mal.meets(dee)
    uri = await asks(guild, dee)
    reject = {"id": f"{mal.home}/activities/1", "type": "Reject", "actor": mal.uri, "object": uri, "to": [dee.uri]}
    said = {**reject, "context": guild.uri, "after": ["zHash"]}

    await sends(mal, dee, {**await proven(mal, said | change), **change})

    assert [state for state, _ in await received(dee, "Reject")] == states
    is_told = [(one.by, one.about) for home, one in told if home == dee.home and one.kind == "request declined"]
    assert is_told == ([] if change else [(mal.uri, guild.uri)])


async def test_nobody_asks_twice_in_a_month_or_into_what_they_are_in(fediverse: Fediverse) -> None:
    guild, (bo,) = await guild_of(fediverse, "bo")
    dee = await fediverse.studio("dee")
    await asks(guild, dee)

    with pytest.raises(Conflict):
        await asks(guild, dee)
    with pytest.raises(Conflict):
        await asks(guild, bo)
    with pytest.raises(Trouble):
        await dee.does(lambda tx: joining.ask(tx, dee.uri, bo.uri))
    fediverse.later(seconds=AGAIN.total_seconds())
    await asks(guild, dee)

    assert [state for state, _ in await received(guild.ada, "Join")] == ["done", "refused"]  # it waits still


@pytest.mark.proves("P-251")
async def test_who_is_invited_need_not_ask(fediverse: Fediverse) -> None:
    guild, dee = await found(fediverse), await fediverse.studio("dee")
    uri = await guild.invite(dee)

    with pytest.raises(Conflict, match=f"accept {uri}"):
        await asks(guild, dee)


@pytest.mark.proves("P-250", "P-255")
async def test_a_project_names_the_fingerprint_that_one_can_go_on_from(fediverse: Fediverse) -> None:
    guild = await found(fediverse)
    dee = await fediverse.studio("dee")

    group = Document.parse((await dee.gets(guild.uri)).body)

    assert group.text("fingerprint") == (await project(guild.ada)).fingerprint


@pytest.mark.proves("P-250", "P-255")
async def test_an_invitation_to_another_genesis_than_the_project_s_server_names_leads_nowhere(
    fediverse: Fediverse,
) -> None:
    guild, dee = await found(fediverse), await fediverse.studio("dee")

    def disagree(tx: Transaction) -> None:
        actor = known.actor(tx.db, guild.uri)
        actor.document = {**actor.document, "fingerprint": "zAnother"}

    await guild.ada.does(disagree)
    await guild.invite(dee)

    assert await invited(dee) == []


@pytest.mark.proves("P-333")
async def test_few_of_one_server_and_few_of_all_may_wait_at_once(fediverse: Fediverse) -> None:
    guild, crowd = await found(fediverse), await fediverse.studio("crowd")
    ada = guild.ada

    for number in range(MAX_JOINS_OF_HOST + 1):
        await crowd.does(partial(one_of_a_crowd_asks, number=number, project=guild.uri))
    await fediverse.settle()
    few = len((await view(guild, ada)).requests)
    for number in range(MAX_JOINS):
        studio = await fediverse.studio(f"s{number}")
        await asks(guild, studio)

    states = [state for state, _ in await received(ada, "Join")]
    assert few == MAX_JOINS_OF_HOST
    assert len((await view(guild, ada)).requests) == MAX_JOINS == states.count("done")
    assert states.count("refused") == 1 + MAX_JOINS_OF_HOST
