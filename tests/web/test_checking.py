"""Checking an endorsement from elsewhere, as anybody may: what is genuine, what is not, and what is none at all."""

from __future__ import annotations

from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from coop import endorsements, verdicts
from tests.fediverse import Fediverse, Studio
from tests.web.inhabitants import Inhabitant, forms
from tests.web.test_vouching import gives
from tests.web.visitors import BROWSER, neighbours, visiting
from web.pages import checking


async def passer_by(studio: Studio) -> Inhabitant:
    """Somebody who is not logged in anywhere."""
    return Inhabitant(studio, visiting(studio, "192.0.2.7"))


async def copied(studio: Studio, uri: str) -> dict[str, Any]:
    found: dict[str, Any] = await studio.instance.store.read(lambda db: verdicts.bundle(db, endorsements.at(db, uri)))
    return found


async def pastes(one: Inhabitant, text: str) -> httpx.Response:
    return await one.sends("/check", "/check", pasted=text)


async def uploads(one: Inhabitant, body: bytes, **headers: str) -> httpx.Response:
    form = forms((await one.sees("/check")).text)[-1]
    fields = {"token": form.fields["token"], "pasted": ""}
    return await one.client.post(
        "/check", data=fields, files={"file": ("x.json", body)}, headers={**BROWSER, **headers}
    )


async def test_anybody_finds_out_that_one_is_genuine_and_then_that_it_was_taken_back(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    uri = await gives(shop, attic)
    text = msgspec.json.encode(await copied(attic, uri)).decode()
    one = await passer_by(attic)

    genuine = await pastes(one, f"\n{text}\n")
    await shop.does(lambda tx: endorsements.revoke(tx, shop.uri, uri))
    await fediverse.settle()
    revoked = await uploads(one, b"\xef\xbb\xbf" + text.encode())

    assert (genuine.status_code, revoked.status_code) == (200, 200)
    assert genuine.headers["cache-control"] == "private, no-store"
    assert all(
        words in genuine.text for words in ("Genuine when last seen", "Set with care.", "Shop vouches for Attic")
    )
    assert "Taken back" in revoked.text
    assert "Set with care." not in revoked.text


@pytest.mark.proves("P-335")
async def test_one_by_a_key_that_was_never_seen_here_is_known_from_a_copy_alone(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    barn = await fediverse.studio("barn")
    text = msgspec.json.encode(await copied(attic, await gives(shop, attic))).decode()
    before = len(fediverse.requests)

    page = (await pastes(await passer_by(barn), text)).text

    assert "Known from a copy only" in page
    assert "which we never saw at its owner’s server ourselves" in page
    assert "shop.example/actors/" in page
    assert len(fediverse.requests) == before


async def test_a_changed_letter_breaks_it(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    copy = await copied(attic, await gives(shop, attic))
    copy["endorsement"] = {**copy["endorsement"], "content": "<p>Set with great care.</p>"}

    page = (await pastes(await passer_by(attic), msgspec.json.encode(copy).decode())).text

    assert "Not genuine" in page
    assert "great care" not in page


@pytest.mark.parametrize(
    "pasted", ["", "  ", "hello", "[]", "{}", '{"endorsement": 1}', "[" * 5_000, "<html>", "\ufeff{"]
)
async def test_what_is_none_comes_back_with_what_to_do(fediverse: Fediverse, pasted: str) -> None:
    attic = await fediverse.studio("attic")

    answer = await pastes(await passer_by(attic), pasted)

    assert answer.status_code == 422
    assert "That is no endorsement that can be checked" in answer.text
    assert forms(answer.text)[-1].fields["pasted"].strip() == pasted.strip()


async def test_too_much_is_refused_and_not_sent_back(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    one = await passer_by(attic)
    much = "{" + " " * checking.MAX_COPY + "}"

    pasted, file = await pastes(one, much), await uploads(one, much.encode())
    huge = await uploads(one, b"x" * 2_000_000)

    assert (pasted.status_code, file.status_code, huge.status_code) == (422, 422, 413)
    assert f"at most {checking.MAX_COPY:,} bytes" in pasted.text
    assert f"at most {checking.MAX_COPY:,} bytes" in file.text
    assert len(pasted.content) < 20_000


async def test_a_form_of_another_page_checks_nothing(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    one = await passer_by(attic)
    await one.sees("/check")

    forged = await one.client.post("/check", data={"token": "0" * 64, "pasted": "{}"}, headers=BROWSER)
    fresh = await (await passer_by(attic)).client.post("/check", data={"pasted": "{}"}, headers=BROWSER)

    assert (forged.status_code, fresh.status_code) == (403, 403)


async def test_words_in_an_odd_charset_are_only_odd_words(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    one = await passer_by(attic)
    token = forms((await one.sees("/check")).text)[-1].fields["token"]
    part = '--x\r\nContent-Disposition: form-data; name="{}"\r\n\r\n{}\r\n'
    body = part.format("form", token) + part.format("pasted", "\\ud800") + "--x--\r\n"

    for charset in ("unicode_escape", "utf-7", "utf-16", "rot13", "nonsense"):
        kind = {"content-type": f"multipart/form-data; boundary=x; charset={charset}"}
        answer = await one.client.post("/check", content=body, headers={**BROWSER, **kind})
        assert answer.status_code in (403, 422), charset


@pytest.mark.on("sqlite")
async def test_whatever_is_in_it_is_answered_in_words(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    copy = await copied(attic, await gives(shop, attic))
    one = await passer_by(attic)
    page = (await one.sees("/check")).text
    json = some.recursive(
        some.none() | some.booleans() | some.integers() | some.text(max_size=20) | some.just("https://x.example/a"),
        lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=8), inner, max_size=3),
        max_leaves=8,
    )
    cases: list[tuple[str, str, Any]] = []

    @settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
    @given(some.sampled_from([*copy]), some.sampled_from([*copy["endorsement"], "extra"]), json)
    def collect(outer: str, inner: str, value: Any) -> None:
        cases.append((outer, inner, value))

    collect()
    for outer, inner, value in cases:
        for odd in ({**copy, outer: value}, {**copy, "endorsement": {**copy["endorsement"], inner: value}}):
            answer = await one.sends_from(page, "/check", pasted=msgspec.json.encode(odd).decode())
            assert answer.status_code in (200, 422), odd
