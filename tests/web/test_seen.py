"""Pictures of others: fetched by us when somebody here looks, made anew, kept, and not asked for twice."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import web.app
from activitypub.audience import Visibility
from coop import blocks, profiles, remote_media
from coop.profiles import Changes
from coop.remote_media import RemoteMedia
from tests.coop.images import SECRET, with_metadata
from tests.fediverse import Fediverse, Studio
from tests.web.inhabitants import Inhabitant, at_home
from tests.web.uploads import attaches, picture, uploads
from tests.web.visitors import neighbours

pytestmark = pytest.mark.proves("P-339")


async def at_the_shop(shop: Studio, folder: Path) -> Inhabitant:
    shop.app = web.app.create({shop.host: shop.instance}, media={shop.host: folder})
    return await at_home(shop)


async def looks(one: Inhabitant) -> str:
    """Where the first picture of others is that Today shows; empty if it shows none."""
    found = re.search(r'src="(/seen/post/[^"]+)"', (await one.sees("/today")).text)
    return found[1] if found else ""


@pytest.mark.parametrize("visibility", ["public", "followers"])
async def test_a_picture_of_others_is_shown_and_their_server_is_asked_once(
    fediverse: Fediverse, tmp_path: Path, visibility: Visibility
) -> None:
    attic, shop = await neighbours(fediverse)
    name = await uploads(attic, tmp_path / "attic", picture(), "pot.png")
    await attaches(attic, name, "A new glaze", visibility)
    await fediverse.settle()
    one = await at_the_shop(shop, tmp_path / "shop")
    where = await looks(one)

    shown = await one.sees(where)
    (tmp_path / "attic" / name).unlink()
    again = await one.sees(where)

    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/png")
    assert again.content == shown.content
    assert "sandbox" in again.headers["content-security-policy"]
    assert f'src="{attic.home}' not in (await one.sees("/today")).text


async def test_nothing_but_what_is_to_be_seen_is_kept(fediverse: Fediverse, tmp_path: Path) -> None:
    attic, shop = await neighbours(fediverse)
    raw = with_metadata("JPEG")
    name = await uploads(attic, tmp_path / "attic", raw, "pot.jpg")
    (tmp_path / "attic" / name).write_bytes(raw)  # a server that makes nothing anew
    await attaches(attic, name, "A new glaze")
    await fediverse.settle()
    one = await at_the_shop(shop, tmp_path / "shop")

    shown = await one.sees(await looks(one))

    assert SECRET in raw
    assert shown.status_code == 200
    assert SECRET not in shown.content


@pytest.mark.parametrize("instead", [b"", b"<svg onload='alert(1)'/>", b"\x89PNG\r\n\x1a\n cut short"])
async def test_what_is_no_picture_is_not_shown_and_not_asked_for_again_at_once(
    fediverse: Fediverse, tmp_path: Path, instead: bytes
) -> None:
    attic, shop = await neighbours(fediverse)
    name = await uploads(attic, tmp_path / "attic", picture(), "pot.png")
    file = tmp_path / "attic" / name
    whole = file.read_bytes()
    file.write_bytes(instead)
    await attaches(attic, name, "A new glaze")
    await fediverse.settle()
    one = await at_the_shop(shop, tmp_path / "shop")
    where = await looks(one)

    first = await one.sees(where)
    file.write_bytes(whole)
    second = await one.sees(where)
    fediverse.later(hours=7)
    third = await one.sees(where)

    assert (first.status_code, second.status_code, third.status_code) == (404, 404, 200)


async def test_who_may_not_read_a_post_sees_no_picture_of_it(fediverse: Fediverse, tmp_path: Path) -> None:
    attic, shop = await neighbours(fediverse)
    name = await uploads(attic, tmp_path / "attic", picture(), "pot.png")
    await attaches(attic, name, "A new glaze", "followers")
    await fediverse.settle()
    one = await at_the_shop(shop, tmp_path / "shop")
    where = await looks(one)
    seen = await one.sees(where)
    await one.sends(f"/who?is={attic.uri}", "/unfollow")
    await fediverse.settle()

    after = await one.sees(where)
    one.client.cookies.clear()
    without = await one.sees(where)

    assert (seen.status_code, after.status_code) == (200, 404)
    assert without.headers["location"].startswith("/login")


@pytest.mark.parametrize(
    "odd", ["/seen/face/0", "/seen/face/zzzzzzzzzzzzz", "/seen/post/0000000000000/0", "/seen/x/0/0"]
)
async def test_nothing_is_fetched_that_stands_nowhere(fediverse: Fediverse, tmp_path: Path, odd: str) -> None:
    _, shop = await neighbours(fediverse)
    one = await at_the_shop(shop, tmp_path / "shop")

    assert (await one.sees(odd)).status_code == 404
    assert await shop.knows(RemoteMedia) == []


async def test_nothing_is_fetched_from_a_server_that_is_blocked(fediverse: Fediverse, tmp_path: Path) -> None:
    attic, shop = await neighbours(fediverse)
    name = await uploads(attic, tmp_path / "attic", picture(), "pot.png")
    await attaches(attic, name, "A new glaze")
    await fediverse.settle()
    one = await at_the_shop(shop, tmp_path / "shop")
    where = await looks(one)

    await shop.does(lambda tx: blocks.block_domain(tx, attic.host))

    assert (await one.sees(where)).status_code == 404


async def test_a_face_is_shown_beside_the_name(fediverse: Fediverse, tmp_path: Path) -> None:
    attic, shop = await neighbours(fediverse)
    name = await uploads(attic, tmp_path / "attic", picture(), "me.png")
    await attic.does(lambda tx: profiles.edit(tx, attic.uri, Changes(avatar=name)))
    await fediverse.settle()
    one = await at_the_shop(shop, tmp_path / "shop")

    page = (await one.sees(f"/who?is={attic.uri}")).text
    face = re.search(r'src="(/seen/face/[^"]+)"', page)

    assert face
    assert (await one.sees(face[1])).headers["content-type"] == "image/png"


async def test_what_nobody_looks_at_and_what_is_too_much_goes(fediverse: Fediverse, tmp_path: Path) -> None:
    attic, shop = await neighbours(fediverse)
    name = await uploads(attic, tmp_path / "attic", picture(), "pot.png")
    await attaches(attic, name, "A new glaze")
    await fediverse.settle()
    one = await at_the_shop(shop, tmp_path / "shop")
    where = await looks(one)
    await one.sees(where)
    folder = tmp_path / "shop"

    kept = await remote_media.sweep(shop.instance, folder)
    too_much = await remote_media.sweep(shop.instance, folder, most=10)
    await one.sees(where)
    fediverse.later(days=31)
    unseen = await remote_media.sweep(shop.instance, folder)

    assert (kept, too_much, unseen) == (0, 1, 1)
    assert await shop.knows(RemoteMedia) == []
