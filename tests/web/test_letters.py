"""The page of an invitation for somebody whose server shows none."""

from __future__ import annotations

from datetime import timedelta

import pytest

from coop import invitations, letters, projects, statements
from federation import discovery, known
from federation.store import Transaction
from tests.fediverse import Fediverse, Studio, key_pair
from tests.web.visitors import BROWSER, ask, neighbours


async def letter(attic: Studio, shop: Studio, text: str = "Do *join*!") -> tuple[str, str]:
    """The address of a letter to whoever owns the shop, and the id of the invitation."""
    await attic.meets(shop)

    def write(tx: Transaction) -> tuple[str, str]:
        place = projects.create(tx, attic.uri, "The <atlas>", "Nine sheets.", key_pair(7))
        said = invitations.invite(tx, attic.uri, place.uri, shop.uri, "guest", text)
        return letters.write(tx, place, said, known.actor(tx.db, shop.uri)), said.id

    return await discovery.completing(attic.instance, write)


@pytest.mark.proves("P-258")
async def test_a_letter_leads_to_the_invitation_and_to_a_way_to_accept_it(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)

    address, _ = await letter(attic, shop)
    page = await ask(attic, address, BROWSER)

    assert page.status_code == 200
    for words in ("Attic invites you to “The &lt;atlas&gt;”", "Do <em>join</em>!", "Nine sheets.", "a guest", "April"):
        assert words in page.text
    for words in ("reply to the message that led you here", "open Projects", "@the-atlas@attic.example"):
        assert words in page.text
    assert page.headers["cache-control"] == "private, no-store"
    assert 'content="noindex"' in page.text


@pytest.mark.proves("P-258", "P-314")
async def test_what_an_invitation_says_is_no_markup_of_the_page(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)

    address, _ = await letter(attic, shop, "<script>alert(1)</script>")

    assert "<script>alert" not in (await ask(attic, address, BROWSER)).text


@pytest.mark.proves("P-258", "P-337")
@pytest.mark.parametrize("end", ["expired", "declined", "accepted", "withdrawn", "guessed"])
async def test_a_letter_whose_time_is_over_shows_nothing(fediverse: Fediverse, end: str) -> None:
    attic, shop = await neighbours(fediverse)
    address, invitation = await letter(attic, shop)
    await fediverse.settle()

    if end == "expired":
        fediverse.now += timedelta(days=30)
    elif end == "withdrawn":
        [place] = await attic.knows(statements.Project)
        await attic.does(lambda tx: invitations.withdraw(tx, attic.uri, place.uri, invitation))
    elif end in ("declined", "accepted"):
        answer = invitations.accept if end == "accepted" else invitations.decline
        await shop.does(lambda tx: answer(tx, shop.uri, invitation))
        await fediverse.settle()
    over = await ask(attic, address[:-1] if end == "guessed" else address, BROWSER)
    never = await ask(attic, f"{attic.home}/invitations/{'x' * 22}", BROWSER)

    assert over.status_code == never.status_code == 404
    assert over.content == never.content
