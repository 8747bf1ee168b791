"""Endorsements to hand on: a badge, a page, a sheet of paper, all from what was signed."""

from __future__ import annotations

import html
import re
from typing import Any

import msgspec
import pytest
from sqlalchemy import update

from activitypub import badge
from activitypub.document import Json
from coop import endorsements, verdicts
from coop.endorsements import Endorsement
from coop.errors import Trouble
from federation import known
from tests.activitypub import open_badges
from tests.coop.test_endorsements import activity, delivers, made_up
from tests.fediverse import Fediverse, Studio
from web import certificates
from web.certificates import Form


async def given(fediverse: Fediverse, text: str = "Set our *catalogue*.", **terms: Any) -> tuple[Studio, Studio, str]:
    """Ada vouches for Bo, who shows it."""
    attic, shop = await fediverse.studio("attic"), await fediverse.studio("shop")
    await attic.meets(shop)
    await shop.meets(attic)
    row = await attic.does(lambda tx: endorsements.give(tx, attic.uri, shop.uri, ["Typesetting"], text, **terms))
    await fediverse.settle()
    await shop.does(lambda tx: endorsements.accept(tx, shop.uri, row.uri))
    return attic, shop, row.uri


async def credential(studio: Studio, uri: str) -> Json:
    now = studio.instance.now()
    return await studio.instance.store.read(lambda db: verdicts.credential(db, endorsements.at(db, uri), now))


async def certificate(studio: Studio, uri: str, form: Form) -> str:
    here = studio.instance
    return await here.store.read(lambda db: certificates.write(db, here, endorsements.at(db, uri), form))


@pytest.mark.proves("P-243")
async def test_whoever_was_endorsed_has_a_badge_in_its_givers_name_when_the_giver_is_gone(fediverse: Fediverse) -> None:
    attic, shop, uri = await given(fediverse, capacity="client", work="https://shop.example/catalogue")
    fediverse.asleep.add(attic.host)

    written = await credential(shop, uri)

    assert open_badges.breaches(written) == []
    assert (written["issuer"]["id"], written["credentialSubject"]["id"]) == (attic.uri, shop.uri)
    assert written == await credential(attic, uri)
    body, now = msgspec.json.encode(written), fediverse.now
    _, found = await shop.instance.store.read(lambda db: verdicts.verify_here(db, body, now))
    assert found.verdict == "valid, offline"
    forged = written | {"name": "Endorsement: Everything"}
    _, found = await shop.instance.store.read(lambda db: verdicts.verify_here(db, msgspec.json.encode(forged), now))
    assert found == ("invalid", "Refused: the credential says something else than the endorsement in it.")


@pytest.mark.parametrize(("value", "reason"), [(None, "without its giver"), ("z123", "does not hold")])
async def test_nobody_but_its_giver_can_make_a_badge(fediverse: Fediverse, value: str | None, reason: str) -> None:
    _, shop, uri = await given(fediverse)
    await shop.does(lambda tx: tx.db.execute(update(Endorsement).values(badge=value)))

    with pytest.raises(Trouble, match=reason):
        await credential(shop, uri)


async def test_the_signature_of_another_badge_makes_none(fediverse: Fediverse) -> None:
    attic, shop, uri = await given(fediverse)
    note = await made_up(attic, shop, skill=["Everything"])
    await delivers(attic, shop, activity(attic, note))

    kept = await shop.instance.store.read(lambda db: known.find(db, uri))
    assert kept is not None
    assert kept.document[badge.PROPERTY] != note[badge.PROPERTY]
    with pytest.raises(Trouble, match="does not hold"):
        await credential(shop, note["id"])


@pytest.mark.proves("P-243", "P-314")
@pytest.mark.parametrize("form", ["html", "print"])
async def test_a_page_needs_nothing_but_itself(fediverse: Fediverse, form: Form) -> None:
    text = "Set it with **care**. <script>alert(1)</script> ![x](https://spy.example/x.png)"
    attic, shop, uri = await given(fediverse, text, work="https://shop.example/catalogue")

    page = await certificate(shop, uri, form)

    row = await shop.instance.store.read(lambda db: endorsements.at(db, uri))
    assert f"{shop.home}/endorsements/{row.hash}" in page
    for words in (
        "Attic vouches for Shop",
        "Typesetting",
        "<strong>care</strong>",
        "shop.example/catalogue",
        "2 March 2026",
    ):
        assert words in page
    assert re.findall(r"<(?:script|img|link|iframe|object|form|base)\b", page) == []
    assert re.findall(r"""(?:src|srcset|action|xlink:href)=|url\(|@import""", page) == []
    assert "default-src 'none'" in page
    assert ("<svg" in page) is (form == "print")
    assert (await certificate(attic, uri, form)).count(uri) >= 1  # of what it does not show, its note tells


@pytest.mark.proves("P-243")
async def test_the_original_can_be_taken_from_the_page_and_checked(fediverse: Fediverse) -> None:
    _, shop, uri = await given(fediverse, "Tom & Jerry said “ok” </pre>")

    page = await certificate(shop, uri, "html")

    [original] = re.findall(r"<pre>(.*?)</pre>", page, re.DOTALL)
    _, found = verdicts.verify_file(html.unescape(original).encode(), lambda _: None, fediverse.now)
    assert found.verdict == "valid by copy"


async def test_what_does_not_hold_is_not_handed_on(fediverse: Fediverse) -> None:
    attic, shop, uri = await given(fediverse)
    await attic.does(lambda tx: endorsements.revoke(tx, attic.uri, uri))
    await fediverse.settle()

    for form in ("html", "print"):
        with pytest.raises(
            Trouble, match="not shown as a reference: The one who gave it took it back, as of 2 March 2026"
        ):
            await certificate(shop, uri, form)
    with pytest.raises(Trouble, match="took it back"):
        await credential(shop, uri)
