"""Polls: what makes a ``Question`` of a note (P-127)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from activitypub import html
from activitypub.document import Document, Json, timestamp

MAX_OPTIONS = 500  # P-111


@dataclass(frozen=True, slots=True)
class Poll:
    """The options, each with its votes so far; `ends` is when it closes or has closed."""

    options: tuple[tuple[str, int], ...]
    multiple: bool = False
    ends: datetime | None = None
    closed: bool = False
    voters: int = 0

    @classmethod
    def read(cls, document: Document) -> Self | None:
        """``None`` of what has no options."""
        multiple = bool(document.get("anyOf"))
        options = [_option(one) for one in document.embeddeds("anyOf" if multiple else "oneOf")][:MAX_OPTIONS]
        if not options:
            return None
        return cls(
            options=tuple(options),
            multiple=multiple,
            ends=document.time("closed") or document.time("endTime"),
            closed=document.flag("closed") or document.time("closed") is not None,
            voters=document.number("votersCount"),
        )

    def write(self) -> Json:
        """The properties that a ``Question`` has beyond those of a note."""
        options = [
            {"type": "Note", "name": name, "replies": {"type": "Collection", "totalItems": votes}}
            for name, votes in self.options
        ]
        times = {"endTime": timestamp(self.ends)} if self.ends else {}
        closed = {"closed": timestamp(self.ends)} if self.ends and self.closed else {}
        return {("anyOf" if self.multiple else "oneOf"): options, "votersCount": self.voters, **times, **closed}


def _option(document: Document) -> tuple[str, int]:
    replies = document.embedded("replies")
    return html.single_line(document.text("name"), 500), replies.number("totalItems") if replies else 0
