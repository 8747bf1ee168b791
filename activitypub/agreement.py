"""What somebody who answers an offer would do, and for what: FEP-0837's agreement as proposed and as made (P-225)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Self

from activitypub import html
from activitypub.document import Document, Json, timestamp
from activitypub.errors import Forbidden, Malformed
from activitypub.money import read_quantity, write_quantity
from activitypub.origin import origin
from activitypub.proposal import PRIMARY, RECIPROCAL, read_unit


@dataclass(frozen=True, slots=True)
class Clause:
    """So much of what the intent `satisfies` names, by when; `unit` is as short as the offer has it: ``one``, ``hour``.

    On the wire it is a ``Commitment``; that of a project, which somebody made to somebody, is another thing.
    """

    satisfies: str
    value: Decimal
    unit: str
    due: datetime | None = None


@dataclass(frozen=True, slots=True)
class Agreement:
    """One side's work, `stipulates`, and the other's money, if any. Without `id` it is only proposed."""

    author: str
    stipulates: Clause
    reciprocal: Clause | None = None
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
            stipulates=_clause(stipulates),
            reciprocal=_clause(reciprocal) if reciprocal else None,
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


def check_signed(offered: Document, accepted: Document) -> Agreement:
    """What two parties agreed on: the one's ``Offer`` of it, and the other's ``Accept`` with the finished agreement.

    Raise `Forbidden` unless the one answers the other, was for whoever accepts, and promises the same (P-226). That
    each is proven by its own actor has to be checked besides.
    """
    made, proposed = accepted.embedded("result"), offered.embedded("object")
    if (offered.type, accepted.type) != ("Offer", "Accept") or made is None or proposed is None:
        raise Forbidden("an agreement is an Offer of it, and an Accept with it as the result")
    if accepted.uris("object") != (offered.id,):
        raise Forbidden("the Accept answers another Offer")
    by = accepted.require("actor")
    if by not in offered.uris("to") or by == offered.require("actor"):
        raise Forbidden("the Accept is by somebody to whom this was not offered")
    agreement = Agreement.read(made)
    if agreement.author != by or agreement.id is None or origin(agreement.id) != origin(by):
        raise Forbidden("an agreement is new, and its author's who accepts it")
    if not are_same(agreement, Agreement.read(proposed)):
        raise Forbidden("the agreement is not what was proposed")
    return agreement


def are_same(made: Agreement, proposed: Agreement) -> bool:
    """Whether both promise the same, whoever wrote them down; what is `made` may leave out the dates (FEP-0837)."""
    pairs = ((made.stipulates, proposed.stipulates), (made.reciprocal, proposed.reciprocal))
    return all(_is_same(one, other) for one, other in pairs)


def _is_same(made: Clause | None, proposed: Clause | None) -> bool:
    if made is None or proposed is None:
        return made is proposed
    amounts = (made.satisfies, made.value, made.unit) == (proposed.satisfies, proposed.value, proposed.unit)
    return amounts and made.due in (None, proposed.due)


def _clause(document: Document) -> Clause:
    satisfies, unit = document.require("satisfies"), read_unit(document)
    origin(satisfies)
    quantity = document.embedded("resourceQuantity")
    value = read_quantity(quantity.get("hasNumericalValue")) if quantity else None
    if value is None:
        raise Malformed("a commitment says how much")
    return Clause(satisfies, value, unit, document.time("endTime"))


def _written(clause: Clause, uri: str | None) -> Json:
    quantity = {"hasUnit": clause.unit, "hasNumericalValue": write_quantity(clause.value)}
    written: Json = {"type": "Commitment", "satisfies": clause.satisfies, "resourceQuantity": quantity}
    if clause.due:
        written["endTime"] = timestamp(clause.due)
    return {"id": uri, **written} if uri else written
