"""Offers, from one studio to others and back to nobody's surprise."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from activitypub import context
from activitypub.document import Document, Json
from activitypub.proposal import Price
from coop import departures, offers, posts
from coop.errors import Conflict, NotAllowed, NotFound, Trouble
from coop.offers import Draft, Offer
from federation import discovery, known
from federation.tables import Activity, Object, Receipt
from tests.fediverse import Fediverse, Studio

TYPESETTER = Draft(
    purpose="request",
    title="Typesetter for a catalogue",
    text="Two columns, many *footnotes*.",
    price=Price("EUR", Decimal(2400), Decimal(2400)),
    skills=("Typesetting", "Book design"),
    remote=True,
)


async def neighbours(fediverse: Fediverse) -> tuple[Studio, Studio]:
    """Ada in the attic, and Bo above the shop, who follows her."""
    attic, shop = await fediverse.studio("attic"), await fediverse.studio("shop")
    await shop.follows(attic)
    await fediverse.settle()
    return attic, shop


async def opens(studio: Studio, draft: Draft = TYPESETTER, **how: Any) -> str:
    row = await studio.does(lambda tx: offers.open(tx, studio.uri, draft, **how))
    await studio.fediverse.settle()
    return row.uri


async def board(studio: Studio, **wanted: Any) -> list[str]:
    query = offers.board(studio.instance.now(), studio.uri, **wanted)
    return [one.title for one in await studio.instance.store.read(lambda db: list(db.scalars(query)))]


async def offer_at(studio: Studio, uri: str) -> Offer:
    found = await studio.instance.store.read(lambda db: offers.find(db, uri))
    assert found is not None
    return found


async def sent(studio: Studio, kind: str) -> Json:
    """The newest activity of a kind that a studio sent, as it was on the wire."""
    activities = [one for one in await studio.knows(Activity) if one.type == kind]
    found: Json = msgspec.json.decode(max(activities, key=lambda one: one.id).body)
    return found


async def answers_to(studio: Studio, uri: str) -> Receipt:
    return next(one for one in await studio.knows(Receipt) if one.uri == uri)


def note_by(studio: Studio, **terms: Any) -> Json:
    """An offer as another program might write it."""
    uri = f"{studio.home}/notes/1"
    intent = {"id": f"{uri}#i", "type": "Intent", "action": "work", "resourceQuantity": {"hasUnit": "hour"}}
    common = {"id": uri, "type": "Note", "attributedTo": studio.uri, "to": [context.AS2 + "#Public"]}
    return {**common, "content": "<p>Sewing</p>", "name": "Sewing", "purpose": "offer", "publishes": intent, **terms}


def create(studio: Studio, note: Json, kind: str = "Create", number: int = 1) -> Json:
    uri = f"{studio.home}/made-up/{number}"
    return {"id": uri, "type": kind, "actor": studio.uri, "to": note.get("to", []), "object": note}


@pytest.mark.proves("P-220", "P-200", "P-201")
async def test_an_offer_arrives_with_all_its_terms_and_is_a_post_to_everybody_else(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    draft = replace(TYPESETTER, place="Turin", until=fediverse.now + timedelta(days=14))

    uri = await opens(attic, draft)

    offer = await offer_at(shop, uri)
    assert (offer.author, offer.purpose, offer.title) == (attic.uri, "request", "Typesetter for a catalogue")
    assert (offer.price, offer.remote, offer.place, offer.until) == (draft.price, True, "Turin", draft.until)
    assert await shop.instance.store.read(lambda db: offers.skills(db, offer)) == ["book design", "typesetting"]
    note = (await sent(attic, "Create"))["object"]
    assert note["type"] == "Note"
    assert "<p><strong>Typesetter for a catalogue</strong></p>" in note["content"]
    assert "2,400 EUR" in note["content"]
    assert f'href="{uri}"' in note["content"]
    assert [one["name"] for one in note["tag"]] == ["#typesetting", "#bookdesign"]
    assert note["publishes"]["resourceQuantity"] == {"hasUnit": "one", "hasNumericalValue": "1"}
    assert note["reciprocal"]["resourceQuantity"]["hasNumericalValue"] == "2400"


@pytest.mark.proves("P-220")
@pytest.mark.parametrize(
    "price",
    [
        None,
        Price("EUR"),
        Price("USD", Decimal("80.50"), Decimal("80.50"), "hour"),
        Price("GBP", Decimal(300), Decimal(400), "day"),
        Price("EUR", Decimal("0.000001"), None),
    ],
)
async def test_every_kind_of_price_arrives_to_the_cent(fediverse: Fediverse, price: Price | None) -> None:
    attic, shop = await neighbours(fediverse)

    uri = await opens(attic, replace(TYPESETTER, price=price))

    assert (await offer_at(shop, uri)).price == price


async def test_the_board_has_what_those_offer_whom_i_follow_and_what_i_offer(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    await opens(attic)
    await opens(shop, Draft("offer", "Book covers by hand", "Paper from a mill nearby.", skills=("Illustration",)))

    on_boards = await board(shop), await board(attic)

    assert on_boards == (["Book covers by hand", "Typesetter for a catalogue"], ["Typesetter for a catalogue"])


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"kind": "request"}, ["Typesetter for a catalogue"]),
        ({"kind": "offer"}, ["Book covers"]),
        ({"skill": " TypeSetting "}, ["Typesetter for a catalogue"]),
        ({"skill": "Type"}, []),
        ({"text": "FOOTNOTES many"}, ["Typesetter for a catalogue"]),
        ({"text": "covers"}, ["Book covers"]),
        ({"text": "100%"}, []),
        ({"text": "strong"}, []),
        ({"kind": "offer", "skill": "typesetting"}, []),
    ],
)
async def test_the_board_is_searched_by_kind_skill_and_words(
    fediverse: Fediverse, wanted: dict[str, Any], found: list[str]
) -> None:
    attic = await fediverse.studio("attic")
    await opens(attic)
    await opens(attic, Draft("offer", "Book covers", "100 of them."))

    titles = await board(attic, **wanted)

    assert titles == found


async def test_the_board_is_paged_by_the_offer_where_the_last_page_ended(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    for number in range(5):
        await opens(attic, replace(TYPESETTER, title=f"Job {number}"))

    query = offers.board(fediverse.now, attic.uri)
    first = await attic.instance.store.read(lambda db: list(db.scalars(query.limit(2))))
    rest = await attic.instance.store.read(lambda db: list(db.scalars(query.where(Offer.id < first[-1].id))))

    assert [one.title for one in first + rest] == [f"Job {number}" for number in (4, 3, 2, 1, 0)]


@pytest.mark.proves("P-221")
@pytest.mark.parametrize(
    ("ends", "state", "word"), [(offers.fill, "filled", "FILLED"), (offers.withdraw, "withdrawn", "WITHDRAWN")]
)
async def test_followers_see_in_the_words_of_an_offer_that_it_is_over(
    fediverse: Fediverse, ends: Any, state: str, word: str
) -> None:
    attic, shop = await neighbours(fediverse)
    uri = await opens(attic)

    await attic.does(lambda tx: ends(tx, attic.uri, uri))
    await fediverse.settle()

    update = await sent(attic, "Update")
    note = update["object"]
    assert update["id"].startswith(f"{uri}#updates/")
    assert note["content"].startswith(
        f"<p><strong>{word}: Typesetter for a catalogue</strong></p><p>Two columns, many <em>"
    )
    assert (note["offerState"], note["publishes"]["availableQuantity"]["hasNumericalValue"]) == (state, "0")
    assert note["updated"] > note["published"]
    assert {"purpose", "reciprocal", "skill", "tag", "to", "cc"} <= note.keys()
    assert (await offer_at(shop, uri)).state == state
    assert (await board(shop), await board(attic)) == ([], [])


@pytest.mark.proves("P-221")
async def test_what_is_filled_or_withdrawn_is_final_for_its_author(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    uri = await opens(attic)
    await attic.does(lambda tx: offers.fill(tx, attic.uri, uri))

    for again in (
        lambda tx: offers.withdraw(tx, attic.uri, uri),
        lambda tx: offers.fill(tx, attic.uri, uri),
        lambda tx: offers.edit(tx, attic.uri, uri, TYPESETTER),
    ):
        with pytest.raises(Conflict, match="filled already"):
            await attic.does(again)

    assert (await offer_at(attic, uri)).state == "filled"


@pytest.mark.proves("P-221")
async def test_a_withdrawn_offer_stays_withdrawn_whatever_its_server_says_later(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    uri = await opens(attic)
    original = (await sent(attic, "Create"))["object"]
    await attic.does(lambda tx: offers.withdraw(tx, attic.uri, uri))
    await fediverse.settle()

    reopened = create(attic, {**original, "updated": "2026-03-02T11:00:00Z"}, "Update")
    fediverse.later(hours=3)
    await attic.sends(f"{shop.home}/inbox", reopened)
    await fediverse.settle()

    receipt = await answers_to(shop, reopened["id"])
    assert (receipt.state, receipt.error) == ("refused", "an offer that is withdrawn stays so; open a new one instead")
    assert (await offer_at(shop, uri)).state == "withdrawn"
    kept = await shop.instance.store.read(lambda db: known.find(db, uri))
    assert kept is not None
    assert kept.document["offerState"] == "withdrawn"


async def test_an_offer_is_edited_in_place_and_its_end_moved(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    uri = await opens(attic, replace(TYPESETTER, until=fediverse.now + timedelta(days=1)))
    fediverse.later(days=2)
    assert await board(shop) == []
    row = await attic.instance.store.read(lambda db: known.find(db, uri))
    assert row is not None
    draft = offers.draft_of(row)

    later = replace(draft, title="Typesetter, for two catalogues", until=fediverse.now + timedelta(days=5), skills=())
    await attic.does(lambda tx: offers.edit(tx, attic.uri, uri, later))
    await fediverse.settle()

    assert draft.text == TYPESETTER.text
    assert await board(shop) == ["Typesetter, for two catalogues"]
    assert await board(shop, skill="typesetting") == []
    assert len(await shop.knows(Offer)) == 1


@pytest.mark.proves("P-221", "P-230")
@pytest.mark.parametrize("visibility", ["public", "followers"])
async def test_who_was_mentioned_in_an_offer_hears_what_becomes_of_it(fediverse: Fediverse, visibility: str) -> None:
    attic, shop = await fediverse.studio("attic"), await fediverse.studio("shop")
    await attic.meets(shop)
    uri = await opens(attic, replace(TYPESETTER, text="As @shop@shop.example does it"), visibility=visibility)
    fediverse.later(minutes=5)

    await attic.does(lambda tx: offers.edit(tx, attic.uri, uri, replace(TYPESETTER, title="Typesetter")))
    await fediverse.settle()
    edited = await offer_at(shop, uri)
    await attic.does(lambda tx: offers.fill(tx, attic.uri, uri))
    await fediverse.settle()
    filled = await offer_at(shop, uri)
    await attic.does(lambda tx: posts.delete(tx, attic.uri, uri))
    await fediverse.settle()

    assert (edited.title, edited.state, filled.state) == ("Typesetter", "open", "filled")
    assert await shop.knows(Offer) == []


async def test_an_offer_whose_author_sleeps_expires_on_its_day(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    uri = await opens(attic, replace(TYPESETTER, until=fediverse.now + timedelta(days=3)))
    fediverse.asleep.add(attic.host)

    fediverse.later(days=2, hours=23)
    before = await board(shop)
    fediverse.later(hours=1)

    assert before == ["Typesetter for a catalogue"]
    assert await board(shop) == []
    assert (await offer_at(shop, uri)).status(fediverse.now) == "expired"


async def test_an_offer_for_followers_is_not_for_everybody(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    cellar = await fediverse.studio("cellar")

    uri = await opens(attic, visibility="followers")

    assert await board(shop) == ["Typesetter for a catalogue"]
    assert (await cellar.gets(uri)).status == 404
    listed = await attic.instance.store.read(lambda db: db.execute(offers.offers_of(attic.uri, fediverse.now)).all())
    assert listed == []


@pytest.mark.proves("P-223")
async def test_the_collection_of_offers_lists_the_open_ones(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    taken, first, second = [await opens(attic, replace(TYPESETTER, title=f"Job {number}")) for number in range(3)]
    await opens(attic, replace(TYPESETTER, until=fediverse.now + timedelta(hours=1)))
    await attic.does(lambda tx: offers.fill(tx, attic.uri, taken))
    fediverse.later(hours=1)

    query = offers.offers_of(attic.uri, fediverse.now).order_by(Offer.id.desc())
    listed = await attic.instance.store.read(lambda db: db.execute(query).all())

    assert [uri for _, uri in listed] == [second, first]


async def test_a_deleted_offer_leaves_nothing_to_be_found(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    uri = await opens(attic)

    await attic.does(lambda tx: posts.delete(tx, attic.uri, uri))
    await fediverse.settle()

    for studio in (attic, shop):
        assert await studio.knows(Offer) == []
        assert await studio.knows(offers.OfferedSkill) == []


async def test_nobody_changes_what_another_here_offers(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    uri = await opens(attic)
    note = await shop.does(lambda tx: posts.publish(tx, shop.uri, posts.Draft("Only a post.")))

    with pytest.raises(NotAllowed):
        await shop.does(lambda tx: offers.fill(tx, shop.uri, uri))
    with pytest.raises(NotFound):
        await shop.does(lambda tx: offers.fill(tx, shop.uri, note.uri))

    assert (await offer_at(attic, uri)).state == "open"


@pytest.mark.proves("P-319", "P-105")
async def test_an_update_of_an_offer_by_another_has_no_effect(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    cellar = await fediverse.studio("cellar")
    await shop.follows(cellar)
    uri = await opens(attic)
    note = (await sent(attic, "Create"))["object"]
    fediverse.later(minutes=1)

    for number, author in enumerate((attic.uri, cellar.uri)):
        words = {"attributedTo": author, "updated": "2026-03-02T09:01:00Z", "name": "Mine now", "offerState": "filled"}
        await cellar.sends(f"{shop.home}/inbox", create(cellar, {**note, **words}, "Update", number))
    await fediverse.settle()

    offer = await offer_at(shop, uri)
    assert (offer.title, offer.state, offer.author) == ("Typesetter for a catalogue", "open", attic.uri)


@pytest.mark.proves("P-106", "P-105")
async def test_an_offer_in_anothers_name_is_not_kept(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    cellar = await fediverse.studio("cellar")
    await shop.follows(cellar)
    await fediverse.settle()

    on_her_server = note_by(attic)
    on_his_own = {**note_by(cellar), "attributedTo": attic.uri}
    for number, note in enumerate((on_her_server, on_his_own)):
        await cellar.sends(f"{shop.home}/inbox", create(cellar, note, number=number))
    await fediverse.settle()

    assert await shop.knows(Offer) == []
    assert await shop.knows(Object) == []


@pytest.mark.proves("P-222", "P-209")
@pytest.mark.parametrize("kind", ["Note", "Proposal"])
async def test_an_offer_is_recognised_by_what_it_has(fediverse: Fediverse, kind: str) -> None:
    attic, shop = await neighbours(fediverse)

    await attic.sends(f"{shop.home}/inbox", create(attic, note_by(attic, type=kind)))
    await fediverse.settle()

    assert await board(shop) == ["Sewing"]


def quantity(value: Any) -> Json:
    return {
        "id": "https://attic.example/notes/1#r",
        "action": "transfer",
        "resourceQuantity": {"hasUnit": "one", "hasNumericalValue": value},
    }


@pytest.mark.proves("P-222")
@pytest.mark.parametrize("kind", ["Note", "Proposal"])
@pytest.mark.parametrize(
    "terms",
    [
        {"purpose": "gift"},
        {"publishes": {"id": "https://attic.example/notes/1#i", "resourceQuantity": {"hasUnit": "hour"}}},
        {"publishes": {"id": "https://attic.example/notes/1#i", "action": "work"}},
        {"publishes": {"id": "https://cellar.example/1#i", "action": "work", "resourceQuantity": {"hasUnit": "hour"}}},
        {"reciprocal": quantity("1e999")},
        {"reciprocal": quantity("-1")},
        {"reciprocal": quantity("NaN")},
        {"reciprocal": quantity("1234567890123")},
        {"reciprocal": quantity("0.1234567")},
        {"reciprocal": quantity("٣")},
        {"reciprocal": quantity({"hasNumericalValue": "1"})},
        {"reciprocal": quantity(True)},
        {"reciprocal": quantity(1e300)},
    ],
)
async def test_what_is_no_valid_offer_is_an_ordinary_post(fediverse: Fediverse, terms: Json, kind: str) -> None:
    attic, shop = await neighbours(fediverse)

    await attic.sends(f"{shop.home}/inbox", create(attic, note_by(attic, type=kind, **terms)))
    await fediverse.settle()

    [post] = await shop.knows(Object)
    assert (post.author, post.document["content"]) == (attic.uri, "<p>Sewing</p>")
    assert await shop.knows(Offer) == []


async def test_an_offer_that_is_looked_up_is_an_offer_too(fediverse: Fediverse) -> None:
    attic, cellar = await fediverse.studio("attic"), await fediverse.studio("cellar")
    uri = await opens(attic)

    found = await discovery.lookup(cellar.instance, uri)

    assert found.uri == uri
    assert (await offer_at(cellar, uri)).title == "Typesetter for a catalogue"
    assert await board(cellar) == []


async def test_an_offer_sent_to_one_person_is_on_no_board(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    note = note_by(attic, to=[shop.uri])

    await attic.sends(f"{shop.home}/inbox", create(attic, note))
    await fediverse.settle()

    assert (await offer_at(shop, note["id"])).title == "Sewing"
    assert await board(shop) == []


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"title": " "}, "needs a title"),
        ({"title": "t" * 121}, "the title is longer than 120"),
        ({"text": "t" * 5_001}, "the text is longer than 5,000"),
        ({"skills": ("a",) * 21}, "up to 20 skills"),
        ({"skills": ("",)}, "up to 20 skills"),
        ({"until": timedelta(0)}, "over already"),
        ({"price": Price("EUR", Decimal(2), Decimal(1))}, "more than the most"),
        ({"price": Price("XYZ")}, "not a currency"),
        ({"price": Price("EUR", Decimal(-1), Decimal(-1))}, "at most 12 digits"),
    ],
)
async def test_an_impossible_draft_is_refused_in_words(fediverse: Fediverse, wrong: Any, reason: str) -> None:
    attic = await fediverse.studio("attic")
    if "until" in wrong:
        wrong = {"until": fediverse.now + wrong["until"]}

    with pytest.raises(Trouble, match=reason):
        await attic.does(lambda tx: offers.open(tx, attic.uri, replace(TYPESETTER, **wrong)))

    assert await attic.knows(Object) == []


json_values = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats(allow_nan=False) | some.text(max_size=20),
    lambda inner: (
        some.lists(inner, max_size=3)
        | some.dictionaries(
            some.sampled_from(["id", "action", "resourceQuantity", "hasUnit", "hasNumericalValue"]), inner
        )
    ),
    max_leaves=8,
)
names = some.sampled_from(["id", "attributedTo", "purpose", "publishes", "reciprocal", "skill", "endTime", "location"])


@given(some.dictionaries(names, json_values))
def test_whether_something_is_an_offer_can_always_be_said(json: Json) -> None:
    assert offers.is_valid(Document(json)) in (True, False)


@pytest.mark.proves("P-116")
async def test_who_leaves_for_good_takes_their_offers_along(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    uri = await opens(attic)

    await attic.does(lambda tx: departures.leave(tx, attic.uri))
    await fediverse.settle()

    for studio in (attic, shop):
        assert await studio.knows(Offer) == []
        kept = await studio.instance.store.read(lambda db: known.find(db, uri))
        assert kept is not None
        assert kept.deleted
