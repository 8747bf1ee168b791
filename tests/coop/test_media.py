"""Uploads: made harmless, kept for good, and shown to whoever may read what they belong to."""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path
from typing import Any

import base58
import msgspec
import pytest
from PIL import Image
from sqlalchemy import select

from coop import media, pictures, posts
from coop.errors import NotFound, Trouble
from coop.media import Media
from federation.tables import Activity
from tests.coop.images import SECRET, bomb, lying_on_its_side, moving, picture, with_metadata
from tests.coop.neighbours import all_of, does, lives_at, neighbours
from tests.fediverse import Fediverse, Studio

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
PAGE = b"<!doctype html><script>alert(1)</script>"


async def uploads(studio: Studio, folder: Path, data: bytes, alt: str = "") -> Media:
    stored = media.store_upload(folder, data, "desk.png", alt)
    return await studio.does(lambda tx: media.keep(tx, studio.uri, stored))


async def posts_it(studio: Studio, *files: Media, **how: Any) -> str:
    def publish(tx: Any) -> str:
        attached = media.attach(tx, studio.uri, [one.name for one in files])
        return posts.publish(tx, studio.uri, posts.Draft("Look", attachments=attached, **how)).uri

    uri = await studio.does(publish)
    await studio.fediverse.settle()
    return uri


async def sees(studio: Studio, name: str, reader: str | None) -> bool:
    try:
        await studio.instance.store.read(lambda db: media.readable(db, name, reader))
    except NotFound:
        return False
    return True


# --- Files -------------------------------------------------------------------------------------------------------


@pytest.mark.proves("P-338")
@pytest.mark.parametrize(
    ("given", "becomes", "ending"),
    [
        ("PNG", "image/png", "png"),
        ("JPEG", "image/jpeg", "jpg"),
        ("WEBP", "image/webp", "webp"),
        ("GIF", "image/png", "png"),
        ("AVIF", "image/webp", "webp"),
    ],
)
def test_a_picture_is_made_anew(tmp_path: Path, given: str, becomes: str, ending: str) -> None:
    stored = media.store_upload(tmp_path, picture(given) + PAGE, "../../etc/desk.png", " A desk ")

    written = (tmp_path / stored.name).read_bytes()
    assert (stored.media_type, stored.name.rpartition(".")[2]) == (becomes, ending)
    assert (stored.width, stored.height, stored.size) == (64, 48, len(written))
    assert (stored.alt, stored.filename) == ("A desk", "desk.png")
    assert PAGE not in written
    assert len(stored.blurhash) > 6
    assert [one.name for one in tmp_path.iterdir()] == [stored.name]


@pytest.mark.proves("P-338")
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "AVIF"])
def test_a_picture_does_not_tell_where_it_was_taken(tmp_path: Path, kind: str) -> None:
    data = with_metadata(kind)
    assert SECRET in data

    stored = media.store_upload(tmp_path, data, "home.png")

    assert SECRET not in (tmp_path / stored.name).read_bytes()


def test_a_picture_stands_as_its_camera_held_it(tmp_path: Path) -> None:
    stored = media.store_upload(tmp_path, lying_on_its_side(), "desk.jpg")

    assert (stored.width, stored.height) == (48, 64)


def test_a_large_picture_is_made_smaller(tmp_path: Path) -> None:
    stored = media.store_upload(tmp_path, picture("PNG", (pictures.LONGEST + 400, 40)), "wide.png")

    assert stored.width == pictures.LONGEST


def test_a_moving_picture_goes_on_moving(tmp_path: Path) -> None:
    stored = media.store_upload(tmp_path, moving(5), "wave.gif")

    with Image.open(io.BytesIO((tmp_path / stored.name).read_bytes())) as image:
        assert (stored.media_type, image.n_frames) == ("image/webp", 5)  # type: ignore[attr-defined]


@pytest.mark.proves("P-338")
@pytest.mark.parametrize(
    "data",
    [
        bomb(30_000, 30_000),
        bomb(2**31 - 1, 1),
        bomb(7_000, 7_000),
        moving(pictures.MAX_FRAMES + 1),
        picture("PNG")[:60],
        b"\x89PNG\r\n\x1a\nnothing",
        b"\xff\xd8\xff",
        b"RIFF\x04\x00\x00\x00WEBP",
        b"",
    ],
    ids=["bomb", "line", "short", "film", "torn", "empty png", "empty jpeg", "empty webp", "empty"],
)
def test_what_is_made_to_harm_a_decoder_is_refused_and_leaves_nothing(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(Trouble):
        media.store_upload(tmp_path, data, "bomb.png")

    assert list(tmp_path.iterdir()) == []


@pytest.mark.proves("P-338")
def test_a_decoder_has_little_memory_and_time(tmp_path: Path) -> None:
    assert pictures.MEMORY <= 1 << 30
    assert pictures.SECONDS <= 20
    with pytest.raises(Trouble):
        media.store_upload(tmp_path, b"GIF89a" + bytes(media.MAX_FILE), "large.gif")


@pytest.mark.proves("P-338")
@pytest.mark.parametrize(
    ("data", "media_type", "is_inline"),
    [
        (SVG, "application/octet-stream", False),
        (PAGE, "application/octet-stream", False),
        (b"PK\x03\x04", "application/octet-stream", False),
        (b"%PDF-1.7", "application/pdf", False),
        (b"ID3\x04", "audio/mpeg", True),
        (b"\x00\x00\x00 ftypisom", "video/mp4", True),
    ],
)
async def test_other_files_are_kept_as_what_they_are_and_only_sounds_and_films_are_shown(
    fediverse: Fediverse, tmp_path: Path, data: bytes, media_type: str, is_inline: bool
) -> None:
    attic = await fediverse.studio("attic")

    row = await uploads(attic, tmp_path, data)

    assert (row.media_type, row.is_inline) == (media_type, is_inline)
    assert (tmp_path / row.name).read_bytes() == data
    assert not row.name.endswith((".svg", ".html"))


@pytest.mark.proves("P-338")
@pytest.mark.parametrize("name", ["../settings.toml", "/etc/passwd", "a.png", "", f"{'0' * 32}.png/..", f"{'0' * 32}."])
def test_only_names_of_ours_lead_to_files(tmp_path: Path, name: str) -> None:
    with pytest.raises(NotFound):
        media.path(tmp_path, name)

    assert media.path(tmp_path, f"{'0' * 32}.png").parent == tmp_path


@pytest.mark.proves("P-214")
def test_a_file_is_named_by_its_digest_as_fep_1311_says(tmp_path: Path) -> None:
    stored = media.store_upload(tmp_path, b"%PDF-1.7", "cv.pdf")

    assert stored.digest.startswith("zQm")
    assert base58.b58decode(stored.digest[1:])[2:] == hashlib.sha256(b"%PDF-1.7").digest()


# --- Attached ----------------------------------------------------------------------------------------------------


@pytest.mark.proves("P-211", "P-214")
async def test_a_picture_travels_with_all_that_other_servers_show(fediverse: Fediverse, tmp_path: Path) -> None:
    attic, _ = await neighbours(fediverse)
    row = await uploads(attic, tmp_path, picture("PNG"), "My desk")

    await posts_it(attic, row)

    [body] = await all_of(attic, select(Activity.body).where(Activity.type == "Create"))
    assert msgspec.json.decode(body)["object"]["attachment"] == [
        {
            "type": "Image",
            "mediaType": "image/png",
            "url": f"https://attic.example/media/{row.name}",
            "name": "My desk",
            "width": 64,
            "height": 48,
            "size": row.size,
            "blurhash": row.blurhash,
            "digestMultibase": row.digest,
        }
    ]


@pytest.mark.proves("P-318")
async def test_the_file_of_a_private_post_is_for_its_readers(fediverse: Fediverse, tmp_path: Path) -> None:
    attic, shop = await neighbours(fediverse)
    barn = await fediverse.studio("barn")
    row = await uploads(attic, tmp_path, picture("PNG"))
    before = [await sees(attic, row.name, reader) for reader in (attic.uri, shop.uri, None)]

    await posts_it(attic, row, visibility="followers")

    assert before == [True, False, False]
    assert [await sees(attic, row.name, reader) for reader in (attic.uri, shop.uri, barn.uri, None)] == [
        True,
        True,
        False,
        False,
    ]


async def test_the_file_of_a_public_post_is_for_all_until_it_is_deleted(fediverse: Fediverse, tmp_path: Path) -> None:
    attic, _ = await neighbours(fediverse)
    row = await uploads(attic, tmp_path, picture("PNG"))
    uri = await posts_it(attic, row)
    before = await sees(attic, row.name, None)

    await does(attic, posts.delete, uri)

    assert before
    assert not await sees(attic, row.name, None)
    assert not await sees(attic, row.name, attic.uri)


@pytest.mark.proves("P-318")
async def test_nobody_attaches_the_file_of_another_or_one_file_twice(fediverse: Fediverse, tmp_path: Path) -> None:
    attic = await fediverse.studio("attic")
    second = await lives_at(attic, "cy")
    row = await uploads(attic, tmp_path, picture("PNG"))

    with pytest.raises(NotFound):
        await attic.does(lambda tx: media.attach(tx, second, [row.name]))
    await posts_it(attic, row, visibility="followers")
    with pytest.raises(NotFound):
        await posts_it(attic, row)
    with pytest.raises(Trouble):
        await attic.does(lambda tx: media.attach(tx, attic.uri, ["x"] * (media.MAX_ATTACHED + 1)))


async def test_a_description_can_be_given_before_it_is_attached(fediverse: Fediverse, tmp_path: Path) -> None:
    attic = await fediverse.studio("attic")
    row = await uploads(attic, tmp_path, picture("PNG"))

    await attic.does(lambda tx: media.describe(tx, attic.uri, row.name, "My desk"))
    await posts_it(attic, row)

    assert [one.alt for one in await attic.knows(Media)] == ["My desk"]
    with pytest.raises(NotFound):
        await attic.does(lambda tx: media.describe(tx, attic.uri, row.name, "Not mine any more"))
    with pytest.raises(Trouble):
        await attic.does(lambda tx: media.describe(tx, attic.uri, row.name, "x" * (media.MAX_ALT + 1)))


async def test_what_nobody_attached_is_thrown_away_after_a_day_and_nothing_else(
    fediverse: Fediverse, tmp_path: Path
) -> None:
    attic, folder = await fediverse.studio("attic"), tmp_path / "media"
    draft, kept = await uploads(attic, folder, picture("PNG")), await uploads(attic, folder, picture("PNG"))
    await posts_it(attic, kept)
    nameless = media.store_upload(folder, b"%PDF-1.7", "cv.pdf")
    for file in folder.iterdir():
        os.utime(file, (fediverse.now.timestamp(), fediverse.now.timestamp()))

    at_once = await media.sweep(attic.instance, folder)
    fediverse.later(hours=25)
    later = await media.sweep(attic.instance, folder)

    assert (at_once, later) == (0, 2)
    assert (folder / kept.name).exists()
    assert not (folder / draft.name).exists()
    assert not (folder / nameless.name).exists()
