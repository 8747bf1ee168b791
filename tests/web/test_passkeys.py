"""Passkeys and spare codes: other ways in, for those whose they are."""

from __future__ import annotations

import re
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from coop import spare_codes
from coop.passkeys import Passkey
from tests.fediverse import Fediverse, Studio
from tests.web.authenticator import USER_PRESENT, Authenticator
from tests.web.inhabitants import PASSWORD, Inhabitant, at_home, forms
from tests.web.visitors import visiting

CODE = re.compile(r"<code>([a-z0-9-]{19})</code>")


async def tells(one: Inhabitant, path: str, body: Any, token: str | None = None) -> httpx.Response:
    """What a script of a page of ours sends."""
    page = (await one.sees("/login")).text
    headers = {"content-type": "application/json", "x-form": forms(page)[0].fields["token"] if token is None else token}
    content = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return await one.client.post(path, content=content, headers=headers)


async def adds(one: Inhabitant, device: Authenticator, name: str = "The old laptop") -> httpx.Response:
    options = (await tells(one, "/passkeys/begin", {})).json()
    return await tells(one, "/passkeys", {"credential": device.makes(options), "name": name})


async def logs_in(one: Inhabitant, device: Authenticator, way: str = "/today") -> httpx.Response:
    options = (await tells(one, "/login/passkey/begin", {})).json()
    return await tells(one, "/login/passkey", {"credential": device.signs(options), "next": way})


def stranger(studio: Studio) -> Inhabitant:
    return Inhabitant(studio, visiting(studio))


async def test_whoever_added_a_passkey_comes_in_with_it(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    device = Authenticator(attic.home)
    other = stranger(attic)

    added = await adds(await at_home(attic), device)
    answer = await logs_in(other, device, "/notifications")

    assert (added.status_code, answer.status_code) == (200, 200)
    assert answer.json() == {"go": "/notifications"}
    assert (await other.sees("/today")).status_code == 200
    assert "The old laptop" in (await other.sees("/settings/logins")).text


@pytest.mark.parametrize(
    "wrong", ["another key", "another page", "nobody there", "unknown", "said before", "other way"]
)
async def test_what_is_not_signed_by_it_now_and_here_opens_nothing(fediverse: Fediverse, wrong: str) -> None:
    attic = await fediverse.studio("attic")
    device = Authenticator(attic.home)
    await adds(await at_home(attic), device)
    one = stranger(attic)
    options = (await tells(one, "/login/passkey/begin", {})).json()
    forger = Authenticator(attic.home, id=device.id)
    match wrong:
        case "another key":
            credential = forger.signs(options)
        case "another page":
            credential = Authenticator("https://attic.example.evil.example", key=device.key, id=device.id).signs(
                options
            )
        case "nobody there":
            credential = Authenticator(attic.home, USER_PRESENT, key=device.key, id=device.id).signs(options)
        case "unknown":
            credential = Authenticator(attic.home).signs(options)
        case "said before":
            credential = device.signs(options)
            await tells(one, "/login/passkey", {"credential": credential})
            one = stranger(attic)
        case _:
            credential = device.signs({**options, "rpId": "shop.example"})

    answer = await tells(one, "/login/passkey", {"credential": credential})

    assert 400 <= answer.status_code < 500
    assert (await one.sees("/today")).status_code == 303


async def test_a_challenge_is_good_once_and_not_for_long(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    device = Authenticator(attic.home)
    await adds(await at_home(attic), device)
    one = stranger(attic)
    options = (await tells(one, "/login/passkey/begin", {})).json()
    credential = device.signs(options)

    await tells(one, "/login/passkey", {"credential": {**credential, "response": {}}})
    answer = await tells(one, "/login/passkey", {"credential": credential})

    assert answer.status_code == 400
    assert "too long" in answer.json()["error"]


async def test_a_copied_device_that_counts_backwards_is_found(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    device = Authenticator(attic.home)
    await adds(await at_home(attic), device)
    copy = Authenticator(attic.home, key=device.key, id=device.id)
    for _ in range(3):
        await logs_in(stranger(attic), device)

    assert (await logs_in(stranger(attic), copy)).status_code == 400


async def test_a_passkey_is_added_by_whoever_is_logged_in_and_taken_away_again(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    one, device = await at_home(attic), Authenticator(attic.home)
    nobody = await tells(stranger(attic), "/passkeys/begin", {})
    await adds(one, device)
    twice = await adds(one, device)

    await one.sends("/settings/logins", "/passkeys/take-away")

    assert (nobody.status_code, twice.status_code) == (403, 409)
    assert await attic.knows(Passkey) == []
    assert (await logs_in(stranger(attic), device)).status_code == 404


@pytest.mark.parametrize("path", ["/passkeys", "/passkeys/begin", "/login/passkey", "/login/passkey/begin"])
@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"credential": []}', b'{"credential": {"id": "x"}}', b"\xff"])
async def test_whatever_a_script_sends_is_answered(fediverse: Fediverse, path: str, body: bytes) -> None:
    one = await at_home(await fediverse.studio("attic"))

    answer = await tells(one, path, body)
    forged = await tells(one, path, body, token="0" * 64)

    assert answer.status_code == 200 or 400 <= answer.status_code < 500
    assert forged.status_code == 403


async def test_a_spare_code_opens_once_sets_a_new_password_and_ends_other_logins(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    owner, one, other = await at_home(attic), stranger(attic), stranger(attic)
    codes = CODE.findall((await owner.sends("/settings/logins", "/settings/codes")).text)
    typed = {"name": "attic", "code": codes[0].upper().replace("-", " "), "new": "a whole new one"}

    answer = await one.sends("/login", "/login/code", **typed)
    again = await other.sends("/login", "/login/code", **typed)

    assert len({*codes}) == spare_codes.NUMBER
    assert (answer.status_code, again.status_code) == (303, 422)
    assert (await one.sees("/today")).status_code == 200
    assert (await owner.sees("/today")).status_code == 303
    assert (await other.logs_in(password=PASSWORD)).status_code == 422
    assert CODE.findall((await one.sees("/settings/logins")).text) == []


@pytest.mark.parametrize("typed", [{"code": "aaaa-bbbb-cccc-dddd"}, {"code": ""}, {"name": "nobody"}, {"new": "short"}])
async def test_a_wrong_code_changes_nothing(fediverse: Fediverse, typed: dict[str, str]) -> None:
    attic = await fediverse.studio("attic")
    owner, one = await at_home(attic), stranger(attic)
    [code, *_] = CODE.findall((await owner.sends("/settings/logins", "/settings/codes")).text)
    given = {"name": "attic", "code": code, "new": "a whole new one"}

    answer = await one.sends("/login", "/login/code", **{**given, **typed})
    right = await one.sends("/login", "/login/code", **given)

    assert (answer.status_code, right.status_code) == (422, 303)


async def test_guessing_keeps_nobody_from_using_a_spare_code(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    owner = await at_home(attic)
    [code, *_] = CODE.findall((await owner.sends("/settings/logins", "/settings/codes")).text)
    crowd = [Inhabitant(attic, visiting(attic, f"192.0.2.{number}")) for number in range(4)]
    for each in crowd:
        for _ in range(6):
            await each.logs_in(password="a guess")
    away = Inhabitant(attic, visiting(attic, "192.0.2.200"))

    by_password = await away.logs_in()
    by_code = await away.sends("/login", "/login/code", name="attic", code=code, new="a whole new one")

    assert (by_password.status_code, by_code.status_code) == (422, 303)


async def test_new_codes_put_an_end_to_the_old_ones(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    owner = await at_home(attic)
    [old, *_] = CODE.findall((await owner.sends("/settings/logins", "/settings/codes")).text)

    await owner.sends("/settings/logins", "/settings/codes")

    sent = await stranger(attic).sends("/login", "/login/code", name="attic", code=old, new="a whole new one")
    assert sent.status_code == 422


@given(code=some.text(max_size=30))
def test_codes_are_read_however_they_are_written(code: str) -> None:
    assert spare_codes._hash(code) == spare_codes._hash(f" {code.lower()}-")
