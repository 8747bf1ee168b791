"""A stream of bytes that only a passphrase opens: scrypt for the key, ChaCha20-Poly1305 for the pieces.

The law: nothing is handed on that was not authenticated, in its place, and a stream that was cut off is not whole.
Each piece has its number and whether it is the last one in its nonce (the STREAM construction of Hoang, Reyhanitabar,
Rogaway and Vizár, 2015), so pieces can be neither reordered nor left out.
"""

from __future__ import annotations

import io
import os
import struct
from typing import IO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from boxroom.settings import Wrong

MAGIC = b"boxroom backup 1\n"
PIECE = 64 * 1024  # octets of plain text in all pieces but the last
TAG = 16
COST, BLOCK, LANES = 2**16, 8, 1  # 64 MiB and a quarter of a second: a small machine can, a guesser has to
SHORTEST = 12  # characters of a passphrase

OTHER = "another passphrase opens it, or it is damaged; try the passphrase again, then the backup before this one"
CUT = "it is damaged or was cut short; copy it again from where it is whole, or take the backup before it"


class Sealer(io.RawIOBase):
    """Write plain text; what goes to `file` is sealed. Nothing is whole before `seal`."""

    def __init__(self, file: IO[bytes], passphrase: str) -> None:
        if len(passphrase) < SHORTEST:
            raise Wrong(f"a passphrase has {SHORTEST} characters or more: several random words are good")
        salt = os.urandom(16)
        file.write(MAGIC + salt)
        self._file, self._key, self._number, self._rest = file, _key(passphrase, salt), 0, bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: bytes, /) -> int:  # type: ignore[override]
        self._rest += data
        while len(self._rest) > PIECE:
            self._put(bytes(self._rest[:PIECE]), last=False)
            del self._rest[:PIECE]
        return len(data)

    def seal(self) -> None:
        """Write the last piece."""
        self._put(bytes(self._rest), last=True)

    def _put(self, piece: bytes, *, last: bool) -> None:
        self._file.write(self._key.encrypt(_nonce(self._number, last=last), piece, MAGIC))
        self._number += 1


class Opener(io.RawIOBase):
    """Read the plain text of what `Sealer` wrote. Raise `Wrong` for another passphrase, damage, or a cut."""

    def __init__(self, file: IO[bytes], passphrase: str) -> None:
        if file.read(len(MAGIC)) != MAGIC:
            raise Wrong("that is not a backup of Boxroom")
        self._file, self._key, self._number, self._rest = file, _key(passphrase, file.read(16)), 0, b""
        self._next = file.read(PIECE + TAG)
        if not self._next:
            raise Wrong(f"the backup cannot be read: {CUT}")

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        """Up to `size` octets, fewer only at the end; all that is left if `size` is negative."""
        while (size < 0 or len(self._rest) < size) and self._next:
            piece, self._next = self._next, self._file.read(PIECE + TAG)
            self._rest += self._open(piece)
        wanted = len(self._rest) if size < 0 else size
        found, self._rest = self._rest[:wanted], self._rest[wanted:]
        return found

    def _open(self, piece: bytes) -> bytes:
        try:
            plain = self._key.decrypt(_nonce(self._number, last=not self._next), piece, MAGIC)
        except InvalidTag as error:
            first = self._number == 0
            reason = OTHER if first else CUT
            raise Wrong(f"the backup cannot be read: {reason}") from error
        self._number += 1
        return plain


def _key(passphrase: str, salt: bytes) -> ChaCha20Poly1305:
    derived = Scrypt(salt=salt, length=32, n=COST, r=BLOCK, p=LANES).derive(passphrase.encode())
    return ChaCha20Poly1305(derived)


def _nonce(number: int, *, last: bool) -> bytes:
    return struct.pack(">3xQ?", number, last)  # the key is of this stream alone, for its salt is
