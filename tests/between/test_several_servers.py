"""Stories of three servers and more: who gets what, by which way, and who does not."""

from __future__ import annotations

import httpx
import pytest

from activitypub.audience import Visibility
from activitypub.document import Document
from coop import blocks, follows, posts
from federation import outbox
from federation.tables import Delivery, Lane, Object
from tests.coop.neighbours import does, lives_at, made_up, note_by, says, sends
from tests.federation.receiver import Receiver
from tests.fediverse import Fediverse, Studio


async def three(fediverse: Fediverse) -> tuple[Studio, Studio, Studio]:
    """Ada in the attic, whom Bo above the shop and Cy in the barn follow."""
    attic, shop, barn = [await fediverse.studio(name) for name in ("attic", "shop", "barn")]
    for other in (shop, barn):
        await other.follows(attic)
    await fediverse.settle()
    return attic, shop, barn


def posted(fediverse: Fediverse, host: str, kind: str) -> list[httpx.Request]:
    """The activities of `kind` that went to a host."""
    sent = [one for one in fediverse.requests if one.method == "POST" and one.url.host == host]
    return [one for one in sent if Document.parse(one.content).type == kind]


@pytest.mark.proves("P-162", "P-163")
async def test_two_followers_on_one_server_get_one_delivery_and_each_reads_it(fediverse: Fediverse) -> None:
    attic, shop, barn = await three(fediverse)
    second = await lives_at(shop, "dee")
    await shop.does(lambda tx: follows.follow(tx, second, attic.uri))
    await fediverse.settle()

    post = await says(attic, "The kettle is on.")

    [to_shop] = posted(fediverse, shop.host, "Create")
    [to_barn] = posted(fediverse, barn.host, "Create")
    assert to_shop.url.path == to_barn.url.path == "/inbox"
    assert to_shop.content == to_barn.content
    assert [one.uri for one in await shop.knows(Object)] == [post.uri]


@pytest.mark.proves("P-171")
async def test_a_reply_comes_to_the_followers_of_whom_it_answers_though_they_never_met_its_author(
    fediverse: Fediverse,
) -> None:
    attic, shop, barn = await three(fediverse)
    post = await says(attic, "Who has a ladder?")

    followers = f"{attic.uri}/followers"
    reply = note_by(shop, inReplyTo=post.uri, cc=[attic.uri, followers])
    created = made_up(shop, "Create", object=reply, to=reply["to"], cc=reply["cc"])
    signed = await shop.does(lambda tx: outbox.sign(tx, created))
    await sends(shop, attic, signed)

    [from_shop] = posted(fediverse, attic.host, "Create")
    [_, forwarded] = posted(fediverse, barn.host, "Create")
    assert forwarded.content == from_shop.content
    assert attic.uri in forwarded.headers["signature-input"]
    said = {one.uri: one.author for one in await barn.knows(Object)}
    assert said == {post.uri: attic.uri, reply["id"]: shop.uri}
    assert len(posted(fediverse, shop.host, "Create")) == 1  # it does not come back to its author


@pytest.mark.proves("P-171")
@pytest.mark.parametrize("visibility", ["public", "unlisted"])
async def test_what_one_of_us_answers_is_edited_and_taken_back_before_the_eyes_of_the_same_people(
    fediverse: Fediverse, visibility: Visibility
) -> None:
    attic, shop, barn = await three(fediverse)
    post = await says(attic, "Who has a ladder?")

    reply = await says(shop, "I do.", reply_to=post.uri, visibility=visibility)
    came = [one.document["content"] for one in await barn.knows(Object) if one.uri == reply.uri]
    fediverse.later(minutes=1)
    await does(shop, posts.edit, reply.uri, "I did.")
    changed = [one.document["content"] for one in await barn.knows(Object) if one.uri == reply.uri]
    await does(shop, posts.delete, reply.uri)
    [last] = [one for one in await barn.knows(Object) if one.uri == reply.uri]

    assert (came, changed) == (["<p>I do.</p>"], ["<p>I did.</p>"])
    assert last.deleted


@pytest.mark.proves("P-171", "P-231")
@pytest.mark.parametrize(
    ("asked", "answered"),
    [("followers", "public"), ("public", "followers"), ("public", "direct")],
)
async def test_an_answer_that_is_not_for_everybody_is_for_no_followers_of_another(
    fediverse: Fediverse, asked: Visibility, answered: Visibility
) -> None:
    attic, shop, barn = await three(fediverse)
    post = await says(attic, "Who has a ladder?", visibility=asked)

    reply = await says(shop, "I do.", reply_to=post.uri, visibility=answered)

    assert f"{attic.uri}/followers" not in {*reply.document["to"], *reply.document["cc"]}
    assert reply.uri not in {one.uri for one in await barn.knows(Object)}


async def test_a_blocked_domain_hears_and_says_nothing_while_the_others_go_on(fediverse: Fediverse) -> None:
    attic, shop, barn = await three(fediverse)
    await attic.does(lambda tx: blocks.block_domain(tx, shop.host))
    before = len(posted(fediverse, shop.host, "Create"))

    await says(attic, "Between us.")
    answer = await shop.sends(f"{attic.home}/inbox", {"id": f"{shop.home}/1", "type": "Like", "actor": shop.uri})

    assert answer.status == 403
    assert len(posted(fediverse, shop.host, "Create")) == before
    assert len(await barn.knows(Object)) == 1
    assert await shop.knows(Object) == []


@pytest.mark.proves("P-070", "P-071")
async def test_a_server_that_takes_only_the_newer_signature_is_knocked_at_twice_but_once(
    fediverse: Fediverse,
) -> None:
    attic = await fediverse.studio("attic")

    def modern(request: httpx.Request) -> tuple[int, dict[str, str]]:
        return (202, {}) if "signature-input" in request.headers else (401, {})

    social = Receiver(fediverse, replies=[modern])
    dora = social.actor("dora")
    await social.sends(attic, social.activity("Follow", dora, attic.uri))
    await fediverse.settle()

    for text in ("One.", "Two."):
        await says(attic, text)

    kinds = [
        (one["type"], "signature-input" in post.headers)
        for one, post in zip(social.received, social.posts, strict=True)
    ]
    assert kinds == [("Accept", False), ("Accept", True), ("Create", True), ("Create", True)]
    assert {one.state for one in await attic.knows(Delivery)} == {"done"}


@pytest.mark.proves("P-164", "P-167", "P-215")
async def test_a_week_of_silence_of_one_costs_another_nothing(fediverse: Fediverse) -> None:
    attic, shop, barn = await three(fediverse)
    fediverse.asleep.add(shop.host)

    said = []
    for day in range(6):
        said.append((await says(attic, f"Day {day}.")).uri)
        assert len(await barn.knows(Object)) == len(said)  # within the hour in which it was said
        fediverse.later(days=1)
    fediverse.asleep.clear()
    fediverse.later(hours=18)
    await fediverse.settle()

    order = [Document.parse(one.content).embedded("object") for one in posted(fediverse, shop.host, "Create")]
    came = [one.id for one in order if one]
    assert sorted(set(came), key=came.index) == said
    assert [one.failures for one in await attic.knows(Lane)] == [0, 0]
