"""Letters: what a few say to each other alone, from studio to studio, and what of it is unread."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import delete

import web.app
from coop import accounts, blocks, correspondence, notifications, posts
from coop.correspondence import Letter, Unfiled
from federation.store import Transaction
from federation.tables import Object
from tests.coop.neighbours import counting
from tests.fediverse import Fediverse, Studio, key_pair
from tests.web.inhabitants import Inhabitant, at_home, forms, gives_a_password
from tests.web.test_collections import says
from tests.web.uploads import picture
from tests.web.visitors import BROWSER, neighbours, visiting

NEW, WITH, ALL = "/conversations/new", "/conversations/with", "/conversations"


async def two(fediverse: Fediverse) -> tuple[Studio, Studio, Inhabitant, Inhabitant]:
    attic, shop = await neighbours(fediverse)
    return attic, shop, await at_home(attic), await at_home(shop)


async def writes(one: Inhabitant, fediverse: Fediverse, to: str, words: str) -> str:
    """Send a first letter; return where the conversation is."""
    sent = await one.sends(NEW, NEW, to=to, text=words)
    assert sent.status_code == 303, sent.text
    await fediverse.settle()
    return sent.headers["location"].partition("#")[0]


async def test_two_write_to_each_other(fediverse: Fediverse) -> None:
    attic, shop, ada, bo = await two(fediverse)

    at_bo = await writes(bo, fediverse, f"@{attic.address}", "Do you have *time* in May?")
    arrived = (await ada.sees(ALL)).text
    at_ada = arrived.partition(f'href="{WITH}')[2].partition('"')[0].partition("#")[0]
    opened = (await ada.sees(WITH + at_ada)).text
    answered = await ada.sends_from(opened, WITH, text="I do!")
    await fediverse.settle()

    assert "Do you have time in May?" in arrived
    assert '<span class="badge">1' in arrived
    assert "<em>time</em>" in opened
    assert '<li class="thread new">' not in (await ada.sees(ALL)).text
    assert answered.headers["location"] == f"{WITH}{at_ada}#last"
    assert "You: I do!" in (await ada.sees(ALL)).text
    page = (await bo.sees(at_bo)).text
    assert page.index("in May?") < page.index("I do!")
    [first, second] = [row for row in await shop.knows(Object) if row.type == "Note"]
    assert (second.reply_to, second.visibility) == (first.uri, "direct")


async def test_three_write_to_each_other_apart_from_what_two_say(fediverse: Fediverse) -> None:
    attic, _shop, ada, bo = await two(fediverse)
    barn = await fediverse.studio("barn")
    cleo = await at_home(barn)
    await writes(bo, fediverse, attic.address, "Only you")

    all_three = await writes(bo, fediverse, f"{attic.address}, @{barn.address}", "All three")
    page = (await cleo.sees(ALL)).text
    at_cleo = page.partition(f'href="{WITH}')[2].partition('"')[0].partition("#")[0]
    await cleo.sends(WITH + at_cleo, WITH, text="Hear, hear")
    await fediverse.settle()

    assert "Only you" not in page
    assert "Shop, attic.example" in page  # whom Cleo never met goes by their server
    whole = (await bo.sees(all_three)).text
    assert [words in whole for words in ("All three", "Hear, hear", "Only you")] == [True, True, False]
    assert (await ada.sees(ALL)).text.count('class="thread') - 1 == 2
    assert len(await attic.knows(Letter)) == 3


async def test_what_was_read_is_no_news_either(fediverse: Fediverse) -> None:
    attic, _shop, ada, bo = await two(fediverse)
    await writes(bo, fediverse, attic.address, "Psst")
    [letter] = await attic.knows(Letter)
    before = await attic.instance.store.read(lambda db: notifications.unread(db, letter.account))

    await ada.sees(f"{WITH}?who={letter.circle}")

    after = await attic.instance.store.read(lambda db: notifications.unread(db, letter.account))
    assert before - after == 1
    assert await attic.instance.store.read(lambda db: correspondence.unread(db, letter.account)) == 0


async def test_what_came_since_a_page_was_made_stays_unread(fediverse: Fediverse) -> None:
    attic, _shop, _ada, bo = await two(fediverse)
    await writes(bo, fediverse, attic.address, "One")
    [first] = await attic.knows(Letter)
    fediverse.later(minutes=1)
    await writes(bo, fediverse, attic.address, "Two")

    await attic.does(lambda tx: correspondence.mark_read(tx, first.account, first.circle, first.object))

    assert await attic.instance.store.read(lambda db: correspondence.unread(db, first.account)) == 1


async def test_a_letter_that_is_sent_twice_goes_once(fediverse: Fediverse) -> None:
    attic, _shop, _ada, bo = await two(fediverse)
    page = (await bo.sees(NEW)).text

    for _ in range(2):
        await bo.sends_from(page, NEW, to=attic.address, text="Once")
    await fediverse.settle()

    assert len(await attic.knows(Letter)) == 1


@pytest.mark.parametrize(
    ("to", "words", "why"),
    [
        ("", "x", "say to whom"),
        ("nobody", "x", "was not found"),
        ("@a@gone.example", "x", "was not found"),
        ("@attic@attic.example", "", "nothing in it"),
        ("@attic@attic.example", " \n ", "nothing in it"),
        ("@shop@shop.example", "x", "one to 20 others"),
        ("@a@b.example " * 21, "x", "say to whom"),
        ("https://gone.example/" + "x" * 3000, "x", "was not found"),
    ],
)
async def test_a_letter_that_cannot_go_comes_back_as_it_was_typed(
    fediverse: Fediverse, to: str, words: str, why: str
) -> None:
    _attic, shop, _ada, bo = await two(fediverse)

    answer = await bo.sends(NEW, NEW, to=to, text=words)

    [form] = [one for one in forms(answer.text) if one.action == NEW]
    assert answer.status_code == 422
    assert why in answer.text
    assert (form.fields["to"].strip(), form.fields["text"].strip()) == (to.strip(), words.strip())
    assert await shop.knows(Letter) == []


async def test_something_that_was_said_is_nobody_to_write_to(fediverse: Fediverse) -> None:
    attic, _shop, _ada, bo = await two(fediverse)
    post = await says(attic, "Ink!")
    await fediverse.settle()

    answer = await bo.sends(NEW, NEW, to=post, text="x")

    assert "nobody to write to" in answer.text


async def test_an_answer_that_cannot_go_keeps_what_was_typed(fediverse: Fediverse) -> None:
    attic, shop, _ada, bo = await two(fediverse)
    where = await writes(bo, fediverse, attic.address, "One")
    page = (await bo.sees(where)).text
    await shop.does(lambda tx: blocks.block(tx, shop.uri, attic.uri))

    answer = await bo.sends_from(page, WITH, text="Two")
    other = await bo.sends(where, WITH, text="  ")

    assert (answer.status_code, other.status_code) == (422, 422)
    assert "you block Attic" in answer.text
    assert next(one for one in forms(answer.text) if one.action == WITH).fields["text"] == "Two"


async def test_a_letter_is_addressed_from_the_page_of_somebody(fediverse: Fediverse) -> None:
    attic, _shop, _ada, bo = await two(fediverse)

    known = (await bo.sees(f"{NEW}?to={quote(attic.uri, safe='')}")).text
    odd = (await bo.sees(f"{NEW}?to={quote('<b>', safe='')}")).text

    assert next(one for one in forms(known) if one.action == NEW).fields["to"] == f"@{attic.address}"
    assert "<b>" not in odd.replace("<b>Shop</b>", "")


async def test_conversations_of_others_are_not_there(fediverse: Fediverse) -> None:
    attic, _shop, _ada, bo = await two(fediverse)
    await writes(bo, fediverse, attic.address, "Between us")
    [letter] = await attic.knows(Letter)
    await attic.does(lambda tx: accounts.create(tx, "cleo", "Cleo", "person", key_pair(5)))
    await gives_a_password(attic, "cleo")
    cleo = Inhabitant(attic, visiting(attic))
    await cleo.logs_in("cleo")
    token = forms((await cleo.sees("/today")).text)[0].fields["token"]

    seen = [await cleo.sees(f"{WITH}?who={one}") for one in (letter.circle, "", "x" * 5000, "%00")]
    sent = await cleo.client.post(WITH, data={"token": token, "who": letter.circle, "text": "x"}, headers=BROWSER)

    assert [answer.status_code for answer in (*seen, sent)] == [404] * 5
    assert "Between us" not in (await cleo.sees(ALL)).text
    assert "first letter" in (await cleo.sees(ALL)).text


@pytest.mark.parametrize("page", [ALL, NEW, WITH])
async def test_who_is_not_logged_in_reads_no_letters(fediverse: Fediverse, page: str) -> None:
    attic = await fediverse.studio("attic")
    ada = await at_home(attic)
    ada.client.cookies.clear()

    assert (await ada.sees(page)).headers["location"].startswith("/login?next=")


@pytest.mark.parametrize("action", [NEW, WITH])
async def test_a_forged_form_sends_nothing(fediverse: Fediverse, action: str) -> None:
    attic, shop, _ada, bo = await two(fediverse)

    answer = await bo.client.post(action, data={"token": "x", "to": attic.address, "text": "x"}, headers=BROWSER)

    assert answer.status_code == 403
    assert await shop.knows(Letter) == []


async def test_what_is_taken_back_or_blocked_is_gone(fediverse: Fediverse) -> None:
    attic, shop, ada, bo = await two(fediverse)
    where = await writes(bo, fediverse, attic.address, "One")
    await bo.sends(where, WITH, text="Two")
    await fediverse.settle()
    last = max((row for row in await shop.knows(Object) if row.visibility == "direct"), key=lambda row: row.id)

    await shop.does(lambda tx: posts.delete(tx, shop.uri, last.uri))
    await fediverse.settle()
    left = (await ada.sees(ALL)).text
    await attic.does(lambda tx: blocks.block(tx, attic.uri, shop.uri))

    assert "One" in left
    assert "Two" not in left
    assert "first letter" in (await ada.sees(ALL)).text
    assert await attic.knows(Letter) == []


async def test_an_edit_that_names_somebody_more_is_a_letter_to_all_of_them(fediverse: Fediverse) -> None:
    attic, shop, _ada, bo = await two(fediverse)
    barn = await fediverse.studio("barn")
    await shop.meets(barn)
    await writes(bo, fediverse, attic.address, "One")
    [post] = [row for row in await shop.knows(Object) if row.visibility == "direct"]
    [before] = await attic.knows(Letter)
    await attic.does(lambda tx: correspondence.mark_read(tx, before.account, before.circle, before.object))

    await shop.does(lambda tx: posts.edit(tx, shop.uri, post.uri, f"One @{barn.address}"))
    await fediverse.settle()

    [after] = await attic.knows(Letter)
    assert (after.circle != before.circle, after.read) == (True, fediverse.now)
    assert len(await barn.knows(Letter)) == 1


async def test_letters_from_before_there_were_any_are_filed_as_read(fediverse: Fediverse) -> None:
    attic, _shop, ada, bo = await two(fediverse)
    await writes(bo, fediverse, attic.address, "Long ago")
    [letter] = await attic.knows(Letter)

    def forget(tx: Transaction) -> None:
        tx.db.execute(delete(Letter))
        tx.db.add(Unfiled(object=letter.object))

    await attic.does(forget)
    fediverse.later(minutes=1)
    await fediverse.settle()

    [again] = await attic.knows(Letter)
    assert (again.circle, again.read is None) == (letter.circle, False)
    assert await attic.knows(Unfiled) == []
    assert "Long ago" in (await ada.sees(ALL)).text


async def test_many_conversations_and_letters_are_on_several_pages(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    others = [await fediverse.studio("shop"), await fediverse.studio("barn")]
    for other in others:
        await attic.meets(other)
    for number in range(35):
        await attic.does(partial(correspondence.write, author=attic.uri, to=[others[0].uri], text=f"No {number:02}"))
    ada = await at_home(attic)
    where = f"{WITH}?who={correspondence.circle({others[0].uri})}"

    first = (await ada.sees(where)).text
    second = (await ada.sees(f"{where}&before={first.partition('before=')[2].partition(chr(34))[0]}")).text

    assert [f"No {n:02}" in first for n in (34, 5, 4)] == [True, True, False]
    assert [f"No {n:02}" in second for n in (4, 0, 5)] == [True, True, False]


async def test_a_page_of_conversations_takes_few_questions(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    ada = await at_home(attic)
    for number in range(6):
        other = await fediverse.studio(f"house-{number}")
        await other.meets(attic)
        await other.does(partial(correspondence.write, author=other.uri, to=[attic.uri], text="Hello"))
    await fediverse.settle()
    await ada.sees(ALL)

    with counting(attic) as statements:
        page = (await ada.sees(ALL)).text

    assert page.count('class="thread new"') == 6
    assert len(statements) <= 12, statements


async def test_who_blocks_somebody_is_not_told_to_them(fediverse: Fediverse) -> None:
    attic, shop, _, bo = await two(fediverse)
    await attic.does(lambda tx: blocks.block(tx, attic.uri, shop.uri))
    await fediverse.settle()

    sent = await bo.sends(NEW, NEW, to=attic.address, text="Hello?")
    await fediverse.settle()

    assert sent.status_code == 303
    assert await attic.knows(Letter) == []


async def test_files_go_with_a_letter_once_it_is_said_what_is_in_them(fediverse: Fediverse, tmp_path: Path) -> None:
    attic, shop, _, _ = await two(fediverse)
    attic.app = web.app.create({attic.host: attic.instance}, media={attic.host: tmp_path})
    ada = Inhabitant(attic, visiting(attic))
    await ada.logs_in()
    to = f"@{shop.address}"
    [form] = [one for one in forms((await ada.sees(NEW)).text) if one.action == NEW]
    file = {"upload": ("net.png", picture(), "image/png")}

    asked = await ada.client.post(NEW, data={**form.fields, "to": to, "text": "Look"}, files=file)
    [again] = [one for one in forms(asked.text) if one.action == NEW]
    [name] = [one for one in again.fields if one.startswith("alt-")]
    sent = await ada.sends_from(asked.text, NEW, **{name: "A net, red"})
    await fediverse.settle()

    assert (asked.status_code, "say what is to be seen" in asked.text) == (422, True)
    assert (again.fields["to"], again.fields["text"].strip()) == (to, "Look")
    assert sent.status_code == 303
    [letter] = await shop.knows(Object)
    [attached] = letter.document["attachment"]
    assert (attached["name"], attached["mediaType"], letter.visibility) == ("A net, red", "image/png", "direct")
    assert "A net, red" in (await ada.sees(sent.headers["location"].partition("#")[0])).text


async def test_without_any_script_files_are_added_where_one_writes(fediverse: Fediverse, tmp_path: Path) -> None:
    attic, _shop, _, bo = await two(fediverse)
    attic.app = web.app.create({attic.host: attic.instance}, media={attic.host: tmp_path})
    await writes(bo, fediverse, f"@{attic.address}", "Do you have a picture of it?")
    ada = Inhabitant(attic, visiting(attic))
    await ada.logs_in()
    at_ada = WITH + (await ada.sees(ALL)).text.partition(f'href="{WITH}')[2].partition('"')[0].partition("#")[0]
    [form] = [one for one in forms((await ada.sees(at_ada)).text) if one.action == WITH]
    file = {"upload": ("net.png", picture(), "image/png")}

    page = await ada.client.post("/attach", data={**form.fields, "text": "Here"}, files=file)

    [again] = [one for one in forms(page.text) if one.action == WITH]
    assert again.fields["text"].strip() == "Here"
    assert again.fields["file"]
    assert "Do you have a picture of it?" in page.text
