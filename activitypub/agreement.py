"""What somebody who answers an offer would do, and for what: FEP-0837's agreement as proposed and as made (P-225)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Self

from activitypub import html
from activitypub.document import Document, Json
from activitypub.errors import Malformed
from activitypub.money import read_quantity, write_quantity
from activitypub.origin import origin
from activitypub.proposal import PRIMARY, RECIPROCAL, read_unit


@dataclass(frozen=True, slots=True)
class Commitment:
    """So much of what the intent `satisfies` names; `unit` is as short as the offer has it: ``one``, ``hour``."""

    satisfies: str
    value: Decimal
    unit: str


@dataclass(frozen=True, slots=True)
class Agreement:
    """One side's work, `stipulates`, and the other's money, if any. Without `id` it is only proposed."""

    author: str
    stipulates: Commitment
    reciprocal: Commitment | None = None
    text: str = ""  # clean HTML
    id: str | None = None

    @classmethod
    def read(cls, document: Document) -> Self:
        """Raise `Malformed` unless it says what would be done, in amounts that can be read."""
        stipulates = document.embedded("stipulates")
        if stipulates is None:
            raise Malformed("an agreement stipulates something")
        reciprocal = document.embedded("stipulatesReciprocal")
        return cls(
            author=document.require("attributedTo"),
            stipulates=_commitment(stipulates),
            reciprocal=_commitment(reciprocal) if reciprocal else None,
            text=html.clean(document.text("content")),
            id=html.safe_url(document.uri("id")),
        )

    def write(self) -> Json:
        """The object of an ``Offer``, or the result of its ``Accept``, in which everything has an id (P-226)."""
        written: Json = {
            "type": "Agreement",
            "attributedTo": self.author,
            "stipulates": _written(self.stipulates, self.id and self.id + PRIMARY),
        }
        if self.reciprocal:
            written["stipulatesReciprocal"] = _written(self.reciprocal, self.id and self.id + RECIPROCAL)
        found = {"id": self.id, "content": self.text}
        return {name: value for name, value in found.items() if value} | written


def _commitment(document: Document) -> Commitment:
    satisfies, unit = document.require("satisfies"), read_unit(document)
    origin(satisfies)
    quantity = document.embedded("resourceQuantity")
    value = read_quantity(quantity.get("hasNumericalValue")) if quantity else None
    if value is None:
        raise Malformed("a commitment says how much")
    return Commitment(satisfies, value, unit)


def _written(commitment: Commitment, uri: str | None) -> Json:
    quantity = {"hasUnit": commitment.unit, "hasNumericalValue": write_quantity(commitment.value)}
    written: Json = {"type": "Commitment", "satisfies": commitment.satisfies, "resourceQuantity": quantity}
    return {"id": uri, **written} if uri else written
