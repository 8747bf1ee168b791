"""What is done now and then: names confirmed, actors asked again, what nobody needs forgotten, a little at a time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update
from structlog.testing import capture_logs

from activitypub.actor import RFC9421
from federation import discovery, outbox, registry
from federation.forgetting import SOME
from federation.instance import Instance
from federation.known import Missing
from federation.store import Transaction, Unavailable
from federation.tables import Activity, Actor, Delivery, Lane, Receipt
from tests.federation.receiver import Receiver, knows, lane_to, says, states
from tests.federation.test_discovery import Named, address_of
from tests.fediverse import Fediverse, Studio


@pytest.fixture
async def attic(fediverse: Fediverse) -> Studio:
    return await fediverse.studio("attic")


@pytest.fixture
def social(fediverse: Fediverse) -> Named:
    return Named(fediverse)


async def keeps_up(studio: Studio) -> None:
    await studio.upkeep.work()


@pytest.mark.proves("P-017", "P-018")
async def test_names_are_confirmed_soon_after_their_owner_is_met(attic: Studio, social: Named) -> None:
    dora = social.actor("dora")
    social.names("dora@social.example", dora)
    await knows(attic, dora)

    before = await address_of(attic, dora)
    await keeps_up(attic)

    assert (before, await address_of(attic, dora)) == (None, "dora@social.example")


@pytest.mark.proves("P-017")
async def test_a_name_that_led_nowhere_is_asked_about_again_a_day_later(
    attic: Studio, social: Named, fediverse: Fediverse
) -> None:
    dora = social.actor("dora")
    await knows(attic, dora)
    await keeps_up(attic)
    fediverse.later(minutes=2)
    await keeps_up(attic)
    asked = social.asked.count("/.well-known/webfinger")

    social.names("dora@social.example", dora)
    fediverse.later(days=1)
    await keeps_up(attic)

    assert asked == 1
    assert await address_of(attic, dora) == "dora@social.example"


async def test_a_round_is_done_once_a_minute(attic: Studio, social: Named, fediverse: Fediverse) -> None:
    rounds = []
    for number, seconds in enumerate((0, 30, 30)):
        await knows(attic, social.actor(f"bot{number}"))
        fediverse.later(seconds=seconds)
        await keeps_up(attic)
        rounds.append(social.asked.count("/.well-known/webfinger"))

    assert rounds == [1, 1, 3]


@pytest.mark.proves("P-327")
async def test_a_crowd_of_strangers_is_asked_about_a_few_at_a_time(
    attic: Studio, social: Named, fediverse: Fediverse
) -> None:
    await knows(attic, *(social.actor(f"bot{number}") for number in range(50)))
    asked = len(social.asked)

    await keeps_up(attic)

    assert len(social.asked) - asked == 20


@pytest.mark.proves("P-075")
async def test_actors_in_use_are_asked_again_after_a_day(attic: Studio, social: Named, fediverse: Fediverse) -> None:
    dora = social.actor("dora")
    social.names("dora@social.example", dora)
    await social.sends(attic, social.activity("Like", dora, f"{attic.home}/x"))
    await keeps_up(attic)
    before = social.documents["/dora"]
    assert isinstance(before, dict)
    social.documents["/dora"] = {**before, "name": "Dora of the Docks"}
    fediverse.later(hours=25)
    attic.instance.keyring.clear()  # which forgets within a day
    await social.sends(attic, social.activity("Like", dora, f"{attic.home}/y"))

    await keeps_up(attic)

    assert [one.name for one in await attic.knows(Actor) if one.uri == dora] == ["Dora of the Docks"]
    assert attic.instance.stale == set()


@pytest.mark.proves("P-118")
async def test_a_stale_actor_that_is_gone_is_deleted_only_when_it_is_sure(
    attic: Studio, social: Named, fediverse: Fediverse
) -> None:
    dora = social.actor("dora")
    await knows(attic, dora)
    social.documents["/dora"] = 410

    gone = []
    for _ in range(2):
        attic.instance.stale.add(dora)
        await keeps_up(attic)
        gone += [one.gone for one in await attic.knows(Actor) if one.uri == dora]
        fediverse.later(hours=2)

    assert gone[0] is None
    assert gone[1] is not None


async def test_one_that_cannot_be_asked_keeps_nobody_from_being_asked(
    attic: Studio, social: Named, fediverse: Fediverse
) -> None:
    silent, dora = Named(fediverse, "silent.example"), social.actor("dora")
    social.names("dora@social.example", dora)
    await knows(attic, silent.actor("finn"), dora)
    attic.instance.stale |= {f"{silent.home}/finn", "https://nowhere.example/nobody"}
    fediverse.asleep.add(silent.host)

    await keeps_up(attic)

    assert await address_of(attic, dora) == "dora@social.example"


@pytest.mark.proves("P-103", "P-327")
async def test_what_is_old_is_forgotten_in_small_batches(attic: Studio, fediverse: Fediverse) -> None:
    def remember(tx: Any) -> None:
        for number in range(SOME + 10):
            one = {"uri": f"https://a.example/{number}", "type": "Like", "actor": "https://a.example/a"}
            tx.add_new(Receipt, **one, proven=True, body=b"", received=tx.now, due=tx.now, state="done")

    await attic.does(remember)
    left = []
    for days in (89, 2, 1):
        fediverse.later(days=days)
        await keeps_up(attic)
        left.append(len(await attic.knows(Receipt)))

    assert left == [SOME + 10, 10, 0]


async def test_where_a_post_got_to_is_forgotten_after_a_month_but_not_the_post(
    attic: Studio, fediverse: Fediverse
) -> None:
    receiver = Receiver(fediverse)
    dora = receiver.actor("dora")
    await knows(attic, dora)
    await says(attic, [dora])

    left = []
    for days in (29, 2):
        fediverse.later(days=days)
        await keeps_up(attic)
        left.append((len(await attic.knows(Delivery)), len(await attic.knows(Activity))))

    assert left == [(1, 1), (0, 1)]


@pytest.mark.proves("P-327")
async def test_what_was_passed_on_for_others_is_forgotten_once_it_has_arrived(
    attic: Studio, fediverse: Fediverse
) -> None:
    fans, social = Receiver(fediverse, "fans.example"), Receiver(fediverse)
    to, author = fans.actor("finn"), social.actor("dora")
    await knows(attic, to, author)
    body = b'{"id":"https://social.example/1","type":"Create","actor":"https://social.example/dora"}'
    await attic.does(lambda tx: outbox.forward(tx, body, attic.uri, select(Actor.uri).where(Actor.uri == to)))
    await fediverse.settle()

    sent = len(fans.posts)
    kept = []
    for days in (29, 2):
        fediverse.later(days=days)
        await keeps_up(attic)
        kept.append((len(await attic.knows(Activity)), len(await attic.knows(Delivery))))

    assert sent == 1
    assert kept == [(1, 1), (0, 0)]


@pytest.mark.proves("P-327", "P-120")
async def test_answers_to_strangers_are_forgotten_once_they_have_arrived_and_nothing_else_is(
    attic: Studio, fediverse: Fediverse
) -> None:
    fans, asleep = Receiver(fediverse), Receiver(fediverse, "asleep.example")
    for one in (fans, asleep):
        await one.sends(attic, one.activity("Follow", one.actor("finn"), attic.uri))
    fediverse.asleep.add(asleep.host)
    await fediverse.settle()
    said = await says(attic, [f"{fans.home}/finn"])

    kept = []
    for days in (2, 27, 2):
        fediverse.later(days=days)
        await fediverse.settle()
        await keeps_up(attic)
        kept.append(sorted(one.type for one in await attic.knows(Activity)))
    [mine] = [one for one in await attic.knows(Activity) if one.uri == said]

    assert kept == [["Accept", "Accept", "View"], ["Accept", "Accept", "View"], ["Accept", "View"]]
    assert mine.until is None


# --- Hosts that are silent ---------------------------------------------------------------------------------------


async def park(attic: Studio, receiver: Receiver) -> None:
    dora = receiver.actor("dora")
    await knows(attic, dora)
    attic.fediverse.asleep.add(receiver.host)
    await says(attic, [dora])
    for _ in range(16):
        attic.fediverse.later(hours=18)
        await attic.fediverse.settle()
    assert (await lane_to(attic)).parked


@pytest.mark.proves("P-167")
async def test_a_parked_host_is_asked_once_a_day_and_woken_when_it_answers(attic: Studio, fediverse: Fediverse) -> None:
    receiver = Receiver(fediverse)
    await park(attic, receiver)
    fediverse.later(days=1)
    await keeps_up(attic)
    fediverse.asleep.clear()
    receiver.documents["/.well-known/nodeinfo"] = {"links": []}
    fediverse.later(hours=12)
    await keeps_up(attic)
    between = (await lane_to(attic)).parked

    fediverse.later(hours=13)
    await keeps_up(attic)
    await fediverse.settle()

    assert between
    assert (await lane_to(attic)).parked is None
    assert await states(attic) == ["done"]


@pytest.mark.proves("P-167")
async def test_a_host_that_answers_without_being_a_server_of_ours_stays_parked(
    attic: Studio, fediverse: Fediverse
) -> None:
    receiver = Receiver(fediverse)
    await park(attic, receiver)
    fediverse.asleep.clear()

    fediverse.later(days=1, hours=1)
    await keeps_up(attic)

    assert (await lane_to(attic)).parked


@pytest.mark.proves("P-327")
async def test_what_waits_for_a_host_that_never_comes_back_is_dropped_after_a_month_and_the_host_too(
    attic: Studio, fediverse: Fediverse
) -> None:
    receiver = Receiver(fediverse)
    await park(attic, receiver)

    fediverse.later(days=20)
    await keeps_up(attic)
    before = await states(attic)
    fediverse.later(days=10)
    await keeps_up(attic)
    [dropped] = await attic.knows(Delivery)

    assert before == ["waiting"]
    assert (dropped.state, dropped.error) == ("refused", "nobody was there for more than a month")
    assert await attic.knows(Lane) == []


@pytest.mark.proves("P-072", "P-327")
async def test_a_host_that_we_have_nothing_for_is_forgotten_after_a_month(attic: Studio, fediverse: Fediverse) -> None:
    receiver = Receiver(fediverse)
    dora = receiver.actor("dora")
    await knows(attic, dora)
    await says(attic, [dora])
    fediverse.later(days=29)
    await keeps_up(attic)
    before = len(await attic.knows(Lane))
    fediverse.later(days=2)
    await keeps_up(attic)

    assert (before, await attic.knows(Lane)) == (1, [])
    await knows(attic, dora)
    await says(attic, [dora])
    assert len(receiver.posts) == 2


@pytest.mark.proves("P-327")
async def test_a_host_of_which_we_know_only_what_it_says_it_reads_is_forgotten_as_well(
    attic: Studio, fediverse: Fediverse
) -> None:
    reads = {"type": "Application", "implements": [RFC9421]}
    await knows(attic, Receiver(fediverse).actor("dora", generator=reads))
    before = len(await attic.knows(Lane))
    fediverse.later(days=31)
    await keeps_up(attic)

    assert (before, await attic.knows(Lane)) == (1, [])


async def test_whoever_vanished_while_being_asked_about_harms_nobody(attic: Studio, social: Named) -> None:
    dora = social.actor("dora")
    await knows(attic, dora)
    await attic.does(lambda tx: tx.db.execute(update(Actor).where(Actor.uri == dora).values(uri=f"{dora}2")))

    with pytest.raises(Missing):
        await discovery.confirm_address(attic.instance, dora)
    await keeps_up(attic)


@pytest.mark.proves("P-327")
async def test_one_who_is_asked_and_trips_us_up_harms_nobody(
    attic: Studio, social: Named, fediverse: Fediverse
) -> None:
    odd, emil = Named(fediverse, "odd.example"), social.actor("emil")
    social.names("emil@social.example", emil)
    await knows(attic, emil, odd.actor("finn"))
    old = {"uri": f"{emil}/1", "type": "Like", "actor": emil, "proven": True, "body": b"", "state": "done"}
    await attic.does(lambda tx: tx.add_new(Receipt, **old, received=tx.now - timedelta(days=91), due=tx.now))

    def trip(request: httpx.Request) -> httpx.Response:
        raise RuntimeError("a bug")

    fediverse.strangers[odd.host] = trip
    fediverse.later(hours=1)

    with capture_logs() as logs:
        await keeps_up(attic)

    assert await address_of(attic, emil) == "emil@social.example"
    assert await attic.knows(Receipt) == []
    assert [one["about"] for one in logs] == [f"{odd.home}/finn"]


@pytest.mark.parametrize("trouble", [AssertionError("a bug"), Unavailable("the disk is full")], ids=["bug", "disk"])
async def test_a_chore_or_an_errand_that_fails_stops_no_other(
    attic: Studio, monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    done: list[str] = []

    def chore(tx: Transaction) -> bool:
        done.append("chore")
        return False

    async def errand(here: Instance) -> None:
        done.append("errand")

    def bad_chore(tx: Transaction) -> bool:
        raise trouble

    async def bad_errand(here: Instance) -> None:
        raise trouble

    daily = timedelta(days=1)
    monkeypatch.setattr(registry, "_chores", [(bad_chore, daily), (chore, daily)])
    monkeypatch.setattr(registry, "_errands", [(bad_errand, daily), (errand, daily)])

    await keeps_up(attic)
    await keeps_up(attic)

    assert done == ["chore", "errand"]
