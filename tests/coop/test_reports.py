"""What other servers complain of comes before whoever runs this one, and cannot bury them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from activitypub.document import Json
from coop import reports
from coop.errors import NotFound
from coop.notifications import Notification
from coop.reports import KEPT, MAX_ABOUT, MAX_OPEN, MAX_TEXT, Report
from federation.tables import Receipt
from tests.coop.neighbours import all_of, does, lives_at, says
from tests.federation.receiver import knows
from tests.federation.stranger import Stranger
from tests.fediverse import Fediverse, Studio


async def complains(server: Stranger, to: Studio, about: Any, content: Any = "Spam!", **more: Any) -> Json:
    """A report by the server's own actor, as Mastodon and its kin make them."""
    flag = server.activity("Flag", f"{server.home}/actor", about, content=content, **more)
    answer = await server.sends(to, flag)
    assert answer.status_code == 202
    await to.fediverse.settle()
    return flag


async def there(fediverse: Fediverse, host: str = "social.example") -> tuple[Studio, Stranger]:
    studio = fediverse.studios.get("attic.example") or await fediverse.studio("attic")
    server = Stranger(fediverse, host)
    server.actor("actor", "Application")
    return studio, server


@pytest.mark.proves("P-124")
async def test_a_report_is_kept_and_told_to_all_who_live_here_as_that_of_a_server(fediverse: Fediverse) -> None:
    attic, social = await there(fediverse)
    await lives_at(attic, "bo")
    post, note = await says(attic, "Buy this ladder"), social.note("1", social.actor("cleo"))
    await knows(attic, note["id"])

    flag = await complains(social, attic, [attic.uri, post.uri, note["id"]], "<p>Ladders, <b>again</b></p>")

    [report] = await attic.knows(Report)
    assert (report.uri, report.server, report.done) == (flag["id"], "social.example", None)
    assert (report.about, report.text) == ([attic.uri, post.uri], "<p>Ladders, <b>again</b></p>")
    told = await attic.knows(Notification)
    assert [(one.kind, one.by, one.about) for one in told] == [("report", "social.example", flag["id"])] * 2
    assert len({one.account for one in told}) == 2


@pytest.mark.proves("P-124", "P-110")
@pytest.mark.parametrize("form", ["id", "embedded", "both"])
async def test_what_is_reported_may_be_written_in_any_way(fediverse: Fediverse, form: str) -> None:
    attic, social = await there(fediverse)
    post = await says(attic, "Hello")
    embedded = {"id": post.uri, "type": "Note", "content": "what they say that it said"}

    await complains(social, attic, {"id": post.uri, "embedded": embedded, "both": [embedded, post.uri]}[form])

    assert [one.about for one in await attic.knows(Report)] == [[post.uri]]


@pytest.mark.proves("P-124")
@pytest.mark.parametrize(
    "about",
    [
        "https://social.example/cleo",
        ["https://social.example/cleo", "https://attic.example/notes/none", "https://attic.example/"],
        ["https://attic.example.evil.example/actors/1", "https://attic.example/\u202e", "\u202e", "", 7, None, {}],
        [],
    ],
)
async def test_what_is_about_nobody_and_nothing_here_is_not_kept(fediverse: Fediverse, about: Any) -> None:
    attic, social = await there(fediverse)

    await complains(social, attic, about)

    assert await attic.knows(Report) == []
    assert await attic.knows(Notification) == []
    assert [one.state for one in await attic.knows(Receipt)] == ["refused"]


@pytest.mark.proves("P-124", "P-313")
async def test_what_a_report_says_is_cleaned_and_cut(fediverse: Fediverse) -> None:
    attic, social = await there(fediverse)
    for content in ("<script>x()</script>\u202e<p onclick='x()'>Look</p>", "x" * 100_000, None, ["a"], 7):
        await complains(social, attic, attic.uri, content)

    texts = [one.text for one in await attic.knows(Report)]

    assert [len(text) for text in texts[1:]] == [MAX_TEXT, 0, 1, 0]
    assert texts[0].endswith("<p>Look</p>")
    assert "script" not in texts[0]


@pytest.mark.proves("P-124", "P-327")
async def test_a_report_is_about_so_much_and_no_more(fediverse: Fediverse) -> None:
    attic, social = await there(fediverse)
    said = [(await says(attic, f"Ladder {number}")).uri for number in range(MAX_ABOUT + 3)]

    await complains(social, attic, ["https://social.example/cleo", *said])

    assert [one.about for one in await attic.knows(Report)] == [said[:MAX_ABOUT]]


@pytest.mark.proves("P-124", "P-327")
async def test_a_site_has_so_many_open_reports_and_others_are_heard_all_the_same(fediverse: Fediverse) -> None:
    attic, spam = await there(fediverse, "a.spam.example")
    for _ in range(MAX_OPEN):
        await complains(spam, attic, attic.uri)

    other = (await there(fediverse, "b.spam.example"))[1]
    await complains(other, attic, attic.uri)
    await complains((await there(fediverse))[1], attic, attic.uri)
    full = [one.server for one in await attic.knows(Report)]
    first = (await attic.knows(Report))[0].id
    await attic.does(lambda tx: reports.deal_with(tx, first))
    await complains(other, attic, attic.uri)

    assert full == ["a.spam.example"] * MAX_OPEN + ["social.example"]
    assert [one.server for one in await attic.knows(Report)][-1] == "b.spam.example"


@pytest.mark.proves("P-124")
async def test_the_same_report_is_kept_once(fediverse: Fediverse) -> None:
    attic, social = await there(fediverse)
    flag = await complains(social, attic, attic.uri)

    await social.sends(attic, flag)
    await fediverse.settle()

    assert len(await attic.knows(Report)) == len(await attic.knows(Notification)) == 1


@pytest.mark.proves("P-124", "P-327")
async def test_reports_are_forgotten_after_half_a_year_and_not_before(fediverse: Fediverse) -> None:
    attic, social = await there(fediverse)
    await complains(social, attic, attic.uri)

    left = []
    for step in (KEPT, timedelta(hours=1)):
        fediverse.now += step
        await attic.upkeep.do_chores()
        left.append(len(await attic.knows(Report)))

    assert left == [1, 0]


@pytest.mark.proves("P-124")
async def test_what_is_dealt_with_comes_last_and_is_dealt_with_once(fediverse: Fediverse) -> None:
    attic, social = await there(fediverse)
    for _ in range(3):
        await complains(social, attic, attic.uri)
    first, second, third = [one.id for one in await attic.knows(Report)]

    await attic.does(lambda tx: reports.deal_with(tx, third))

    assert [one.id for one in await all_of(attic, reports.listing())] == [second, first, third]
    for number in (third, 17):
        with pytest.raises(NotFound, match=f"no open report {number}"):
            await does(attic, lambda tx, _, number=number: reports.deal_with(tx, number))
