"""What an actor wants to be seen first, here and on other servers."""

from __future__ import annotations

import msgspec
import pytest
from sqlalchemy import select

from activitypub.document import Json
from coop import pins, posts
from coop.errors import NotAllowed, NotFound, Trouble
from coop.pins import Pin
from federation.tables import Activity
from tests.coop.neighbours import all_of, does, lives_at, made_up, neighbours, note_by, says, sends
from tests.fediverse import Fediverse, Studio


async def pinned(studio: Studio, actor: str) -> list[str]:
    return [one.uri for one in await all_of(studio, pins.pinned(actor))]


async def last(studio: Studio, kind: str) -> Json:
    [body] = await all_of(studio, select(Activity.body).where(Activity.type == kind))
    return msgspec.json.decode(body)  # type: ignore[no-any-return]


@pytest.mark.proves("P-126", "P-230")
async def test_a_pin_shows_on_every_server_that_follows(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    row = await says(attic, "Start here")

    await does(attic, pins.pin, row.uri)
    shown = await pinned(shop, attic.uri)
    await does(attic, pins.unpin, row.uri)

    add, remove = await last(attic, "Add"), await last(attic, "Remove")
    assert add["target"] == remove["target"] == f"{attic.uri}/collections/featured"
    assert add["object"] == remove["object"] == row.uri
    assert shown == [row.uri]
    assert await pinned(shop, attic.uri) == await pinned(attic, attic.uri) == []


@pytest.mark.proves("P-126")
@pytest.mark.parametrize("is_embedded", [True, False])
async def test_a_pinned_post_that_we_do_not_have_is_fetched(fediverse: Fediverse, is_embedded: bool) -> None:
    attic = await fediverse.studio("attic")
    row = await says(attic, "Before you came")
    shop = await fediverse.studio("shop")
    await shop.follows(attic)
    await fediverse.settle()
    target = f"{attic.uri}/collections/featured"
    told = {"id": target} if is_embedded else target

    await sends(attic, shop, made_up(attic, "Add", object=row.uri, target=told))

    assert await pinned(shop, attic.uri) == [row.uri]


@pytest.mark.proves("P-126", "P-319")
async def test_nobody_pins_in_the_collection_of_another_or_what_is_not_their_own(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    barn = await fediverse.studio("barn")
    await shop.follows(barn)
    await fediverse.settle()
    row = await says(attic, "Hello")
    theirs = f"{attic.uri}/collections/featured"

    foreign = await sends(barn, shop, made_up(barn, "Add", object=row.uri, target=theirs))
    stolen = await sends(barn, shop, made_up(barn, "Add", object=row.uri, target=f"{barn.uri}/collections/featured"))
    await does(attic, pins.pin, row.uri)
    removed = await sends(barn, shop, made_up(barn, "Remove", object=row.uri, target=theirs))

    assert (foreign.state, stolen.state, removed.state) == ("refused", "refused", "refused")
    assert await pinned(shop, attic.uri) == [row.uri]
    assert await pinned(shop, barn.uri) == []


@pytest.mark.proves("P-126")
async def test_other_collections_are_left_alone(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    row = await says(attic, "Hello")

    receipt = await sends(attic, shop, made_up(attic, "Add", object=row.uri, target=f"{attic.uri}/collections/tags"))

    assert receipt.state == "done"
    assert await shop.knows(Pin) == []


async def test_another_server_pins_so_many_and_no_more(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    target = f"{attic.uri}/collections/featured"
    notes = [note_by(attic) for _ in range(pins.MAX_FOREIGN + 2)]
    for note in notes:
        await attic.sends(f"{shop.uri}/inbox", made_up(attic, "Create", object=note))

    await sends(attic, shop, made_up(attic, "Add", object=[one["id"] for one in notes], target=target))

    assert len(await shop.knows(Pin)) == pins.MAX_FOREIGN


@pytest.mark.proves("P-318")
async def test_only_what_everybody_may_see_is_pinned(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    second = await lives_at(attic, "cy")
    private = await says(attic, "For those who follow", visibility="followers")
    public = await says(attic, "For all")

    with pytest.raises(Trouble):
        await attic.does(lambda tx: pins.pin(tx, attic.uri, private.uri))
    with pytest.raises(NotAllowed):
        await attic.does(lambda tx: pins.pin(tx, second, public.uri))
    with pytest.raises(NotFound):
        await attic.does(lambda tx: pins.unpin(tx, attic.uri, public.uri))
    await sends(attic, shop, made_up(attic, "Add", object=private.uri, target=f"{attic.uri}/collections/featured"))

    assert await pinned(shop, attic.uri) == []


async def test_one_pins_up_to_five_posts_once_each_and_a_deleted_one_is_unpinned(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    rows = [await says(attic, f"Number {number}") for number in range(pins.MAX_PINS + 1)]
    for row in (*rows[:-1], rows[0]):
        await does(attic, pins.pin, row.uri)

    with pytest.raises(Trouble):
        await attic.does(lambda tx: pins.pin(tx, attic.uri, rows[-1].uri))
    await does(attic, posts.delete, rows[0].uri)
    await does(attic, pins.pin, rows[-1].uri)

    assert await pinned(attic, attic.uri) == [rows[number].uri for number in (5, 4, 3, 2, 1)]
