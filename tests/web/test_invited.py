"""Invitations in the browser: what the invited see, coming in, declining with a word; and what is not theirs."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from activitypub import context
from coop.admission import Invitation
from federation.tables import Object
from tests.coop.guild import guild_of
from tests.coop.test_invitations import MIA, by_mia, meets_mia, mobilizon, stranger
from tests.fediverse import Fediverse
from tests.web.inhabitants import at_home, forms
from tests.web.test_projects import where
from tests.web.visitors import BROWSER


def asked(uri: str) -> str:
    return f"/invitation?is={quote(uri, safe='')}"


async def test_who_is_invited_sees_all_and_comes_in(fediverse: Fediverse) -> None:
    guild, [_] = await guild_of(fediverse, "bo")
    cy = await fediverse.studio("cy")
    uri, eve = await guild.invite(cy, "guest"), await at_home(cy)
    path = asked(uri)

    listed, page = (await eve.sees("/projects")).text, (await eve.sees(path)).text
    done = await eve.sends_from(page, "/invitation/accept")
    await fediverse.settle()

    assert "You would be a guest" in listed
    for words in ("Ada invites you into “Catalogue”", "Join us?", "<em>spring</em>", "a guest, who reads along", "Bo"):
        assert words in page
    assert done.headers["location"] == where(guild.uri)
    assert await guild.roles(guild.ada) == {"ada": "lead", "bo": "member", "cy": "guest"}
    assert "You are in." in (await eve.sees(path)).text


async def test_who_declines_may_say_why_to_who_invited_them_alone(fediverse: Fediverse) -> None:
    guild, [bo] = await guild_of(fediverse, "bo")
    cy = await fediverse.studio("cy")
    uri, eve = await guild.invite(cy), await at_home(cy)

    done = await eve.sends(asked(uri), "/invitation/decline", text="No *time*.")
    assert done.status_code == 303, done.text
    await fediverse.settle()

    said = [row for row in await guild.ada.knows(Object) if row.author == cy.uri]
    assert [one.state for one in await cy.knows(Invitation)] == ["declined"]
    assert [row.visibility for row in said] == ["direct"]
    assert "No <em>time</em>." in said[0].document["content"]
    assert [row for row in await bo.knows(Object) if row.author == cy.uri] == []


async def test_an_invitation_is_answered_once_and_by_whom_it_is_for(fediverse: Fediverse) -> None:
    guild, [bo] = await guild_of(fediverse, "bo")
    cy = await fediverse.studio("cy")
    uri, eve, shop = await guild.invite(cy), await at_home(cy), await at_home(bo)
    path = asked(uri)
    page = (await eve.sees(path)).text

    token = forms((await shop.sees("/projects")).text)[0].fields["token"]
    stolen = [
        await shop.client.post(f"/invitation/{act}", data={"token": token, "invitation": uri}, headers=BROWSER)
        for act in ("accept", "decline")
    ]
    await eve.sends_from(page, "/invitation/decline")
    late = await eve.sends_from(page, "/invitation/accept")

    assert (await shop.sees(path)).status_code == 404
    assert [one.status_code for one in stolen] == [404, 404]
    assert late.status_code == 422
    assert "this invitation is declined" in late.text
    assert "You declined it." in (await eve.sees(path)).text
    assert [one.state for one in await cy.knows(Invitation)] == ["declined"]


async def test_an_invitation_that_is_over_says_so(fediverse: Fediverse) -> None:
    guild, _ = await guild_of(fediverse)
    cy = await fediverse.studio("cy")
    uri, eve = await guild.invite(cy), await at_home(cy)

    fediverse.later(days=31)

    page = (await eve.sees(asked(uri))).text
    assert "Its time is over." in page
    assert "/invitation/accept" not in page
    assert "Who is there" not in page


@pytest.mark.parametrize("act", ["accept", "decline"])
async def test_a_group_of_other_software_is_answered_as_well(fediverse: Fediverse, act: str) -> None:
    bo, posted = await fediverse.studio("bo"), stranger(fediverse)
    await meets_mia(bo)
    uri = "https://social.example/invites/1"
    invite = {"@context": context.PLAIN, "id": uri, "type": "Invite", "actor": MIA, **mobilizon(bo.uri)}
    await by_mia(fediverse, bo, invite)
    shop = await at_home(bo)

    page = (await shop.sees(asked(uri))).text
    done = await shop.sends_from(page, f"/invitation/{act}")
    await fediverse.settle()

    assert "Mia invites you into “social.example”" in page
    assert "social.example/groups/circle" in page
    assert done.headers["location"] == "/projects"
    assert [(one["type"], one["object"]) for one in posted] == [(act.title().replace("Decline", "Reject"), uri)]
