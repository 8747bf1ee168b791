"""What an offer asks to be promised, and whether an agreement promises just that (P-225)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from activitypub.agreement import Agreement, Clause
from activitypub.document import Document
from activitypub.errors import Malformed
from activitypub.money import read_quantity
from activitypub.proposal import read_unit

UNNAMED = Decimal(0)  # the amount of what is still to be talked about


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants otherwise than the offer has it, as far as it leaves that open.

    `amount` is the money in all, `times` how many hours, days or pieces, `due` by when.
    """

    amount: Decimal | None = None
    times: Decimal | None = None
    due: datetime | None = None


AS_OFFERED = Wish()


def proposed(offer: Document, author: str, text: str, wish: Wish = AS_OFFERED) -> Agreement:
    """The agreement of somebody who answers an offer on its own terms, or as they `wish`. `text` is clean HTML.

    Where the offer leaves the amount open, it is the least that the offer names, else the most, else `UNNAMED`. Raise
    `Malformed` for money where the offer asks for none; whether the amounts fit otherwise is for `check`.
    """
    primary, reciprocal = _asked(offer)
    if wish.amount is not None and reciprocal is None:
        raise Malformed("this offer is for no money")
    times = Decimal(1) if wish.times is None else wish.times
    work = replace(primary, value=primary.value * times, due=wish.due)
    if reciprocal:
        amount = reciprocal.value * times if wish.amount is None else wish.amount
        reciprocal = replace(reciprocal, value=amount)
    return Agreement(author, work, reciprocal, text)


def check(offer: Document, agreement: Agreement) -> None:
    """Raise `Malformed` unless the agreement has the clauses and units of the offer, and amounts as it allows.

    The same amounts for a fixed price, one whole multiple of both for a rate (``unitBased``), any if it says neither.
    """
    primary, reciprocal = _asked(offer)
    pairs = [(agreement.stipulates, primary)]
    if (agreement.reciprocal is None) != (reciprocal is None):
        raise Malformed("the agreement has a reciprocal clause if, and only if, the offer has")
    if agreement.reciprocal and reciprocal:
        pairs.append((agreement.reciprocal, reciprocal))
    if any((said.satisfies, said.unit) != (asked.satisfies, asked.unit) for said, asked in pairs):
        raise Malformed("each clause satisfies its intent, in the same unit")
    if not offer.has("unitBased"):
        return
    times = agreement.stipulates.value if offer.flag("unitBased") else Decimal(1)
    if times < 1 or times % 1:
        raise Malformed("the amounts are whole multiples of those in the offer")
    if any(said.value != asked.value * times for said, asked in pairs):
        raise Malformed("the amounts are those in the offer, or the same multiple of each")


def _asked(offer: Document) -> tuple[Clause, Clause | None]:
    """What would satisfy the intents of an offer, once for each unit. Raise `Malformed` if it is no offer."""
    publishes, reciprocal = offer.embedded("publishes"), offer.embedded("reciprocal")
    if publishes is None:
        raise Malformed("an offer publishes something")
    return _clause(publishes, Decimal(1)), _clause(reciprocal, UNNAMED) if reciprocal else None


def _clause(intent: Document, otherwise: Decimal) -> Clause:
    quantity = intent.embedded("resourceQuantity")
    named = [quantity.get("hasNumericalValue") if quantity else None, intent.get("minimum"), intent.get("maximum")]
    amount = next((read_quantity(value) for value in named if value is not None), otherwise)
    return Clause(intent.id, otherwise if amount is None else amount, read_unit(intent))
