"""How much anybody may send: counted against who is proven to have sent it, and generous to those who catch up."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from coop import posts, reactions
from coop.posts import Draft
from coop.reactions import Reaction
from federation.allowance import OF_ACTOR, OF_SITE, PAUSE, Allowance, Senders, TooOften
from federation.tables import Receipt
from tests.federation.receiver import lane_to
from tests.federation.stranger import Stranger
from tests.fediverse import Fediverse, Studio


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def attic(fediverse: Fediverse, clock: Clock) -> Studio:
    """It takes two things of an actor and five of a server; within a minute it has room for another."""
    senders = Senders(Allowance(2, 1 / 60, clock), Allowance(5, 1 / 60, clock))
    return await fediverse.studio("attic", senders=senders)


@pytest.fixture
def social(fediverse: Fediverse) -> Stranger:
    return Stranger(fediverse)


async def likes(social: Stranger, attic: Studio, actor: str, times: int, **how: Any) -> list[httpx.Response]:
    """What is answered to each of so many activities of no great meaning."""
    return [await social.sends(attic, social.activity("Like", actor, attic.home), **how) for _ in range(times)]


def statuses(answers: list[httpx.Response]) -> list[int]:
    return [one.status_code for one in answers]


@pytest.mark.proves("P-332")
async def test_an_actor_who_floods_us_is_told_when_to_come_back_and_nothing_of_it_is_kept(
    attic: Studio, social: Stranger, clock: Clock
) -> None:
    cleo, dora = social.actor("cleo"), social.actor("dora")

    answers = await likes(social, attic, cleo, 4)
    kept = len(await attic.knows(Receipt))
    others = await likes(social, attic, dora, 1)
    clock.now += PAUSE
    later = await likes(social, attic, cleo, 2)

    assert statuses(answers) == [202, 202, 429, 429]
    assert answers[-1].headers["retry-after"] == str(PAUSE)
    assert "https://social.example/cleo" in answers[-1].json()["error"]
    assert kept == 2
    assert (statuses(others), statuses(later)) == ([202], [202, 429])


@pytest.mark.proves("P-332", "P-327")
async def test_a_thousand_actors_and_subdomains_of_one_domain_count_together(
    attic: Studio, fediverse: Fediverse
) -> None:
    crowd = [Stranger(fediverse, f"s{number}.bots.example") for number in range(7)]
    other = Stranger(fediverse, "calm.example")

    answers = [(await likes(one, attic, one.actor("bot"), 1))[0] for one in crowd]

    assert statuses(answers) == [202] * 5 + [429] * 2
    assert statuses(await likes(other, attic, other.actor("emil"), 1)) == [202]


@pytest.mark.proves("P-332")
async def test_nobody_uses_up_what_is_anothers(attic: Studio, social: Stranger, fediverse: Fediverse) -> None:
    cleo, evil = social.actor("cleo"), Stranger(fediverse, "evil.example", key=3)
    mallory = evil.actor("mallory")

    forged = await likes(social, attic, cleo, 9, key=3)
    brought = [await evil.sends(attic, social.activity("Delete", cleo, cleo + str(n)), by=mallory) for n in range(9)]

    assert set(statuses(forged)) == {401}
    assert statuses(brought)[-1] == 429
    assert statuses(await likes(social, attic, cleo, 2)) == [202, 202]


@pytest.mark.proves("P-332", "P-165")
async def test_a_peer_that_catches_up_loses_nothing(attic: Studio, fediverse: Fediverse, clock: Clock) -> None:
    shop = await fediverse.studio("shop")
    await shop.follows(attic)
    await fediverse.settle()
    said = [await attic.does(lambda tx, n=n: posts.publish(tx, attic.uri, Draft(f"Shelf {n}")).uri) for n in range(5)]  # type: ignore[misc]
    await fediverse.settle()

    for uri in said:
        await shop.does(lambda tx, uri=uri: reactions.like(tx, shop.uri, uri))  # type: ignore[misc]
    await fediverse.settle()
    first = len(await attic.knows(Reaction))
    told = (await lane_to(shop, attic.host)).error or ""
    for _ in range(9):
        clock.now += PAUSE
        fediverse.later(seconds=PAUSE)
        await fediverse.settle()

    assert first < 5
    assert "429" in told
    assert len(await attic.knows(Reaction)) == 5


@pytest.mark.proves("P-332")
def test_a_busy_relay_and_a_co_op_that_was_away_for_weeks_are_within_it(clock: Clock) -> None:
    senders = Senders(Allowance(*OF_ACTOR, clock), Allowance(*OF_SITE, clock))

    for _ in range(3_000):  # all that one member said meanwhile, as fast as it can be sent
        senders.take("https://shop.example/bo", "shop.example")
    with pytest.raises(TooOften):
        senders.take("https://shop.example/bo", "shop.example")
    for _ in range(36_000):  # an hour of ten things a second
        clock.now += 0.1
        senders.take("https://relay.example/actor", "relay.example")


@pytest.mark.proves("P-332", "P-327")
def test_whoever_writes_at_length_may_write_less_often(clock: Clock) -> None:
    senders = Senders(Allowance(130, 1, clock), Allowance(1_000, 1, clock))
    whole = 2**20

    for _ in range(2):
        senders.take("https://shop.example/bo", "shop.example", whole)
    with pytest.raises(TooOften):
        senders.take("https://shop.example/bo", "shop.example")
    senders.take("https://shop.example/cy", "shop.example", 2_000)


@pytest.mark.proves("P-332")
@pytest.mark.parametrize("site", ["127.0.0.1:8001", "localhost:8001", "attic.localhost"])
def test_another_server_on_this_machine_is_not_counted(clock: Clock, site: str) -> None:
    senders = Senders(Allowance(1, 1, clock), Allowance(1, 1, clock))

    for _ in range(3):
        senders.take(f"http://{site}/actors/a", site)
    senders.take("https://192.0.2.1/a", "192.0.2.1")

    with pytest.raises(TooOften):
        senders.take("https://192.0.2.1/a", "192.0.2.1")
