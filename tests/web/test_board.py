"""The board: what hangs there, hanging something up, answering, agreeing, taking it down."""

from __future__ import annotations

from decimal import Decimal
from urllib.parse import quote

import pytest

from activitypub.proposal import Price
from coop import offers, responses
from coop.agreements import Agreement
from coop.offers import Draft, Offer
from coop.responses import Response
from tests.fediverse import Fediverse, Studio
from tests.web.inhabitants import Inhabitant, at_home, forms
from tests.web.visitors import BROWSER, PROGRAM, ask, neighbours

MAPS = {
    "title": "Maps, drawn by hand",
    "text": "Nine sheets, *inked*.",
    "skills": "Cartography, Lettering",
    "least": "400",
    "most": "600,50",
    "currency": "EUR",
    "per": "day",
    "remote": "yes",
    "place": "Bremen",
    "until": "2026-04-01",
}


def where(uri: str) -> str:
    return f"/offer?is={quote(uri, safe='')}"


async def two(fediverse: Fediverse) -> tuple[Studio, Studio, Inhabitant, Inhabitant]:
    """Ada, whom Bo follows; both are logged in where they live."""
    attic, shop = await neighbours(fediverse)
    return attic, shop, await at_home(attic), await at_home(shop)


async def hangs(attic: Studio, fediverse: Fediverse) -> str:
    draft = Draft("offer", "Maps", "By the day", Price("EUR", Decimal(450), Decimal(450), "day"), ("Cartography",))
    uri = await attic.does(lambda tx: offers.open(tx, attic.uri, draft).uri)
    await fediverse.settle()
    return uri


async def test_an_offer_is_hung_up_and_seen_by_those_who_follow(fediverse: Fediverse) -> None:
    attic, shop, ada, bo = await two(fediverse)

    done = await ada.sends("/board/new", "/board/new", **MAPS)
    await fediverse.settle()

    [offer] = await attic.knows(Offer)
    assert done.headers["location"] == where(offer.uri)
    assert (offer.price, offer.remote, offer.place) == (
        Price("EUR", Decimal(400), Decimal("600.50"), "day"),
        True,
        "Bremen",
    )
    assert "Maps, drawn by hand" in (await bo.sees("/board?kind=offer&skill=cartography&words=inked")).text
    assert "Maps, drawn by hand" not in (await bo.sees("/board?kind=request")).text
    assert "Maps, drawn by hand" in (await ada.sees("/board?show=mine")).text
    assert "<em>inked</em>" in (await bo.sees(where(offer.uri))).text
    assert [row.uri for row in await shop.knows(Offer)] == [offer.uri]


async def test_before_it_is_hung_up_one_sees_the_post_that_others_get(fediverse: Fediverse) -> None:
    attic, _, ada, _ = await two(fediverse)

    [form] = [one for one in forms((await ada.sees("/board/new")).text) if one.action == "/board/new"]
    shown, unclear = [
        await ada.client.post("/board/preview", data={**form.fields, **MAPS, **one}) for one in ({}, {"least": "many"})
    ]
    nothing = await attic.knows(Offer)
    await ada.sends("/board/new", "/board/new", **MAPS)

    [offer] = await attic.knows(Offer)
    post = await ask(attic, offer.uri, PROGRAM)
    words, _, more = post.json()["content"].partition(" <a")
    assert words in shown.text
    assert "EUR per day, remote or Bremen" in words
    assert "#<span>cartography</span>" in more
    assert "#<span>cartography</span>" in shown.text
    assert [one.fields["title"] for one in forms(shown.text) if one.action == "/board/new"] == [MAPS["title"]]
    assert '<div id="preview"><p class="trouble' in unclear.text
    assert nothing == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": ""},
        {"least": "many"},
        {"most": "-1"},
        {"most": "NaN"},
        {"most": "1E+99999999"},
        {"currency": "XXX"},
        {"currency": ""},
        {"per": "aeon"},
        {"until": "tomorrow"},
        {"until": "2020-01-01"},
        {"purpose": "theft"},
        {"title": "x" * 500},
    ],
)
async def test_what_cannot_be_an_offer_comes_back_as_it_was_typed(fediverse: Fediverse, wrong: dict[str, str]) -> None:
    attic = await fediverse.studio("attic")
    ada = await at_home(attic)
    typed = {**MAPS, **wrong}

    answer = await ada.sends("/board/new", "/board/new", **typed)

    [form] = [one for one in forms(answer.text) if one.action == "/board/new"]
    assert answer.status_code == 422
    assert "not on the board yet" in answer.text
    assert form.fields["skills"] == typed["skills"]
    assert form.fields["title"] == typed["title"]
    assert await attic.knows(Offer) == []


async def test_an_offer_that_is_sent_twice_hangs_once(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    ada = await at_home(attic)
    page = (await ada.sees("/board/new")).text

    for _ in range(2):
        await ada.sends_from(page, "/board/new", **MAPS)

    assert len(await attic.knows(Offer)) == 1


async def test_two_come_to_an_agreement(fediverse: Fediverse) -> None:
    attic, shop, ada, bo = await two(fediverse)
    uri = await hangs(attic, fediverse)

    await bo.sends(where(uri), "/offer/respond", text="From Monday, if that suits you.")
    await fediverse.settle()
    asked = (await ada.sees(where(uri))).text
    await ada.sends_from(asked, "/offer/accept")
    await fediverse.settle()

    assert "From Monday" in asked
    assert "Agreed" in (await ada.sees(where(uri))).text
    assert "Agreed" in (await bo.sees(where(uri))).text
    assert len(await attic.knows(Agreement)) == len(await shop.knows(Agreement)) == 1


async def test_one_is_declined_with_a_word(fediverse: Fediverse) -> None:
    attic, shop, ada, bo = await two(fediverse)
    uri = await hangs(attic, fediverse)
    await bo.sends(where(uri), "/offer/respond", text="Me!")
    await fediverse.settle()

    await ada.sends(where(uri), "/offer/decline", text="Another time.")
    await fediverse.settle()

    assert "Declined: Another time." in (await bo.sees(where(uri))).text
    assert [row.state for row in await shop.knows(Response)] == ["declined"]


@pytest.mark.parametrize(("act", "words"), [("/offer/fill", "Taken"), ("/offer/withdraw", "Withdrawn")])
async def test_an_offer_comes_down(fediverse: Fediverse, act: str, words: str) -> None:
    attic, _, ada, bo = await two(fediverse)
    uri = await hangs(attic, fediverse)

    await ada.sends(where(uri), act)
    await fediverse.settle()

    assert words in (await ada.sees("/board?show=mine")).text
    assert "Maps" not in (await bo.sees("/board")).text
    assert words in (await bo.sees(where(uri))).text


@pytest.mark.parametrize("act", ["respond", "accept", "decline", "fill", "withdraw"])
async def test_nobody_settles_what_is_not_theirs(fediverse: Fediverse, act: str) -> None:
    attic, shop, _, bo = await two(fediverse)
    uri = await hangs(attic, fediverse)
    answer = await shop.does(lambda tx: responses.respond(tx, shop.uri, uri, "Me!").uri)
    token = forms((await bo.sees("/board")).text)[0].fields["token"]

    of = uri if act in ("fill", "withdraw") else "https://attic.example/offers/none"
    sent = {"token": token, "offer": of, "answer": answer, "text": "x"}
    done = await bo.client.post(f"/offer/{act}", data=sent, headers=BROWSER)

    assert 400 <= done.status_code < 500
    assert [one.state for one in await attic.knows(Offer)] == ["open"]
    assert [one.state for one in await shop.knows(Response)] == ["open"]
