"""Uploads: who may see them, and that a browser runs nothing of them."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from activitypub.audience import Visibility
from coop import blocks
from tests.fediverse import Fediverse
from tests.web.uploads import attaches, picture, uploads
from tests.web.visitors import BROWSER, PROGRAM, ask, ask_literally, neighbours

SCRIPT = b'<html><script>alert(1)</script></html>{"@context":"https://www.w3.org/ns/activitystreams","type":"Person"}'

WAYS_OUT = ["../app.py", "%2e%2e/app.py", "..%2fapp.py", "%2e%2e%2fapp.py", "%2E%2E%2Fapp.py", "%252e%252e%252fapp.py"]
WAYS_OUT += ["{inside}/..", "{inside}/../../app.py", "{inside}%2f..%2f..%2fapp.py", "{inside}%00", "%00", "a.png"]
WAYS_OUT += ["..", "%2e%2e", ".", "", "..%5capp.py", "....//app.py", "/app.py", "%2fetc%2fpasswd", "//etc/passwd"]


def is_harmless(answer: httpx.Response) -> bool:
    policy = answer.headers["content-security-policy"]
    return answer.headers["x-content-type-options"] == "nosniff" and policy == "default-src 'none'; sandbox"


@pytest.mark.proves("P-300", "P-338")
@pytest.mark.parametrize("filename", ["x.json", "x.html", "x.svg", "actor", "../../etc/passwd", 'a"b\r\nX: y.html'])
@pytest.mark.parametrize("headers", [PROGRAM, BROWSER])
async def test_nothing_that_was_uploaded_is_ever_a_document_or_a_page(
    fediverse: Fediverse, tmp_path: Path, filename: str, headers: dict[str, str]
) -> None:
    attic, _ = await neighbours(fediverse)
    name = await uploads(attic, tmp_path / "media", SCRIPT, filename)
    await attaches(attic, name, "Here", "public")

    answer = await ask(attic, f"/media/{name}", headers)

    assert (answer.status_code, answer.content) == (200, SCRIPT)
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert "x" not in answer.headers
    assert is_harmless(answer)


@pytest.mark.proves("P-318", "P-268")
@pytest.mark.parametrize("visibility", ["followers", "direct"])
async def test_a_file_is_seen_by_those_who_may_see_what_it_belongs_to(
    fediverse: Fediverse, tmp_path: Path, visibility: Visibility
) -> None:
    attic, shop = await neighbours(fediverse)
    outsider = await fediverse.studio("outsider")
    await attic.meets(shop)
    name = await uploads(attic, tmp_path / "media", picture(), "red.png")
    url = f"{attic.home}/media/{name}"
    draft = await ask(attic, url)
    await attaches(attic, name, f"@{shop.address} look", visibility)

    nothing = await ask(attic, f"/media/{'0' * 32}.png")
    unsigned, signed, other = await ask(attic, url), await shop.gets(url), await outsider.gets(url)
    await attic.does(lambda tx: blocks.block(tx, attic.uri, shop.uri))
    blocked = await shop.gets(url)

    assert (draft.status_code, unsigned.status_code, other.status, blocked.status) == (404, 404, 404, 404)
    assert (unsigned.content, other.body) == (nothing.content, nothing.content)
    assert (signed.status, signed.headers["cache-control"]) == (200, "private, no-store")


async def test_a_picture_of_a_public_post_is_for_all_and_in_its_page(fediverse: Fediverse, tmp_path: Path) -> None:
    attic, _ = await neighbours(fediverse)
    name = await uploads(attic, tmp_path / "media", picture(), "red.png")
    post = await attaches(attic, name, "Red", "public")

    answer, page = await ask(attic, f"/media/{name}", BROWSER), await ask(attic, post, BROWSER)
    part = await ask(attic, f"/media/{name}", {**BROWSER, "range": "bytes=0-3"})

    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    assert answer.headers["content-disposition"].startswith("inline")
    assert is_harmless(answer)
    assert "public" in answer.headers["cache-control"]
    assert (part.status_code, part.content) == (206, answer.content[:4])
    assert f'src="{attic.home}/media/{name}" alt="Something red"' in page.text


@pytest.mark.proves("P-338")
@pytest.mark.parametrize("folder", ["media", "static"])
@pytest.mark.parametrize("way", WAYS_OUT)
async def test_no_name_leads_out_of_a_folder(fediverse: Fediverse, tmp_path: Path, folder: str, way: str) -> None:
    attic = await fediverse.studio("attic")
    name = await uploads(attic, tmp_path / "media", picture(), "red.png")
    await attaches(attic, name, "Red", "public")
    (tmp_path / "app.py").write_text("create(")  # as beside the folder of what never changes
    inside = {"media": name, "static": "boxroom.css"}[folder]

    status, body = await ask_literally(attic, f"/{folder}/{way.format(inside=inside)}")

    assert (await ask_literally(attic, f"/{folder}/{inside}"))[0] == 200
    assert status in (404, 421)
    assert b"create(" not in body


async def test_without_a_folder_there_are_no_files(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")

    answer = await ask(attic, f"/media/{'0' * 32}.png")

    assert answer.status_code == 404
