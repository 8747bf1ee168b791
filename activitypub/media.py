"""Images, sounds and films: all that the ``attachment`` of a note ever carries (P-211, P-214)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal, Self

from activitypub import html
from activitypub.document import Document, Json

Kind = Literal["Image", "Video", "Audio", "Document"]

_KINDS: dict[str, Kind] = {"Image": "Image", "Video": "Video", "Audio": "Audio", "Document": "Document"}
_BLURHASH = re.compile(r"[0-9A-Za-z#$%*+,\-.:;=?@\[\]^_{|}~]{6,120}")
_MAX_ALT = 5_000


@dataclass(frozen=True, slots=True)
class Media:
    """One file by its address. Width and height in pixels, size in octets, 0 where unknown.

    `focus` is the point to keep when cropping, from the centre, each in -1…1; read, but never written, because what we
    sign has no floats (P-082).
    """

    url: str
    kind: Kind
    media_type: str = ""
    alt: str = ""
    width: int = 0
    height: int = 0
    size: int = 0
    blurhash: str = ""
    digest: str = ""  # multibase, FEP-1311
    focus: tuple[float, float] | None = None

    @classmethod
    def read(cls, document: Document) -> Self | None:
        """``None`` for what is no media, such as a ``Link`` or an object that somebody else keeps in ``attachment``."""
        kind = next((_KINDS[one] for one in document.types if one in _KINDS), None)
        source = document.embedded("url") or document
        url = html.safe_url(source.uri("href") or source.uri("url"))
        if kind is None or url is None:
            return None
        media_type = html.single_line(source.text("mediaType") or document.text("mediaType"), 100).lower()
        blurhash = document.text("blurhash")
        return cls(
            url=url,
            kind=_KINDS.get(media_type.partition("/")[0].title(), kind),
            media_type=media_type,
            alt=(document.text("name") or html.plain(document.text("summary")))[:_MAX_ALT],
            width=document.number("width"),
            height=document.number("height"),
            size=document.number("size"),
            blurhash=blurhash if _BLURHASH.fullmatch(blurhash) else "",
            digest=html.single_line(document.text("digestMultibase"), 200),
            focus=_focus(document.get("focalPoint")),
        )

    def write(self) -> Json:
        """As Mastodon keeps it and FEP-1311 describes it."""
        written: Json = {"type": self.kind, "mediaType": self.media_type, "url": self.url, "name": self.alt}
        known: Json = {"width": self.width, "height": self.height, "size": self.size}
        known |= {"blurhash": self.blurhash, "digestMultibase": self.digest}
        return written | {name: value for name, value in known.items() if value}


def _focus(value: Any) -> tuple[float, float] | None:
    if not isinstance(value, list) or len(value) != 2:
        return None
    x, y = (one if isinstance(one, int | float) and -1 <= one <= 1 else None for one in value)
    return None if x is None or y is None else (float(x), float(y))
