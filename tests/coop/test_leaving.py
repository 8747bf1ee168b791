"""What is left with the buddies of somebody who sleeps: when, how often, and what is not."""

from __future__ import annotations

import httpx
import pytest
from sqlalchemy import delete, update

from coop import buddies
from coop.leaving import Mailbox
from coop.mailboxes import Buddy
from federation import discovery
from federation.tables import Activity, Actor, Delivery
from tests.coop.mail import agrees, falls_asleep, held, leaves, village, wakes, works
from tests.coop.neighbours import does, has, lives_at, says
from tests.federation.stranger import Stranger
from tests.fediverse import Fediverse, Studio


def posted(fediverse: Fediverse, host: str = "bo.example") -> int:
    """How many parcels were sent to a host."""
    return sum(one.method == "POST" and one.url.host == host for one in fediverse.requests if "mailbox" in one.url.path)


async def answers(fediverse: Fediverse, studio: Studio, status: int) -> None:
    """Have a server of that name answer everything with that status, as a proxy does that stands before it."""
    del fediverse.studios[studio.host]
    fediverse.strangers[studio.host] = lambda _: httpx.Response(status)


async def test_what_waits_is_left_once_with_each_buddy_in_order(fediverse: Fediverse) -> None:
    ada, bo, sam = await village(fediverse)
    cy = await fediverse.studio("cy")
    await agrees(sam, cy)
    await falls_asleep(sam)
    first = await says(ada, "One.")
    await leaves(ada)
    second = await says(ada, "Two.")
    fediverse.later(minutes=5)
    await works(ada, 3)

    assert (await held(bo), await held(cy)) == (["ada", "ada"], ["ada", "ada"])
    assert [one.state for one in await ada.knows(Delivery) if one.lane == sam.host][-2:] == ["waiting", "waiting"]
    fediverse.asleep.add(ada.host)
    await wakes(sam)
    one, two = await has(sam, first.uri), await has(sam, second.uri)
    assert one is not None
    assert two is not None
    assert one.id < two.id


async def test_a_short_absence_is_the_lanes_alone(fediverse: Fediverse) -> None:
    ada, bo, sam = await village(fediverse)
    await falls_asleep(sam)
    await says(ada, "Hello?")
    fediverse.later(minutes=50)
    await works(ada, 3)

    assert await held(bo) == []


@pytest.mark.parametrize(("status", "left"), [(403, []), (429, []), (502, ["ada"]), (530, ["ada"])])
async def test_a_server_that_refuses_is_awake_and_one_whose_proxy_does_may_not_be(
    fediverse: Fediverse, status: int, left: list[str]
) -> None:
    ada, bo, sam = await village(fediverse)
    await answers(fediverse, sam, status)
    await says(ada, "Hello?")
    await leaves(ada)

    assert await held(bo) == left


async def test_what_nobody_could_check_is_not_left(fediverse: Fediverse) -> None:
    ada, bo, sam = await village(fediverse)
    await falls_asleep(sam)
    post = await says(ada, "Hello?")
    like = (
        b'{"id":"https://ada.example/1","type":"Like","actor":"https://ada.example/u","object":"https://sam.example/1"}'
    )
    await ada.does(lambda tx: tx.db.execute(update(Activity).where(Activity.object == post.uri).values(body=like)))
    await leaves(ada)
    await says(ada, "Is anybody there?")
    await works(ada, 3)

    assert await held(bo) == ["ada"]


async def test_of_several_on_one_server_one_alone_has_what_goes_to_all_of_them(fediverse: Fediverse) -> None:
    ada, bo, sam = await village(fediverse)
    await lives_at(sam, "dan")
    both = {row.uri for row in await sam.knows(Actor) if row.local and row.type == "Person"}
    await ada.does(lambda tx: tx.add_new(Mailbox, owner=max(both), buddy=bo.uri, due=tx.now, last=0, failures=0))
    await falls_asleep(sam)
    await says(ada, "Hello?")
    await leaves(ada)

    assert await held(bo) == ["ada"]


async def test_a_buddy_that_sleeps_too_is_asked_again_later(fediverse: Fediverse) -> None:
    ada, bo, sam = await village(fediverse)
    await falls_asleep(sam)
    await falls_asleep(bo)
    await says(ada, "Hello?")
    await leaves(ada)
    assert await held(bo) == []

    fediverse.asleep.discard(bo.host)
    await works(ada, 3)

    assert await held(bo) == ["ada"]


async def test_who_names_a_buddy_that_never_agreed_has_it_asked_once_a_day(fediverse: Fediverse) -> None:
    """Bo has a mailbox, but not for Sam: Ada believes Sam's own server, until Bo's says no."""
    ada, bo, sam = await village(fediverse)
    await bo.does(lambda tx: tx.db.execute(delete(Buddy)))
    await falls_asleep(sam)
    for number in range(3):
        await says(ada, f"Hello {number}?")
    await leaves(ada)
    await works(ada, 5)
    assert posted(fediverse) == 1

    fediverse.later(days=1)
    await works(ada, 5)

    assert (posted(fediverse), await held(bo)) == (2, [])


async def test_nothing_is_sent_to_where_no_server_says_that_it_has_a_mailbox(fediverse: Fediverse) -> None:
    """Or whoever sleeps could have anybody sent what waits for them."""
    ada, _, sam = await village(fediverse)
    victim = Stranger(fediverse, "victim.example")
    vic = victim.actor("vic")
    odd = victim.actor("odd", mailbox="https://bo.example/inbox")
    for one in (vic, odd):
        await ada.does(lambda tx, one=one: tx.add_new(Mailbox, owner=sam.uri, buddy=one, due=tx.now))  # type: ignore[misc]
    await falls_asleep(sam)
    await says(ada, "Hello?")
    await leaves(ada)

    assert victim.received == []
    assert [
        one
        for one in fediverse.requests
        if one.method == "POST" and one.url.path == "/inbox" and b"Parcel" in one.content
    ] == []


async def test_a_buddy_on_the_same_server_is_none_and_three_are_enough(fediverse: Fediverse) -> None:
    ada, stranger = await fediverse.studio("ada"), Stranger(fediverse)
    elsewhere = [f"https://{name}.example/u" for name in ("bo", "cy", "dee", "eve")]
    mia = stranger.actor("mia", buddies=[f"{stranger.home}/bob", f"{ada.home}/actors/1", *elsewhere])
    nia = stranger.actor("nia", buddies=["nonsense", *elsewhere])

    await discovery.fetch(ada.instance, mia)
    await discovery.fetch(ada.instance, nia)

    named = [(row.owner, row.buddy) for row in await ada.knows(Mailbox)]
    assert named == [(mia, elsewhere[0]), (nia, elsewhere[0]), (nia, elsewhere[1])]


async def test_whoever_is_not_named_any_more_is_left_nothing(fediverse: Fediverse) -> None:
    ada, bo, sam = await village(fediverse)
    await does(bo, buddies.drop, sam.uri)
    assert await ada.knows(Mailbox) == []

    await agrees(sam, bo)
    assert [row.buddy for row in await ada.knows(Mailbox)] == [bo.uri]
    await ada.does(lambda tx: tx.db.execute(delete(Actor).where(Actor.uri == sam.uri)))
    fediverse.later(hours=2)
    await ada.upkeep.do_chores()

    assert await ada.knows(Mailbox) == []


async def test_a_buddy_that_is_slow_has_its_turn_and_no_more(fediverse: Fediverse) -> None:
    ada, bo, sam = await village(fediverse)
    await ada.meets(bo)
    await falls_asleep(sam)
    for number in range(3):
        await says(ada, f"Hello {number}?")

    def slowly(_: httpx.Request) -> httpx.Response:
        fediverse.later(seconds=40)
        return httpx.Response(202)

    del fediverse.studios[bo.host]
    fediverse.strangers[bo.host] = slowly
    fediverse.later(hours=2)
    await fediverse.settle()
    await ada.upkeep.run_errands()
    assert posted(fediverse) == 1

    await works(ada, 3)

    assert posted(fediverse) == 3
