"""Who is in a project, and what it says of itself, decided in the browser."""

from __future__ import annotations

from datetime import timedelta

from coop import projects
from coop.admission import Invitation
from tests.coop.guild import Guild, guild_of, project
from tests.fediverse import Fediverse
from tests.web.inhabitants import Inhabitant, at_home, forms
from tests.web.test_projects import room, where
from tests.web.visitors import BROWSER

INVITE = "/project/invite"


async def sends(one: Inhabitant, guild: Guild, act: str, **typed: str) -> int:
    """Send a form that no page gave them, with a token that one did; return the status of the answer."""
    token = forms((await one.sees("/projects")).text)[0].fields["token"]
    data = {"token": token, "project": guild.uri, **typed}
    return (await one.client.post(f"/project/{act}", data=data, headers=BROWSER)).status_code


async def test_somebody_is_invited_by_address(fediverse: Fediverse) -> None:
    guild, _, ada, _ = await room(fediverse)
    cy = await fediverse.studio("cy")
    terms = {"address": f"@{cy.address}", "role": "usher", "days": "7", "text": "Do *join*!"}

    done = await ada.sends(where(guild.uri, "people"), INVITE, **terms)
    await fediverse.settle()

    [invitation] = await cy.knows(Invitation)
    assert done.headers["location"] == where(guild.uri, "people")
    assert (invitation.role, invitation.text) == ("usher", "<p>Do <em>join</em>!</p>")
    assert invitation.until == fediverse.now + timedelta(days=7)
    assert "Who is invited" in (await ada.sees(where(guild.uri, "people"))).text


NO_INVITATIONS: list[dict[str, str]] = [
    {"address": ""},
    {"address": "nobody at all"},
    {"address": "@nobody@nowhere.example"},
    {"address": "@bo@bo.example"},
    {"address": "@ada@ada.example"},
    {"role": "king"},
    {"days": "0"},
    {"days": "-1"},
    {"days": "999"},
    {"days": "many"},
    {"days": "1²"},
    {"text": "x" * 5_001},
]


async def test_what_can_be_no_invitation_comes_back_as_it_was_typed(fediverse: Fediverse) -> None:
    guild, _, ada, _ = await room(fediverse)
    cy = await fediverse.studio("cy")
    page = (await ada.sees(where(guild.uri, "people"))).text

    for wrong in NO_INVITATIONS:
        typed = {"address": f"@{cy.address}", "role": "guest", "days": "7", "text": "Join?", **wrong}
        answer = await ada.sends_from(page, INVITE, **typed)
        [form] = [one for one in forms(answer.text) if one.action == INVITE]
        assert answer.status_code == 422, wrong
        assert "Nothing was done: " in answer.text
        assert form.fields["address"] == typed["address"]
        assert form.fields["text"].strip() == typed["text"]
    await fediverse.settle()

    assert await cy.knows(Invitation) == []


async def test_an_invitation_that_is_sent_twice_is_one(fediverse: Fediverse) -> None:
    guild, _, ada, _ = await room(fediverse)
    cy = await fediverse.studio("cy")
    page = (await ada.sees(where(guild.uri, "people"))).text

    answers = [await ada.sends_from(page, INVITE, address=cy.address) for _ in range(2)]
    await fediverse.settle()

    assert [one.status_code for one in answers] == [303, 303]
    assert len(await cy.knows(Invitation)) == 1


async def test_an_invitation_is_taken_back(fediverse: Fediverse) -> None:
    guild, _, ada, _ = await room(fediverse)
    cy = await fediverse.studio("cy")
    await guild.invite(cy)

    await ada.sends(where(guild.uri, "people"), "/project/withdraw")
    await fediverse.settle()

    assert [one.state for one in await cy.knows(Invitation)] == ["withdrawn"]
    assert "/project/withdraw" not in (await ada.sees(where(guild.uri, "people"))).text


async def test_somebody_gets_another_role_and_is_taken_out(fediverse: Fediverse) -> None:
    guild, bo, ada, _ = await room(fediverse)

    await ada.sends(where(guild.uri, "people"), "/project/role", role="lead")
    await fediverse.settle()
    lead = await guild.roles(bo)
    await ada.sends(where(guild.uri, "people"), "/project/remove")
    await fediverse.settle()

    assert lead == {"ada": "lead", "bo": "lead"}
    assert await guild.roles(guild.ada) == {"ada": "lead"}


async def test_the_last_lead_is_told_how_to_leave(fediverse: Fediverse) -> None:
    guild, _, ada, _ = await room(fediverse)

    answer = await ada.sends(where(guild.uri, "people"), "/project/leave")

    assert answer.status_code == 422
    assert "a project needs a lead: make somebody else one before" in answer.text


async def test_a_usher_invites_and_decides_nothing_else(fediverse: Fediverse) -> None:
    guild, [bo] = await guild_of(fediverse, "bo")
    await guild.ada.does(lambda tx: projects.give_role(tx, guild.ada.uri, guild.uri, bo.uri, "usher"))
    await fediverse.settle()
    usher, cy = await at_home(bo), await fediverse.studio("cy")
    page = (await usher.sees(where(guild.uri, "people"))).text

    too_much = await usher.sends_from(page, INVITE, address=cy.address, role="lead")
    done = await usher.sends_from(page, INVITE, address=cy.address)
    await fediverse.settle()

    assert "/project/role" not in page
    assert (too_much.status_code, done.status_code) == (422, 303)
    assert [one.role for one in await cy.knows(Invitation)] == ["member"]


async def test_a_lead_says_anew_what_it_is(fediverse: Fediverse) -> None:
    guild, bo, ada, shop = await room(fediverse)

    await ada.sends(
        where(guild.uri, "settings"), "/project/edit", name="Almanac", text="Two *hundred* pages.", public="yes"
    )
    await fediverse.settle()

    told = await project(bo)
    assert (told.name, told.summary, told.public) == ("Almanac", "<p>Two <em>hundred</em> pages.</p>", True)
    assert "Almanac" in (await shop.sees(where(guild.uri))).text


async def test_what_is_left_as_it_stood_is_not_said_anew(fediverse: Fediverse) -> None:
    guild, _, ada, _ = await room(fediverse)
    before = await guild.log(guild.ada)

    page = (await ada.sees(where(guild.uri, "settings"))).text
    await ada.sends_from(page, "/project/edit", public="")
    same = await guild.log(guild.ada)
    await ada.sends_from(page, "/project/edit", public="", name="Almanac")

    assert len(before) == len(same) == len(await guild.log(guild.ada)) - 1
    assert (await project(guild.ada)).summary == "<p>200 pages by <em>spring</em>.</p>"


async def test_a_name_that_cannot_be_one_comes_back(fediverse: Fediverse) -> None:
    guild, _, ada, _ = await room(fediverse)

    answer = await ada.sends(where(guild.uri, "settings"), "/project/edit", name="x" * 101, text="Kept")

    [form] = [one for one in forms(answer.text) if one.action == "/project/edit"]
    assert answer.status_code == 422
    assert form.fields["text"].strip() == "Kept"
    assert (await project(guild.ada)).name == "Catalogue"


async def test_another_lead_brings_its_face_to_their_server(fediverse: Fediverse) -> None:
    guild, bo, _, shop = await room(fediverse)
    await guild.ada.does(lambda tx: projects.give_role(tx, guild.ada.uri, guild.uri, bo.uri, "lead"))
    await fediverse.settle()

    await shop.sends(where(guild.uri, "settings"), "/project/move")
    await fediverse.settle()

    assert (await project(guild.ada)).face.startswith(f"{bo.home}/projects/")
    assert "/project/move" not in (await shop.sees(where(guild.uri, "settings"))).text


DECISIONS = ("invite", "withdraw", "let-in", "turn-down", "role", "remove", "edit", "move")


async def test_a_member_decides_nothing_of_that(fediverse: Fediverse) -> None:
    guild, _, _, shop = await room(fediverse)
    cy = await fediverse.studio("cy")
    waiting = await guild.invite(cy)
    before = await guild.log(guild.ada)
    typed = {"address": cy.address, "days": "7", "role": "guest", "member": guild.ada.uri, "name": "Mine"}

    for act in DECISIONS:
        assert await sends(shop, guild, act, **typed, invitation=waiting, request=waiting) == 422, act
    await fediverse.settle()

    assert len(await guild.log(guild.ada)) == len(before)


async def test_nobody_decides_anything_elsewhere_or_without_a_page_of_ours(fediverse: Fediverse) -> None:
    guild, bo, ada, _ = await room(fediverse)
    cy = await fediverse.studio("cy")
    await cy.meets(guild.ada)
    eve, before = await at_home(cy), await guild.log(guild.ada)
    typed = {"address": cy.address, "days": "7", "role": "guest", "member": bo.uri, "name": "Mine"}

    for act in (*DECISIONS, "leave"):
        assert await sends(eve, guild, act, **typed) == 404, act
        assert await sends(ada, guild, act, **typed, token="0" * 64) == 403, act
    await fediverse.settle()

    assert len(await guild.log(guild.ada)) == len(before)
