"""Somebody as one sees them inside: what they do, who says so, how one knows them, and what one can do with them."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from coop import blocks, endorsements, offers, posts, profiles, projects
from coop.admission import Invitation
from coop.offers import Draft
from tests.coop.neighbours import counting
from tests.fediverse import Fediverse, Studio, key_pair
from tests.web.inhabitants import Inhabitant, at_home, forms
from tests.web.test_people import who
from tests.web.test_vouching import gives, two
from tests.web.visitors import BROWSER


def knows(uri: str, show: str = "ways") -> str:
    return f"/who/knows?is={quote(uri, safe='')}&show={show}"


def invite(uri: str) -> str:
    return f"/who/invite?whom={quote(uri, safe='')}"


async def founds(studio: Studio, name: str, number: int = 9, public: bool = False) -> str:
    pair = key_pair(number)
    return await studio.does(lambda tx: projects.create(tx, studio.uri, name, "200 pages.", pair, public=public).uri)


async def busy(fediverse: Fediverse) -> tuple[Studio, Studio, Inhabitant, Inhabitant]:
    """Ada, whom Bo follows, has a card on the board, a project and somebody's word for her; she says something, too."""
    attic, shop, ada, bo = await two(fediverse)
    told = profiles.Changes(skills=("Cartography", "Ink"), bio="Draws *maps*.", availability="From March")
    await attic.does(lambda tx: profiles.edit(tx, attic.uri, told))
    await attic.does(lambda tx: offers.open(tx, attic.uri, Draft("offer", "Maps by the day", "Inked.")))
    await attic.does(lambda tx: offers.open(tx, attic.uri, Draft("offer", "For friends", "Cheap."), "followers"))
    await founds(attic, "The harbour", public=True)
    uri = await gives(shop, attic, skills=["cartography", "Patience"])
    await attic.does(lambda tx: endorsements.accept(tx, attic.uri, uri))
    await attic.does(lambda tx: posts.publish(tx, attic.uri, posts.Draft("The ink has *come*.")))
    await fediverse.settle()
    return attic, shop, ada, bo


async def test_a_person_is_shown_with_all_that_they_do(fediverse: Fediverse) -> None:
    attic, _, ada, bo = await busy(fediverse)

    there, own = (await bo.sees(who(attic.uri))).text, (await ada.sees(who(attic.uri))).text

    for words in (
        "<em>maps</em>",
        "From March",
        "Maps by the day",
        "For friends",
        "<em>come</em>",
        "How you know them",
    ):
        assert words in there, words
    assert '<b>Cartography</b> <span class="quiet">by the word of Shop</span>' in own
    assert "<b>Patience</b>" in own
    assert "<b>Ink</b></li>" in own
    assert "The harbour" in own
    assert "Set with care." in own
    assert "/vouching/give?whom=" in there
    assert "/report?about=" in there
    assert "/vouching/give?whom=" not in own


async def test_who_does_not_follow_sees_what_is_for_everybody(fediverse: Fediverse) -> None:
    attic, _, _, bo = await busy(fediverse)

    await bo.sends(who(attic.uri), "/unfollow")
    page = (await bo.sees(who(attic.uri))).text

    assert "Maps by the day" in page
    assert "For friends" not in page


@pytest.mark.on("sqlite")
async def test_a_person_costs_no_more_than_twenty_statements(fediverse: Fediverse) -> None:
    attic, shop, ada, bo = await busy(fediverse)
    await founds(shop, "A house", 8)

    for reader, paths in ((bo, (who(attic.uri), knows(attic.uri), "/co-op")), (ada, ("/vouching", who(attic.uri)))):
        for path in paths:
            with counting(reader.studio) as statements:
                assert (await reader.sees(path)).status_code == 200
            assert len(statements) <= 20, (path, len(statements))


async def test_how_one_knows_somebody_and_whom_they_know_is_told_as_far_as_it_is_ours_to_know(
    fediverse: Fediverse,
) -> None:
    attic, shop, _, bo = await two(fediverse)
    mill = await fediverse.studio("mill")
    await attic.follows(mill)
    await attic.does(lambda tx: endorsements.give(tx, attic.uri, mill.uri, ["Paper"], "Thick."))
    await fediverse.settle()
    before = (await bo.sees(knows(attic.uri, "following"))).text
    await shop.upkeep.run_errands()

    ways = (await bo.sees(knows(mill.uri))).text

    assert "Mill" not in before
    assert "Attic (attic@attic.example) follows Mill" in ways
    assert "vouches for Mill" in ways
    assert "Mill" in (await bo.sees(knows(attic.uri, "following"))).text
    assert "Attic" in (await bo.sees(knows(mill.uri, "followers"))).text
    assert "Nobody of whom this server knows" in (await bo.sees(knows(mill.uri, "following"))).text
    assert (await bo.sees(knows("https://gone.example/a"))).status_code == 404


async def test_somebody_is_invited_into_a_project_once(fediverse: Fediverse) -> None:
    attic, shop, _, bo = await two(fediverse)
    project = await founds(shop, "A house")
    page = (await bo.sees(invite(attic.uri))).text

    answers = [await bo.sends_from(page, "/who/invite", project=project, text="With *windows*.") for _ in range(2)]
    again = await bo.sends(invite(attic.uri), "/who/invite", project=project, text="Please?")
    await fediverse.settle()

    assert [one.headers.get("location") for one in answers] == [who(attic.uri)] * 2
    assert again.status_code == 422
    assert "invited already" in again.text
    assert "Please?" in again.text
    [row] = await attic.knows(Invitation)
    assert (row.invitee, row.role) == (attic.uri, "member")
    assert "<em>windows</em>" in row.text


async def test_nobody_invites_into_what_they_do_not_lead(fediverse: Fediverse) -> None:
    attic, shop, _, bo = await two(fediverse)
    project = await founds(attic, "The harbour")
    empty = (await bo.sees(invite(attic.uri))).text
    token = forms(empty)[0].fields["token"]

    for wrong in (project, "", "https://gone.example/p"):
        sent = {"token": token, "whom": attic.uri, "project": wrong, "text": "x"}
        assert (await bo.client.post("/who/invite", data=sent, headers=BROWSER)).status_code == 422, wrong
    nobody = {"token": token, "whom": "https://gone.example/a", "project": project}
    forged = {"token": "0" * 64, "whom": attic.uri, "project": project}

    assert "You lead no project yet" in empty
    assert (await bo.client.post("/who/invite", data=nobody, headers=BROWSER)).status_code == 404
    assert (await bo.client.post("/who/invite", data=forged, headers=BROWSER)).status_code == 403
    assert await attic.knows(Invitation) == []
    assert await shop.knows(Invitation) == []


async def test_of_whom_one_blocks_only_the_block_can_be_lifted(fediverse: Fediverse) -> None:
    attic, shop, _, bo = await two(fediverse)
    await shop.does(lambda tx: blocks.block(tx, shop.uri, attic.uri))

    page = (await bo.sees(who(attic.uri))).text

    assert "Lift the block" in page
    assert "/vouching/give" not in page


async def test_those_pages_are_of_their_reader_alone(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    ada = await at_home(attic)

    assert (await ada.sees(who(attic.uri))).headers["cache-control"] == "private, no-store"
    await ada.sends("/today", "/logout")
    for path in (who(attic.uri), knows(attic.uri), invite(attic.uri)):
        assert (await ada.sees(path)).status_code == 303


async def test_what_no_database_can_be_asked_for_is_asked_of_none(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    ada = await at_home(attic)

    for path in ("/who?is=%00", "/vouching/one?is=a%00b", "/vouching/give?whom=%00&request=%00", "/board?skill=%00"):
        assert (await ada.sees(path)).status_code < 500, path
    assert 'value="\x01"' in (await ada.sees("/board?skill=%00")).text
