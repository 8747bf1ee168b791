"""The lanes: each in order, none waiting for another, and nothing sent less than once."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import httpx
import pytest
from cachetools import TTLCache
from sqlalchemy import delete, event, text, update
from yarl import URL

from activitypub.actor import RFC9421
from federation import settling
from federation.guard import Limits
from federation.instance import KEPT
from federation.lanes import Lanes
from federation.tables import Activity, Delivery
from federation.transport import Response, Transport
from tests.federation.receiver import Receiver, Reply, knows, lane_to, says, states
from tests.fediverse import Fediverse, Studio


@pytest.fixture
async def attic(fediverse: Fediverse) -> Studio:
    return await fediverse.studio("attic")


@pytest.fixture
async def dora(attic: Studio, social: Receiver) -> str:
    uri = social.actor("dora")
    await knows(attic, uri)
    return uri


@pytest.fixture
def social(fediverse: Fediverse) -> Receiver:
    return Receiver(fediverse)


def ids(receiver: Receiver) -> list[str]:
    return [one["id"] for one in receiver.received]


@dataclass
class Hanging:
    """Wires on which nothing comes back from `hosts` until `answer` is set."""

    inner: Transport
    hosts: set[str]
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    passed: asyncio.Event = field(default_factory=asyncio.Event)  # something else came by
    answer: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def request(
        self, method: str, url: URL, headers: dict[str, str], body: bytes | None = None
    ) -> AsyncIterator[Response]:
        if url.host in self.hosts:
            self.reached.set()
            await self.answer.wait()
        async with self.inner.request(method, url, headers, body) as response:
            self.passed.set()
            yield response

    async def close(self) -> None:
        await self.inner.close()


@pytest.mark.proves("P-164")
async def test_a_host_gets_everything_in_the_order_in_which_it_was_said(
    attic: Studio, social: Receiver, dora: str, fediverse: Fediverse
) -> None:
    social.replies = [(202, {}), (503, {}), (202, {})]

    said = [await says(attic, [dora], settle=False) for _ in range(5)]
    await fediverse.settle()
    before = ids(social)
    fediverse.later(minutes=1)
    await fediverse.settle()

    assert before == said[:2]
    assert ids(social) == [said[0], said[1], *said[1:]]


@pytest.mark.proves("P-164", "P-165")
async def test_what_is_refused_for_good_holds_up_nothing_behind_it(
    attic: Studio, social: Receiver, dora: str, fediverse: Fediverse
) -> None:
    social.replies = [(403, {}), (202, {})]

    said = [await says(attic, [dora], settle=False) for _ in range(3)]
    await fediverse.settle()

    assert ids(social) == said
    assert await states(attic) == ["refused", "done", "done"]


@pytest.mark.proves("P-164")
async def test_hosts_that_hang_hold_up_no_other(
    attic: Studio, social: Receiver, dora: str, fediverse: Fediverse
) -> None:
    slow = [Receiver(fediverse, f"slow{number}.example") for number in range(20)]
    to = [one.actor("finn") for one in slow]
    await knows(attic, *to)
    client = attic.instance.client
    client.transport = hanging = Hanging(client.transport, {one.host for one in slow})

    await says(attic, [*to, dora], settle=False)
    await attic.lanes.work()
    await hanging.passed.wait()

    assert len(social.posts) == 1
    assert not any(one.posts for one in slow)
    hanging.answer.set()
    await attic.lanes.finish()
    assert {len(one.posts) for one in slow} == {1}


async def test_what_arrives_at_many_hosts_at_once_is_written_down_together(attic: Studio, fediverse: Fediverse) -> None:
    to = [Receiver(fediverse, f"host{number}.example").actor("dora") for number in range(30)]
    await knows(attic, *to)
    await says(attic, to, settle=False)
    await attic.upkeep.do_chores()  # which are not what is counted
    commits: list[object] = []
    event.listen(attic.instance.store.engine, "commit", commits.append)

    await fediverse.settle()

    assert await states(attic) == ["done"] * 30
    assert len(commits) < 15


async def test_what_is_said_while_a_lane_is_under_way_follows_at_once(
    attic: Studio, social: Receiver, dora: str
) -> None:
    client = attic.instance.client
    client.transport = hanging = Hanging(client.transport, {social.host})

    first = await says(attic, [dora], settle=False)
    await attic.lanes.work()
    await hanging.reached.wait()
    second = await says(attic, [dora], settle=False)
    hanging.answer.set()
    await attic.lanes.finish()

    assert ids(social) == [first, second]


async def test_what_is_under_way_is_not_sent_by_another_process_too(attic: Studio, social: Receiver, dora: str) -> None:
    client = attic.instance.client
    client.transport = hanging = Hanging(client.transport, {social.host})

    await says(attic, [dora], settle=False)
    await attic.lanes.work()
    another = Lanes(attic.instance)
    await another.work()
    await another.finish()
    hanging.answer.set()
    await attic.lanes.finish()

    assert len(social.posts) == 1


async def test_after_a_crash_what_was_under_way_is_sent_again_once_its_lease_ends(
    attic: Studio, social: Receiver, dora: str, fediverse: Fediverse
) -> None:
    await says(attic, [dora], settle=False)
    await attic.does(lambda tx: settling.claim(tx, (), 10))  # and the power fails
    await fediverse.settle()
    during = len(social.posts)

    fediverse.later(minutes=3)
    await fediverse.settle()

    assert (during, len(social.posts)) == (0, 1)


async def test_the_only_process_takes_up_at_once_what_an_earlier_run_held(
    attic: Studio, social: Receiver, dora: str, fediverse: Fediverse
) -> None:
    await says(attic, [dora], settle=False)
    await attic.does(lambda tx: settling.claim(tx, (), 10))

    await attic.does(settling.release)
    await fediverse.settle()

    assert len(social.posts) == 1


async def test_whoever_stops_settles_nothing_that_was_under_way(attic: Studio, social: Receiver, dora: str) -> None:
    client = attic.instance.client
    client.transport = Hanging(client.transport, {social.host})
    await says(attic, [dora], settle=False)
    await attic.lanes.work()

    attic.lanes.stop()
    with pytest.raises(asyncio.CancelledError):
        await attic.lanes.finish()

    lane = await lane_to(attic)
    assert (await states(attic), lane.failures, lane.error) == (["waiting"], 0, None)


async def test_what_cannot_be_settled_is_sent_again_after_its_lease(
    attic: Studio, social: Receiver, dora: str, fediverse: Fediverse
) -> None:
    client, engine = attic.instance.client, attic.instance.store.engine
    client.transport = hanging = Hanging(client.transport, {social.host})
    await says(attic, [dora], settle=False)
    await attic.lanes.work()
    await hanging.reached.wait()
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE deliveries RENAME TO not_there"))
    hanging.answer.set()

    await attic.lanes.finish()
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE not_there RENAME TO deliveries"))
    fediverse.later(minutes=3)
    await fediverse.settle()

    assert len(social.posts) == 2
    assert await states(attic) == ["done"]


@pytest.mark.proves("P-164")
async def test_a_key_that_is_forgotten_as_it_is_needed_loses_no_mail(
    attic: Studio, social: Receiver, dora: str
) -> None:
    moments = itertools.count(step=0.4)
    attic.instance._signers = TTLCache(10, KEPT, timer=lambda: next(moments))

    said = [await says(attic, [dora]) for _ in range(9)]

    assert ids(social) == said
    assert set(await states(attic)) == {"done"}


async def test_what_is_not_kept_any_more_is_not_sent(attic: Studio, social: Receiver, dora: str) -> None:
    await says(attic, [dora], settle=False)
    await attic.does(lambda tx: tx.db.execute(delete(Activity)))
    await attic.fediverse.settle()

    assert social.posts == []
    assert await states(attic) == ["refused"]


async def test_a_lane_with_nothing_to_send_rests(attic: Studio, social: Receiver, dora: str) -> None:
    await says(attic, [dora], settle=False)
    await attic.does(lambda tx: tx.db.execute(delete(Delivery)))
    await attic.fediverse.settle()

    assert (await lane_to(attic)).due is None


async def test_an_address_that_is_none_is_refused_in_words(
    attic: Studio, social: Receiver, dora: str, fediverse: Fediverse
) -> None:
    await says(attic, [dora], settle=False)
    await attic.does(lambda tx: tx.db.execute(update(Delivery).values(inbox="https://[broken/inbox")))
    await fediverse.settle()

    [delivery] = await attic.knows(Delivery)
    assert delivery.state == "refused"
    assert "not a web address" in (delivery.error or "")


# --- Which signature a host takes --------------------------------------------------------------------------------


def only(scheme: str) -> Callable[[httpx.Request], Reply]:
    """Takes what is signed in that dialect alone."""

    def answer(request: httpx.Request) -> Reply:
        modern = "signature-input" in request.headers
        return (202, {}) if modern == (scheme == "rfc9421") else (401, {})

    return answer


def dialects(receiver: Receiver) -> list[str]:
    return ["rfc9421" if "signature-input" in one.headers else "cavage" for one in receiver.posts]


@pytest.mark.proves("P-070", "P-071", "P-072")
async def test_a_lane_remembers_which_signature_its_host_takes_and_learns_anew(
    attic: Studio, social: Receiver, dora: str, fediverse: Fediverse
) -> None:
    social.replies = [only("rfc9421")]
    await says(attic, [dora])
    learnt = dialects(social)
    await says(attic, [dora])
    remembered = dialects(social)[len(learnt) :]
    social.replies = [only("cavage")]
    await says(attic, [dora])
    replaced = dialects(social)[3:]

    assert learnt == ["cavage", "rfc9421"]
    assert remembered == ["rfc9421"]
    assert replaced == ["rfc9421", "cavage"]
    assert (await lane_to(attic)).dialect == "cavage"


@pytest.mark.proves("P-072")
@pytest.mark.parametrize(("hours", "expected"), [(23, ["rfc9421"]), (25, ["cavage", "rfc9421"])])
async def test_a_host_is_asked_every_day_which_signature_it_takes(
    attic: Studio, social: Receiver, dora: str, fediverse: Fediverse, hours: int, expected: list[str]
) -> None:
    social.replies = [only("rfc9421")]
    await says(attic, [dora])
    fediverse.later(hours=hours)

    await says(attic, [dora])

    assert dialects(social)[2:] == expected


@pytest.mark.proves("P-072")
async def test_new_software_that_accepts_and_drops_what_the_old_took_loses_no_more_than_a_days_mail(
    attic: Studio, social: Receiver, dora: str, fediverse: Fediverse
) -> None:
    social.replies = [only("rfc9421")]
    await says(attic, [dora])
    social.replies = [(202, {})]  # and reads nothing but draft-cavage
    for _ in range(3):
        fediverse.later(hours=20)
        await says(attic, [dora])

    assert dialects(social)[2:] == ["rfc9421", "cavage", "cavage"]


MODERN = {"type": "Application", "implements": [{"href": RFC9421, "name": "RFC-9421: HTTP Message Signatures"}]}


@pytest.mark.proves("P-073")
async def test_a_server_that_says_it_reads_rfc_9421_gets_it_from_the_first_mail_on(
    attic: Studio, social: Receiver, dora: str, fediverse: Fediverse
) -> None:
    social.actor("dora", generator=MODERN)
    fediverse.later(hours=1)
    await knows(attic, dora)  # her server has been updated since

    await says(attic, [dora])
    social.replies = [only("cavage")]
    await says(attic, [dora])
    await says(attic, [dora])

    assert dialects(social) == ["rfc9421", "rfc9421", "cavage", "cavage"]


@pytest.mark.proves("P-070", "P-073")
async def test_what_a_host_was_seen_to_take_counts_for_more_than_what_it_says(
    attic: Studio, social: Receiver, dora: str, fediverse: Fediverse
) -> None:
    await says(attic, [dora])
    social.actor("dora", generator=MODERN)
    await knows(attic, dora)
    await says(attic, [dora])
    fediverse.later(days=1)
    await knows(attic, dora)
    await says(attic, [dora])

    assert dialects(social) == ["cavage", "cavage", "rfc9421"]


@pytest.mark.proves("P-071", "P-072")
@pytest.mark.parametrize("status", [403, 404, 429, 503])
async def test_other_answers_to_the_first_knock_are_no_reason_for_a_second(
    attic: Studio, social: Receiver, dora: str, status: int
) -> None:
    social.replies = [(status, {})]

    await says(attic, [dora])

    assert dialects(social) == ["cavage"]


@pytest.mark.proves("P-072")
async def test_two_knocks_are_one_failure(attic: Studio, social: Receiver, dora: str) -> None:
    social.replies = [(401, {})]

    await says(attic, [dora])

    assert dialects(social) == ["cavage", "rfc9421"]
    assert (await lane_to(attic)).failures == 1


def test_a_lease_is_longer_than_two_knocks() -> None:
    assert timedelta(seconds=2 * Limits().total) < settling.LEASE
