"""Offers on the wire: what we lay on a note, and what we take for an offer."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from activitypub import context, html
from activitypub.document import PREFIXES, Document, Json
from activitypub.errors import Malformed, ProtocolError
from activitypub.money import CURRENCIES
from activitypub.proposal import Price, Proposal, Purpose, State, Unit, is_proposal, skill_uri
from tests.activitypub.documents import hostile, read

ADA = "https://ada.example/actors/01HZA"
UNTIL = datetime(2026, 1, 31, 22, 59, 59, tzinfo=UTC)
CATALOGUE = Proposal(
    id="https://ada.example/offers/01J",
    author=ADA,
    purpose="request",
    title="Typesetter for a 200-page catalogue",
    text="<p>Two columns, many footnotes.</p>",
    price=Price("EUR", Decimal(2400), Decimal(2400)),
    skills=("Typesetting",),
    remote=True,
    until=UNTIL,
)


def note(proposal: Proposal) -> Json:
    """What `coop` makes of it: a note, with the offer laid on it."""
    plain = {"id": proposal.id, "type": "Note", "attributedTo": proposal.author, "content": proposal.text}
    return plain | proposal.write()


def changed(path: str, value: Any) -> Document:
    """The catalogue with one property, at a dotted `path`, replaced; None takes it away."""
    json = note(CATALOGUE)
    *outer, name = path.split(".")
    at = json
    for one in outer:
        at = at[one]
    at[name] = value
    return Document(json)


@pytest.mark.proves("P-201", "P-220")
def test_an_offer_is_written_as_the_worked_example_has_it() -> None:
    written = CATALOGUE.write()

    assert written == {
        "name": "Typesetter for a 200-page catalogue",
        "purpose": "request",
        "unitBased": False,
        "publishes": {
            "id": "https://ada.example/offers/01J#primary",
            "type": "Intent",
            "action": "deliverService",
            "resourceConformsTo": "https://ada.example/skills/typesetting",
            "resourceQuantity": {"hasUnit": "one", "hasNumericalValue": "1"},
            "availableQuantity": {"hasUnit": "one", "hasNumericalValue": "1"},
        },
        "reciprocal": {
            "id": "https://ada.example/offers/01J#reciprocal",
            "type": "Intent",
            "action": "transfer",
            "resourceConformsTo": "https://www.wikidata.org/wiki/Q4916",
            "resourceQuantity": {"hasUnit": "one", "hasNumericalValue": "2400"},
        },
        "skill": ["Typesetting"],
        "remote": True,
        "endTime": "2026-01-31T22:59:59Z",
        "offerState": "open",
    }


@pytest.mark.proves("P-201", "P-211")
def test_an_offer_touches_neither_the_type_nor_the_attachments_of_its_note() -> None:
    assert not {"type", "attachment"} & CATALOGUE.write().keys()


@pytest.mark.proves("P-206", "P-207")
def test_every_property_of_an_offer_is_in_its_context() -> None:
    inline = context.OFFER[-1]
    known_to_as2 = {"id", "type", "name", "startTime", "endTime", "location"}
    whole = replace(CATALOGUE, place="Lisbon", start=UNTIL)
    ranging = replace(CATALOGUE, price=Price("EUR", Decimal(1), Decimal(2)))

    written = whole.write() | {"reciprocal": whole.write()["reciprocal"] | ranging.write()["reciprocal"]}
    names = {*written, *written["publishes"], *written["reciprocal"], *written["publishes"]["resourceQuantity"]}

    assert names - known_to_as2 <= inline.keys()
    assert inline["resourceConformsTo"]["@type"] == "@id"


@pytest.mark.proves("P-220")
@pytest.mark.parametrize(
    ("price", "unit_based", "unit", "value"),
    [
        (Price("EUR", Decimal(2400), Decimal(2400)), False, "one", "2400"),
        (Price("CHF", Decimal("80.50"), Decimal("80.50"), "hour"), True, "hour", "80.50"),
        (Price("USD", Decimal(600), Decimal(600), "day"), True, "day", "600"),
        (Price("GBP"), None, "one", None),
        (Price("EUR", Decimal(1000), Decimal(2000)), None, "one", None),
        (Price("EUR", None, Decimal(90), "hour"), None, "hour", None),
    ],
)
def test_each_kind_of_price_is_written_for_readers_of_fep_0837(
    price: Price, unit_based: bool | None, unit: str, value: str | None
) -> None:
    written = replace(CATALOGUE, price=price).write()

    assert written.get("unitBased") is unit_based
    assert written["publishes"]["resourceQuantity"] == {"hasUnit": unit, "hasNumericalValue": "1"}
    assert written["reciprocal"]["resourceQuantity"].get("hasNumericalValue") == value
    assert written["reciprocal"]["resourceQuantity"]["hasUnit"] == "one"


@pytest.mark.proves("P-220")
def test_a_favour_has_no_reciprocal() -> None:
    written = replace(CATALOGUE, price=None).write()

    assert not {"reciprocal", "unitBased"} & written.keys()


@pytest.mark.proves("P-220", "P-221")
@pytest.mark.parametrize(("state", "available"), [("open", "1"), ("filled", "0"), ("withdrawn", "0")])
def test_a_state_is_told_to_both_kinds_of_readers(state: State, available: str) -> None:
    written = replace(CATALOGUE, state=state).write()

    assert written["offerState"] == state
    assert written["publishes"]["availableQuantity"]["hasNumericalValue"] == available


@pytest.mark.proves("P-212", "P-213")
def test_nothing_in_the_content_is_lost_to_those_who_clean_it() -> None:
    content = CATALOGUE.content(CATALOGUE.id)

    cleaned = html.clean(content).replace(' rel="nofollow noopener noreferrer"', "")

    assert cleaned.replace('rel="tag nofollow noopener noreferrer"', 'rel="tag"') == content


@pytest.mark.proves("P-200", "P-212")
def test_the_content_alone_tells_everything() -> None:
    content = replace(CATALOGUE, place="Porto <old town>").content(CATALOGUE.id)

    assert content.startswith("<p><strong>Typesetter for a 200-page catalogue</strong></p><p>Two columns")
    assert "Budget 2,400 EUR, remote or Porto &lt;old town&gt;, apply until 31 January 2026." in content
    assert '<a href="https://ada.example/offers/01J">ada.example/offers/01J</a>' in content
    assert (
        '<a href="https://ada.example/tags/typesetting" class="mention hashtag" rel="tag">#<span>typesetting' in content
    )


@pytest.mark.proves("P-221")
@pytest.mark.parametrize(("state", "word"), [("filled", "FILLED"), ("withdrawn", "WITHDRAWN")])
def test_the_first_word_of_the_content_is_the_state(state: State, word: str) -> None:
    content = replace(CATALOGUE, state=state).content(CATALOGUE.id)

    assert html.plain(content).startswith(f"{word}: Typesetter")


@pytest.mark.parametrize(
    ("proposal", "facts"),
    [
        (replace(CATALOGUE, price=None, remote=False, until=None), "A favour or swap."),
        (replace(CATALOGUE, purpose="offer", price=Price("EUR", Decimal(80), Decimal(80), "hour")), "Price 80 EUR per"),
        (replace(CATALOGUE, price=Price("EUR", Decimal(1000), Decimal(2000))), "Budget 1,000 to 2,000 EUR, "),
        (replace(CATALOGUE, price=Price("EUR", Decimal(1000))), "Budget from 1,000 EUR, "),
        (replace(CATALOGUE, price=Price("EUR", None, Decimal(90), "day")), "Budget up to 90 EUR per day, "),
        (replace(CATALOGUE, price=Price("EUR")), "Budget negotiable, in EUR, "),
        (replace(CATALOGUE, start=UNTIL), "from 31 January 2026, apply until"),
    ],
)
def test_facts_are_a_sentence(proposal: Proposal, facts: str) -> None:
    assert facts in proposal.facts()


def test_an_offer_is_open_until_its_end() -> None:
    assert CATALOGUE.is_open(UNTIL - timedelta(seconds=1))
    assert not CATALOGUE.is_open(UNTIL)
    assert not replace(CATALOGUE, state="filled").is_open(UNTIL - timedelta(days=1))
    assert replace(CATALOGUE, until=None).is_open(UNTIL + timedelta(days=999))


@pytest.mark.proves("P-209")
def test_an_offer_is_known_by_what_it_has_and_not_by_its_type() -> None:
    assert is_proposal(Document(note(CATALOGUE)))
    assert is_proposal(changed("type", "Sandwich"))
    assert not is_proposal(changed("purpose", None))
    assert not is_proposal(changed("publishes", "https://ada.example/offers/01J#primary"))
    assert not is_proposal(Document({"type": "Proposal", "id": "https://ada.example/1"}))


@pytest.mark.proves("P-208")
@pytest.mark.parametrize("vocabulary", ["prefix", "iri"])
def test_terms_are_read_in_every_spelling(vocabulary: str) -> None:
    vf, om2, box = (one if vocabulary == "prefix" else PREFIXES[one] for one in ("vf:", "om2:", "box:"))
    spelled = {"offerState": box, "skill": box, "remote": box, "hasUnit": om2, "hasNumericalValue": om2}
    plain = {"id", "type", "name", "content", "attributedTo", "endTime"}

    def respelled(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {name if name in plain else spelled.get(name, vf) + name: respelled(one) for name, one in value.items()}

    json = respelled(note(replace(CATALOGUE, state="filled", price=Price("EUR", Decimal(80), Decimal(80), "hour"))))
    json[f"{vf}purpose"] = f"{vf}request"
    json[f"{vf}publishes"][f"{vf}resourceQuantity"][f"{om2}hasUnit"] = f"{om2}hour"
    offer = Proposal.read(Document(json))

    assert offer == replace(CATALOGUE, state="filled", price=Price("EUR", Decimal(80), Decimal(80), "hour"))


@pytest.mark.proves("P-222")
def test_a_proposal_of_mitra_is_an_offer() -> None:
    offer = Proposal.read(read("mitra-proposal"))

    assert (offer.purpose, offer.title, offer.price, offer.state) == ("offer", "Drawings by hand", None, "open")
    assert offer.author == "https://mitra.example/users/tia"


@pytest.mark.proves("P-222")
def test_a_proposal_as_fedify_writes_it_is_an_offer() -> None:
    om2 = "http://www.ontology-of-units-of-measure.org/resource/om-2/"
    quantity = {"type": "om2:Measure", "hasUnit": f"{om2}one", "hasNumericalValue": 1}
    publishes = {"type": "Intent", "id": "https://market.example/p/1#primary", "action": "deliverService"}
    reciprocal = {"type": "Intent", "id": "https://market.example/p/1#reciprocal", "action": "transfer"}
    offer = Proposal.read(
        Document(
            {
                "type": "Proposal",
                "id": "https://market.example/p/1",
                "attributedTo": {"type": "Person", "id": "https://market.example/u/fay"},
                "name": "Bicycle repair",
                "purpose": "offer",
                "unitBased": True,
                "publishes": [publishes | {"resourceQuantity": quantity}],
                "reciprocal": reciprocal
                | {
                    "resourceConformsTo": "http://www.wikidata.org/entity/Q4917",
                    "resourceQuantity": quantity | {"hasNumericalValue": "30.5"},
                },
            }
        )
    )

    assert offer.price == Price("USD", Decimal("30.5"), Decimal("30.5"))
    assert offer.author == "https://market.example/u/fay"


@pytest.mark.proves("P-222")
@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("purpose", "sandwich"),
        ("purpose", None),
        ("publishes", None),
        ("publishes", "https://ada.example/offers/01J#primary"),
        ("publishes.action", None),
        ("publishes.id", None),
        ("publishes.id", "https://evil.example/offers/01J#primary"),
        ("reciprocal.id", "https://ada.example:444/offers/01J#reciprocal"),
        ("publishes.resourceQuantity", None),
        ("publishes.resourceQuantity.hasUnit", None),
        ("reciprocal", "https://ada.example/offers/01J#reciprocal"),
        ("attributedTo", "https://evil.example/actors/mal"),
        ("attributedTo", None),
        ("id", None),
    ],
)
def test_what_lacks_a_part_is_no_offer(path: str, value: Any) -> None:
    with pytest.raises(ProtocolError):
        Proposal.read(changed(path, value))


@pytest.mark.proves("P-222")
@pytest.mark.parametrize(
    "amount",
    [
        *("-1", "+1", "1e3", "1E400", "NaN", "Infinity", "", " 1", "1 ", "1,000", "0x10", "1.", ".5", "1.1234567"),
        *("1234567890123", "1_000", "١٢", "²", "1\n", -1, 1e20, 1e-7, float("nan"), True, [], {}, ["1"], 10**12),
    ],
)
@pytest.mark.parametrize(
    "path",
    [
        "publishes.resourceQuantity.hasNumericalValue",
        "publishes.availableQuantity.hasNumericalValue",
        "reciprocal.resourceQuantity.hasNumericalValue",
    ],
)
def test_a_hostile_amount_is_no_amount(path: str, amount: Any) -> None:
    with pytest.raises(Malformed):
        Proposal.read(changed(path, amount))


@pytest.mark.proves("P-222")
@pytest.mark.parametrize("amount", ["0", "2400", "0.000001", "999999999999.999999", 2400, 80.5])
def test_decimal_strings_and_numbers_are_amounts(amount: Any) -> None:
    offer = Proposal.read(changed("reciprocal.resourceQuantity.hasNumericalValue", amount))

    assert offer.price == Price("EUR", Decimal(str(amount)), Decimal(str(amount)))


def test_a_range_that_is_upside_down_is_no_offer() -> None:
    json = note(replace(CATALOGUE, price=Price("EUR", Decimal(1), Decimal(2))))
    json["reciprocal"]["minimum"] = "3"

    with pytest.raises(Malformed):
        Proposal.read(Document(json))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("reciprocal.resourceConformsTo", "https://www.wikidata.org/wiki/Q131723"),
        ("reciprocal.resourceConformsTo", "caip:19:monero:418015bb9ae982a1975da7d79277c270/slip44:128"),
        ("reciprocal.resourceConformsTo", None),
    ],
)
def test_a_currency_that_we_do_not_know_is_no_price(path: str, value: Any) -> None:
    assert Proposal.read(changed(path, value)).price is None


def test_a_rate_by_a_unit_that_we_do_not_know_is_no_price() -> None:
    json = note(CATALOGUE) | {"unitBased": True}
    json["publishes"]["resourceQuantity"]["hasUnit"] = "second"

    assert Proposal.read(Document(json)).price is None


@pytest.mark.parametrize(
    ("state", "available", "expected"),
    [(None, "1", "open"), (None, "0", "filled"), ("filled", "1", "filled"), ("on the moon", "1", "withdrawn")],
)
def test_a_state_may_be_told_in_either_way(state: str | None, available: str, expected: State) -> None:
    json = note(CATALOGUE) | {"offerState": state}
    json["publishes"]["availableQuantity"]["hasNumericalValue"] = available

    assert Proposal.read(Document(json)).state == expected


def test_a_proposal_without_a_name_is_called_by_its_words() -> None:
    assert Proposal.read(changed("name", None)).title == "Two columns, many footnotes."


def test_a_name_cannot_mislead() -> None:
    offer = Proposal.read(changed("name", "Free\u202e money\n\nfor all" + "x" * 500))

    assert offer.title.startswith("Free money for all")
    assert len(offer.title) <= 120


@pytest.mark.proves("P-220")
def test_a_name_is_plain_text_whatever_it_looks_like() -> None:
    assert Proposal.read(changed("name", "Vec<T> expert & <b>more</b>")).title == "Vec<T> expert & <b>more</b>"


@pytest.mark.proves("P-110")
def test_an_offer_is_its_first_author_s_on_its_own_server() -> None:
    offer = Proposal.read(changed("attributedTo", ["https://y.example/u", ADA]))

    assert offer.author == ADA


def test_a_skill_has_an_address() -> None:
    assert skill_uri("https://ada.example", "Web design / UX") == "https://ada.example/skills/web-design-ux"


amounts = some.decimals(0, 999_999_999_999, places=2)
times = some.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)).map(  # noqa: DTZ001
    lambda moment: moment.replace(microsecond=0, tzinfo=UTC)
)
words = some.text(max_size=60).map(lambda text: html.single_line(html.plain(text), 60))
units: some.SearchStrategy[Unit] = some.sampled_from(["project", "day", "hour"])
purposes: some.SearchStrategy[Purpose] = some.sampled_from(["offer", "request"])
states: some.SearchStrategy[State] = some.sampled_from(["open", "filled", "withdrawn"])


@some.composite
def prices(draw: some.DrawFn) -> Price:
    least, most = sorted((draw(amounts), draw(amounts)))
    limits = draw(some.sampled_from([(least, most), (most, most), (least, None), (None, most), (None, None)]))
    return Price(draw(some.sampled_from(sorted(CURRENCIES))), *limits, draw(units))


@pytest.mark.proves("P-220", "P-222")
@given(
    some.builds(
        Proposal,
        id=some.just("https://ada.example/offers/1"),
        author=some.just(ADA),
        purpose=purposes,
        title=words.filter(lambda title: bool(title) and html.single_line(title, 120) == title),
        text=words.map(lambda text: html.clean(f"<p>{text}</p>")),
        price=some.none() | prices(),
        skills=some.lists(words.filter(bool), max_size=5, unique=True).map(tuple),
        remote=some.booleans(),
        place=words,
        start=some.none() | times,
        until=some.none() | times,
        state=states,
        published=some.none(),
        updated=some.none(),
    )
)
def test_what_we_write_we_read(proposal: Proposal) -> None:
    assert Proposal.read(Document(note(proposal))) == proposal


@pytest.mark.proves("P-222")
@given(hostile("id", "attributedTo", "purpose", "publishes", "reciprocal", "name", "content", "skill", "location"))
def test_any_json_is_an_offer_or_malformed(json: Json) -> None:
    for document in (Document(json), Document(note(CATALOGUE) | json)):
        try:
            Proposal.read(document)
        except ProtocolError:
            continue
