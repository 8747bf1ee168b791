"""A program of its own, run by `coop.media`: reads a picture from others, writes the same picture made by us.

Nothing of the file survives but what it shows: no metadata, no second file hidden in it (P-338). It runs with little
memory, little time and no rights to more, because decoders of pictures have had every bug there is. It imports nothing
of ours, so that it starts fast; the server itself never loads an image library.

In: the file; as the argument, how many pixels a side may have. Out: a line of JSON with type, width, height and
blurhash, then the picture; or an exit status and a sentence on the error stream.
"""

from __future__ import annotations

import io
import json
import resource
import sys
import warnings
from typing import Any

MEMORY = 1 << 30  # octets of address space; a picture of MAX_PIXELS needs a quarter of it
SECONDS = 20  # of computing
MAX_PIXELS = 64_000_000  # of all frames together; the largest phone cameras have 50
MAX_FRAMES = 200
LONGEST = 4096  # pixels of a side at most; what is larger is made smaller
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "AVIF")  # others have decoders that nobody needs here
PREVIEW = 32  # pixels of a side, for the blurhash


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    data = sys.stdin.buffer.read()
    try:
        description, written = remake(data, int(sys.argv[1]))
    except Refused as error:
        sys.exit(str(error))
    except (OSError, ValueError, SyntaxError, MemoryError, ArithmeticError, LookupError, TypeError) as error:
        sys.exit(f"this picture cannot be read: {type(error).__name__}")
    sys.stdout.buffer.write(json.dumps(description).encode() + b"\n" + written)


class Refused(Exception):
    """The picture may be whole, but is not taken; the text says why."""


def remake(data: bytes, longest: int) -> tuple[dict[str, Any], bytes]:
    """What the picture is, and its new file. Raise `Refused`, or whatever the decoder raises."""
    from PIL import Image

    warnings.simplefilter("error", Image.DecompressionBombWarning)
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    try:
        picture = Image.open(io.BytesIO(data), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Refused("it has too many pixels") from error
    frames = getattr(picture, "n_frames", 1)
    if picture.width * picture.height * frames > MAX_PIXELS or frames > MAX_FRAMES:
        raise Refused("it has too many pixels")
    if frames > 1:
        return _animation(picture, longest)
    return _still(picture, longest)


def _still(picture: Any, longest: int) -> tuple[dict[str, Any], bytes]:
    from PIL import ImageOps

    kind = picture.format
    picture.draft("RGB", (longest, longest))
    shown = _plain(ImageOps.exif_transpose(picture), picture.info.get("icc_profile"))
    shown.thumbnail((longest, longest))
    options: dict[str, dict[str, Any]] = {
        "JPEG": {"format": "JPEG", "quality": 88, "optimize": True},
        "PNG": {"format": "PNG", "optimize": True},
        "GIF": {"format": "PNG", "optimize": True},
    }
    if kind == "JPEG":
        shown = shown.convert("RGB")
    return _written(shown, options.get(kind, {"format": "WEBP", "quality": 88}))


def _animation(picture: Any, longest: int) -> tuple[dict[str, Any], bytes]:
    from PIL import ImageSequence

    frames, durations = [], []
    for frame in ImageSequence.Iterator(picture):
        durations.append(max(20, int(frame.info.get("duration", 100))))
        one = frame.convert("RGBA")
        one.thumbnail((longest, longest))
        frames.append(one)
    rest = {"save_all": True, "append_images": frames[1:], "duration": durations, "loop": 0}
    return _written(frames[0], {"format": "WEBP", "quality": 80, **rest})


def _plain(picture: Any, profile: bytes | None) -> Any:
    """The pixels alone, in the colours that every screen assumes."""
    from PIL import ImageCms

    has_alpha = picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info
    shown = picture.convert("RGBA" if has_alpha else "RGB")
    if profile and picture.mode in ("RGB", "RGBA"):
        try:
            colours = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            shown = ImageCms.profileToProfile(shown, colours, ImageCms.createProfile("sRGB")) or shown
        except (ImageCms.PyCMSError, OSError):
            pass  # a broken profile; the colours are a little off then
    shown.info.clear()
    return shown


def _written(picture: Any, options: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    import blurhash  # type: ignore[import-untyped]

    file = io.BytesIO()
    picture.save(file, **options)
    small = picture.convert("RGB")
    small.thumbnail((PREVIEW, PREVIEW))
    across = small.width
    pixels = list(small.get_flattened_data())
    rows = [pixels[start : start + across] for start in range(0, len(pixels), across)]
    return {
        "type": f"image/{options['format'].lower()}",
        "width": picture.width,
        "height": picture.height,
        "blurhash": blurhash.encode(rows, min(4, across), min(3, len(rows))),
    }, file.getvalue()


if __name__ == "__main__":
    main()
