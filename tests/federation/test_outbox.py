"""To whom an activity goes, in which form, and to whom it never does."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import msgspec
import pytest
from sqlalchemy import event, update

from activitypub.document import Document
from federation import known, outbox
from federation.outbox import TooLong
from federation.tables import Activity, Actor, BlockedDomain, Delivery, Lane, Receipt
from tests.coop.neighbours import lives_at
from tests.federation.receiver import Receiver, body_of, knows, lane_to, says, states
from tests.fediverse import Fediverse, Studio


@pytest.fixture
async def attic(fediverse: Fediverse) -> Studio:
    return await fediverse.studio("attic")


@pytest.fixture
def social(fediverse: Fediverse) -> Receiver:
    return Receiver(fediverse)


async def people(studio: Studio, at: Receiver, *names: str, **more: Any) -> list[str]:
    uris = [at.actor(name, **more) for name in names]
    await knows(studio, *uris)
    return uris


@pytest.mark.proves("P-163")
async def test_all_get_the_same_octets_with_one_proof_each_under_a_signature_of_its_own(
    attic: Studio, social: Receiver, fediverse: Fediverse
) -> None:
    other = Receiver(fediverse, "barn.example")
    to = [*await people(attic, social, "dora", "emil"), *await people(attic, other, "finn")]

    uri = await says(attic, to)

    posts = [*social.posts, *other.posts]
    assert {one.content for one in posts} == {await body_of(attic, uri)}
    assert len({one.headers["signature"] for one in posts}) == len(posts) == 3
    signed = msgspec.json.decode(posts[0].content)
    await attic.instance.store.read(lambda db: known.check_proof(db, Document(signed), fediverse.now))


@pytest.mark.proves("P-162")
async def test_followers_behind_one_shared_inbox_get_it_once(attic: Studio, social: Receiver) -> None:
    shared = {"endpoints": {"sharedInbox": f"{social.home}/inbox"}}
    to = await people(attic, social, "dora", "emil", **shared)
    alone = await people(attic, social, "finn")

    await says(attic, [*to, *alone], collapse=True)

    assert sorted(one.url.path for one in social.posts) == ["/finn/inbox", "/inbox"]


@pytest.mark.proves("P-162")
async def test_what_is_between_few_goes_to_the_inbox_of_each(attic: Studio, social: Receiver) -> None:
    to = await people(attic, social, "dora", "emil", endpoints={"sharedInbox": f"{social.home}/inbox"})

    await says(attic, to)

    assert sorted(one.url.path for one in social.posts) == ["/dora/inbox", "/emil/inbox"]


@pytest.mark.proves("P-162")
async def test_a_shared_inbox_on_another_server_is_not_used(attic: Studio, social: Receiver) -> None:
    to = await people(attic, social, "dora", "emil", endpoints={"sharedInbox": "https://victim.example/inbox"})

    await says(attic, to, collapse=True)

    assert {one.lane for one in await attic.knows(Delivery)} == {"social.example"}
    assert sorted(one.url.path for one in social.posts) == ["/dora/inbox", "/emil/inbox"]


@pytest.mark.proves("P-160")
async def test_blind_recipients_get_it_and_nobody_sees_that_they_do(attic: Studio, social: Receiver) -> None:
    [dora] = await people(attic, social, "dora")
    note = {"id": f"{attic.home}/notes/1", "type": "Note", "bto": [dora], "bcc": [dora], "content": "psst"}

    await says(attic, [dora], bto=[dora], bcc=[dora], object=note)

    [sent] = social.received
    assert sent["object"]["content"] == "psst"
    assert not {"bto", "bcc"} & {*sent, *sent["object"]}


@pytest.mark.proves("P-160")
async def test_nobody_gets_what_they_say_themselves(attic: Studio, social: Receiver) -> None:
    [dora] = await people(attic, social, "dora")

    await says(attic, [attic.uri, dora, dora, "https://nobody.example/unknown", "as:Public"])

    assert len(social.posts) == 1
    assert await attic.knows(Receipt) == []


async def test_those_who_live_here_get_it_as_a_receipt_and_not_over_the_wire(
    attic: Studio, fediverse: Fediverse
) -> None:
    second = await lives_at(attic, "cy")

    uri = await says(attic, [second])

    assert [(one.uri, one.actor, one.proven) for one in await attic.knows(Receipt)] == [(uri, attic.uri, True)]
    assert await attic.knows(Delivery) == []
    assert not fediverse.requests


@pytest.mark.proves("P-166")
async def test_an_activity_has_less_than_sixty_thousand_octets_or_is_not_published(
    attic: Studio, social: Receiver
) -> None:
    [dora] = await people(attic, social, "dora")
    empty = len(await body_of(attic, await says(attic, [dora], content="")))
    published = 1

    for length in range(59_994, 60_006):  # a proof is one octet longer or shorter than another
        with suppress(TooLong):
            await says(attic, [dora], content="x" * (length - empty))
            published += 1

    longest = max(len(one.body) for one in await attic.knows(Activity))
    assert 59_997 <= longest < 60_000
    assert len(social.posts) == len(await attic.knows(Activity)) == len(await attic.knows(Delivery)) == published < 10


@pytest.mark.parametrize("blocked", ["social.example", "example"])
async def test_a_blocked_domain_gets_nothing_even_if_it_was_on_its_way(
    attic: Studio, social: Receiver, fediverse: Fediverse, blocked: str
) -> None:
    [dora] = await people(attic, social, "dora")
    await says(attic, [dora], settle=False)

    def block(tx: Any) -> None:
        tx.db.add(BlockedDomain(host=blocked, since=tx.now))
        tx.wakes("blocks")

    await attic.does(block)
    await says(attic, [dora])

    assert social.posts == []
    assert set(await states(attic)) == {"refused"}
    assert (await lane_to(attic)).due is None


async def test_whoever_is_gone_gets_nothing(attic: Studio, social: Receiver) -> None:
    [dora] = await people(attic, social, "dora")

    await attic.does(lambda tx: tx.db.execute(update(Actor).where(Actor.uri == dora).values(gone=tx.now)))
    await says(attic, [dora])

    assert social.posts == []
    assert await attic.knows(Lane) == []


async def test_what_is_published_again_goes_out_again_under_the_same_id(attic: Studio, social: Receiver) -> None:
    [dora] = await people(attic, social, "dora")
    uri = await says(attic, [dora])

    await attic.does(lambda tx: outbox.publish_again(tx, uri, [dora]))
    await attic.fediverse.settle()

    first, second = social.posts
    assert first.content == second.content
    assert len(await attic.knows(Delivery)) == 1


@pytest.mark.proves("P-332")
async def test_the_fan_out_is_the_same_few_statements_however_many_there_are(attic: Studio, social: Receiver) -> None:
    to = await people(attic, social, *(f"fan{number}" for number in range(30)))
    statements: list[str] = []

    @event.listens_for(attic.instance.store.engine, "before_cursor_execute")
    def count(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    await says(attic, to[:2], settle=False)
    few = len(statements)
    statements.clear()
    await says(attic, to, settle=False)

    assert len(statements) == few
    assert len(await attic.knows(Delivery)) == 32
