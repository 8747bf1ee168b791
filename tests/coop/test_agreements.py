"""From an answer to what both have signed: counter-offers, agreements, and their end."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from sqlalchemy import select, update

from activitypub.document import Document, Json
from activitypub.proposal import Price
from coop import accounts, agreements, beginnings, blocks, interest, invitations, offers, posts, projects, responses
from coop.admission import Invitation
from coop.agreements import Agreement
from coop.errors import Conflict, NotAllowed, NotFound, Trouble
from coop.events import Notice
from coop.posts import Draft as Words
from coop.responses import Response
from coop.terms import Wish
from federation.tables import Object, Receipt
from tests.coop.notices import told
from tests.coop.test_responses import (
    CATALOGUE,
    Told,
    commitment,
    offering,
    opened,
    replies,
    responds,
    response_at,
    sends,
    sent,
    states,
)
from tests.federation.stranger import Stranger
from tests.fediverse import Fediverse, Studio, key_pair

__all__ = ["told"]  # a fixture

OPEN = replace(CATALOGUE, price=Price("EUR", None, Decimal(2400)))  # up to so much: the rest is to be talked about


async def counters(studio: Studio, uri: str, text: str = "For less?", **wish: Any) -> str:
    row = await studio.does(lambda tx: responses.counter(tx, studio.uri, uri, text, Wish(**wish)))
    await studio.fediverse.settle()
    return row.uri


async def accepts(studio: Studio, uri: str) -> str:
    """Accept a response; return the agreement's URI."""
    row = await studio.does(lambda tx: agreements.accept(tx, studio.uri, uri))
    await studio.fediverse.settle()
    assert row.agreement is not None
    return row.agreement


async def agreement_at(studio: Studio, uri: str) -> Agreement:
    found = await studio.instance.store.read(lambda db: agreements.find(db, uri))
    assert found is not None
    return found


async def judged(studio: Studio, uri: str) -> agreements.Verdict:
    def read(db: Any) -> agreements.Verdict:
        row = agreements.find(db, uri)
        assert row is not None
        return agreements.verdict(db, row, studio.instance.now())

    return await studio.instance.store.read(read)


async def judge(studio: Studio, offered: Json, accepted: Json) -> str:
    """What may be said of two documents, whoever brings them."""
    said = Document(offered), Document(accepted)
    return await studio.instance.store.read(lambda db: agreements.judge(db, *said, studio.instance.now()).word)


async def stage(studio: Studio, offer: str) -> str:
    def read(db: Any) -> str:
        row = offers.find(db, offer)
        assert row is not None
        return agreements.stage(db, row, studio.uri, studio.instance.now())

    return await studio.instance.store.read(read)


async def agreed(fediverse: Fediverse) -> tuple[Studio, Studio, str]:
    """Ada needed a typesetter, Bo answered, she agreed."""
    attic, shop, offer = await opened(fediverse)
    return attic, shop, await accepts(attic, await responds(shop, offer))


# --- Talking -----------------------------------------------------------------------------------------------------


@pytest.mark.proves("P-225")
async def test_a_counter_offer_is_an_offer_of_an_agreement_in_reply_to_the_response(
    fediverse: Fediverse, told: Told
) -> None:
    attic, shop, offer = await opened(fediverse, OPEN)
    first = await responds(shop, offer)
    due = fediverse.now + timedelta(days=30)

    uri = await counters(attic, first, amount=Decimal(2000), due=due)

    activity = await sent(attic, "Offer")
    assert (activity["to"], activity["inReplyTo"], activity["object"]["attributedTo"]) == ([shop.uri], first, attic.uri)
    assert activity["object"]["stipulatesReciprocal"] == commitment(f"{offer}#reciprocal", "one", "2000")
    assert activity["object"]["stipulates"]["endTime"] == "2026-04-01T09:00:00Z"
    for studio in (attic, shop):
        assert ((await response_at(studio, first)).state, (await response_at(studio, uri)).state) == (
            "countered",
            "open",
        )
    assert (shop.home, Notice("counter-offer", shop.uri, attic.uri, offer)) in told


@pytest.mark.proves("P-226", "P-035")
async def test_whoever_answered_accepts_a_counter_offer_and_both_keep_the_same(fediverse: Fediverse) -> None:
    attic, shop, offer = await opened(fediverse, OPEN)
    cellar = await fediverse.studio("cellar")
    uri = await counters(attic, await responds(shop, offer), amount=Decimal(2000))

    made = await accepts(shop, uri)

    accept = await sent(shop, "Accept")
    assert (accept["object"], accept["to"], accept["result"]["attributedTo"]) == (uri, [attic.uri], shop.uri)
    assert made.startswith(f"{shop.home}/agreements/")
    rows = [await agreement_at(one, made) for one in (attic, shop)]
    assert rows[0].offered == rows[1].offered == await sent(attic, "Offer")
    assert rows[0].accepted == rows[1].accepted == accept
    assert {(row.proposer, row.responder, row.accepted_by) for row in rows} == {(attic.uri, shop.uri, shop.uri)}
    assert [(await judged(one, made)).word for one in (attic, shop)] == ["signed by both"] * 2
    assert [(await one.gets(made)).status for one in (attic, cellar)] == [200, 404]


async def test_they_may_go_on_until_one_says_yes(fediverse: Fediverse) -> None:
    attic, shop, offer = await opened(fediverse, OPEN)
    uri = await responds(shop, offer)

    for studio, amount in ((attic, 1800), (shop, 2200), (attic, 2000)):
        uri = await counters(studio, uri, amount=Decimal(amount))
    made = await accepts(shop, uri)

    assert await states(attic) == await states(shop) == ["countered"] * 3 + ["accepted"]
    [agreement] = await attic.knows(Agreement)
    terms = await attic.instance.store.read(lambda db: agreements.terms_of(db, agreement))
    assert terms.reciprocal is not None
    assert (agreement.uri, terms.reciprocal.value) == (made, Decimal(2000))


async def test_a_counter_offer_is_declined_or_taken_back_as_any_response(fediverse: Fediverse) -> None:
    attic, shop, offer = await opened(fediverse, OPEN)
    uri = await counters(attic, await responds(shop, offer))
    await shop.does(lambda tx: responses.decline(tx, shop.uri, uri, "No."))
    await fediverse.settle()
    again = await counters(attic, await responds(shop, offer, "Then so?"))

    await attic.does(lambda tx: responses.withdraw(tx, attic.uri, again))
    await fediverse.settle()

    for studio in (attic, shop):
        assert [(await response_at(studio, one)).state for one in (uri, again)] == ["declined", "withdrawn"]


@pytest.mark.parametrize(
    ("price", "wish"),
    [
        (CATALOGUE.price, Wish(amount=Decimal(2000))),
        (None, Wish(amount=Decimal(1))),
        (Price("EUR", Decimal(50), Decimal(50), "hour"), Wish(times=Decimal("2.5"))),
        (Price("EUR"), Wish(amount=Decimal("1e12"))),
        (Price("EUR"), Wish(amount=Decimal("0.0000001"))),
    ],
)
@pytest.mark.proves("P-225")
async def test_what_an_offer_does_not_leave_open_is_not_to_be_countered(
    fediverse: Fediverse, price: Price | None, wish: Wish
) -> None:
    attic, shop, offer = await opened(fediverse, replace(CATALOGUE, price=price))
    uri = await responds(shop, offer)

    with pytest.raises(Trouble, match="not what the offer asks for"):
        await attic.does(lambda tx: responses.counter(tx, attic.uri, uri, "Otherwise?", wish))

    assert await states(attic) == ["open"]


async def test_a_day_that_is_over_is_no_day_by_which_it_is_done(fediverse: Fediverse) -> None:
    _, shop, offer = await opened(fediverse)

    with pytest.raises(Trouble, match="over already"):
        await shop.does(lambda tx: responses.respond(tx, shop.uri, offer, "Me.", Wish(due=fediverse.now)))


async def test_only_the_one_to_whom_it_was_made_counters_and_only_once(fediverse: Fediverse) -> None:
    attic, shop, offer = await opened(fediverse, OPEN)
    uri = await responds(shop, offer)

    with pytest.raises(NotAllowed):
        await shop.does(lambda tx: responses.counter(tx, shop.uri, uri, "Myself?"))
    await counters(attic, uri)
    with pytest.raises(Conflict, match="countered"):
        await attic.does(lambda tx: responses.counter(tx, attic.uri, uri, "Again?"))
    with pytest.raises(Conflict, match="countered"):
        await attic.does(lambda tx: agreements.accept(tx, attic.uri, uri))


@pytest.mark.parametrize(
    ("who", "answers", "about"),
    [("cellar", "FIRST", "OFFER"), ("attic", "FIRST", "OTHER"), ("attic", None, "OFFER"), ("attic", "OTHER", "OFFER")],
)
async def test_a_counter_offer_that_is_none_changes_nothing(
    fediverse: Fediverse, who: str, answers: str | None, about: str
) -> None:
    attic, shop, offer = await opened(fediverse, OPEN)
    cellar = await fediverse.studio("cellar")
    other = await attic.does(lambda tx: offers.open(tx, attic.uri, replace(OPEN, title="Another")))
    await fediverse.settle()
    first = await responds(shop, offer)
    named = {"FIRST": first, "OFFER": offer, "OTHER": other.uri}
    by = {"attic": attic, "cellar": cellar}[who]

    made_up = offering(by, named[about]) | ({"inReplyTo": named[answers]} if answers else {})
    await sends(by, shop, made_up)

    assert await states(shop) == ["open"]
    [receipt] = [one for one in await shop.knows(Receipt) if one.uri == made_up["id"]]
    assert receipt.state == "refused"


@pytest.mark.parametrize(
    "wrong",
    [
        {"attributedTo": "https://shop.example/actors/somebody"},
        {"stipulates": commitment("OFFER#primary", "hour", "1")},
        {"stipulatesReciprocal": None},
        {"content": "x" * 24_000},
    ],
)
async def test_bad_terms_of_a_counter_offer_are_sent_back_with_the_reason(fediverse: Fediverse, wrong: Json) -> None:
    attic, shop, offer = await opened(fediverse, OPEN)
    first = await responds(shop, offer)
    placed = msgspec.json.decode(msgspec.json.encode(wrong).replace(b"OFFER", offer.encode()))
    made_up = offering(attic, offer, **placed) | {"inReplyTo": first, "to": [shop.uri]}

    await sends(attic, shop, await proven(attic, made_up))

    reject = await sent(shop, "Reject")
    assert (reject["object"], reject["to"]) == (made_up["id"], [attic.uri])
    assert await states(shop) == ["open"]


async def proven(studio: Studio, activity: Json) -> Json:
    from activitypub import context, proof
    from federation.instance import own_proof_key

    key = await studio.instance.store.read(lambda db: own_proof_key(db, studio.uri))
    return proof.sign({"@context": context.AGREEMENT, **activity}, *key, studio.instance.now())


async def test_a_counter_offer_to_what_was_replaced_meanwhile_comes_too_late(fediverse: Fediverse) -> None:
    attic, shop, offer = await opened(fediverse, OPEN)
    first = await responds(shop, offer)
    fediverse.asleep.update((attic.host, shop.host))
    await attic.does(lambda tx: responses.counter(tx, attic.uri, first, "For less?", Wish(amount=Decimal(1))))
    latest = await shop.does(lambda tx: responses.respond(tx, shop.uri, offer, "Rather so."))

    fediverse.asleep.clear()
    fediverse.later(hours=2)
    await fediverse.settle()

    for studio in (attic, shop):
        open_ones = [one.uri for one in await studio.knows(Response) if one.state == "open"]
        assert open_ones == [latest.uri]


async def test_a_counter_offer_to_what_was_declined_comes_too_late(fediverse: Fediverse) -> None:
    attic, shop, offer = await opened(fediverse, OPEN)
    first = await responds(shop, offer)
    await attic.does(lambda tx: responses.decline(tx, attic.uri, first))
    await fediverse.settle()

    await sends(attic, shop, offering(attic, offer) | {"inReplyTo": first})

    assert await states(shop) == ["declined"]


async def test_an_accept_of_what_was_countered_is_of_no_effect(fediverse: Fediverse) -> None:
    """Whoever makes a counter-offer has said no to what it answers, whatever their server says later."""
    attic, shop, offer = await opened(fediverse, OPEN)
    first = await responds(shop, offer)
    await counters(attic, first, amount=Decimal(1))
    said = (await response_at(shop, first)).terms or {}
    result = {**said, "id": f"{attic.home}/agreements/1", "attributedTo": attic.uri}

    answer = {"id": f"{attic.home}/a", "type": "Accept", "actor": attic.uri, "object": first, "result": result}
    await sends(attic, shop, answer)

    assert await states(shop) == ["countered", "open"]
    assert await shop.knows(Agreement) == []


async def test_between_people_who_block_each_other_there_are_no_talks(fediverse: Fediverse) -> None:
    attic, shop, offer = await opened(fediverse, OPEN)
    uri = await responds(shop, offer)
    await shop.does(lambda tx: blocks.block(tx, shop.uri, attic.uri))

    await sends(attic, shop, offering(attic, offer) | {"inReplyTo": uri})

    assert [one.state for one in await shop.knows(Response)] == ["open"]
    await attic.does(lambda tx: blocks.block(tx, attic.uri, shop.uri))
    with pytest.raises(NotAllowed):
        await attic.does(lambda tx: responses.counter(tx, attic.uri, uri, "For less?"))


async def test_two_of_one_server_talk_as_others_do(fediverse: Fediverse) -> None:
    attic, _, offer = await opened(fediverse, OPEN)
    pair = key_pair(7)
    cy = await attic.does(lambda tx: accounts.create(tx, "cy", "Cy", "person", pair).uri)
    row = await attic.does(lambda tx: responses.respond(tx, cy, offer, "From upstairs."))
    await fediverse.settle()
    uri = await counters(attic, row.uri, amount=Decimal(2000))

    await attic.does(lambda tx: agreements.accept(tx, cy, uri))
    await fediverse.settle()

    [agreement] = await attic.knows(Agreement)
    assert (agreement.proposer, agreement.responder) == (attic.uri, cy)
    assert (await judged(attic, agreement.uri)).word == "signed by both"


# --- Signatures --------------------------------------------------------------------------------------------------


@pytest.mark.proves("P-226")
async def test_an_agreement_keeps_both_signatures(fediverse: Fediverse) -> None:
    attic, shop, made = await agreed(fediverse)

    rows = [await agreement_at(one, made) for one in (attic, shop)]

    assert rows[0].offered == rows[1].offered == await sent(shop, "Offer")
    assert rows[0].accepted == rows[1].accepted == await sent(attic, "Accept")
    assert [(await judged(one, made)).word for one in (attic, shop)] == ["signed by both"] * 2


async def test_whatever_is_altered_after_signing_is_found(fediverse: Fediverse) -> None:
    attic, _, made = await agreed(fediverse)
    row = await agreement_at(attic, made)
    whole: dict[str, Any] = {"offered": row.offered, "accepted": row.accepted}

    places = _places(whole)
    found = {await judge(attic, *_altered(whole, where)) for where in places}

    assert len(places) > 40
    assert found == {"altered"}


async def test_an_altered_copy_is_found_beside_sound_signatures(fediverse: Fediverse) -> None:
    attic, _, made = await agreed(fediverse)

    def alter(tx: Any) -> None:
        document = tx.db.scalars(select(Object.document).where(Object.uri == made)).one()
        clause = {"resourceQuantity": {"hasUnit": "one", "hasNumericalValue": "9999"}}
        changed = {**document, "stipulatesReciprocal": document["stipulatesReciprocal"] | clause}
        tx.db.execute(update(Object).where(Object.uri == made).values(document=changed))

    await attic.does(alter)

    assert (await judged(attic, made)).word == "altered"


@pytest.mark.parametrize("swap", ["answered another", "accepted by its author", "promised otherwise"])
async def test_two_signatures_that_do_not_belong_together_are_no_agreement(fediverse: Fediverse, swap: str) -> None:
    attic, shop, offer = await opened(fediverse, OPEN)
    first = await responds(shop, offer)
    other = await counters(attic, first, amount=Decimal(1))
    made = await accepts(shop, other)
    row = await agreement_at(shop, made)
    accepted: Json = {**(row.accepted or {})}
    offered: Json = {**(row.offered or {})}
    if swap == "answered another":
        offered = (await response_at(shop, first)).signed or {}
    elif swap == "accepted by its author":
        result = {**accepted["result"], "attributedTo": attic.uri, "id": f"{attic.home}/agreements/1"}
        accepted = await proven(attic, {**accepted, "id": f"{attic.home}/x", "actor": attic.uri, "result": result})
    else:
        clause = commitment(f"{offer}#reciprocal", "one", "2")
        accepted = await proven(shop, {**accepted, "result": {**accepted["result"], "stipulatesReciprocal": clause}})

    assert await judge(attic, offered, accepted) == "altered"


async def test_an_agreement_with_somebody_who_proves_nothing_says_so(fediverse: Fediverse) -> None:
    attic, shop, offer = await opened(fediverse)
    await sends(shop, attic, offering(shop, offer))

    made = await accepts(attic, f"{shop.home}/made-up/1")

    assert await judged(attic, made) == agreements.Verdict(
        "unproven", f"{shop.uri} sent it without a proof that could be kept"
    )
    with pytest.raises(Trouble, match="without a proof"):
        agreements.bundle(await agreement_at(attic, made))


async def test_a_response_whose_proof_does_not_hold_is_sent_back(fediverse: Fediverse) -> None:
    attic, shop, offer = await opened(fediverse)
    forged = await proven(attic, offering(shop, offer))
    forged["proof"]["verificationMethod"] = f"{shop.uri}#ed25519-key"

    await sends(shop, attic, forged)

    assert await attic.knows(Response) == []


async def test_a_second_accept_changes_nothing(fediverse: Fediverse) -> None:
    attic, shop, made = await agreed(fediverse)
    accept = await sent(attic, "Accept")
    other = {**accept["result"], "id": f"{attic.home}/agreements/2"}

    await sends(attic, shop, await proven(attic, {**accept, "id": f"{attic.home}/again", "result": other}))

    assert [one.uri for one in await shop.knows(Agreement)] == [made]


async def test_an_agreement_can_be_checked_elsewhere(fediverse: Fediverse) -> None:
    attic, shop, made = await agreed(fediverse)
    cellar = await fediverse.studio("cellar")
    for studio in (attic, shop):
        await cellar.meets(studio)
    body = msgspec.json.encode(agreements.bundle(await agreement_at(shop, made)))

    offered, accepted = agreements.read_bundle(body)
    said = await cellar.instance.store.read(lambda db: agreements.judge(db, offered, accepted, cellar.instance.now()))

    assert said.word == "signed by both"
    for nonsense in (b"", b"[]", b"{}", b'{"offered":{},"accepted":"x"}'):
        with pytest.raises(Trouble, match="that is no agreement"):
            agreements.read_bundle(nonsense)


# --- How far it has got ------------------------------------------------------------------------------------------


async def test_an_offer_is_open_in_talks_filled_and_done(fediverse: Fediverse) -> None:
    attic, shop, offer = await opened(fediverse, OPEN)
    cellar = await fediverse.studio("cellar")
    await cellar.follows(attic)
    seen = [await stage(attic, offer)]
    uri = await responds(shop, offer)
    seen += [await stage(attic, offer), await stage(shop, offer)]
    made = await accepts(attic, uri)
    await attic.does(lambda tx: offers.fill(tx, attic.uri, offer))
    seen.append(await stage(attic, offer))

    await attic.does(lambda tx: agreements.confirm(tx, attic.uri, made))
    await fediverse.settle()

    seen += [await stage(attic, offer), await stage(shop, offer)]
    assert seen == ["open", "in talks", "in talks", "filled", "done", "done"]


@pytest.mark.proves("P-229")
async def test_whoever_made_the_offer_confirms_that_it_is_done(fediverse: Fediverse, told: Told) -> None:
    attic, shop, made = await agreed(fediverse)

    with pytest.raises(NotAllowed):
        await shop.does(lambda tx: agreements.confirm(tx, shop.uri, made))
    await attic.does(lambda tx: agreements.confirm(tx, attic.uri, made, "Thank *you*!"))
    await fediverse.settle()

    create = await sent(attic, "Create")
    said = create["object"]
    assert (said["type"], said["name"], said["context"], said["to"]) == ("Document", "Confirmation", made, [shop.uri])
    assert [(await agreement_at(one, made)).done is not None for one in (attic, shop)] == [True, True]
    assert (shop.home, Notice("agreement done", shop.uri, attic.uri, made)) in told
    with pytest.raises(Conflict):
        await attic.does(lambda tx: agreements.confirm(tx, attic.uri, made))


@pytest.mark.proves("P-229", "P-319")
async def test_nobody_else_confirms_anything(fediverse: Fediverse) -> None:
    attic, shop, made = await agreed(fediverse)
    cellar = await fediverse.studio("cellar")

    for by in (cellar, shop):
        document = {"id": f"{by.home}/c", "type": "Document", "attributedTo": by.uri, "context": made, "name": "Done"}
        create = {"id": f"{by.home}/cc", "type": "Create", "actor": by.uri, "to": [attic.uri], "object": document}
        await sends(by, attic, create)

    assert (await agreement_at(attic, made)).done is None
    with pytest.raises(NotFound):
        await cellar.does(lambda tx: agreements.confirm(tx, cellar.uri, made))


@pytest.mark.proves("P-228")
async def test_a_like_or_reply_from_mastodon_is_interest_that_the_owner_sees(fediverse: Fediverse, told: Told) -> None:
    attic, _, offer = await opened(fediverse)
    social = Stranger(fediverse)
    cleo = social.actor("cleo")
    note = social.note("hello", cleo, inReplyTo=offer, content="<p>I could!</p>", to=[attic.uri])

    await social.sends(attic, social.activity("Like", cleo, offer))
    await social.sends(attic, social.activity("Create", cleo, note, to=[attic.uri]))
    await fediverse.settle()

    def read(db: Any) -> list[tuple[str, str]]:
        row = offers.find(db, offer)
        assert row is not None
        return [(one.kind, one.actor) for one in db.scalars(interest.shown_in(row))]

    assert await attic.instance.store.read(read) == [("like", cleo)]
    [response] = await attic.knows(Response)
    assert (response.via, response.by, response.state) == ("reply", cleo, "open")
    assert {one.kind for _, one in told if one.to == attic.uri and one.by == cleo} >= {"like", "reply"}
    with pytest.raises(Trouble, match="other software"):
        await attic.does(lambda tx: responses.counter(tx, attic.uri, response.uri, "For less?"))


async def test_a_reply_in_the_midst_of_talks_is_just_a_reply(fediverse: Fediverse) -> None:
    attic, shop, offer = await opened(fediverse, OPEN)
    uri = await counters(attic, await responds(shop, offer))

    await replies(shop, offer, "By the way.")

    assert await states(attic) == ["countered", "open"]
    assert (await response_at(attic, uri)).state == "open"


# --- One step to a project ---------------------------------------------------------------------------------------


async def test_an_agreement_opens_a_project_in_one_step(fediverse: Fediverse) -> None:
    attic, shop, made = await agreed(fediverse)
    pair = key_pair(9)

    project = await attic.does(lambda tx: beginnings.open_project(tx, attic.uri, made, "Catalogue", pair))
    await fediverse.settle()

    [invitation] = await shop.knows(Invitation)
    assert (invitation.project, invitation.inviter, invitation.role) == (project.uri, attic.uri, "member")
    assert made in invitation.text
    assert (await agreement_at(attic, made)).project == project.uri
    assert "2400" not in (await shop.gets(project.uri, signed=False)).body.decode()
    await shop.does(lambda tx: invitations.accept(tx, shop.uri, invitation.uri))
    await fediverse.settle()
    people = await attic.instance.store.read(lambda db: set(db.scalars(projects.people(project.uri))))
    assert people == {attic.uri, shop.uri}
    with pytest.raises(Conflict):
        await attic.does(lambda tx: beginnings.open_project(tx, attic.uri, made, "Again", pair))


async def test_nobody_opens_a_project_for_what_others_agreed_on(fediverse: Fediverse) -> None:
    _, shop, made = await agreed(fediverse)
    cellar = await fediverse.studio("cellar")
    post = await shop.does(lambda tx: posts.publish(tx, shop.uri, Words("No agreement.")))
    pair = key_pair(9)

    cy = await shop.does(lambda tx: accounts.create(tx, "cy", "Cy", "person", pair).uri)
    with pytest.raises(NotFound):
        await shop.does(lambda tx: beginnings.open_project(tx, cy, made, "Mine", pair))
    with pytest.raises(NotFound):
        await cellar.does(lambda tx: beginnings.open_project(tx, cellar.uri, made, "Mine", pair))
    with pytest.raises(NotFound):
        await shop.does(lambda tx: beginnings.open_project(tx, shop.uri, post.uri, "Mine", pair))


Path = tuple[str | int, ...]


def _places(value: Any, above: Path = ()) -> list[Path]:
    """Where the strings are in a document, however deep."""
    if isinstance(value, str):
        return [above]
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for name, one in inner for place in _places(one, (*above, name))]


def _altered(value: Any, place: Path) -> tuple[Json, Json]:
    """The two documents, with one string in them changed."""
    changed = inner = msgspec.json.decode(msgspec.json.encode(value))
    for name in place[:-1]:
        inner = inner[name]
    inner[place[-1]] += "0"
    return changed["offered"], changed["accepted"]
