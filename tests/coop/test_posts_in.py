"""What others say: kept if it is for somebody here, believed only as far as it is their own."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from activitypub.audience import PUBLIC
from activitypub.document import Json, timestamp
from coop.notifications import Notification
from federation import known
from tests.coop.neighbours import (
    account_of,
    has,
    holds,
    lives_at,
    made_up,
    neighbours,
    note_by,
    reads,
    receipt_of,
    says,
    sends,
)
from tests.fediverse import Fediverse


@pytest.mark.proves("P-112")
async def test_a_stranger_who_says_nothing_to_us_is_not_kept(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    unwanted, wanted = note_by(shop), note_by(shop, cc=[attic.uri])

    await sends(shop, attic, made_up(shop, "Create", object=unwanted))
    await sends(shop, attic, made_up(shop, "Create", object=wanted))

    assert await has(attic, unwanted["id"]) is None
    assert await has(attic, wanted["id"])


@pytest.mark.proves("P-112", "P-115")
async def test_what_was_deleted_before_it_came_never_comes(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    note = note_by(attic)

    await sends(attic, shop, made_up(attic, "Delete", object={"id": note["id"], "type": "Tombstone"}))
    await sends(attic, shop, made_up(attic, "Create", object=note))

    assert (await holds(shop, note["id"])).deleted is not None
    assert await reads(shop) == []


@pytest.mark.proves("P-112")
async def test_a_post_that_is_known_is_not_taken_again(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    note = note_by(attic)
    await sends(attic, shop, made_up(attic, "Create", object=note))

    await sends(attic, shop, made_up(attic, "Create", object={**note, "content": "<p>Other</p>"}))

    assert (await holds(shop, note["id"])).document["content"] == "<p>Hello</p>"


@pytest.mark.proves("P-112")
async def test_words_of_another_in_a_create_are_refused(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    second = await lives_at(attic, "cy")
    note = note_by(attic, attributedTo=second)

    receipt = await sends(attic, shop, made_up(attic, "Create", object=note))

    assert receipt.state == "refused"
    assert await has(shop, note["id"]) is None


@pytest.mark.proves("P-113")
@pytest.mark.parametrize(
    ("addressed", "seen"),
    [
        ({"to": [PUBLIC]}, "public"),
        ({"to": ["FOLLOWERS"], "cc": ["as:Public"]}, "unlisted"),
        ({"to": ["FOLLOWERS"]}, "followers"),
        ({"to": ["https://shop.example/elsewhere/followers"], "cc": []}, "direct"),
        ({"to": [], "audience": PUBLIC}, "direct"),
    ],
)
async def test_the_audience_is_what_to_and_cc_say(fediverse: Fediverse, addressed: Json, seen: str) -> None:
    attic, shop = await neighbours(fediverse)
    spelled = msgspec.json.decode(
        msgspec.json.encode(addressed).replace(b"FOLLOWERS", f"{attic.uri}/followers".encode())
    )
    note = {**{name: value for name, value in note_by(attic).items() if name != "to"}, **spelled}

    await sends(attic, shop, made_up(attic, "Create", object=note))

    assert (await holds(shop, note["id"])).visibility == seen


def later(fediverse: Fediverse, **time: float) -> str:
    return timestamp(fediverse.now + timedelta(**time))


@pytest.mark.proves("P-114", "P-316")
async def test_an_update_makes_the_audience_narrower_but_never_wider(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    private = note_by(attic, to=[f"{attic.uri}/followers"])
    public = note_by(attic)
    for note in (private, public):
        await sends(attic, shop, made_up(attic, "Create", object=note))
    fediverse.later(hours=1)

    wider = {**private, "to": [PUBLIC], "content": "<p>Wider</p>", "updated": timestamp(fediverse.now)}
    narrower = {**public, "to": [f"{attic.uri}/followers"], "updated": timestamp(fediverse.now)}
    for note in (wider, narrower):
        await sends(attic, shop, made_up(attic, "Update", object=note))

    assert (await holds(shop, private["id"])).document["content"] == "<p>Wider</p>"
    assert (await holds(shop, private["id"])).visibility == "followers"
    assert (await holds(shop, public["id"])).visibility == "followers"


@pytest.mark.proves("P-114")
@pytest.mark.parametrize(
    "change",
    [{"updated": "2026-03-01T00:00:00Z"}, {"type": "Article"}, {"attributedTo": "https://attic.example/other"}],
    ids=["older", "of another type", "of another author"],
)
async def test_an_update_of_what_it_is_not_changes_nothing(fediverse: Fediverse, change: Json) -> None:
    attic, shop = await neighbours(fediverse)
    note = note_by(attic)
    await sends(attic, shop, made_up(attic, "Create", object=note))

    changed = {**note, "content": "<p>Changed</p>", "updated": later(fediverse, hours=1), **change}
    await sends(attic, shop, made_up(attic, "Update", object=changed))

    assert (await holds(shop, note["id"])).document["content"] == "<p>Hello</p>"


@pytest.mark.proves("P-114")
async def test_an_update_of_the_unknown_is_news_for_a_week(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    fresh, old = note_by(attic), note_by(attic, published=later(fediverse, days=-8))

    for note in (fresh, old):
        await sends(attic, shop, made_up(attic, "Update", object={**note, "updated": later(fediverse)}))

    assert await has(shop, fresh["id"])
    assert await has(shop, old["id"]) is None


@pytest.mark.proves("P-115", "P-319")
@pytest.mark.parametrize("form", ["id", "tombstone", "whole"])
async def test_nobody_deletes_the_posts_of_others(fediverse: Fediverse, form: str) -> None:
    attic, shop = await neighbours(fediverse)
    row = await says(attic, "Mine")
    forms: Json = {"id": row.uri, "tombstone": {"id": row.uri, "type": "Tombstone"}, "whole": row.document}

    receipt = await sends(shop, attic, made_up(shop, "Delete", object=forms[form]))

    assert receipt.state == "refused"
    assert (await holds(attic, row.uri)).deleted is None


@pytest.mark.proves("P-115")
@pytest.mark.parametrize("form", ["id", "tombstone", "whole"])
async def test_a_delete_is_understood_in_all_its_forms(fediverse: Fediverse, form: str) -> None:
    attic, shop = await neighbours(fediverse)
    note = note_by(attic)
    await sends(attic, shop, made_up(attic, "Create", object=note))
    forms: Json = {"id": note["id"], "tombstone": {"id": note["id"], "type": "Tombstone"}, "whole": note}

    await sends(attic, shop, made_up(attic, "Delete", object=forms[form]))

    assert (await holds(shop, note["id"])).deleted is not None


@pytest.mark.proves("P-319")
async def test_nobody_changes_the_posts_of_another_on_the_same_server(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    second = await lives_at(attic, "cy")
    row = await says(attic, "Mine")
    signer = await attic.instance.signer(second)
    changed = {**row.document, "content": "<p>Yours</p>", "updated": later(fediverse, hours=1)}
    update = {**made_up(attic, "Update", object=changed), "actor": second}

    await attic.sends(f"{shop.uri}/inbox", update, signer)
    await fediverse.settle()

    assert (await holds(shop, row.uri)).document["content"] == "<p>Mine</p>"


@pytest.mark.proves("P-118")
async def test_a_rumour_of_a_deletion_is_checked_twice_an_hour_apart(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    barn = await fediverse.studio("barn")
    row = await says(attic, "Still here")
    rumour = {**made_up(attic, "Delete", object=row.uri), "id": f"{attic.home}/rumour"}
    assert (await barn.sends(f"{shop.uri}/inbox", rumour)).status == 202
    await fediverse.settle()
    assert (await holds(shop, row.uri)).deleted is None

    await attic.does(lambda tx: known.bury(tx, row.uri, attic.uri))
    again = {**rumour, "id": f"{attic.home}/rumour-2"}
    await barn.sends(f"{shop.uri}/inbox", again)
    await fediverse.settle()
    once = (await holds(shop, row.uri)).deleted
    for _ in range(4):
        fediverse.later(minutes=40)
        await fediverse.settle()

    assert once is None
    assert (await holds(shop, row.uri)).deleted is not None


@pytest.mark.proves("P-332")
async def test_ten_thousand_mentions_make_nobody_work(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    crowd = [f"https://crowd{number}.example/actor" for number in range(3_000)]
    tags = [{"type": "Mention", "href": one, "name": "@x"} for one in [*crowd[:300], shop.uri]]
    note = note_by(attic, cc=crowd, tag=tags)
    before = len(fediverse.requests)

    await sends(attic, shop, made_up(attic, "Create", object=note))

    assert await has(shop, note["id"])
    told = [one.kind for one in await shop.knows(Notification)]
    assert "mention" not in told  # it stands behind three hundred others, and nobody reads so far
    assert len(fediverse.requests) == before + 1


async def test_to_be_named_in_a_private_post_is_not_to_be_told_of_it(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    second = await lives_at(shop, "cy")
    tag = [{"type": "Mention", "href": one, "name": "@x@shop.example"} for one in (second, shop.uri)]

    await sends(attic, shop, made_up(attic, "Create", object=note_by(attic, to=[shop.uri], tag=tag)))

    told = [one.account for one in await shop.knows(Notification) if one.kind == "mention"]
    assert told == [(await account_of(shop)).id]


async def test_a_create_by_reference_is_fetched_from_where_it_lives(fediverse: Fediverse) -> None:
    attic, _ = await neighbours(fediverse)
    barn = await fediverse.studio("barn")
    row = await says(attic, "Come and see")

    await sends(attic, barn, made_up(attic, "Create", object=row.uri, to=[barn.uri]))

    assert (await holds(barn, row.uri)).document["content"] == "<p>Come and see</p>"


@pytest.mark.proves("P-112", "P-327")
async def test_a_create_by_reference_brings_nothing_that_concerns_nobody(fediverse: Fediverse) -> None:
    attic, _ = await neighbours(fediverse)
    barn = await fediverse.studio("barn")
    row = await says(attic, "Come and see")

    receipt = await sends(attic, barn, made_up(attic, "Create", object=row.uri, to=[PUBLIC]))

    assert receipt.state == "refused"
    assert await has(barn, row.uri) is None


@pytest.mark.proves("P-104", "P-112")
async def test_a_create_by_reference_brings_nothing_of_others(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    barn = await fediverse.studio("barn")
    second = await lives_at(attic, "cy")
    row = await says(attic, "Come and see")
    by_another = {**made_up(attic, "Create", object=row.uri, to=[barn.uri]), "actor": second}
    before = len(fediverse.requests)

    receipt = await sends(shop, barn, made_up(shop, "Create", object=row.uri, to=[barn.uri]))
    asked = {one.url.host for one in fediverse.requests[before:]}
    await attic.sends(f"{barn.uri}/inbox", by_another, await attic.instance.signer(second))
    await fediverse.settle()

    assert receipt.state == "refused"
    assert asked == {"barn.example", "shop.example"}
    assert (await receipt_of(barn, by_another)).state == "refused"
    assert await has(barn, row.uri) is None
