"""What an offer asks for and what an agreement promises, one against the other."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as some

from activitypub.agreement import Agreement, are_same
from activitypub.document import Document, Json
from activitypub.errors import Malformed, ProtocolError
from activitypub.proposal import Price, Proposal
from coop import terms

URI, ADA, BO = "https://attic.example/offers/1", "https://attic.example/actors/1", "https://shop.example/actors/1"


def offer(price: Price | None) -> Document:
    said = Proposal(URI, ADA, "request", "A catalogue", price=price)
    return Document({"id": URI, "type": "Note", "attributedTo": ADA, **said.write()})


PRICES = [
    None,
    Price("EUR"),
    Price("EUR", Decimal(5)),
    Price("EUR", None, Decimal(9)),
    Price("EUR", Decimal(5), Decimal(9), "day"),
    Price("EUR", Decimal("5.50"), Decimal("5.50")),
    Price("EUR", Decimal(0), Decimal(0), "hour"),
]


@pytest.mark.proves("P-225")
@pytest.mark.parametrize("price", PRICES)
def test_whoever_answers_an_offer_on_its_terms_promises_what_it_asks(price: Price | None) -> None:
    asked = offer(price)

    agreement = terms.proposed(asked, BO, "<p>Yes.</p>")

    terms.check(asked, agreement)
    assert (agreement.author, agreement.text, agreement.id) == (BO, "<p>Yes.</p>", None)
    assert (agreement.reciprocal is None) == (price is None)


@pytest.mark.proves("P-225")
@pytest.mark.parametrize(
    ("price", "work", "money", "fits"),
    [
        (Price("EUR", Decimal(50), Decimal(50), "hour"), "3", "150", True),
        (Price("EUR", Decimal(50), Decimal(50), "hour"), "3", "100", False),
        (Price("EUR", Decimal(50), Decimal(50), "hour"), "1.5", "75", False),
        (Price("EUR", Decimal(50), Decimal(50), "hour"), "0", "0", False),
        (Price("EUR", Decimal(50), Decimal(50)), "1", "50.00", True),
        (Price("EUR", Decimal(50), Decimal(50)), "2", "100", False),
        (Price("EUR"), "7", "0.5", True),
    ],
)
def test_amounts_are_equal_multiples_or_free(price: Price, work: str, money: str, fits: bool) -> None:
    asked = offer(price)
    written = terms.proposed(asked, BO, "").write()
    written["stipulates"]["resourceQuantity"]["hasNumericalValue"] = work
    written["stipulatesReciprocal"]["resourceQuantity"]["hasNumericalValue"] = money
    agreement = Agreement.read(Document(written))

    if fits:
        terms.check(asked, agreement)
    else:
        with pytest.raises(Malformed, match="amounts"):
            terms.check(asked, agreement)


def test_two_agreements_are_the_same_by_what_they_promise() -> None:
    asked = offer(Price("EUR"))
    one, other = terms.proposed(asked, BO, "Yes."), terms.proposed(asked, ADA, "")
    dearer = terms.proposed(offer(Price("EUR", Decimal(1), Decimal(1))), BO, "Yes.")

    assert (are_same(one, other), are_same(one, dearer)) == (True, False)


said = some.recursive(
    some.none()
    | some.booleans()
    | some.integers()
    | some.floats()
    | some.text(max_size=9)
    | some.just(f"{URI}#primary"),
    lambda inner: (
        some.lists(inner, max_size=2)
        | some.dictionaries(
            some.sampled_from(["satisfies", "resourceQuantity", "hasUnit", "hasNumericalValue", "id", "minimum"]), inner
        )
    ),
    max_leaves=8,
)
names = some.sampled_from(
    ["attributedTo", "stipulates", "stipulatesReciprocal", "publishes", "reciprocal", "unitBased"]
)


@given(some.dictionaries(names, said), some.sampled_from(PRICES))
def test_whatever_is_proposed_fits_or_is_refused(json: Json, price: Price | None) -> None:
    with suppress(ProtocolError):
        terms.check(offer(price), Agreement.read(Document(json)))
    with suppress(ProtocolError):
        terms.proposed(Document(json), BO, "")
