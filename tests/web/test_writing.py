"""The box where one writes: files beside the words, how they will look, and names that are completed."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

import web.app
from federation.tables import Object
from tests.fediverse import Fediverse, Studio
from tests.web.inhabitants import Inhabitant, at_home, forms
from tests.web.test_collections import says
from tests.web.uploads import picture, uploads
from tests.web.visitors import BROWSER, neighbours
from web.pages.saying import PART


async def with_files(studio: Studio, folder: Path) -> Inhabitant:
    studio.app = web.app.create({studio.host: studio.instance}, media={studio.host: folder})
    return await at_home(studio)


async def sends(
    one: Inhabitant, to: str, *files: tuple[str, bytes], part: bool = False, **typed: str
) -> httpx.Response:
    """The box of Today with `files` chosen."""
    form = next(found for found in forms((await one.sees("/today")).text) if found.action == "/say")
    chosen = [("upload", (name, data)) for name, data in files]
    headers = {"accept": PART} if part else BROWSER
    fields = {name: value for name, value in form.fields.items() if name != "upload"}
    return await one.client.post(to, data={**fields, **typed}, files=chosen, headers=headers)


def files_in(folder: Path) -> list[Path]:
    return [*folder.glob("*.png")]


def box(page: str) -> dict[str, str]:
    return next(one for one in forms(page) if one.action == "/say").fields


async def test_a_picture_goes_with_the_words_once_it_is_described(fediverse: Fediverse, tmp_path: Path) -> None:
    attic, shop = await neighbours(fediverse)
    one = await with_files(attic, tmp_path)

    added = await sends(one, "/attach", ("pot.png", picture()), text="A new glaze", visibility="unlisted")
    fields = box(added.text)
    name = fields["file"]
    said = await one.sends_from(added.text, "/say", **{f"alt-{name}": "A red pot"})
    await fediverse.settle()

    assert (fields["text"], fields["visibility"]) == ("A new glaze", "unlisted")
    assert said.status_code == 303
    page = (await one.sees("/today")).text
    assert f"/media/{name}" in page
    assert 'alt="A red pot"' in page
    assert "A red pot" in (await (await at_home(shop)).sees("/today")).text


async def test_a_picture_that_was_chosen_and_not_added_is_asked_about_before_it_is_said(
    fediverse: Fediverse, tmp_path: Path
) -> None:
    attic, _ = await neighbours(fediverse)
    one = await with_files(attic, tmp_path)

    asked = await sends(one, "/say", ("pot.png", picture()), text="A new glaze")
    said = await one.sends_from(asked.text, "/say")

    assert asked.status_code == 422
    assert "say what is to be seen" in asked.text
    assert box(asked.text)["text"] == "A new glaze"
    assert said.status_code == 303


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "empty"),
        (b"\x89PNG\r\n\x1a\n cut short", "picture"),
        (b"\xff\xd8\xff<script>alert(1)</script>", "picture"),
    ],
)
async def test_what_cannot_be_shown_is_refused_in_words_and_nothing_typed_is_lost(
    fediverse: Fediverse, tmp_path: Path, data: bytes, why: str
) -> None:
    attic, _ = await neighbours(fediverse)
    one = await with_files(attic, tmp_path)

    answer = await sends(one, "/attach", ("pot.png", data), text="A new glaze")

    assert answer.status_code == 422
    assert why in answer.text
    assert box(answer.text)["text"] == "A new glaze"
    assert files_in(tmp_path) == []


async def test_a_page_that_goes_on_gets_the_file_alone(fediverse: Fediverse, tmp_path: Path) -> None:
    attic, _ = await neighbours(fediverse)
    one = await with_files(attic, tmp_path)

    part = await sends(one, "/attach", ("pot.png", picture()), part=True)
    name = forms(f"<form>{part.text}</form>")[0].fields["file"]
    later = await one.sees(f"/attached?file={name}&file=nothing.png")

    assert "<html" not in part.text
    assert f"/media/{name}" in later.text
    assert "nothing.png" not in later.text


async def test_nobody_sees_or_attaches_the_uploads_of_another(fediverse: Fediverse, tmp_path: Path) -> None:
    attic, shop = await neighbours(fediverse)
    name = await uploads(attic, tmp_path, picture(), "pot.png")
    one = await with_files(shop, tmp_path)

    seen = await one.sees(f"/media/{name}")
    shown = await one.sees(f"/attached?file={name}")
    said = await one.sends("/today", "/say", text="Mine", file=name)

    assert seen.status_code == 404
    assert name not in shown.text
    assert said.status_code == 303  # without it
    assert not any(name in str(row.document) for row in await shop.knows(Object))


async def test_whoever_is_not_logged_in_uploads_nothing(fediverse: Fediverse, tmp_path: Path) -> None:
    attic, _ = await neighbours(fediverse)
    one = await with_files(attic, tmp_path)
    page = (await one.sees("/today")).text
    one.client.cookies.clear()

    answer = await one.client.post(
        "/attach", data=box(page), files=[("upload", ("pot.png", picture()))], headers=BROWSER
    )

    assert answer.headers["location"].startswith("/login")
    assert files_in(tmp_path) == []


async def test_words_are_shown_as_they_will_look_and_nothing_is_said(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    one = await at_home(shop)

    looks = await sends(one, "/preview", text=f"**Thanks** @{attic.address} <script>x</script>")

    assert "<strong>Thanks</strong>" in looks.text
    assert 'class="u-url mention"' in looks.text
    assert "<script>x" not in looks.text
    assert box(looks.text)["text"].startswith("**Thanks**")
    assert "Thanks" not in (await one.sees("/today")).text


async def test_names_and_hashtags_that_were_begun_are_completed(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    await says(attic, "#Glaze and #glass, #glaze again")
    await fediverse.settle()
    one = await at_home(shop)

    names = (await one.sees("/complete?what=%40at")).text
    tags = (await one.sees("/complete?what=%23gl")).text

    assert f'data-value="@{attic.address}"' in names
    assert 'data-value="#Glaze"' in tags
    assert 'data-value="#glass"' in tags
    for nothing in ("", "@", "@%25", "@_", "#", "%23nothing", "@" + "x" * 5_000):
        assert (await one.sees(f"/complete?what={nothing}")).status_code == 200
    assert "data-value" not in (await one.sees("/complete?what=%40%25")).text
