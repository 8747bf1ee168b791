"""The box where one writes: what stands in it, and the files that lie beside it, before it is said."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy.orm import Session
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from activitypub.audience import Visibility
from activitypub.media import Media as Attached
from coop import media
from coop.errors import Trouble
from coop.media import Media
from coop.posts import Draft
from federation.instance import Instance
from federation.store import Transaction
from web import documents
from web.languages import N_
from web.once import new_key
from web.session import text

AUDIENCES: dict[Visibility, str] = {
    "public": N_("Everybody"),
    "unlisted": N_("Everybody, quietly"),
    "followers": N_("Those who follow me"),
    "direct": N_("Only those I name"),
}
IN_PROJECT: dict[Visibility, str] = {
    "project": N_("Everybody in the project"),
    "public": N_("Everybody, in the project’s name"),
}
_FIELDS = ("text", "warning", "visibility", "reply_to", "project", "changes", "who", "to")
ASK = N_("say what is to be seen, for those who do not see it, and say it then")  # of files that came with the words
MAX_FORM = media.MAX_FILE + 1024 * 1024  # octets, of one with files


@dataclass(frozen=True, slots=True)
class File:
    """An upload that is attached to nothing yet."""

    name: str
    filename: str
    alt: str
    is_picture: bool

    @classmethod
    def of(cls, row: Media, alt: str | None = None) -> File:
        return cls(row.name, row.filename, row.alt if alt is None else alt, row.media_type.startswith("image/"))


@dataclass(frozen=True, slots=True)
class Words:
    """What stands in the box: nothing, or what was typed, how it will look, and why it was not said."""

    text: str = ""
    warning: str = ""
    visibility: str = "public"
    reply_to: str = ""
    project: str = ""
    changes: str = ""  # the post that these words are to replace
    who: str = ""  # of a letter: the people between whom it goes, as `correspondence.circle` has them
    to: str = ""  # of the first one: their addresses
    files: tuple[File, ...] = ()
    trouble: str = ""
    preview: str = ""  # HTML

    @property
    def audiences(self) -> dict[Visibility, str]:
        return IN_PROJECT if self.project else AUDIENCES

    @property
    def key(self) -> str:
        """Another one for each form, by which it is known if it is sent twice."""
        return new_key()

    @property
    def draft(self) -> Draft:
        """Raise `Trouble` if it is for nobody who could be meant."""
        if (visibility := next((one for one in self.audiences if one == self.visibility), None)) is None:
            raise Trouble("choose for whom it is")
        return Draft(self.text, visibility, self.warning.strip(), self.reply_to or None, project=self.project or None)


async def words_of(request: Request, author: str, sent: FormData) -> Words:
    """What was sent with the box; files that were chosen and not yet uploaded are stored now.

    Raise `Trouble` for a file that cannot be one, with nothing of it stored.
    """
    here: Instance = request.scope["instance"]
    names = [one for one in sent.getlist("file") if isinstance(one, str)]
    typed = {name: text(sent, name) for name in _FIELDS}
    words = Words(**typed)  # type: ignore[arg-type]
    if names:
        words = replace(words, files=await here.store.read(lambda db: files(db, author, names, sent)))
    return words


def files(db: Session, author: str, names: Sequence[str], sent: FormData | None = None) -> tuple[File, ...]:
    """Their uploads of those names that are attached to nothing, described as in the form that was `sent`."""
    found = media.drafts(db, author, names[: media.MAX_ATTACHED])
    return tuple(File.of(one, text(sent, f"alt-{one.name}") if sent else None) for one in found)


async def upload(request: Request, author: str, sent: FormData) -> tuple[File, ...]:
    """Store the files that were sent. Raise `Trouble` for one that cannot be; those before it are kept."""
    here: Instance = request.scope["instance"]
    folder: Path | None = request.scope["media"]
    chosen = [one for one in sent.getlist("upload") if isinstance(one, UploadFile) and one.filename]
    if folder is None:
        if chosen:
            raise HTTPException(404, documents.NOT_HERE)
        return ()
    stored = []
    for one in chosen:
        data, filename = await one.read(), one.filename or ""
        file = await asyncio.to_thread(media.store_upload, folder, data, filename)
        stored.append(File.of(await here.store.write(lambda tx, file=file: media.keep(tx, author, file))))  # type: ignore[misc]
    return tuple(stored)


def attached(tx: Transaction, author: str, words: Words) -> Draft:
    """What stands in the box, to be published with its files. Raise `Trouble`, `NotFound` for a file of another."""
    return replace(words.draft, attachments=beside(tx, author, words))


def beside(tx: Transaction, author: str, words: Words) -> tuple[Attached, ...]:
    """The files beside the words, attached and described. Raise `Trouble`, `NotFound` for a file of another."""
    for one in words.files:
        media.describe(tx, author, one.name, one.alt)
    return media.attach(tx, author, [one.name for one in words.files])
