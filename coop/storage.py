"""What takes room on the disk, by kind: for whoever has to buy another one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from coop.mailboxes import Held
from coop.media import Media

Kind = Literal["database", "image", "video", "audio", "file", "mail"]
_SIZES = {
    "sqlite": "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
    "postgresql": "SELECT pg_database_size(current_database())",
}


@dataclass(frozen=True, slots=True)
class Shelf:
    """All of one kind. Mail that is held for others lies in the database, too."""

    kind: Kind
    octets: int


def shelves(db: Session) -> list[Shelf]:
    """The database and what has been uploaded, the largest first; then what is held for those who sleep."""
    octets = Counter[Kind]({"database": _database(db)})
    for media_type, size in db.execute(select(Media.media_type, func.sum(Media.size)).group_by(Media.media_type)):
        octets[_kind(media_type)] += int(size)
    held = int(db.scalar(select(func.sum(Held.size))) or 0)
    return [*(Shelf(kind, size) for kind, size in octets.most_common()), *([Shelf("mail", held)] if held else [])]


def _kind(media_type: str) -> Kind:
    match media_type.partition("/")[0]:
        case "image" | "video" | "audio" as kind:
            return kind
        case _:
            return "file"


def _database(db: Session) -> int:
    return int(db.scalar(text(_SIZES[db.get_bind().dialect.name])) or 0)
