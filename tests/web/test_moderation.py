"""Who stays out: people and servers by the browser, words that one would rather miss, lists of others."""

from __future__ import annotations

import pytest

from coop import blocks
from coop.blocks import Block
from coop.filters import Filter
from coop.mutes import Mute
from federation.tables import BlockedDomain
from tests.fediverse import Fediverse, Studio
from tests.web.inhabitants import Inhabitant, at_home, forms
from tests.web.test_collections import says
from tests.web.test_engine import somebody_else
from tests.web.test_people import who
from tests.web.visitors import BROWSER, neighbours

LIST = (
    "#domain,#severity,#reject_media,#reject_reports,#public_comment,#obfuscate\r\n"
    'spam.example,suspend,true,true,"Spam, and more",false\r\n'
    "loud.example,silence,false,false,,false\r\n"
)


async def brings(one: Inhabitant, data: bytes, name: str = "blocks.csv") -> int:
    """Upload a list of servers; the status that answers it."""
    token = forms((await one.sees("/moderation")).text)[0].fields["token"]
    file = {"file": (name, data, "text/csv")}
    answer = await one.client.post("/moderation/servers/list", data={"token": token}, files=file, headers=BROWSER)
    return answer.status_code


async def hosts(studio: Studio) -> dict[str, str]:
    return {one.host: one.reason for one in await studio.knows(BlockedDomain)}


async def test_somebody_is_blocked_and_muted_by_their_address(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    ada = await at_home(attic)

    empty = (await ada.sees("/moderation")).text
    await ada.sends("/moderation", "/moderation", asked=f"@{shop.address}", act="mute")
    muted = (await ada.sees("/moderation")).text
    await ada.sends("/moderation", "/unmute")
    await ada.sends("/moderation", "/moderation", asked=shop.address, act="block")
    blocked = (await ada.sees("/moderation")).text
    rows = await attic.knows(Block)
    await ada.sends("/moderation", "/unblock")

    assert "You block nobody." in empty
    assert "You mute nobody." in empty
    assert "Hear them again" in muted
    assert "Lift the block" in blocked
    assert [one.blocked for one in rows] == [shop.uri]
    assert [*await attic.knows(Mute), *await attic.knows(Block)] == []


@pytest.mark.parametrize(
    ("asked", "act"),
    [("nobody", "block"), ("@a@gone.example", "mute"), ("attic", "block"), ("@attic@attic.example", "mute")],
)
async def test_who_cannot_be_kept_out_is_told_and_what_was_typed_is_kept(
    fediverse: Fediverse, asked: str, act: str
) -> None:
    attic = await fediverse.studio("attic")
    ada = await at_home(attic)

    answer = await ada.sends("/moderation", "/moderation", asked=asked, act=act)
    odd = await ada.sends("/moderation", "/moderation", asked=f"@{attic.address}", act="greet")

    assert (answer.status_code, odd.status_code) == (422, 422)
    assert "Nothing was done" in answer.text
    assert next(one for one in forms(answer.text) if one.action == "/moderation").fields["asked"] == asked


async def test_one_is_muted_on_their_page(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    await attic.follows(shop)
    await fediverse.settle()
    await says(shop, "Ink!")
    await fediverse.settle()
    ada = await at_home(attic)

    await ada.sends(who(shop.uri), "/mute")

    assert "Ink!" not in (await ada.sees("/today")).text
    await ada.sends(who(shop.uri), "/unmute")
    assert "Ink!" in (await ada.sees("/today")).text


async def test_what_says_such_words_is_closed_and_not_quoted(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    await attic.follows(shop)
    await fediverse.settle()
    ada = await at_home(attic)
    await ada.sends("/moderation/words", "/moderation/words", words="Spiders")
    await says(shop, f"@{attic.address} spiders everywhere")
    await says(attic, "No spiders here")
    await fediverse.settle()

    today, news = (await ada.sees("/today")).text, (await ada.sees("/notifications")).text
    await ada.sends("/moderation/words", "/moderation/words/remove")

    assert "Shop says something with “Spiders” in it" in today
    assert "Attic says something" not in today
    assert "everywhere" not in news
    assert ">Read<" in news
    assert await attic.knows(Filter) == []
    assert "says something with" not in (await ada.sees("/today")).text
    assert "everywhere" in (await ada.sees("/notifications")).text


async def test_words_that_are_none_come_back(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    ada = await at_home(attic)

    answer = await ada.sends("/moderation/words", "/moderation/words", words="x" * 101)
    odd = await ada.sends_from(answer.text, "/moderation/words", words="rain")
    gone = await ada.sends("/moderation/words", "/moderation/words/remove", filter="x")

    assert answer.status_code == 422
    form = next(one for one in forms(answer.text) if one.action == "/moderation/words")
    assert form.fields["words"] == "x" * 101
    assert odd.status_code == 303
    assert gone.status_code == 404


async def test_a_server_is_blocked_with_a_reason_and_let_in_again(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    await attic.follows(shop)
    await fediverse.settle()
    ada = await at_home(attic)

    await ada.sends("/moderation/servers", "/moderation/servers", host=" Shop.example ", reason="Ink")
    await says(shop, "Ink!")
    await fediverse.settle()
    page = (await ada.sees("/moderation/servers")).text
    unheard = (await ada.sees("/today")).text
    await ada.sends_from(page, "/moderation/servers/lift")
    wrong = await ada.sends("/moderation/servers", "/moderation/servers", host="not a name", reason="Why")

    assert "1 blocked server<" in page
    assert "Ink!" not in unheard
    assert await hosts(attic) == {}
    assert wrong.status_code == 422
    assert next(one for one in forms(wrong.text) if one.fields.get("host")).fields["reason"] == "Why"


async def test_a_list_comes_in_and_goes_out_with_its_reasons(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    ada = await at_home(attic)

    assert await brings(ada, LIST.encode()) == 303
    assert await brings(ada, b"ads.example\nspam.example\n", "names.txt") == 303
    kept = await hosts(attic)
    file = await ada.sees("/moderation/servers.csv")

    assert kept == {"spam.example": "Spam, and more", "ads.example": ""}
    assert file.headers["content-disposition"] == 'attachment; filename="blocked_domains.csv"'
    assert file.text.splitlines()[0] == LIST.splitlines()[0]
    for host in kept:
        await attic.does(lambda tx, host=host: blocks.unblock_domain(tx, host))  # type: ignore[misc]
    assert await brings(ada, file.content) == 303
    assert await hosts(attic) == kept


@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b"https://spam.example/\n", b"ada@spam.example\n", b'"' * 200_000])
async def test_what_is_no_list_blocks_nobody(fediverse: Fediverse, data: bytes) -> None:
    attic = await fediverse.studio("attic")
    ada = await at_home(attic)

    assert await brings(ada, data) in (303, 422)
    assert await brings(ada, data, "") in (422, 303)
    assert await hosts(attic) == {}


async def test_many_servers_have_several_pages(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    names = [f"n{one:03}.example" for one in range(101)]
    ada = await at_home(attic)
    await brings(ada, "\n".join(names).encode())

    first, second = [(await ada.sees(f"/moderation/servers{more}")).text for more in ("", "?after=n099.example")]

    assert "n099.example" in first
    assert "n100.example" not in first
    assert "n100.example" in second
    assert "101 blocked servers" in second


@pytest.mark.parametrize("act", ["servers", "servers/lift", "servers/list", "reports"])
async def test_what_concerns_all_is_for_whoever_runs_the_server(fediverse: Fediverse, act: str) -> None:
    attic = await fediverse.studio("attic")
    bo = await somebody_else(attic)
    page = (await bo.sees("/moderation")).text
    token = forms(page)[0].fields["token"]

    answer = await bo.client.post(f"/moderation/{act}", data={"token": token, "host": "a.example"}, headers=BROWSER)
    read = [(await bo.sees(f"/moderation/{one}")).status_code for one in ("servers", "servers.csv", "reports")]
    forged = await bo.client.post(f"/moderation/{act}", data={"token": "0" * 64, "host": "a.example"}, headers=BROWSER)

    assert "/moderation/servers" not in page
    assert answer.status_code == forged.status_code == 403
    assert read == [403, 403, 403]
    assert await hosts(attic) == {}
