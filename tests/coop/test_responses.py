"""Answers to offers, between studios, and from people who know nothing of offers."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from activitypub.document import Json
from activitypub.proposal import Price
from coop import agreements, blocks, offers, posts, responses
from coop.errors import Conflict, NotAllowed, NotFound, Trouble
from coop.events import Notice
from coop.offers import Draft
from coop.posts import Draft as Words
from coop.responses import Response
from federation import known
from federation.tables import Activity, Object, Receipt
from tests.coop.notices import told
from tests.fediverse import Fediverse, Studio

__all__ = ["told"]  # a fixture

Told = list[tuple[str, Notice]]

CATALOGUE = Draft(
    purpose="request",
    title="Typesetter for a catalogue",
    text="Two columns.",
    price=Price("EUR", Decimal(2400), Decimal(2400)),
)


async def opened(fediverse: Fediverse, draft: Draft = CATALOGUE) -> tuple[Studio, Studio, str]:
    """Ada in the attic needs a typesetter, and Bo above the shop, who follows her, has seen it."""
    attic, shop = await fediverse.studio("attic"), await fediverse.studio("shop")
    await shop.follows(attic)
    await fediverse.settle()
    row = await attic.does(lambda tx: offers.open(tx, attic.uri, draft))
    await fediverse.settle()
    return attic, shop, row.uri


async def responds(studio: Studio, offer: str, text: str = "I can start on Monday.") -> str:
    row = await studio.does(lambda tx: responses.respond(tx, studio.uri, offer, text))
    await studio.fediverse.settle()
    return row.uri


async def replies(studio: Studio, offer: str, text: str) -> str:
    row = await studio.does(lambda tx: posts.publish(tx, studio.uri, Words(text, reply_to=offer)))
    await studio.fediverse.settle()
    return row.uri


async def response_at(studio: Studio, uri: str) -> Response:
    found = await studio.instance.store.read(lambda db: responses.find(db, uri))
    assert found is not None
    return found


async def states(studio: Studio) -> list[str]:
    return [one.state for one in sorted(await studio.knows(Response), key=lambda one: one.id)]


async def sent(studio: Studio, kind: str) -> Json:
    """The newest activity of a kind that a studio sent, as it was on the wire."""
    activities = [one for one in await studio.knows(Activity) if one.type == kind]
    found: Json = msgspec.json.decode(max(activities, key=lambda one: one.id).body)
    return found


async def sends(studio: Studio, to: Studio, activity: Json) -> None:
    """Put an activity into somebody's own inbox, whatever it says, and let everybody work."""
    await studio.sends(f"{to.uri}/inbox", activity)
    await studio.fediverse.settle()


async def forgets_receipts(studio: Studio) -> None:
    """As it does after three months."""
    studio.fediverse.later(days=91)
    await studio.upkeep.work()
    assert [one for one in await studio.knows(Receipt) if one.type == "Offer"] == []


def offering(studio: Studio, offer: str, number: int = 1, **agreement: Any) -> Json:
    """An ``Offer`` of an ``Agreement`` as another program might send it: right, but for what `agreement` replaces."""
    said = {
        "type": "Agreement",
        "attributedTo": studio.uri,
        "stipulates": commitment(f"{offer}#primary", "one", "1"),
        "stipulatesReciprocal": commitment(f"{offer}#reciprocal", "one", "2400"),
    }
    given = {name: value for name, value in {**said, **agreement}.items() if value is not None}
    return {"id": f"{studio.home}/made-up/{number}", "type": "Offer", "actor": studio.uri, "object": given}


def commitment(satisfies: str, unit: Any, value: Any) -> Json:
    amount = {} if value is None else {"hasNumericalValue": value}
    return {"type": "Commitment", "satisfies": satisfies, "resourceQuantity": {"hasUnit": unit, **amount}}


@pytest.mark.proves("P-225", "P-162")
async def test_a_response_is_an_agreement_offered_to_the_author_alone(fediverse: Fediverse, told: Told) -> None:
    attic, shop, offer = await opened(fediverse)
    fediverse.requests.clear()

    uri = await responds(shop, offer)

    activity = await sent(shop, "Offer")
    assert (activity["id"], activity["to"], "cc" in activity) == (uri, [attic.uri], False)
    assert activity["object"] == {
        "type": "Agreement",
        "attributedTo": shop.uri,
        "content": "<p>I can start on Monday.</p>",
        "stipulates": commitment(f"{offer}#primary", "one", "1"),
        "stipulatesReciprocal": commitment(f"{offer}#reciprocal", "one", "2400"),
    }
    assert [str(one.url) for one in fediverse.requests if one.method == "POST"] == [f"{attic.uri}/inbox"]
    response = await response_at(attic, uri)
    assert (response.by, response.offer, response.state) == (shop.uri, offer, "open")
    assert response.text == "<p>I can start on Monday.</p>"
    assert (attic.home, Notice("response", attic.uri, shop.uri, offer)) in told


@pytest.mark.proves("P-225")
@pytest.mark.parametrize(
    ("price", "reciprocal"),
    [
        (None, None),
        (Price("EUR"), "0"),
        (Price("EUR", Decimal(50), Decimal(60), "hour"), "50"),
        (Price("EUR", None, Decimal(60), "day"), "60"),
        (Price("EUR", Decimal("50.50"), Decimal("50.50"), "hour"), "50.50"),
    ],
)
async def test_a_response_promises_what_the_offer_asks(
    fediverse: Fediverse, price: Price | None, reciprocal: str | None
) -> None:
    attic, shop, offer = await opened(fediverse, replace(CATALOGUE, price=price))

    uri = await responds(shop, offer)

    said = (await sent(shop, "Offer"))["object"].get("stipulatesReciprocal")
    assert said == (reciprocal and commitment(f"{offer}#reciprocal", "one", reciprocal))
    assert (await response_at(attic, uri)).state == "open"


@pytest.mark.proves("P-226")
async def test_an_accepted_response_is_one_agreement_that_both_have(fediverse: Fediverse, told: Told) -> None:
    attic, shop, offer = await opened(fediverse)
    uri = await responds(shop, offer)

    await attic.does(lambda tx: agreements.accept(tx, attic.uri, uri))
    await fediverse.settle()

    accept = await sent(attic, "Accept")
    result = accept["result"]
    assert (accept["object"], accept["to"]) == (uri, [shop.uri])
    assert result["id"].startswith(f"{attic.home}/agreements/")
    assert (result["type"], result["attributedTo"]) == ("Agreement", attic.uri)
    fragments = {"stipulates": "#primary", "stipulatesReciprocal": "#reciprocal"}
    for name, fragment in fragments.items():
        proposed = (await sent(shop, "Offer"))["object"][name]
        assert result[name] == {"id": result["id"] + fragment, **proposed}
    for studio in (attic, shop):
        response = await response_at(studio, uri)
        assert (response.state, response.agreement) == ("accepted", result["id"])
        kept = await studio.instance.store.read(lambda db: known.find(db, result["id"]))
        assert kept is not None
        assert (kept.visibility, kept.document["stipulates"]) == ("direct", result["stipulates"])
    assert (shop.home, Notice("response accepted", shop.uri, attic.uri, offer)) in told


@pytest.mark.proves("P-226", "P-035")
async def test_an_agreement_is_served_to_its_parties_only(fediverse: Fediverse) -> None:
    attic, shop, offer = await opened(fediverse)
    cellar = await fediverse.studio("cellar")
    uri = await responds(shop, offer)
    await attic.does(lambda tx: agreements.accept(tx, attic.uri, uri))
    agreed = (await response_at(attic, uri)).agreement
    assert agreed is not None

    answers = await shop.gets(agreed), await cellar.gets(agreed), await cellar.gets(agreed, signed=False)

    assert [one.status for one in answers] == [200, 404, 404]


async def test_a_declined_response_is_declined_for_both_with_the_reason(fediverse: Fediverse, told: Told) -> None:
    attic, shop, offer = await opened(fediverse)
    uri = await responds(shop, offer)

    await attic.does(lambda tx: responses.decline(tx, attic.uri, uri, "We chose <someone> nearer."))
    await fediverse.settle()

    reject = await sent(attic, "Reject")
    assert (reject["object"], reject["content"]) == (uri, "We chose &lt;someone&gt; nearer.")
    for studio in (attic, shop):
        response = await response_at(studio, uri)
        assert (response.state, response.reason) == ("declined", "We chose <someone> nearer.")
    assert (shop.home, Notice("response declined", shop.uri, attic.uri, offer)) in told


async def test_a_response_is_answered_once_and_by_the_author_alone(fediverse: Fediverse) -> None:
    attic, shop, offer = await opened(fediverse)
    uri = await responds(shop, offer)

    with pytest.raises(NotAllowed):
        await shop.does(lambda tx: agreements.accept(tx, shop.uri, uri))
    await attic.does(lambda tx: responses.decline(tx, attic.uri, uri))
    with pytest.raises(Conflict, match="declined already"):
        await attic.does(lambda tx: agreements.accept(tx, attic.uri, uri))
    with pytest.raises(NotFound):
        await attic.does(lambda tx: agreements.accept(tx, attic.uri, f"{uri}0"))

    assert await states(attic) == ["declined"]


@pytest.mark.proves("P-227")
async def test_a_new_response_replaces_the_open_one(fediverse: Fediverse) -> None:
    attic, shop, offer = await opened(fediverse)
    await responds(shop, offer)

    await responds(shop, offer, "I can start on Sunday.")

    assert (await states(attic), await states(shop)) == (["open"], ["withdrawn", "open"])
    [response] = await attic.knows(Response)
    assert response.text == "<p>I can start on Sunday.</p>"


@pytest.mark.proves("P-227", "P-327")
async def test_of_what_others_answer_only_what_counts_is_kept(fediverse: Fediverse) -> None:
    attic, shop, offer = await opened(fediverse)
    ballast = {"id": f"{shop.home}/x", "ride": "x" * 1_000, "content": "<p>Me</p>"}
    for number in range(3):
        await sends(shop, attic, offering(shop, offer, number, **ballast))
    await sends(
        shop, attic, {"id": f"{shop.home}/u", "type": "Undo", "actor": shop.uri, "object": offering(shop, offer, 2)}
    )
    taken_back = await states(attic)

    await sends(shop, attic, offering(shop, offer, 3, **ballast))

    [response] = await attic.knows(Response)
    written = {name: offering(shop, offer)["object"][name] for name in ("stipulates", "stipulatesReciprocal")}
    assert taken_back == ["withdrawn"]
    assert response.terms == {"type": "Agreement", "attributedTo": shop.uri, **written}


@pytest.mark.proves("P-227", "P-305")
async def test_an_answer_that_was_replaced_long_ago_replaces_nothing(fediverse: Fediverse) -> None:
    attic, shop, offer = await opened(fediverse)
    await responds(shop, offer, "I can start on Monday.")
    first = await sent(shop, "Offer")
    fediverse.later(minutes=5)
    latest = await responds(shop, offer, "I can start on Sunday.")
    await forgets_receipts(attic)

    await sends(shop, attic, first)

    assert [one.uri for one in await attic.knows(Response)] == [latest]


@pytest.mark.proves("P-327")
async def test_a_refusal_is_not_kept_for_ever(fediverse: Fediverse) -> None:
    attic, shop, offer = await opened(fediverse)
    await sends(shop, attic, offering(shop, offer, stipulatesReciprocal=None))
    refused = await sent(attic, "Reject")

    fediverse.later(days=31)
    await attic.upkeep.work()

    assert refused["object"] == f"{shop.home}/made-up/1"
    assert [one for one in await attic.knows(Activity) if one.type == "Reject"] == []


@pytest.mark.proves("P-227", "P-121")
@pytest.mark.parametrize("embedded", [True, False])
async def test_a_response_is_taken_back(fediverse: Fediverse, embedded: bool) -> None:
    attic, shop, offer = await opened(fediverse)
    uri = await responds(shop, offer)

    if embedded:
        await shop.does(lambda tx: responses.withdraw(tx, shop.uri, uri))
        await fediverse.settle()
    else:
        await sends(shop, attic, {"id": f"{uri}/u", "type": "Undo", "actor": shop.uri, "object": uri})

    assert await states(attic) == ["withdrawn"]
    with pytest.raises(Conflict):
        await attic.does(lambda tx: agreements.accept(tx, attic.uri, uri))


@pytest.mark.proves("P-121")
async def test_a_response_that_is_taken_back_before_it_arrives_does_not_count(fediverse: Fediverse) -> None:
    attic, shop, offer = await opened(fediverse)
    activity = offering(shop, offer)

    await sends(shop, attic, {"id": f"{shop.home}/u", "type": "Undo", "actor": shop.uri, "object": activity})
    await sends(shop, attic, activity)

    assert await attic.knows(Response) == []


@pytest.mark.proves("P-319")
async def test_nobody_takes_back_anothers_response_or_post_as_if_it_were_one(fediverse: Fediverse) -> None:
    attic, shop, offer = await opened(fediverse)
    cellar = await fediverse.studio("cellar")
    uri = await responds(shop, offer)

    for number, target in enumerate((uri, offer, f"{shop.home}/activities/soon")):
        claimed = {"id": target, "type": "Offer", "actor": cellar.uri}
        undo = {"id": f"{cellar.home}/{number}", "type": "Undo", "actor": cellar.uri, "object": claimed}
        await sends(cellar, attic, undo)

    assert await states(attic) == ["open"]
    tombs = [one for one in await attic.knows(Object) if one.deleted]
    assert {(one.uri.partition("-")[0], one.author) for one in tombs} == {(f"{cellar.uri}#undone", cellar.uri)}


@pytest.mark.proves("P-225", "P-227")
@pytest.mark.parametrize(
    ("unit_price", "wrong"),
    [
        (False, {"stipulatesReciprocal": None}),
        (False, {"stipulates": commitment("OFFER#primary", "hour", "1")}),
        (False, {"stipulates": commitment("OFFER#primary", "one", "2")}),
        (False, {"stipulatesReciprocal": commitment("OFFER#reciprocal", "one", "2400.01")}),
        (False, {"stipulatesReciprocal": commitment("OFFER#reciprocal", "one", None)}),
        (False, {"stipulatesReciprocal": commitment("OFFER#primary", "one", "2400")}),
        (False, {"stipulatesReciprocal": commitment("OFFER#reciprocal", "one", "1e999")}),
        (False, {"stipulatesReciprocal": commitment("OFFER#reciprocal", "one", "-2400")}),
        (False, {"stipulatesReciprocal": commitment("OFFER#reciprocal", "one", "9" * 13)}),
        (False, {"stipulatesReciprocal": commitment("OFFER#reciprocal", "one", {"@value": "2401"})}),
        (False, {"stipulatesReciprocal": commitment("OFFER#reciprocal", None, "2400")}),
        (False, {"attributedTo": "https://attic.example/actors/somebody"}),
        (True, {"stipulatesReciprocal": commitment("OFFER#reciprocal", "one", "150")}),
        (True, {"stipulates": commitment("OFFER#primary", "hour", "2.5")}),
        (True, {"stipulates": commitment("OFFER#primary", "hour", "0")}),
        (True, {"stipulates": commitment("OFFER#primary", "hour", None)}),
    ],
)
async def test_terms_that_are_not_the_offers_are_sent_back_with_the_reason(
    fediverse: Fediverse, unit_price: bool, wrong: dict[str, Any]
) -> None:
    rate = Price("EUR", Decimal(50), Decimal(50), "hour")
    attic, shop, offer = await opened(fediverse, replace(CATALOGUE, price=rate) if unit_price else CATALOGUE)
    right = {"stipulates": ("#primary", "hour", "2"), "stipulatesReciprocal": ("#reciprocal", "one", "100")}
    terms: dict[str, Any] = {name: commitment(offer + of, unit, value) for name, (of, unit, value) in right.items()}
    placed = {
        name: msgspec.json.decode(msgspec.json.encode(term).replace(b"OFFER", offer.encode()))
        for name, term in wrong.items()
    }

    await sends(shop, attic, offering(shop, offer, **{**(terms if unit_price else {}), **placed}))

    reject = await sent(attic, "Reject")
    assert (reject["object"], reject["to"]) == (f"{shop.home}/made-up/1", [shop.uri])
    assert reject["content"]
    assert await attic.knows(Response) == []


@pytest.mark.proves("P-225")
async def test_a_multiple_of_a_rate_is_a_good_response(fediverse: Fediverse) -> None:
    rate = Price("EUR", Decimal("50.5"), Decimal("50.5"), "hour")
    attic, shop, offer = await opened(fediverse, replace(CATALOGUE, price=rate))
    terms: dict[str, Any] = {
        "stipulates": commitment(f"{offer}#primary", "om2:hour", 40),
        "stipulatesReciprocal": commitment(f"{offer}#reciprocal", "one", "2020.0"),
    }

    await sends(shop, attic, offering(shop, offer, **terms))

    assert await states(attic) == ["open"]


@pytest.mark.proves("P-227")
@pytest.mark.parametrize(
    ("happens", "reason"),
    [
        ("filled", "this offer is filled"),
        ("expired", "this offer is expired"),
        ("blocked", "this response is not taken"),
    ],
)
async def test_an_offer_that_is_over_and_a_person_who_is_blocked_are_answered_no(
    fediverse: Fediverse, happens: str, reason: str
) -> None:
    until = fediverse.now + timedelta(hours=1)
    attic, shop, offer = await opened(fediverse, replace(CATALOGUE, until=until))
    if happens == "filled":
        await attic.does(lambda tx: offers.fill(tx, attic.uri, offer))
    elif happens == "expired":
        fediverse.later(hours=1)
    else:
        await attic.does(lambda tx: blocks.block(tx, attic.uri, shop.uri))

    await sends(shop, attic, offering(shop, offer))

    reject = await sent(attic, "Reject")
    assert (reject["object"], reject["content"]) == (f"{shop.home}/made-up/1", reason)
    assert await attic.knows(Response) == []


@pytest.mark.proves("P-227")
async def test_a_response_to_no_offer_of_ours_is_refused(fediverse: Fediverse) -> None:
    attic, shop, offer = await opened(fediverse)
    cellar = await fediverse.studio("cellar")

    await sends(cellar, attic, offering(cellar, f"{attic.home}/offers/none"))
    await sends(cellar, shop, offering(cellar, offer, number=2))

    for studio in (attic, shop):
        [receipt] = [one for one in await studio.knows(Receipt) if one.type == "Offer"]
        assert receipt.state == "refused"
        assert await studio.knows(Response) == []


@pytest.mark.proves("P-226", "P-317")
async def test_an_answer_by_anybody_else_changes_nothing(fediverse: Fediverse) -> None:
    _, shop, offer = await opened(fediverse)
    cellar = await fediverse.studio("cellar")
    uri = await responds(shop, offer)

    for number, kind in enumerate(("Accept", "Reject")):
        answer = {"id": f"{cellar.home}/{number}", "type": kind, "actor": cellar.uri, "object": uri}
        await sends(cellar, shop, answer)

    assert await states(shop) == ["open"]


@pytest.mark.proves("P-226")
@pytest.mark.parametrize(
    "wrong",
    [
        {"stipulatesReciprocal": {"resourceQuantity": {"hasUnit": "one", "hasNumericalValue": "1"}}},
        {"stipulatesReciprocal": None},
        {"id": "OFFER"},
    ],
)
async def test_what_comes_back_as_agreed_is_what_was_proposed(fediverse: Fediverse, wrong: Json) -> None:
    attic, shop, offer = await opened(fediverse)
    uri = await responds(shop, offer)
    said = (await sent(shop, "Offer"))["object"]
    changed = {name: {**said[name], **terms} if isinstance(terms, dict) else terms for name, terms in wrong.items()}
    if wrong.get("id"):
        changed["id"] = offer
    result = {**said, "id": f"{attic.home}/agreements/1", "attributedTo": attic.uri, **changed}

    answer = {"id": f"{attic.home}/a", "type": "Accept", "actor": attic.uri, "object": uri, "result": result}
    await sends(attic, shop, answer)

    assert await states(shop) == ["open"]
    [receipt] = [one for one in await shop.knows(Receipt) if one.uri == answer["id"]]
    assert receipt.state == "refused"


async def test_an_answer_that_crosses_a_withdrawal_stands_for_both(fediverse: Fediverse) -> None:
    attic, shop, offer = await opened(fediverse)
    uri = await responds(shop, offer)

    await attic.does(lambda tx: agreements.accept(tx, attic.uri, uri))
    await shop.does(lambda tx: responses.withdraw(tx, shop.uri, uri))
    await fediverse.settle()

    assert await states(attic) == await states(shop) == ["accepted"]


@pytest.mark.proves("P-228")
async def test_a_reply_is_a_possible_response_and_is_answered_by_a_direct_post(
    fediverse: Fediverse, told: Told
) -> None:
    attic, shop, offer = await opened(fediverse)
    reply = await replies(shop, offer, "I know a typesetter.")
    response = await response_at(attic, reply)

    await attic.does(lambda tx: agreements.accept(tx, attic.uri, reply))
    await fediverse.settle()

    assert (response.via, response.by, response.state) == ("reply", shop.uri, "open")
    assert (attic.home, Notice("reply", attic.uri, shop.uri, reply)) in told
    answer = (await sent(attic, "Create"))["object"]
    assert (answer["to"], answer["cc"], answer["inReplyTo"]) == ([shop.uri], [], reply)
    assert f'href="{offer}"' in answer["content"]
    assert [one for one in await attic.knows(Activity) if one.type == "Accept" and one.object == reply] == []
    assert answer["id"] in [one.uri for one in await shop.knows(Object)]
    assert (await response_at(attic, reply)).state == "accepted"


@pytest.mark.proves("P-228")
async def test_only_the_first_reply_of_a_conversation_is_a_response(fediverse: Fediverse) -> None:
    attic, shop, offer = await opened(fediverse)

    for studio, text in ((shop, "I could."), (shop, "On Monday."), (attic, "Which Monday?")):
        await replies(studio, offer, text)
    await attic.does(lambda tx: offers.fill(tx, attic.uri, offer))
    cellar = await fediverse.studio("cellar")
    await replies(cellar, offer, "Too late?")
    await fediverse.settle()

    [response] = await attic.knows(Response)
    assert response.text == "<p>I could.</p>"
    assert await shop.knows(Response) == []


async def test_whoever_deletes_their_reply_takes_the_response_back(fediverse: Fediverse) -> None:
    attic, shop, offer = await opened(fediverse)
    reply = await replies(shop, offer, "I could.")

    await shop.does(lambda tx: posts.delete(tx, shop.uri, reply))
    await fediverse.settle()

    [response] = await attic.knows(Response)
    assert (response.state, response.text) == ("withdrawn", "")


async def test_a_response_waits_for_an_author_who_sleeps(fediverse: Fediverse) -> None:
    attic, shop, offer = await opened(fediverse)
    fediverse.asleep.add(attic.host)
    uri = await responds(shop, offer)

    fediverse.asleep.clear()
    fediverse.later(hours=2)
    await fediverse.settle()

    assert (await response_at(attic, uri)).state == "open"


async def test_the_author_sees_who_waits_for_an_answer(fediverse: Fediverse) -> None:
    attic, shop, offer = await opened(fediverse)
    cellar = await fediverse.studio("cellar")
    first, second = await responds(shop, offer), await responds(cellar, offer)
    await attic.does(lambda tx: responses.decline(tx, attic.uri, first))

    lists = (responses.waiting(attic.uri), responses.to_offer(offer), responses.by(shop.uri))
    found = await attic.instance.store.read(lambda db: [[row.uri for row in db.scalars(one)] for one in lists])

    assert found == [[second], [second, first], [first]]


async def test_what_cannot_be_answered_is_said_before_anything_is_sent(fediverse: Fediverse) -> None:
    attic, shop, offer = await opened(fediverse)
    post = await attic.does(lambda tx: posts.publish(tx, attic.uri, Words("No offer.")))
    await fediverse.settle()

    cases: list[tuple[Studio, str, str, type[Exception]]] = [
        (attic, offer, "Me!", Trouble),
        (shop, offer, " ", Trouble),
        (shop, offer, "x" * 5_001, Trouble),
        (shop, post.uri, "This?", NotFound),
    ]
    for studio, uri, text, error in cases:
        with pytest.raises(error):
            await responds(studio, uri, text)
    await shop.does(lambda tx: blocks.block(tx, shop.uri, attic.uri))
    with pytest.raises(NotAllowed):
        await responds(shop, offer)
    await attic.does(lambda tx: offers.withdraw(tx, attic.uri, offer))
    await fediverse.settle()

    assert await shop.knows(Response) == []


async def test_two_who_live_on_one_server_agree_as_others_do(fediverse: Fediverse, told: Told) -> None:
    from coop import accounts
    from tests.fediverse import key_pair

    attic, _, offer = await opened(fediverse)
    pair = key_pair(7)
    cy = await attic.does(lambda tx: accounts.create(tx, "cy", "Cy", "person", pair).uri)

    row = await attic.does(lambda tx: responses.respond(tx, cy, offer, "From upstairs."))
    await fediverse.settle()
    await attic.does(lambda tx: agreements.accept(tx, attic.uri, row.uri))
    await fediverse.settle()

    [response] = await attic.knows(Response)
    assert response.state == "accepted"
    notices = [one.kind for _, one in told if one.kind.startswith("response")]
    assert notices == ["response", "response accepted"]
    receipts = [one.state for one in await attic.knows(Receipt) if one.type in ("Offer", "Accept")]
    assert set(receipts) == {"done"}
