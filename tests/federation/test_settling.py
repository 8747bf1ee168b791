"""What becomes of a delivery and of its lane, by what the other side answers."""

from __future__ import annotations

from datetime import timedelta
from email.utils import format_datetime

import httpx
import pytest
from sqlalchemy import select

from federation import discovery, settling
from federation.lanes import Lanes
from federation.tables import Actor, Delivery, Lane
from tests.federation.receiver import Receiver, knows, lane_to, says, states
from tests.federation.test_lanes import Hanging
from tests.fediverse import Fediverse, Studio


@pytest.fixture
async def attic(fediverse: Fediverse) -> Studio:
    return await fediverse.studio("attic")


@pytest.fixture
def social(fediverse: Fediverse) -> Receiver:
    return Receiver(fediverse)


@pytest.fixture
async def dora(attic: Studio, social: Receiver) -> str:
    uri = social.actor("dora")
    await knows(attic, uri)
    return uri


# --- Statuses ----------------------------------------------------------------------------------------------------


@pytest.mark.proves("P-165")
@pytest.mark.parametrize("status", [200, 201, 202, 204])
async def test_two_hundred_and_something_is_done(attic: Studio, social: Receiver, dora: str, status: int) -> None:
    social.replies = [(status, {})]

    await says(attic, [dora])

    lane = await lane_to(attic)
    assert await states(attic) == ["done"]
    assert (lane.due, lane.failures, lane.error) == (None, 0, None)
    assert lane.reached == attic.fediverse.now


@pytest.mark.proves("P-165")
@pytest.mark.parametrize("status", [400, 402, 403, 404, 405, 406, 410, 413, 415, 422, 451, 501])
async def test_a_permanent_refusal_ends_the_delivery_and_says_why(
    attic: Studio, social: Receiver, dora: str, status: int
) -> None:
    social.replies = [(status, {})]

    await says(attic, [dora])

    [delivery] = await attic.knows(Delivery)
    assert delivery.state == "refused"
    assert delivery.error == f"social.example answers {status}: as I say"
    assert (await lane_to(attic)).due is None


@pytest.mark.proves("P-165")
@pytest.mark.parametrize("status", [302, 401, 408, 425, 429, 500, 502, 503, 504])
async def test_a_passing_trouble_makes_the_lane_wait_and_nothing_is_lost(
    attic: Studio, social: Receiver, dora: str, fediverse: Fediverse, status: int
) -> None:
    social.replies = [(status, {})]
    await says(attic, [dora])
    lane = await lane_to(attic)

    social.replies = [(202, {})]
    fediverse.later(minutes=1)
    await fediverse.settle()

    assert (lane.failures, lane.error) == (1, f"social.example answers {status}: as I say")
    assert await states(attic) == ["done"]
    assert (await lane_to(attic)).failures == 0


@pytest.mark.proves("P-165", "P-169")
@pytest.mark.parametrize(
    "trouble",
    [
        httpx.ConnectError("certificate verify failed"),
        httpx.ReadTimeout("nothing came"),
        httpx.RemoteProtocolError("?"),
    ],
)
async def test_no_answer_at_all_is_a_passing_trouble(
    attic: Studio, social: Receiver, dora: str, fediverse: Fediverse, trouble: Exception
) -> None:
    def fail(request: httpx.Request) -> tuple[int, dict[str, str]]:
        raise trouble

    social.replies = [fail, (202, {})]
    await says(attic, [dora])
    failed = await lane_to(attic)
    fediverse.later(minutes=1)
    await fediverse.settle()

    assert failed.failures == 1
    assert "social.example" in (failed.error or "")
    assert await states(attic) == ["done"]


@pytest.mark.proves("P-165")
async def test_who_is_not_accepted_tries_for_a_day_and_then_lets_go(
    attic: Studio, social: Receiver, dora: str, fediverse: Fediverse
) -> None:
    social.replies = [(401, {})]
    await says(attic, [dora])
    for _ in range(23):
        fediverse.later(hours=1)
        await fediverse.settle()
    before = await states(attic)
    fediverse.later(hours=20)  # the longest pause is of 18
    await fediverse.settle()
    later = await says(attic, [dora])

    assert before == ["waiting"]
    assert await states(attic) == ["refused", "refused"]  # the second at once: nothing has changed
    assert social.received[-1]["id"] == later


@pytest.mark.proves("P-165")
async def test_a_host_that_wakes_with_a_wrong_clock_has_its_day_from_then_on(
    attic: Studio, social: Receiver, dora: str, fediverse: Fediverse
) -> None:
    fediverse.asleep.add(social.host)
    await says(attic, [dora])
    for _ in range(6):
        fediverse.later(hours=18)
        await fediverse.settle()
    fediverse.asleep.clear()
    social.replies = [(401, {})]
    fediverse.later(hours=18)
    await fediverse.settle()
    fediverse.later(hours=18)
    await fediverse.settle()
    refused = await states(attic)
    social.replies = [(202, {})]
    fediverse.later(hours=18)
    await fediverse.settle()

    assert refused == ["waiting"]
    assert await states(attic) == ["done"]


# --- Retry-After and backoff -------------------------------------------------------------------------------------


@pytest.mark.proves("P-165")
@pytest.mark.parametrize(
    ("asked", "wait"),
    [
        ("120", timedelta(minutes=2)),
        ("date", timedelta(hours=2)),
        ("0", timedelta(seconds=30)),
        ("9" * 400, timedelta(hours=24)),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
async def test_who_asks_for_time_gets_it_but_not_more_than_a_day(
    attic: Studio, social: Receiver, dora: str, fediverse: Fediverse, status: int, asked: str, wait: timedelta
) -> None:
    date = format_datetime(fediverse.now + timedelta(hours=2), usegmt=True)
    social.replies = [(status, {"retry-after": date if asked == "date" else asked})]

    await says(attic, [dora])

    assert (await lane_to(attic)).due == fediverse.now + wait


@pytest.mark.proves("P-165", "P-167")
@pytest.mark.parametrize("asked", ["soon", "-5", "", "٣", "Mon, 99 Foo 99999999999 99:99:99 GMT", "1 2 3 4 5 6 7"])
async def test_who_asks_for_time_in_words_that_mean_none_gets_the_usual(
    attic: Studio, social: Receiver, dora: str, fediverse: Fediverse, asked: str
) -> None:
    social.replies = [(503, {"retry-after": asked.encode("ascii", "replace").decode()})]

    await says(attic, [dora])

    lane = await lane_to(attic)
    assert lane.due
    assert timedelta(seconds=15) <= lane.due - fediverse.now <= timedelta(seconds=45)


@pytest.mark.proves("P-167")
@pytest.mark.parametrize(
    ("failures", "seconds"), [(1, 30), (2, 60), (3, 120), (8, 3840), (11, 30720), (12, 43200), (400, 43200)]
)
def test_the_wait_doubles_up_to_half_a_day_and_is_spread_by_chance(failures: int, seconds: int) -> None:
    waits = [settling.backoff(failures).total_seconds() for _ in range(200)]

    assert seconds * 0.5 <= min(waits) < seconds * 0.7
    assert seconds * 1.3 < max(waits) <= seconds * 1.5


# --- Parked, and woken -------------------------------------------------------------------------------------------


async def park(attic: Studio, social: Receiver, dora: str) -> str:
    """Say something to a host that is silent for more than a week."""
    fediverse = attic.fediverse
    fediverse.asleep.add(social.host)
    uri = await says(attic, [dora])
    for _ in range(16):
        fediverse.later(hours=18)
        await fediverse.settle()
    fediverse.asleep.clear()
    return uri


@pytest.mark.proves("P-167")
async def test_a_host_that_is_silent_for_a_week_is_parked_and_nothing_is_lost(
    attic: Studio, social: Receiver, dora: str, fediverse: Fediverse
) -> None:
    await park(attic, social, dora)
    lane, tried = await lane_to(attic), len(fediverse.requests)
    await says(attic, [dora])
    fediverse.later(days=3)
    await fediverse.settle()

    assert lane.parked
    assert lane.failing_since
    assert timedelta(days=7) < lane.parked - lane.failing_since < timedelta(days=8)
    assert len(fediverse.requests) == tried
    assert await states(attic) == ["waiting"] * 2


@pytest.mark.proves("P-167")
async def test_a_parked_host_is_woken_by_the_first_authentic_thing_that_it_says(
    attic: Studio, social: Receiver, dora: str, fediverse: Fediverse
) -> None:
    uri = await park(attic, social, dora)
    forged = social.activity("Follow", dora, attic.uri)
    await social.sends(attic, forged, key=2)
    await fediverse.settle()
    after_forgery = await states(attic)

    await social.sends(attic, social.activity("Follow", dora, attic.uri))
    await fediverse.settle()

    lane = await lane_to(attic)
    assert after_forgery == ["waiting"]
    assert uri in [one["id"] for one in social.received]
    assert (lane.parked, lane.failing_since, lane.failures) == (None, None, 0)


@pytest.mark.proves("P-167")
async def test_a_host_that_woke_up_but_stumbles_has_another_week(
    attic: Studio, social: Receiver, dora: str, fediverse: Fediverse
) -> None:
    await park(attic, social, dora)
    social.replies = [(503, {})]

    await social.sends(attic, social.activity("Like", dora, f"{attic.home}/x"))
    await fediverse.settle()

    lane = await lane_to(attic)
    assert (lane.parked, lane.failing_since) == (None, fediverse.now)


@pytest.mark.proves("P-165", "P-167")
async def test_a_host_that_asked_for_time_is_not_disturbed_because_it_speaks(
    attic: Studio, social: Receiver, dora: str, fediverse: Fediverse
) -> None:
    social.replies = [(429, {"retry-after": "3600"})]
    await says(attic, [dora])

    await social.sends(attic, social.activity("Like", dora, f"{attic.home}/x"))
    await fediverse.settle()

    assert len([one for one in social.received if one["type"] == "View"]) == 1
    assert (await lane_to(attic)).due == fediverse.now + timedelta(hours=1)


@pytest.mark.proves("P-164", "P-167")
async def test_a_host_that_speaks_while_it_is_delivered_to_gets_nothing_twice(
    attic: Studio, social: Receiver, dora: str, fediverse: Fediverse
) -> None:
    fediverse.asleep.add(social.host)
    await says(attic, [dora])
    fediverse.asleep.clear()
    fediverse.later(hours=1)
    client = attic.instance.client
    client.transport = hanging = Hanging(client.transport, {social.host})
    await attic.lanes.work()
    await hanging.reached.wait()
    tried = len(social.posts)

    await social.sends(attic, social.activity("Like", dora, f"{attic.home}/x"))
    await attic.receipts.work()
    another = Lanes(attic.instance)
    await another.work()
    hanging.answer.set()
    await attic.lanes.finish()
    await another.finish()

    assert (len(social.posts), await states(attic)) == (tried + 1, ["done"])


@pytest.mark.proves("P-167")
@pytest.mark.parametrize("failures", [0, 6])
async def test_a_host_that_was_silent_hears_from_us_as_soon_as_it_speaks(
    attic: Studio, social: Receiver, dora: str, fediverse: Fediverse, failures: int
) -> None:
    fediverse.asleep.add(social.host)
    uri = await says(attic, [dora])
    for _ in range(failures):
        fediverse.later(minutes=30)
        await fediverse.settle()
    fediverse.asleep.clear()
    before, tried = await states(attic), len(social.posts)

    await social.sends(attic, social.activity("Like", dora, f"{attic.home}/x"))
    await fediverse.settle()

    assert before == ["waiting"]
    assert [one["id"] for one in social.received[tried:]] == [uri]


# --- Moved, and gone ---------------------------------------------------------------------------------------------


@pytest.mark.proves("P-165")
@pytest.mark.parametrize("status", [301, 308])
async def test_an_inbox_that_moved_is_looked_up_and_never_followed(
    attic: Studio, social: Receiver, dora: str, fediverse: Fediverse, status: int
) -> None:
    said = [await says(attic, [dora], settle=False) for _ in range(2)]
    social.replies = [(status, {"location": "https://evil.example/inbox"}), (202, {})]
    social.actor("dora", inbox=f"{dora}/new-inbox")
    await fediverse.settle()
    fediverse.later(seconds=2)
    await fediverse.settle()
    await says(attic, [dora])

    assert [one.url.path for one in social.posts] == ["/dora/inbox", *["/dora/new-inbox"] * 3]
    assert [one["id"] for one in social.received][1:3] == said
    assert await states(attic) == ["done"] * 3
    assert not [one for one in fediverse.requests if one.url.host == "evil.example"]


@pytest.mark.proves("P-165")
async def test_a_shared_inbox_that_moved_stays_one_for_all(
    attic: Studio, social: Receiver, dora: str, fediverse: Fediverse
) -> None:
    old, new = ({"sharedInbox": f"{social.home}/{name}"} for name in ("inbox", "new"))
    to = [social.actor(name, endpoints=old) for name in ("dora", "emil")]
    await knows(attic, *to)
    await says(attic, to, collapse=True, settle=False)
    social.replies = [(301, {}), (202, {})]
    for name in ("dora", "emil"):
        social.actor(name, endpoints=new)
    await fediverse.settle()
    fediverse.later(seconds=2)
    await fediverse.settle()

    assert [one.url.path for one in social.posts] == ["/inbox", "/new"]


async def test_what_waits_for_an_old_inbox_is_not_sent_twice_to_the_new(
    attic: Studio, social: Receiver, dora: str, fediverse: Fediverse
) -> None:
    emil = social.actor("emil")
    await knows(attic, emil)
    await says(attic, [dora, emil], settle=False)
    social.replies = [(301, {}), (202, {})]
    social.actor("dora", inbox=f"{emil}/inbox")
    for _ in range(3):
        await fediverse.settle()
        fediverse.later(minutes=1)

    assert sorted(await states(attic)) == ["done", "refused"]
    assert [one.url.path for one in social.posts] == ["/dora/inbox", "/emil/inbox"]


@pytest.mark.proves("P-165")
async def test_an_inbox_that_is_gone_with_its_actor_ends_the_actor_here(
    attic: Studio, social: Receiver, dora: str, fediverse: Fediverse
) -> None:
    social.replies = [(410, {})]
    social.documents["/dora"] = 410

    await says(attic, [dora])

    [row] = [one for one in await attic.knows(Actor) if one.uri == dora]
    assert row.gone == fediverse.now
    assert "waiting" not in await states(attic)
    assert (await lane_to(attic)).due is None


@pytest.mark.proves("P-165")
async def test_an_inbox_that_is_gone_while_its_actor_is_not_ends_the_delivery_alone(
    attic: Studio, social: Receiver, dora: str
) -> None:
    social.replies = [(410, {})]

    await says(attic, [dora])

    [row] = [one for one in await attic.knows(Actor) if one.uri == dora]
    assert row.gone is None
    assert await states(attic) == ["refused"]


async def test_an_inbox_of_nobody_that_moves_is_refused(attic: Studio, social: Receiver, dora: str) -> None:
    await says(attic, [dora], settle=False)
    social.actor("dora", inbox=f"{dora}/new")
    await discovery.fetch(attic.instance, dora)
    social.replies = [(301, {})]

    await attic.fediverse.settle()

    assert await states(attic) == ["refused"]


async def test_lanes_that_are_settled_together_keep_their_own_fortunes(attic: Studio, fediverse: Fediverse) -> None:
    replies = {"a": 202, "b": 503, "c": 403, "d": 202}
    hosts = {name: Receiver(fediverse, f"{name}.example", replies=[(status, {})]) for name, status in replies.items()}
    to = [receiver.actor("dora") for receiver in hosts.values()]
    await knows(attic, *to)

    await says(attic, to)
    await says(attic, to)

    lanes = {one.host[0]: one for one in await attic.knows(Lane)}
    by_lane = await attic.instance.store.read(
        lambda db: db.execute(select(Delivery.lane, Delivery.state).order_by(Delivery.lane, Delivery.id)).all()
    )
    found = {name: [state for lane, state in by_lane if lane[0] == name] for name in replies}
    assert found == {"a": ["done"] * 2, "b": ["waiting"] * 2, "c": ["refused"] * 2, "d": ["done"] * 2}
    assert {name: lane.failures for name, lane in lanes.items()} == {"a": 0, "b": 1, "c": 0, "d": 0}
