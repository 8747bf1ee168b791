"""Endorsements in the browser: given, asked for, declined, shown, hidden, taken back."""

from __future__ import annotations

from functools import partial
from typing import Any
from urllib.parse import quote

import pytest

from coop import endorsement_requests, endorsements
from coop.endorsement_requests import EndorsementRequest
from coop.endorsements import Endorsement
from tests.federation.faults import full
from tests.fediverse import Fediverse, Studio
from tests.web.inhabitants import Inhabitant, at_home, forms
from tests.web.visitors import BROWSER, neighbours

GIVEN = {"skills": "Typesetting, Proofreading", "text": "Set our *catalogue*.", "capacity": "client"}
WRONG: list[dict[str, str]] = [
    {"whom": ""},
    {"whom": "nobody"},
    {"whom": "@nobody@attic.example"},
    {"whom": "https://gone.example/actors/1"},
    {"whom": "@shop@shop.example"},
    {"whom": "x" * 3_000},
    {"skills": ""},
    {"skills": ", ,"},
    {"skills": "a,b,c,d,e,f"},
    {"skills": "x" * 200},
    {"text": "x" * 3_000},
    {"capacity": "emperor"},
    {"elsewhere": "javascript:alert(1)"},
    {"elsewhere": "over there"},
    {"until": "some day"},
    {"until": "2020-01-01"},
    {"request": "https://attic.example/notes/none"},
]


def one(uri: str) -> str:
    return f"/vouching/one?is={quote(uri, safe='')}"


async def two(fediverse: Fediverse) -> tuple[Studio, Studio, Inhabitant, Inhabitant]:
    """Ada in the attic, whom Bo above the shop follows; both are logged in where they live."""
    attic, shop = await neighbours(fediverse)
    return attic, shop, await at_home(attic), await at_home(shop)


async def gives(shop: Studio, attic: Studio, **more: Any) -> str:
    """Bo vouches for Ada."""
    said: dict[str, Any] = {"skills": ["Typesetting"], "text": "Set with care.", **more}
    uri = await shop.does(lambda tx: endorsements.give(tx, shop.uri, attic.uri, **said).uri)
    await shop.fediverse.settle()
    return uri


async def asks(attic: Studio, shop: Studio) -> str:
    """Ada asks Bo to vouch for her."""
    await attic.meets(shop)
    said = (["Typesetting"], "The *catalogue*?", "https://attic.example/catalogue")
    uri = await attic.does(lambda tx: endorsement_requests.ask(tx, attic.uri, shop.uri, *said).uri)
    await attic.fediverse.settle()
    return uri


async def token(who: Inhabitant) -> str:
    return forms((await who.sees("/today")).text)[0].fields["token"]


async def test_one_is_given_by_an_address_and_shown_once_its_subject_says_so(fediverse: Fediverse) -> None:
    attic, _, ada, bo = await two(fediverse)

    done = await bo.sends("/vouching/give", "/vouching/give", whom=f"@{attic.address}", **GIVEN)
    await fediverse.settle()
    new = (await ada.sees("/vouching")).text
    before = (await ada.client.get("/@attic", headers=BROWSER)).text
    await ada.sends("/vouching", "/vouching/show")
    after = (await ada.client.get("/@attic", headers=BROWSER)).text

    [row] = await attic.knows(Endorsement)
    assert done.headers["location"] == one(row.uri)
    assert row.inner["skill"] == ["Typesetting", "Proofreading"]
    assert row.inner["capacity"] == "client"
    assert all(words in new for words in ("Typesetting, Proofreading", "Shop", "New: not shown", "Genuine"))
    assert "catalogue" not in before
    assert "<em>catalogue</em>" in after
    assert "On your page" in (await ada.sees("/vouching")).text
    assert "Attic" in (await bo.sees("/vouching?show=given")).text


async def test_what_is_not_to_be_shown_is_hidden_and_can_be_shown_later(fediverse: Fediverse) -> None:
    attic, shop, ada, _ = await two(fediverse)
    uri = await gives(shop, attic)

    await ada.sends(one(uri), "/vouching/show")
    await ada.sends(one(uri), "/vouching/hide")
    hidden = (await ada.sees("/vouching")).text
    page = (await ada.client.get("/@attic", headers=BROWSER)).text

    assert "Not shown to anybody" in hidden
    assert "Set with care" not in page
    assert [row.display for row in await attic.knows(Endorsement)] == ["declined"]


async def test_what_cannot_be_given_comes_back_as_it_was_typed(fediverse: Fediverse) -> None:
    attic, shop, _, bo = await two(fediverse)

    for wrong in WRONG:
        typed = {"whom": f"@{attic.address}", **GIVEN, **wrong}
        answer = await bo.sends("/vouching/give", "/vouching/give", **typed)

        [form] = [found for found in forms(answer.text) if found.action == "/vouching/give"]
        assert answer.status_code == 422, wrong
        assert "It is not given yet" in answer.text
        assert [form.fields[name] for name in ("whom", "skills", "text")] == [
            typed[name].strip() for name in ("whom", "skills", "text")
        ]
    assert await shop.knows(Endorsement) == []


async def test_one_that_is_sent_twice_is_given_once(fediverse: Fediverse) -> None:
    attic, shop, _, bo = await two(fediverse)
    page = (await bo.sees(f"/vouching/give?whom={attic.uri}")).text

    answers = [await bo.sends_from(page, "/vouching/give", **GIVEN) for _ in range(2)]

    assert answers[0].headers["location"] == answers[1].headers["location"]
    assert len(await shop.knows(Endorsement)) == 1


@pytest.mark.on("sqlite")
async def test_nothing_typed_is_lost_while_nothing_can_be_stored(fediverse: Fediverse) -> None:
    attic, shop, _, bo = await two(fediverse)
    page = (await bo.sees(f"/vouching/give?whom={attic.uri}")).text

    with full(shop.instance.store):
        answer = await bo.sends_from(page, "/vouching/give", **{**GIVEN, "text": "Set with care. " * 100})
    done = await bo.sends_from(answer.text, "/vouching/give")

    assert answer.status_code == 422
    assert "nothing can be stored here now" in answer.text
    assert (done.status_code, len(await shop.knows(Endorsement))) == (303, 1)


async def test_somebody_asks_and_is_answered_from_another_server(fediverse: Fediverse) -> None:
    attic, shop, ada, bo = await two(fediverse)

    await ada.sends(f"/vouching/ask?whom={shop.uri}", "/vouching/ask", skills="Typesetting", text="The *catalogue*?")
    await ada.sends("/vouching/ask", "/vouching/ask", whom=f"@{shop.address}", skills="Typesetting")
    await fediverse.settle()
    waits = (await ada.sees("/vouching?show=waiting")).text
    asked = (await bo.sees("/vouching?show=waiting")).text
    [request] = await shop.knows(EndorsementRequest)
    await bo.sends(f"/vouching/give?request={quote(request.uri)}", "/vouching/give", text="Set with care.")
    await fediverse.settle()

    assert "Waits for an answer" in waits
    assert "<em>catalogue</em>" in asked
    [row] = await attic.knows(Endorsement)
    assert row.inner["skill"] == ["Typesetting"]
    answered = (await ada.sees("/vouching?show=waiting")).text
    assert "they vouch for you" in answered
    assert one(row.uri).replace("&", "&amp;") in answered
    assert "Nobody waits for your word" in (await bo.sees("/vouching?show=waiting")).text


async def test_whoever_is_asked_declines_with_a_word_that_is_kept_if_it_is_too_long(fediverse: Fediverse) -> None:
    attic, shop, ada, bo = await two(fediverse)
    await asks(attic, shop)

    again = await bo.sends("/vouching?show=waiting", "/vouching/decline", text="No. " * 400)
    done = await bo.sends("/vouching?show=waiting", "/vouching/decline", text="We never met.")
    await fediverse.settle()

    assert again.status_code == 422
    assert "They were not told anything" in again.text
    assert (
        next(found for found in forms(again.text) if found.action == "/vouching/decline")
        .fields["text"]
        .startswith("No. No.")
    )
    assert done.status_code == 303
    assert "We never met." in (await ada.sees("/vouching?show=waiting")).text


async def test_a_question_is_taken_back(fediverse: Fediverse) -> None:
    attic, shop, ada, bo = await two(fediverse)
    await asks(attic, shop)

    await ada.sends("/vouching?show=waiting", "/take-back")
    await fediverse.settle()

    assert "Taken back" in (await ada.sees("/vouching?show=waiting")).text
    assert "Nobody waits for your word" in (await bo.sees("/vouching?show=waiting")).text


async def test_what_was_given_is_taken_back_for_ever(fediverse: Fediverse) -> None:
    attic, shop, ada, bo = await two(fediverse)
    uri = await gives(shop, attic)

    warned = (await bo.sees(one(uri))).text
    await bo.sends_from(warned, "/vouching/revoke")
    await fediverse.settle()

    assert "That is for ever" in warned
    for reader in (ada, bo):
        page = (await reader.sees(one(uri))).text
        assert "Taken back" in page
        assert "Set with care" not in page
        assert "/vouching/revoke" not in page
    assert "Set with care" not in (await ada.sees("/vouching")).text


@pytest.mark.parametrize("act", ["show", "hide", "revoke", "decline", "confirm", "give", "ask"])
async def test_nobody_decides_what_is_not_theirs(fediverse: Fediverse, act: str) -> None:
    attic, shop, ada, bo = await two(fediverse)
    uri, asked = await gives(shop, attic), await asks(attic, shop)
    who = ada if act in ("revoke", "decline", "give") else bo
    before = [row.display for row in await attic.knows(Endorsement)]

    of = asked if act == "decline" else uri if act in ("show", "hide", "revoke") else "https://attic.example/none"
    sent = {"token": await token(who), "of": of, "request": asked, "whom": attic.uri, "skills": "Ink", "text": "x"}
    forged = await who.client.post(f"/vouching/{act}", data={**sent, "token": "0" * 64}, headers=BROWSER)
    done = await who.client.post(f"/vouching/{act}", data=sent, headers=BROWSER)

    assert forged.status_code == 403
    if act != "ask":  # that is theirs to do
        assert 400 <= done.status_code < 500
    assert [(row.display, row.revoked) for row in await attic.knows(Endorsement)] == [(before[0], None)]
    assert [row.state for row in await shop.knows(EndorsementRequest) if row.uri == asked] == ["open"]


@pytest.mark.parametrize("path", ["/vouching", "/vouching/give", "/vouching/ask", "/vouching/one?is=x", "/co-op"])
async def test_these_pages_are_for_who_is_logged_in(fediverse: Fediverse, path: str) -> None:
    attic = await fediverse.studio("attic")
    ada = await at_home(attic)
    await ada.sends("/today", "/logout")

    assert (await ada.sees(path)).status_code == 303


async def test_long_lists_are_paged(fediverse: Fediverse) -> None:
    attic, shop, ada, bo = await two(fediverse)
    for number in range(26):
        said = partial(endorsements.give, account=shop.uri, subject=attic.uri, skills=[f"S{number}!"], text="Yes.")
        await shop.does(said)
    await fediverse.settle()

    for reader, path in ((ada, "/vouching?show=received"), (bo, "/vouching?show=given")):
        first = (await reader.sees(path)).text
        before = first.rpartition("before=")[2].partition('"')[0]
        second = (await reader.sees(f"{path}&before={before}")).text
        named = [sum(f"S{number}!" in page for number in range(26)) for page in (first, second)]
        assert named == [24, 2]
        assert ">Older</a>" not in second
