"""Work offered or wanted: FEP-0837's proposal, laid flat on a note that every server shows (P-200, P-220 to P-222)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from html import escape
from typing import Final, Literal, Self
from urllib.parse import quote, urlsplit

from activitypub import html, note
from activitypub.document import Document, Json, timestamp
from activitypub.errors import Malformed
from activitypub.money import Money, read_currency, read_quantity, write_currency, write_quantity
from activitypub.origin import origin

Purpose = Literal["offer", "request"]
State = Literal["open", "filled", "withdrawn"]
Unit = Literal["project", "day", "hour"]

MAX_TITLE = 120  # characters (P-220)
MAX_SKILLS = 20
MAX_NAME = 100  # characters of a skill or place
PRIMARY: Final = "#primary"
RECIPROCAL: Final = "#reciprocal"

_UNITS: Final[dict[str, Unit]] = {"one": "project", "day": "day", "hour": "hour"}
_SPELLED: Final[dict[Unit, str]] = {unit: name for name, unit in _UNITS.items()}
_PREFIX = re.compile(r"^(?:om2:|vf:|box:|https?://[^\s]*[/#])")
_NOT_WORD = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Price:
    """What the work costs: in all, or `per` day or hour; from `least` to `most`, of which either may be open.

    An exact price has them equal. Only that one is ``hasNumericalValue`` on the wire, with ``unitBased`` for a rate.
    A range is negotiable for FEP-0837, which has a single number: ``unitBased`` and the number are left out, and our
    own ``minimum`` and ``maximum`` (``box:``) stand beside the currency; with neither, all is to be negotiated.
    """

    currency: str
    least: Decimal | None = None
    most: Decimal | None = None
    per: Unit = "project"

    @property
    def exact(self) -> Money | None:
        return Money(self.least, self.currency) if self.least is not None and self.least == self.most else None

    def __str__(self) -> str:
        rate = "" if self.per == "project" else f" per {self.per}"
        if self.exact:
            return f"{self.exact}{rate}"
        match self.least, self.most:
            case None, None:
                return f"negotiable, in {self.currency}{rate}"
            case Decimal() as least, None:
                return f"from {Money(least, self.currency)}{rate}"
            case None, Decimal() as most:
                return f"up to {Money(most, self.currency)}{rate}"
            case least, most:
                return f"{least:,f} to {most:,f} {self.currency}{rate}"


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the wire says of an offer. `purpose` is seen from its author: ``offer`` gives work, ``request`` needs it.

    `text` is clean HTML: of what others sent, the whole content of their note; of ours, what the author wrote.
    """

    id: str
    author: str
    purpose: Purpose
    title: str
    text: str = ""
    price: Price | None = None  # none for a favour or barter
    skills: tuple[str, ...] = ()
    remote: bool = False
    place: str = ""
    start: datetime | None = None
    until: datetime | None = None
    state: State = "open"
    published: datetime | None = None
    updated: datetime | None = None

    @classmethod
    def read(cls, document: Document) -> Self:
        """Raise `Malformed` unless it is an offer as P-222 has it; then it is an ordinary note to us."""
        if not is_proposal(document):
            raise Malformed("an offer has purpose and publishes")
        author, publishes = note.author(document), _intent(document, "publishes")
        text = html.clean(document.text("content"))
        title = document.text("name") or html.plain(text)
        skills = (html.single_line(one, MAX_NAME) for one in document.strings("skill")[:MAX_SKILLS])
        place = document.embedded("location")
        return cls(
            id=document.id,
            author=author,
            purpose=_purpose(document),
            title=html.single_line(title, MAX_TITLE),
            text=text,
            price=_price(document, publishes),
            skills=tuple(dict.fromkeys(one for one in skills if one)),
            remote=document.flag("remote"),
            place=html.single_line(place.text("name") if place else document.text("location"), MAX_NAME),
            start=document.time("startTime"),
            until=document.time("endTime"),
            state=_state(document, publishes),
            published=document.time("published"),
            updated=document.time("updated"),
        )

    def write(self) -> Json:
        """What makes a note an offer, to be laid on the note (P-220); the note brings everything else.

        Raise `Malformed` for a currency without a name on the wire, and amounts that nobody could read.
        """
        unit = _SPELLED[self.price.per if self.price else "project"]
        written: Json = {
            "name": self.title,
            "purpose": self.purpose,
            "publishes": {
                "id": self.id + PRIMARY,
                "type": "Intent",
                "action": "deliverService",
                **({"resourceConformsTo": skill_uri(self._home, self.skills[0])} if self.skills else {}),
                "resourceQuantity": {"hasUnit": unit, "hasNumericalValue": "1"},
                "availableQuantity": {"hasUnit": unit, "hasNumericalValue": "1" if self.state == "open" else "0"},
            },
            "skill": [*self.skills],
            "remote": self.remote,
            "offerState": self.state,
        }
        if self.price:
            written |= _written_price(self.price, self.id)
        if self.place:
            written["location"] = {"type": "Place", "name": self.place}
        times = {"startTime": self.start, "endTime": self.until}
        return written | {name: timestamp(moment) for name, moment in times.items() if moment}

    def content(self, page: str) -> str:
        """The note's HTML, to be understood without our software: title, words, facts, a link to `page`, hashtags.

        A state other than open is its first word, so that whoever follows from elsewhere sees it in the edit (P-221).
        """
        word = "" if self.state == "open" else f"{self.state.upper()}: "
        shown = escape(page.partition("://")[2])
        facts = f'{escape(self.facts())} <a href="{escape(page)}">{shown}</a>'
        tags = " ".join(_written_hashtag(one, self._home) for one in self.hashtags)
        parts = [f"<p><strong>{word}{escape(self.title)}</strong></p>{self.text}", f"<p>{facts}</p>"]
        return "".join([*parts, f"<p>{tags}</p>"] if tags else parts)

    def facts(self) -> str:
        """Money, place and time in one line of plain text."""
        where = [*(["remote"] if self.remote else []), *([self.place] if self.place else [])]
        facts = [
            f"{'Budget' if self.purpose == 'request' else 'Price'} {self.price}" if self.price else "A favour or swap",
            *([" or ".join(where)] if where else []),
            *([f"from {_day(self.start)}"] if self.start else []),
            *([f"apply until {_day(self.until)}"] if self.until else []),
        ]
        return f"{', '.join(facts)}."

    @property
    def hashtags(self) -> tuple[str, ...]:
        """The skills as words without spaces, for the ``tag`` of the note."""
        return tuple(dict.fromkeys(one for skill in self.skills if (one := _NOT_WORD.sub("", skill).lower())))

    def is_open(self, now: datetime) -> bool:
        """Past `until` an offer has expired, whatever it says."""
        return self.state == "open" and (self.until is None or now < self.until)

    @property
    def _home(self) -> str:
        return "{0.scheme}://{0.netloc}".format(urlsplit(self.id))


def is_proposal(document: Document) -> bool:
    """By what it has; its type decides nothing (P-209)."""
    return document.has("purpose") and document.embedded("publishes") is not None


def skill_uri(home: str, skill: str) -> str:
    """Where a skill without a better-known URI is described; `home` is an origin (P-220)."""
    return f"{home}/skills/{quote(_NOT_WORD.sub('-', skill.lower()).strip('-'))}"


def read_unit(counted: Document) -> str:
    """The short name of the unit in which an intent or commitment is counted. Raise `Malformed` if it has none."""
    quantity = counted.embedded("resourceQuantity")
    name = _PREFIX.sub("", quantity.uri("hasUnit") or "") if quantity else ""
    if not name:
        raise Malformed("intents and commitments have resourceQuantity with hasUnit")
    return name


def _intent(document: Document, name: str) -> Document:
    intent = document.embedded(name)
    if intent is None or not intent.has("action"):
        raise Malformed(f"{name} of an offer is an intent with an action")
    if origin(intent.id) != origin(document.id):
        raise Malformed("the intents of an offer live on its own server")
    read_unit(intent)
    _value(intent, "resourceQuantity")
    _value(intent, "availableQuantity")
    return intent


def _value(intent: Document, name: str) -> Decimal | None:
    quantity = intent.embedded(name)
    return read_quantity(quantity.get("hasNumericalValue")) if quantity else None


def _purpose(document: Document) -> Purpose:
    match _PREFIX.sub("", document.uri("purpose") or ""):
        case "offer":
            return "offer"
        case "request":
            return "request"
    raise Malformed("the purpose of an offer is offer or request")


def _state(document: Document, publishes: Document) -> State:
    """Whoever says nothing of it is open as long as something is available; an unknown state is not open."""
    match _PREFIX.sub("", document.uri("offerState") or ""):
        case "open":
            return "open"
        case "filled":
            return "filled"
        case "":
            return "filled" if _value(publishes, "availableQuantity") == 0 else "open"
        case _:
            return "withdrawn"


def _price(document: Document, publishes: Document) -> Price | None:
    """None if money is not the answer, or in a currency or unit that we could only guess at."""
    if not document.has("reciprocal"):
        return None
    reciprocal = _intent(document, "reciprocal")
    value, (least, most) = _value(reciprocal, "resourceQuantity"), _range(reciprocal)
    currency = read_currency(reciprocal.uri("resourceConformsTo"))
    is_total = document.has("unitBased") and not document.flag("unitBased")
    per = "project" if is_total else _UNITS.get(read_unit(publishes))
    if currency is None or per is None:
        return None
    return Price(currency, least, most, per) if value is None else Price(currency, value, value, per)


def _range(reciprocal: Document) -> tuple[Decimal | None, Decimal | None]:
    least, most = read_quantity(reciprocal.get("minimum")), read_quantity(reciprocal.get("maximum"))
    if least is not None and most is not None and least > most:
        raise Malformed("the minimum of a price is above its maximum")
    return least, most


def _written_price(price: Price, uri: str) -> Json:
    exact = price.exact
    quantity = {"hasUnit": "one"} | ({"hasNumericalValue": write_quantity(exact.amount)} if exact else {})
    limits = {} if exact else {"minimum": price.least, "maximum": price.most}
    reciprocal = {
        "id": uri + RECIPROCAL,
        "type": "Intent",
        "action": "transfer",
        "resourceConformsTo": write_currency(price.currency),
        "resourceQuantity": quantity,
        **{name: write_quantity(limit) for name, limit in limits.items() if limit is not None},
    }
    return {"reciprocal": reciprocal} | ({"unitBased": price.per != "project"} if exact else {})


def _written_hashtag(name: str, home: str) -> str:
    return f'<a href="{home}/tags/{quote(name)}" class="mention hashtag" rel="tag">#<span>{escape(name)}</span></a>'


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y}"
