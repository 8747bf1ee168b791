"""Fetching what other servers have: over real sockets, and however badly they behave."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as some
from yarl import URL

from activitypub import keys, signatures
from activitypub.errors import Forbidden, Malformed, ProtocolError
from activitypub.message import Request
from federation.client import Client, Gone, Refused, Signer, Unreachable, transport
from federation.transport import Response, Transport
from tests.federation.peer import AS2, QUICK, START, Asked, Peer, asking, certificate, document, listening, reply, tls
from tests.wires import Wires

SIGNER = Signer("https://home.example/actor#main-key", keys.new_rsa())


@pytest.fixture
async def attic() -> AsyncIterator[Peer]:
    async with listening(Peer("attic.example")) as peer:
        yield peer


@pytest.fixture
async def cellar() -> AsyncIterator[Peer]:
    async with listening(Peer("cellar.example")) as peer:
        yield peer


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with asking() as client:
        yield client


def redirect(to: str, status: int = 302) -> bytes:
    return reply(status, Location=to)


def ada(peer: Peer, path: str = "/ada") -> bytes:
    return document(f'{{"id": "{peer.url(path)}", "type": "Person"}}')


# What is sent


@pytest.mark.proves("P-060", "P-168", "P-172")
async def test_a_fetch_is_signed_and_says_who_asks_for_what(attic: Peer, client: Client) -> None:
    attic.answers["/ada"] = ada(attic)

    found = await client.document(attic.url("/ada?v=1").removesuffix("?v=1"), SIGNER)

    [asked] = attic.asked
    assert found.type == "Person"
    assert asked.headers["accept"] == f'{AS2}, application/ld+json; profile="https://www.w3.org/ns/activitystreams"'
    assert asked.headers["accept-encoding"] == "gzip"
    assert asked.headers["user-agent"] == "Boxroom/1"
    assert asked.headers["host"] == f"attic.example:{attic.port}"
    assert verifies(asked)


@pytest.mark.proves("P-060")
async def test_who_verifies_without_the_query_gets_a_signature_without_it(attic: Peer, client: Client) -> None:
    def only_without_query(asked: Asked) -> bytes:
        return reply(200 if verifies(asked, asked.target.partition("?")[0]) else 401)

    attic.answers["/page"] = only_without_query

    answer = await client.get(attic.url("/page?n=2"), SIGNER)

    assert answer.status == 200
    assert [asked.target for asked in attic.asked] == ["/page?n=2"] * 2
    assert attic.asked[0].headers["date"] != attic.asked[1].headers["date"]


@pytest.mark.proves("P-071")
async def test_who_wants_the_other_dialect_gets_it_on_a_fetch_too(attic: Peer, client: Client) -> None:
    attic.answers["/ada"] = lambda asked: reply(200 if asked.scheme == "rfc9421" else 401)

    assert (await client.get(attic.url("/ada"), SIGNER)).status == 200
    assert [asked.scheme for asked in attic.asked] == ["cavage", "rfc9421"]


async def test_who_refuses_every_dialect_is_taken_at_its_first_word(attic: Peer, client: Client) -> None:
    attic.answers["/ada"] = lambda asked: reply(401 if asked.scheme == "cavage" else 400)

    with pytest.raises(Refused) as caught:
        await client.document(attic.url("/ada"), SIGNER)

    assert caught.value.status == 401


def verifies(asked: Asked, target: str | None = None) -> bool:
    origin = f"http://{asked.headers['host']}"
    request = Request(asked.method, origin, target or asked.target, asked.headers, asked.body)
    with suppress(ProtocolError):
        signatures.read(request, START).verify(SIGNER.key.public_key())
        return True
    return False


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(some.text(max_size=30))
@example("/a%7Eb/%2F/%C3%A9?x=%20+&y='()[]|")
@example("/\u00fc/../b//c;d=1?#x")
async def test_what_is_signed_is_what_is_sent(attic: Peer, path: str) -> None:
    attic.asked.clear()

    async with asking() as client:
        with suppress(ProtocolError):
            await client.get(attic.url("/" + path), SIGNER)

    assert all(verifies(asked) for asked in attic.asked if asked.scheme == "cavage" and "?" not in asked.target)
    assert all(any(verifies(asked, way) for way in ways(asked)) for asked in attic.asked)


def ways(asked: Asked) -> list[str]:
    return [asked.target, asked.target.partition("?")[0]]


# Where it may go


@pytest.mark.proves("P-331", "P-306")
@pytest.mark.parametrize(
    "uri",
    [
        "",
        "attic.example/ada",
        "/ada",
        "file:///etc/passwd",
        "data:application/activity+json,{}",
        "gopher://attic.example/",
        "ftp://attic.example/",
        "https://",
        "https:///ada",
        "https://ada@attic.example/",
        "https://attic.example:0x50/",
        "https://attic.example:99999/",
        "https://attic%2eexample/",
        "https://127%2e0%2e0%2e1/",
        "https://attic.example\\@cellar.example/",
        "https://attic.example/a\r\nX-Injected: 1",
        "https://attic.example/a\nb",
        "https://attic.example/a\tb",
        "https://attic.example/a\x00b",
        "https://attic.example/\u202e",
        "https://[::1/",
        "https://[fe80::1%25eth0]/",
        "https://.example/",
        "https://xn--7a.example/",
        "https://\u00a1.example/",
        "https://-/" + "a" * 10 + " b",
    ],
)
async def test_what_is_no_web_address_is_not_asked_for(uri: str, client: Client) -> None:
    with pytest.raises((Malformed, Unreachable)):
        await client.get(uri)


@pytest.mark.proves("P-331", "P-100")
@pytest.mark.parametrize("host", ["a..b", "a..", "..", f"{'x' * 64}.example", f"www.{'x' * 64}", f"{'ä' * 60}.example"])
async def test_a_name_that_nobody_could_look_up_is_not_looked_up(host: str, client: Client) -> None:
    with pytest.raises(Malformed):
        await client.get(f"https://{host}/")


@pytest.mark.proves("P-331")
@pytest.mark.parametrize("host", [f"{'x' * 63}.example", "a_b.example", "attic.example.", "[::1]", "ä.example"])
async def test_all_other_names_are_looked_up(host: str, client: Client) -> None:
    with pytest.raises(Unreachable):
        await client.get(f"https://{host}:1/")


async def test_what_the_network_cannot_make_sense_of_is_out_of_reach() -> None:
    async with asking(Puzzled()) as client:
        with pytest.raises(Unreachable, match=r"attic\.example"):
            await client.get("https://attic.example/")


class Puzzled(Wires):
    async def carry(self, request: httpx.Request) -> httpx.Response:
        raise UnicodeError("label empty or too long")


@pytest.mark.proves("P-331")
async def test_escaped_line_breaks_stay_escaped(attic: Peer, client: Client) -> None:
    await client.get(attic.url("/a%0d%0aX-Injected:%201"))

    [asked] = attic.asked
    assert asked.target.lower() == "/a%0d%0ax-injected:%201"
    assert "x-injected" not in asked.headers


@pytest.mark.proves("P-306", "P-331")
@settings(max_examples=300, deadline=None)
@given(some.text() | some.builds("https://{}/{}".format, some.text(), some.text()))
async def test_an_odd_address_leads_to_an_error_of_ours_and_nowhere(uri: str) -> None:
    async with asking(Nowhere()) as client:
        with suppress(ProtocolError, Unreachable):
            await client.get(uri)


class Nowhere(Wires):
    """Knows `attic.example`, which redirects; and the internet, with the guard at its door."""

    def __init__(self, location: str = "", outside: Transport | None = None) -> None:
        self.location, self.outside = location, outside

    @asynccontextmanager
    async def request(
        self, method: str, url: URL, headers: dict[str, str], body: bytes | None = None
    ) -> AsyncIterator[Response]:
        inside = self.outside is None or url.host == "attic.example"
        way: Transport = super() if inside else self.outside  # type: ignore[assignment]
        async with way.request(method, url, headers, body) as response:
            yield response

    async def carry(self, request: httpx.Request) -> httpx.Response:
        if request.url.host == "attic.example":
            return httpx.Response(302, headers=[(b"location", self.location.encode())])
        raise httpx.ConnectError("no route to host")

    async def close(self) -> None:
        if self.outside:
            await self.outside.close()


def careful(location: str = "") -> Client:
    """As in production: to public addresses alone, and over TLS."""
    return Client(Nowhere(location, transport(False, QUICK)), "https://home.example", lambda: START, agent="x")


PRIVATE = [
    "127.0.0.1",
    "[::1]",
    "169.254.169.254",
    "10.0.0.1",
    "[::ffff:127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "0.0.0.0",  # noqa: S104 - nothing is bound to it
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "127.1",
    "127.0.0.1.",
    "localhost",
    "\uff11\uff12\uff17.0.0.1",
    "127\u30020\u30020\u30021",
]


@pytest.mark.proves("P-306", "P-307", "P-309")
@pytest.mark.parametrize("host", PRIVATE)
async def test_neither_an_address_nor_a_redirect_leads_to_a_private_network(host: str) -> None:
    async with listening(Peer()) as peer:
        uri = f"https://{host}:{peer.port}/"
        for asked in (uri, "https://attic.example/"):
            client = careful(uri)
            with pytest.raises((Unreachable, Malformed)):
                await client.get(asked)
            await client.close()

        assert peer.connections == 0


@pytest.mark.proves("P-169")
async def test_http_is_for_private_networks_alone() -> None:
    client = careful()

    with pytest.raises(Malformed, match="not an https address"):
        await client.get("http://attic.example/")
    await client.close()


@pytest.mark.proves("P-108")
@pytest.mark.parametrize("uri", ["https://home.example/ada", "https://HOME.example./ada", "https://home.example:8443/"])
async def test_we_are_never_asked_by_ourselves(uri: str) -> None:
    for asked in (uri, "https://attic.example/"):
        client = careful(uri)
        with pytest.raises(Forbidden):
            await client.get(asked)
        with pytest.raises(Forbidden):
            await client.post(uri, b"{}", SIGNER)
        await client.close()


# Redirects


@pytest.mark.proves("P-074", "P-172")
async def test_a_redirect_is_followed_and_signed_for_where_it_leads(attic: Peer, cellar: Peer, client: Client) -> None:
    attic.answers |= {"/1": redirect("/2", 301), "/2": redirect(cellar.url("/3"), 308)}
    cellar.answers["/3"] = ada(cellar, "/3")

    answer = await client.get(attic.url("/1"), SIGNER)

    assert (answer.status, answer.url) == (200, cellar.url("/3"))
    hops = [*attic.asked, *cellar.asked]
    assert all(verifies(asked) for asked in hops)
    assert len({asked.headers["date"] for asked in hops}) == 3
    assert "attic.example" not in str(cellar.asked[0].headers)


@pytest.mark.proves("P-172", "P-309")
async def test_three_redirects_are_followed_and_not_four(attic: Peer, client: Client) -> None:
    attic.answers |= {f"/{n}": redirect(f"/{n + 1}") for n in range(20)} | {"/20": reply(200)}

    assert (await client.get(attic.url("/17"))).status == 200
    with pytest.raises(Malformed, match="redirects"):
        await client.get(attic.url("/16"))
    with pytest.raises(Malformed, match="redirects"):
        await client.get(attic.url("/0"))
    assert len(attic.asked) == 12


@pytest.mark.proves("P-309")
async def test_nobody_goes_round_in_a_circle(attic: Peer, client: Client) -> None:
    attic.answers |= {"/1": redirect("/2"), "/2": redirect("/1")}

    with pytest.raises(Malformed, match="circle"):
        await client.get(attic.url("/1"))
    assert len(attic.asked) == 2


@pytest.mark.proves("P-309")
@pytest.mark.parametrize("location", ["file:///etc/passwd", "gopher://x/", "//[", "https://a@attic.example/"])
async def test_a_redirect_to_what_is_no_web_address_is_not_followed(location: str, attic: Peer, client: Client) -> None:
    attic.answers["/ada"] = redirect(location)

    with pytest.raises(Malformed):
        await client.get(attic.url("/ada"))


@pytest.mark.proves("P-309", "P-169")
async def test_no_redirect_leads_from_https_to_http(
    attic: Peer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusted = certificate(tmp_path, "tower.example")
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    async with listening(Peer("tower.example"), tls(trusted)) as tower, asking() as client:
        tower.answers |= {"/down": redirect(attic.url("/ada")), "/ada": reply(200)}

        assert (await client.get(tower.url("/ada"))).status == 200
        with pytest.raises(Malformed, match="from https to http"):
            await client.get(tower.url("/down"))

    assert attic.asked == []


# What is believed


@pytest.mark.proves("P-300", "P-172", "P-104")
@pytest.mark.parametrize(
    ("content_type", "believed"),
    [
        ("application/activity+json", True),
        ("Application/Activity+JSON; charset=utf-8", True),
        ('application/ld+json; profile="https://www.w3.org/ns/activitystreams"', True),
        ("application/ld+json; profile=https://www.w3.org/ns/activitystreams", True),
        ('application/ld+json;profile="https://x.example https://www.w3.org/ns/activitystreams";charset=utf-8', True),
        ("application/ld+json", False),
        ('application/ld+json; profile="https://www.w3.org/ns/activitystreams-not"', False),
        ("application/json", False),
        ('application/json; profile="https://www.w3.org/ns/activitystreams"', False),
        ("text/plain", False),
        ("text/html; x=application/activity+json", False),
        ("image/png", False),
        ("application/activity+json-not", False),
        ("", False),
    ],
)
async def test_only_activitystreams_is_believed(content_type: str, believed: bool, attic: Peer, client: Client) -> None:
    attic.answers["/ada"] = document(f'{{"id": "{attic.url("/ada")}", "type": "Person"}}', content_type)

    if believed:
        assert (await client.document(attic.url("/ada"))).type == "Person"
    else:
        with pytest.raises(Malformed, match="not ActivityStreams"):
            await client.document(attic.url("/ada"))


@pytest.mark.proves("P-172")
@pytest.mark.parametrize(
    ("status", "error"),
    [(404, Gone), (410, Gone), (204, Refused), (401, Refused), (403, Refused), (429, Refused), (500, Refused)],
)
async def test_only_200_is_a_document(status: int, error: type[Gone | Refused], attic: Peer, client: Client) -> None:
    body = f'{{"id": "{attic.url("/ada")}"}}'.encode() if status != 204 else b""
    attic.answers["/ada"] = reply(status, body, Content_Type=AS2)

    with pytest.raises(error, match=f"answers {status}") as caught:
        await client.document(attic.url("/ada"))

    assert isinstance(caught.value, Gone | Refused)
    assert caught.value.status == status


@pytest.mark.proves("P-104", "P-301")
async def test_another_address_of_the_same_server_leads_to_the_document_itself(attic: Peer, client: Client) -> None:
    attic.answers |= {"/@ada": ada(attic), "/ada": ada(attic), "/old": redirect("/ada")}

    for path in ("/@ada", "/old", "/ada#main-key"):
        assert (await client.document(attic.url(path))).id == attic.url("/ada")

    assert [asked.target for asked in attic.asked] == ["/@ada", "/ada", "/old", "/ada", "/ada"]


@pytest.mark.proves("P-104", "P-301")
@pytest.mark.parametrize("stated", ["other server", "other port", "elsewhere", "nowhere", "nobody"])
async def test_nobody_speaks_for_another(stated: str, attic: Peer, cellar: Peer, client: Client) -> None:
    ids = {
        "other server": document(f'{{"id": "http://bo.example:{attic.port}/bo"}}'),
        "other port": document('{"id": "http://attic.example:8080/ada"}'),
        "elsewhere": redirect(cellar.url("/ada")),  # where the document still says that it is the attic's
        "nowhere": document(f'{{"id": "{attic.url("/1")}"}}'),  # where there is one that says it is at /2
        "nobody": document('{"type": "Person"}'),
    }
    attic.answers |= {"/ada": ids[stated], "/1": document(f'{{"id": "{attic.url("/2")}"}}')}
    cellar.answers["/ada"] = document(f'{{"id": "{attic.url("/ada")}"}}')

    with pytest.raises(Malformed):
        await client.document(attic.url("/ada"))

    assert len(attic.asked) == (2 if stated == "nowhere" else 1)
