"""Where a post has got to, as its author is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import update

from coop import posts
from federation import progress
from federation.progress import Progress, Refused, Waiting
from federation.tables import Lane
from tests.fediverse import Fediverse, Studio


async def says(studio: Studio, text: str) -> str:
    uri = await studio.does(lambda tx: posts.publish(tx, studio.uri, posts.Draft(text)).uri)
    await studio.fediverse.settle()
    return uri


async def where_is(studio: Studio, uri: str) -> Progress:
    return await studio.instance.store.read(lambda db: progress.where_is(db, uri))


async def followed(fediverse: Fediverse) -> tuple[Studio, Studio, Studio]:
    attic = await fediverse.studio("attic")
    shop, barn = await fediverse.studio("shop"), await fediverse.studio("barn")
    for other in (shop, barn):
        await other.follows(attic)
    await fediverse.settle()
    return attic, shop, barn


@pytest.mark.proves("P-167")
async def test_the_author_sees_who_has_it_and_who_sleeps(fediverse: Fediverse) -> None:
    attic, shop, _ = await followed(fediverse)
    fediverse.asleep.add(shop.host)

    uri = await says(attic, "Hello")

    found = await where_is(attic, uri)
    [waiting] = found.waiting
    assert (found.delivered, found.refused, found.is_complete) == (1, (), False)
    assert (waiting.host, waiting.inboxes) == ("shop.example", 1)
    assert waiting.error
    assert waiting.due
    assert waiting.due > fediverse.now
    fediverse.asleep.clear()
    fediverse.later(hours=1)
    await fediverse.settle()
    assert await where_is(attic, uri) == Progress(2, (), ())


async def test_a_host_that_refuses_is_named_with_what_it_said(fediverse: Fediverse) -> None:
    attic, shop, _ = await followed(fediverse)
    del fediverse.studios[shop.host]
    fediverse.strangers[shop.host] = lambda request: httpx.Response(403, text="not you", request=request)

    uri = await says(attic, "Hello")
    await shop.instance.client.close()
    shop.instance.store.close()

    found = await where_is(attic, uri)
    assert found == Progress(1, (), (Refused("shop.example", 1, "shop.example answers 403: not you"),))
    assert found.is_complete
    assert found.sentences(fediverse.now) == [
        "delivered to 1",
        "shop.example does not take it: shop.example answers 403: not you",
    ]


async def test_the_latest_word_about_a_post_is_what_counts(fediverse: Fediverse) -> None:
    attic, shop, _ = await followed(fediverse)
    uri = await says(attic, "Frist")
    fediverse.asleep.add(shop.host)

    await attic.does(lambda tx: posts.edit(tx, attic.uri, uri, "First"))
    await fediverse.settle()

    found = await where_is(attic, uri)
    assert (found.delivered, [one.host for one in found.waiting]) == (1, ["shop.example"])


async def test_a_parked_host_is_waited_for_without_an_hour(fediverse: Fediverse) -> None:
    attic, shop, _ = await followed(fediverse)
    fediverse.asleep.add(shop.host)
    uri = await says(attic, "Hello")
    await attic.does(lambda tx: tx.db.execute(update(Lane).values(parked=tx.now)) and None)

    [waiting] = (await where_is(attic, uri)).waiting

    assert waiting.due is None


async def test_what_nobody_elsewhere_gets_is_said_so(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")

    found = await where_is(attic, await says(attic, "Hello"))

    assert found == Progress(0, (), ())
    assert found.sentences(fediverse.now) == ["nobody elsewhere is to get it"]


def test_the_sentences_tell_when_and_why() -> None:
    now = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    waiting = (
        Waiting("attic.example", 1, "attic.example refuses connections", now + timedelta(minutes=35)),
        Waiting("barn.example", 1, "timeout", now + timedelta(days=1)),
        Waiting("mill.example", 1, "timeout", None),
        Waiting("shop.example", 1, None, now),
        Waiting("yard.example", 1, "timeout", now),
        Waiting("zoo.example", 1, None, now),
    )

    assert Progress(12, waiting, ()).sentences(now) == [
        "delivered to 12",
        "waiting for attic.example: attic.example refuses connections; next try 09:35 UTC",
        "waiting for barn.example: timeout; next try 03 March, 09:00 UTC",
        "waiting to hear from mill.example again, after: timeout",
        "on its way to shop.example",
        "waiting for yard.example: timeout; next try now",
        "waiting for 1 more",
    ]
