"""What is read in the outboxes of others after a sleep, and what is not believed of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from activitypub.document import Json, timestamp
from coop import follows, outboxes, visits
from coop.outboxes import MAX_PAGES
from coop.rounds import PAGES, REQUESTS, TURN
from coop.visits import Visit
from federation import discovery
from federation.tables import BlockedDomain, Object, Receipt
from tests.coop.neighbours import has, holds, neighbours, says
from tests.federation.stranger import AS2, Stranger
from tests.fediverse import Fediverse, Studio

SLEEP = timedelta(days=7)


async def follower(fediverse: Fediverse, stranger: Stranger, name: str = "mia", **more: Any) -> tuple[Studio, str]:
    """A studio that follows somebody of other software, and is awake."""
    attic = fediverse.studios.get("attic.example") or await fediverse.studio("attic")
    mia = stranger.actor(name, outbox=f"{stranger.home}/{name}/outbox", **more)
    await discovery.fetch(attic.instance, mia)
    follow = await attic.does(lambda tx: follows.follow(tx, attic.uri, mia).uri)
    await fediverse.settle()
    await stranger.sends(attic, stranger.activity("Accept", mia, follow))
    await fediverse.settle()
    fediverse.later(seconds=4)
    await attic.upkeep.run_errands()
    return attic, mia


async def sleeps(studio: Studio, rounds: int = 2) -> None:
    studio.fediverse.later(seconds=SLEEP.total_seconds())
    del studio.fediverse.requests[:]
    await goes_on(studio, rounds)


async def goes_on(studio: Studio, rounds: int = 1) -> None:
    for _ in range(rounds):
        await studio.upkeep.run_errands()
        await studio.fediverse.settle()
        studio.fediverse.later(seconds=4)


def create(stranger: Stranger, mia: str, name: str, ago: timedelta, **more: Any) -> Json:
    """Somebody's post so long before the end of the sleep, as it stands in an outbox."""
    when = timestamp(stranger.fediverse.now + SLEEP - ago)
    note = stranger.note(name, mia, published=when, **more)
    return {"id": f"{note['id']}/activity", "type": "Create", "actor": mia, "published": when, "object": note}


def lists(stranger: Stranger, pages: list[list[Json | str]], name: str = "mia") -> None:
    """Have an outbox of so many pages."""
    outbox = f"{stranger.home}/{name}/outbox"
    stranger.documents[f"/{name}/outbox"] = {"@context": AS2, "id": outbox, "type": "OrderedCollection"}
    stranger.documents[f"/{name}/outbox"] |= {"first": f"{outbox}/0"}  # type: ignore[operator]
    for number, items in enumerate(pages):
        page = {"@context": AS2, "id": f"{outbox}/{number}", "type": "OrderedCollectionPage", "orderedItems": items}
        following = {"next": f"{outbox}/{number + 1}"} if number + 1 < len(pages) else {}
        stranger.documents[f"/{name}/outbox/{number}"] = page | following


def hours(number: int) -> timedelta:
    return timedelta(hours=number)


@pytest.mark.proves("P-173", "P-109")
async def test_an_outbox_is_read_back_to_the_sleep_and_some_pages_at_a_time(fediverse: Fediverse) -> None:
    stranger = Stranger(fediverse)
    attic, mia = await follower(fediverse, stranger)
    lists(stranger, [[create(stranger, mia, f"note-{hour}", hours(hour))] for hour in range(0, 240, 24)])

    await sleeps(attic)
    first = [one for one in stranger.asked if "outbox" in one]
    await goes_on(attic, 5)

    pages = [f"/mia/outbox/{number}" for number in range(10)]
    assert first == ["/mia/outbox", *pages[:PAGES]]
    assert [one for one in stranger.asked if "outbox" in one] == ["/mia/outbox", *pages[:9]]  # of which the last is old
    assert {row.uri for row in await attic.knows(Object)} == {f"{stranger.home}/note-{day * 24}" for day in range(8)}
    assert await attic.knows(Visit) == []


@pytest.mark.proves("P-173", "P-109", "P-311")
async def test_an_outbox_without_an_end_is_read_for_some_pages(fediverse: Fediverse) -> None:
    stranger = Stranger(fediverse)
    attic, mia = await follower(fediverse, stranger)
    lists(stranger, [[create(stranger, mia, f"note-{number}", hours(1))] for number in range(MAX_PAGES + 5)])

    await sleeps(attic, 15)

    assert len(await attic.knows(Object)) == MAX_PAGES
    assert await attic.knows(Visit) == []


@pytest.mark.proves("P-173", "P-104", "P-106")
async def test_what_an_outbox_says_of_others_is_not_believed(fediverse: Fediverse) -> None:
    stranger, victim = Stranger(fediverse), Stranger(fediverse, "victim.example", key=6)
    attic, mia = await follower(fediverse, stranger)
    good = create(stranger, mia, "good", hours(1))
    vic, eve = victim.actor("vic"), stranger.actor("eve")
    alien = {**create(victim, vic, "alien", hours(2)), "actor": vic}
    named = {**create(stranger, mia, "named", hours(3)), "id": f"{victim.home}/activity"}
    by_eve = create(stranger, eve, "by-eve", hours(4))
    nameless = {name: value for name, value in create(stranger, mia, "nameless", hours(4)).items() if name != "id"}
    follow = {**good, "id": f"{mia}/follow", "type": "Follow", "object": attic.uri}
    lists(stranger, [[good, alien, named, by_eve, nameless, follow, f"{victim.home}/alien", 7, None, {}]])  # type: ignore[list-item]
    before = {row.uri for row in await attic.knows(Receipt)}

    await sleeps(attic)

    assert {row.uri for row in await attic.knows(Receipt)} - before == {good["id"]}
    assert [row.uri for row in await attic.knows(Object)] == [good["object"]["id"]]
    assert victim.asked == []
    assert await attic.knows(Visit) == []


async def test_what_came_before_is_not_taken_again(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    await shop.upkeep.run_errands()
    post = await says(attic, "Once.")
    fediverse.later(hours=2)
    await goes_on(shop, 3)

    assert [row.uri for row in await shop.knows(Object)] == [post.uri]
    assert [row.uri for row in await shop.knows(Receipt) if row.type == "Create"] == [f"{post.uri}/activity"]


@pytest.mark.proves("P-173")
async def test_activities_that_are_only_named_are_fetched_once_and_from_their_own_server(fediverse: Fediverse) -> None:
    stranger = Stranger(fediverse)
    attic, mia = await follower(fediverse, stranger)
    one = create(stranger, mia, "one", hours(1))
    stranger.documents["/one/activity"] = {"@context": AS2, **one}
    lists(stranger, [[one["id"], one["id"], f"{stranger.home}/gone", "nonsense", "https://elsewhere.example/1"]])

    await sleeps(attic)

    assert stranger.asked.count("/one/activity") == 1
    assert [row.uri for row in await attic.knows(Object)] == [one["object"]["id"]]
    assert {one.url.host for one in fediverse.requests} == {"social.example"}

    fediverse.later(hours=1)
    await sleeps(attic)
    assert "/one/activity" not in stranger.asked


@pytest.mark.proves("P-173", "P-109")
async def test_a_page_of_more_addresses_than_a_turn_has_requests_is_read_in_several(fediverse: Fediverse) -> None:
    stranger = Stranger(fediverse)
    attic, mia = await follower(fediverse, stranger)
    some = [create(stranger, mia, f"note-{number}", hours(1)) for number in range(REQUESTS + 5)]
    for number, one in enumerate(some):
        stranger.documents[f"/note-{number}/activity"] = {"@context": AS2, **one}
    lists(stranger, [[one["id"] for one in some]])

    await sleeps(attic)
    in_one_turn = len([one for one in stranger.asked if "outbox" in one or "activity" in one])
    await goes_on(attic, 2)

    assert in_one_turn == REQUESTS
    assert len(await attic.knows(Object)) == len(some)
    assert await attic.knows(Visit) == []


@pytest.mark.proves("P-173", "P-114")
async def test_an_edit_is_noticed_by_its_date_and_fetched(fediverse: Fediverse) -> None:
    stranger = Stranger(fediverse)
    attic, mia = await follower(fediverse, stranger)
    old = create(stranger, mia, "old", SLEEP + hours(2))
    await stranger.sends(attic, {"@context": AS2, **old})
    await fediverse.settle()
    later = timestamp(fediverse.now + hours(30))
    new = create(stranger, mia, "old", SLEEP + hours(2), content="<p>Anew</p>", updated=later)
    lists(stranger, [[create(stranger, mia, "recent", hours(1)), new]])

    await sleeps(attic)

    assert (await holds(attic, old["object"]["id"])).document["content"] == "<p>Anew</p>"
    assert stranger.asked.count("/old") == 1


async def test_one_edit_that_cannot_be_read_keeps_nothing_else_away(fediverse: Fediverse) -> None:
    stranger = Stranger(fediverse)
    attic, mia = await follower(fediverse, stranger)
    old = create(stranger, mia, "old", SLEEP + hours(2))
    await stranger.sends(attic, {"@context": AS2, **old})
    await fediverse.settle()
    new = create(stranger, mia, "old", SLEEP + hours(2), updated=timestamp(fediverse.now + hours(30)))
    stranger.documents["/old"] = 404
    lists(stranger, [[create(stranger, mia, "recent", hours(1)), new]])

    await sleeps(attic)

    assert await has(attic, f"{stranger.home}/recent")
    assert await attic.knows(Visit) == []


@pytest.mark.proves("P-173", "P-167")
async def test_a_server_that_sleeps_itself_is_asked_again_later_and_keeps_nobody_waiting(fediverse: Fediverse) -> None:
    away, awake = Stranger(fediverse, "away.example"), Stranger(fediverse, "awake.example", key=6)
    attic, mia = await follower(fediverse, away)
    await follower(fediverse, away, "lou")
    _, ben = await follower(fediverse, awake, "ben")
    lists(away, [[create(away, mia, "late", hours(1))]])
    lists(awake, [[create(awake, ben, "soon", hours(1))]], "ben")
    fediverse.asleep.add(away.host)

    await sleeps(attic)

    assert [row.uri for row in await attic.knows(Object)] == [f"{awake.home}/soon"]
    assert [row.failures for row in await attic.knows(Visit)] == [1, 1]
    assert len([one for one in away.asked if "outbox" in one]) == 1
    fediverse.asleep.clear()
    fediverse.later(minutes=1)
    await goes_on(attic)
    assert await has(attic, f"{away.home}/late")


async def test_who_never_answers_is_given_up_after_about_a_week(fediverse: Fediverse) -> None:
    away = Stranger(fediverse, "away.example")
    attic, _ = await follower(fediverse, away)
    fediverse.asleep.add(away.host)
    await sleeps(attic)

    days = 0
    while await attic.knows(Visit) and days < 30:
        days += 1
        for _ in range(4):
            await outboxes.read(attic.instance)
            fediverse.later(hours=6)

    assert 4 < days < 14


async def test_an_outbox_on_another_server_is_nobodys(fediverse: Fediverse) -> None:
    stranger, other = Stranger(fediverse), Stranger(fediverse, "other.example", key=6)
    attic, mia = await follower(fediverse, stranger, "mia")
    stranger.documents["/mia"] |= {"outbox": f"{other.home}/mia/outbox"}  # type: ignore[operator]
    await discovery.fetch(attic.instance, mia)
    lists(other, [[create(stranger, mia, "one", hours(1))]])

    await sleeps(attic)

    assert other.asked == []
    assert await attic.knows(Visit) == []


async def test_a_blocked_server_is_not_asked_what_it_said(fediverse: Fediverse) -> None:
    stranger = Stranger(fediverse)
    attic, mia = await follower(fediverse, stranger)
    lists(stranger, [[create(stranger, mia, "one", hours(1))]])
    await attic.does(lambda tx: tx.db.add(BlockedDomain(host=stranger.host, since=tx.now)))
    attic.instance.store.topic("blocks").set()

    await sleeps(attic)

    assert stranger.asked == []


async def test_a_server_has_its_turn_and_then_others_have_theirs(fediverse: Fediverse) -> None:
    """Every answer takes so long that a turn is over after the second."""
    stranger = Stranger(fediverse)
    attic, mia = await follower(fediverse, stranger)
    lists(stranger, [[create(stranger, mia, f"note-{number}", hours(1))] for number in range(3)])
    answer = stranger.answer

    def slowly(request: httpx.Request) -> httpx.Response:
        fediverse.later(seconds=TURN.total_seconds() * 0.6)
        return answer(request)

    fediverse.strangers[stranger.host] = slowly
    await sleeps(attic)
    asked = [one for one in stranger.asked if "outbox" in one]
    await goes_on(attic, 3)

    assert asked == ["/mia/outbox", "/mia/outbox/0"]
    assert len(await attic.knows(Object)) == 3


async def test_nothing_more_is_looked_for_while_much_waits_to_be_worked_through(fediverse: Fediverse) -> None:
    stranger = Stranger(fediverse)
    attic, mia = await follower(fediverse, stranger)
    lists(stranger, [[create(stranger, mia, "one", hours(1))]])
    await attic.does(lambda tx: visits.plan(tx, "outbox", follows.following(attic.uri), tx.now))
    later = {"due": fediverse.now + timedelta(days=1), "received": fediverse.now, "proven": True, "body": b""}
    rows = [{"uri": f"{mia}/{number}", "type": "View", "actor": mia, **later} for number in range(outboxes.CROWDED)]
    await attic.does(lambda tx: tx.add_all_new(Receipt, rows))
    del fediverse.requests[:]

    await outboxes.read(attic.instance)
    crowded = stranger.asked
    await attic.does(lambda tx: tx.db.execute(Receipt.__table__.delete()))  # type: ignore[attr-defined]
    await outboxes.read(attic.instance)

    assert (crowded, stranger.asked) == ([], ["/mia/outbox", "/mia/outbox/0"])


async def test_whoever_follows_asks_for_followers_may_be_shown_more(fediverse: Fediverse) -> None:
    stranger = Stranger(fediverse)
    attic, mia = await follower(fediverse, stranger)
    lists(stranger, [[create(stranger, mia, "one", hours(1), to=[f"{mia}/followers"])]])

    await sleeps(attic)

    asked = [one for one in fediverse.requests if "outbox" in one.url.path]
    assert all(f'keyId="{attic.uri}#main-key"' in one.headers["signature"] for one in asked)
    assert (await holds(attic, f"{stranger.home}/one")).visibility == "followers"
