"""Collections, walked as other servers walk them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from sqlalchemy import insert

from activitypub.audience import Visibility
from activitypub.collection import Walk
from activitypub.document import Document, Json
from coop import endorsements, invitations, offers, pins, posts, projects, reactions
from coop.follows import Follow
from coop.posts import Draft
from coop.statements import Entry
from federation import ids
from tests.fediverse import Fediverse, Studio, key_pair
from tests.web.visitors import BROWSER, ask, neighbours

OFFER = offers.Draft("offer", "Maps", "By the day")


async def walk(studio: Studio, url: str) -> list[Any]:
    """All items, page after page; each page is as P-037 has it."""
    found = Walk(url)
    upcoming: str | None = url
    while upcoming is not None:
        answer = await ask(studio, upcoming)
        page: Json = answer.json()
        assert (answer.status_code, page["id"]) == (200, upcoming)
        assert len(page.get("orderedItems", [])) <= 40
        if upcoming != url:
            assert (page["type"], page["partOf"]) == ("OrderedCollectionPage", url)
        upcoming = found.take(Document(page))
    items = [one.json if isinstance(one, Document) else one for one in found.items]
    assert found.total == len(items)
    return items


async def says(studio: Studio, text: str, visibility: Visibility = "public", reply_to: str | None = None) -> str:
    return await studio.does(lambda tx: posts.publish(tx, studio.uri, Draft(text, visibility, reply_to=reply_to)).uri)


@pytest.mark.proves("P-037")
async def test_an_outbox_has_what_was_said_to_all_and_passed_on_newest_first(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    first, second = await says(attic, "One"), await says(attic, "Two", "unlisted")
    gone, boosted = await says(attic, "Three"), await says(attic, "Four")
    await says(attic, "Five", "followers")
    theirs = await says(shop, "Theirs")
    await attic.does(lambda tx: reactions.boost(tx, attic.uri, theirs))
    await attic.does(lambda tx: reactions.boost(tx, attic.uri, boosted))
    await attic.does(lambda tx: reactions.unboost(tx, attic.uri, boosted))
    await attic.does(lambda tx: posts.delete(tx, attic.uri, gone))

    items = await walk(attic, f"{attic.uri}/outbox")

    told = [(one["type"], one["object"]["id"] if one["type"] == "Create" else one["object"]) for one in items]
    assert told == [("Announce", theirs), ("Create", boosted), ("Create", second), ("Create", first)]
    assert all("@context" in one for one in items)


@pytest.mark.proves("P-037")
async def test_a_long_collection_is_walked_to_its_end_and_back(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    names = [f"https://fan{number}.example/actor" for number in range(95)]
    now = attic.instance.now()
    rows = [
        {
            "id": ids.new(now),
            "uri": f"{one}#f",
            "follower": one,
            "followed": attic.uri,
            "state": "accepted",
            "since": now,
        }
        for one in names
    ]
    await attic.does(lambda tx: tx.db.execute(insert(Follow), rows))
    url = f"{attic.uri}/followers"

    items = await walk(attic, url)
    collection = (await ask(attic, url)).json()
    pages = [(await ask(attic, collection["first"])).json()]
    while "next" in pages[-1]:
        pages.append((await ask(attic, pages[-1]["next"])).json())
    backwards = [pages[-1]]
    while "prev" in backwards[-1]:
        backwards.append((await ask(attic, backwards[-1]["prev"])).json())

    assert items == names[::-1]
    assert (collection["type"], collection["totalItems"]) == ("OrderedCollection", 95)
    assert [len(one["orderedItems"]) for one in pages] == [40, 40, 15]
    assert "prev" not in pages[0]
    assert [one["orderedItems"] for one in backwards] == [one["orderedItems"] for one in pages[::-1]]


@pytest.mark.proves("P-037")
@pytest.mark.parametrize("query", ["?before=odd", "?after=%00", "?before=zzzzzzzzzzzzz", "?before=0", "?after=-1"])
async def test_there_is_no_page_at_a_made_up_place(fediverse: Fediverse, query: str) -> None:
    attic = await fediverse.studio("attic")

    answer = await ask(attic, f"{attic.uri}/outbox{query}")

    assert answer.status_code == 400


@pytest.mark.proves("P-038")
async def test_a_post_lists_what_answers_it_and_who_likes_and_passes_it_on(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    post = await says(attic, "Ink!")
    await fediverse.settle()
    answer = await says(shop, "Paper!", reply_to=post)
    await says(shop, f"@{attic.address} whispered", "direct", reply_to=post)
    like = await shop.does(lambda tx: reactions.like(tx, shop.uri, post).uri)
    boost = await shop.does(lambda tx: reactions.boost(tx, shop.uri, post).uri)
    await fediverse.settle()
    note, whole = (await ask(attic, post)).json(), (await ask(attic, f"{post}/replies")).json()
    embedded = note["replies"]

    assert await walk(attic, f"{post}/replies") == embedded["first"]["orderedItems"] == [answer]
    assert await walk(attic, f"{post}/likes") == [like]
    assert await walk(attic, f"{post}/shares") == [boost]
    assert [note[name]["totalItems"] for name in ("replies", "likes", "shares")] == [1, 1, 1]
    assert whole == {"@context": whole["@context"], **embedded, "first": embedded["first"]["id"]}


@pytest.mark.proves("P-036")
async def test_what_was_deleted_lists_nobody(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    post = await attic.does(lambda tx: posts.publish(tx, attic.uri, Draft("Ink!")).uri)
    await fediverse.settle()
    await shop.does(lambda tx: posts.publish(tx, shop.uri, Draft("Nice", reply_to=post)))
    await fediverse.settle()
    urls = [f"{post}/{name}{page}" for name in ("replies", "likes", "shares") for page in ("", "?page=1")]
    before = [(await ask(attic, url)).status_code for url in urls]

    await attic.does(lambda tx: posts.delete(tx, attic.uri, post))

    assert before == [200] * 6
    assert [(await ask(attic, url)).status_code for url in urls] == [404] * 6


@pytest.mark.proves("P-223")
async def test_the_offers_of_an_actor_are_those_that_are_open(fediverse: Fediverse) -> None:
    attic, _ = await neighbours(fediverse)
    first, second = [await attic.does(lambda tx: offers.open(tx, attic.uri, OFFER).uri) for _ in range(2)]
    filled = await attic.does(lambda tx: offers.open(tx, attic.uri, OFFER).uri)
    await attic.does(lambda tx: offers.fill(tx, attic.uri, filled))
    actor = (await ask(attic, attic.uri)).json()

    assert await walk(attic, actor["offers"]) == [second, first]


async def test_pins_are_featured(fediverse: Fediverse) -> None:
    attic, _ = await neighbours(fediverse)
    first, second = await says(attic, "One"), await says(attic, "Two")
    await attic.does(lambda tx: pins.pin(tx, attic.uri, second))
    await attic.does(lambda tx: pins.pin(tx, attic.uri, first))

    assert await walk(attic, f"{attic.uri}/collections/featured") == [first, second]
    assert await walk(attic, f"{attic.uri}/collections/tags") == []


@pytest.mark.proves("P-243", "P-245", "P-247")
async def test_endorsements_are_listed_where_they_were_given_and_where_they_are_shown(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    await attic.meets(shop)
    kept, hidden, revoked = [
        await shop.does(lambda tx: endorsements.give(tx, shop.uri, attic.uri, ["Ink"], "Good ink.").uri)
        for _ in range(3)
    ]
    await fediverse.settle()
    await attic.does(lambda tx: endorsements.accept(tx, attic.uri, kept))
    await attic.does(lambda tx: endorsements.accept(tx, attic.uri, revoked))
    await shop.does(lambda tx: endorsements.revoke(tx, shop.uri, revoked))
    await fediverse.settle()
    giver, subject = (await ask(shop, shop.uri)).json(), (await ask(attic, attic.uri)).json()

    assert await walk(shop, giver["endorsementsGiven"]) == [hidden, kept]
    assert await walk(attic, subject["endorsementsReceived"]) == [kept]
    [deletion] = await walk(shop, giver["revocations"])
    assert (deletion["type"], deletion["actor"], deletion["proof"]["type"]) == (
        "Delete",
        shop.uri,
        "DataIntegrityProof",
    )
    assert (await ask(shop, revoked)).status_code == 410


@pytest.mark.proves("P-243")
async def test_a_copy_of_an_endorsement_is_served_by_whom_it_is_about(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    await attic.meets(shop)
    uri = await shop.does(lambda tx: endorsements.give(tx, shop.uri, attic.uri, ["Ink"], "Good ink.").uri)
    await fediverse.settle()
    [row] = await attic.knows(endorsements.Endorsement)
    url = f"{attic.home}/endorsements/{row.hash}.json"
    hidden = await ask(attic, url)
    await attic.does(lambda tx: endorsements.accept(tx, attic.uri, uri))

    answer, page = await ask(attic, url), await ask(attic, url.removesuffix(".json"), BROWSER)
    elsewhere = await ask(shop, f"{shop.home}/endorsements/{row.hash}.json")

    assert (hidden.status_code, answer.status_code, elsewhere.status_code) == (404, 200, 404)
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["endorsement"] == (await ask(shop, uri)).json()["endorsement"]
    assert answer.json()["actorSnapshots"][0]["actor"]["id"] == shop.uri
    assert "Good ink." in page.text
    assert f'href="{url}"' in page.text


@pytest.mark.proves("P-250", "P-254", "P-318")
@pytest.mark.parametrize("public", [True, False])
async def test_a_project_tells_its_members_and_its_log_to_those_who_may_know(
    fediverse: Fediverse, public: bool
) -> None:
    attic, shop = await neighbours(fediverse)
    outsider = await fediverse.studio("outsider")
    await attic.meets(shop)
    uri = await attic.does(
        lambda tx: projects.create(tx, attic.uri, "The atlas", "Nine sheets", key_pair(7), public=public).uri
    )
    group = (await ask(attic, uri)).json()
    invitation = await attic.does(lambda tx: invitations.invite(tx, attic.uri, uri, shop.uri).id)
    await fediverse.settle()
    by_the_invited = await shop.gets(group["log"])
    await shop.does(lambda tx: invitations.accept(tx, shop.uri, invitation))
    await fediverse.settle()

    members, log = await ask(attic, group["members"]), await ask(attic, group["log"])
    page = await ask(attic, f"{group['members']}?page=1")
    unknown = await ask(attic, f"{attic.home}/projects/0000000000000/log")
    other = await outsider.gets(group["log"])
    own, whole = await shop.gets(f"{group['members']}?page=1"), await shop.gets(f"{group['log']}?page=1")

    assert (group["type"], group["attributedTo"], group["collaborators"]) == ("Group", attic.uri, group["members"])
    assert (members.json()["totalItems"], "first" in members.json()) == (2, public)
    assert page.status_code == (200 if public else 404)
    assert (log.status_code, log.content, other.status, other.body) == (404, unknown.content, 404, unknown.content)
    assert by_the_invited.status == 200
    assert msgspec.json.decode(own.body)["orderedItems"] == [shop.uri, attic.uri]
    statements = msgspec.json.decode(whole.body)["orderedItems"]
    assert [one["type"] for one in statements] == ["Create", "Invite", "Accept"]
    assert all("proof" in one for one in statements)


@pytest.mark.proves("P-254", "P-255")
async def test_who_let_an_invitation_expire_reads_the_log_no_longer(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    await attic.meets(shop)
    uri = await attic.does(lambda tx: projects.create(tx, attic.uri, "The atlas", "Nine", key_pair(7)).uri)
    await attic.does(lambda tx: invitations.invite(tx, attic.uri, uri, shop.uri))
    await fediverse.settle()

    found = []
    for days in (29, 1):
        fediverse.later(days=days)
        found.append((await shop.gets(f"{uri}/log")).status)

    assert found == [200, 404]


@pytest.mark.proves("P-254")
async def test_every_member_has_a_copy_of_the_log(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    outsider = await fediverse.studio("outsider")
    await attic.meets(shop)
    uri = await attic.does(lambda tx: projects.create(tx, attic.uri, "The atlas", "Nine", key_pair(7)).uri)
    invitation = await attic.does(lambda tx: invitations.invite(tx, attic.uri, uri, shop.uri).id)
    await fediverse.settle()
    await shop.does(lambda tx: invitations.accept(tx, shop.uri, invitation))
    await fediverse.settle()
    [accept] = [one for one in await shop.knows(Entry) if one.kind == "accept"]

    copy, refused = await attic.gets(accept.document["replica"]), await outsider.gets(accept.document["replica"])
    first = await attic.gets(msgspec.json.decode(copy.body)["first"])

    assert accept.document["replica"].startswith(f"{shop.home}/projects/")
    assert refused.status == 404
    statements = msgspec.json.decode(first.body)["orderedItems"]
    assert sorted(one["type"] for one in statements) == ["Accept", "Create", "Invite"]


@pytest.mark.proves("P-250")
async def test_a_project_has_a_page_of_its_own(fediverse: Fediverse) -> None:
    attic, _ = await neighbours(fediverse)
    uri = await attic.does(
        lambda tx: projects.create(tx, attic.uri, "The atlas", "Nine sheets", key_pair(7), public=True).uri
    )
    post = await says(attic, "First sheet!")
    await attic.does(lambda tx: reactions.boost(tx, uri, post))

    page, by_handle = await ask(attic, uri, BROWSER), await ask(attic, "/@the-atlas", BROWSER)

    assert page.status_code == 200
    assert all(words in page.text for words in ("The atlas", "Nine sheets", "First sheet!", "Attic"))
    assert (by_handle.status_code, by_handle.headers["location"]) == (303, uri)
