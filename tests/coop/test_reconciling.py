"""Two servers that do not agree any more on who follows whom, and how they come to agree again (FEP-8fcf)."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from sqlalchemy import delete, update

from activitypub.document import Document, Json
from activitypub.synchronization import HEADER, Announcement, digest_of
from coop import follows, posts, reconciling
from coop.follows import Follow
from federation import discovery
from tests.coop.neighbours import does, lives_at, made_up, neighbours, note_by, says
from tests.federation.stranger import AS2, Stranger
from tests.fediverse import Fediverse, Studio


async def compares(studio: Studio) -> None:
    await reconciling.compare(studio.instance)
    await studio.fediverse.settle()


async def followers(studio: Studio) -> list[str]:
    return sorted(row.follower for row in await studio.knows(Follow) if row.followed == studio.uri)


async def follower(fediverse: Fediverse, **more: Any) -> tuple[Studio, Stranger, str]:
    """A studio that follows somebody of other software."""
    stranger, attic = Stranger(fediverse), await fediverse.studio("attic")
    mia = stranger.actor("mia", **more)
    await discovery.fetch(attic.instance, mia)
    follow = await attic.does(lambda tx: follows.follow(tx, attic.uri, mia).uri)
    await fediverse.settle()
    await stranger.sends(attic, stranger.activity("Accept", mia, follow))
    await fediverse.settle()
    del fediverse.requests[:]
    return attic, stranger, mia


async def announces(stranger: Stranger, to: Studio, actor: str, listed: list[str], **how: Any) -> None:
    """Say something with a digest of `listed`, and list them where it says."""
    url = f"{actor}/followers/some"
    header = Announcement(how.pop("collection", f"{actor}/followers"), how.pop("url", url), digest_of(listed)).write()
    items: list[Any] = how.pop("items", listed)
    collection: Json = {"@context": AS2, "id": url, "type": "OrderedCollection", "orderedItems": items}
    stranger.documents[url.removeprefix(stranger.home)] = collection
    await stranger.sends(to, stranger.activity("View", actor, actor), collection_synchronization=header)
    await compares(to)


@pytest.mark.proves("P-170")
async def test_what_followers_get_says_who_follows_from_there(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    other = await fediverse.studio("other")
    await other.follows(attic)
    await attic.meets(shop)
    await fediverse.settle()
    del fediverse.requests[:]

    await says(attic, "For all of you.", visibility="followers")
    await does(attic, posts.publish, posts.Draft(f"For @{shop.address} alone.", "direct"))

    sent = {one.url.host: one for one in fediverse.requests if HEADER in one.headers}
    announced = {host: Announcement.read(one.headers[HEADER]) for host, one in sent.items()}
    url = f"{attic.uri}/followers_synchronization"
    assert announced == {
        studio.host: Announcement(f"{attic.uri}/followers", url, digest_of([studio.uri])) for studio in (shop, other)
    }
    signatures = [one.headers.get("signature-input") or one.headers["signature"] for one in sent.values()]
    assert all(HEADER in one for one in signatures)
    assert len([one for one in fediverse.requests if one.method == "POST"]) == 3


@pytest.mark.proves("P-170")
async def test_a_server_is_told_of_its_own_people_alone(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    other = await fediverse.studio("other")
    await other.follows(attic)
    await fediverse.settle()
    url = f"{attic.uri}/followers_synchronization"

    answers = [await one.gets(url) for one in (shop, other)]
    unsigned = await shop.gets(url, signed=False)
    nobody = await shop.gets(f"{attic.home}/actors/nobody/followers_synchronization")

    listed = [Document.parse(one.body).strings("orderedItems") for one in answers]
    assert listed == [(shop.uri,), (other.uri,)]
    assert (unsigned.status, nobody.status) == (401, 404)
    assert answers[0].headers["cache-control"] == "private, no-store"


@pytest.mark.proves("P-170")
async def test_whoever_is_followed_without_knowing_it_has_it_ended(fediverse: Fediverse) -> None:
    """As after a crash of the one and a backup of the other."""
    attic, shop = await neighbours(fediverse)
    ben = await lives_at(shop, "ben")
    await shop.does(lambda tx: follows.follow(tx, ben, attic.uri))
    await fediverse.settle()
    await attic.does(lambda tx: tx.db.execute(delete(Follow).where(Follow.follower == shop.uri)))
    fediverse.later(minutes=2)

    await says(attic, "Who is there?")
    await compares(shop)

    assert [row.follower for row in await shop.knows(Follow)] == [ben]


@pytest.mark.proves("P-170")
async def test_a_follower_who_knows_nothing_of_it_is_taken_back(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    ben = await lives_at(shop, "ben")
    await shop.does(lambda tx: follows.follow(tx, ben, attic.uri))
    await fediverse.settle()
    await shop.does(lambda tx: tx.db.execute(delete(Follow).where(Follow.follower == ben)))

    await says(attic, "Who is there?")
    await compares(shop)

    assert await followers(attic) == [shop.uri]


@pytest.mark.proves("P-170")
async def test_an_answer_that_was_lost_is_made_up_for(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    await shop.does(lambda tx: tx.db.execute(update(Follow).values(state="asked")))

    await says(attic, "Who is there?")
    await compares(shop)

    assert [row.state for row in await shop.knows(Follow)] == ["accepted"]


async def test_nobody_is_asked_while_they_agree(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    await says(attic, "Hello")
    del fediverse.requests[:]

    await compares(shop)

    assert fediverse.requests == []


@pytest.mark.proves("P-170", "P-104")
@pytest.mark.parametrize(
    "how",
    [
        {"collection": "https://social.example/eve/followers"},
        {"url": "https://other.example/mia/followers/some"},
        {"collection": "https://other.example/mia/followers", "url": "https://other.example/mia/followers/some"},
    ],
)
async def test_a_sender_speaks_of_its_own_followers_alone(fediverse: Fediverse, how: Json) -> None:
    attic, stranger, mia = await follower(fediverse)
    Stranger(fediverse, "other.example")

    await announces(stranger, attic, mia, [], **how)

    assert [one for one in fediverse.requests if one.method == "GET" and "followers" in one.url.path] == []
    assert [row.state for row in await attic.knows(Follow)] == ["accepted"]


@pytest.mark.proves("P-170", "P-109")
@pytest.mark.parametrize("wrong", ["other", "endless", "gone"])
async def test_a_list_that_is_not_the_one_announced_ends_nothing(fediverse: Fediverse, wrong: str) -> None:
    attic, stranger, mia = await follower(fediverse)
    if wrong == "other":
        await announces(stranger, attic, mia, [f"{attic.home}/actors/1"], items=[])
    elif wrong == "endless":
        many = [f"{stranger.home}/{number}" for number in range(1_100)]
        await announces(stranger, attic, mia, [f"{attic.home}/actors/1"], items=[*many, f"{attic.home}/actors/1"])
    else:
        await announces(stranger, attic, mia, [f"{attic.home}/actors/1"], items=[])
        stranger.documents["/mia/followers/some"] = 410

    assert [row.state for row in await attic.knows(Follow)] == ["accepted"]


@pytest.mark.proves("P-170")
async def test_others_on_the_list_mean_nothing_here(fediverse: Fediverse) -> None:
    attic, stranger, mia = await follower(fediverse)
    nobody = f"{attic.home}/actors/nobody"

    await announces(stranger, attic, mia, [attic.uri, nobody], items=[attic.uri, nobody, f"{mia}/x", 7, {"id": mia}])

    assert [row.state for row in await attic.knows(Follow)] == ["accepted"]
    assert [one["type"] for one in stranger.received] == []


@pytest.mark.proves("P-170")
async def test_the_same_is_not_asked_again_within_the_hour(fediverse: Fediverse) -> None:
    attic, stranger, mia = await follower(fediverse)
    nobody = f"{attic.home}/actors/nobody"
    counts = []
    for minutes in (0, 5, 60):
        fediverse.later(minutes=minutes)
        await announces(stranger, attic, mia, [attic.uri, nobody])
        counts.append(stranger.asked.count("/mia/followers/some"))

    assert counts == [1, 1, 2]


async def test_an_unproven_word_about_followers_counts_for_nothing(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    eve = await fediverse.studio("eve")
    header = Announcement(f"{attic.uri}/followers", f"{attic.uri}/followers_synchronization", digest_of([]))
    signer = await eve.instance.signer(eve.uri)
    body = Document(made_up(eve, "Create", object=note_by(eve)))

    await eve.instance.client.post(
        f"{shop.uri}/inbox", msgspec.json.encode(body.json), signer, headers={HEADER: header.write()}
    )
    del fediverse.requests[:]
    await compares(shop)

    assert fediverse.requests == []
    assert [row.state for row in await shop.knows(Follow)] == ["accepted"]
