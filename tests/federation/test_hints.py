"""What nobody proved is asked of the server that it is about: deletions twice, an hour apart."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from activitypub.document import Json
from coop.follows import Follow
from federation import receipts
from federation.tables import Actor, Object, Receipt
from tests.federation.stranger import Stranger
from tests.fediverse import Fediverse, Studio


@pytest.fixture
async def attic(fediverse: Fediverse) -> Studio:
    return await fediverse.studio("attic")


@pytest.fixture
def social(fediverse: Fediverse) -> Stranger:
    return Stranger(fediverse)


@pytest.fixture
def relay(fediverse: Fediverse) -> Stranger:
    """A server that passes on what others say."""
    relay = Stranger(fediverse, "relay.example", key=3)
    relay.actor("relay", "Application")
    return relay


async def hears(attic: Studio, social: Stranger, **more: Any) -> Json:
    """Let the attic have a post of somebody's, and know its author."""
    cleo = social.actor("cleo")
    note = social.note("note", cleo, to=[attic.uri], **more)
    await social.sends(attic, social.activity("Create", cleo, note, to=[attic.uri]))
    await attic.fediverse.settle()
    return note


async def passes_on(relay: Stranger, attic: Studio, activity: Json) -> None:
    """As Mastodon does it, with a signature inside that we do not read (P-090)."""
    signature = {"type": "RsaSignature2017", "creator": f"{activity['actor']}#main-key", "signatureValue": "AAAA"}
    answer = await relay.sends(attic, {**activity, "signature": signature}, by=f"{relay.home}/relay")
    assert answer.status_code == 202


async def post(attic: Studio) -> Object:
    [found] = await attic.knows(Object)
    return found


@pytest.mark.proves("P-091", "P-104")
@pytest.mark.parametrize("kind", ["Create", "Update"])
async def test_what_is_passed_on_is_fetched_from_its_author(
    fediverse: Fediverse, attic: Studio, social: Stranger, relay: Stranger, kind: str
) -> None:
    note = await hears(attic, social)
    edited = social.note("note", note["attributedTo"], to=[attic.uri], content="edited", updated="2026-03-02T08:00:00Z")
    passed_on = {**edited, "content": "<p>a lie</p>"}

    await passes_on(relay, attic, social.activity(kind, note["attributedTo"], passed_on))
    await fediverse.settle()

    assert (await post(attic)).document["content"] == "edited"


@pytest.mark.proves("P-091")
async def test_a_reply_by_a_stranger_to_what_we_have_is_fetched(
    fediverse: Fediverse, attic: Studio, social: Stranger, relay: Stranger
) -> None:
    note = await hears(attic, social)
    bella = social.actor("bella")
    reply = social.note("reply", bella, inReplyTo=note["id"])
    unrelated = social.note("unrelated", bella)

    await passes_on(relay, attic, social.activity("Create", bella, unrelated))
    await fediverse.settle()
    before = len(await attic.knows(Object))
    await passes_on(relay, attic, social.activity("Create", bella, reply))
    await fediverse.settle()

    assert before == 1
    assert {one.uri for one in await attic.knows(Object)} == {note["id"], reply["id"]}


@pytest.mark.proves("P-091")
@pytest.mark.parametrize("kind", ["Like", "Announce", "Follow", "Undo", "Block", "Accept", "Add", "Flag", "Move"])
async def test_everything_else_that_is_passed_on_is_dropped(
    fediverse: Fediverse, attic: Studio, social: Stranger, relay: Stranger, kind: str
) -> None:
    note = await hears(attic, social)
    social.note("more", note["attributedTo"])
    before = len(fediverse.requests) + 1

    await passes_on(relay, attic, social.activity(kind, note["attributedTo"], f"{social.home}/more"))
    await fediverse.settle()

    assert {one.state for one in await attic.knows(Receipt)} == {"done"}
    assert [one.url.path for one in fediverse.requests[before:]] == ["/relay"]


@pytest.mark.proves("P-091", "P-108")
@pytest.mark.parametrize("kind", ["Create", "Update", "Delete"])
@pytest.mark.parametrize("about", ["https://victim.example/note", "https://attic.example/note", "no address", None, 7])
async def test_a_hint_makes_us_ask_nobody_but_its_actors_server(
    fediverse: Fediverse, attic: Studio, social: Stranger, relay: Stranger, kind: str, about: Any
) -> None:
    note = await hears(attic, social)
    before = len(fediverse.requests) + 1

    await passes_on(relay, attic, social.activity(kind, note["attributedTo"], about))
    await fediverse.settle()

    assert [one.url.path for one in fediverse.requests[before:]] == ["/relay"]
    assert "waiting" not in {one.state for one in await attic.knows(Receipt)}


@pytest.mark.proves("P-118", "P-091", "P-319")
@pytest.mark.parametrize("there", [404, 410, "tombstone"])
async def test_a_post_is_gone_if_its_server_says_so_twice(
    fediverse: Fediverse, attic: Studio, social: Stranger, relay: Stranger, there: Any
) -> None:
    note = await hears(attic, social)
    tombstone = {"id": note["id"], "type": "Tombstone", "attributedTo": note["attributedTo"]}
    social.documents["/note"] = tombstone if there == "tombstone" else there
    await passes_on(relay, attic, social.activity("Delete", note["attributedTo"], note["id"]))

    await fediverse.settle()
    at_once = (await post(attic)).deleted
    fediverse.later(minutes=50)
    await fediverse.settle()
    too_soon = (await post(attic)).deleted
    fediverse.later(hours=1)
    await fediverse.settle()

    assert (at_once, too_soon) == (None, None)
    assert (await post(attic)).deleted == fediverse.now


@pytest.mark.proves("P-118")
@pytest.mark.parametrize("kind", ["Create", "Update"])
async def test_a_post_that_is_found_gone_is_asked_for_again_in_an_hour(
    fediverse: Fediverse, attic: Studio, social: Stranger, relay: Stranger, kind: str
) -> None:
    note = await hears(attic, social)
    social.documents["/note"] = 410
    await passes_on(relay, attic, social.activity(kind, note["attributedTo"], note["id"]))

    await fediverse.settle()
    at_once = (await post(attic)).deleted
    fediverse.later(hours=2)
    await fediverse.settle()

    assert at_once is None
    assert (await post(attic)).deleted is not None


@pytest.mark.proves("P-118")
async def test_a_proxy_that_fails_now_and_then_erases_nothing(
    fediverse: Fediverse, attic: Studio, social: Stranger, relay: Stranger
) -> None:
    note = await hears(attic, social)
    there = social.documents["/note"]

    for day in range(3):
        for found in (404, there):
            social.documents["/note"] = found
            delete = {**social.activity("Delete", note["attributedTo"], note["id"]), "summary": f"{day} {found}"}
            await passes_on(relay, attic, delete)
            await fediverse.settle()
            fediverse.later(days=1)

    assert (await post(attic)).deleted is None


@pytest.mark.proves("P-118", "P-319")
@pytest.mark.parametrize("there", [200, 401, 500, 503])
async def test_a_post_that_is_there_is_not_deleted_by_hearsay(
    fediverse: Fediverse, attic: Studio, social: Stranger, relay: Stranger, there: int
) -> None:
    note = await hears(attic, social)
    if there != 200:
        social.documents["/note"] = there
    await passes_on(relay, attic, social.activity("Delete", note["attributedTo"], note["id"]))

    for _ in range(receipts.ATTEMPTS + 1):
        await fediverse.settle()
        fediverse.later(days=1)

    assert (await post(attic)).deleted is None
    assert "waiting" not in {one.state for one in await attic.knows(Receipt)}


@pytest.mark.proves("P-116", "P-118")
@pytest.mark.parametrize(("there", "is_gone"), [(410, True), (404, False), (500, False)])
async def test_an_actor_is_gone_if_410_says_so_twice(
    fediverse: Fediverse, attic: Studio, social: Stranger, relay: Stranger, there: int, is_gone: bool
) -> None:
    cleo = (await hears(attic, social))["attributedTo"]
    social.documents["/cleo"] = there
    await passes_on(relay, attic, social.activity("Delete", cleo, cleo))

    await fediverse.settle()
    at_once = [one.gone for one in await attic.knows(Actor) if one.uri == cleo]
    for _ in range(receipts.ATTEMPTS):
        fediverse.later(hours=8)
        await fediverse.settle()

    [gone] = [one.gone for one in await attic.knows(Actor) if one.uri == cleo]
    assert at_once == [None]
    assert (gone is not None, (await post(attic)).deleted is not None) == (is_gone, is_gone)


@pytest.mark.proves("P-117")
@pytest.mark.parametrize(
    ("kind", "there", "is_gone"),
    [("Application", 410, True), ("Application", 200, False), ("Application", 404, False), ("Person", 410, False)],
)
async def test_the_instance_actor_may_bury_those_of_its_server(
    fediverse: Fediverse, attic: Studio, social: Stranger, kind: str, there: int, is_gone: bool
) -> None:
    cleo, actor = (await hears(attic, social))["attributedTo"], social.actor("actor", kind)
    if there != 200:
        social.documents["/cleo"] = there

    answer = await social.sends(attic, social.activity("Delete", cleo, cleo), by=actor)
    await fediverse.settle()

    [gone] = [one.gone for one in await attic.knows(Actor) if one.uri == cleo]
    assert answer.status_code == 202
    assert (gone is not None) == is_gone


@pytest.mark.proves("P-117")
async def test_the_instance_actor_of_another_server_buries_nobody(
    fediverse: Fediverse, attic: Studio, social: Stranger, relay: Stranger
) -> None:
    cleo = (await hears(attic, social))["attributedTo"]
    social.documents["/cleo"] = 410

    await passes_on(relay, attic, social.activity("Delete", cleo, cleo))
    await fediverse.settle()

    assert [one.gone for one in await attic.knows(Actor) if one.uri == cleo] == [None]


@pytest.mark.proves("P-327")
async def test_a_hint_that_leads_nowhere_is_dropped_at_last(
    fediverse: Fediverse, attic: Studio, social: Stranger, relay: Stranger
) -> None:
    note = await hears(attic, social)
    await passes_on(relay, attic, social.activity("Update", note["attributedTo"], f"{social.home}/slow"))
    social.documents["/slow"] = httpx.Response(503)

    for _ in range(receipts.ATTEMPTS):
        await fediverse.settle()
        fediverse.later(days=1)

    [hint] = [one for one in await attic.knows(Receipt) if not one.proven]
    assert (hint.state, hint.body, hint.actor) == ("refused", b"", f"{relay.home}/relay")


# --- Proofs that nobody could check yet --------------------------------------------------------------------------


async def brought(attic: Studio, social: Stranger, relay: Stranger, activity: Json) -> Json:
    """An activity with a proof that another passes on while its author's server sleeps."""
    attic.fediverse.asleep.add(social.host)
    answer = await relay.sends(attic, activity, by=f"{relay.home}/relay")
    await attic.fediverse.settle()
    assert answer.status_code == 202
    return activity


async def wakes(attic: Studio, social: Stranger) -> None:
    attic.fediverse.asleep.discard(social.host)
    attic.fediverse.later(hours=1)
    await attic.fediverse.settle()


async def believed(attic: Studio) -> list[str]:
    """What counts as its actor's own word."""
    return [one.uri for one in await attic.knows(Receipt) if one.proven and one.type != "View"]


@pytest.mark.proves("P-077", "P-086", "P-100")
async def test_a_proof_by_one_whose_server_sleeps_is_checked_when_it_wakes(
    attic: Studio, social: Stranger, relay: Stranger
) -> None:
    cleo = social.actor("cleo")
    sent = await brought(attic, social, relay, social.proves(social.activity("Follow", cleo, attic.uri)))
    asleep = (await believed(attic), await attic.knows(Follow))

    await wakes(attic, social)

    assert asleep == ([], [])
    assert await believed(attic) == [sent["id"]]
    assert [(one.follower, one.followed) for one in await attic.knows(Follow)] == [(cleo, attic.uri)]
    assert {one.state for one in await attic.knows(Receipt)} == {"done"}


@pytest.mark.proves("P-086")
async def test_a_false_proof_is_not_believed_then_either(attic: Studio, social: Stranger, relay: Stranger) -> None:
    forged = social.proves(social.activity("Follow", social.actor("cleo"), attic.uri), key=3)
    await brought(attic, social, relay, forged)

    await wakes(attic, social)

    assert (await believed(attic), await attic.knows(Follow)) == ([], [])
    assert {one.state for one in await attic.knows(Receipt)} == {"done"}


@pytest.mark.proves("P-077", "P-103")
async def test_what_its_author_sends_meanwhile_has_its_effect_once(
    fediverse: Fediverse, attic: Studio, social: Stranger, relay: Stranger
) -> None:
    sent = social.proves(social.activity("Follow", social.actor("cleo"), attic.uri))
    await brought(attic, social, relay, sent)
    fediverse.asleep.clear()
    fediverse.later(minutes=6)
    await social.sends(attic, sent)

    await wakes(attic, social)

    assert await believed(attic) == [sent["id"]]
    assert len(await attic.knows(Follow)) == 1


@pytest.mark.proves("P-077", "P-164")
async def test_a_server_that_sleeps_does_not_hold_up_who_passes_on(
    fediverse: Fediverse, attic: Studio, social: Stranger, relay: Stranger
) -> None:
    await brought(attic, social, relay, social.proves(social.activity("Follow", social.actor("cleo"), attic.uri)))

    await relay.sends(attic, relay.activity("View", f"{relay.home}/relay", attic.uri))
    await fediverse.settle()

    assert {one.type: one.state for one in await attic.knows(Receipt)} == {"Follow": "waiting", "View": "done"}
