"""The engine room: what waits, what failed, what is kept, who holds whose mail; and who may touch any of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import web.app
from coop import backups, buddies
from coop.accounts import SEALING
from coop.mailboxes import Buddy
from federation.tables import Key, Lane, Object, Receipt
from tests.coop.neighbours import lives_at
from tests.fediverse import Fediverse, Studio
from tests.web.inhabitants import Inhabitant, at_home, forms, gives_a_password
from tests.web.test_collections import says
from tests.web.uploads import picture, uploads
from tests.web.visitors import BROWSER, neighbours, visiting


@dataclass(frozen=True)
class Finding:
    what: str
    state: str
    said: str
    todo: str = ""


async def failed(attic: Studio, number: int = 1) -> None:
    """Some that came from elsewhere and could not be taken in."""
    body, by = b'{"type": "Note"}', "https://shop.example/actors/x"
    about: dict[str, Any] = {"type": "Create", "actor": by, "proven": True, "body": body, "error": "KeyError: <b>"}
    now = attic.instance.now()
    made = [Receipt(uri=f"{by}#{one}", received=now, due=now, state="failed", **about) for one in range(number)]
    await attic.does(lambda tx: tx.db.add_all(made))


async def somebody_else(attic: Studio) -> Inhabitant:
    """One who lives here, too, but did not set it up."""
    await lives_at(attic, "bo")
    await gives_a_password(attic, "bo")
    bo = Inhabitant(attic, visiting(attic))
    assert (await bo.logs_in("bo")).status_code == 303
    return bo


async def test_what_waits_for_a_server_that_sleeps_is_told_and_tried_at_once(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    ada = await at_home(attic)
    empty = (await ada.sees("/engine")).text
    fediverse.asleep.add(shop.host)
    for words in ("One", "Two"):
        await says(attic, words)
    await fediverse.settle()

    page = (await ada.sees("/engine")).text
    fediverse.asleep.clear()
    again = await ada.sends_from(page, "/engine/wake")
    await fediverse.settle()

    assert "Nothing waits." in empty
    assert "2 messages wait for shop.example" in page
    assert "Tried 1 time; the next try is on" in page
    assert again.headers["location"] == "/engine"
    assert "Nothing waits." in (await ada.sees("/engine")).text


async def test_a_server_that_was_given_up_is_named_as_such_and_long_lists_have_pages(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    now = attic.instance.now()
    silent = [Lane(host=f"n{one:02}.example", failures=9, parked=now, due=now + timedelta(9)) for one in range(51)]
    await attic.does(lambda tx: tx.db.add_all(silent))
    ada = await at_home(attic)

    first, second = [(await ada.sees(f"/engine{more}")).text for more in ("", "?from=50")]

    assert "Given up on" in first
    assert "n49.example" in first
    assert "n50.example" not in first
    assert "/engine?from=50" in first
    assert "n50.example" in second
    assert (await ada.sees("/engine?from=" + "9" * 50)).status_code == 200
    assert (await ada.sees("/engine?from=-1")).status_code == 200


async def test_what_could_not_be_taken_in_is_tried_again_or_let_go_of(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    await failed(attic, 3)
    ada = await at_home(attic)
    page = (await ada.sees("/engine")).text

    await ada.sends_from(page, "/engine/drop")
    twice = await ada.sends_from(page, "/engine/drop")
    await ada.sends_from(page, "/engine/replay", receipt="1")
    every = await ada.sends_from(page, "/engine/replay", receipt="")

    assert "KeyError: &lt;b&gt;" in page
    assert twice.status_code == 404
    assert every.status_code == 303
    assert [(one.state, bool(one.body)) for one in await attic.knows(Receipt)] == [
        ("waiting", True),
        ("waiting", True),
        ("refused", False),
    ]
    assert "Nothing. All that others sent" in (await ada.sees("/engine")).text


async def test_backups_are_asked_for_until_there_is_a_fresh_one(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    ada = await at_home(attic)
    never = (await ada.sees("/engine")).text
    await attic.does(lambda tx: backups.record(tx, tx.now, "/mnt/usb/attic.backup", 4_200_000))
    saved = (await ada.sees("/engine")).text
    fediverse.later(days=9)
    old = (await ada.sees("/engine")).text

    assert "Never saved." in never
    assert "4.2 MB, encrypted" in saved
    assert "/mnt/usb/attic.backup" in saved
    assert "boxroom backup FILE" not in saved
    assert "too long ago" in old


async def test_what_takes_room_is_told_by_kind(fediverse: Fediverse, tmp_path: Path) -> None:
    attic = await fediverse.studio("attic")
    await uploads(attic, tmp_path / "media", picture(), "red.png")
    await uploads(attic, tmp_path / "media", b"\x00\x01plans", "plans.bin")
    ada = await at_home(attic)

    page = (await ada.sees("/engine")).text

    assert all(words in page for words in ("The database", "Pictures", "Other files", "Free on the disk"))


async def test_it_is_examined_by_whatever_can(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    ada = await at_home(attic)
    assert not any(form.action == "/engine/examine" for form in forms((await ada.sees("/engine")).text))

    async def look() -> Sequence[Finding]:
        return [Finding("disk", "must", "<full>", "make room")]

    attic.app = web.app.create({attic.host: attic.instance}, examine=look)
    ada = await at_home(attic)
    found = (await ada.sends("/engine", "/engine/examine")).text

    assert all(words in found for words in ("&lt;full&gt;", "make room", "Something must be done"))


@pytest.mark.parametrize("act", ["wake", "replay", "drop", "examine", "catch-up", "keys"])
async def test_only_whoever_runs_the_server_touches_its_engine(fediverse: Fediverse, act: str) -> None:
    attic = await fediverse.studio("attic")
    await failed(attic)
    bo = await somebody_else(attic)

    page = (await bo.sees("/engine")).text
    token = forms(page)[0].fields["token"]
    answer = await bo.client.post(f"/engine/{act}", data={"token": token, "receipt": "1"}, headers=BROWSER)
    forged = await bo.client.post(f"/engine/{act}", data={"token": "0" * 64, "receipt": "1"}, headers=BROWSER)

    assert "Who holds your mail" in page
    assert not any(words in page for words in ("On its way", "KeyError", "Never saved"))
    assert (answer.status_code, forged.status_code) == (403, 403)
    assert "@attic, who runs this server" in answer.text
    assert [one.state for one in await attic.knows(Receipt)] == ["failed"]


@pytest.mark.parametrize("typed", ["", "x", "²", "9" * 30, "-1", "99"])
async def test_what_is_not_there_is_not_let_go_of(fediverse: Fediverse, typed: str) -> None:
    attic = await fediverse.studio("attic")
    await failed(attic)
    ada = await at_home(attic)

    assert (await ada.sends("/engine", "/engine/drop", receipt=typed)).status_code == 404
    assert (await ada.sends("/engine", "/engine/replay", receipt=typed or "y")).status_code == 404
    assert [one.state for one in await attic.knows(Receipt)] == ["failed"]


async def test_two_hold_mail_for_each_other(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    ada, bo = await at_home(attic), await at_home(shop)

    await ada.sends("/engine", "/buddies/ask", asked=f"@{shop.address}")
    await fediverse.settle()
    asked, asking = (await ada.sees("/engine")).text, (await bo.sees("/engine")).text
    await bo.sends_from(asking, "/buddies/accept")
    await fediverse.settle()
    agreed, holding = (await ada.sees("/engine")).text, (await bo.sees("/engine")).text
    await ada.sends_from(agreed, "/buddies/drop")
    await fediverse.settle()

    assert "They have not answered yet" in asked
    assert "Asks you to hold their mail" in asking
    assert "cannot read it" in agreed
    assert "0 letters lie here for them" in holding
    assert await attic.knows(Buddy) == await shop.knows(Buddy) == []


async def test_one_who_rather_would_not_hold_it_declines(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    await attic.meets(shop)
    await attic.does(lambda tx: buddies.ask(tx, attic.uri, shop.uri).uri)
    await fediverse.settle()
    bo = await at_home(shop)

    await bo.sends("/engine", "/buddies/decline")
    await fediverse.settle()

    assert await attic.knows(Buddy) == []


@pytest.mark.parametrize("asked", ["", "nobody", "@a@gone.example", "attic@attic.example", "\x00"])
async def test_who_cannot_be_asked_is_told_why_and_what_was_typed_is_kept(fediverse: Fediverse, asked: str) -> None:
    attic = await fediverse.studio("attic")
    ada = await at_home(attic)

    answer = await ada.sends("/engine", "/buddies/ask", asked=asked)

    form = next(one for one in forms(answer.text) if one.action == "/buddies/ask")
    assert answer.status_code == 422
    assert "They were not asked" in answer.text
    assert form.fields["asked"] == asked.replace("\0", "")


# --- What was missed, and keys -------------------------------------------------------------------------------------


async def test_everybody_is_asked_again_what_they_said(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    await attic.follows(shop)
    await fediverse.settle()
    ada = await at_home(attic)

    done = await ada.sends("/engine", "/engine/catch-up", days="3")
    page = (await ada.sees(done.headers["location"])).text
    too_long = await ada.sends("/engine", "/engine/catch-up", days="61")

    assert "They are asked now" in page
    assert re.search(r"[1-9]\d* (is|are) still to be asked", page)
    assert too_long.status_code == 400
    assert "Name one to 60 days." in too_long.text


@pytest.mark.proves("P-078")
@pytest.mark.parametrize(("stolen", "kept"), [("", 2), ("yes", 0)])
async def test_all_who_live_here_get_new_keys_at_once_or_after_a_day(
    fediverse: Fediverse, stolen: str, kept: int
) -> None:
    attic, shop = await neighbours(fediverse)
    ada = await at_home(attic)
    await shop.follows(attic)
    await fediverse.settle()
    before = await signing(attic)

    await ada.sends("/engine", "/engine/keys", stolen=stolen)
    now = await signing(attic)
    again = await ada.sends("/engine", "/engine/keys", stolen="")
    await says(attic, "Signed anew.")
    await fediverse.settle()
    fediverse.later(hours=1)  # whose keys were asked for just now is not asked again at once
    await fediverse.settle()

    assert len(now & before) == kept
    assert len(now - before) == 2
    assert ("new keys were made within the last day" in again.text) is not bool(stolen)
    assert "Signed anew." in str([one.document for one in await shop.knows(Object)])


async def signing(studio: Studio) -> set[str]:
    """The keys with which whoever lives there may sign."""
    found = await studio.knows(Key)
    return {one.id for one in found if one.owner == studio.uri and not one.retired and one.use != SEALING}
