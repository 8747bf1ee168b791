"""What those who live here say of themselves, and who hears of it when it changes."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from sqlalchemy import select, update

from activitypub import keys
from activitypub.actor import Actor as Profile
from activitypub.document import Document, Json
from coop import media, profiles
from coop.errors import NotFound, Trouble
from coop.profiles import Changes
from federation import known
from federation.tables import Activity, Actor
from tests.coop.images import picture
from tests.coop.neighbours import all_of, does, neighbours
from tests.fediverse import Fediverse, Studio


async def seen(studio: Studio, of: Studio) -> Profile:
    row = await studio.instance.store.read(lambda db: known.actor(db, of.uri))
    return Profile.read(Document(row.document))


async def updates(studio: Studio) -> list[Json]:
    bodies = await all_of(studio, select(Activity.body).where(Activity.type == "Update"))
    return [msgspec.json.decode(one) for one in bodies]


async def edits(studio: Studio, **changes: object) -> None:
    await does(studio, profiles.edit, Changes(**changes))  # type: ignore[arg-type]


@pytest.mark.proves("P-023", "P-028", "P-114")
async def test_a_changed_profile_is_seen_by_those_who_follow(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)

    await edits(
        attic,
        name="Ada Verne",
        bio="Books, *maps*.",
        pronouns="she <her>",
        availability="from March",
        skills=("Typesetting", "Cartography", "typesetting"),
        links=("https://verne.example/", "https://verne.example/"),
        approves_followers=True,
    )

    profile = await seen(shop, attic)
    link = '<a href="https://verne.example/" rel="me nofollow noopener noreferrer">verne.example</a>'
    assert (profile.name, profile.summary) == ("Ada Verne", "<p>Books, <em>maps</em>.</p>")
    assert profile.fields == (
        ("Pronouns", "she &lt;her&gt;"),
        ("Skills", "typesetting, Cartography"),
        ("Availability", "from March"),
        ("Web", link),
    )
    assert profile.skills == ("typesetting", "Cartography")
    assert profile.manually_approves
    assert profile.url == "https://attic.example/@attic"
    assert 'rel="me nofollow noopener noreferrer" target="_blank"' in str((await updates(attic))[0]["object"])


@pytest.mark.proves("P-028")
async def test_everybody_met_in_a_month_hears_of_it_and_nobody_met_before(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    barn, mill = await fediverse.studio("barn"), await fediverse.studio("mill")
    await attic.meets(mill)
    await mill.meets(attic)
    fediverse.later(days=31)
    await attic.meets(barn)
    await barn.meets(attic)

    await edits(attic, name="Ada Verne")

    assert (await seen(shop, attic)).name == "Ada Verne"  # who follows hears of it whenever they were met
    assert (await seen(barn, attic)).name == "Ada Verne"
    posted = [one.url.host for one in fediverse.requests if one.method == "POST"]
    assert "barn.example" in posted
    assert "mill.example" not in posted


@pytest.mark.proves("P-028")
async def test_what_changes_nothing_is_told_to_nobody(fediverse: Fediverse) -> None:
    attic, _ = await neighbours(fediverse)
    await edits(attic, name="Ada Verne")

    await edits(attic, name="Ada Verne")

    assert len(await updates(attic)) == 1


@pytest.mark.parametrize(
    "changes",
    [
        Changes(name="x" * 61),
        Changes(pronouns="she\nher"),
        Changes(bio="x" * (profiles.MAX_BIO + 1)),
        Changes(skills=tuple(f"skill {number}" for number in range(21))),
        Changes(skills=("two\nlines",)),
        Changes(links=("javascript:alert(1)",)),
        Changes(links=tuple(f"https://{number}.example" for number in range(9))),
    ],
)
async def test_what_cannot_be_said_is_refused_in_words(fediverse: Fediverse, changes: Changes) -> None:
    attic = await fediverse.studio("attic")
    before = (await seen(attic, attic)).name

    with pytest.raises(Trouble):
        await attic.does(lambda tx: profiles.edit(tx, attic.uri, changes))

    assert (await seen(attic, attic)).name == before
    assert await updates(attic) == []


async def test_a_picture_shows_with_its_description_to_everybody(fediverse: Fediverse, tmp_path: Path) -> None:
    attic, shop = await neighbours(fediverse)
    stored = media.store_upload(tmp_path, picture("PNG"), "me.png", "Ada at her desk")
    upload = await attic.does(lambda tx: media.keep(tx, attic.uri, stored))

    await edits(attic, avatar=stored.name)

    icon = (await seen(shop, attic)).icon
    assert icon is not None
    assert (icon.url, icon.alt) == (f"https://attic.example/media/{upload.name}", "Ada at her desk")
    await attic.instance.store.read(lambda db: media.readable(db, upload.name, None))
    await edits(attic, avatar="")
    assert (await seen(shop, attic)).icon is None


async def test_what_is_no_picture_is_no_avatar(fediverse: Fediverse, tmp_path: Path) -> None:
    attic = await fediverse.studio("attic")
    stored = media.store_upload(tmp_path, b"%PDF-1.7", "cv.pdf")
    await attic.does(lambda tx: media.keep(tx, attic.uri, stored))

    with pytest.raises(Trouble):
        await attic.does(lambda tx: profiles.edit(tx, attic.uri, Changes(avatar=stored.name)))
    with pytest.raises(NotFound):
        await attic.does(lambda tx: profiles.edit(tx, attic.uri, Changes(avatar="of-another.png")))


@pytest.mark.proves("P-029")
async def test_a_suspended_account_keeps_its_keys_and_says_nothing(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    await edits(attic, name="Ada Verne", bio="Books")

    await attic.does(lambda tx: profiles.suspend(tx, attic.uri))
    await fediverse.settle()

    document = msgspec.json.decode((await shop.gets(attic.uri, signed=False)).body)
    assert (document["suspended"], document["name"], document["summary"]) == (True, "", "")
    assert keys.listed(Document(document))
    assert (await seen(shop, attic)).suspended
    await attic.does(lambda tx: profiles.suspend(tx, attic.uri, suspended=False))
    await fediverse.settle()
    assert (await seen(shop, attic)).name == "Ada Verne"


async def test_where_somebody_came_from_survives_an_edit(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    old = "https://social.example/users/ada"
    document = (await attic.instance.store.read(lambda db: known.actor(db, attic.uri))).document
    moved = update(Actor).where(Actor.uri == attic.uri).values(document={**document, "alsoKnownAs": [old]})
    await attic.does(lambda tx: tx.db.execute(moved) and None)

    await edits(attic, name="Ada Verne")

    assert (await seen(attic, attic)).also_known_as == (old,)
