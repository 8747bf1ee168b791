"""Pictures and files that people here upload: kept under names of ours, shown to whoever may read what they belong to.

The law: a file is on the disk for good before the row that names it is committed, and nobody but its owner sees it
before it is attached to something.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import subprocess
import sys
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

import base58
from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from activitypub import html
from activitypub.document import Document
from activitypub.media import Kind
from activitypub.media import Media as Attachment
from activitypub.note import Note
from coop import access, pictures
from coop.errors import NotFound, Trouble
from coop.events import Departed, Erased, Shown, listens
from federation import ids
from federation.instance import Instance
from federation.prepared import Prepared
from federation.store import Transaction
from federation.tables import Object, Row, partial

MAX_FILE = 40 * 1024 * 1024  # octets
MAX_ALT = 1_500  # characters, as on Mastodon
MAX_ATTACHED = 16
DRAFT = timedelta(days=1)  # an upload that was attached to nothing by then is thrown away
PICTURES = ("image/png", "image/jpeg", "image/webp", "image/gif", "image/avif")
OCTETS = "application/octet-stream"

# What a file begins with, its type, and how its name ends; whatever else it is travels as octets.
_BEGINNINGS: tuple[tuple[re.Pattern[bytes], str, str], ...] = tuple(
    (re.compile(beginning, re.DOTALL), media_type, ending)
    for beginning, media_type, ending in (
        (rb"\x89PNG\r\n\x1a\n", "image/png", "png"),
        (rb"\xff\xd8\xff", "image/jpeg", "jpg"),
        (rb"RIFF....WEBP", "image/webp", "webp"),
        (rb"GIF8[79]a", "image/gif", "gif"),
        (rb"....ftypavi[fs]", "image/avif", "avif"),
        (rb"....ftyp(?:isom|iso[2-6]|mp4[12]|avc1|M4V |qt  )", "video/mp4", "mp4"),
        (rb"\x1aE\xdf\xa3", "video/webm", "webm"),
        (rb"....ftypM4A ", "audio/mp4", "m4a"),
        (rb"ID3|\xff[\xf3\xfb]", "audio/mpeg", "mp3"),
        (rb"OggS", "audio/ogg", "ogg"),
        (rb"fLaC", "audio/flac", "flac"),
        (rb"%PDF-", "application/pdf", "pdf"),
    )
)
_ENDINGS = {media_type: ending for _, media_type, ending in _BEGINNINGS}
_NAME = re.compile(r"[0-9a-f]{32}\.[a-z0-9]{2,4}")
_KINDS: dict[str, Kind] = {"image": "Image", "video": "Video", "audio": "Audio"}


class Media(Row):
    """A file that somebody here uploaded."""

    __tablename__ = "media"
    __table_args__ = (partial("uploaded", where="object IS NULL"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    owner: Mapped[str] = mapped_column(index=True)
    media_type: Mapped[str]
    filename: Mapped[str]  # what its owner called it
    alt: Mapped[str]
    width: Mapped[int]
    height: Mapped[int]
    size: Mapped[int]  # octets
    blurhash: Mapped[str]
    digest: Mapped[str]
    uploaded: Mapped[datetime]
    object: Mapped[int | None] = mapped_column(index=True, default=None)  # to which it is attached
    on_profile: Mapped[bool] = mapped_column(default=False)  # then everybody may see it

    @property
    def is_inline(self) -> bool:
        """Whether a browser may show it in a page; anything else is only to be saved (P-338)."""
        return self.media_type.partition("/")[0] in _KINDS


_FORGET = Prepared(delete(Media).where(Media.object == bindparam("of")))


@dataclass(frozen=True, slots=True)
class Stored:
    """A file that lies in its folder, before any row names it."""

    name: str
    media_type: str
    filename: str
    alt: str
    width: int
    height: int
    size: int
    blurhash: str
    digest: str  # multibase of a multihash (FEP-1311)


# --- Files, outside of transactions ------------------------------------------------------------------------------


def store_upload(folder: Path, data: bytes, filename: str, alt: str = "") -> Stored:
    """Write an upload into `folder`, pictures made anew. It takes a while: call it in a thread.

    Raise `Trouble` if it is too large, or a picture that cannot be read.
    """
    if not data:
        raise Trouble("the file is empty")
    if len(data) > MAX_FILE:
        raise Trouble("the file has more than %(most)s MB", most=MAX_FILE // 1024 // 1024)
    if len(alt) > MAX_ALT:
        raise Trouble("a description has up to %(most)s characters", most=MAX_ALT)
    media_type = _type_of(data)
    seen: dict[str, str | int] = {"width": 0, "height": 0, "blurhash": ""}
    if media_type in PICTURES:
        seen, data = _made_anew(data)
        media_type = str(seen["type"])
    name = _store(folder, data, media_type)
    multihash = b"\x12\x20" + hashlib.sha256(data).digest()
    return Stored(
        name=name,
        media_type=media_type,
        filename=html.single_line(filename.rpartition("/")[2], 200),
        alt=alt.strip(),
        width=int(seen["width"]),
        height=int(seen["height"]),
        size=len(data),
        blurhash=str(seen["blurhash"]),
        digest=f"z{base58.b58encode(multihash).decode()}",
    )


def store_picture(folder: Path, data: bytes, longest: int) -> tuple[str, str, int]:
    """Write a picture of others into `folder`, made anew with up to `longest` pixels on a side.

    Return its name, type and size in octets. It takes a while: call it in a thread. Raise `Trouble` if it is none.
    """
    if _type_of(data) not in PICTURES:
        raise Trouble("that is no picture")
    seen, data = _made_anew(data, longest)
    return _store(folder, data, str(seen["type"])), str(seen["type"]), len(data)


def _store(folder: Path, data: bytes, media_type: str) -> str:
    name = f"{secrets.token_hex(16)}.{_ENDINGS.get(media_type, 'bin')}"
    _write(folder, name, data)
    return name


def path(folder: Path, name: str) -> Path:
    """Where a file lies. Raise `NotFound` for any name that is not one of ours."""
    if not _NAME.fullmatch(name):
        raise NotFound("there is no such file")
    return folder / name


def url(home: str, name: str) -> str:
    return f"{home}/media/{name}"


def _type_of(data: bytes) -> str:
    """By what is in it; what its sender calls it does not count."""
    return next((kind for beginning, kind, _ in _BEGINNINGS if beginning.match(data)), OCTETS)


def _made_anew(data: bytes, longest: int = pictures.LONGEST) -> tuple[dict[str, str | int], bytes]:
    """A picture as `pictures` writes it, in a process of its own that may take little memory and time."""
    command = [sys.executable, "-I", str(pictures.__file__), str(longest)]
    try:
        done = subprocess.run(command, input=data, capture_output=True, timeout=60, check=False)  # noqa: S603 - our own
    except subprocess.TimeoutExpired as error:
        raise Trouble("this picture takes too long to read") from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise Trouble(said[-1] if said and done.returncode == 1 else "this picture takes more than a picture should")
    head, _, written = done.stdout.partition(b"\n")
    description: dict[str, str | int] = json.loads(head)
    return description, written


def _write(folder: Path, name: str, data: bytes) -> None:
    """Return once the file would survive a power cut."""
    folder.mkdir(parents=True, exist_ok=True)
    partial_file = folder / f"{name}.part"
    with partial_file.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    partial_file.replace(folder / name)
    directory = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


async def sweep(here: Instance, folder: Path) -> int:
    """Throw away uploads that were attached to nothing for a day, and files that no row names; return how many."""
    await here.store.write(_forget_drafts)
    before = (here.now() - DRAFT).timestamp()
    return await here.store.read(lambda db: _remove_nameless(db, folder, before))


def _remove_nameless(db: Session, folder: Path, before: float) -> int:
    old = [one for one in folder.glob("*") if one.is_file() and one.stat().st_mtime < before]
    nameless = [one for one in old if named(db, one.name) is None]
    for one in nameless:
        one.unlink(missing_ok=True)
    return len(nameless)


# --- Rows --------------------------------------------------------------------------------------------------------


def keep(tx: Transaction, owner: str, stored: Stored) -> Media:
    """Name a stored file as an upload of `owner`."""
    row = Media(id=ids.new(tx.now), owner=owner, uploaded=tx.now, **asdict(stored))
    tx.db.add(row)
    tx.db.flush()
    return row


def attach(tx: Transaction, owner: str, names: Sequence[str]) -> tuple[Attachment, ...]:
    """Uploads as the attachments of a post that is about to be published. Raise `NotFound` for another's, `Trouble`.

    Once the post is there, each file belongs to it, and whoever may read the one may read the other.
    """
    if len(names) > MAX_ATTACHED:
        raise Trouble("attach up to %(most)s files", most=MAX_ATTACHED)
    return tuple(_attachment(tx.home, _own(tx.db, owner, name)) for name in dict.fromkeys(names))


def drafts(db: Session, owner: str, names: Collection[str]) -> list[Media]:
    """Those of `names` that are uploads of `owner` and attached to nothing yet, in the order in which they came."""
    theirs = (Media.name.in_(names), Media.owner == owner, Media.object.is_(None), ~Media.on_profile)
    return list(db.scalars(select(Media).where(*theirs).order_by(Media.id)))


def describe(tx: Transaction, owner: str, name: str, alt: str) -> None:
    """Say what is to be seen. Raise `NotFound` for a file that is not theirs or is attached already, `Trouble`."""
    if len(alt) > MAX_ALT:
        raise Trouble("a description has up to %(most)s characters", most=MAX_ALT)
    _own(tx.db, owner, name).alt = alt.strip()
    tx.db.flush()


def use_for_profile(tx: Transaction, owner: str, name: str) -> str:
    """Let everybody see a picture. Raise `NotFound` for another's, `Trouble` for what is no picture."""
    row = _own(tx.db, owner, name)
    if not row.media_type.startswith("image/"):
        raise Trouble("that is no picture")
    row.on_profile = True
    tx.db.flush()
    return row.name


@listens(Shown)
def belong(tx: Transaction, event: Shown) -> None:
    """The files attached to a post of ours belong to it from now on."""
    if event.object.local and event.boosted_by is None:
        attached = [one.url for one in Note.read(Document(event.object.document)).attachments]
        names = [one.rpartition("/")[2] for one in attached if one.startswith(url(tx.home, ""))]
        theirs = (Media.name.in_(names), Media.owner == event.object.author, Media.object.is_(None))
        tx.db.execute(update(Media).where(*theirs).values(object=event.object.id))


@listens(Erased)
def forget_attached(tx: Transaction, event: Erased) -> None:
    """A file goes with its post; `sweep` removes it from the disk."""
    _FORGET.run(tx.db, of=event.object.id)


@listens(Departed)
def forget_all(tx: Transaction, event: Departed) -> None:
    tx.db.execute(delete(Media).where(Media.owner == event.actor))


def _forget_drafts(tx: Transaction) -> None:
    drafts = (Media.object.is_(None), ~Media.on_profile, Media.uploaded < tx.now - DRAFT)
    tx.db.execute(delete(Media).where(*drafts))


def named(db: Session, name: str) -> Media | None:
    return db.scalar(select(Media).where(Media.name == name))


def readable(db: Session, name: str, reader: str | None) -> Media:
    """The file of that name. Raise `NotFound` alike if there is none and if `reader` may not see it (P-318)."""
    row = named(db, name)
    if row is not None and (row.on_profile or (reader is not None and reader == row.owner)):
        return row
    attached = db.get(Object, row.object) if row is not None and row.object is not None else None
    if row is None or attached is None or attached.deleted or not access.may_read(db, attached, reader):
        raise NotFound("there is no such file")
    return row


def _own(db: Session, owner: str, name: str) -> Media:
    row = named(db, name)
    if row is None or row.owner != owner or row.object is not None:
        raise NotFound("there is no such upload of yours, or it is attached to something already")
    return row


def _attachment(home: str, row: Media) -> Attachment:
    return Attachment(
        url=url(home, row.name),
        kind=_KINDS.get(row.media_type.partition("/")[0], "Document"),
        media_type=row.media_type,
        alt=row.alt,
        width=row.width,
        height=row.height,
        size=row.size,
        blurhash=row.blurhash,
        digest=row.digest,
    )
