"""Invitations between real servers: seen by whom they are for, answered once, and believed of nobody but a lead."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import msgspec
import pytest

from activitypub import context, keys
from activitypub.actor import Actor as Profile
from activitypub.actor import Keys
from activitypub.document import Document, Json, timestamp
from activitypub.proof import hash_of
from activitypub.statement import Statement
from coop import accounts, blocks, invitations, letters, projects, statements
from coop.admission import MAX_OPEN
from coop.errors import Conflict, NotAllowed, NotFound, Trouble
from coop.events import Notice
from coop.statements import Membership, Project
from federation import discovery, outbox
from federation.client import Signer
from federation.store import Transaction
from tests.coop.guild import Guild, found, guild_of, invited, passes_on, project, proven, received, sends, writer
from tests.coop.notices import told
from tests.fediverse import Fediverse, Studio, key_pair

__all__ = ["told"]  # a fixture

Told = list[tuple[str, Notice]]
MIA = "https://social.example/users/mia"
CIRCLE = "https://social.example/groups/circle"


def stranger(fediverse: Fediverse) -> list[Json]:
    """Mia, whose server knows nothing of rooms; gives what is sent to her."""
    pair, posted = key_pair(7), list[Json]()
    rsa, ed25519 = keys.load_private(pair.rsa), keys.load_private(pair.ed25519)
    multibase = keys.write_multikey(ed25519.public_key())
    profile = Profile(id=MIA, type="Person", handle="mia", inbox=f"{MIA}/inbox", name="Mia", url=MIA)
    document = profile.write(Keys(keys.write_pem(rsa.public_key()), multibase))

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            posted.append(msgspec.json.decode(request.content))
            return httpx.Response(202)
        if str(request.url) != MIA:
            return httpx.Response(404)
        return httpx.Response(200, json=document, headers={"content-type": "application/activity+json"})

    fediverse.strangers["social.example"] = answer
    return posted


async def meets_mia(studio: Studio) -> None:
    await discovery.fetch(studio.instance, MIA)


async def open_to(studio: Studio) -> list[str]:
    now = studio.instance.now()
    query = invitations.invitations_for(studio.uri, now)
    return [row.uri for row in await studio.instance.store.read(lambda db: db.scalars(query).all())]


async def forged_invite(guild: Guild, by: Studio, invitee: Studio, **terms: Any) -> Json:
    """An invitation as `by` would write it, whoever that is."""
    place, write = await project(by), await writer(by, guild.uri)
    until = by.instance.now() + timedelta(days=1)
    uri = f"{by.home}/activities/made-up"
    return await proven(by, write.invite(uri, invitee.uri, "lead", place.fingerprint, until, "<p>Come!</p>") | terms)


async def log_of(guild: Guild, studio: Studio) -> list[Json]:
    return [row.document for row in await guild.log(studio)]


@pytest.mark.proves("P-251", "P-254", "P-255")
async def test_the_invited_see_who_invites_them_to_what(fediverse: Fediverse, told: Told) -> None:
    guild, (bo,) = await guild_of(fediverse, "bo")
    cy = await fediverse.studio("cy")

    uri = await guild.invite(cy, "guest")

    [row], place = await invited(cy), await project(cy)
    assert (row.uri, row.inviter, row.invitee, row.role) == (uri, guild.ada.uri, cy.uri, "guest")
    assert (row.project, place.uri, place.name) == (guild.uri, guild.uri, "Catalogue")
    assert (row.text, row.state, row.until) == ("<p>Join us?</p>", "open", fediverse.now + timedelta(days=30))
    assert (cy.home, Notice("invitation", cy.uri, guild.ada.uri, uri)) in told
    assert await guild.roles(cy) == {"ada": "lead", "bo": "member"}
    assert len(await guild.log(bo)) == len(await guild.log(cy)) == 4


@pytest.mark.proves("P-251", "P-254")
async def test_an_accepted_invitation_makes_a_member(fediverse: Fediverse, told: Told) -> None:
    guild, bo = await found(fediverse), await fediverse.studio("bo")
    uri = await guild.invite(bo)

    await bo.does(lambda tx: invitations.accept(tx, bo.uri, uri))
    await fediverse.settle()

    assert await guild.roles(guild.ada) == await guild.roles(bo) == {"ada": "lead", "bo": "member"}
    [row], accept = await invited(bo), (await log_of(guild, guild.ada))[-1]
    assert (row.state, await open_to(bo)) == ("accepted", [])
    assert (guild.ada.home, Notice("invitation accepted", guild.ada.uri, bo.uri, guild.uri)) in told
    assert re.fullmatch(rf"{bo.home}/projects/\w+/log", accept["replica"])
    with pytest.raises(Conflict):
        await bo.does(lambda tx: invitations.accept(tx, bo.uri, uri))


@pytest.mark.proves("P-251")
async def test_a_declined_invitation_makes_none(fediverse: Fediverse, told: Told) -> None:
    guild, bo = await found(fediverse), await fediverse.studio("bo")
    uri = await guild.invite(bo)

    await bo.does(lambda tx: invitations.decline(tx, bo.uri, uri))
    await fediverse.settle()

    assert await guild.roles(guild.ada) == {"ada": "lead"}
    assert [row.state for row in await invited(bo)] == ["declined"]
    assert (guild.ada.home, Notice("invitation declined", guild.ada.uri, bo.uri, guild.uri)) in told
    with pytest.raises(Conflict):
        await bo.does(lambda tx: invitations.accept(tx, bo.uri, uri))


@pytest.mark.proves("P-251")
async def test_a_withdrawn_invitation_cannot_be_accepted(fediverse: Fediverse, told: Told) -> None:
    guild, (bo,) = await guild_of(fediverse, "bo")
    cy = await fediverse.studio("cy")
    uri = await guild.invite(cy)
    with pytest.raises(NotAllowed):
        await bo.does(lambda tx: invitations.withdraw(tx, bo.uri, guild.uri, uri))

    await guild.ada.does(lambda tx: invitations.withdraw(tx, guild.ada.uri, guild.uri, uri))
    await fediverse.settle()

    assert [row.state for row in await invited(cy)] == ["withdrawn"]
    assert (cy.home, Notice("invitation withdrawn", cy.uri, guild.ada.uri, uri)) in told
    with pytest.raises(Conflict):
        await cy.does(lambda tx: invitations.accept(tx, cy.uri, uri))
    with pytest.raises(NotFound):
        await guild.ada.does(lambda tx: invitations.withdraw(tx, guild.ada.uri, guild.uri, uri))


@pytest.mark.proves("P-253", "P-333")
async def test_a_withdrawal_wins_over_an_acceptance_that_did_not_know_of_it(fediverse: Fediverse) -> None:
    guild, (bo,) = await guild_of(fediverse, "bo")
    cy = await fediverse.studio("cy")
    uri = await guild.invite(cy)
    fediverse.asleep.add(cy.host)
    await guild.ada.does(lambda tx: invitations.withdraw(tx, guild.ada.uri, guild.uri, uri))
    await fediverse.settle()

    await cy.does(lambda tx: invitations.accept(tx, cy.uri, uri))
    fediverse.asleep.clear()
    fediverse.later(hours=1)
    await fediverse.settle()

    assert [await guild.roles(one) for one in (guild.ada, bo, cy)] == [{"ada": "lead", "bo": "member"}] * 3
    assert [row.state for row in await invited(cy)] == ["withdrawn"]


@pytest.mark.proves("P-253", "P-255")
async def test_an_invitation_expires_by_the_clock(fediverse: Fediverse) -> None:
    guild, bo = await found(fediverse), await fediverse.studio("bo")
    uri = await guild.invite(bo)
    fediverse.later(days=31)

    assert await open_to(bo) == []
    with pytest.raises(Conflict, match="expired"):
        await bo.does(lambda tx: invitations.accept(tx, bo.uri, uri))
    write, invite = await writer(bo, guild.uri), (await log_of(guild, bo))[0]
    assert invite["type"] == "Invite"
    said = Statement.read(Document(invite))
    await sends(bo, guild.ada, await proven(bo, write.accept(f"{bo.home}/activities/late", said, f"{bo.home}/log")))
    assert [state for state, _ in await received(guild.ada, "Accept")] == ["refused"]
    assert await guild.roles(guild.ada) == {"ada": "lead"}
    assert await guild.invite(bo) in await open_to(bo)


@pytest.mark.proves("P-255")
async def test_an_invitation_that_has_expired_on_its_way_is_refused(fediverse: Fediverse) -> None:
    guild, bo = await found(fediverse), await fediverse.studio("bo")

    await sends(guild.ada, bo, await forged_invite(guild, guild.ada, bo, endTime=timestamp(fediverse.now)))

    assert [state for state, _ in await received(bo, "Invite")] == ["refused"]
    assert await invited(bo) == []


@pytest.mark.proves("P-251", "P-254", "P-255")
@pytest.mark.parametrize("was_lead", [False, True])
async def test_nobody_is_invited_by_who_is_no_lead(fediverse: Fediverse, was_lead: bool) -> None:
    guild, (bo,) = await guild_of(fediverse, "bo")
    cy, ada = await fediverse.studio("cy"), guild.ada
    await cy.meets(ada)
    if was_lead:
        await ada.does(lambda tx: projects.give_role(tx, ada.uri, guild.uri, bo.uri, "lead"))
        await ada.does(lambda tx: projects.remove(tx, ada.uri, guild.uri, bo.uri))
        await fediverse.settle()

    await bo.meets(cy)
    with pytest.raises(NotAllowed):
        await bo.does(lambda tx: invitations.invite(tx, bo.uri, guild.uri, cy.uri))
    invite = await forged_invite(guild, bo, cy)
    for studio in (ada, cy):
        await sends(bo, studio, invite)
    for statement in await log_of(guild, bo):
        await passes_on(bo, cy, statement)

    assert "refused" in [state for state, _ in await received(ada, "Invite")]
    assert await invited(cy) == []
    for studio in (ada, cy):
        assert hash_of(invite) not in {row.hash for row in await guild.log(studio)}


@pytest.mark.proves("P-250", "P-255")
async def test_an_invitation_with_another_fingerprint_is_to_no_project(fediverse: Fediverse) -> None:
    guild, bo = await found(fediverse), await fediverse.studio("bo")

    await sends(guild.ada, bo, await forged_invite(guild, guild.ada, bo, fingerprint="zQmYwAPJzv5CZsnAzt8auVZRn"))
    for statement in await log_of(guild, guild.ada):
        await passes_on(guild.ada, bo, statement)

    assert await invited(bo) == []
    assert await bo.knows(Project) == []


@pytest.mark.proves("P-255")
async def test_a_genesis_of_somebody_else_s_project_founds_nothing(fediverse: Fediverse) -> None:
    guild, bo = await found(fediverse), await fediverse.studio("bo")
    ada = guild.ada
    eve = await ada.does(lambda tx: settles_in(tx, "eve"))
    [genesis] = await log_of(guild, ada)
    group = {**genesis["object"], "attributedTo": eve}
    own = await proven_by(ada, {**genesis, "id": f"{ada.home}/activities/7", "actor": eve, "object": group})
    terms = {"fingerprint": hash_of(own), "after": [hash_of(own)], "actor": eve}
    write = await writer(ada, guild.uri, eve)
    until = fediverse.now + timedelta(days=1)
    invite = write.invite(f"{ada.home}/activities/8", bo.uri, "lead", "", until, "") | terms

    await passes_on(ada, bo, await proven_by(ada, invite))
    await bo.meets(ada)
    await sends(ada, bo, await proven_by(ada, {**invite, "id": f"{ada.home}/activities/9"}))
    await passes_on(ada, bo, own)

    assert await bo.knows(Project) == []
    assert await invited(bo) == []


@pytest.mark.proves("P-251", "P-333")
async def test_nobody_accepts_what_another_is_invited_to(fediverse: Fediverse) -> None:
    guild, bo, mal = await found(fediverse), await fediverse.studio("bo"), await fediverse.studio("mal")
    uri = await guild.invite(bo)
    with pytest.raises(NotFound):
        await mal.does(lambda tx: invitations.accept(tx, mal.uri, uri))
    with pytest.raises(NotFound):
        await mal.does(lambda tx: invitations.decline(tx, mal.uri, uri))

    neighbour = await bo.does(lambda tx: settles_in(tx, "neighbour"))
    with pytest.raises(NotFound):
        await bo.does(lambda tx: invitations.accept(tx, neighbour, uri))
    write = await writer(bo, guild.uri, mal.uri)
    said = next(one for one in (await room_invitations(guild, bo)) if one.id == uri)
    for answer in (write.accept(f"{mal.home}/activities/1", said, mal.home), write.reject(f"{mal.home}/2", said)):
        await sends(mal, guild.ada, await proven(mal, answer))

    assert [state for state, _ in await received(guild.ada, "Accept")] == ["refused"]
    assert [state for state, _ in await received(guild.ada, "Reject")] == ["refused"]
    assert await open_to(bo) == [uri]


@pytest.mark.proves("P-333")
async def test_an_invitation_is_accepted_once(fediverse: Fediverse) -> None:
    guild, (bo,) = await guild_of(fediverse, "bo")
    accept = (await log_of(guild, bo))[-1]
    assert accept["type"] == "Accept"
    await guild.ada.does(lambda tx: projects.remove(tx, guild.ada.uri, guild.uri, bo.uri))
    await fediverse.settle()

    write = await writer(bo, guild.uri)
    again = await proven(bo, {**accept, "id": f"{bo.home}/activities/again", "after": list(write.after)})
    await passes_on(bo, guild.ada, accept)
    await sends(bo, guild.ada, again)

    assert await guild.roles(guild.ada) == {"ada": "lead"}
    assert [state for state, _ in await received(guild.ada, "Accept")] == ["done", "refused"]


@pytest.mark.proves("P-254")
async def test_what_was_said_while_somebody_was_deciding_reaches_them(fediverse: Fediverse) -> None:
    guild, (bo,) = await guild_of(fediverse, "bo")
    cy, dee = await fediverse.studio("cy"), await fediverse.studio("dee")
    uri = await guild.invite(cy)
    await guild.join(dee)
    await guild.ada.does(lambda tx: projects.give_role(tx, guild.ada.uri, guild.uri, bo.uri, "lead"))
    await fediverse.settle()
    before = await guild.roles(cy)

    await cy.does(lambda tx: invitations.accept(tx, cy.uri, uri))
    await fediverse.settle()

    everybody = {"ada": "lead", "bo": "lead", "cy": "member", "dee": "member"}
    assert before == {"ada": "lead", "bo": "member"}
    assert [await guild.roles(one) for one in (guild.ada, bo, cy, dee)] == [everybody] * 4


@pytest.mark.proves("P-254")
async def test_whoever_joined_meanwhile_hears_of_a_refusal_by_somebody_who_does_not_know_them(
    fediverse: Fediverse,
) -> None:
    guild = await found(fediverse)
    bo, cy = await fediverse.studio("bo"), await fediverse.studio("cy")
    to_bo, to_cy = await guild.invite(bo), await guild.invite(cy)
    await bo.does(lambda tx: invitations.accept(tx, bo.uri, to_bo))
    await fediverse.settle()

    await cy.does(lambda tx: invitations.decline(tx, cy.uri, to_cy))
    await fediverse.settle()
    await guild.ada.does(lambda tx: projects.edit(tx, guild.ada.uri, guild.uri, "Atlas", ""))
    await fediverse.settle()

    assert {row.hash for row in await guild.log(bo)} == {row.hash for row in await guild.log(guild.ada)}
    assert (await project(bo)).name == "Atlas"


@pytest.mark.proves("P-254")
async def test_two_who_live_together_are_in_a_project_together(fediverse: Fediverse, told: Told) -> None:
    guild, (bo,) = await guild_of(fediverse, "bo")
    ada = guild.ada
    eve = await ada.does(lambda tx: settles_in(tx, "eve"))

    uri = await ada.does(lambda tx: invitations.invite(tx, ada.uri, guild.uri, eve).id)
    await fediverse.settle()
    await ada.does(lambda tx: invitations.accept(tx, eve, uri))
    await fediverse.settle()

    members = {row.member: row.role for row in await bo.knows(Membership)}
    assert members == {ada.uri: "lead", bo.uri: "member", eve: "member"}
    assert [(one.to, one.kind) for home, one in told if home == ada.home and one.to == eve] == [(eve, "invitation")]


@pytest.mark.proves("P-255")
async def test_no_host_can_bury_us_under_invitations(fediverse: Fediverse) -> None:
    ada, bo = await fediverse.studio("ada"), await fediverse.studio("bo")
    await ada.meets(bo)

    def invite_to_many(tx: Any) -> None:
        for number in range(MAX_OPEN + 1):
            place = projects.create(tx, ada.uri, f"Number {number}", "", key_pair(number % 3))
            invitations.invite(tx, ada.uri, place.uri, bo.uri)

    await ada.does(invite_to_many)
    await fediverse.settle()

    states = [state for state, _ in await received(bo, "Invite")]
    assert (states.count("done"), states.count("refused")) == (MAX_OPEN, 1)
    assert len(await open_to(bo)) == MAX_OPEN


@pytest.mark.proves("P-255")
async def test_whoever_is_blocked_invites_nobody_here(fediverse: Fediverse, told: Told) -> None:
    guild, bo = await found(fediverse), await fediverse.studio("bo")
    await bo.meets(guild.ada)
    await bo.does(lambda tx: blocks.block(tx, bo.uri, guild.ada.uri))
    await fediverse.settle()

    await guild.invite(bo)

    assert await invited(bo) == []
    assert not [notice for home, notice in told if home == bo.home and notice.kind == "invitation"]


@pytest.mark.parametrize(
    ("error", "terms"),
    [(Conflict, ["bo"]), (Conflict, ["cy"]), (Trouble, ["dee", "member", "x" * 2_001])],
)
async def test_an_invitation_needs_somebody_who_is_not_in_it(
    fediverse: Fediverse, error: type[Trouble], terms: list[Any]
) -> None:
    guild, (bo,) = await guild_of(fediverse, "bo")
    cy, dee = await fediverse.studio("cy"), await fediverse.studio("dee")
    await guild.ada.meets(dee)
    await guild.invite(cy)
    uris = {"bo": bo.uri, "cy": cy.uri, "dee": dee.uri}

    with pytest.raises(error):
        await guild.ada.does(lambda tx: invitations.invite(tx, guild.ada.uri, guild.uri, uris[terms[0]], *terms[1:]))


@pytest.mark.proves("P-258")
async def test_somebody_without_rooms_gets_a_direct_post_with_a_secret_address(fediverse: Fediverse) -> None:
    guild, posted = await found(fediverse), stranger(fediverse)
    ada = guild.ada
    await meets_mia(ada)

    await ada.does(lambda tx: invitations.invite(tx, ada.uri, guild.uri, MIA, "member", "Do *join*!"))
    await fediverse.settle()

    assert [one["type"] for one in posted] == ["Invite", "Create"]
    note = posted[1]["object"]
    assert (note["type"], note["to"], note["cc"], note["directMessage"]) == ("Note", [MIA], [], True)
    assert [(tag["type"], tag["href"]) for tag in note["tag"]] == [("Mention", MIA)]
    assert "Ada invites you to the project “Catalogue”" in note["content"]
    [token] = set(re.findall(rf'"{ada.home}/invitations/([\w-]+)"', note["content"]))
    assert len(token) >= 22
    assert token not in str([row.token_hash for row in await ada.knows(letters.Letter)])
    place, said = await ada.instance.store.read(lambda db: letters.read(db, token, fediverse.now))
    assert (place.name, said.subject, said.text) == ("Catalogue", MIA, "<p>Do <em>join</em>!</p>")
    with pytest.raises(NotFound):
        await ada.instance.store.read(lambda db: letters.read(db, token[:-1], fediverse.now))
    later = fediverse.now + timedelta(days=30)
    with pytest.raises(NotFound):
        await ada.instance.store.read(lambda db: letters.read(db, token, later))
    await ada.does(lambda tx: invitations.withdraw(tx, ada.uri, guild.uri, said.id))
    with pytest.raises(NotFound):
        await ada.instance.store.read(lambda db: letters.read(db, token, fediverse.now))


def mobilizon(bo: str) -> Json:
    return {"object": CIRCLE, "target": bo}


def forgefed(bo: str) -> Json:
    return {"object": bo, "target": CIRCLE, "instrument": "https://forgefed.org/ns#visit"}


@pytest.mark.proves("P-256")
@pytest.mark.parametrize(("dialect", "role"), [(mobilizon, "member"), (forgefed, "guest")])
@pytest.mark.parametrize("kind", ["Accept", "Reject"])
async def test_an_invitation_by_other_software_is_read_and_answered(
    fediverse: Fediverse, dialect: Callable[[str], Json], role: str, kind: str
) -> None:
    bo, posted = await fediverse.studio("bo"), stranger(fediverse)
    await meets_mia(bo)
    uri = "https://social.example/invites/1"
    invite = {"@context": context.PLAIN, "id": uri, "type": "Invite", "actor": MIA, **dialect(bo.uri)}
    await by_mia(fediverse, bo, invite)
    await by_mia(fediverse, bo, {**invite, "id": "https://social.example/invites/2", **dialect(MIA)})

    [row] = await invited(bo)
    answer = invitations.accept if kind == "Accept" else invitations.decline
    await bo.does(lambda tx: answer(tx, bo.uri, uri))
    await fediverse.settle()

    assert (row.project, row.inviter, row.invitee, row.role) == (CIRCLE, MIA, bo.uri, role)
    assert [(one["type"], one["object"]) for one in posted] == [(kind, uri)]
    assert await bo.knows(Membership) == []


@pytest.mark.proves("P-256")
async def test_other_software_takes_its_invitation_back(fediverse: Fediverse) -> None:
    bo = await fediverse.studio("bo")
    stranger(fediverse)
    await meets_mia(bo)
    invite = {"id": "https://social.example/invites/1", "type": "Invite", "actor": MIA, **mobilizon(bo.uri)}
    await by_mia(fediverse, bo, {"@context": context.PLAIN, **invite})

    undo = {"id": "https://social.example/undo/1", "type": "Undo", "actor": MIA, "object": invite["id"]}
    await by_mia(fediverse, bo, {"@context": context.PLAIN, **undo})

    assert [row.state for row in await invited(bo)] == ["withdrawn"]


def settles_in(tx: Transaction, handle: str) -> str:
    return accounts.create(tx, handle, handle.title(), "person", key_pair(8)).uri


async def proven_by(studio: Studio, activity: Json) -> Json:
    """`activity` with the proof of its actor, who lives at `studio`."""
    plain = {name: value for name, value in activity.items() if name != "proof"}
    return await studio.instance.store.write(lambda tx: outbox.sign(tx, {"@context": context.STATEMENT, **plain}))


async def by_mia(fediverse: Fediverse, to: Studio, activity: Json) -> None:
    key = keys.load_private(key_pair(7).rsa)
    wire = fediverse.studios.get("wire.example") or await fediverse.studio("wire")
    answer = await wire.sends(f"{to.uri}/inbox", activity, Signer(f"{MIA}#main-key", key))  # type: ignore[arg-type]
    assert answer.status == 202
    await fediverse.settle()


async def room_invitations(guild: Guild, studio: Studio) -> list[Statement]:
    def read(db: Any) -> list[Statement]:
        return [*statements.room_of(db, statements.at(db, guild.uri)).invitations.values()]

    return await studio.instance.store.read(read)
