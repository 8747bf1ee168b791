"""What somebody says of themselves, by the browser: words, pictures, pages of theirs; and who may find them."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

import web.app
from activitypub.actor import Actor as Profile
from activitypub.document import Document
from coop.accounts import Account
from coop.media import Media
from federation import known
from federation.tables import Actor
from tests.coop.images import SECRET, bomb, with_metadata
from tests.fediverse import Fediverse, Studio
from tests.web.inhabitants import Inhabitant, at_home, forms
from tests.web.visitors import BROWSER, neighbours
from web.pages.profile import UPLOAD

FIELDS = {
    "name": "Ada of the attic",
    "bio": "Maps, *inked*.",
    "skills": "Cartography, Lettering,, ",
    "availability": "From March",
    "place": "Bremen",
    "pronouns": "she",
    "remote": "yes",
    "links": "https://maps.example/\n",
}


async def with_pictures(studio: Studio, folder: Path) -> Inhabitant:
    """Somebody logged in where uploads are kept in `folder`."""
    studio.app = web.app.create({studio.host: studio.instance}, media={studio.host: folder})
    return await at_home(studio)


async def sends(one: Inhabitant, files: dict[str, tuple[str, bytes]], **typed: str) -> httpx.Response:
    """Fill in the form as it stands, choose files, and send it."""
    page = (await one.sees("/settings")).text
    form = next(found for found in forms(page) if found.action == "/settings/profile")
    kept = {name: value for name, value in form.fields.items() if name not in ("avatar", "header", "remote")}
    sent = {name: value for name, value in kept.items() if not name.endswith("_away")} | typed
    given = {name: (called, data, "image/png") for name, (called, data) in files.items()}
    return await one.client.post(form.action, data=sent, files=given or {"x": b""}, headers=BROWSER)


async def profile_of(studio: Studio, uri: str) -> Profile:
    return Profile.read(Document((await studio.instance.store.read(lambda db: known.actor(db, uri))).document))


async def test_what_is_said_there_is_told_to_others(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    ada = await at_home(attic)

    done = await sends(ada, {}, **FIELDS)
    await fediverse.settle()

    seen = await profile_of(shop, attic.uri)
    assert done.headers["location"] == "/settings?done=profile"
    assert (seen.name, seen.skills, seen.availability, seen.place, seen.remote) == (
        "Ada of the attic",
        ("Cartography", "Lettering"),
        "From March",
        "Bremen",
        True,
    )
    assert "<em>inked</em>" in seen.summary
    form = next(one for one in forms((await ada.sees("/settings")).text) if one.action == "/settings/profile")
    assert (form.fields["skills"], form.fields["links"]) == ("Cartography, Lettering", "https://maps.example/")


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "x" * 61},
        {"bio": "x" * 5_001},
        {"skills": ",".join(str(one) for one in range(21))},
        {"skills": "x" * 61},
        {"links": "javascript:alert(1)"},
        {"links": "\n".join(f"https://a.example/{one}" for one in range(9))},
        {"avatar_alt": "x" * 1_501},
    ],
)
async def test_what_cannot_be_said_comes_back_as_it_was_typed_and_nothing_is_changed(
    fediverse: Fediverse, tmp_path: Path, wrong: dict[str, str]
) -> None:
    attic = await fediverse.studio("attic")
    ada = await with_pictures(attic, tmp_path / "media")
    await sends(ada, {"avatar": ("a.png", with_metadata("PNG"))})
    before = [(one.place, one.avatar) for one in await attic.knows(Account)]

    answer = await sends(ada, {}, **{**FIELDS, **wrong})

    form = next(one for one in forms(answer.text) if one.action == "/settings/profile")
    assert answer.status_code == 422
    assert "Nothing was changed" in answer.text
    assert form.fields["place"] == "Bremen"
    assert all(form.fields[name] == value for name, value in wrong.items())
    assert [(one.place, one.avatar) for one in await attic.knows(Account)] == before


async def test_pictures_are_made_anew_described_and_taken_away(fediverse: Fediverse, tmp_path: Path) -> None:
    attic, shop = await neighbours(fediverse)
    ada = await with_pictures(attic, tmp_path / "media")
    chosen = {"avatar": ("me.png", with_metadata("PNG")), "header": ("top.jpg", with_metadata("JPEG"))}

    await sends(ada, chosen, avatar_alt="Ada, with ink on her nose")
    await fediverse.settle()
    icon = (await profile_of(shop, attic.uri)).icon
    await sends(ada, {}, avatar_alt="Ada")
    await fediverse.settle()
    said = (await profile_of(shop, attic.uri)).icon
    await sends(ada, {}, avatar_away="yes")
    await fediverse.settle()
    after = await profile_of(shop, attic.uri)

    assert icon is not None
    assert icon.alt == "Ada, with ink on her nose"
    assert said is not None
    assert (said.url, said.alt) == (icon.url, "Ada")
    assert (after.icon, after.image is None) == (None, False)
    assert not any(SECRET in file.read_bytes() for file in (tmp_path / "media").iterdir())


@pytest.mark.parametrize("data", [b"", b"no picture at all", b"<svg onload=alert(1)>", bomb(60_000, 60_000)])
async def test_what_is_no_picture_is_refused_and_the_rest_with_it(
    fediverse: Fediverse, tmp_path: Path, data: bytes
) -> None:
    attic = await fediverse.studio("attic")
    ada = await with_pictures(attic, tmp_path / "media")

    answer = await sends(ada, {"avatar": ("me.png", data)}, **FIELDS)

    assert answer.status_code == 422
    assert [(one.place, one.avatar) for one in await attic.knows(Account)] == [("", None)]
    assert await attic.knows(Media) == []


async def test_more_than_a_form_may_have_is_refused_and_strangers_send_nothing(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    ada = await at_home(attic)
    stranger = Inhabitant(attic, httpx.AsyncClient(transport=httpx.ASGITransport(attic.app), base_url=attic.home))

    large = await ada.client.post("/settings/profile", files={"avatar": bytes(UPLOAD)}, headers=BROWSER)
    unknown = await stranger.client.post("/settings/profile", data=FIELDS, headers=BROWSER)
    forged = await ada.client.post("/settings/profile", data=FIELDS, headers=BROWSER)

    assert (large.status_code, unknown.status_code, forged.status_code) == (413, 303, 403)
    assert [one.place for one in await attic.knows(Account)] == [""]


async def test_a_page_that_leads_back_is_named_as_proven(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    page = '<a rel="me" href="https://attic.example/@attic">Me</a>'
    served = {"content-type": "text/html"}
    fediverse.strangers["maps.example"] = lambda _: httpx.Response(200, text=page, headers=served)
    ada = await at_home(attic)

    await sends(ada, {}, **{**FIELDS, "links": "https://maps.example/ https://none.example/"})
    first = (await ada.sees("/settings")).text
    del fediverse.strangers["maps.example"]
    again = await ada.sends("/settings", "/settings/links")

    assert first.count("Leads back to you<") == 1
    assert first.count("Does not lead back to you yet") == 1
    assert again.headers["location"] == "/settings?done=links"
    assert (await ada.sees("/settings")).text.count("Does not lead back to you yet") == 2


async def test_who_may_follow_and_find_one_is_chosen(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    ada = await at_home(attic)

    both = await ada.sends("/settings/privacy", "/settings/privacy", approves_followers="yes", discoverable="yes")
    await fediverse.settle()
    [row] = await attic.knows(Account)
    seen = await profile_of(shop, attic.uri)
    token = forms((await ada.sees("/settings/privacy")).text)[0].fields["form"]
    await ada.client.post("/settings/privacy", data={"form": token}, headers=BROWSER)
    [after] = await attic.knows(Account)

    assert both.status_code == 303
    assert (row.approves_followers, row.discoverable) == (True, True)
    assert (seen.manually_approves, seen.discoverable) == (True, True)
    assert (after.approves_followers, after.discoverable) == (False, False)
    assert len(await shop.knows(Actor)) >= 2
