"""Today, and what one does from there: say something, answer, like, pass on, see what is new."""

from __future__ import annotations

import asyncio
from urllib.parse import quote

import pytest

from coop import invitations, offers, posts, projects, reactions
from coop.posts import Draft
from federation.tables import Object
from tests.federation.stranger import Stranger
from tests.fediverse import Fediverse, Studio, key_pair
from tests.web.inhabitants import Inhabitant, at_home, forms
from tests.web.test_collections import says
from tests.web.visitors import BROWSER, neighbours


async def friends(fediverse: Fediverse) -> tuple[Studio, Studio, Inhabitant]:
    """Two studios that follow each other; somebody is logged in at the first."""
    attic, shop = await neighbours(fediverse)
    await attic.follows(shop)
    await fediverse.settle()
    return attic, shop, await at_home(attic)


async def test_what_others_say_is_there_and_what_is_new_comes_first(fediverse: Fediverse) -> None:
    attic, shop, one = await friends(fediverse)
    await says(shop, "Ink is *here*")
    await says(shop, f"@{attic.address} Paper, too?")
    await fediverse.settle()

    page = (await one.sees("/today")).text

    assert page.index("mentioned you") < page.index("Paper, too?") < page.index("Ink is <em>here</em>")


async def test_what_is_said_here_reaches_those_who_follow(fediverse: Fediverse) -> None:
    attic, shop, one = await friends(fediverse)

    answer = await one.sends("/today", "/say", text="Who has a *ladder*?\r\nA long one.")
    await fediverse.settle()

    [here] = await attic.knows(Object)
    [there] = await shop.knows(Object)
    assert (answer.status_code, answer.headers["location"]) == (303, "/today")
    assert here.uri == there.uri
    assert "<em>ladder</em>" in there.document["content"]
    assert "<em>ladder</em>" in (await one.sees("/today")).text


async def test_somebody_unknown_who_is_mentioned_is_looked_up_and_told(fediverse: Fediverse) -> None:
    _, _, one = await friends(fediverse)
    barn = await fediverse.studio("barn")

    await one.sends("/today", "/say", text=f"@{barn.address} and @nobody@gone.example, hello", visibility="direct")
    await fediverse.settle()

    assert [row.visibility for row in await barn.knows(Object)] == ["direct"]


async def test_a_form_that_is_sent_twice_says_it_once(fediverse: Fediverse) -> None:
    attic, _, one = await friends(fediverse)
    page = (await one.sees("/today")).text

    await asyncio.gather(*(one.sends_from(page, "/say", text="Once") for _ in range(3)))
    await one.sends_from(page, "/say", text="Once")

    assert len(await attic.knows(Object)) == 1


async def test_a_form_that_failed_may_be_sent_again(fediverse: Fediverse) -> None:
    attic, _, one = await friends(fediverse)
    page = (await one.sees("/today")).text

    refused = await one.sends_from(page, "/say", text=" ")
    said = await one.sends_from(page, "/say", text="Now with words")

    assert (refused.status_code, said.status_code) == (422, 303)
    assert len(await attic.knows(Object)) == 1


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ({"text": "  \n"}, "there is nothing in it"),
        ({"text": "To whom?", "visibility": "direct"}, "needs somebody to be for"),
        ({"text": "For all", "visibility": "all of them"}, "choose for whom"),
        ({"text": "So?", "reply_to": "https://attic.example/notes/gone"}, "not"),
    ],
)
async def test_what_cannot_be_said_comes_back_with_all_that_was_typed(
    fediverse: Fediverse, typed: dict[str, str], why: str
) -> None:
    attic, _, one = await friends(fediverse)

    answer = await one.sends("/today", "/say", **typed)

    assert (answer.status_code in (404, 422), why in answer.text) == (True, True)
    if answer.status_code == 422:
        [form] = [one for one in forms(answer.text) if one.action == "/say"]
        assert form.fields["text"].strip() == typed["text"].strip()
    assert await attic.knows(Object) == []


async def test_an_answer_is_given_in_the_midst_of_its_conversation(fediverse: Fediverse) -> None:
    attic, shop, one = await friends(fediverse)
    first = await says(attic, "Who has a ladder?")
    await fediverse.settle()
    second = await says(shop, "I have.", reply_to=first)
    await fediverse.settle()
    reading = f"/read?of={quote(second, safe='')}"

    page = (await one.sees(reading)).text
    answer = await one.sends_from(page, "/say", text="How long?")
    await fediverse.settle()

    told = [row for row in await shop.knows(Object) if row.reply_to == second]
    assert page.index("Who has a ladder?") < page.index("I have.")
    assert answer.status_code == 303
    assert [row.author for row in told] == [attic.uri]


async def test_who_likes_and_passes_on_can_take_that_back(fediverse: Fediverse) -> None:
    attic, shop, one = await friends(fediverse)
    post = await says(shop, "Ink!")
    await fediverse.settle()

    for act, undo in (("/like", "/unlike"), ("/boost", "/unboost")):
        await one.sends("/today", act)
        page = (await one.sees("/today")).text
        assert undo in page
        await one.sends_from(page, undo)
    await fediverse.settle()

    [row] = [row for row in await shop.knows(Object) if row.uri == post]
    kinds = await shop.instance.store.read(lambda db: reactions.by(db, attic.uri, [row.id]))
    assert kinds == {}


async def test_what_one_said_oneself_can_be_taken_back(fediverse: Fediverse) -> None:
    attic, shop, one = await friends(fediverse)
    await says(attic, "A slip of the pen")
    await fediverse.settle()

    await one.sends("/today", "/take-back")
    await fediverse.settle()

    assert all(row.deleted for row in await shop.knows(Object))
    assert "A slip of the pen" not in (await one.sees("/today")).text


@pytest.mark.parametrize("act", ["/like", "/boost", "/take-back"])
async def test_nobody_does_anything_with_what_is_not_for_them(fediverse: Fediverse, act: str) -> None:
    _, shop, one = await friends(fediverse)
    barn = await fediverse.studio("barn")
    await shop.meets(barn)
    secret = await shop.does(lambda tx: posts.publish(tx, shop.uri, Draft(f"@{barn.address} psst", "direct")).uri)
    token = forms((await one.sees("/today")).text)[0].fields["token"]

    answers = [
        await one.client.post(act, data={"token": token, "of": of, "back": "/today"}, headers=BROWSER)
        for of in (secret, "https://attic.example/notes/none", "", "not an address")
    ]
    reading = await one.sees(f"/read?of={quote(secret, safe='')}")

    assert all(400 <= answer.status_code < 500 for answer in answers)
    assert reading.status_code == 404
    assert "psst" not in "".join(one.text for one in (*answers, reading))


async def test_the_feed_shows_only_what_was_asked_for(fediverse: Fediverse) -> None:
    _, shop, one = await friends(fediverse)
    await says(shop, "Just words")
    await shop.does(lambda tx: offers.open(tx, shop.uri, offers.Draft("offer", "Maps", "By the day")).uri)
    await fediverse.settle()

    page = (await one.sees("/today?show=offers")).text

    assert "Maps" in page
    assert "Just words" not in page


async def test_a_long_feed_is_read_page_by_page(fediverse: Fediverse) -> None:
    attic, _, one = await friends(fediverse)
    for number in range(35):
        await says(attic, f"number {number};")
        fediverse.later(minutes=1)

    first = (await one.sees("/today")).text
    older = first.rpartition('<p class="more"><a href="')[2].partition('"')[0]
    second = (await one.sees(older)).text

    assert all((f"number {number};" in first) != (f"number {number};" in second) for number in range(35))


async def test_what_waits_is_counted(fediverse: Fediverse) -> None:
    attic, shop, one = await friends(fediverse)
    uri = await shop.does(lambda tx: projects.create(tx, shop.uri, "Atlas", "", key_pair(4)).uri)
    await shop.does(lambda tx: invitations.invite(tx, shop.uri, uri, attic.uri, "member"))
    await fediverse.settle()

    page = (await one.sees("/today")).text

    assert "<b>1</b> invitation into a project" in page


async def test_news_that_was_seen_is_new_no_more(fediverse: Fediverse) -> None:
    attic, shop, one = await friends(fediverse)
    await says(shop, f"@{attic.address} One")
    await fediverse.settle()
    page = (await one.sees("/notifications")).text
    await says(shop, f"@{attic.address} Two")
    await fediverse.settle()

    await one.sends_from(page, "/notifications/read")
    after = (await one.sees("/notifications")).text

    assert after.count("(new)") == 1
    assert after.index("Two") < after.index("One")


async def test_a_complaint_of_another_server_is_news_from_that_server(fediverse: Fediverse) -> None:
    attic, _, one = await friends(fediverse)
    far = Stranger(fediverse)
    flag = far.activity("Flag", far.actor("actor", "Application"), [attic.uri], content="<p>Too loud.</p>")
    await far.sends(attic, flag)
    await fediverse.settle()

    today, news = await one.sees("/today"), await one.sees("/notifications")

    assert (today.status_code, news.status_code) == (200, 200)
    assert "<b>social.example</b> reports somebody who lives here" in today.text
    assert "/who?is=social.example" not in today.text + news.text


async def test_of_a_book_among_other_posts_there_is_the_beginning_and_the_way_to_the_rest(fediverse: Fediverse) -> None:
    _, shop, one = await friends(fediverse)
    book = await says(shop, "\n\n".join(f"Page {number}, on which something happens." for number in range(80)))
    await fediverse.settle()

    feed, alone = (await one.sees("/today")).text, (await one.sees(f"/read?of={quote(book, safe='')}")).text

    assert "Page 0," in feed
    assert "Page 79," not in feed
    assert f'<a href="/read?of={quote(book, safe="")}">Read on</a>' in feed
    assert "Page 79," in alone


async def test_a_long_conversation_is_read_in_parts(fediverse: Fediverse) -> None:
    attic, _, one = await friends(fediverse)
    said = [await says(attic, "number 0;")]
    for number in range(1, 31):
        said.append(await says(attic, f"number {number};", reply_to=said[-1]))
        fediverse.later(minutes=1)

    last = (await one.sees(f"/read?of={quote(said[-1], safe='')}")).text
    middle = (await one.sees(f"/read?of={quote(said[17], safe='')}")).text

    assert [number for number in range(31) if f"number {number};" in last] == [*range(18, 31)]
    assert [number for number in range(31) if f"number {number};" in middle] == [*range(5, 30)]
    assert f'href="/read?of={quote(said[17], safe="")}">What was said before' in last
    assert f'href="/read?of={quote(said[30], safe="")}">What was said after that' in middle
