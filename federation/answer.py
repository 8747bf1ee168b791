"""What other servers answer: read within limits, believed only with the right content type.

Unreachable     asking again later may work
└── Refused     it answered, but not to us or not with a document (.status)
Gone            there is nothing (.status is 404 or 410)
"""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterable, Mapping
from dataclasses import dataclass
from email.message import Message

from activitypub.errors import Malformed
from activitypub.sentence import Sentence, Telling
from federation.guard import Limits

AS2 = "https://www.w3.org/ns/activitystreams"
GONE = frozenset({404, 410})


class Unreachable(Telling):
    """The other server cannot be asked now; asking again later may work. `reason` is a sentence for operators."""

    @property
    def reason(self) -> str:
        return str(self)


class Refused(Unreachable):
    """The other server answered, but not to us, not now, or not with a document."""

    def __init__(self, words: str, status: int, /, **parts: object) -> None:
        super().__init__(words, **parts)
        self.status = status


class Gone(Telling):
    """There is nothing at that address: no longer (410), or not that we may know of (404)."""

    def __init__(self, words: str, status: int, /, **parts: object) -> None:
        super().__init__(words, **parts)
        self.status = status

    @property
    def reason(self) -> str:
        return str(self)


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]  # names in lower case; several lines of one name are joined by ", "
    body: bytes  # decompressed
    url: str  # where it came from, after redirects

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    def document_body(self) -> bytes:
        """The body of a fetched document.

        Raise `Gone`, `Refused` unless the status is 200, and `Malformed` unless its type is one of ActivityStreams:
        a file that somebody uploaded there, or a page, is nobody's word (P-300).
        """
        said = Sentence("%(url)s answers %(status)s", url=self.url, status=self.status)
        if self.status in GONE:
            raise Gone(said, self.status)
        if self.status != 200:
            raise Refused(said, self.status)
        if not is_activity_type(kind := self.headers.get("content-type", "")):
            raise Malformed("%(url)s is %(what)s, not ActivityStreams", url=self.url, what=kind[:100] or "of no type")
        return self.body


def is_activity_type(content_type: str) -> bool:
    """Whether a ``Content-Type`` is ActivityStreams': its own, or JSON-LD with its profile (P-172, P-300)."""
    message = Message()
    message["content-type"] = content_type
    try:
        essence, profile = message.get_content_type(), message.get_param("profile", "")
    except (ValueError, IndexError):  # the standard library's, for parameters that are encoded oddly
        return False
    profiles = profile.split() if isinstance(profile, str) else ()
    return essence == "application/activity+json" or (essence == "application/ld+json" and AS2 in profiles)


async def read_head(chunks: AsyncIterable[bytes], most: int) -> bytes:
    """The first `most` octets; whatever follows is not even read."""
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        if len(body) >= most:
            break
    return bytes(body[:most])


async def read_all(chunks: AsyncIterable[bytes], encoding: str, limits: Limits) -> bytes:
    """The whole body, decompressed while it comes.

    Raise `Malformed` as soon as it is larger than `limits.document` or grows by more than `limits.ratio`, and for any
    encoding but gzip, which is the only one that we ask for (P-172, P-310).
    """
    if encoding not in ("", "identity", "gzip", "x-gzip"):
        raise Malformed("the content encoding %(encoding)s is not gzip", encoding=repr(encoding[:50]))
    unzip = zlib.decompressobj(16 + zlib.MAX_WBITS) if "gzip" in encoding else None
    body, received = bytearray(), 0
    async for chunk in chunks:
        received += len(chunk)
        body += _unzipped(unzip, chunk, limits.document + 1 - len(body)) if unzip else chunk
        if len(body) > min(limits.document, received * limits.ratio):
            raise Malformed(
                "the body is larger than %(document)s octets, or compressed beyond belief", document=limits.document
            )
    if unzip and received and not unzip.eof:
        raise Malformed("the body ends in the middle of its compression")
    return bytes(body)


def _unzipped(unzip: zlib._Decompress, chunk: bytes, most: int) -> bytes:
    try:
        return unzip.decompress(chunk, most)
    except zlib.error as error:
        raise Malformed("the body is not what gzip writes") from error
