"""The archive that Mastodon makes of an account, a ``.zip`` or ``.tar.gz``: read where it lies, never unpacked.

The law: an archive is a stranger's word. Nothing of it is written anywhere under a name that it gives, no link in it is
followed, and no more of it is in memory at once than `MAX_READ`, whatever it says of itself or swells to.
"""

from __future__ import annotations

import codecs
import gzip
import json
import re
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Protocol, cast

from coop.errors import Trouble

CHUNK = 1 << 20  # octets
MAX_READ = 16 << 20  # octets asked for at once: of a .zip its table of contents, of a .tar a name
MAX_FILES = 200_000  # of a .tar; how many a .zip has, its table of contents bounds
MAX_NAME = 500  # characters
MAX_SWELLING = 100  # times its size; pictures do not get smaller when packed, and text does so twentyfold at most
MAX_ENTRY = 1 << 20  # characters of one post with all around it
SWOLLEN = "it claims a size that no such archive has"

_DAMAGED = (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError, LookupError)
_BOUNDED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # of all else `zipfile` unpacks as much as there is, at once
_SPACE = re.compile(r"[ \t\r\n]*")
_JSON = json.JSONDecoder()


class Archive(Protocol):
    """Files by the names by which posts call them, each with the place where it lies: nearer places are read sooner."""

    places: dict[str, int]

    def octets(self, name: str) -> Iterator[bytes]: ...

    def close(self) -> None: ...


def opened(file: Path, most: int = MAX_FILES) -> Archive | None:
    """The archive that `file` is by what is in it; ``None`` if it is none. Raise `Trouble` if it is damaged."""
    with file.open("rb") as octets:
        beginning = octets.read(512)
    size = file.stat().st_size
    with _understood():
        if beginning.startswith((b"PK\3\4", b"PK\5\6")):
            return _Zip(file.open("rb"), size)
        if beginning.startswith(b"\x1f\x8b"):
            return _Tar(lambda: cast(IO[bytes], gzip.open(file)), size, most)
        if beginning[257:262] == b"ustar":  # some browsers take the .gz off
            return _Tar(lambda: file.open("rb"), size, most)
        return None


def whole(archive: Archive, name: str, most: int) -> bytes:
    """A file of it. Raise `Trouble` if there is none or it is larger."""
    if name not in archive.places:
        raise Trouble("there is no %(name)s in it", name=name)
    data = bytearray()
    for chunk in archive.octets(name):
        data += chunk
        if len(data) > most:
            raise Trouble("%(name)s in it is larger than %(most)s MiB", name=name, most=most // 2**20)
    return bytes(data)


def entries(archive: Archive, name: str) -> Iterator[bytes]:
    """What a collection lists, one after the other, each as JSON: so it may be larger than the memory."""
    if name not in archive.places:
        raise Trouble("there is no %(name)s in it", name=name)
    text = _Text(archive.octets(name))
    if not text.takes("{"):
        raise Trouble("%(name)s in it is no list of posts", name=name)
    while json.loads(text.value()) != "orderedItems":
        text.requires(":")
        text.value()
        if not text.takes(","):
            return
    text.requires(":")
    text.requires("[")
    if not text.takes("]"):
        yield text.value().encode()
        while text.takes(","):
            yield text.value().encode()
        text.requires("]")


class _Text:
    """JSON as it comes, from which one value after the other is taken."""

    def __init__(self, octets: Iterator[bytes]) -> None:
        self.rest = codecs.iterdecode(octets, "utf-8-sig")
        self.text, self.at = "", 0

    def value(self) -> str:
        """Raise `Trouble` for what is no value, or larger than one may be."""
        self._skip(MAX_ENTRY)
        start = self.at
        try:
            _, self.at = _JSON.raw_decode(self.text, start)
        except (ValueError, RecursionError) as error:
            raise Trouble("what it lists cannot be read: it is damaged, or something in it is far too large") from error
        return self.text[start : self.at]

    def takes(self, sign: str) -> bool:
        """Whether that is what comes next; if so, it is passed."""
        self._skip(1)
        found = self.text.startswith(sign, self.at)
        self.at += found
        return found

    def requires(self, sign: str) -> None:
        if not self.takes(sign):
            raise Trouble("what it lists ends before its end: perhaps not all of it was downloaded")

    def _skip(self, needed: int) -> None:
        """Past all space, and have so much of what follows at hand, as far as there is any."""
        more: str | None = ""
        while more is not None:
            space = _SPACE.match(self.text, self.at)
            self.at = space.end() if space else self.at
            if len(self.text) - self.at >= needed:
                return
            with _understood():
                more = next(self.rest, None)
            self.text, self.at = self.text[self.at :] + (more or ""), 0


def called(name: str) -> str:
    """What a post calls the file at `name`: servers put different folders before, and people pack things anew."""
    _, folder, rest = name.rpartition("media_attachments/")
    return folder + rest if folder else name.rpartition("/")[2]


class _Zip:
    def __init__(self, octets: IO[bytes], size: int) -> None:
        self.close, self._most = octets.close, CHUNK + MAX_SWELLING * size
        try:
            self._zip = zipfile.ZipFile(cast(IO[bytes], _Sparing(octets)))
        except BaseException:
            octets.close()
            raise
        files = (one for one in self._zip.infolist() if not one.is_dir() and one.compress_type in _BOUNDED)
        self._infos = {called(one.filename): one for one in files}
        self.places = {name: one.header_offset for name, one in self._infos.items()}

    def octets(self, name: str) -> Iterator[bytes]:
        if self._infos[name].file_size > self._most:
            raise Trouble(SWOLLEN)
        with _understood(), self._zip.open(self._infos[name]) as file:
            while chunk := file.read(CHUNK):
                yield chunk


class _Tar:
    """A packed one can only be read forward: it is kept open where the last file ended, and posts have another hand."""

    def __init__(self, unpacked: Callable[[], IO[bytes]], size: int, most: int) -> None:
        self._unpacked, self._hands = unpacked, dict[bool, IO[bytes]]()
        self._sizes, self.places = dict[str, int](), dict[str, int]()
        with unpacked() as octets, tarfile.TarFile(fileobj=cast(IO[bytes], _Sparing(octets))) as tar:
            while (one := tar.next()) is not None:
                cast(Any, tar).members.clear()  # it would remember them all, which nobody needs
                if one.size < 0 or one.offset_data + one.size > CHUNK + MAX_SWELLING * size:
                    raise Trouble(SWOLLEN)
                if one.isreg() and not one.issparse() and len(one.name) <= MAX_NAME:
                    self.places[called(one.name)], self._sizes[called(one.name)] = one.offset_data, one.size
                if len(self.places) > most:
                    raise Trouble("it has more than %(most)s files", most=most)

    def octets(self, name: str) -> Iterator[bytes]:
        is_list = name.endswith(".json")
        if is_list not in self._hands:
            self._hands[is_list] = self._unpacked()
        file, left = self._hands[is_list], self._sizes[name]
        with _understood():
            file.seek(self.places[name])
            while left and (chunk := file.read(min(CHUNK, left))):
                left -= len(chunk)
                yield chunk

    def close(self) -> None:
        for hand in self._hands.values():
            hand.close()


class _Sparing:
    """A file of which nobody reads more than `MAX_READ` at once: both formats let an archive say how much."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.seek, self.tell, self.seekable, self.close = file.seek, file.tell, file.seekable, file.close

    def read(self, size: int = -1) -> bytes:
        if size > MAX_READ:
            raise Trouble(SWOLLEN)
        return self._file.read(MAX_READ if size < 0 else size)


@contextmanager
def _understood() -> Iterator[None]:
    try:
        yield
    except (*_DAMAGED, gzip.BadGzipFile) as error:
        raise Trouble("it is damaged: perhaps not all of it was downloaded; get it once more") from error
