"""One endorsement turned over: what is said of it, and what can be taken elsewhere."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from sqlalchemy import update

from coop import endorsements
from coop.endorsements import Endorsement
from tests.activitypub import open_badges
from tests.coop.neighbours import lives_at
from tests.fediverse import Fediverse
from tests.web.inhabitants import forms
from tests.web.test_vouching import asks, gives, one, two
from tests.web.visitors import BROWSER


def copy(uri: str, form: str) -> str:
    return f"/vouching/copy?of={quote(uri, safe='')}&as={form}"


async def test_the_back_tells_who_signed_it_with_what_and_since_when_that_key_is_known(fediverse: Fediverse) -> None:
    attic, shop, ada, _ = await two(fediverse)
    uri = await gives(shop, attic, capacity="client", work="https://attic.example/catalogue")

    page = (await ada.sees(one(uri))).text

    for words in (
        "Shop vouches for Attic",
        "Set with care.",
        "shop.example/actors/",
        "Their client",
        "eddsa-jcs-2022",
        "attic.example/catalogue",
        "first on",
        "a changed letter would break the seal",
        "has not been asked yet",
    ):
        assert words in page, words


@pytest.mark.proves("P-242")
async def test_its_givers_server_is_asked_whether_it_still_holds(fediverse: Fediverse) -> None:
    attic, shop, ada, _ = await two(fediverse)
    uri = await gives(shop, attic)
    before = (await ada.sees(one(uri))).text

    done = await ada.sends_from(before, "/vouching/confirm")
    after = (await ada.sees(one(uri))).text
    fediverse.asleep.add(shop.host)
    await ada.sends_from(before, "/vouching/confirm")

    assert done.headers["location"] == one(uri)
    assert "Genuine when last seen" in before
    assert "last stood by it" in after
    assert "last stood by it" in (await ada.sees(one(uri))).text


async def test_four_copies_can_be_taken_elsewhere(fediverse: Fediverse) -> None:
    attic, shop, ada, _ = await two(fediverse)
    uri = await gives(shop, attic)
    copies = {form: await ada.sees(copy(uri, form)) for form in ("original", "badge", "html", "print")}

    assert json.loads(copies["original"].content)["endorsement"]["skill"] == ["Typesetting"]
    assert open_badges.breaches(json.loads(copies["badge"].content)) == []
    assert "The signed original" in copies["html"].text
    assert "<svg" in copies["print"].text
    for form in ("original", "badge", "html"):
        assert copies[form].headers["content-disposition"].startswith("attachment; filename=")
    sheet = copies["print"].headers
    assert "content-disposition" not in sheet
    assert "default-src 'none'" in sheet["content-security-policy"]
    assert all(one.headers["cache-control"] == "private, no-store" for one in copies.values())


async def test_no_copy_but_the_original_is_made_of_what_holds_no_more(fediverse: Fediverse) -> None:
    attic, shop, ada, _ = await two(fediverse)
    uri = await gives(shop, attic)
    await shop.does(lambda tx: endorsements.revoke(tx, shop.uri, uri))
    await fediverse.settle()

    answers = {form: await ada.sees(copy(uri, form)) for form in ("original", "badge", "html", "print", "gold")}

    assert {form: one.status_code for form, one in answers.items()} == {
        "original": 200,
        "badge": 400,
        "html": 400,
        "print": 400,
        "gold": 404,
    }
    assert json.loads(answers["original"].content)["revocation"]["type"] == "Delete"
    assert "Open Badge" not in (await ada.sees(one(uri))).text


async def test_without_its_givers_signature_there_is_no_badge(fediverse: Fediverse) -> None:
    attic, shop, ada, _ = await two(fediverse)
    uri = await gives(shop, attic)
    await attic.does(lambda tx: tx.db.execute(update(Endorsement).values(badge=None)))

    assert "Open Badge" not in (await ada.sees(one(uri))).text
    assert (await ada.sees(copy(uri, "badge"))).status_code == 400


@pytest.mark.proves("P-247")
async def test_what_somebody_of_this_house_does_not_show_is_nobody_elses_to_read(fediverse: Fediverse) -> None:
    attic, shop, ada, bo = await two(fediverse)
    eve = await lives_at(attic, "eve")
    uri = await shop.does(lambda tx: endorsements.give(tx, shop.uri, eve, ["Typesetting"], "Set with care.").uri)
    await fediverse.settle()
    token = forms((await ada.sees("/today")).text)[0].fields["token"]

    asked = await ada.client.post("/vouching/confirm", data={"token": token, "of": uri}, headers=BROWSER)
    answers = [await ada.sees(path) for path in (one(uri), copy(uri, "original"), one("https://gone.example/x"))]
    await attic.does(lambda tx: endorsements.accept(tx, eve, uri))

    assert [answer.status_code for answer in (asked, *answers)] == [404, 404, 404, 404]
    assert (await bo.sees(one(uri))).status_code == 200
    assert (await ada.sees(one(uri))).status_code == 200


async def test_a_question_is_no_endorsement(fediverse: Fediverse) -> None:
    attic, shop, ada, _ = await two(fediverse)

    assert (await ada.sees(one(await asks(attic, shop)))).status_code == 404
