"""Who may read what, as document, page, collection or file, and what everybody else is told."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec
import pytest
from sqlalchemy import event, update

from activitypub.audience import Visibility
from activitypub.document import Json
from coop import blocks, departures, endorsements, offers, posts, profiles
from coop.posts import Draft
from federation.tables import Activity, Object
from tests.fediverse import Fediverse, Studio
from tests.web.visitors import BROWSER, PROGRAM, ask, neighbours

AS2 = "https://www.w3.org/ns/activitystreams"


async def says(studio: Studio, text: str, visibility: Visibility = "public", **more: Any) -> str:
    return await studio.does(lambda tx: posts.publish(tx, studio.uri, Draft(text, visibility, **more)).uri)


async def read_by(reader: Studio, url: str) -> httpx.Response:
    """What `reader` is answered, who signs the request."""
    answer = await reader.gets(url)
    return httpx.Response(answer.status, headers=dict(answer.headers), content=answer.body)


def parts_of(post: str) -> list[str]:
    return [post, *(f"{post}/{name}" for name in ("activity", "replies", "likes", "shares"))]


@pytest.mark.proves("P-035", "P-318", "P-032")
@pytest.mark.parametrize("visibility", ["followers", "direct"])
async def test_a_private_post_is_read_by_those_it_is_for(fediverse: Fediverse, visibility: Visibility) -> None:
    attic, shop = await neighbours(fediverse)
    await attic.meets(shop)
    post = await says(attic, f"@{shop.address} the key is under the mat", visibility)

    for url in parts_of(post):
        answer = await read_by(shop, url)

        assert answer.status_code == 200, url
        assert answer.headers["cache-control"] == "private, no-store"
        assert {"Accept", "Signature", "Signature-Input"} <= {one.strip() for one in answer.headers["vary"].split(",")}


@pytest.mark.proves("P-032")
async def test_the_page_of_a_private_post_is_kept_by_nobody_on_the_way(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    post = await says(attic, "the key is under the mat", "followers")
    signer = await shop.instance.signer(shop.uri)

    page = await shop.instance.client.get(post, signer, accept="text/html")

    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert b"under the mat" in page.body
    assert page.headers["cache-control"] == "private, no-store"


@pytest.mark.proves("P-035")
@pytest.mark.parametrize("change", [{"visibility": "followers"}, {"deleted": datetime(2026, 3, 2, tzinfo=UTC)}])
async def test_what_a_post_answers_is_shown_with_it_only_while_everybody_may_read_that(
    fediverse: Fediverse, change: dict[str, Any]
) -> None:
    """Its author may have narrowed it by an edit, or deleted it, after it was answered in public."""
    attic, shop = await neighbours(fediverse)
    question = await says(attic, "Who has ink?")
    await fediverse.settle()
    answer = await says(shop, "We have!", reply_to=question)
    before = (await ask(shop, answer, BROWSER)).text
    await shop.does(lambda tx: tx.db.execute(update(Object).where(Object.uri == question).values(**change)))

    after = await ask(shop, answer, BROWSER)

    assert "Who has ink?" in before
    assert (after.status_code, "Who has ink?" in after.text) == (200, False)


@pytest.mark.proves("P-035", "P-318", "P-337")
@pytest.mark.parametrize("visibility", ["followers", "direct"])
async def test_to_everybody_else_a_private_post_is_not_there(fediverse: Fediverse, visibility: Visibility) -> None:
    """Whoever asks, and in whatever form, the answer is to the octet the one for what never was."""
    attic, shop = await neighbours(fediverse)
    outsider = await fediverse.studio("outsider")
    await attic.meets(shop)
    post = await says(attic, f"@{shop.address} the key is under the mat", visibility)
    await attic.meets(outsider)
    await attic.does(lambda tx: blocks.block(tx, attic.uri, shop.uri))

    for url in parts_of(post):
        unknown = url.replace(post, f"{attic.home}/notes/0000000000000")
        for headers in (PROGRAM, BROWSER, {"accept": "*/*"}, {**PROGRAM, "signature": "odd"}):
            answer, nothing = await ask(attic, url, headers), await ask(attic, unknown, headers)
            assert (answer.status_code, answer.content, answer.headers) == (404, nothing.content, nothing.headers)
        for stranger in (outsider, shop):
            answer, nothing = await read_by(stranger, url), await read_by(stranger, unknown)
            assert (answer.status_code, answer.content) == (404, nothing.content)


@pytest.mark.proves("P-318")
async def test_nothing_private_is_listed_anywhere(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    await attic.meets(shop)
    public = await says(attic, "Seen by all #ink")
    for visibility in ("followers", "direct"):
        await says(attic, f"@{shop.address} hidden words #ink", visibility, reply_to=public)
    await attic.does(
        lambda tx: offers.open(tx, attic.uri, offers.Draft("offer", "Hidden words", "Hidden words"), "followers")
    )
    places = ["/", "/@attic", "/tags/ink", "/@attic/posts.atom", "/@attic/offers.atom"]
    collections = ["outbox", "offers", "collections/featured"]
    urls = [*places, public, f"{public}/replies?page=1", *(f"{attic.uri}/{one}?page=1" for one in collections)]

    for url in urls:
        for headers in (PROGRAM, BROWSER):
            answer = await ask(attic, url, headers)
            assert "idden words" not in answer.text, url


@contextmanager
def asked_of(studio: Studio) -> Iterator[list[str]]:
    """What the database of `studio` is asked, as SQLite hears it."""
    said: list[str] = []
    engine = studio.instance.store.engine

    def listen(connection: sqlite3.Connection, _: object) -> None:
        connection.set_trace_callback(said.append)

    event.listen(engine, "connect", listen)
    engine.dispose()
    yield said
    event.remove(engine, "connect", listen)
    engine.dispose()


@pytest.mark.proves("P-337")
@pytest.mark.parametrize("headers", [PROGRAM, BROWSER, {**PROGRAM, "signature": "odd"}])
async def test_no_more_is_done_for_what_is_private_than_for_what_never_was(
    fediverse: Fediverse, headers: dict[str, str]
) -> None:
    attic, _ = await neighbours(fediverse)
    post, nothing = await says(attic, "hidden words", "followers"), f"{attic.home}/notes/0000000000000"

    for url in parts_of(post):
        with asked_of(attic) as about_it:
            await ask(attic, url, headers)
        with asked_of(attic) as about_nothing:
            await ask(attic, url.replace(post, nothing), headers)

        assert any("SELECT" in one for one in about_nothing)
        assert [one.replace(post, nothing) for one in about_it] == about_nothing


@pytest.mark.proves("P-337")
async def test_whose_signature_it_is_is_found_out_for_what_never_was_as_well(fediverse: Fediverse) -> None:
    attic, _ = await neighbours(fediverse)
    post = await says(attic, "hidden words", "followers")
    barn, cellar = await fediverse.studio("barn"), await fediverse.studio("cellar")

    await barn.gets(post)
    await cellar.gets(f"{attic.home}/notes/0000000000000")

    keys = [str(one.url) for one in fediverse.requests if one.url.host in (barn.host, cellar.host)]
    assert keys == [barn.uri, cellar.uri]


@pytest.mark.proves("P-034")
async def test_where_requests_have_to_be_signed_only_those_who_sign_them_read(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic", authorized_fetch=True)
    shop, evil = await fediverse.studio("shop"), await fediverse.studio("evil")
    await attic.does(lambda tx: blocks.block_domain(tx, evil.host))
    post = await says(attic, "Seen by all who sign")

    for url in (post, f"{post}/activity", f"{post}/replies", f"{attic.uri}/outbox", f"{attic.uri}/followers"):
        unsigned, signed, blocked = await ask(attic, url), await read_by(shop, url), await read_by(evil, url)
        assert (unsigned.status_code, signed.status_code, blocked.status_code) == (401, 200, 403), url
        assert signed.headers["cache-control"] == "private, no-store"
        assert "accept-signature" in unsigned.headers


@pytest.mark.proves("P-019", "P-034")
async def test_actors_and_what_finds_them_are_read_without_a_signature(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic", authorized_fetch=True)
    finger = "/.well-known/webfinger?resource=acct:attic@attic.example"

    for url in (attic.uri, "/@attic", "/actor", finger, "/.well-known/nodeinfo", "/nodeinfo/2.1"):
        answer = await ask(attic, url)
        assert answer.status_code == 200, url

    actor = (await ask(attic, attic.uri)).json()
    assert actor["publicKey"]["publicKeyPem"].startswith("-----BEGIN PUBLIC KEY-----")
    assert actor["assertionMethod"][0]["publicKeyMultibase"].startswith("z6Mk")
    assert "PRIVATE" not in str(actor)


async def test_with_signed_requests_people_still_read_pages(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic", authorized_fetch=True)
    post = await says(attic, "Seen by all who come by")

    answer = await ask(attic, post, BROWSER)

    assert (answer.status_code, "Seen by all" in answer.text) == (200, True)


@pytest.mark.proves("P-036")
async def test_what_was_deleted_is_gone_and_says_what_it_was(fediverse: Fediverse) -> None:
    attic, _ = await neighbours(fediverse)
    post = await says(attic, "Rash words")
    await attic.does(lambda tx: posts.delete(tx, attic.uri, post))

    document, page, activity = (
        await ask(attic, post),
        await ask(attic, post, BROWSER),
        await ask(attic, f"{post}/activity"),
    )
    unknown = await ask(attic, f"{attic.home}/notes/0000000000000")

    assert (document.status_code, page.status_code, unknown.status_code) == (410, 410, 404)
    tombstone: Json = document.json()
    assert (tombstone["id"], tombstone["type"], tombstone["formerType"]) == (post, "Tombstone", "Note")
    assert AS2 in tombstone["@context"]
    assert tombstone["deleted"] == "2026-03-02T09:00:00Z"
    assert document.headers["content-type"] == "application/activity+json"
    assert (activity.status_code, activity.json()["formerType"]) == (410, "Create")
    assert "Rash words" not in document.text + page.text + activity.text


@pytest.mark.proves("P-029")
async def test_whoever_left_is_gone_and_whoever_is_suspended_shows_nothing(fediverse: Fediverse) -> None:
    attic, shop = await fediverse.studio("attic"), await fediverse.studio("shop")
    await attic.does(lambda tx: departures.leave(tx, attic.uri))
    await shop.does(lambda tx: profiles.edit(tx, shop.uri, profiles.Changes(bio="Pots and pans")))
    await shop.does(lambda tx: profiles.suspend(tx, shop.uri))

    gone, page = await ask(attic, attic.uri), await ask(attic, "/@attic", BROWSER)
    suspended, hidden, house = (
        await ask(shop, shop.uri),
        await ask(shop, "/@shop", BROWSER),
        await ask(shop, "/", BROWSER),
    )

    assert (gone.status_code, gone.json()["type"], page.status_code) == (410, "Tombstone", 410)
    assert (suspended.json()["suspended"], suspended.json()["name"], suspended.json()["summary"]) == (True, "", "")
    assert hidden.status_code == 404
    assert "Pots" not in suspended.text + hidden.text + house.text


async def test_an_activity_is_served_as_it_went_out(fediverse: Fediverse) -> None:
    attic, _ = await neighbours(fediverse)
    post = await says(attic, "Ink!")
    [sent] = [one for one in await attic.knows(Activity) if one.type == "Create"]

    answer = await ask(attic, f"{post}/activity")

    assert answer.content == sent.body
    assert answer.json()["proof"]["type"] == "DataIntegrityProof"


async def test_what_was_edited_is_not_told_in_its_old_words(fediverse: Fediverse) -> None:
    attic, _ = await neighbours(fediverse)
    post = await says(attic, "The code is 4711")
    fediverse.later(minutes=5)
    await attic.does(lambda tx: posts.edit(tx, attic.uri, post, "There is a code"))

    activity, outbox = await ask(attic, f"{post}/activity"), await ask(attic, f"{attic.uri}/outbox?page=1")

    for answer in (activity.json(), outbox.json()["orderedItems"][-1]):
        assert (answer["type"], answer["object"]["content"]) == ("Create", "<p>There is a code</p>")
        assert "4711" not in str(answer)
        assert "proof" not in answer


async def test_an_activity_between_few_is_read_by_them_alone(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    outsider = await fediverse.studio("outsider")
    [accept] = [one.uri for one in await attic.knows(Activity) if one.type == "Accept"]

    allowed, refused, unsigned = await read_by(shop, accept), await read_by(outsider, accept), await ask(attic, accept)

    assert (allowed.status_code, refused.status_code, unsigned.status_code) == (200, 404, 404)
    assert msgspec.json.decode(allowed.content)["id"] == accept


async def test_a_document_has_the_words_of_its_context_as_when_it_was_sent(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    await attic.meets(shop)
    said = [
        await says(attic, "Ink!"),
        await attic.does(lambda tx: offers.open(tx, attic.uri, offers.Draft("offer", "Maps", "By the day")).uri),
        await attic.does(lambda tx: endorsements.give(tx, attic.uri, shop.uri, ["Ink"], "Good ink.").uri),
    ]

    for uri in said:
        document, activity = (await ask(attic, uri)).json(), (await ask(attic, f"{uri}/activity")).json()

        named = {name: document[name]["id"] for name in ("replies", "likes", "shares")}  # which are told at once here
        assert document["@context"] == activity["@context"]
        assert {**document, **named, "@context": None} == {**activity["object"], "@context": None}


async def test_what_others_said_is_not_ours_to_serve(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    post = await says(attic, "Ink!")
    await fediverse.settle()

    answer = await ask(shop, post.replace(attic.home, shop.home))

    assert answer.status_code == 404


@pytest.mark.proves("P-032", "P-329")
async def test_no_cache_may_give_one_representation_for_another(fediverse: Fediverse) -> None:
    """A cache that does as HTTP says, asked in every order, answers what the server would have."""
    attic, shop = await neighbours(fediverse)
    public, private = await says(attic, "Seen by all"), await says(attic, f"@{shop.address} hidden", "followers")
    signer = await shop.instance.signer(shop.uri)
    wishes = [PROGRAM, BROWSER, {**PROGRAM, "signature": f'keyId="{signer.key_id}",signature="bad"'}, {"accept": "*/*"}]

    for url in (public, private, "/@attic", attic.uri, f"{attic.uri}/outbox", f"{public}/activity", "/"):
        for turn in range(len(wishes)):
            cache: dict[tuple[str, ...], httpx.Response] = {}
            varies: list[str] = []
            for headers in wishes[turn:] + wishes[:turn]:
                fresh = await ask(attic, url, headers)
                key = tuple(headers.get(name, "") for name in varies)
                kept = cache.get(key)
                assert kept is None or (kept.status_code, kept.content) == (fresh.status_code, fresh.content), url
                control = fresh.headers.get("cache-control", "")
                assert control, url
                if "no-store" not in control and "private" not in control:
                    assert fresh.status_code < 400
                    varies = [one.strip().lower() for one in fresh.headers["vary"].split(",")]
                    cache[tuple(headers.get(name, "") for name in varies)] = fresh


@pytest.mark.proves("P-331")
@pytest.mark.parametrize(
    "path", ["/notes/%0d%0aSet-Cookie:x", "/notes/%00", "/@%0a", "/actors/a%09b", "/tags/%E2%80%AE"]
)
async def test_addresses_with_control_characters_are_none(fediverse: Fediverse, path: str) -> None:
    attic = await fediverse.studio("attic")

    answer = await ask(attic, path, BROWSER)

    assert answer.status_code in (404, 421)
    assert "set-cookie" not in answer.headers


@pytest.mark.proves("P-003")
async def test_everything_of_an_actor_is_where_it_says(fediverse: Fediverse) -> None:
    attic, _ = await neighbours(fediverse)
    actor = (await ask(attic, attic.uri)).json()
    names = ("outbox", "followers", "following", "featured", "featuredTags", "offers")

    for name in names:
        answer = await ask(attic, actor[name])
        assert (answer.status_code, answer.json()["id"]) == (200, actor[name])
