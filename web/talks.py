"""What two say to each other about an offer, with the terms that each of them proposed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy.orm import Session

from activitypub.agreement import Agreement
from coop import responses
from coop.offers import Offer
from coop.responses import Response
from web import moments, shown
from web.shown import Person


@dataclass(frozen=True, slots=True)
class Terms:
    """What would be done: how much of it, for how much money in all, by when; empty is what was left open."""

    number: str
    unit: str  # ``one`` for what is done once
    money: str
    due: datetime | None


@dataclass(frozen=True, slots=True)
class Said:
    """An answer to an offer, or to such an answer, as one of the two sees it."""

    uri: str
    by: Person
    text: str  # clean HTML
    made: datetime
    state: str
    reason: str
    is_mine: bool
    is_reply: bool  # by other software, which knows no terms
    terms: Terms | None
    agreement: str | None


@dataclass(frozen=True, slots=True)
class Left:
    """What an offer leaves to be agreed on, besides the day."""

    times: bool
    amount: bool


def left_open(offer: Offer) -> Left:
    price = offer.price
    if price is None:
        return Left(times=False, amount=False)
    return Left(times=price.per != "project", amount=price.exact is None)


def between(db: Session, offer: Offer, reader: str, home: str) -> list[Said]:
    """What `reader` and others said to each other, the first first."""
    rows = [one for one in db.scalars(responses.to_offer(offer.uri)) if reader in (one.by, one.to)]
    people = shown.people(db, {one.by for one in rows}, home)
    return [_said(one, people[one.by], reader, offer.currency) for one in reversed(rows)]


def terms_of(said: Agreement, currency: str | None) -> Terms:
    amount = said.reciprocal.value if said.reciprocal else Decimal(0)
    asked = "" if not amount else moments.money(amount, currency) if currency else f"{amount:f}"
    return Terms(f"{said.stipulates.value.normalize():f}", said.stipulates.unit, asked, said.stipulates.due)


def _said(row: Response, by: Person, reader: str, currency: str | None) -> Said:
    return Said(
        uri=row.uri,
        by=by,
        text=row.text,
        made=row.made,
        state=row.state,
        reason=row.reason,
        is_mine=row.by == reader,
        is_reply=row.via == "reply",
        terms=terms_of(row.proposed, currency) if row.terms else None,
        agreement=row.agreement,
    )
