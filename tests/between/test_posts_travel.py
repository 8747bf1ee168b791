"""What somebody says reaches those who follow them, on their own servers."""

from __future__ import annotations

from activitypub.document import Document
from coop import posts
from coop.follows import Follow
from coop.posts import Draft
from federation.tables import Delivery, Lane, Object
from tests.fediverse import Fediverse


async def test_a_post_reaches_a_follower_on_another_server(fediverse: Fediverse) -> None:
    garage, attic = await fediverse.studio("garage"), await fediverse.studio("attic")
    await attic.follows(garage)
    await fediverse.settle()

    said = await garage.does(lambda tx: posts.publish(tx, garage.uri, Draft("The van is packed.")).uri)
    await fediverse.settle()

    [follow] = await attic.knows(Follow)
    assert follow.state == "accepted"
    [post] = await attic.knows(Object)
    assert (post.uri, post.author, post.visibility) == (said, garage.uri, "public")
    assert Document(post.document).text("content") == "<p>The van is packed.</p>"


async def test_a_post_waits_for_a_studio_that_sleeps(fediverse: Fediverse) -> None:
    garage, attic = await fediverse.studio("garage"), await fediverse.studio("attic")
    await attic.follows(garage)
    await fediverse.settle()
    fediverse.asleep.add(attic.host)

    await garage.does(lambda tx: posts.publish(tx, garage.uri, Draft("Good night.")))
    await fediverse.settle()
    [lane] = await garage.knows(Lane)
    assert (lane.host, lane.failures) == (attic.host, 1)

    fediverse.asleep.clear()
    fediverse.later(hours=2)
    await fediverse.settle()

    assert {delivery.state for delivery in await garage.knows(Delivery)} == {"done"}
    assert len(await attic.knows(Object)) == 1
