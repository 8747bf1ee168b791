from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from activitypub.document import Document
from activitypub.media import Media
from tests.activitypub.documents import SCHEMES, hostile

IMAGE = Media(
    url="https://ada.example/media/x.webp",
    kind="Image",
    media_type="image/webp",
    alt="alt text",
    width=1200,
    height=800,
    size=81234,
    blurhash="UBL_:rOpGG-oBUNG,qRj2so|=eE1w^n4S5NH",
    digest="zQmVm2NjMCsrzFWFRbhQJ",
)


@pytest.mark.proves("P-214", "P-211")
def test_media_are_written_as_the_protocol_shows_them() -> None:
    assert IMAGE.write() == {
        "type": "Image",
        "mediaType": "image/webp",
        "url": "https://ada.example/media/x.webp",
        "name": "alt text",
        "width": 1200,
        "height": 800,
        "blurhash": "UBL_:rOpGG-oBUNG,qRj2so|=eE1w^n4S5NH",
        "size": 81234,
        "digestMultibase": "zQmVm2NjMCsrzFWFRbhQJ",
    }
    assert replace(IMAGE, width=0, height=0, size=0, blurhash="", digest="").write().keys() == {
        *("type", "mediaType", "url", "name"),
    }


@pytest.mark.proves("P-082")
def test_what_we_sign_has_no_floats_in_it() -> None:
    assert not [one for one in replace(IMAGE, focus=(0.5, 0.5)).write().values() if isinstance(one, float | list)]


@pytest.mark.proves("P-214")
def test_media_that_we_write_we_read() -> None:
    assert Media.read(Document(IMAGE.write())) == IMAGE


@pytest.mark.proves("P-110")
@pytest.mark.parametrize(
    ("json", "expected"),
    [
        (
            {"type": "Document", "mediaType": "image/png", "url": "https://a.example/x", "name": None},
            Media("https://a.example/x", "Image", "image/png"),
        ),
        (
            {"type": "Document", "url": [{"type": "Link", "href": "https://a.example/x", "mediaType": "audio/ogg"}]},
            Media("https://a.example/x", "Audio", "audio/ogg"),
        ),
        ({"type": "Image", "url": "https://a.example/x"}, Media("https://a.example/x", "Image")),
        ({"type": "Image", "href": "https://a.example/x"}, Media("https://a.example/x", "Image")),
        (
            {
                "type": "Document",
                "mediaType": "application/pdf",
                "url": "https://a.example/x",
                "name": "<b>A</b>\nfile",
            },
            Media("https://a.example/x", "Document", "application/pdf", "<b>A</b>\nfile"),
        ),
        (
            {"type": "Image", "url": "https://a.example/x", "focalPoint": [1, -0.5], "width": -3, "height": "4"},
            Media("https://a.example/x", "Image", height=4, focus=(1.0, -0.5)),
        ),
        ({"type": "Image", "url": "https://a.example/x", "focalPoint": [7, 0]}, Media("https://a.example/x", "Image")),
        ({"type": "Image", "url": "https://a.example/x", "blurhash": "'><"}, Media("https://a.example/x", "Image")),
    ],
)
def test_media_come_in_many_forms(json: dict[str, Any], expected: Media) -> None:
    assert Media.read(Document(json)) == expected


@pytest.mark.proves("P-314")
@pytest.mark.parametrize("url", [*SCHEMES, None, 7])
def test_media_without_a_web_address_are_none(url: object) -> None:
    assert Media.read(Document({"type": "Image", "url": url})) is None


@pytest.mark.parametrize("kind", ["Link", "PropertyValue", "Proposal", None, 7])
def test_what_else_is_attached_is_no_media(kind: object) -> None:
    assert Media.read(Document({"type": kind, "url": "https://a.example/x"})) is None


@given(hostile("type", "url", "href", "mediaType", "name", "focalPoint", "width", "blurhash"))
def test_any_json_is_media_or_none(json: dict[str, Any]) -> None:
    media = Media.read(Document(json))

    assert media is None or Media.read(Document(media.write())) is not None
