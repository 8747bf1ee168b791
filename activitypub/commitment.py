"""What one member of a project says they will do for another, by when, and that it is done (FEP-c5a1, P-265).

Both are objects of Valueflows with a proof of their own, exact to the byte: whoever signs one in turn embeds it whole,
so that the two signatures are under the same words. So neither ever changes; a new version names the `previous` one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final, Self

import msgspec

from activitypub import html
from activitypub.document import Document, Json, timestamp
from activitypub.errors import Forbidden, Malformed
from activitypub.money import read_quantity, write_quantity
from activitypub.origin import origin, owner
from activitypub.proof import check_sole_form, hash_of
from activitypub.statement import only

MAX_SIZE = 12_000  # octets, as JSON: whoever signs it in turn sends it whole
MAX_TEXT = 6_000  # characters of HTML
HOUR: Final = "hour"


@dataclass(frozen=True, slots=True)
class Commitment:
    """`provider` will do `text` for `receiver` until `due`; `author` is the one of the two who says so first.

    `previous` is the hash of the version that this one is to replace, `agreement` what it comes from.
    """

    id: str
    author: str
    project: str
    provider: str
    receiver: str
    text: str  # clean HTML
    published: datetime | None = None
    due: datetime | None = None
    hours: Decimal | None = None
    previous: str | None = None
    agreement: str | None = None

    @classmethod
    def read(cls, document: Document) -> Self:
        """Raise `Malformed` unless it says who owes what to whom, `Forbidden` if its author is neither of them."""
        author, project = _author(document), _project(document)
        provider, receiver = _parties(document, author)
        text = html.clean(document.text("content")[:MAX_TEXT])
        if not html.single_line(html.plain(text), MAX_TEXT):
            raise Malformed("a commitment says in its content what is to be done")
        due = document.time("endTime")
        if document.has("endTime") and due is None:
            raise Malformed("endTime is not a time")
        return cls(
            id=document.id,
            author=author,
            project=project,
            provider=provider,
            receiver=receiver,
            text=text,
            published=document.time("published"),
            due=due,
            hours=_hours(document),
            previous=next(iter(document.strings("previous")), None),
            agreement=html.safe_url(document.uri("clauseOf")),
        )

    def write(self) -> Json:
        """What lacks only the context and its author's proof."""
        found = {
            "content": self.text,
            "endTime": timestamp(self.due) if self.due else None,
            "effortQuantity": _quantity(self.hours) if self.hours is not None else None,
            "previous": self.previous,
            "clauseOf": self.agreement,
        }
        return _written(self, "Commitment") | {name: value for name, value in found.items() if value}

    @property
    def other(self) -> str:
        """Whose signature makes it count."""
        return self.receiver if self.author == self.provider else self.provider


@dataclass(frozen=True, slots=True)
class Fulfilment:
    """That a commitment was kept: as its provider says, or as its receiver does, whose word it is that counts.

    `shown` is the author's consent to its being shown to everybody; of several by one author the last counts.
    """

    id: str
    author: str
    project: str
    provider: str
    receiver: str
    commitment: str
    text: str = ""  # clean HTML
    published: datetime | None = None
    shown: bool = False

    @classmethod
    def read(cls, document: Document) -> Self:
        """Raise as `Commitment.read` does."""
        author, project = _author(document), _project(document)
        provider, receiver = _parties(document, author)
        return cls(
            id=document.id,
            author=author,
            project=project,
            provider=provider,
            receiver=receiver,
            commitment=only(document, "fulfills"),
            text=html.clean(document.text("content")[:MAX_TEXT]),
            published=document.time("published"),
            shown=document.flag("discoverable"),
        )

    def write(self) -> Json:
        found = {"fulfills": self.commitment, "finished": True, "discoverable": self.shown}
        return _written(self, "EconomicEvent") | found | ({"content": self.text} if self.text else {})


def is_commitment(document: Document) -> bool:
    """By what it has; its type decides nothing (P-209)."""
    return document.has("provider") and document.has("receiver") and not document.has("fulfills")


def is_fulfilment(document: Document) -> bool:
    """ForgeFed's ``Grant`` has ``fulfills``, too, but no provider."""
    return document.has("fulfills") and document.has("provider")


def _written(said: Commitment | Fulfilment, kind: str) -> Json:
    other = said.receiver if said.author == said.provider else said.provider
    written = {
        "id": said.id,
        "type": kind,
        "attributedTo": said.author,
        "context": said.project,
        "audience": said.project,
        "to": [said.project, other],
        "provider": said.provider,
        "receiver": said.receiver,
    }
    return written | ({"published": timestamp(said.published)} if said.published else {})


def _author(document: Document) -> str:
    """Whose word it is without a doubt, on whose server it lives, and in the one form of which there is a hash."""
    author = only(document, "attributedTo")
    if owner(document) != author or origin(document.id) != origin(author):
        raise Forbidden(f"{document.id} is not on the server of its author")
    if len(msgspec.json.encode(document.json)) > MAX_SIZE:
        raise Malformed(f"a commitment takes up to {MAX_SIZE:,} octets")
    check_sole_form(document.json)
    hash_of(document.json)
    return author


def _project(document: Document) -> str:
    project = only(document, "context")
    if document.uris("audience") != (project,):
        raise Malformed("what is for a project's members has the project as its audience and its context")
    return project


def _parties(document: Document, author: str) -> tuple[str, str]:
    provider, receiver = only(document, "provider"), only(document, "receiver")
    if provider == receiver:
        raise Malformed("a commitment is made by one to another")
    if author not in (provider, receiver):
        raise Forbidden("a commitment is between its author and one other")
    return provider, receiver


def _hours(document: Document) -> Decimal | None:
    """How long it takes, if that is counted in hours."""
    quantity = document.embedded("effortQuantity")
    if quantity is None or not (quantity.uri("hasUnit") or "").endswith(HOUR):
        return None
    return read_quantity(quantity.get("hasNumericalValue"))


def _quantity(hours: Decimal) -> Json:
    return {"hasUnit": HOUR, "hasNumericalValue": write_quantity(hours)}
