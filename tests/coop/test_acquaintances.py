"""Whom of other servers somebody here still has to do with, and who is forgotten with all that they left."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import String, select, update

from activitypub.document import Document
from coop import acquaintances, blocks, endorsements, follows, mutes, posts, reactions
from coop.feed import Entry
from coop.posts import Draft
from federation import actors, known
from federation.forgetting import SOME, STRANGERS
from federation.tables import Actor, Key, Object, Row
from tests.coop.neighbours import does, first, has, made_up, neighbours, note_by, says, sends
from tests.coop.test_endorsements import endorses, verdict
from tests.federation.receiver import knows
from tests.federation.stranger import Stranger
from tests.fediverse import Fediverse, Studio

MONTHS = STRANGERS.days + 1
# Of every table, the columns of text that hold no actor of another server.
OTHERS = {
    "markers": {"timeline"},
    "remote_media": {"key", "name", "media_type"},
    "accounts": {"uri", "handle", "kind", "bio", "pronouns", "availability", "place", "avatar", "header", "password"}
    | {"language", "theme"},
    "activities": {"uri", "type", "actor", "object"},  # which `federation.forgetting` asks itself, as all of federation
    "actors": {"uri", "host", "type", "handle", "name", "inbox", "address", "shared_inbox", "followers", "featured"},
    "agreements": {"uri", "offer", "project"},
    "backups": {"file"},
    "blocked_domains": {"host", "reason"},
    "blocks": {"uri"},
    "buddies": {"uri", "state"},
    "calendar_addresses": {"token_hash", "account"},
    "commitments": {"uri", "hash", "root", "previous", "text", "agreement", "state", "reason"},
    "card_skills": {"skill", "name"},
    "cards": {"availability", "pronouns", "place", "area"},
    "conversations": {"uri"},
    "deliveries": {"lane", "inbox", "sender", "state", "error"},
    "endorsed_skills": {"skill"},
    "endorsement_requests": {"uri", "text", "work", "state", "reason", "answer"},
    "endorsements": {"uri", "hash", "display", "badge"},
    "essays": {"uri", "content"},
    "filters": {"words"},
    "follows": {"uri", "state"},
    "grants": {"uri", "holder"},
    "faces": {"uri"},
    "identities": {"actor", "key"},  # forgotten with the actor
    "introductions": {"of"},  # who stands here is needed only if they want to be found, as `coop.circles` says
    "invitation_letters": {"token_hash", "invitation"},
    "imports": {"file", "name", "state", "error"},
    "invitations": {"uri", "role", "text", "state"},
    "keepsakes": {"member", "role"},
    "keys": {"id", "owner", "use", "public", "private"},
    "lanes": {"host", "error", "dialect"},
    "letters": {"circle"},  # the hash of a circle of people
    "logins": {"browser", "name"},
    "luggage": {"kind", "name", "error"},  # addresses of those who were not looked up yet
    "mailboxes": {"owner", "buddy"},  # forgotten with the one who names the other, who can be fetched again
    "media": {"name", "owner", "media_type", "filename", "alt", "blurhash", "digest"},
    "memberships": {"role", "capability"},
    "notifications": {"kind"},
    "objects": {"uri", "type", "author", "visibility", "reply_to", "conversation"},
    "offered_skills": {"skill"},
    "offers": {"uri", "purpose", "title", "words", "currency", "per", "place", "state"},
    "passkeys": {"id", "name"},
    "parcels": {"owner", "buddy", "sender", "site", "key"},  # the first two as in "buddies"; nobody looks up the third
    "projects": {"fingerprint", "members", "log", "name", "summary"},
    "reactions": {"uri", "kind", "emoji", "icon"},
    "receipts": {"uri", "type", "actor", "state", "error"},
    "reports": {"uri", "server", "site", "text"},
    "responses": {"uri", "offer", "text", "via", "state", "reason", "agreement", "answers"},
    "sources": {"text"},
    "spare_codes": {"hash"},
    "statements": {"hash", "uri", "kind"},
    "verified_links": {"url"},
    "visits": {"what", "page", "thread"},
    "vouchers": {"key", "public"},
}


@pytest.mark.proves("P-327")
def test_a_new_column_says_whether_an_actor_of_another_server_may_stand_in_it() -> None:
    asked = {(one.class_.__tablename__, one.key) for one in acquaintances.NAMES}
    texts = {
        (table.name, column.name)
        for table in Row.metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, String)
    }

    assert texts == asked | {(table, name) for table, names in OTHERS.items() for name in names}


async def keeps_up(studio: Studio) -> None:
    studio.fediverse.later(days=MONTHS)
    for _ in range(3):
        studio.fediverse.later(minutes=2)
        await studio.upkeep.work()


async def still_knows(studio: Studio, uri: str) -> bool:
    return await first(studio, select(Actor).where(Actor.uri == uri)) is not None


@pytest.mark.proves("P-327")
async def test_strangers_are_forgotten_with_their_keys_and_found_again_when_they_come_back(
    fediverse: Fediverse,
) -> None:
    attic, social = await fediverse.studio("attic"), Stranger(fediverse)
    cleo = social.actor("cleo")
    await social.sends(attic, social.activity("Like", cleo, f"{attic.home}/nothing"))
    await fediverse.settle()
    met = (await still_knows(attic, cleo), [one.owner for one in await attic.knows(Key)].count(cleo))

    await keeps_up(attic)
    left = (await still_knows(attic, cleo), [one.owner for one in await attic.knows(Key)].count(cleo))
    answer = await social.sends(attic, social.activity("Follow", cleo, attic.uri))
    await fediverse.settle()

    assert (met, left) == ((True, 2), (False, 0))
    assert answer.status_code == 202
    assert await first(attic, select(follows.Follow.follower)) == cleo


@pytest.mark.proves("P-327")
async def test_nobody_is_forgotten_within_a_month(fediverse: Fediverse) -> None:
    attic, social = await fediverse.studio("attic"), Stranger(fediverse)
    await knows(attic, cleo := social.actor("cleo"))

    fediverse.later(days=STRANGERS.days - 1)
    await attic.upkeep.work()

    assert await still_knows(attic, cleo)


Tie = Callable[[Studio, Studio], Awaitable[object]]


async def _follower(attic: Studio, shop: Studio) -> None:
    await shop.follows(attic)


async def _followed(attic: Studio, shop: Studio) -> None:
    await attic.follows(shop)


async def _blocked(attic: Studio, shop: Studio) -> None:
    await attic.does(lambda tx: blocks.block(tx, attic.uri, shop.uri))


async def _muted(attic: Studio, shop: Studio) -> None:
    await attic.does(lambda tx: mutes.mute(tx, attic.uri, shop.uri))


async def _author(attic: Studio, shop: Studio) -> None:
    note = note_by(shop, to=[attic.uri])
    await sends(shop, attic, made_up(shop, "Create", object=note, to=[attic.uri]))


async def _admirer(attic: Studio, shop: Studio) -> None:
    post = await says(attic, "The kettle is on.")
    await does(shop, reactions.like, post.uri)


async def _mentioned(attic: Studio, shop: Studio) -> None:
    await says(attic, f"Tea, @{shop.address}?")


async def _written_to(attic: Studio, shop: Studio) -> None:
    await says(attic, f"Tea, @{shop.address}?", visibility="direct")


async def _named_later(attic: Studio, shop: Studio) -> None:
    post = await says(attic, "Tea?")
    await does(attic, posts.edit, post.uri, f"Tea, @{shop.address}?")


async def _endorsed(attic: Studio, shop: Studio) -> None:
    await endorses(attic, shop)


@pytest.mark.proves("P-327")
@pytest.mark.parametrize(
    "tie", [_follower, _followed, _blocked, _muted, _author, _admirer, _mentioned, _written_to, _named_later, _endorsed]
)
async def test_whoever_somebody_here_has_to_do_with_is_kept_for_as_long_as_that_lasts(
    fediverse: Fediverse, tie: Tie
) -> None:
    attic, shop = await fediverse.studio("attic"), await fediverse.studio("shop")
    social = Stranger(fediverse)
    await attic.meets(shop)
    await attic.upkeep.work()
    await tie(attic, shop)
    await fediverse.settle()
    await knows(attic, stranger := social.actor("cleo"))

    for _ in range(3):
        await keeps_up(attic)

    assert await still_knows(attic, shop.uri)
    assert not await still_knows(attic, stranger)


@pytest.mark.proves("P-327")
async def test_a_tie_that_ends_gives_its_actor_another_month(fediverse: Fediverse) -> None:
    attic, shop = await fediverse.studio("attic"), await fediverse.studio("shop")
    await attic.meets(shop)
    await _blocked(attic, shop)
    await keeps_up(attic)
    kept = await still_knows(attic, shop.uri)

    await attic.does(lambda tx: blocks.unblock(tx, attic.uri, shop.uri))
    await keeps_up(attic)

    assert (kept, await still_knows(attic, shop.uri)) == (True, False)


@pytest.mark.proves("P-327", "P-115")
async def test_a_post_that_is_taken_back_after_months_is_taken_back_from_all_whom_it_named(
    fediverse: Fediverse,
) -> None:
    attic, shop = await fediverse.studio("attic"), await fediverse.studio("shop")
    await attic.meets(shop)
    await attic.upkeep.work()
    post = await says(attic, f"Tea, @{shop.address}?", visibility="direct")
    await keeps_up(attic)

    await does(attic, posts.delete, post.uri)
    told = await has(shop, post.uri)
    for _ in range(2):
        await keeps_up(attic)

    assert told is not None
    assert told.deleted
    assert not await still_knows(attic, shop.uri)


@pytest.mark.proves("P-327", "P-243")
async def test_what_is_kept_stays_verifiable_for_ever(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    endorsement = await endorses(shop, attic)
    await does(shop, follows.unfollow, attic.uri)

    for _ in range(3):
        await keeps_up(attic)

    assert await verdict(attic, endorsement) == "valid, offline"


@pytest.mark.proves("P-327")
async def test_a_crowd_that_is_needed_keeps_no_stranger_from_being_looked_at(fediverse: Fediverse) -> None:
    attic, social = await fediverse.studio("attic"), Stranger(fediverse)
    crowd = [social.actor(f"bot{number}") for number in range(SOME + 3)]
    await attic.does(lambda tx: [actors.keep(tx, Document(one)) for one in social.documents.values()])  # type: ignore[arg-type]
    needed = crowd[:SOME]
    for actor in needed:
        await attic.does(lambda tx, actor=actor: blocks.block(tx, attic.uri, actor))  # type: ignore[misc]

    await keeps_up(attic)

    assert [one.uri for one in await attic.knows(Actor) if not one.local] == needed


# --- What was deleted --------------------------------------------------------------------------------------------


@pytest.mark.proves("P-243", "P-327")
async def test_that_something_was_revoked_is_remembered_for_ever(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    endorsement = await endorses(shop, attic)
    await does(shop, endorsements.revoke, endorsement)

    fediverse.later(days=400)
    await attic.upkeep.work()
    await attic.upkeep.do_chores()

    assert await has(attic, endorsement)
    assert await verdict(attic, endorsement) == "revoked"


@pytest.mark.proves("P-112", "P-115", "P-327")
async def test_posts_that_their_authors_deleted_are_forgotten_unless_one_of_us_answered(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    await attic.follows(shop)
    await fediverse.settle()
    plain, answered = [await says(shop, text) for text in ("One.", "Two.")]
    await attic.does(lambda tx: posts.publish(tx, attic.uri, Draft("Three.", reply_to=answered.uri)))
    await does(attic, reactions.like, plain.uri)
    shown = len(await attic.knows(Entry))
    for one in (plain, answered):
        await does(shop, posts.delete, one.uri)

    found = []
    for days in (89, 2):
        fediverse.later(days=days)
        await attic.upkeep.do_chores()
        found.append([await has(attic, one.uri) is not None for one in (plain, answered)])

    assert found == [[True, True], [False, True]]
    assert len(await attic.knows(Entry)) == shown - 1


@pytest.mark.proves("P-115", "P-121", "P-327")
async def test_what_was_taken_back_before_it_came_is_remembered_for_three_months(fediverse: Fediverse) -> None:
    attic, shop = await fediverse.studio("attic"), await fediverse.studio("shop")
    await sends(shop, attic, made_up(shop, "Delete", object=f"{shop.home}/notes/9"))
    await attic.does(lambda tx: known.remember_undone(tx, f"{shop.home}/likes/9", shop.uri))

    left = []
    for days in (89, 2):
        fediverse.later(days=days)
        await attic.upkeep.work()
        left.append(len(await attic.knows(Object)))

    assert left == [2, 0]


@pytest.mark.proves("P-327")
async def test_our_own_tombstones_stay(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    post = await says(attic, "The kettle is on.")
    await does(attic, posts.delete, post.uri)

    fediverse.later(days=400)
    await attic.upkeep.work()
    await attic.upkeep.do_chores()

    assert [one.uri for one in await attic.knows(Object)] == [post.uri]
    await attic.does(lambda tx: tx.db.execute(update(Object).values(deleted=tx.now)))
