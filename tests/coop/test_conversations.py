"""What is missing of a conversation that somebody looks at: fetched from where it lives, and never without end."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from itertools import pairwise
from typing import Any

import httpx
import pytest

from activitypub.document import Json
from coop import conversations, feed, posts
from coop.conversations import ABOVE, AGAIN, AT_ONCE, BY_STRANGERS, LISTS, Conversation
from coop.finds import Find
from coop.notifications import Notification
from coop.posts import Draft
from coop.rounds import REQUESTS
from coop.visits import Visit
from federation import discovery
from federation.tables import BlockedDomain, Object
from tests.coop.neighbours import has, holds, says
from tests.federation.stranger import AS2, Stranger
from tests.fediverse import Fediverse, Studio

MIDDLE = "https://social.example/middle"


async def looks(studio: Studio, uri: str, rounds: int = 12) -> list[str]:
    """Open a conversation, wait, and see what is there then."""
    row = await holds(studio, uri)
    await studio.does(lambda tx: conversations.complete(tx, row))
    await goes_on(studio, rounds)
    return await shown(studio, uri)


async def goes_on(studio: Studio, rounds: int) -> None:
    for _ in range(rounds):
        await conversations.look(studio.instance)
        studio.fediverse.later(seconds=4)


async def shown(studio: Studio, uri: str) -> list[str]:
    row = await holds(studio, uri)
    return [one.uri for one in await studio.instance.store.read(lambda db: feed.conversation(db, row, studio.uri))]


async def knows_middle(fediverse: Fediverse, stranger: Stranger, **more: Any) -> Studio:
    """A studio that has one post by mia, and nothing of what is around it."""
    attic = await fediverse.studio("attic")
    stranger.note("middle", stranger.actor("mia"), **more)
    await discovery.fetch(attic.instance, MIDDLE)
    return attic


def lists(stranger: Stranger, name: str, items: Iterable[Any], **more: Any) -> str:
    """Have a collection without pages, or a page; return its address."""
    uri = f"{stranger.home}/{name}"
    stranger.documents[f"/{name}"] = {"@context": AS2, "id": uri, "type": "Collection", "items": [*items], **more}
    return uri


def answers(stranger: Stranger, name: str, to: str = MIDDLE, **more: Any) -> str:
    """Somebody's answer; return its address."""
    uri: str = stranger.note(name, f"{stranger.home}/mia", inReplyTo=to, **more)["id"]
    return uri


def asked_for(stranger: Stranger, name: str) -> int:
    return len([one for one in stranger.asked if name in one])


@pytest.mark.proves("P-038", "P-105")
async def test_who_knows_the_middle_of_a_conversation_gets_its_beginning_and_its_end(
    fediverse: Fediverse,
) -> None:
    """Three servers talk; a fourth, which has one post of it, shows the whole after a while."""
    attic, shop = await fediverse.studio("attic"), await fediverse.studio("shop")
    barn, loft = await fediverse.studio("barn"), await fediverse.studio("loft")
    for one, other in ((shop, attic), (barn, shop), (attic, shop), (shop, barn)):
        await one.follows(other)
    await fediverse.settle()
    first = await says(attic, "Who has a ladder?")
    second = await says(shop, "I have.", reply_to=first.uri)
    third = await says(attic, "How long is it?", reply_to=second.uri)
    fourth = await says(barn, "Mine is longer.", reply_to=second.uri)
    fifth = await says(shop, "By how much?", reply_to=fourth.uri)
    whole = [one.uri for one in (first, second, third, fourth, fifth)]
    await discovery.fetch(loft.instance, third.uri)
    before = await shown(loft, third.uri)

    found = await looks(loft, third.uri)

    assert before == [third.uri]
    assert set(found) == set(whole)
    assert await loft.knows(Notification) == []
    assert await loft.knows(Visit) == []


@pytest.mark.proves("P-038", "P-105", "P-109")
async def test_answers_are_fetched_each_from_its_own_server_whatever_a_list_says_of_them(fediverse: Fediverse) -> None:
    stranger, other = Stranger(fediverse), Stranger(fediverse, "other.example", key=6)
    eve = other.actor("eve")
    true = other.note("true", eve, inReplyTo=MIDDLE)
    told: Json = {**true, "content": "<p>A lie</p>"}
    never_said = {**true, "id": f"{other.home}/never-said"}
    create = {"id": f"{MIDDLE}/a", "type": "Create", "object": answers(stranger, "by-mia")}
    listed = [told, never_said, create, true["id"], "nonsense", 7, None, {}, f"{stranger.home}/middle"]
    replies = lists(stranger, "replies", listed)
    attic = await knows_middle(fediverse, stranger, replies=replies)

    found = await looks(attic, MIDDLE)

    assert set(found) == {MIDDLE, true["id"], f"{stranger.home}/by-mia"}
    assert (await holds(attic, true["id"])).document["content"] == "<p>true</p>"
    assert asked_for(other, "/true") == 1
    assert await attic.knows(Visit) == []


@pytest.mark.proves("P-105", "P-109")
async def test_a_list_brings_nothing_that_is_no_answer_or_not_for_everybody(fediverse: Fediverse) -> None:
    stranger = Stranger(fediverse)
    mia = f"{stranger.home}/mia"
    unrelated = stranger.note("unrelated", mia)["id"]
    elsewhere = answers(stranger, "elsewhere", "https://victim.example/1")
    itself = answers(stranger, "itself", f"{stranger.home}/itself")
    private = answers(stranger, "private", to=MIDDLE)
    stranger.documents["/private"] |= {"to": [f"{mia}/followers"]}  # type: ignore[operator]
    stranger.documents["/deleted"] = 410
    named = [unrelated, elsewhere, itself, private, f"{stranger.home}/deleted", mia, answers(stranger, "good")]
    attic = await knows_middle(fediverse, stranger, replies=lists(stranger, "replies", named))

    assert set(await looks(attic, MIDDLE)) == {MIDDLE, f"{stranger.home}/good"}
    assert {row.uri for row in await attic.knows(Object)} == {MIDDLE, f"{stranger.home}/good"}


@pytest.mark.proves("P-109", "P-311")
async def test_ten_thousand_answers_are_fetched_no_further_than_anybody_reads(fediverse: Fediverse) -> None:
    stranger = Stranger(fediverse)
    names = [answers(stranger, f"answer-{number}") for number in range(feed.CONVERSATION + 50)]
    names += [f"{stranger.home}/more-{number}" for number in range(10_000 - len(names))]
    attic = await knows_middle(fediverse, stranger, replies=lists(stranger, "replies", names))

    await looks(attic, MIDDLE, 2)
    in_two_turns = asked_for(stranger, "answer")
    await goes_on(attic, 12)
    fediverse.later(days=30)
    await looks(attic, MIDDLE)

    assert REQUESTS // 2 < in_two_turns <= 2 * REQUESTS
    assert len(await attic.knows(Object)) == feed.CONVERSATION
    assert asked_for(stranger, "more") == 0
    assert await attic.knows(Visit) == []


@pytest.mark.proves("P-109", "P-311")
async def test_lists_of_lists_end_after_some_pages(fediverse: Fediverse) -> None:
    """Each answer has a list of its own, of two pages that name each other, with one answer more."""
    stranger = Stranger(fediverse)
    for number in range(LISTS + 20):
        following = answers(stranger, f"answer-{number + 1}", f"{stranger.home}/answer-{number}")
        page = lists(stranger, f"list-{number}", [following], next=f"{stranger.home}/back-{number}")
        lists(stranger, f"back-{number}", [following], next=page)
        answers(stranger, f"answer-{number}", f"{stranger.home}/answer-{number - 1}" if number else MIDDLE)
        stranger.documents[f"/answer-{number}"] |= {"replies": page}  # type: ignore[operator]
    attic = await knows_middle(fediverse, stranger, replies=lists(stranger, "list", [f"{stranger.home}/answer-0"]))

    await looks(attic, MIDDLE, LISTS + 20)

    pages = asked_for(stranger, "list") + asked_for(stranger, "back")
    assert LISTS - 2 <= pages <= LISTS
    assert await attic.knows(Visit) == []


@pytest.mark.proves("P-109")
async def test_a_list_that_leads_elsewhere_is_not_followed(fediverse: Fediverse) -> None:
    stranger, victim = Stranger(fediverse), Stranger(fediverse, "victim.example", key=6)
    lists(victim, "theirs", [])
    replies = lists(stranger, "replies", [answers(stranger, "one")], next=f"{victim.home}/theirs")
    stranger.documents["/one"] |= {"replies": f"{victim.home}/theirs", "context": f"{victim.home}/theirs"}  # type: ignore[operator]
    attic = await knows_middle(fediverse, stranger, replies=replies, context=f"{victim.home}/theirs")

    assert set(await looks(attic, MIDDLE)) == {MIDDLE, f"{stranger.home}/one"}
    assert victim.asked == []


@pytest.mark.proves("P-109", "P-311")
async def test_what_came_before_is_fetched_up_to_a_hundred_posts_and_some_at_a_time(fediverse: Fediverse) -> None:
    stranger = Stranger(fediverse)
    for number in range(ABOVE + 20):
        answers(stranger, f"above-{number}", f"{stranger.home}/above-{number + 1}")
    attic = await knows_middle(fediverse, stranger, inReplyTo=f"{stranger.home}/above-0")

    await looks(attic, MIDDLE, 2)
    at_once = asked_for(stranger, "above")
    for _ in range(4):
        fediverse.later(minutes=1)
        await goes_on(attic, 2)
    in_all = asked_for(stranger, "above")
    fediverse.later(days=10)
    await looks(attic, MIDDLE, 3)

    assert (at_once, in_all, asked_for(stranger, "above")) == (AT_ONCE, ABOVE, ABOVE)
    assert len(await shown(attic, MIDDLE)) == ABOVE + 1
    assert len(await attic.knows(Conversation)) == 1


@pytest.mark.proves("P-109", "P-311")
async def test_a_conversation_that_answers_itself_comes_to_an_end(fediverse: Fediverse) -> None:
    stranger = Stranger(fediverse)
    answers(stranger, "chicken", f"{stranger.home}/egg")
    answers(stranger, "egg", f"{stranger.home}/chicken")
    attic = await knows_middle(fediverse, stranger, inReplyTo=f"{stranger.home}/egg")

    assert set(await looks(attic, MIDDLE)) == {MIDDLE, f"{stranger.home}/egg", f"{stranger.home}/chicken"}
    assert (asked_for(stranger, "egg"), asked_for(stranger, "chicken")) == (1, 1)
    assert await attic.knows(Visit) == []


@pytest.mark.parametrize("gap", [410, 404, 401])
async def test_a_conversation_with_a_gap_is_shown_from_there_on(fediverse: Fediverse, gap: int) -> None:
    stranger = Stranger(fediverse)
    stranger.documents["/gone"] = gap
    replies = lists(stranger, "replies", [f"{stranger.home}/gone", answers(stranger, "one")])
    attic = await knows_middle(fediverse, stranger, inReplyTo=f"{stranger.home}/gone", replies=replies)

    found = await looks(attic, MIDDLE)
    for _ in range(5):
        fediverse.later(minutes=10)
        await goes_on(attic, 1)

    assert set(found) == {MIDDLE, f"{stranger.home}/one"}
    assert await attic.knows(Visit) == []


async def test_a_silent_server_keeps_nobody_waiting_and_is_given_up_soon(fediverse: Fediverse) -> None:
    stranger, silent = Stranger(fediverse), Stranger(fediverse, "silent.example", key=6)
    named = [f"{silent.home}/{number}" for number in range(50)]
    replies = lists(stranger, "replies", [*named, answers(stranger, "one")])
    fediverse.asleep.add(silent.host)
    attic = await knows_middle(fediverse, stranger, replies=replies)

    found = await looks(attic, MIDDLE, 4)
    at_once = len([one for one in fediverse.requests if one.url.host == silent.host])
    for _ in range(10):
        fediverse.later(minutes=10)
        await goes_on(attic, 1)

    assert set(found) == {MIDDLE, f"{stranger.home}/one"}
    assert at_once == 1
    assert await attic.knows(Visit) == []


async def test_a_blocked_server_is_asked_for_nothing(fediverse: Fediverse) -> None:
    stranger, blocked = Stranger(fediverse), Stranger(fediverse, "blocked.example", key=6)
    attic = await knows_middle(fediverse, stranger, replies=lists(stranger, "replies", [f"{blocked.home}/1"]))
    await attic.does(lambda tx: tx.db.add(BlockedDomain(host=blocked.host, since=tx.now)))
    attic.instance.store.topic("blocks").set()

    await looks(attic, MIDDLE)

    assert blocked.asked == []


async def test_nobody_is_asked_again_soon_and_the_less_came_of_it_the_later(fediverse: Fediverse) -> None:
    stranger = Stranger(fediverse)
    attic = await knows_middle(fediverse, stranger, replies=lists(stranger, "replies", [answers(stranger, "one")]))
    start, asked = fediverse.now, list[timedelta]()
    for _ in range(70):
        before = asked_for(stranger, "replies")
        await looks(attic, MIDDLE, 1)
        asked += [fediverse.now - start] * (asked_for(stranger, "replies") - before)
        fediverse.later(minutes=1)

    waits = [later - earlier for earlier, later in pairwise(asked)]
    assert [round(wait / AGAIN) for wait in waits] == [1, 1, 2]


async def test_another_address_of_what_is_here_is_nothing_new(fediverse: Fediverse) -> None:
    stranger = Stranger(fediverse)
    attic = await knows_middle(fediverse, stranger, replies=lists(stranger, "replies", [f"{stranger.home}/alias"]))
    answers(stranger, "one")
    stranger.documents["/alias"] = stranger.documents["/one"]

    await looks(attic, MIDDLE)

    assert [row.found for row in await attic.knows(Conversation)] == [0]
    assert await has(attic, f"{stranger.home}/one")


async def test_a_list_of_its_whole_is_read_where_a_conversation_began(fediverse: Fediverse) -> None:
    """FEP-f228: whoever began it lists what was said, and answers to answers, too."""
    stranger = Stranger(fediverse)
    one = answers(stranger, "one")
    two = answers(stranger, "two", one)
    whole = lists(stranger, "whole", [MIDDLE, two, one])
    attic = await knows_middle(fediverse, stranger, context=whole)

    assert set(await looks(attic, MIDDLE)) == {MIDDLE, one, two}
    assert asked_for(stranger, "whole") == 1


async def test_the_list_of_the_whole_is_asked_for_once_the_beginning_is_found(fediverse: Fediverse) -> None:
    stranger, other = Stranger(fediverse), Stranger(fediverse, "other.example", key=6)
    root = other.note("root", other.actor("eve"), context=f"{other.home}/whole")["id"]
    late = answers(stranger, "late", root)
    lists(other, "whole", [root, MIDDLE, late])
    attic = await knows_middle(fediverse, stranger, inReplyTo=root, context=f"{other.home}/whole")

    assert set(await looks(attic, MIDDLE)) == {root, MIDDLE, late}
    assert [row.uri for row in await attic.knows(Conversation)] == [root]


async def test_whoever_answers_slowly_is_asked_for_the_rest_in_another_turn(fediverse: Fediverse) -> None:
    stranger = Stranger(fediverse)
    named = [answers(stranger, f"answer-{number}") for number in range(4)]
    attic = await knows_middle(fediverse, stranger, replies=lists(stranger, "replies", named))
    answer = stranger.answer

    def slowly(request: httpx.Request) -> httpx.Response:
        fediverse.later(seconds=20)
        return answer(request)

    fediverse.strangers[stranger.host] = slowly
    await looks(attic, MIDDLE, 2)
    in_a_turn = asked_for(stranger, "answer")
    await goes_on(attic, 4)

    assert in_a_turn == 2
    assert len(await attic.knows(Object)) == 5


async def test_who_writes_to_few_does_not_learn_when_they_read_it(fediverse: Fediverse) -> None:
    stranger, few = Stranger(fediverse), ["https://attic.example/actor"]
    more = {"replies": lists(stranger, "replies", []), "inReplyTo": f"{stranger.home}/above"}
    attic = await knows_middle(fediverse, stranger, to=few, **more)

    await looks(attic, MIDDLE)

    assert (asked_for(stranger, "replies"), asked_for(stranger, "above")) == (0, 0)
    assert await attic.knows(Conversation) == []


async def test_strangers_who_look_at_pages_make_us_ask_only_so_often(fediverse: Fediverse) -> None:
    stranger = Stranger(fediverse)
    attic = await knows_middle(fediverse, stranger, replies=lists(stranger, "replies", []))
    theirs = await holds(attic, MIDDLE)
    await attic.does(lambda tx: conversations.complete_for_anybody(tx, theirs))
    before = await attic.knows(Conversation)
    for number in range(BY_STRANGERS + 5):
        post = await says(attic, f"Number {number}")
        answers(stranger, f"answer-{number}", post.uri, replies=lists(stranger, f"list-{number}", []))
        await discovery.fetch(attic.instance, f"{stranger.home}/answer-{number}")
        await attic.does(lambda tx, row=post: conversations.complete_for_anybody(tx, row))  # type: ignore[misc]

    assert before == []
    assert len(await attic.knows(Conversation)) == BY_STRANGERS


async def test_what_nobody_looks_at_any_more_is_forgotten(fediverse: Fediverse) -> None:
    stranger = Stranger(fediverse)
    attic = await knows_middle(fediverse, stranger, replies=lists(stranger, "replies", []))
    await looks(attic, MIDDLE)
    before = len(await attic.knows(Conversation))

    fediverse.later(days=31)
    await attic.upkeep.do_chores()

    assert (before, await attic.knows(Conversation)) == (1, [])


async def test_what_is_being_fetched_is_told(fediverse: Fediverse) -> None:
    stranger = Stranger(fediverse)
    replies = lists(stranger, "replies", [answers(stranger, "one"), answers(stranger, "two")])
    attic = await knows_middle(fediverse, stranger, inReplyTo="https://other.example/1", replies=replies)

    async def told() -> str:
        row = await holds(attic, MIDDLE)
        return (await attic.instance.store.read(lambda db: conversations.waiting(db, row))).sentence

    before = await told()
    row = await holds(attic, MIDDLE)
    await attic.does(lambda tx: conversations.complete(tx, row))
    first = await told()
    await goes_on(attic, 1)
    second = await told()

    assert before == ""
    assert first == "Still being fetched: what was said before, whatever else was answered."
    assert second == "Still being fetched: what was said before, 2 answers."


async def test_a_post_of_ours_that_is_answered_elsewhere_is_never_asked_for_here(fediverse: Fediverse) -> None:
    stranger = Stranger(fediverse)
    attic = await knows_middle(fediverse, stranger)
    ours = await attic.does(lambda tx: posts.publish(tx, attic.uri, Draft("Here", reply_to=MIDDLE)).uri)
    stranger.documents["/middle"] |= {"replies": lists(stranger, "replies", [ours, f"{attic.home}/made-up"])}  # type: ignore[operator]
    stranger.documents["/middle"] |= {"updated": "2026-03-02T09:00:00Z"}  # type: ignore[operator]
    await discovery.fetch(attic.instance, MIDDLE)

    await looks(attic, MIDDLE)

    assert not await has(attic, f"{attic.home}/made-up")
    assert [one for one in fediverse.requests if one.url.host == attic.host and "made-up" in one.url.path] == []
    assert await attic.knows(Visit) == []


async def test_who_is_answered_is_told_once_if_it_was_on_its_way_when_it_was_found(fediverse: Fediverse) -> None:
    stranger, attic = Stranger(fediverse), await fediverse.studio("attic")
    post = await says(attic, "Who has a ladder?")
    mia = stranger.actor("mia")
    stranger.note("middle", mia, inReplyTo=post.uri, replies=lists(stranger, "replies", [f"{stranger.home}/one"]))
    await discovery.fetch(attic.instance, MIDDLE)
    answers(stranger, "one", post.uri)
    one = stranger.documents["/one"]
    await looks(attic, MIDDLE)
    before = [row.about for row in await attic.knows(Notification)]

    for _ in range(2):
        await stranger.sends(attic, stranger.activity("Create", mia, one, to=[attic.uri]))
        await fediverse.settle()
        fediverse.later(seconds=1)

    assert before == [MIDDLE]
    assert [row.about for row in await attic.knows(Notification)] == [MIDDLE, f"{stranger.home}/one"]
    assert await attic.knows(Find) == []
