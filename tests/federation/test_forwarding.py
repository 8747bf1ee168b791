"""Replies to our followers' conversations are passed on: as they came, once, and only if they prove themselves."""

from __future__ import annotations

from typing import Any

import pytest

from activitypub.document import Json
from coop import blocks, posts
from coop.posts import Draft
from federation import forwarding
from federation.tables import Activity, Actor, Delivery, Object, Receipt
from tests.federation.stranger import PUBLIC, Stranger
from tests.fediverse import Fediverse, Studio


@pytest.fixture
async def attic(fediverse: Fediverse) -> Studio:
    return await fediverse.studio("attic")


@pytest.fixture
def social(fediverse: Fediverse) -> Stranger:
    return Stranger(fediverse)


@pytest.fixture
async def fans(fediverse: Fediverse, attic: Studio) -> Stranger:
    """A server where two people live who follow the owner of the attic."""
    fans = Stranger(fediverse, "fans.example", key=3)
    for name in ("dora", "emil"):
        actor = fans.actor(name, endpoints={"sharedInbox": f"{fans.home}/inbox"})
        await fans.sends(attic, fans.activity("Follow", actor, attic.uri))
    await fediverse.settle()
    return fans


async def says(attic: Studio) -> str:
    uri = await attic.does(lambda tx: posts.publish(tx, attic.uri, Draft("Who has a ladder?")).uri)
    await attic.fediverse.settle()
    return uri


def reply(social: Stranger, attic: Studio, post: str, **more: Any) -> Json:
    cleo = social.actor("cleo")
    addressed = {"to": [PUBLIC], "cc": [f"{attic.uri}/followers", attic.uri], **more}
    note = social.note("reply", cleo, inReplyTo=post, **addressed)
    return {**social.activity("Create", cleo, note), **addressed}


async def forwarded(fans: Stranger, activity: Json) -> int:
    return sum(one.get("id") == activity["id"] for one in fans.received)


@pytest.mark.proves("P-171")
async def test_a_reply_reaches_the_followers_byte_for_byte(
    fediverse: Fediverse, attic: Studio, social: Stranger, fans: Stranger
) -> None:
    sent = social.proves(reply(social, attic, await says(attic)))
    request = social.signed(f"{attic.home}/inbox", sent, f"{sent['actor']}#main-key")

    await social.brings(request)
    await fediverse.settle()

    bodies = [one.content for one in fediverse.requests if one.url.host == fans.host and one.method == "POST"]
    assert bodies.count(request.content) == 1


@pytest.mark.proves("P-171", "P-332")
async def test_it_is_forwarded_once_however_it_comes_back(
    fediverse: Fediverse, attic: Studio, social: Stranger, fans: Stranger
) -> None:
    sent = social.proves(reply(social, attic, await says(attic)))

    for inbox in (f"{attic.home}/inbox", f"{attic.uri}/inbox"):
        await social.sends(inbox, sent)
        await fans.sends(inbox, sent, by=f"{fans.home}/dora")
        await fediverse.settle()

    assert await forwarded(fans, sent) == 1


@pytest.mark.proves("P-171")
@pytest.mark.parametrize("unlike", ["no proof", "false proof", "not public", "not to our followers", "no reply"])
async def test_nothing_else_is_forwarded(
    fediverse: Fediverse, attic: Studio, social: Stranger, fans: Stranger, unlike: str
) -> None:
    post = await says(attic)
    followers = f"{attic.uri}/followers"
    addressed: dict[str, list[str]] = {
        "not public": {"to": [followers], "cc": [attic.uri]},
        "not to our followers": {"to": [PUBLIC], "cc": [attic.uri, f"{fans.home}/dora/followers"]},
    }.get(unlike, {})
    sent = reply(social, attic, f"{social.home}/other" if unlike == "no reply" else post, **addressed)
    sent = sent if unlike == "no proof" else social.proves(sent, key=3 if unlike == "false proof" else None)

    await social.sends(attic, sent)
    await fediverse.settle()

    assert f"{social.home}/reply" in {one.uri for one in await attic.knows(Object)}
    assert await forwarded(fans, sent) == 0


@pytest.mark.proves("P-171")
async def test_the_end_of_a_reply_is_passed_on_as_well(
    fediverse: Fediverse, attic: Studio, social: Stranger, fans: Stranger
) -> None:
    create = social.proves(reply(social, attic, await says(attic)))
    addressed = {name: create[name] for name in ("to", "cc")}
    delete = social.proves(social.activity("Delete", create["actor"], create["object"]["id"], **addressed))

    for one in (create, delete):
        await social.sends(attic, one)
        await fediverse.settle()

    assert await forwarded(fans, delete) == 1


@pytest.mark.proves("P-327")
@pytest.mark.parametrize("follower", ["", "social.example", "blocked.example"])
async def test_what_goes_to_nobody_is_not_kept(
    fediverse: Fediverse, attic: Studio, social: Stranger, follower: str
) -> None:
    if follower:
        home = social if follower == social.host else Stranger(fediverse, follower, key=3)
        await home.sends(attic, home.activity("Follow", home.actor("dora"), attic.uri))
        await fediverse.settle()
    await attic.does(lambda tx: blocks.block_domain(tx, "blocked.example"))
    sent = social.proves(reply(social, attic, await says(attic)))

    await social.sends(attic, sent)
    await fediverse.settle()

    assert f"{social.home}/reply" in {one.uri for one in await attic.knows(Object)}
    assert sent["id"] not in {one.uri for one in await attic.knows(Activity)}


@pytest.mark.proves("P-332", "P-111")
async def test_ten_thousand_recipients_make_no_more_work_than_a_few(
    fediverse: Fediverse, attic: Studio, social: Stranger, fans: Stranger
) -> None:
    post = await says(attic)
    crowd = [f"https://crowd{number}.example/a" for number in range(10_000)]
    before = len(await attic.knows(Delivery))
    asked = len(fediverse.requests)
    mentions = [{"type": "Mention", "href": one, "name": "@a"} for one in crowd[:1_000]]
    sent = reply(social, attic, post, to=[PUBLIC, attic.uri], cc=[f"{attic.uri}/followers", *crowd], tag=mentions)

    answer = await social.sends(attic, social.proves(sent))
    await fediverse.settle()

    assert answer.status_code == 202
    assert {one.state for one in await attic.knows(Receipt)} == {"done"}
    assert len(await attic.knows(Delivery)) == before + 1
    assert {one.url.host for one in fediverse.requests[asked:]} <= {attic.host, social.host, fans.host}
    assert len([one for one in await attic.knows(Actor) if not one.local]) == 3


@pytest.mark.proves("P-332")
async def test_only_a_few_of_our_collections_are_looked_at(
    fediverse: Fediverse, attic: Studio, social: Stranger, fans: Stranger
) -> None:
    many = [f"{attic.home}/nothing/{number}" for number in range(forwarding.MAX_COLLECTIONS)]
    sent = reply(social, attic, await says(attic), to=[PUBLIC], cc=[*many, f"{attic.uri}/followers"])

    await social.sends(attic, social.proves(sent))
    await fediverse.settle()

    assert await forwarded(fans, sent) == 0


async def test_what_one_of_us_says_is_not_forwarded(fediverse: Fediverse, attic: Studio, fans: Stranger) -> None:
    post = await says(attic)
    before = len(await attic.knows(Activity))

    await attic.does(lambda tx: posts.publish(tx, attic.uri, Draft("I found one.", reply_to=post)))
    await fediverse.settle()

    assert len(await attic.knows(Activity)) == before + 1
    assert len([one for one in fans.received if one["type"] == "Create"]) == 2
