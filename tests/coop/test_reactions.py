"""Likes, emoji and boosts between servers: counted, told, taken back, and never a way around an audience."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from activitypub.audience import PUBLIC
from activitypub.document import Document, Json
from activitypub.errors import Forbidden
from coop import blocks, posts, reactions
from coop.errors import NotFound, Trouble
from coop.notifications import Notification
from coop.reactions import Reaction, Tally
from federation import outbox
from federation.tables import Activity, Object
from tests.coop.neighbours import (
    all_of,
    does,
    has,
    holds,
    lives_at,
    made_up,
    neighbours,
    note_by,
    reads,
    says,
    sends,
)
from tests.fediverse import Fediverse, Studio

EMOJI = ["⭐", "👍🏽", "👩‍🔧", "🏳️‍🌈", "🇩🇪", "3️⃣", "❤️"]


async def counts(studio: Studio) -> list[tuple[int, int]]:
    return [(one.likes, one.boosts) for one in await studio.knows(Tally)]


async def told(studio: Studio) -> list[str]:
    kinds = [one.kind for one in await studio.knows(Notification)]
    return [one for one in kinds if not one.startswith("follow")]


async def sent(studio: Studio, kind: str) -> Json:
    bodies = await all_of(studio, select(Activity.body).where(Activity.type == kind).order_by(Activity.id.desc()))
    return msgspec.json.decode(bodies[0])  # type: ignore[no-any-return]


@pytest.mark.proves("P-122")
async def test_a_like_is_counted_and_told_where_the_post_lives(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    row = await says(attic, "Hello")

    await does(shop, reactions.like, row.uri)
    await does(shop, reactions.like, row.uri)

    like = await sent(shop, "Like")
    assert {name: like[name] for name in ("type", "actor", "object", "to")} == {
        "type": "Like",
        "actor": shop.uri,
        "object": row.uri,
        "to": [attic.uri],
    }
    assert await counts(attic) == await counts(shop) == [(1, 0)]
    assert await told(attic) == ["like"]


@pytest.mark.proves("P-121")
async def test_a_like_is_taken_back_with_all_that_mastodon_needs(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    row = await says(attic, "Hello")
    await does(shop, reactions.like, row.uri)

    await does(shop, reactions.unlike, row.uri)

    undone = (await sent(shop, "Undo"))["object"]
    assert (undone["type"], undone["actor"], undone["object"]) == ("Like", shop.uri, row.uri)
    assert await counts(attic) == await counts(shop) == [(0, 0)]
    with pytest.raises(NotFound):
        await shop.does(lambda tx: reactions.unlike(tx, shop.uri, row.uri))


@pytest.mark.proves("P-123")
async def test_a_boost_brings_a_post_to_those_who_did_not_follow_its_author(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    barn = await fediverse.studio("barn")
    await barn.follows(shop)
    await fediverse.settle()
    row = await says(attic, "Hello")

    await does(shop, reactions.boost, row.uri)

    announce = await sent(shop, "Announce")
    assert (announce["object"], announce["to"]) == (row.uri, [PUBLIC])
    assert announce["cc"] == [f"{shop.uri}/followers", attic.uri]
    assert await reads(barn) == [row.uri]
    assert (await holds(barn, row.uri)).document["content"] == "<p>Hello</p>"
    assert await counts(attic) == await counts(barn) == [(0, 1)]
    assert await told(attic) == ["boost"]


@pytest.mark.proves("P-121", "P-123")
async def test_a_boost_is_taken_back_everywhere(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    row = await says(attic, "Hello")
    await does(shop, reactions.boost, row.uri)

    await does(shop, reactions.unboost, row.uri)

    assert await counts(attic) == [(0, 0)]
    assert await attic.knows(Reaction) == []


@pytest.mark.proves("P-231")
async def test_private_words_are_boosted_by_nobody_but_their_author_to_the_same_people(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    row = await says(attic, "For those who follow", visibility="followers")

    with pytest.raises(Trouble):
        await shop.does(lambda tx: reactions.boost(tx, shop.uri, row.uri))
    await does(attic, reactions.boost, row.uri)

    announce = await sent(attic, "Announce")
    assert (announce["to"], announce["cc"]) == ([f"{attic.uri}/followers"], [attic.uri])
    assert await counts(shop) == [(0, 1)]


@pytest.mark.proves("P-123", "P-316")
@pytest.mark.parametrize("visibility", ["followers", "direct"])
async def test_a_boost_of_private_words_is_refused(fediverse: Fediverse, visibility: Any) -> None:
    attic, shop = await neighbours(fediverse)
    row = await says(attic, "Between us, @attic@attic.example", visibility=visibility)

    receipt = await sends(shop, attic, made_up(shop, "Announce", object=row.uri, to=[PUBLIC]))

    assert receipt.state == "refused"
    assert await attic.knows(Reaction) == []


@pytest.mark.proves("P-123")
async def test_what_a_boost_embeds_is_only_a_reference(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    barn = await fediverse.studio("barn")
    await barn.follows(shop)
    await fediverse.settle()
    row = await says(attic, "The truth")
    forged = {**row.document, "content": "<p>A lie</p>"}

    await sends(shop, barn, made_up(shop, "Announce", object=forged, to=[PUBLIC]))

    assert (await holds(barn, row.uri)).document["content"] == "<p>The truth</p>"


async def test_a_strangers_boost_of_strange_words_makes_nobody_fetch_them(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    barn = await fediverse.studio("barn")
    row = await says(attic, "Hello")

    receipt = await sends(shop, barn, made_up(shop, "Announce", object=row.uri, to=[PUBLIC]))

    assert receipt.state == "done"
    assert await has(barn, row.uri) is None


@pytest.mark.proves("P-122")
async def test_who_may_not_see_a_post_cannot_like_it(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    row = await says(attic, "Note to myself, @attic@attic.example", visibility="direct")

    receipt = await sends(shop, attic, made_up(shop, "Like", object=row.uri))

    assert receipt.state == "refused"
    assert await counts(attic) == []


@pytest.mark.proves("P-122")
@pytest.mark.parametrize("kind", ["Like", "EmojiReact"])
@pytest.mark.parametrize("word", ["content", "_misskey_reaction"])
async def test_an_emoji_is_a_reaction_of_its_own(fediverse: Fediverse, kind: str, word: str) -> None:
    attic, shop = await neighbours(fediverse)
    row = await says(attic, "Hello")

    for emoji in EMOJI:
        await sends(shop, attic, made_up(shop, kind, object=row.uri, **{word: emoji}))

    assert [(one.kind, one.emoji) for one in await attic.knows(Reaction)] == [("emoji", one) for one in EMOJI]
    assert await counts(attic) == [(len(EMOJI), 0)]


@pytest.mark.proves("P-122")
async def test_a_named_emoji_needs_the_tag_with_its_picture(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    row = await says(attic, "Hello")
    icon = {"type": "Image", "url": "https://shop.example/blob.png"}
    tag = {"type": "Emoji", "name": ":blob:", "icon": icon}

    await sends(shop, attic, made_up(shop, "EmojiReact", object=row.uri, content=":blob:", tag=[tag]))
    unnamed = await sends(shop, attic, made_up(shop, "EmojiReact", object=row.uri, content=":other:", tag=[tag]))

    assert unnamed.state == "refused"
    assert [(one.emoji, one.icon) for one in await attic.knows(Reaction)] == [(":blob:", icon["url"])]


@pytest.mark.proves("P-122")
@pytest.mark.parametrize("words", ["", "nice!", "⭐⭐", "x⭐", "<b>⭐</b>"])
async def test_other_words_are_no_emoji(fediverse: Fediverse, words: str) -> None:
    attic, shop = await neighbours(fediverse)
    row = await says(attic, "Hello")

    reaction = await sends(shop, attic, made_up(shop, "EmojiReact", object=row.uri, content=words))
    await sends(shop, attic, made_up(shop, "Like", object=row.uri, content=words))

    assert reaction.state == "refused"
    assert [(one.kind, one.emoji) for one in await attic.knows(Reaction)] == [("like", "")]


@pytest.mark.proves("P-122")
async def test_one_actor_shows_at_most_twelve_emoji_at_a_post(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    row = await says(attic, "Hello")
    many = [chr(0x1F600 + number) for number in range(reactions.MAX_EMOJI + 1)]

    for emoji in many[:-1]:
        await shop.sends(f"{attic.uri}/inbox", made_up(shop, "EmojiReact", object=row.uri, content=emoji))
    last = await sends(shop, attic, made_up(shop, "EmojiReact", object=row.uri, content=many[-1]))

    assert last.state == "refused"
    assert len(await attic.knows(Reaction)) == reactions.MAX_EMOJI


@pytest.mark.proves("P-121")
@pytest.mark.parametrize("kind", ["Like", "EmojiReact", "Announce"])
@pytest.mark.parametrize("form", ["id", "whole", "anonymous", "array"])
async def test_a_reaction_is_taken_back_in_all_its_forms(fediverse: Fediverse, kind: str, form: str) -> None:
    attic, shop = await neighbours(fediverse)
    row = await says(attic, "Hello")
    extra = {"content": "⭐"} if kind == "EmojiReact" else {}
    done = made_up(shop, kind, object=row.uri, **extra)
    await sends(shop, attic, done)
    before = await counts(attic)
    anonymous = {name: value for name, value in done.items() if name not in ("id", "@context")}
    forms: Json = {"id": done["id"], "whole": done, "anonymous": anonymous, "array": [done["id"]]}

    await sends(shop, attic, made_up(shop, "Undo", object=forms[form]))

    assert sum(before[0]) == 1
    assert await counts(attic) == [(0, 0)]


@pytest.mark.proves("P-121")
@pytest.mark.parametrize("kind", ["Like", "Announce"])
@pytest.mark.parametrize("is_embedded", [True, False])
async def test_a_reaction_that_comes_after_its_undo_has_no_effect(
    fediverse: Fediverse, kind: str, is_embedded: bool
) -> None:
    attic, shop = await neighbours(fediverse)
    row = await says(attic, "Hello")
    late = made_up(shop, kind, object=row.uri)

    await sends(shop, attic, made_up(shop, "Undo", object=late if is_embedded else late["id"]))
    await sends(shop, attic, late)

    assert await attic.knows(Reaction) == []


@pytest.mark.proves("P-121", "P-319")
async def test_nobody_takes_back_what_another_did(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    barn = await fediverse.studio("barn")
    row = await says(attic, "Hello")
    like = made_up(shop, "Like", object=row.uri)
    await sends(shop, attic, like)

    await sends(barn, attic, made_up(barn, "Undo", object=like))
    await sends(barn, attic, made_up(barn, "Undo", object=like["id"]))

    assert await counts(attic) == [(1, 0)]


@pytest.mark.proves("P-121", "P-305")
async def test_an_old_undo_that_somebody_passes_on_takes_back_no_newer_like(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    barn = await fediverse.studio("barn")
    await attic.meets(barn)
    row = await says(attic, "Hello")
    like, newer = [made_up(shop, "Like", object=row.uri) for _ in range(2)]
    undo = await shop.does(lambda tx: outbox.sign(tx, made_up(shop, "Undo", object=like)))
    await sends(shop, attic, newer)

    receipt = await sends(barn, attic, undo)

    assert receipt.state == "done"
    assert await counts(attic) == [(1, 0)]


def by_group(group: Studio, inner: Json) -> Json:
    return made_up(group, "Announce", object=inner, to=[PUBLIC])


@pytest.mark.proves("P-123")
async def test_what_a_group_passes_on_counts_if_its_author_proved_it(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    barn = await fediverse.studio("barn")
    await barn.meets(shop)
    row = await says(attic, "Hello")
    await barn.follows(attic)
    await fediverse.settle()
    proven = await shop.does(lambda tx: outbox.sign(tx, made_up(shop, "Like", object=row.uri)))
    await barn.does(lambda tx: posts.keep(tx, Document(row.document)))

    await sends(attic, barn, by_group(attic, proven))
    await sends(attic, barn, by_group(attic, made_up(shop, "Like", object=row.uri, content="⭐")))
    forged = {**proven, "id": f"{proven['id']}x"}
    refused = await sends(attic, barn, by_group(attic, forged))

    assert [(one.actor, one.kind) for one in await barn.knows(Reaction)] == [(shop.uri, "like")]
    assert refused.state == "refused"


@pytest.mark.proves("P-322")
async def test_a_group_brings_nothing_from_a_domain_that_is_blocked(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    barn = await fediverse.studio("barn")
    await barn.meets(shop)
    await barn.follows(attic)
    await fediverse.settle()
    note = note_by(shop, cc=[barn.uri])
    create = await shop.does(lambda tx: outbox.sign(tx, made_up(shop, "Create", object=note, to=note["to"])))
    await barn.does(lambda tx: blocks.block_domain(tx, shop.host))

    refused = await sends(attic, barn, by_group(attic, create))

    assert refused.state == "refused"
    assert await has(barn, note["id"]) is None


@pytest.mark.proves("P-123", "P-251")
async def test_a_statement_for_a_projects_log_is_not_taken_from_an_announce(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    barn = await fediverse.studio("barn")
    await barn.meets(shop)
    await barn.follows(attic)
    await fediverse.settle()
    project = f"{shop.home}/projects/catalogue"
    said = made_up(shop, "Undo", object=f"{project}/invitation", context=project, after=[])
    proven = await shop.does(lambda tx: outbox.sign(tx, said))

    refused = await sends(attic, barn, by_group(attic, proven))

    assert (refused.state, "is not boosted" in (refused.error or "")) == ("refused", True)


@pytest.mark.proves("P-123")
async def test_a_post_that_a_group_passes_on_is_fetched_from_its_author(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    barn = await fediverse.studio("barn")
    row = await says(shop, "In the group")
    create = {"id": f"{row.uri}/activity", "type": "Create", "actor": shop.uri}
    lie = {**create, "object": {**row.document, "content": "<p>A lie</p>"}}

    await sends(attic, barn, by_group(attic, lie))
    before = await has(barn, row.uri)
    await barn.follows(attic)
    await fediverse.settle()
    await sends(attic, barn, by_group(attic, lie))

    assert before is None  # whom nobody follows makes nobody fetch
    assert (await holds(barn, row.uri)).document["content"] == "<p>In the group</p>"


async def test_whoever_boosted_a_post_is_told_when_it_is_edited(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    row = await says(attic, "Frist")
    await does(shop, reactions.boost, row.uri)

    await does(attic, posts.edit, row.uri, "First")

    assert await told(shop) == ["edit"]


async def test_neighbours_on_one_server_like_and_boost_each_other(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    second = await lives_at(attic, "cy")
    row = await attic.does(lambda tx: posts.publish(tx, second, posts.Draft("Hello")))

    await does(attic, reactions.like, row.uri)
    await does(attic, reactions.boost, row.uri)

    assert await counts(attic) == [(1, 1)]
    assert await told(attic) == ["like", "boost"]


async def test_a_page_knows_the_counts_and_what_its_reader_did(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    row, other = await says(attic, "Hello"), await says(attic, "Again")
    await does(shop, reactions.like, row.uri)
    await does(shop, reactions.boost, row.uri)

    store = attic.instance.store

    tallies = await store.read(lambda db: reactions.tallies(db, [row.id, other.id]))
    assert {number: (one.likes, one.boosts) for number, one in tallies.items()} == {row.id: (1, 1)}
    assert await store.read(lambda db: reactions.by(db, shop.uri, [row.id, other.id])) == {row.id: {"like", "boost"}}


async def test_a_deleted_post_takes_its_reactions_with_it(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    row = await says(attic, "Hello")
    await does(shop, reactions.like, row.uri)

    await does(attic, posts.delete, row.uri)

    assert await attic.knows(Reaction) == []
    assert await counts(attic) == await counts(shop) == []
    assert await told(attic) == []


async def test_what_nobody_has_cannot_be_liked(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    note = note_by(attic, to=[f"{attic.uri}/followers"])
    await sends(attic, shop, made_up(attic, "Create", object=note))
    second = await lives_at(shop, "cy")

    with pytest.raises(NotFound):
        await shop.does(lambda tx: reactions.like(tx, second, note["id"]))
    with pytest.raises(Forbidden):
        await shop.does(lambda tx: reactions.like(tx, second, f"{shop.home}/notes/none"))

    assert await shop.knows(Object) != []
