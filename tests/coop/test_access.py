"""The one question that everything asks before it shows something."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from activitypub.audience import Visibility
from coop import access, blocks, follows, posts
from coop.posts import Draft
from federation import known
from federation.tables import Activity
from tests.coop.neighbours import counting, made_up, note_by, sends
from tests.fediverse import Fediverse, Studio


async def people(fediverse: Fediverse) -> tuple[Studio, Studio, Studio]:
    """Ada in the attic, Bo above the shop, who follows her, and somebody who knows neither."""
    attic, shop, outsider = [await fediverse.studio(name) for name in ("attic", "shop", "outsider")]
    await shop.follows(attic)
    await attic.meets(shop)
    await fediverse.settle()
    return attic, shop, outsider


async def may_read(studio: Studio, uri: str, reader: str | None) -> bool:
    def ask(db: Session) -> bool:
        row = known.find(db, uri)
        assert row is not None
        return access.may_read(db, row, reader)

    return await studio.instance.store.read(ask)


async def says(studio: Studio, text: str, visibility: Visibility) -> str:
    uri = await studio.does(lambda tx: posts.publish(tx, studio.uri, Draft(text, visibility)).uri)
    await studio.fediverse.settle()
    return uri


@pytest.mark.proves("P-318")
@pytest.mark.parametrize(
    ("visibility", "stranger", "follower", "outsider"),
    [
        ("public", True, True, True),
        ("unlisted", True, True, True),
        ("followers", False, True, False),
        ("direct", False, True, False),
    ],
)
async def test_who_may_read_follows_from_whom_it_is_for(
    fediverse: Fediverse, visibility: Visibility, stranger: bool, follower: bool, outsider: bool
) -> None:
    attic, shop, other = await people(fediverse)
    uri = await says(attic, f"@{shop.address} hello", visibility)

    for studio in (attic, shop):  # it is the same where it was said and where it was received
        assert await may_read(studio, uri, None) is stranger
        assert await may_read(studio, uri, shop.uri) is follower
        assert await may_read(studio, uri, other.uri) is outsider
        assert await may_read(studio, uri, attic.uri)


@pytest.mark.proves("P-318")
async def test_following_has_to_be_agreed_to_and_ends(fediverse: Fediverse) -> None:
    attic, shop, other = await people(fediverse)
    uri = await says(attic, "for those who follow", "followers")
    received = [await may_read(studio, uri, shop.uri) for studio in (attic, shop)]

    await shop.does(lambda tx: follows.unfollow(tx, shop.uri, attic.uri))
    await fediverse.settle()

    assert received == [True, True]
    assert [await may_read(studio, uri, shop.uri) for studio in (attic, shop)] == [False, False]
    assert not await may_read(attic, uri, other.uri)


@pytest.mark.proves("P-318")
@pytest.mark.parametrize("visibility", ["public", "followers", "direct"])
async def test_a_block_hides_everything_both_ways(fediverse: Fediverse, visibility: Visibility) -> None:
    attic, shop, _ = await people(fediverse)
    uri = await says(attic, f"@{shop.address} hello", visibility)

    await attic.does(lambda tx: blocks.block(tx, attic.uri, shop.uri))

    assert not await may_read(attic, uri, shop.uri)


@pytest.mark.proves("P-332")
async def test_whom_a_post_names_costs_no_question_each(fediverse: Fediverse) -> None:
    attic, shop, other = await people(fediverse)
    crowd = [f"https://crowd{number}.example/actor" for number in range(800)]
    few, many = note_by(attic, to=[shop.uri, crowd[0]]), note_by(attic, to=[shop.uri, *crowd])
    for note in (few, many):
        await sends(attic, shop, made_up(attic, "Create", object=note))

    with counting(shop) as asked:
        assert not await may_read(shop, few["id"], other.uri)
        for_few = len(asked)
        assert not await may_read(shop, many["id"], other.uri)

    assert len(asked) == 2 * for_few


async def test_an_activity_is_read_like_what_it_is_about(fediverse: Fediverse) -> None:
    attic, shop, other = await people(fediverse)
    private = await says(attic, f"@{shop.address} hello", "direct")
    public = await says(attic, "hello", "public")
    sent = {one.object: one for one in await attic.knows(Activity) if one.type == "Create"}

    def asked(uri: str, reader: str | None) -> bool:
        with attic.instance.store.engine.connect() as connection, Session(connection) as db:
            return access.may_read_activity(db, sent[uri], reader)

    assert [asked(public, one) for one in (None, shop.uri, other.uri, attic.uri)] == [True] * 4
    assert [asked(private, one) for one in (None, shop.uri, other.uri, attic.uri)] == [False, True, False, True]
