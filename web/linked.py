"""What a page says, once more for programs that look for schema.org in it: JSON-LD, as data that no browser runs.

Nothing is said here that the page does not show, and only what still holds: an endorsement that was taken back is not
among the reviews.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from activitypub import html
from activitypub.actor import Actor as Profile
from activitypub.document import Json, timestamp
from activitypub.proposal import Price, Proposal
from web.shown import Card, Person, Seal

CONTEXT = "https://schema.org"
LONGEST = 1_000  # characters of a description
ORGANISED = ("Organization", "Group")
_UNITS = {"hour": "HUR", "day": "DAY"}  # UN/CEFACT


def graph(*things: Json) -> Json:
    return {"@context": CONTEXT, "@graph": [*things]}


def profile(person: Person, said: Profile, links: Iterable[str], cards: Iterable[Card], seals: Iterable[Seal]) -> Json:
    """Somebody with what they can do, what they offer, and what others say of it."""
    whole = {
        **named(person, said.type),
        "description": _plain(said.summary),
        "image": person.picture.url if person.picture else None,
        "knowsAbout": [*said.skills],
        "address": said.place,
        "sameAs": sorted(links),
    }
    offers = (offer(one, is_whole=False) for one in cards)
    return graph(_full(whole), *offers, *(review(one) for one in seals if one.holds))


def named(person: Person, kind: str = "Person") -> Json:
    is_organised = kind in ORGANISED
    named = {"@id": person.uri, "name": person.name, "url": person.url, "identifier": f"@{person.address}"}
    return {"@type": "Organization" if is_organised else "Person", **named}


def offer(card: Card, *, is_whole: bool = True) -> Json:
    """An offer, or what is looked for, which schema.org calls a demand."""
    said = card.proposal
    by = named(card.author) if is_whole else {"@id": card.author.uri}
    found = {
        "@type": "Offer" if said.purpose == "offer" else "Demand",
        "@id": card.url,
        "url": card.url,
        "name": said.title,
        "description": _plain(said.text) if is_whole else "",
        "offeredBy" if said.purpose == "offer" else "seller": by,
        "availability": f"{CONTEXT}/{'InStock' if card.is_open else 'SoldOut'}",
        "areaServed": said.place,
        "validFrom": _time(said.start),
        "validThrough": _time(said.until),
        "priceSpecification": _price(said),
    }
    return _full(found)


def review(seal: Seal) -> Json:
    """An endorsement that holds."""
    found = {
        "@type": "Review",
        "@id": seal.page or seal.said.id,
        "url": seal.page,
        "name": ", ".join(seal.said.skills),
        "reviewBody": _plain(seal.said.text),
        "datePublished": _time(seal.said.published),
        "author": named(seal.endorser),
        "itemReviewed": named(seal.subject),
    }
    return _full(found)


def project(person: Person, summary: str, members: Iterable[Person]) -> Json:
    known = {**named(person, "Group"), "description": _plain(summary), "member": [named(one) for one in members]}
    return graph(_full(known))


def _price(said: Proposal) -> Json | None:
    price: Price | None = said.price
    if price is None or (price.least is None and price.most is None):
        return None
    found: Json = {
        "@type": "UnitPriceSpecification",
        "priceCurrency": price.currency,
        "unitCode": _UNITS.get(price.per),
    }
    if price.exact:
        return _full({**found, "price": f"{price.least:f}"})
    least, most = (f"{one:f}" if one is not None else None for one in (price.least, price.most))
    return _full({**found, "minPrice": least, "maxPrice": most})


def _plain(words: str) -> str:
    return html.plain(words)[:LONGEST]


def _time(moment: datetime | None) -> str | None:
    return timestamp(moment) if moment else None


def _full(found: Json) -> Json:
    """Without what is empty."""
    return {name: value for name, value in found.items() if value not in (None, "", [])}
