"""What is held for somebody: for whom, from whom, how much, and who is handed it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from activitypub import context
from activitypub.document import Json
from activitypub.parcel import MAX_CONTENT, Parcel
from coop import blocks, buddies
from coop.mailboxes import FOR_ONE, FROM_ONE, PAGE, Buddy, Held
from federation.store import Transaction
from tests.coop.mail import agrees, held, puts, sealed, village
from tests.coop.neighbours import does, lives_at, made_up
from tests.fediverse import Fediverse, Studio
from tests.web.visitors import ask, post


async def lies(buddy: Studio, owner: Studio, number: int, size: int = 1, site: str = "else.example") -> None:
    """As if so many parcels of that size had come from a site."""
    about: dict[str, Any] = {"owner": owner.uri, "buddy": buddy.uri, "sender": f"https://{site}/1", "site": site}

    def lay(tx: Transaction) -> None:
        rows = [{"id": one + 1, "key": "?", "sealed": b"?", "size": size, **about} for one in range(number)]
        tx.add_all_new(Held, rows)

    await buddy.does(lay)


async def page_of(buddy: Studio, reader: Studio, page: str = "?page=1") -> tuple[int, Json]:
    answer = await reader.gets(f"{buddy.uri}/mailbox{page}")
    return answer.status, msgspec.json.decode(answer.body)


async def says_read(reader: Studio, buddy: Studio, *names: str) -> int:
    read = made_up(reader, "Read", object=[*names])
    return (await reader.sends(f"{buddy.uri}/mailbox", read)).status


async def test_a_parcel_is_held_for_whom_that_is_agreed_alone(fediverse: Fediverse) -> None:
    ada, bo, sam = await village(fediverse)
    good = await sealed(b"?", ada, sam)
    dan = await lives_at(bo, "dan")
    cy = await fediverse.studio("cy")
    await cy.meets(bo)
    await does(cy, buddies.ask, bo.uri)

    assert await puts(Parcel(ada.uri, cy.uri, good.key_id, good.sealed), ada, bo) == 403
    assert await puts(Parcel(ada.uri, ada.uri, good.key_id, good.sealed), ada, bo) == 403
    assert (await ada.sends(f"{dan}/mailbox", good.write())).status == 403
    assert (await ada.sends(f"{bo.home}/actors/nobody/mailbox", good.write())).status == 404
    assert await held(bo) == []

    assert await puts(good, ada, bo) == 202
    assert await held(bo) == ["ada"]


async def test_a_parcel_is_taken_from_whom_it_says_it_is_from_alone(fediverse: Fediverse) -> None:
    ada, bo, sam = await village(fediverse)
    cy = await fediverse.studio("cy")
    parcel = await sealed(b"?", ada, sam)

    assert await puts(parcel, cy, bo) == 401
    body = msgspec.json.encode(parcel.write())
    assert (await post(bo, f"{bo.uri}/mailbox", body)).status_code == 401
    assert (await post(bo, f"{bo.uri}/mailbox", body, content_type="text/plain")).status_code == 415
    assert await held(bo) == []


async def test_nothing_is_taken_of_whom_a_buddy_blocks_and_what_was_is_gone(fediverse: Fediverse) -> None:
    ada, bo, sam = await village(fediverse)
    await bo.meets(ada)
    parcel = await sealed(b"?", ada, sam)
    assert await puts(parcel, ada, bo) == 202

    await does(bo, blocks.block, ada.uri)
    assert (await puts(parcel, ada, bo), await held(bo)) == (403, [])
    await bo.does(lambda tx: blocks.unblock(tx, bo.uri, ada.uri))
    await bo.does(lambda tx: blocks.block_domain(tx, ada.host))

    assert (await puts(parcel, ada, bo), await held(bo)) == (403, [])


@pytest.mark.parametrize(
    ("number", "size", "site", "status"),
    [
        (FOR_ONE[0] - 1, 1, "else.example", 202),
        (FOR_ONE[0], 1, "else.example", 429),
        (1, FOR_ONE[1] - 10, "else.example", 429),
        (FROM_ONE[0] - 1, 1, "ada.example", 202),
        (FROM_ONE[0], 1, "ada.example", 429),
        (1, FROM_ONE[1] - 10, "ada.example", 429),
    ],
)
async def test_no_more_is_held_than_was_said(
    fediverse: Fediverse, number: int, size: int, site: str, status: int
) -> None:
    """Of one owner, and of that from one site."""
    ada, bo, sam = await village(fediverse)
    await lies(bo, sam, number, size, site)

    assert await puts(await sealed(b"?", ada, sam), ada, bo) == status

    assert len(await held(bo)) == number + (status == 202)


async def test_a_parcel_that_is_too_long_is_refused(fediverse: Fediverse) -> None:
    ada, bo, sam = await village(fediverse)
    good = await sealed(b"?", ada, sam)

    assert await puts(Parcel(ada.uri, sam.uri, good.key_id, bytes(MAX_CONTENT + 100)), ada, bo) == 400

    assert await held(bo) == []


async def test_its_owner_alone_is_handed_it(fediverse: Fediverse) -> None:
    ada, bo, sam = await village(fediverse)
    parcel = await sealed(b"?", ada, sam)
    assert await puts(parcel, ada, bo) == 202

    status, page = await page_of(bo, sam)
    [item] = page["orderedItems"]

    assert status == 200
    assert {**item, "id": None, "@context": context.PARCEL} == {**parcel.write(), "id": None}
    assert (await page_of(bo, ada))[0] == 404
    assert (await page_of(bo, ada))[1] == (await page_of(ada, bo))[1]
    assert (await ask(bo, f"{bo.uri}/mailbox?page=1")).status_code == 401
    assert "no-store" in (await sam.gets(f"{bo.uri}/mailbox")).headers["cache-control"]


async def test_it_is_handed_over_a_page_at_a_time_oldest_first(fediverse: Fediverse) -> None:
    _, bo, sam = await village(fediverse)
    await lies(bo, sam, PAGE + 2)

    _, whole = await page_of(bo, sam, "")
    _, first = await page_of(bo, sam)
    _, second = await page_of(bo, sam, "?" + first["next"].partition("?")[2])

    assert whole["totalItems"] == PAGE + 2
    names = [one["id"] for one in (*first["orderedItems"], *second["orderedItems"])]
    assert len(first["orderedItems"]) == PAGE
    assert names == sorted(set(names))
    assert len(names) == PAGE + 2


async def test_its_owner_alone_says_that_it_may_go(fediverse: Fediverse) -> None:
    ada, bo, sam = await village(fediverse)
    cy = await fediverse.studio("cy")
    for _ in range(2):
        await puts(await sealed(b"?", ada, sam), ada, bo)
    first, second = [one["id"] for one in (await page_of(bo, sam))[1]["orderedItems"]]

    assert await says_read(cy, bo, first) == 403
    assert await says_read(sam, bo, "nonsense", f"{bo.uri}/mailbox#nonsense") == 202
    assert len(await held(bo)) == 2
    assert await says_read(sam, bo, first, first) == 202

    assert [one["id"] for one in (await page_of(bo, sam))[1]["orderedItems"]] == [second]
    [row] = await bo.knows(Buddy)
    assert row.handed == fediverse.now


async def test_an_owner_says_nothing_of_what_is_held_for_another(fediverse: Fediverse) -> None:
    ada, bo, sam = await village(fediverse)
    cy = await fediverse.studio("cy")
    await agrees(cy, bo)
    await puts(await sealed(b"?", ada, sam), ada, bo)
    [item] = (await page_of(bo, sam))[1]["orderedItems"]

    assert await says_read(cy, bo, item["id"]) == 202

    assert (await page_of(bo, cy))[1]["orderedItems"] == []
    assert await held(bo) == ["ada"]


async def test_nothing_is_held_for_longer_than_a_lane_would(fediverse: Fediverse) -> None:
    ada, bo, sam = await village(fediverse)
    await puts(await sealed(b"?", ada, sam), ada, bo)

    fediverse.later(days=29)
    await bo.upkeep.do_chores()
    assert await held(bo) == ["ada"]
    fediverse.later(days=2)
    await bo.upkeep.do_chores()

    assert await held(bo) == []
