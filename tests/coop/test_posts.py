"""What somebody says, between servers: who gets it, how it changes, how it goes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from activitypub.audience import PUBLIC
from activitypub.document import Json, timestamp
from coop import essays, follows, posts, revisions
from coop.errors import NotAllowed, NotFound, Trouble
from coop.notifications import Notification
from federation import discovery
from federation.tables import Activity, Delivery, Object, Receipt
from tests.coop.neighbours import (
    all_of,
    does,
    has,
    holds,
    lives_at,
    made_up,
    neighbours,
    note_by,
    says,
    sends,
)
from tests.fediverse import Fediverse, Studio


async def sent(studio: Studio, kind: str) -> Json:
    [body] = await all_of(studio, select(Activity.body).where(Activity.type == kind))
    return msgspec.json.decode(body)  # type: ignore[no-any-return]


# --- Out ---------------------------------------------------------------------------------------------------------


@pytest.mark.proves("P-210", "P-216", "P-230")
async def test_a_note_has_every_property_that_other_servers_read(fediverse: Fediverse) -> None:
    attic, _ = await neighbours(fediverse)

    row = await says(attic, "The map is *done* #maps")

    create = await sent(attic, "Create")
    note = create["object"]
    assert {"id", "type", "attributedTo", "to", "cc", "published", "url", "content", "contentMap", "sensitive"} <= {
        *note
    }
    assert {"summary", "tag", "attachment", "context", "conversation", "inReplyTo"} <= {*note}
    assert {"replies", "likes", "shares"} <= {*note}
    assert note["attributedTo"] == attic.uri
    assert note["published"] == "2026-03-02T09:00:00Z"
    assert note["context"] == note["conversation"] == f"{row.uri}/context"
    assert note["interactionPolicy"] == {"canQuote": {"automaticApproval": [PUBLIC]}}
    assert (create["to"], create["cc"]) == (note["to"], note["cc"])


@pytest.mark.proves("P-161", "P-113")
@pytest.mark.parametrize(
    ("visibility", "to", "cc"),
    [
        ("public", [PUBLIC], ["followers", "bo"]),
        ("unlisted", ["followers", "bo"], [PUBLIC]),
        ("followers", ["followers"], ["bo"]),
        ("direct", ["bo"], []),
    ],
)
async def test_whoever_is_mentioned_is_addressed(
    fediverse: Fediverse, visibility: Any, to: list[str], cc: list[str]
) -> None:
    attic, shop = await neighbours(fediverse)
    await attic.meets(shop)
    names = {"followers": f"{attic.uri}/followers", "bo": shop.uri}

    row = await says(attic, "Look, @shop@shop.example", visibility=visibility)

    create = await sent(attic, "Create")
    assert create["to"] == create["object"]["to"] == [names.get(one, one) for one in to]
    assert create["cc"] == create["object"]["cc"] == [names.get(one, one) for one in cc]
    assert {"type": "Mention", "href": shop.uri, "name": "@shop@shop.example"} in create["object"]["tag"]
    assert create["object"].get("directMessage", False) is (visibility == "direct")
    assert (await holds(shop, row.uri)).visibility == visibility


@pytest.mark.proves("P-212", "P-213")
async def test_words_travel_as_the_html_that_mastodon_shows(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    await attic.meets(shop)

    await says(attic, "@shop@shop.example see **this** #Maps\n\n| a | b |\n|---|---|\n\n![x](https://x.example/i.png)")

    content = (await sent(attic, "Create"))["object"]["content"]
    assert (
        '<span class="h-card"><a href="https://shop.example/@shop" class="u-url mention">@<span>shop</span></a>'
        in content
    )
    assert (
        '<a href="https://attic.example/tags/maps" class="mention hashtag" rel="tag">#<span>Maps</span></a>' in content
    )
    assert "<strong>this</strong>" in content
    assert "<table" not in content
    assert "<img" not in content


@pytest.mark.proves("P-160")
async def test_followers_stand_for_those_who_follow_and_nobody_else_gets_it(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    barn = await fediverse.studio("barn")
    await attic.meets(barn)

    row = await says(attic, "For those who follow", visibility="followers")

    assert await has(shop, row.uri)
    assert await has(barn, row.uri) is None


@pytest.mark.proves("P-160")
async def test_blind_copies_never_leave_the_house(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)

    def publish(tx: Any) -> Object:
        note = posts.compose(tx, attic.uri, "notes", posts.Draft("Hello"))
        return posts.publish_note(tx, note, "public", {"bcc": [shop.uri]})

    row = await attic.does(publish)
    await fediverse.settle()

    assert "bcc" not in (await sent(attic, "Create"))["object"]
    assert "bcc" not in (await holds(shop, row.uri)).document


@pytest.mark.proves("P-162", "P-163")
async def test_followers_behind_one_shared_inbox_get_one_delivery_and_private_words_go_to_each(
    fediverse: Fediverse,
) -> None:
    attic, shop = await neighbours(fediverse)
    second = await lives_at(shop, "cy")
    await shop.does(lambda tx: follows.follow(tx, second, attic.uri))
    await fediverse.settle()
    for address in ("@shop@shop.example", "@cy@shop.example"):
        await discovery.lookup(attic.instance, address)

    row = await says(attic, "For all of you")
    direct = await says(attic, "For two of you, @shop@shop.example and @cy@shop.example", visibility="direct")

    uris = select(Delivery.inbox).join(Activity, Activity.id == Delivery.activity)
    assert await all_of(attic, uris.where(Activity.object == row.uri)) == ["https://shop.example/inbox"]
    assert {*await all_of(attic, uris.where(Activity.object == direct.uri))} == {f"{shop.uri}/inbox", f"{second}/inbox"}
    bodies = [one.content for one in fediverse.requests if one.method == "POST" and direct.uri.encode() in one.content]
    assert len(bodies) == 2
    assert len({*bodies}) == 1


@pytest.mark.proves("P-164")
async def test_an_edit_never_overtakes_its_post(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    fediverse.asleep.add(shop.host)

    row = await says(attic, "Frist")
    await does(attic, posts.edit, row.uri, "First")
    fediverse.asleep.clear()
    fediverse.later(hours=1)
    await fediverse.settle()

    arrived = [one.type for one in await shop.knows(Receipt)]
    assert arrived[-2:] == ["Create", "Update"]
    assert "First" in (await holds(shop, row.uri)).document["content"]


@pytest.mark.proves("P-215")
async def test_what_is_said_is_sent_at_once_with_its_own_time(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)

    row = await says(attic, "Now")

    assert (await holds(shop, row.uri)).published == fediverse.now
    assert (await sent(attic, "Create"))["published"] == timestamp(fediverse.now)


@pytest.mark.proves("P-231")
@pytest.mark.parametrize("wanted", ["public", "unlisted", "followers"])
async def test_an_answer_is_for_no_more_people_than_what_it_answers(fediverse: Fediverse, wanted: Any) -> None:
    attic, shop = await neighbours(fediverse)
    await attic.follows(shop)
    await fediverse.settle()
    question = await says(attic, "Between us, @shop@shop.example?", visibility="followers")

    answer = await says(shop, "Between us.", visibility=wanted, reply_to=question.uri)

    assert answer.visibility == "followers"
    assert PUBLIC not in (*answer.document["to"], *answer.document["cc"])
    assert (await holds(attic, answer.uri)).visibility == "followers"
    assert (await attic.gets(answer.uri, signed=False)).status == 404


async def test_nobody_answers_what_they_may_not_see(fediverse: Fediverse) -> None:
    attic, _ = await neighbours(fediverse)
    second = await lives_at(attic, "cy")
    secret = await says(attic, "Only me, @attic@attic.example", visibility="direct")

    with pytest.raises(NotFound):
        await attic.does(lambda tx: posts.publish(tx, second, posts.Draft("I see it", reply_to=secret.uri)))


@pytest.mark.parametrize(
    "draft",
    [posts.Draft("  "), posts.Draft("x" * (essays.MAX_TEXT + 1)), posts.Draft("to nobody", visibility="direct")],
)
async def test_an_impossible_draft_is_refused_in_words(fediverse: Fediverse, draft: posts.Draft) -> None:
    attic = await fediverse.studio("attic")

    with pytest.raises(Trouble):
        await attic.does(lambda tx: posts.publish(tx, attic.uri, draft))

    assert await attic.knows(Object) == []


@pytest.mark.proves("P-160")
async def test_several_collections_of_ours_stand_for_all_their_members_once(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    barn = await fediverse.studio("barn")
    second = await lives_at(attic, "cy")
    for studio in (shop, barn):
        await discovery.lookup(studio.instance, "@cy@attic.example")
        await does(studio, follows.follow, second)

    def publish(tx: Any) -> str:
        note = posts.compose(tx, attic.uri, "notes", posts.Draft("For both our followers"))
        return posts.publish_note(tx, replace(note, cc=(*note.cc, f"{second}/followers")), "public").uri

    uri = await attic.does(publish)
    await fediverse.settle()

    assert await has(shop, uri)
    hosts = select(Delivery.lane).join(Activity, Activity.id == Delivery.activity).where(Activity.object == uri)
    assert sorted(await all_of(attic, hosts)) == [barn.host, shop.host]


# --- Changing and deleting ---------------------------------------------------------------------------------------


@pytest.mark.proves("P-230", "P-114")
async def test_an_edit_replaces_the_words_everywhere_and_keeps_the_old_ones(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    row = await says(attic, "Frist", warning="typo")
    fediverse.later(minutes=5)

    await does(attic, posts.edit, row.uri, "First")

    there = await holds(shop, row.uri)
    before = await shop.instance.store.read(lambda db: revisions.history(db, there))
    assert there.document["content"] == "<p>First</p>"
    assert there.document["summary"] == "typo"
    assert [one.document["content"] for one in before] == ["<p>Frist</p>"]


@pytest.mark.proves("P-327")
async def test_of_many_edits_the_last_are_kept_and_none_of_what_nobody_would_write(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    note = note_by(attic)
    await sends(attic, shop, made_up(attic, "Create", object=note))
    for number in range(revisions.KEPT + 3):
        fediverse.later(seconds=2)
        ballast = "x" * (100_000 if number == revisions.KEPT else 0)
        changed = {**note, "content": f"<p>{number}</p>", "ride": ballast, "updated": timestamp(fediverse.now)}
        await sends(attic, shop, made_up(attic, "Update", object=changed))

    kept = [one.document["content"] for one in await shop.knows(revisions.Revision)]
    assert kept == [f"<p>{number}</p>" for number in (*range(1, revisions.KEPT), revisions.KEPT + 1)]


@pytest.mark.proves("P-161")
async def test_who_is_mentioned_in_an_edit_gets_it(fediverse: Fediverse) -> None:
    attic, _ = await neighbours(fediverse)
    barn = await fediverse.studio("barn")
    await attic.meets(barn)
    row = await says(attic, "Thanks", visibility="followers")

    await does(attic, posts.edit, row.uri, "Thanks, @barn@barn.example")

    assert (await holds(barn, row.uri)).document["content"].startswith("<p>Thanks, <span")
    assert [(one.kind, one.about) for one in await barn.knows(Notification)] == [("mention", row.uri)]


@pytest.mark.proves("P-230", "P-115")
async def test_what_is_deleted_is_gone_everywhere_with_its_history(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    row = await says(attic, "Frist")
    await does(attic, posts.edit, row.uri, "First")

    await does(attic, posts.delete, row.uri)

    deletion = await sent(attic, "Delete")
    assert deletion["object"] == {"id": row.uri, "type": "Tombstone"}
    assert PUBLIC in deletion["to"]
    for studio in (attic, shop):
        gone = await holds(studio, row.uri)
        assert gone.deleted is not None
        assert "First" not in str(gone.document)
        assert await studio.knows(revisions.Revision) == []
    assert (await shop.gets(row.uri)).status == 410


async def test_only_the_author_changes_a_post(fediverse: Fediverse) -> None:
    attic, _ = await neighbours(fediverse)
    second = await lives_at(attic, "cy")
    row = await says(attic, "Mine")

    with pytest.raises(NotAllowed):
        await attic.does(lambda tx: posts.edit(tx, second, row.uri, "Yours"))
    with pytest.raises(NotAllowed):
        await attic.does(lambda tx: posts.delete(tx, second, row.uri))
