"""Pictures as cameras, programs and enemies make them."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

from PIL import Image, PngImagePlugin

SECRET = b"52.5200N 13.4050E"  # where somebody lives


def picture(kind: str, size: tuple[int, int] = (64, 48), **options: Any) -> bytes:
    """A picture with a gradient in it, in the format that Pillow calls `kind`."""
    image = Image.new("RGB", size)
    image.putdata([(x * 255 // size[0], y * 255 // size[1], 128) for y in range(size[1]) for x in range(size[0])])
    if kind == "GIF":
        image = image.convert("P")
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def with_metadata(kind: str) -> bytes:
    """A picture that tells where it was taken."""
    if kind == "PNG":
        said = PngImagePlugin.PngInfo()
        said.add_text("Comment", SECRET.decode())
        return picture(kind, pnginfo=said)
    exif = Image.Exif()
    exif[0x010E] = SECRET.decode()
    return picture(kind, exif=exif.tobytes())


def lying_on_its_side() -> bytes:
    """A picture of 64 by 48 that its camera says is to be turned."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return picture("JPEG", exif=exif.tobytes())


def moving(frames: int, size: tuple[int, int] = (16, 16)) -> bytes:
    """A picture that moves; no two frames are alike."""
    made = [Image.new("RGB", size, (number * 97 % 256, number * 59 % 256, number)) for number in range(frames)]
    file = io.BytesIO()
    made[0].save(file, "GIF", save_all=True, append_images=made[1:], duration=50)
    return file.getvalue()


def bomb(width: int, height: int) -> bytes:
    """A few octets that say they are a picture of many pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
