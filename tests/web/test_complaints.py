"""Reports: what other servers complain of is read and dealt with; what people here complain of goes to others."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from coop import reports
from coop.reports import Report
from federation.tables import Activity
from tests.coop.test_reports import complains, there
from tests.fediverse import Fediverse
from tests.web.inhabitants import at_home, forms
from tests.web.test_collections import says
from tests.web.test_people import who
from tests.web.visitors import BROWSER, neighbours


def about(uri: str) -> str:
    return f"/report?about={quote(uri)}"


@pytest.mark.proves("P-124")
async def test_what_another_server_complains_of_is_read_and_dealt_with(fediverse: Fediverse) -> None:
    attic, social = await there(fediverse)
    post = await says(attic, "Buy this ladder")
    await complains(social, attic, [attic.uri, post], "<p>Ladders, <script>alert(1)</script>again</p>")
    ada = await at_home(attic)

    waiting = (await ada.sees("/moderation/reports")).text
    done = await ada.sends_from(waiting, "/moderation/reports")
    twice = await ada.sends_from(waiting, "/moderation/reports")

    assert "social.example reports somebody here" in waiting
    assert "Ladders, again" in waiting
    assert f"/read?of={quote(post, safe='/')}" in waiting
    assert (done.status_code, twice.status_code) == (303, 404)
    assert [bool(one.done) for one in await attic.knows(Report)] == [True]
    assert "Nobody complains." in (await ada.sees("/moderation/reports")).text
    assert "Dealt with on" in (await ada.sees("/moderation/reports?show=done")).text


@pytest.mark.proves("P-124")
async def test_a_report_goes_to_the_server_of_whom_it_is_about_and_not_in_ones_own_name(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    await attic.follows(shop)
    await fediverse.settle()
    kept = [await says(shop, words) for words in ("One", "Two")]
    await fediverse.settle()
    ada = await at_home(attic)

    assert about(shop.uri) in (await ada.sees(who(shop.uri))).text
    page = (await ada.sees(about(shop.uri))).text
    for _ in range(2):
        answer = await ada.sends_from(page, "/report", words="They sell <ladders>.", post=kept[0])
    await fediverse.settle()

    [report] = await shop.knows(Report)
    [flag] = [one for one in await attic.knows(Activity) if one.type == "Flag"]
    assert answer.headers["location"] == who(shop.uri)
    assert (report.server, report.about) == ("attic.example", [shop.uri, kept[0]])
    assert flag.actor == f"{attic.home}/actor"
    assert attic.uri.encode() not in flag.body
    assert not flag.public


@pytest.mark.parametrize("words", ["", "  ", "x" * 5_001])
async def test_a_report_that_says_nothing_or_too_much_comes_back(fediverse: Fediverse, words: str) -> None:
    attic, shop = await neighbours(fediverse)
    await attic.follows(shop)
    await fediverse.settle()
    post = await says(shop, "One")
    await fediverse.settle()
    ada = await at_home(attic)

    answer = await ada.sends(about(shop.uri), "/report", words=words, post=post)

    assert answer.status_code == 422
    assert "It was not reported" in answer.text
    assert next(one for one in forms(answer.text) if one.action == "/report").fields["words"].strip() == words.strip()
    assert " checked" in answer.text
    assert await shop.knows(Report) == []


async def test_what_others_said_is_in_no_report_about_somebody(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    mine = await says(attic, "Mine")

    await attic.does(lambda tx: reports.send(tx, shop.uri, "Ladders", [mine]))
    await fediverse.settle()

    [flag] = [one for one in await attic.knows(Activity) if one.type == "Flag"]
    assert mine.encode() not in flag.body
    assert [one.about for one in await shop.knows(Report)] == [[shop.uri]]


async def test_nothing_is_reported_that_is_not_theirs_or_here(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    await attic.follows(shop)
    await fediverse.settle()
    secret = await says(shop, f"@{attic.address} psst", visibility="direct")
    mine = await says(attic, "Mine")
    ada = await at_home(attic)
    token = forms((await ada.sees("/today")).text)[0].fields["token"]

    page = (await ada.sees(about(shop.uri))).text
    odd = [await ada.sends_from(page, "/report", words="x", post=one) for one in (secret, mine, "x")]
    local = {"token": token, "about": attic.uri, "words": "x"}
    own = await ada.client.post("/report", data=local, headers=BROWSER)

    assert [one.status_code for one in odd] == [422] * 3
    assert own.status_code == 404
    assert [(await ada.sees(about(one))).status_code for one in (attic.uri, "x", "")] == [404] * 3
    await fediverse.settle()
    assert await shop.knows(Report) == []
