"""Asking to be vouched for: between studios, of people with other software, and more often than anybody would like."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from activitypub import html
from activitypub.document import Document
from activitypub.endorsement_request import PROPERTY, EndorsementRequest
from activitypub.errors import Malformed, ProtocolError
from coop import blocks, endorsement_requests, endorsements, posts
from coop.endorsement_requests import EndorsementRequest as Row
from coop.errors import Conflict, NotAllowed, NotFound, Trouble
from coop.events import Notice
from coop.notifications import Notification
from federation import discovery
from federation.tables import Object
from tests.coop.neighbours import all_of, does, lives_at, made_up, note_by, sends
from tests.coop.notices import told
from tests.federation.stranger import Stranger
from tests.fediverse import Fediverse, Studio

__all__ = ["told"]  # a fixture

Told = list[tuple[str, Notice]]
WORK = "https://shop.example/catalogue"


async def two(fediverse: Fediverse) -> tuple[Studio, Studio]:
    """Bo above the shop has set Ada's catalogue; neither follows the other."""
    attic, shop = await fediverse.studio("attic"), await fediverse.studio("shop")
    await shop.meets(attic)
    await attic.meets(shop)
    return attic, shop


async def asks(shop: Studio, attic: Studio, *skills: str, **more: Any) -> Object:
    row: Object = await does(shop, endorsement_requests.ask, attic.uri, skills or ("Typesetting",), *more.values())
    return row


async def state(studio: Studio, uri: str) -> str | None:
    row = await studio.instance.store.read(lambda db: endorsement_requests.find(db, uri))
    return row.state if row else None


def request(shop: Studio, attic: Studio, **changes: Any) -> dict[str, Any]:
    """The Create of a request that Bo's program would not make."""
    asked = {"skill": ["Typesetting"], "content": "<p>Please</p>"}
    note = note_by(shop, **{"to": [attic.uri], PROPERTY: asked, **changes})
    return made_up(shop, "Create", to=note["to"], object=note)


@pytest.mark.proves("P-201", "P-209", "P-240")
async def test_a_request_is_answered_by_an_endorsement_bound_to_the_work(fediverse: Fediverse, told: Told) -> None:
    attic, shop = await two(fediverse)

    asked = await asks(shop, attic, text="You saw it *grow*.", work=WORK)
    [waits] = await all_of(attic, endorsement_requests.waiting(attic.uri))
    given = await does(attic, endorsement_requests.answer, asked.uri, shop.uri, "Set with care.")

    assert (waits.skills, html.plain(waits.text), waits.work) == (["Typesetting"], "You saw it grow.", WORK)
    assert (attic.home, Notice("endorsement request", attic.uri, shop.uri, asked.uri)) in told
    [notification] = [one for one in await attic.knows(Notification) if one.about == asked.uri]
    assert notification.kind == "endorsement request"
    [row] = await all_of(shop, endorsement_requests.by(shop.uri))
    assert (row.state, row.answer) == ("answered", given.uri)
    endorsement = await shop.instance.store.read(lambda db: endorsements.at(db, given.uri))
    assert (endorsement.inner["skill"], endorsement.inner["context"]) == (["Typesetting"], WORK)
    assert await state(attic, asked.uri) == "answered"
    assert await all_of(attic, endorsement_requests.waiting(attic.uri)) == []


@pytest.mark.proves("P-200", "P-211")
async def test_whoever_has_other_software_gets_a_direct_post_that_says_so(fediverse: Fediverse) -> None:
    shop, mastodon = await fediverse.studio("shop"), Stranger(fediverse)
    cy = mastodon.actor("cy")
    await discovery.completing(
        shop.instance, lambda tx: endorsement_requests.ask(tx, shop.uri, cy, ["Layout"], "Hi", WORK)
    )
    await fediverse.settle()

    [create] = mastodon.received
    note = create["object"]
    assert (create["type"], note["type"], note["to"], note["cc"]) == ("Create", "Note", [cy], [])
    assert (note["tag"][0]["href"], note.get("attachment")) == (cy, [])
    said = html.plain(note["content"])
    assert "would you vouch for me? Shop asks you to say what you have seen of Layout" in said
    assert "Hi" in said
    assert "shop.example/catalogue" in said
    assert note[PROPERTY] == {"skill": ["Layout"], "content": "<p>Hi</p>", "context": WORK}


async def test_a_request_is_declined_for_a_reason_and_not_repeated_for_a_month(
    fediverse: Fediverse, told: Told
) -> None:
    attic, shop = await two(fediverse)
    asked = await asks(shop, attic)

    await does(attic, endorsement_requests.decline, asked.uri, "I saw too little <of it>.")

    [row] = await all_of(shop, endorsement_requests.by(shop.uri))
    assert (row.state, row.reason) == ("declined", "I saw too little <of it>.")
    assert (shop.home, Notice("endorsement declined", shop.uri, attic.uri, asked.uri)) in told
    with pytest.raises(Conflict, match="declined already"):
        await does(attic, endorsement_requests.answer, asked.uri, shop.uri, "After all.")
    fediverse.later(days=29)
    with pytest.raises(Conflict, match="asked them already"):
        await asks(shop, attic)
    refused = await sends(shop, attic, request(shop, attic))
    fediverse.later(days=2)
    assert refused.state == "refused"
    assert await state(attic, (await asks(shop, attic)).uri) == "open"


async def test_nobody_is_asked_twice_at_a_time(fediverse: Fediverse) -> None:
    attic, shop = await two(fediverse)
    asked = await asks(shop, attic)
    with pytest.raises(Conflict, match="asked them already"):
        await asks(shop, attic, "Layout")

    again = await sends(shop, attic, request(shop, attic))
    await does(shop, posts.delete, asked.uri)
    taken_back = await state(attic, asked.uri)
    at_once = await sends(shop, attic, request(shop, attic))

    assert (again.state, taken_back, at_once.state) == ("refused", "withdrawn", "refused")
    assert [one.kind for one in await attic.knows(Notification)] == []
    with pytest.raises(Conflict, match="withdrawn already"):
        await does(attic, endorsement_requests.decline, asked.uri)
    fediverse.later(days=1, minutes=1)
    assert await state(attic, (await asks(shop, attic)).uri) == "open"


async def test_of_one_site_only_so_many_wait(fediverse: Fediverse) -> None:
    attic, crowd = await fediverse.studio("attic"), Stranger(fediverse)
    for number in range(endorsement_requests.MAX_OPEN + 1):
        who = crowd.actor(f"fan{number}")
        note = crowd.note(f"note{number}", who, to=[attic.uri], **{PROPERTY: {"skill": ["Fame"]}})
        await crowd.sends(attic, crowd.activity("Create", who, note, to=[attic.uri]))
    await fediverse.settle()

    assert len(await attic.knows(Row)) == endorsement_requests.MAX_OPEN
    assert len(await attic.knows(Notification)) == endorsement_requests.MAX_OPEN


async def test_whoever_is_blocked_asks_nothing(fediverse: Fediverse) -> None:
    attic, shop = await two(fediverse)
    asked = await asks(shop, attic)

    await does(attic, blocks.block, shop.uri)
    again = await sends(shop, attic, request(shop, attic))

    assert await state(attic, asked.uri) is None
    assert again.state == "refused"
    with pytest.raises(NotAllowed):
        await does(attic, endorsement_requests.ask, shop.uri, ["Layout"])


async def test_only_who_was_asked_answers(fediverse: Fediverse) -> None:
    attic, shop = await two(fediverse)
    garage = await fediverse.studio("garage")
    await garage.meets(shop)
    asked = await asks(shop, attic)

    for kind in ("Accept", "Reject"):
        answer = made_up(garage, kind, to=[shop.uri], object=asked.uri, result=f"{garage.home}/notes/1")
        await sends(garage, shop, answer)
    elsewhere = made_up(attic, "Accept", to=[shop.uri], object=asked.uri, result=f"{garage.home}/notes/1")
    await sends(attic, shop, elsewhere)

    assert await state(shop, asked.uri) == "open"
    neighbour = await lives_at(attic, "eve")
    with pytest.raises(NotAllowed, match="somebody else's"):
        await attic.does(lambda tx: endorsement_requests.decline(tx, neighbour, asked.uri))
    with pytest.raises(Trouble, match="asked by somebody else"):
        await does(attic, endorsement_requests.answer, asked.uri, garage.uri, "Hm.")
    with pytest.raises(NotFound):
        await does(attic, endorsement_requests.decline, f"{shop.home}/notes/none")


@pytest.mark.parametrize("also", ["to", "cc"])
@pytest.mark.parametrize("where", ["elsewhere", "here"])
async def test_what_is_not_for_one_alone_asks_nobody(fediverse: Fediverse, also: str, where: str) -> None:
    attic, shop = await two(fediverse)
    other = await lives_at(attic, "eve") if where == "here" else "https://garage.example/actors/1"
    others = {"to": [attic.uri], also: [attic.uri, other]}

    receipt = await sends(shop, attic, request(shop, attic, **others))

    assert receipt.state == "done"
    assert await attic.knows(Row) == []


async def test_neighbours_ask_each_other(fediverse: Fediverse, told: Told) -> None:
    attic = await fediverse.studio("attic")
    eve = await lives_at(attic, "eve")
    asked = await attic.does(lambda tx: endorsement_requests.ask(tx, eve, attic.uri, ["Soldering"]))
    await fediverse.settle()

    given = await does(attic, endorsement_requests.answer, asked.uri, eve, "Steady hands.", ["Soldering", "Patience"])

    [row] = await attic.knows(Row)
    assert (row.state, row.answer) == ("answered", given.uri)
    assert [one.kind for _, one in told if one.about == asked.uri and one.kind != "mention"] == ["endorsement request"]
    assert (attic.home, Notice("endorsement", eve, attic.uri, given.uri)) in told


async def test_what_no_endorsement_could_say_is_not_asked(fediverse: Fediverse) -> None:
    attic, shop = await two(fediverse)
    impossible = [
        ([], None),
        ([""], None),
        (["x" * 101], None),
        (list("abcdef"), None),
        (["Layout"], "ftp://shop.example"),
    ]

    for skills, work in impossible:
        with pytest.raises(Trouble, match="that cannot be asked"):
            await does(shop, endorsement_requests.ask, attic.uri, skills, "", work)
    with pytest.raises(Trouble, match="in at most 2,000"):
        await does(shop, endorsement_requests.ask, attic.uri, ["Layout"], "word " * 500)
    with pytest.raises(Trouble, match="themselves"):
        await does(shop, endorsement_requests.ask, shop.uri, ["Layout"])
    assert await shop.knows(Row) == []


async def test_what_is_settled_is_forgotten_after_half_a_year(fediverse: Fediverse) -> None:
    attic, shop = await two(fediverse)
    asked = await asks(shop, attic)
    await does(attic, endorsement_requests.decline, asked.uri)

    fediverse.later(days=181)
    await fediverse.settle()

    assert await attic.knows(Row) == []
    assert await shop.knows(Row) == []


async def test_an_account_that_leaves_takes_its_requests_along(fediverse: Fediverse) -> None:
    attic, shop = await two(fediverse)
    await asks(shop, attic)
    gone = made_up(shop, "Delete", object=shop.uri, to=[attic.uri])

    await sends(shop, attic, gone)

    assert await attic.knows(Row) == []


@given(
    some.dictionaries(some.sampled_from(["skill", "content", "context", "type"]), some.from_type(object) | some.text())
)
def test_whatever_is_asked_is_a_request_or_malformed(said: Any) -> None:
    try:
        asked = EndorsementRequest.read(Document({PROPERTY: said}))
    except ProtocolError:
        return
    assert EndorsementRequest.read(Document({PROPERTY: asked.write()})) == asked


def test_a_request_without_a_skill_is_malformed() -> None:
    with pytest.raises(Malformed, match="names a skill"):
        EndorsementRequest.read(Document({PROPERTY: {"skill": ["\u200b"], "content": "<p>Please</p>"}}))
