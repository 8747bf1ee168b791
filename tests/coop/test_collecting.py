"""What a buddy hands over when somebody wakes, and what of it is not believed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest
from sqlalchemy import delete, select

from activitypub.document import Json
from activitypub.parcel import Parcel
from coop import accounts, blocks, departures, posts, profiles, sealing
from coop.collecting import MAX_PAGES
from coop.mailboxes import PAGE, Buddy, Held
from coop.posts import Draft
from coop.visits import Visit
from federation import discovery
from federation.tables import Activity, Delivery, Object, Receipt
from tests.coop.guild import proven
from tests.coop.mail import falls_asleep, held, leaves, sealed, village, wakes, works
from tests.coop.neighbours import has, made_up, note_by, says
from tests.federation.stranger import AS2, Stranger
from tests.fediverse import Fediverse, Studio


async def hostile(fediverse: Fediverse) -> tuple[Studio, Studio, Stranger, str]:
    """Ada, whom Sam follows; and Sam's buddy, whose server does what a test wants it to."""
    ada, sam = await fediverse.studio("ada"), await fediverse.studio("sam")
    await sam.follows(ada)
    stranger = Stranger(fediverse)
    eve = stranger.actor("eve", mailbox=f"{stranger.home}/eve/mailbox")
    await discovery.fetch(sam.instance, eve)
    await agrees_to(sam, eve)
    await works(sam, 2)
    return ada, sam, stranger, eve


async def agrees_to(sam: Studio, eve: str) -> None:
    """As if that had been asked and answered."""

    def agree(tx: Any) -> None:
        tx.add_new(Buddy, id=1, uri=f"{sam.uri}#1", owner=sam.uri, buddy=eve, since=tx.now, state="agreed")
        sealing.ensure(tx, sam.uri)
        profiles.announce(tx, accounts.first(tx.db))

    await sam.does(agree)


def hands_over(stranger: Stranger, *parcels: Parcel | Json, first: str = "") -> None:
    """Have the first page of the mailbox hold these, for ever."""
    place = f"{stranger.home}/eve/mailbox"
    written = [one.write() if isinstance(one, Parcel) else one for one in parcels]
    items = [{**one, "id": f"{place}#{number}"} for number, one in enumerate(written)]
    page = {"@context": AS2, "id": f"{place}/1", "type": "OrderedCollectionPage", "orderedItems": items}
    whole = {"@context": AS2, "id": place, "type": "OrderedCollection", "first": first or f"{place}/1"}
    stranger.documents |= {"/eve/mailbox": whole, "/eve/mailbox/1": page}


def asked(stranger: Stranger) -> int:
    """How often its page was."""
    return stranger.asked.count("/eve/mailbox/1")


async def sleeps(studio: Studio, other: Studio) -> None:
    """Let some hours pass in which a server sleeps, and the other one falls asleep for good."""
    await falls_asleep(studio)
    await falls_asleep(other)
    studio.fediverse.later(hours=3)


async def words(studio: Studio, text: str) -> bytes:
    """What the account of `studio` says, in the activity that goes out, which goes to nobody."""
    uri = await studio.does(lambda tx: posts.publish(tx, studio.uri, Draft(text)).uri)
    await studio.does(lambda tx: tx.db.execute(delete(Delivery)))
    return await body_of(studio, uri)


async def body_of(studio: Studio, uri: str) -> bytes:
    query = select(Activity.body).where(Activity.object == uri)
    return await studio.instance.store.read(lambda db: db.scalars(query).one())


async def said(studio: Studio) -> list[str]:
    """What others said that a studio has."""
    rows = [row for row in await studio.knows(Object) if not row.local and row.deleted is None]
    return [row.said.text("content") for row in rows]


@pytest.mark.proves("P-173", "P-103")
async def test_what_the_buddy_and_the_lane_bring_is_there_once(fediverse: Fediverse) -> None:
    ada, bo, sam = await village(fediverse)
    await falls_asleep(sam)
    post = await says(ada, "Hello?")
    await ada.does(lambda tx: posts.edit(tx, ada.uri, post.uri, "Hello, Sam?"))
    await leaves(ada)
    assert await held(bo) == ["ada", "ada"]

    await wakes(sam)

    found = await has(sam, post.uri)
    assert found is not None
    assert found.document == (await ada.knows(Object))[0].document
    assert [row.type for row in await sam.knows(Receipt) if row.actor == ada.uri].count("Create") == 1
    assert await held(bo) == []
    assert [row.handed for row in await sam.knows(Buddy)] == [row.handed for row in await bo.knows(Buddy)]
    assert [row for row in await ada.knows(Delivery) if row.state == "waiting"] == []


async def test_a_buddy_that_withholds_takes_nothing_from_anybody(fediverse: Fediverse) -> None:
    ada, bo, sam = await village(fediverse)
    await falls_asleep(sam)
    post = await says(ada, "Hello?")
    await leaves(ada)
    await bo.does(lambda tx: tx.db.execute(delete(Held)))

    await wakes(sam)

    assert await has(sam, post.uri) is not None


async def test_what_a_buddy_alters_is_dropped_and_the_rest_is_not(
    fediverse: Fediverse, capsys: pytest.CaptureFixture[str]
) -> None:
    ada, sam, stranger, _ = await hostile(fediverse)
    good = await sealed(await words(ada, "As I said it."), ada, sam)
    other = await sealed(await words(ada, "Something else."), ada, sam)
    altered = replace(other, sealed=other.sealed[:-1] + bytes([other.sealed[-1] ^ 1]))
    others = replace(other, sender=f"{ada.uri}0")
    hands_over(stranger, altered, others, {"type": "Parcel"}, {"type": "Note"}, good)
    await sleeps(sam, ada)

    await wakes(sam)

    assert await said(sam) == ["<p>As I said it.</p>"]
    assert capsys.readouterr().out.count("parcel.dropped") >= 4
    names = [one["object"] for one in stranger.received if one["type"] == "Read"]
    assert names[0] == [f"{stranger.home}/eve/mailbox#{number}" for number in range(5)]


async def test_what_somebody_else_put_into_a_parcel_is_not_believed(fediverse: Fediverse) -> None:
    """Whoever knows the key of one who sleeps can seal what they like: only the proof inside counts."""
    ada, sam, stranger, eve = await hostile(fediverse)
    cy = await fediverse.studio("cy")
    create = made_up(ada, "Create", object=note_by(ada, content="<p>Never said</p>"))
    elsewhere = {**create, "id": f"{cy.home}/1"}
    body = msgspec.json.decode(await words(ada, "Said"))
    body["object"]["content"] = "<p>Never said so</p>"
    unproven = [create, await proven(cy, create), await proven(ada, elsewhere), body]
    for_dan = replace(await sealed(b"{}", ada, sam), owner=f"{sam.home}/actors/dan")
    sealed_ones = [await sealed(msgspec.json.encode(one), ada, sam) for one in unproven]
    hands_over(stranger, *sealed_ones, await sealed(b"not JSON", ada, sam), for_dan)
    await sleeps(sam, ada)

    await wakes(sam)

    assert await said(sam) == []
    assert [row.state for row in await sam.knows(Receipt) if row.type == "Create"] == []
    assert eve


async def test_nothing_is_taken_of_a_domain_that_is_blocked(fediverse: Fediverse) -> None:
    ada, sam, stranger, _ = await hostile(fediverse)
    hands_over(stranger, await sealed(await words(ada, "Hello?"), ada, sam))
    await sam.does(lambda tx: blocks.block_domain(tx, ada.host))
    await sleeps(sam, ada)

    await wakes(sam)

    assert await said(sam) == []
    assert [row.actor for row in await sam.knows(Receipt) if row.actor == ada.uri and row.type == "Create"] == []


async def test_a_buddy_that_hands_over_without_end_is_not_asked_on(fediverse: Fediverse) -> None:
    _, sam, stranger, _ = await hostile(fediverse)
    hands_over(stranger, {"type": "Note"})
    fediverse.later(hours=3)

    for _ in range(40):
        await sam.upkeep.run_errands()
        fediverse.later(seconds=3)

    assert await sam.knows(Visit) == []
    assert asked(stranger) == MAX_PAGES


async def test_of_a_page_no_more_is_opened_than_is_on_one(fediverse: Fediverse) -> None:
    ada, sam, stranger, _ = await hostile(fediverse)
    good = await sealed(await words(ada, "Too many."), ada, sam)
    hands_over(stranger, *[{"type": "Note"}] * PAGE, good)
    await sleeps(sam, ada)

    await wakes(sam)

    assert await said(sam) == []
    assert {len(one["object"]) for one in stranger.received if one["type"] == "Read"} == {PAGE}


async def test_a_page_on_another_server_is_not_read(fediverse: Fediverse) -> None:
    _, sam, stranger, _ = await hostile(fediverse)
    victim = Stranger(fediverse, "victim.example")
    hands_over(stranger, {"type": "Note"}, first=f"{victim.home}/page")
    fediverse.later(hours=3)

    await works(sam, 2)

    assert (victim.asked, await sam.knows(Visit)) == ([], [])


async def test_a_buddy_that_sleeps_is_asked_when_it_is_awake(fediverse: Fediverse) -> None:
    ada, bo, sam = await village(fediverse)
    await falls_asleep(sam)
    post = await says(ada, "Hello?")
    await leaves(ada)
    await falls_asleep(bo)
    await falls_asleep(ada)
    await wakes(sam)
    assert await has(sam, post.uri) is None

    fediverse.asleep.discard(bo.host)
    fediverse.later(hours=1)
    await works(sam, 3)

    assert await has(sam, post.uri) is not None
    assert await held(bo) == []


async def test_what_cannot_be_checked_yet_waits_until_it_can(fediverse: Fediverse) -> None:
    """Cy is somebody whom nobody there ever met, and whose server sleeps by now."""
    _, bo, sam = await village(fediverse)
    cy = await fediverse.studio("cy")
    await cy.meets(sam)
    await falls_asleep(sam)
    post = await says(cy, f"Hello, @{sam.address}!")
    await leaves(cy)
    assert await held(bo) == ["cy"]
    await falls_asleep(cy)
    await cy.does(lambda tx: tx.db.execute(delete(Delivery)))

    await wakes(sam)
    assert await has(sam, post.uri) is None
    fediverse.asleep.clear()
    fediverse.later(hours=1)
    await works(sam, 2)

    assert await has(sam, post.uri) is not None


async def test_a_buddy_is_asked_once_a_day_even_without_a_sleep(fediverse: Fediverse) -> None:
    """It may have been the line that was down."""
    ada, bo, sam = await village(fediverse)
    assert (
        await ada.sends(f"{bo.uri}/mailbox", (await sealed(await words(ada, "Hello?"), ada, sam)).write())
    ).status == 202
    for _ in range(25):
        fediverse.later(minutes=60)
        await sam.upkeep.work()
        await fediverse.settle()

    assert await said(sam) == ["<p>Hello?</p>"]
    assert await held(bo) == []


async def test_a_farewell_is_handed_over_too(fediverse: Fediverse) -> None:
    ada, bo, sam = await village(fediverse)
    await bo.meets(ada)  # or there is nobody any more whose signature it could check
    await says(ada, "Hello!")
    assert await said(sam) == ["<p>Hello!</p>"]
    await falls_asleep(sam)
    await ada.does(lambda tx: departures.leave(tx, ada.uri))
    await leaves(ada)
    assert await held(bo) == ["ada"]
    await falls_asleep(ada)

    await wakes(sam)

    assert await said(sam) == []
