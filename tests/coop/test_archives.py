"""What was said on another server lives on here, and nobody is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from activitypub.audience import PUBLIC, Visibility
from activitypub.document import Document, Json
from activitypub.note import Note
from activitypub.poll import Poll
from coop import archives, feed, posts, search
from coop.archives import NEIGHBOURS, Past
from coop.errors import Trouble
from coop.essays import Essay
from coop.feed import Entry
from coop.notifications import Notification
from coop.posts import Draft
from coop.search import Search
from federation import discovery, ids
from federation.tables import Activity, Delivery, Object
from tests.fediverse import Fediverse, Studio

OLD = "https://social.example"
WHO = f"{OLD}/users/ada"
DAY = datetime(2019, 1, 1, 8, tzinfo=UTC)


def past(number: int, text: str = "", visibility: Visibility = "public", **more: object) -> Past:
    """The post of that number, which was made so many days after the first of January 2019."""
    note = Note(
        id=f"{WHO}/statuses/{number}",
        author=WHO,
        content=text or f"<p>Post {number}</p>",
        to=(PUBLIC,),
        published=DAY + timedelta(days=number),
    )
    return Past(replace(note, **more), visibility)  # type: ignore[arg-type]


async def brings(studio: Studio, *some: Past) -> list[str]:
    """The addresses of the copies."""
    rows = [await studio.does(lambda tx, one=one: archives.bring(tx, studio.uri, one)) for one in some]  # type: ignore[misc]
    return [row.uri for row in rows if row]


async def outbox_of(studio: Studio, asks: Studio) -> list[Json]:
    answer = await asks.gets(f"{studio.uri}/outbox?page=1")
    items: list[Json] = msgspec.json.decode(answer.body)["orderedItems"]
    return items


async def test_copies_are_in_the_outbox_and_reach_nobody(fediverse: Fediverse) -> None:
    garage, attic = await fediverse.studio("garage"), await fediverse.studio("attic")
    await attic.follows(garage)
    await fediverse.settle()
    fediverse.requests.clear()

    copies = await brings(garage, past(1), past(2, mentions=Note.read(Document(about(attic))).mentions))
    await fediverse.settle()

    assert fediverse.requests == []
    assert [one for one in await garage.knows(Delivery) if one.state == "waiting"] == []
    assert [row for row in await attic.knows(Object) if row.author == garage.uri] == []
    assert [one.kind for one in await attic.knows(Notification)] == ["follow accepted"]
    listed = await outbox_of(garage, attic)
    assert [(one["object"]["id"], one["object"]["published"]) for one in listed] == [
        (copies[1], "2019-01-03T08:00:00Z"),
        (copies[0], "2019-01-02T08:00:00Z"),
    ]
    assert [one["object"]["to"] for one in listed] == [[PUBLIC], [PUBLIC]]
    assert [one["object"]["tag"] for one in listed] == [[], []]
    assert not any(OLD in msgspec.json.encode(one).decode() for one in listed)


def about(somebody: Studio) -> Json:
    uri = f"{WHO}/statuses/2"
    tag = {"type": "Mention", "href": somebody.uri, "name": f"@{somebody.address}"}
    return {"id": uri, "type": "Note", "attributedTo": WHO, "content": "<p>Hi</p>", "tag": [tag]}


async def test_a_copy_that_somebody_looks_up_is_an_ordinary_post(fediverse: Fediverse) -> None:
    garage, attic = await fediverse.studio("garage"), await fediverse.studio("attic")
    [copy] = await brings(garage, past(1))

    await discovery.lookup(attic.instance, copy)

    [row] = [one for one in await attic.knows(Object) if one.uri == copy]
    assert (row.author, row.published, row.visibility) == (garage.uri, DAY + timedelta(days=1), "public")


async def test_one_is_told_of_nothing_that_another_brings(fediverse: Fediverse) -> None:
    """Neither who lives here and follows them, nor whom they once answered."""
    garage = await fediverse.studio("garage")
    said = await garage.does(lambda tx: posts.publish(tx, garage.uri, Draft("Who was there?")).uri)
    before = len(await garage.knows(Entry))

    await brings(garage, past(1, in_reply_to=said))

    assert await garage.knows(Notification) == []
    assert len(await garage.knows(Entry)) == before
    [copy] = [row for row in await garage.knows(Object) if row.reply_to == said]
    assert copy.conversation == f"{said}/context"


async def test_copies_stand_at_their_own_days_and_are_found_by_their_words(fediverse: Fediverse) -> None:
    garage = await fediverse.studio("garage")
    new = await garage.does(lambda tx: posts.publish(tx, garage.uri, Draft("Typesetting now")).uri)
    late = datetime(2025, 6, 1, tzinfo=UTC)
    quick = [past(one, published=DAY + timedelta(seconds=one)) for one in range(10, 15)]

    copies = await brings(garage, *quick, past(3, "<p>Typesetting once</p>"), past(20, published=late))

    shown = await garage.instance.store.read(lambda db: db.scalars(feed.profile(garage.uri, None)).all())
    assert [row.uri for row in shown] == [new, *reversed(copies)]
    found = await garage.instance.store.read(lambda db: search.find(db, None, Search("typesetting"), 10))
    assert [row.uri for row in found] == [new, copies[5]]


async def test_nothing_is_brought_twice_nor_again_after_it_was_deleted(fediverse: Fediverse) -> None:
    garage = await fediverse.studio("garage")
    [copy] = await brings(garage, past(1))
    assert await brings(garage, past(1)) == []

    await garage.does(lambda tx: posts.delete(tx, garage.uri, copy))

    assert await brings(garage, past(1)) == []
    assert len(await garage.knows(Object)) == 1


async def test_another_who_claims_to_have_said_it_takes_it_from_nobody(fediverse: Fediverse) -> None:
    garage, attic = await fediverse.studio("garage"), await fediverse.studio("attic")

    [mine], [theirs] = await brings(garage, past(1)), await brings(attic, past(1))

    assert mine.rpartition("/")[2] != theirs.rpartition("/")[2]


async def test_an_answer_to_oneself_leads_to_the_copy(fediverse: Fediverse) -> None:
    garage = await fediverse.studio("garage")
    elsewhere = f"{OLD}/users/bo/statuses/7"

    first, second, third = await brings(
        garage,
        past(1),
        past(2, in_reply_to=f"{WHO}/statuses/1"),
        past(3, in_reply_to=elsewhere),
    )

    rows = {row.uri: row for row in await garage.knows(Object)}
    assert (rows[second].reply_to, rows[second].conversation) == (first, f"{first}/context")
    assert (rows[third].reply_to, rows[third].conversation) == (elsewhere, f"{third}/context")


async def test_what_answers_something_private_here_stands_alone(fediverse: Fediverse) -> None:
    """P-231: an answer is for no more people than what it answers; so a copy, which is for all, answers nothing."""
    garage = await fediverse.studio("garage")
    private = await garage.does(lambda tx: posts.publish(tx, garage.uri, Draft("Psst", "followers")).uri)

    [copy] = await brings(garage, past(1, in_reply_to=private))

    [row] = [one for one in await garage.knows(Object) if one.uri == copy]
    assert (row.reply_to, row.conversation) == (None, f"{copy}/context")


async def test_a_poll_becomes_its_results(fediverse: Fediverse) -> None:
    garage = await fediverse.studio("garage")

    await brings(garage, past(1, "<p>Which?</p>", type="Question", poll=Poll((("A < B", 12), ("C", 3)))))

    [row] = await garage.knows(Object)
    assert (row.type, row.document["type"]) == ("Note", "Note")
    assert row.document["content"] == "<p>Which?</p><ul><li>A &lt; B: 12</li><li>C: 3</li></ul>"


async def test_a_date_in_the_future_is_today(fediverse: Fediverse) -> None:
    garage = await fediverse.studio("garage")
    future = fediverse.now + timedelta(days=3000)

    await brings(garage, past(1, published=future, updated=future))

    [row] = await garage.knows(Object)
    said = [datetime.fromisoformat(row.document[name]) for name in ("published", "updated")]
    assert [row.published, row.updated, *said] == 4 * [fediverse.now]


async def test_a_long_one_is_cut_and_one_too_long_is_refused_whole(fediverse: Fediverse) -> None:
    garage = await fediverse.studio("garage")
    [copy] = await brings(garage, past(1, "<p>word</p>" * 9_000))

    with pytest.raises(Trouble, match="longer than"):
        await brings(garage, past(2, "<p>word</p>" * 40_000))

    assert [row.uri for row in await garage.knows(Essay)] == [copy]
    assert len(await garage.knows(Activity)) == len(await garage.knows(Object)) == 1


async def test_where_a_day_is_crowded_the_rest_comes_today(fediverse: Fediverse) -> None:
    """As in an archive that somebody made up: it costs nobody else more time."""
    garage = await fediverse.studio("garage")

    await brings(garage, *(past(number, published=DAY) for number in range(NEIGHBOURS + 2)))

    numbers = sorted(row.id for row in await garage.knows(Object))
    assert numbers[:NEIGHBOURS] == [*range(ids.first(DAY), ids.first(DAY) + NEIGHBOURS)]
    assert numbers[NEIGHBOURS] >= ids.first(fediverse.now)


async def test_a_copy_is_edited_and_deleted_as_any_post(fediverse: Fediverse) -> None:
    garage, attic = await fediverse.studio("garage"), await fediverse.studio("attic")
    await attic.follows(garage)
    await fediverse.settle()
    [copy] = await brings(garage, past(1))

    await garage.does(lambda tx: posts.edit(tx, garage.uri, copy, "Better words"))
    await fediverse.settle()

    [listed] = await outbox_of(garage, attic)
    assert listed["object"]["content"] == "<p>Better words</p>"
    await garage.does(lambda tx: posts.delete(tx, garage.uri, copy))
    assert await outbox_of(garage, attic) == []
