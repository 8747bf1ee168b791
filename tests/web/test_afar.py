"""From one's own server: visitors find the page there on which they follow or answer; those from here come back."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import quote

import httpx
import msgspec
import pytest

from activitypub.document import Json
from coop import offers, posts, profiles
from coop.posts import Draft
from tests.fediverse import Fediverse, Studio
from tests.web.inhabitants import at_home, forms
from tests.web.pages import Reader, check_harmless
from tests.web.visitors import BROWSER, ask, visiting

SUBSCRIBE = "http://ostatus.org/schema/1.0/subscribe"
FAR = "far.example"
HOSTILE = [
    "javascript:alert(1)//{uri}",
    "data:text/html,{uri}",
    "http://far.example/authorize?uri={uri}",
    "https://evil.example/authorize?uri={uri}",
    "https://far.example@evil.example/?uri={uri}",
    "https://far.example.evil.example/?uri={uri}",
    "https://far.example:444/?uri={uri}",
    "https://{uri}/",
    "//far.example/?uri={uri}",
    "/authorize?uri={uri}",
    "https://far.example/authorize",
    "https://far.example/\n{uri}",
    "",
    17,
    None,
]


def names(template: object) -> Json:
    return {"subject": f"acct:me@{FAR}", "links": [{"rel": SUBSCRIBE, "template": template}]}


def answering(fediverse: Fediverse, jrd: object, host: str = FAR) -> None:
    """Have `host` answer so to whoever asks for anybody there."""
    body = jrd if isinstance(jrd, bytes) else msgspec.json.encode(jrd)
    fediverse.strangers[host] = lambda request: httpx.Response(200, content=body, request=request)


async def asks(studio: Studio, about: str, address: str, client: str = "127.0.0.1", **headers: str) -> httpx.Response:
    async with visiting(studio, client) as one:
        given = {**BROWSER, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return await one.post("/way", data={"about": about, "address": address}, headers=given)


def ways(page: str) -> list[str]:
    """Where the page would have somebody go."""
    return [attrs["href"] or "" for tag, attrs in Reader(page).tags if tag == "a" and attrs.get("class") == "button"]


async def test_a_visitor_goes_on_at_their_own_server(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    answering(fediverse, names("https://far.example/authorize_interaction?uri={uri}"))
    [form] = [one for one in forms((await ask(attic, "/@attic", BROWSER)).text) if one.action == "/way"]

    answer = await asks(attic, form.fields["about"], "@me@far.example")

    assert form.fields["about"] == attic.uri
    assert ways(answer.text) == [f"https://far.example/authorize_interaction?uri={quote(attic.uri, safe='')}"]
    assert "location" not in answer.headers
    assert answer.headers["cache-control"] == "private, no-store"
    check_harmless(answer.text, attic.home)


async def test_from_studio_to_studio_it_takes_two_clicks(fediverse: Fediverse) -> None:
    attic, shop = await fediverse.studio("attic"), await fediverse.studio("shop")
    await attic.does(lambda tx: posts.publish(tx, attic.uri, Draft("Ink!")))
    [way] = ways((await asks(attic, attic.uri, shop.address)).text)
    bo = await at_home(shop)

    stranger = await bo.sees(way)
    page = (await bo.sees(stranger.headers["location"])).text
    found = await bo.sends_from(page, "/people/find")
    known = await bo.sees(way)
    await bo.sends(known.headers["location"], "/follow")
    await fediverse.settle()

    assert found.headers["location"] == known.headers["location"] == f"/who?is={quote(attic.uri, safe='')}"
    assert "Stop following" in (await bo.sees(known.headers["location"])).text


@pytest.mark.parametrize("what", ["post", "offer"])
async def test_a_post_and_an_offer_are_answered_from_there(fediverse: Fediverse, what: str) -> None:
    attic, shop = await fediverse.studio("attic"), await fediverse.studio("shop")
    draft = offers.Draft("offer", "Maps", "By the day")
    if what == "post":
        uri = await attic.does(lambda tx: posts.publish(tx, attic.uri, Draft("Maps")).uri)
    else:
        uri = await attic.does(lambda tx: offers.open(tx, attic.uri, draft).uri)
    [form] = [one for one in forms((await ask(attic, uri, BROWSER)).text) if one.action == "/way"]
    bo = await at_home(shop)

    [way] = ways((await asks(attic, form.fields["about"], shop.address)).text)
    page = (await bo.sees((await bo.sees(way)).headers["location"])).text
    found = await bo.sends_from(page, "/people/find")

    assert found.headers["location"].startswith("/read?of=" if what == "post" else "/offer?is=")
    assert "Maps" in (await bo.sees(found.headers["location"])).text


async def test_who_lives_here_needs_no_other_server(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    uri = await attic.does(lambda tx: posts.publish(tx, attic.uri, Draft("Ink!")).uri)

    answer = await asks(attic, uri, attic.address)
    page = (await ask(attic, answer.headers["location"], BROWSER)).text
    ada = await at_home(attic)

    assert answer.headers["location"] == f"/authorize?uri={quote(uri, safe='')}"
    assert ways(page) == [f"/login?next={quote(answer.headers['location'], safe='/')}"]
    assert (await ada.sees(answer.headers["location"])).headers["location"] == f"/read?of={quote(uri, safe='')}"


@pytest.mark.proves("P-330")
@pytest.mark.parametrize("template", HOSTILE)
async def test_nobody_is_led_to_a_server_that_is_not_theirs(fediverse: Fediverse, template: object) -> None:
    attic = await fediverse.studio("attic")
    answering(fediverse, names(template))

    answer = await asks(attic, attic.uri, "me@far.example")

    assert answer.status_code == 422
    assert ways(answer.text) == []
    assert "names no page of its own" in answer.text
    assert f"<code>{attic.uri}</code>" in answer.text
    assert next(one for one in forms(answer.text)).fields["address"] == "me@far.example"
    check_harmless(answer.text, attic.home)


async def test_who_answers_for_an_address_elsewhere_is_where_it_leads(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    moved = {"location": "https://social.far.example/.well-known/webfinger"}
    fediverse.strangers[FAR] = lambda request: httpx.Response(302, headers=moved, request=request)
    answering(fediverse, names("https://social.far.example/authorize?uri={uri}"), "social.far.example")

    [way] = ways((await asks(attic, attic.uri, "me@far.example")).text)

    assert way.startswith("https://social.far.example/authorize?uri=https%3A%2F%2Fattic.example")


@pytest.mark.parametrize(
    "address", ["", "me", "@me", "me@", "https://far.example/@me", "me@nowhere.example", "me@127.0.0.1", "x" * 9000]
)
async def test_an_address_that_leads_nowhere_comes_back(fediverse: Fediverse, address: str) -> None:
    attic = await fediverse.studio("attic")

    answer = await asks(attic, attic.uri, address)

    assert answer.status_code == 422
    assert "We cannot lead you there" in answer.text
    assert next(one for one in forms(answer.text)).fields["address"] == address[:2000]


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b'{"links": 3}', b'{"links": [[], null, "x"]}'])
async def test_whatever_a_server_answers_is_answered_in_words(fediverse: Fediverse, body: bytes) -> None:
    attic = await fediverse.studio("attic")
    answering(fediverse, body)

    answer = await asks(attic, attic.uri, "me@far.example")

    assert (answer.status_code, ways(answer.text)) == (422, [])


@pytest.mark.proves("P-330")
@pytest.mark.parametrize(
    "about", ["", "https://evil.example/pay", "https://attic.example.evil.example/", "/@attic", "https://attic.example"]
)
async def test_a_page_of_ours_speaks_for_nothing_else(fediverse: Fediverse, about: str) -> None:
    attic = await fediverse.studio("attic")
    answering(fediverse, names("https://far.example/authorize?uri={uri}"))

    answers = [await asks(attic, about, "me@far.example"), await ask(attic, f"/way?about={quote(about)}", BROWSER)]

    assert [answer.status_code for answer in answers] == [400, 400]
    assert fediverse.requests == []


async def test_no_other_page_has_browsers_ask_for_servers(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    answering(fediverse, names("https://far.example/authorize?uri={uri}"))

    for headers in ({"origin": "https://evil.example"}, {"sec_fetch_site": "cross-site"}):
        assert (await asks(attic, attic.uri, "me@far.example", **headers)).status_code == 403

    assert fediverse.requests == []


async def test_neither_one_visitor_nor_many_make_us_ask_without_end(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    answering(fediverse, names("https://far.example/authorize?uri={uri}"))
    for number in range(20):
        answering(fediverse, names(f"https://h{number}.example/a?uri={{uri}}"), f"h{number}.example")

    alone = [(await asks(attic, attic.uri, f"me@h{n}.example", "198.51.100.1")).status_code for n in range(12)]
    many = [(await asks(attic, attic.uri, "me@far.example", f"203.0.113.{n}")).status_code for n in range(12)]
    other = await asks(attic, attic.uri, "me@h19.example", "198.51.100.2")

    assert alone == many == [200] * 10 + [429] * 2
    assert other.status_code == 200
    assert len(fediverse.requests) == 21


async def test_who_wants_no_visitors_from_a_domain_does_not_ask_it(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    from coop import blocks

    answering(fediverse, names("https://far.example/authorize?uri={uri}"))
    await attic.does(lambda tx: blocks.block_domain(tx, FAR))

    answer = await asks(attic, attic.uri, "me@far.example")

    assert answer.status_code == 422
    assert fediverse.requests == []


async def test_what_others_say_stays_text(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    ada = profiles.Changes(name="<script>alert(1)</script>")
    await attic.does(lambda tx: profiles.edit(tx, attic.uri, ada))

    answer = await asks(attic, attic.uri, '"><script>@far.example')

    check_harmless(answer.text, attic.home)
    assert re.search(r'value="([^"]*)" placeholder', answer.text)
    assert unescape(next(one for one in forms(answer.text)).fields["address"]) == '"><script>@far.example'
