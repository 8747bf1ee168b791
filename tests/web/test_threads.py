"""Conversations as other servers read them, and what comes of it when somebody looks at a page of one."""

from __future__ import annotations

import msgspec
import pytest

from coop import follows
from coop.conversations import Conversation
from coop.visits import Visit
from federation import discovery
from tests.coop.neighbours import made_up, note_by, sends
from tests.federation.stranger import Stranger
from tests.fediverse import Fediverse, Studio
from tests.web.test_collections import says, walk
from tests.web.visitors import BROWSER, ask, neighbours


async def items(reader: Studio, url: str) -> list[str]:
    """What is on the first page of a collection for whoever signs."""
    answer = await reader.gets(f"{url}?page=1")
    found: list[str] = msgspec.json.decode(answer.body)["orderedItems"]
    return found


@pytest.mark.proves("P-038")
async def test_a_conversation_that_began_here_is_a_collection_of_whoever_began_it(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    first = await says(attic, "Who has a ladder?")
    await fediverse.settle()
    second = await says(shop, "I have.", reply_to=first)
    await fediverse.settle()
    third = await says(attic, "How long?", reply_to=second)
    await says(attic, f"@{shop.address} And how heavy?", "direct", reply_to=second)
    note = (await ask(attic, first)).json()
    answer = (await ask(shop, second)).json()

    collection = (await ask(attic, note["context"])).json()

    assert note["context"] == answer["context"] == answer["conversation"] == f"{first}/context"
    assert await walk(attic, note["context"]) == [first, second, third]
    assert (collection["type"], collection["attributedTo"]) == ("OrderedCollection", attic.uri)
    assert (await ask(shop, f"{second}/context")).status_code == 404
    assert (await ask(attic, f"{third}/context")).status_code == 404


@pytest.mark.proves("P-038", "P-037")
async def test_a_long_conversation_has_pages_and_an_end(fediverse: Fediverse) -> None:
    attic, _ = await neighbours(fediverse)
    first = await says(attic, "Counting")
    said = [await says(attic, str(number), reply_to=first) for number in range(85)]

    assert await walk(attic, f"{first}/context") == [first, *said]


@pytest.mark.proves("P-038", "P-035")
async def test_a_conversation_among_followers_is_for_them_alone(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    barn = await fediverse.studio("barn")
    await attic.meets(barn)
    first = await says(attic, "Among us", "followers")
    second = await says(attic, "Really", "followers", reply_to=first)
    await says(attic, f"@{barn.address} They do not know", "direct", reply_to=first)
    url = f"{first}/context"

    assert await items(shop, url) == [first, second]
    assert (await barn.gets(url)).status == 404
    assert (await ask(attic, url)).status_code == 404


@pytest.mark.proves("P-038")
async def test_who_only_claims_to_be_in_a_conversation_is_not_in_it(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    await attic.does(lambda tx: follows.follow(tx, attic.uri, shop.uri))
    await fediverse.settle()
    first = await says(attic, "Who has a ladder?")
    await sends(shop, attic, made_up(shop, "Create", object=note_by(shop, context=f"{first}/context")))

    assert await walk(attic, f"{first}/context") == [first]


async def test_whoever_looks_at_a_page_waits_for_nobody_and_makes_us_ask_later(fediverse: Fediverse) -> None:
    attic, _ = await neighbours(fediverse)
    stranger = Stranger(fediverse)
    first, alone = await says(attic, "Who has a ladder?"), await says(attic, "Nobody answers")
    replies = f"{stranger.home}/replies"
    stranger.note("answer", stranger.actor("mia"), inReplyTo=first, replies=replies)
    await discovery.fetch(attic.instance, f"{stranger.home}/answer")
    asked = len(stranger.asked)

    pages = [await ask(attic, url, BROWSER) for url in (first, first, alone)]
    documents = [await ask(attic, f"{first}/context"), await ask(attic, first)]

    assert [one.status_code for one in (*pages, *documents)] == [200] * 5
    assert stranger.asked[asked:] == []
    assert [one.whom for one in await attic.knows(Visit) if one.what == "replies"] == [replies]
    assert [row.uri for row in await attic.knows(Conversation)] == [first]
