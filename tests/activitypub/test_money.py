"""Money on the wire."""

from __future__ import annotations

from decimal import Decimal

import pytest

from activitypub.errors import Malformed
from activitypub.money import CURRENCIES, Money, read_currency, read_quantity, write_currency, write_quantity


@pytest.mark.parametrize("code", sorted(CURRENCIES))
def test_a_currency_has_one_name_on_the_wire(code: str) -> None:
    assert read_currency(write_currency(code)) == code


@pytest.mark.proves("P-220")
def test_the_currencies_that_the_protocol_names_have_these_uris() -> None:
    written = [write_currency(code).rpartition("/")[2] for code in ("EUR", "USD", "GBP")]

    assert written == ["Q4916", "Q4917", "Q25224"]


def test_what_cannot_be_sent_is_refused() -> None:
    with pytest.raises(Malformed):
        write_currency("XXX")
    with pytest.raises(Malformed):
        write_quantity(Decimal(-1))
    with pytest.raises(Malformed):
        write_quantity(Decimal("NaN"))
    assert str(Money(Decimal("1200.50"), "EUR")) == "1,200.50 EUR"
    assert read_quantity(None) is None


@pytest.mark.proves("P-208", "P-222")
@pytest.mark.parametrize("value", ["1.5", 1.5])
def test_a_quantity_may_be_written_as_a_typed_value_of_json_ld(value: object) -> None:
    assert read_quantity({"type": "xsd:decimal", "@value": value}) == Decimal("1.5")


@pytest.mark.parametrize(
    "said", [{}, {"@value": None}, {"@value": "-1"}, {"@value": {"@value": "1"}}, {"@value": True}]
)
def test_a_typed_value_without_a_quantity_is_refused(said: object) -> None:
    with pytest.raises(Malformed):
        read_quantity(said)
