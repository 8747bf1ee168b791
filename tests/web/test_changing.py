"""Changing what one said, in the browser."""

from __future__ import annotations

import re
from urllib.parse import quote

from coop import offers
from coop.offers import Draft as Offered
from federation.tables import Object
from tests.fediverse import Fediverse
from tests.web.inhabitants import at_home, forms
from tests.web.test_collections import says
from tests.web.visitors import neighbours

TYPED = "Who has a *ladder*?"


def change(uri: str) -> str:
    return f"/change?of={quote(uri, safe='')}"


async def test_words_come_back_as_they_were_typed_and_go_to_everybody_who_has_them(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    one, other = await at_home(attic), await at_home(shop)
    await one.sends("/today", "/say", text=TYPED, warning="Tools")
    await fediverse.settle()
    [row] = await attic.knows(Object)
    [link] = re.findall(r'href="(/change[^"]+)"', (await one.sees("/today")).text)
    page = (await one.sees(link)).text
    fediverse.later(minutes=1)

    answer = await one.sends_from(page, "/change", text="Who has a *long* ladder?")
    await fediverse.settle()

    [form] = [found for found in forms(page) if found.action == "/change"]
    assert (form.fields["text"], form.fields["warning"]) == (TYPED, "Tools")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/read?of={quote(row.uri, safe='')}")
    read = (await other.sees(answer.headers["location"])).text
    assert ", changed</a>" in read
    assert read.index("long</em>") < read.index("What it said before") < read.index("Who has a <em>ladder</em>?")
    [theirs] = await shop.knows(Object)
    assert theirs.document["content"] == "<p>Who has a <em>long</em> ladder?</p>"
    assert theirs.document["summary"] == "Tools"


async def test_what_cannot_be_said_comes_back_and_stays_as_it_was(fediverse: Fediverse) -> None:
    attic, _ = await neighbours(fediverse)
    one = await at_home(attic)
    uri = await says(attic, TYPED)

    answer = await one.sends(change(uri), "/change", text=" ", warning="Tools")

    [form] = [found for found in forms(answer.text) if found.action == "/change"]
    assert (answer.status_code, form.fields["warning"]) == (422, "Tools")
    assert "there is nothing in it" in answer.text
    [row] = await attic.knows(Object)
    assert row.updated is None


async def test_how_it_will_look_is_seen_before_without_losing_what_is_typed(fediverse: Fediverse) -> None:
    attic, _ = await neighbours(fediverse)
    one = await at_home(attic)
    uri = await says(attic, TYPED)
    [form] = [found for found in forms((await one.sees(change(uri))).text) if found.action == "/change"]

    answer = await one.client.post("/preview", data={**form.fields, "text": "Or a **rope**?"})

    [again] = [found for found in forms(answer.text) if found.action == "/change"]
    assert "<strong>rope</strong>" in answer.text
    assert (again.fields["text"], again.fields["changes"]) == ("Or a **rope**?", uri)


async def test_nobody_changes_what_is_not_theirs_or_more_than_words(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    one, other = await at_home(attic), await at_home(shop)
    uri = await says(attic, TYPED)
    offer = await attic.does(lambda tx: offers.open(tx, attic.uri, Offered("offer", "Maps", "By hand")).uri)
    await fediverse.settle()
    page = (await one.sees(change(uri))).text

    assert (await other.sees(change(uri))).status_code in (403, 404)
    assert (await one.sees(change(offer))).status_code == 400
    assert (await one.sees(change("https://attic.example/notes/none"))).status_code == 404
    assert (await one.sends_from(page, "/change", changes=offer, text="Other maps")).status_code == 400
