"""An archive from Mastodon comes along in the browser: it is sent, looked at, and brought when one has said yes."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest

import web.app
from boxroom import archived, bringing, importing
from coop import archives, imports
from coop.departures import leave
from coop.imports import FOLDER, Import
from federation.store import Transaction
from federation.tables import Delivery, Object
from tests.boxroom.mastodon import FOLLOWERS, Form, attached, boost, files, packed, post
from tests.fediverse import Fediverse, Studio
from tests.web.inhabitants import Inhabitant, at_home, forms
from tests.web.test_engine import somebody_else
from tests.web.visitors import BROWSER
from web.pages.luggage import COUNTED

ITEMS = [post(1), post(2, attachment=[attached()]), post(3, to=[FOLLOWERS], cc=[]), boost(4)]


@pytest.fixture
async def attic(fediverse: Fediverse, tmp_path: Path) -> Studio:
    attic = await fediverse.studio("attic")
    (tmp_path / "media").mkdir()
    attic.app = web.app.create({attic.host: attic.instance}, media={attic.host: tmp_path / "media"})
    return attic


async def sends(one: Inhabitant, data: bytes, name: str = "archive.zip") -> httpx.Response:
    page = (await one.sees("/settings/data")).text
    [form] = [form for form in forms(page) if form.action == "/settings/data/archive"]
    fields = {name: value for name, value in form.fields.items() if name != "file"}
    return await one.client.post(form.action, data=fields, files={"file": (name, data)}, headers=BROWSER)


def an_archive(tmp_path: Path, form: Form = "zip") -> bytes:
    return packed(tmp_path, files(ITEMS), form).read_bytes()


def published(rows: list[Object]) -> list[str]:
    return [str(row.document["published"])[:10] for row in rows]


@pytest.mark.parametrize("form", ["zip", "tar.gz", "tar"])
async def test_one_sees_what_is_in_it_and_then_it_comes_along(attic: Studio, tmp_path: Path, form: Form) -> None:
    ada = await at_home(attic)

    await sends(ada, an_archive(tmp_path, form))
    waits = (await ada.sees("/settings/data")).text
    await importing.work(attic.instance, tmp_path)
    looked, nothing_yet = (await ada.sees("/settings/data")).text, await attic.knows(Object)
    await ada.sends_from(looked, "/settings/data/archive/bring")
    await importing.work(attic.instance, tmp_path)
    brought = (await ada.sees("/settings/data")).text

    assert "archive.zip is being looked at." in waits
    left_out = "Left out: 1 post for followers alone, 1 boost."
    assert f"What comes along: 2 posts, 1 picture. {left_out}" in looked
    assert nothing_yet == []
    assert f"Brought along: 2 posts, 1 picture. {left_out}" in brought
    assert published(await attic.knows(Object)) == ["2019-01-01", "2019-01-02"]
    assert await attic.knows(Delivery) == []
    assert "Ada of old" in (await ada.sees("/@attic")).text


async def test_what_was_cut_short_begins_anew_and_makes_nothing_twice(
    attic: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await at_home(attic)
    await sends(ada, an_archive(tmp_path))
    await importing.work(attic.instance, tmp_path)
    await ada.sends("/settings/data", "/settings/data/archive/bring")
    monkeypatch.setattr(bringing, "SOME", 1)
    killed = cut(monkeypatch, 2)

    with pytest.raises(KeyboardInterrupt):
        await importing.work(attic.instance, tmp_path)
    before = await attic.knows(Object)
    killed()
    await importing.work(attic.instance, tmp_path)

    assert len(before) == 1
    assert len(await attic.knows(Object)) == 2
    assert "1 post was here already" in (await ada.sees("/settings/data")).text


def cut(monkeypatch: pytest.MonkeyPatch, number: int) -> Callable[[], None]:
    """The program ends as the post of that number is brought; until what is returned is called."""
    left, bring = [number], archives.bring

    def ends(tx: Transaction, account: str, past: archives.Past) -> Object | None:
        left[0] -= 1
        if left[0] <= 0:
            raise KeyboardInterrupt
        return bring(tx, account, past)

    monkeypatch.setattr(archives, "bring", ends)
    return lambda: monkeypatch.setattr(archives, "bring", bring)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"dear Bo", "that is no archive as Mastodon makes it"),
        (b"PK\3\4 and no more", "it is damaged: perhaps not all of it was downloaded"),
        (b"\x1f\x8b\x08 and no more", "it is damaged"),
    ],
)
async def test_what_is_no_archive_is_told_and_thrown_away(attic: Studio, tmp_path: Path, data: bytes, why: str) -> None:
    ada = await at_home(attic)

    await sends(ada, data, "<b>letter.zip")
    await importing.work(attic.instance, tmp_path)
    page = (await ada.sees("/settings/data")).text

    assert "&lt;b&gt;letter.zip could not be brought along" in page
    assert why in page
    assert [*(tmp_path / FOLDER).iterdir()] == []
    assert [form for form in forms(page) if form.action == "/settings/data/archive"]


async def test_what_a_program_left_that_was_killed_is_thrown_away_after_a_while(attic: Studio, tmp_path: Path) -> None:
    ada = await at_home(attic)
    await sends(ada, an_archive(tmp_path))
    for name, age in (("arriving", 0), ("left", 2 * importing.LEFT)):
        (tmp_path / FOLDER / name).touch()
        os.utime(tmp_path / FOLDER / name, (time.time() - age, time.time() - age))

    await importing.work(attic.instance, tmp_path)

    [row] = await attic.knows(Import)
    assert {file.name for file in (tmp_path / FOLDER).iterdir()} == {row.file, "arriving"}


async def test_each_has_one_of_their_own_and_what_is_at_work_is_let_be(attic: Studio, tmp_path: Path) -> None:
    ada, bo = await at_home(attic), await somebody_else(attic)
    early = await bo.client.post("/settings/data/archive/bring", data=token(await bo.sees("/settings/data")))

    await sends(ada, an_archive(tmp_path))
    page = (await bo.sees("/settings/data")).text
    again = await ada.client.post("/settings/data/archive/forget", data=token(await ada.sees("/settings/data")))
    await importing.work(attic.instance, tmp_path)
    await ada.sends("/settings/data", "/settings/data/archive/forget")
    gone = [*(tmp_path / FOLDER).iterdir()]

    assert early.status_code == 404
    assert "being looked at" not in page
    assert again.status_code == 409
    assert await attic.knows(Import) == []
    assert gone == []


def test_the_page_has_words_for_all_that_an_archive_may_hold() -> None:
    left_out = {archived.BOOST, archived.DIRECT, archived.FOLLOWERS, archived.OTHERS, archived.STRANGE}
    left_out |= {archived.LONG, archived.EMPTY, archived.FILE}

    assert COUNTED.keys() == {archived.POST, archived.PICTURE, *left_out}


def token(page: httpx.Response) -> dict[str, str]:
    return {"token": next(form.fields["token"] for form in forms(page.text) if "token" in form.fields)}


async def test_of_whoever_is_not_logged_in_nothing_is_even_read(attic: Studio, tmp_path: Path) -> None:
    ada = await at_home(attic)
    ada.client.cookies.clear()
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while read < 100:
            read += 1
            yield bytes(1000)

    kind = {"content-type": "multipart/form-data; boundary=x", "content-length": "100000"}
    answer = await ada.client.post("/settings/data/archive", content=endless(), headers=kind)

    assert answer.status_code == 403
    assert read == 0
    assert not (tmp_path / FOLDER).exists()


async def test_without_room_for_it_nothing_is_kept(
    attic: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "SPARE", 2**70)
    ada = await at_home(attic)

    answer = await sends(ada, an_archive(tmp_path))

    assert answer.status_code == 422
    assert "there is no room for it on the disk: make some, and send it again" in answer.text
    assert not (tmp_path / FOLDER).exists()


async def test_nothing_of_it_stays_when_whoever_sent_it_leaves(attic: Studio, tmp_path: Path) -> None:
    await sends(await at_home(attic), an_archive(tmp_path))

    await attic.does(lambda tx: leave(tx, attic.uri))

    assert await attic.knows(Import) == []
