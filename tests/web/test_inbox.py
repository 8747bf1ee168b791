"""What is answered at the door, in the order in which it is looked at (PROTOCOL.md 3.1)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import AbstractContextManager

import httpx
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

import web.app
from activitypub import signatures
from activitypub.document import Json
from activitypub.message import Request
from coop import blocks, departures
from federation.store import Store
from federation.tables import Receipt
from tests.federation.faults import full, locked, read_only
from tests.fediverse import Fediverse, Studio
from tests.web.visitors import chunks, neighbours, post, visiting
from web import limits

TYPE = "application/activity+json"


def like(studio: Studio, number: int = 1) -> Json:
    return {
        "id": f"{studio.home}/activities/{number}",
        "type": "Like",
        "actor": studio.uri,
        "object": "https://attic.example/notes/1",
    }


async def signed(
    studio: Studio, url: str, body: bytes, kind: str = TYPE, scheme: str = "cavage", **changes: str
) -> dict[str, str]:
    """The headers of a POST by a studio; `changes` (``_`` for ``-``) are made after it is signed."""
    signer = await studio.instance.signer(studio.uri)
    origin, _, path = url.partition(".example")
    headers = {"content-type": kind, "host": f"{origin.partition('://')[2]}.example"}
    request = Request("POST", f"{origin}.example", path, headers, body)
    key = signer.key
    assert isinstance(key, RSAPrivateKey)
    added = signatures.sign(
        "rfc9421" if scheme == "rfc9421" else "cavage", request, signer.key_id, key, studio.instance.now()
    )
    return headers | added | {name.replace("_", "-"): value for name, value in changes.items()}


async def deliver(sender: Studio, to: Studio, url: str, activity: Json, **changes: str) -> httpx.Response:
    body = msgspec.json.encode(activity)
    headers = await signed(sender, url, body, **changes)
    async with visiting(to) as client:
        return await client.post(url, content=body, headers=headers)


@pytest.mark.proves("P-100")
@pytest.mark.parametrize("box", ["/inbox", "ACTOR/inbox", "/actor/inbox"])
async def test_an_activity_is_accepted_at_every_inbox_with_nothing_but_the_status(
    fediverse: Fediverse, box: str
) -> None:
    attic, shop = await neighbours(fediverse)
    url = box.replace("ACTOR", attic.uri) if "ACTOR" in box else attic.home + box

    answer = await deliver(shop, attic, url, like(shop))
    again = await deliver(shop, attic, url, like(shop))

    assert (answer.status_code, answer.content) == (202, b"")
    assert again.status_code == 202
    assert [one.uri for one in await attic.knows(Receipt)].count(like(shop)["id"]) == 1


@pytest.mark.proves("P-100", "P-101")
async def test_the_checks_come_in_their_order_and_each_says_what_is_wrong(fediverse: Fediverse) -> None:
    """Each request has what is wrong with the next ones as well: only the order tells which answer it gets."""
    attic, shop = await neighbours(fediverse)
    await attic.does(lambda tx: blocks.block_domain(tx, "blocked.example"))
    bad = b'{"type": "Like", "type": "Like"}'
    long = b"x" * (limits.MAX_BODY + 1)
    blocked = {"signature": 'keyId="https://blocked.example/a#k",headers="date",signature="bad"'}
    answers = {
        "unknown inbox": (await post(attic, "/actors/nobody/inbox", long, content_type="text/plain"), 404),
        "type": (await post(attic, "/inbox", long, content_type="text/plain"), 415),
        "no type": (await post(attic, "/inbox", long, content_type=""), 415),
        "length": (await post(attic, "/inbox", long, digest="SHA-256=bad"), 413),
        "encoding": (await post(attic, "/inbox", bad, content_encoding="gzip", digest="SHA-256=bad"), 415),
        "digest": (await post(attic, "/inbox", bad, digest="SHA-256=bad"), 401),
        "json": (await post(attic, "/inbox", bad, **blocked), 400),
        "shape": (await post(attic, "/inbox", b'{"type": "Like", "id": "https://shop.example/1"}', **blocked), 400),
        "signature": (await post(attic, "/inbox", msgspec.json.encode(like(shop))), 401),
    }

    for name, (answer, status) in answers.items():
        assert answer.status_code == status, name
        assert answer.headers["content-type"] == "application/json"
        assert set(answer.json()) == {"error"}
        assert len(answer.json()["error"]) > 10
    assert [one.type for one in await attic.knows(Receipt)] == ["Follow"]


@pytest.mark.proves("P-100")
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", ["/inbox", "/actor/inbox"])
async def test_an_inbox_is_written_to_and_nothing_else(fediverse: Fediverse, method: str, path: str) -> None:
    attic = await fediverse.studio("attic")

    async with visiting(attic) as client:
        answer = await client.request(method, path)

    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


@pytest.mark.proves("P-029", "P-100")
async def test_the_inbox_of_somebody_who_left_is_gone(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    await attic.does(lambda tx: departures.leave(tx, attic.uri))
    attic.app = web.app.create({attic.host: attic.instance})  # the old one knew them well

    answer = await deliver(shop, attic, f"{attic.uri}/inbox", like(shop))

    assert answer.status_code == 410


@pytest.mark.proves("P-100")
@pytest.mark.parametrize(
    "kind", [TYPE, f"{TYPE}; charset=utf-8", 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"']
)
async def test_both_types_of_activitystreams_are_taken_with_any_parameters(fediverse: Fediverse, kind: str) -> None:
    attic, shop = await neighbours(fediverse)

    answer = await deliver(shop, attic, f"{attic.home}/inbox", like(shop), kind=kind)

    assert answer.status_code == 202


@pytest.mark.proves("P-100")
async def test_a_farewell_of_a_stranger_is_dropped_without_asking_anybody(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    farewell = {"id": "https://far.example/1", "type": "Delete", "actor": "https://far.example/a"}
    fediverse.requests.clear()

    answer = await post(attic, "/inbox", msgspec.json.encode({**farewell, "object": farewell["actor"]}))

    assert answer.status_code == 202
    assert (fediverse.requests, await attic.knows(Receipt)) == ([], [])


@pytest.mark.proves("P-322")
async def test_a_blocked_domain_is_told_so_and_whoever_it_speaks_for_is_not(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    garage = await fediverse.studio("garage")
    await attic.does(lambda tx: blocks.block_domain(tx, "shop.example"))

    by_the_blocked = await deliver(shop, attic, f"{attic.home}/inbox", like(shop))
    about_the_blocked = await deliver(garage, attic, f"{attic.home}/inbox", like(shop))

    assert (by_the_blocked.status_code, about_the_blocked.status_code) == (403, 202)
    assert like(shop)["id"] not in [one.uri for one in await attic.knows(Receipt)]


@pytest.mark.proves("P-067")
async def test_a_refused_signature_learns_what_would_do(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)

    answer = await deliver(shop, attic, f"{attic.home}/inbox", like(shop), date="Mon, 02 Mar 2020 09:00:00 GMT")

    assert answer.status_code == 401
    assert answer.headers["accept-signature"].startswith('sig1=("@method" "@target-uri" "content-digest")')


@pytest.mark.proves("P-077")
async def test_a_key_that_cannot_be_had_now_asks_for_patience(fediverse: Fediverse) -> None:
    attic, shop = await fediverse.studio("attic"), await fediverse.studio("shop")
    fediverse.asleep.add(shop.host)

    answer = await deliver(shop, attic, f"{attic.home}/inbox", like(shop))

    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert await attic.knows(Receipt) == []


@pytest.mark.proves("P-100")
@pytest.mark.parametrize("trouble", [full, locked, read_only])
async def test_what_cannot_be_stored_is_not_acknowledged_and_is_taken_when_it_can(
    fediverse: Fediverse, trouble: Callable[[Store], AbstractContextManager[None]]
) -> None:
    attic, shop = await neighbours(fediverse)
    before = len(await attic.knows(Receipt))
    long = {**like(shop), "content": "x" * 9_000}  # more than the pages that there are still have room for

    with trouble(attic.instance.store):
        refused = [await deliver(shop, attic, f"{attic.home}/inbox", long) for _ in range(3)]
        kept = len(await attic.knows(Receipt))
    taken = await deliver(shop, attic, f"{attic.home}/inbox", long)

    assert [one.status_code for one in refused] == [503] * 3
    assert all(int(one.headers["retry-after"]) > 0 for one in refused)
    assert {one.json()["error"] for one in refused} == {
        "nothing can be stored here now, and nothing was; send it again later"
    }
    assert (kept, taken.status_code) == (before, 202)
    assert [one.uri for one in await attic.knows(Receipt)][before:] == [long["id"]]


@pytest.mark.proves("P-058", "P-065")
@pytest.mark.parametrize("forwarded", [{}, {"x_forwarded_host": "evil.example", "x_forwarded_proto": "http"}])
async def test_where_we_live_is_configured_and_never_taken_from_a_request(
    fediverse: Fediverse, forwarded: dict[str, str]
) -> None:
    """Behind a proxy that speaks plain HTTP to us, signatures for our https address hold; those for others do not."""
    attic, shop = await neighbours(fediverse)
    body = msgspec.json.encode(like(shop))
    headers = await signed(shop, f"{attic.home}/inbox", body, **forwarded)
    foreign = await signed(shop, "https://garage.example/inbox", body, **forwarded)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(attic.app), base_url="http://attic.example") as plain:
        ours = await plain.post("/inbox", content=body, headers=headers)
        others = await plain.post("/inbox", content=body, headers=foreign | {"host": "attic.example"})

    assert (ours.status_code, others.status_code) == (202, 401)


@pytest.mark.proves("P-058")
async def test_the_address_that_is_signed_is_ours_however_the_request_spells_it(fediverse: Fediverse) -> None:
    attic, shop = await neighbours(fediverse)
    body = msgspec.json.encode(like(shop))
    headers = await signed(shop, f"{attic.home}/inbox", body, scheme="rfc9421")

    async with visiting(attic) as client:
        answer = await client.post("/inbox", content=body, headers=headers | {"host": "Attic.example:443"})

    assert answer.status_code == 202


@pytest.mark.proves("P-058")
async def test_a_host_that_nobody_here_has_is_told_so(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")

    async with httpx.AsyncClient(transport=httpx.ASGITransport(attic.app), base_url="https://other.example") as other:
        answer = await other.get("/")
        odd = await other.get("/", headers={"host": "attic.example@evil.example"})

    assert (answer.status_code, odd.status_code) == (421, 421)
    assert "Nobody lives at this address" in answer.text


async def test_several_studios_live_in_one_program(fediverse: Fediverse) -> None:
    attic, shop = await fediverse.studio("attic"), await fediverse.studio("shop")
    app = web.app.create({attic.host: attic.instance, shop.host: shop.instance})

    for studio in (attic, shop):
        async with visiting(studio, app=app) as client:
            mine = await client.get(f"/@{studio.address.partition('@')[0]}", headers={"accept": TYPE})
            other = await client.get("/@nobody")

        assert mine.json()["id"] == studio.uri
        assert other.status_code == 404


@pytest.mark.proves("P-100")
@pytest.mark.parametrize("declared", ["1048577", "99999999999999999999999", "-1", "ten", "1e3", "²"])
async def test_what_is_declared_too_long_is_not_even_read(fediverse: Fediverse, declared: str) -> None:
    attic = await fediverse.studio("attic")
    sent: list[Json] = []

    async def receive() -> Json:
        raise AssertionError("nobody should have asked for the body")

    async def send(message: Json) -> None:
        sent.append(message)

    headers = [(b"host", b"attic.example"), (b"content-type", TYPE.encode()), (b"content-length", declared.encode())]
    scope = {"type": "http", "method": "POST", "path": "/inbox", "query_string": b"", "headers": headers}
    await attic.app(scope, receive, send)

    assert sent[0]["status"] == 413


@pytest.mark.proves("P-100")
async def test_what_does_not_say_how_long_it_is_is_read_up_to_the_limit(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    headers = {"content-type": TYPE}

    async with visiting(attic) as client:
        long = await client.post("/inbox", content=chunks(*[b" " * 65_536] * 17), headers=headers)
        within = await client.post("/inbox", content=chunks(*[b" " * 65_536] * 16), headers=headers)

    assert (long.status_code, within.status_code) == (413, 400)


@pytest.mark.proves("P-100")
async def test_a_body_that_never_ends_is_not_waited_for(fediverse: Fediverse, monkeypatch: pytest.MonkeyPatch) -> None:
    attic = await fediverse.studio("attic")
    monkeypatch.setattr(limits, "BODY_TIME", 0.05)
    sent: list[Json] = []
    parts = [{"type": "http.request", "body": b"{", "more_body": True}]

    async def receive() -> Json:
        if parts:
            return parts.pop()
        await asyncio.get_running_loop().create_future()
        return {}

    async def send(message: Json) -> None:
        sent.append(message)

    headers = [(b"host", b"attic.example"), (b"content-type", TYPE.encode())]
    scope = {"type": "http", "method": "POST", "path": "/inbox", "query_string": b"", "headers": headers}
    await attic.app(scope, receive, send)

    assert sent[0]["status"] == 408


names = some.sampled_from(["id", "type", "actor", "object", "to", "@context", "proof", "content", "inReplyTo"])
values = some.recursive(
    some.none()
    | some.booleans()
    | some.integers()
    | some.text(max_size=20)
    | some.sampled_from(["Delete", "Create", "https://shop.example/1", "https://attic.example/actor"]),
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(names | some.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
bodies = some.binary(max_size=200) | some.dictionaries(names, values, max_size=8).map(
    lambda one: json.dumps(one).encode()
)
headers = some.dictionaries(
    some.sampled_from(["signature", "signature-input", "digest", "content-digest", "date", "authorization"]),
    some.text(alphabet=some.characters(min_codepoint=32, max_codepoint=126), max_size=80),
    max_size=4,
)


@pytest.mark.proves("P-100", "P-331")
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=bodies, more=headers)
async def test_nothing_that_is_sent_breaks_anything(fediverse: Fediverse, body: bytes, more: dict[str, str]) -> None:
    attic = fediverse.studios.get("attic.example") or await fediverse.studio("attic")

    answer = await post(attic, "/inbox", body, **more)

    assert answer.status_code in (202, 400, 401, 403, 413, 415, 503)
    assert answer.status_code != 503 or "retry-after" in answer.headers


@pytest.mark.proves("P-331")
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=some.text(max_size=60),
    query=some.text(max_size=40),
    accept=some.sampled_from(["*/*", TYPE, "text/html"]),
    method=some.sampled_from(["GET", "HEAD", "POST", "DELETE"]),
)
async def test_no_address_breaks_anything(
    fediverse: Fediverse, path: str, query: str, accept: str, method: str
) -> None:
    attic = fediverse.studios.get("attic.example") or await fediverse.studio("attic")
    sent: list[Json] = []

    async def receive() -> Json:
        return {"type": "http.request", "body": b""}

    async def send(message: Json) -> None:
        sent.append(message)

    headers = [(b"host", b"attic.example"), (b"accept", accept.encode())]
    quoted = query.encode("utf-8", "replace")
    scope = {"type": "http", "method": method, "path": f"/{path}", "query_string": quoted, "headers": headers}
    await attic.app(scope, receive, send)

    assert sent[0]["status"] < 500
