"""Finding people and what they said: a name leads back to its owner, and no chain of requests is endless."""

from __future__ import annotations

from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from activitypub.document import Json
from activitypub.errors import Forbidden, Malformed, ProtocolError
from activitypub.webfinger import Address
from federation import discovery, known
from federation.client import Client, Gone, Unreachable
from federation.discovery import Budget, Exhausted
from federation.tables import Actor, BlockedDomain, Object
from tests.federation.stranger import ACTIVITY_JSON, AS2, Stranger
from tests.fediverse import Fediverse, Studio

WEBFINGER = "/.well-known/webfinger"


class Named(Stranger):
    """A server that says of each of its `names` whose it is."""

    def names(self, subject: str, uri: str, asked: str | None = None) -> None:
        """Let `asked`, or else `subject`, lead to `uri`; both are like ``ada@attic.example``."""
        links = [{"rel": "self", "type": ACTIVITY_JSON, "href": uri}]
        self.jrds[asked or subject] = {"subject": f"acct:{subject}", "links": links}

    @property
    def jrds(self) -> dict[str, Json]:
        self.__dict__.setdefault("_jrds", {})
        found: dict[str, Json] = self.__dict__["_jrds"]
        return found

    def answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.path != WEBFINGER or WEBFINGER in self.documents:
            return super().answer(request)
        jrd = self.jrds.get(request.url.params["resource"].removeprefix("acct:"))
        return httpx.Response(200, content=msgspec.json.encode(jrd)) if jrd else httpx.Response(404)


@pytest.fixture
async def attic(fediverse: Fediverse) -> Studio:
    return await fediverse.studio("attic")


@pytest.fixture
def social(fediverse: Fediverse) -> Named:
    return Named(fediverse)


async def finds(studio: Studio, text: str) -> Actor:
    found = await discovery.lookup(studio.instance, text)
    assert isinstance(found, Actor)
    return found


async def address_of(studio: Studio, uri: str) -> str | None:
    return next(one.address for one in await studio.knows(Actor) if one.uri == uri)


# --- Names -------------------------------------------------------------------------------------------------------


@pytest.mark.proves("P-017")
@pytest.mark.parametrize("text", ["dora@social.example", "@dora@social.example", " acct:dora@SOCIAL.example "])
async def test_a_name_leads_to_its_owner_and_back(
    attic: Studio, social: Named, fediverse: Fediverse, text: str
) -> None:
    dora = social.actor("dora")
    social.names("dora@social.example", dora)

    found = await finds(attic, text)
    asked = len(fediverse.requests)
    again = await finds(attic, text)

    assert (found.uri, found.address) == (again.uri, again.address) == (dora, "dora@social.example")
    assert len(fediverse.requests) == asked  # who is known is not asked for again
    first = next(one for one in fediverse.requests if one.url.path == WEBFINGER)
    assert (first.url.scheme, first.headers["accept"]) == ("https", "application/jrd+json, application/json")


@pytest.mark.proves("P-017")
async def test_a_name_that_goes_by_another_is_found_under_the_other(attic: Studio, social: Named) -> None:
    dora = social.actor("dora")
    social.names("dora@social.example", dora)
    social.names("dora@social.example", dora, asked="nickname@social.example")

    found = await finds(attic, "nickname@social.example")

    assert (found.uri, found.address) == (dora, "dora@social.example")


@pytest.mark.proves("P-017")
async def test_a_name_may_be_at_another_domain_than_its_server(
    attic: Studio, social: Named, fediverse: Fediverse
) -> None:
    """A split domain: the server calls everyone by the shorter domain, and that one agrees."""
    dora = social.actor("dora")
    short = Named(fediverse, "short.example")
    for server in (short, social):
        server.names("dora@short.example", dora, asked=f"dora@{server.host}")

    by_either = [(await finds(attic, f"dora@{one.host}")).address for one in (social, short)]

    assert by_either == ["dora@short.example"] * 2


@pytest.mark.proves("P-017")
async def test_there_is_no_third_name(attic: Studio, social: Named) -> None:
    dora = social.actor("dora")
    social.names("second@social.example", dora, asked="first@social.example")
    social.names("third@social.example", dora, asked="second@social.example")
    social.names("third@social.example", dora)

    with pytest.raises(Malformed, match="answers in another name"):
        await finds(attic, "first@social.example")

    assert social.asked == [WEBFINGER] * 2


@pytest.mark.proves("P-017", "P-324")
async def test_a_stranger_cannot_give_itself_the_name_of_another(
    attic: Studio, social: Named, fediverse: Fediverse
) -> None:
    evil = Named(fediverse, "evil.example", key=3)
    mallory = evil.actor("dora", webfinger="dora@social.example")
    evil.names("dora@social.example", mallory, asked="dora@evil.example")
    social.names("dora@social.example", social.actor("dora"))

    found = await finds(attic, "dora@evil.example")
    await discovery.fetch(attic.instance, mallory)
    await discovery.confirm_address(attic.instance, mallory)

    assert found.uri == f"{social.home}/dora"  # evil.example says that this is who it means
    assert await address_of(attic, mallory) is None
    assert await address_of(attic, found.uri) == "dora@social.example"


@pytest.mark.proves("P-017")
async def test_an_actor_whose_name_leads_to_somebody_else_is_not_found_by_it(attic: Studio, social: Named) -> None:
    dora, emil = social.actor("dora"), social.actor("emil")
    social.names("dora@social.example", emil)
    social.names("emil@social.example", dora)

    with pytest.raises(Malformed, match="does not lead back"):
        await finds(attic, "dora@social.example")


@pytest.mark.proves("P-017")
async def test_an_actor_that_calls_itself_another_is_not_the_one_that_was_named(attic: Studio, social: Named) -> None:
    social.names("dora@social.example", f"{social.home}/alias")
    social.actor("dora")
    social.documents["/alias"] = social.documents["/dora"]

    with pytest.raises(Malformed, match="address of no actor"):
        await finds(attic, "dora@social.example")


@pytest.mark.proves("P-018")
async def test_the_name_that_an_actor_states_comes_before_the_one_that_it_seems_to_have(
    attic: Studio, social: Named, fediverse: Fediverse
) -> None:
    other = Named(fediverse, "dora.example")
    dora = social.actor("dora", webfinger="me@dora.example")
    social.names("dora@social.example", dora)
    other.names("me@dora.example", dora)

    found = await finds(attic, dora)
    proven = await discovery.confirm_address(attic.instance, found.uri)

    assert proven == await address_of(attic, dora) == "me@dora.example"


@pytest.mark.proves("P-324")
async def test_a_name_that_passes_to_another_is_no_longer_the_first_ones(attic: Studio, social: Named) -> None:
    first, second = social.actor("dora"), social.actor("dora2", preferredUsername="dora")
    social.names("dora@social.example", first)
    await finds(attic, "dora@social.example")
    social.names("dora@social.example", second)
    await discovery.fetch(attic.instance, second)

    await discovery.confirm_address(attic.instance, second)

    assert [await address_of(attic, uri) for uri in (first, second)] == [None, "dora@social.example"]


async def test_a_name_stays_while_its_server_cannot_be_asked(
    attic: Studio, social: Named, fediverse: Fediverse
) -> None:
    dora = social.actor("dora")
    social.names("dora@social.example", dora)
    await finds(attic, "dora@social.example")
    fediverse.asleep.add(social.host)

    await discovery.confirm_address(attic.instance, dora)
    asleep = await address_of(attic, dora)
    fediverse.asleep.clear()
    social.jrds.clear()
    await discovery.confirm_address(attic.instance, dora)

    assert (asleep, await address_of(attic, dora)) == ("dora@social.example", None)


@pytest.mark.proves("P-324")
async def test_names_that_look_alike_are_not_the_same(attic: Studio, social: Named, fediverse: Fediverse) -> None:
    """The first letter of the second host is Cyrillic."""
    social.names("dora@social.example", social.actor("dora"))
    alike = Named(fediverse, "xn--ocial-g2e.example", key=3)
    alike.names("dora@xn--ocial-g2e.example", alike.actor("dora"))

    real, other = await finds(attic, "dora@social.example"), await finds(attic, "dora@ѕocial.example")

    assert real.uri != other.uri
    assert other.address == "dora@xn--ocial-g2e.example"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (404, Gone),
        (410, Gone),
        (500, Unreachable),
        (403, Unreachable),
        (httpx.Response(200, text="<html>"), Malformed),
        (httpx.Response(203, json={"subject": "acct:dora@social.example"}), Unreachable),
        ({"subject": "acct:dora@social.example"}, Malformed),
        ({"subject": "acct:dora", "links": []}, Malformed),
        ({"links": [{"rel": "self", "type": "text/html", "href": "https://social.example/dora"}]}, Malformed),
    ],
)
async def test_what_leads_nowhere_is_said_in_an_error(
    attic: Studio, social: Named, answer: Any, error: type[Exception]
) -> None:
    social.documents[WEBFINGER] = answer

    with pytest.raises(error):
        await finds(attic, "dora@social.example")


@pytest.mark.parametrize("text", ["dora", "", "@", "dora@", "dora@soc ial.example", "dora@[::1]", "a" * 9000])
async def test_what_is_no_address_is_asked_of_nobody(attic: Studio, fediverse: Fediverse, text: str) -> None:
    with pytest.raises(ProtocolError):
        await finds(attic, text)

    assert not fediverse.requests


async def test_a_blocked_domain_is_not_even_asked(attic: Studio, social: Named, fediverse: Fediverse) -> None:
    def block(tx: Any) -> None:
        tx.db.add(BlockedDomain(host=social.host, since=tx.now))
        tx.wakes("blocks")

    await attic.does(block)

    for text in ("dora@social.example", social.actor("dora")):
        with pytest.raises(Forbidden, match="blocked"):
            await finds(attic, text)
    assert not fediverse.requests


@pytest.mark.proves("P-108")
async def test_our_own_are_found_here_and_never_asked_for(attic: Studio, fediverse: Fediverse) -> None:
    ours = [await finds(attic, text) for text in ("attic@attic.example", attic.uri)]

    for text in (f"{attic.home}/actors/nobody", "nobody@attic.example", f"{attic.home}:443/x"):
        with pytest.raises((Forbidden, Gone)):
            await finds(attic, text)
    assert {one.uri for one in ours} == {attic.uri}
    assert not fediverse.requests


async def test_on_a_private_network_an_address_may_have_a_port(attic: Studio, fediverse: Fediverse) -> None:
    """As in a demonstration on one machine."""
    near = Named(fediverse, "127.0.0.1:8001")
    near.names("dora@127.0.0.1:8001", near.actor("dora"))
    wires = attic.instance.client.transport
    attic.instance.client = Client(wires, attic.home, attic.instance.now, agent="Boxroom/1", allow_private=True)

    found = await finds(attic, "@dora@127.0.0.1:8001")

    assert (found.host, found.address) == ("127.0.0.1:8001", "dora@127.0.0.1:8001")


async def test_the_resolver_says_which_name_is_the_true_one(attic: Studio, social: Named) -> None:
    dora = social.actor("dora")
    social.names("Dora@social.example", dora, asked="dora@social.example")
    social.names("Dora@social.example", dora)

    found = await discovery.resolve(attic.instance, Address.parse("dora@social.example"))

    assert found == (dora, Address("Dora", "social.example"))


# --- Pages -------------------------------------------------------------------------------------------------------


def page(link: str, status: int = 200) -> httpx.Response:
    head = f"<!doctype html><html><head><title>Dora</title>{link}</head><body>Hello</body></html>"
    return httpx.Response(status, headers={"content-type": "text/html"}, text=head)


@pytest.mark.parametrize(
    "link",
    [
        '<link rel="alternate" type="application/activity+json" href="https://social.example/dora">',
        '<link rel="alternate" type="application/activity+json" href="/dora"/>',
        "<LINK REL='nofollow Alternate' TYPE='application/activity+json' HREF='dora'>",
        f'<link rel="alternate" type=\'application/ld+json; profile="{AS2}"\' href="dora">',
        '<link rel="alternate" type="application/rss+xml" href="/feed">'
        '<link rel="alternate" type="application/activity+json" href="/dora">',
    ],
)
async def test_the_page_about_somebody_leads_to_them(attic: Studio, social: Named, link: str) -> None:
    dora = social.actor("dora")
    social.documents["/@dora"] = page(link)

    found = await finds(attic, f"{social.home}/@dora")

    assert found.uri == dora


@pytest.mark.parametrize(
    "answer",
    [
        page(""),
        page('<link rel="alternate" type="application/activity+json" href="/dora">', status=203),
        page('<link rel="stylesheet" type="application/activity+json" href="/dora">'),
        page('<link rel="alternate" type="application/activity+json">'),
        page('<link rel="alternate" type="application/activity+json" href="https://[oops/dora">'),
        page('<link rel="alternate" type="application/activity+json" href="javascript:alert(1)">'),
        page('<link rel="alternate" type="application/activity+json" href="/@dora">'),
        page("<![nonsense[ <link rel=alternate>"),
    ],
)
async def test_a_page_that_leads_nowhere_says_so(attic: Studio, social: Named, answer: httpx.Response) -> None:
    social.actor("dora")
    social.documents["/@dora"] = answer

    with pytest.raises((ProtocolError, Unreachable)):
        await finds(attic, f"{social.home}/@dora")


async def test_a_page_about_an_error_is_no_page_about_anybody(
    attic: Studio, social: Named, fediverse: Fediverse
) -> None:
    dora = social.actor("dora")

    def answer(request: httpx.Request) -> httpx.Response:
        for_people = request.headers["accept"] == "text/html"
        link = f'<link rel="alternate" type="{ACTIVITY_JSON}" href="{dora}">'
        return page(link, 404 if for_people else 200) if request.url.path == "/@dora" else social.answer(request)

    fediverse.strangers[social.host] = answer

    with pytest.raises(Malformed):
        await finds(attic, f"{social.home}/@dora")


@given(some.text(some.sampled_from("<>![]-?/&;#='\" alternkrixhfypo\n\0"), max_size=300))
def test_any_page_has_another_form_or_none(text: str) -> None:
    found = discovery.alternate_in(text.encode())

    assert found is None or isinstance(found, str)


# --- Fetching ----------------------------------------------------------------------------------------------------


@pytest.mark.proves("P-104", "P-105")
async def test_what_is_not_on_the_server_of_its_author_is_not_kept(
    attic: Studio, social: Named, fediverse: Fediverse
) -> None:
    social.note("notes/1", "https://other.example/finn")

    with pytest.raises(Forbidden, match="not on the server of its author"):
        await discovery.fetch(attic.instance, f"{social.home}/notes/1")

    assert await attic.knows(Object) == []


@pytest.mark.proves("P-109", "P-311")
async def test_a_thread_that_never_ends_is_followed_only_so_far(
    attic: Studio, social: Named, fediverse: Fediverse
) -> None:
    dora = social.actor("dora")
    budget = discovery.budget(attic.instance)

    def work(tx: Any) -> None:
        raise known.Missing(f"{social.home}/notes/{len(budget.seen)}")

    for number in range(100):
        social.note(f"notes/{number}", dora)
    with pytest.raises(Exhausted):
        await discovery.completing(attic.instance, work, budget)

    assert len(social.asked) == 20


@pytest.mark.proves("P-109", "P-311")
async def test_nothing_is_fetched_twice_for_one_purpose(attic: Studio, social: Named) -> None:
    dora = social.actor("dora")

    def work(tx: Any) -> None:
        raise known.Missing(dora)

    with pytest.raises(Exhausted):
        await discovery.completing(attic.instance, work)

    assert social.asked == ["/dora"]


@pytest.mark.proves("P-109")
def test_a_budget_of_time_ends_too(fediverse: Fediverse) -> None:
    budget = Budget(fediverse.now)

    budget.spend("https://social.example/1", fediverse.now)
    fediverse.later(seconds=1)

    with pytest.raises(Exhausted):
        budget.spend("https://social.example/2", fediverse.now)


@pytest.mark.proves("P-118")
@pytest.mark.parametrize(("status", "exists"), [(200, True), (410, False)])
async def test_an_actor_is_gone_if_its_server_says_so(attic: Studio, social: Named, status: int, exists: bool) -> None:
    dora = social.actor("dora")
    await discovery.fetch(attic.instance, dora)
    if status != 200:
        social.documents["/dora"] = status

    assert await discovery.refresh(attic.instance, dora) is exists


@pytest.mark.proves("P-118")
@pytest.mark.parametrize("status", [404, 500, 401])
async def test_an_actor_that_is_only_not_to_be_had_is_not_gone(attic: Studio, social: Named, status: int) -> None:
    dora = social.actor("dora")
    await discovery.fetch(attic.instance, dora)
    social.documents["/dora"] = status

    with pytest.raises(Unreachable):
        await discovery.refresh(attic.instance, dora)


@pytest.mark.proves("P-331")
@pytest.mark.parametrize(
    "uri",
    [
        "https://social.example/a\nHost: evil.example",
        "https://social.example/a\tb",
        "https://ada@social.example/",
        "https://social.example\\@evil.example/",
        "gopher://social.example/1",
        "data://social.example/1",
        "file:///etc/passwd",
        "https:///x",
    ],
)
async def test_what_is_no_address_is_never_asked_for(attic: Studio, fediverse: Fediverse, uri: str) -> None:
    with pytest.raises(ProtocolError):
        await discovery.lookup(attic.instance, uri)

    assert not fediverse.requests
