"""Delivering to servers of which we do not know how they want it signed."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable

import pytest

from activitypub import digest, keys, signatures
from activitypub.errors import Malformed
from activitypub.message import Request, Scheme
from federation.client import ACTIVITY_JSON, Client, Signer, Unreachable
from federation.transport import GuardedTransport
from tests.federation.peer import START, Asked, Peer, asking, listening, reply

SIGNER = Signer("https://home.example/ada#main-key", keys.new_rsa())
BODY = b'{"type": "Create"}'


@pytest.fixture
async def attic() -> AsyncIterator[Peer]:
    async with listening(Peer("attic.example")) as peer:
        yield peer


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with asking() as client:
        yield client


def each(*statuses: int) -> Callable[[Asked], bytes]:
    """An answer of its own to each knock; to one too many, an error."""
    left = iter(statuses)
    return lambda asked: reply(next(left))


def check(asked: Asked) -> None:
    """Raise unless the signature is ours, over this request."""
    request = Request("POST", f"http://{asked.headers['host']}", asked.target, asked.headers, asked.body)
    signatures.read(request, START).verify(SIGNER.key.public_key())


# Known dialect, what each knock is answered with, what comes of it, which dialects were tried, what is remembered.
KNOCKS: list[tuple[Scheme | None, tuple[int, ...], int, str, Scheme | None]] = [
    (None, (202,), 202, "cavage", "cavage"),
    (None, (200,), 200, "cavage", "cavage"),
    (None, (401, 202), 202, "cavage rfc9421", "rfc9421"),
    (None, (400, 204), 204, "cavage rfc9421", "rfc9421"),
    (None, (401, 401), 401, "cavage rfc9421", None),
    (None, (401, 500), 401, "cavage rfc9421", None),
    (None, (400, 410), 400, "cavage rfc9421", None),
    (None, (403,), 403, "cavage", None),
    (None, (404,), 404, "cavage", None),
    (None, (410,), 410, "cavage", None),
    (None, (429,), 429, "cavage", None),
    (None, (500,), 500, "cavage", None),
    (None, (502,), 502, "cavage", None),
    (None, (503,), 503, "cavage", None),
    (None, (301,), 301, "cavage", None),
    (None, (422,), 422, "cavage", None),
    ("cavage", (202,), 202, "cavage", "cavage"),
    ("cavage", (401, 202), 202, "cavage rfc9421", "rfc9421"),
    ("cavage", (500,), 500, "cavage", None),
    ("rfc9421", (202,), 202, "rfc9421", "rfc9421"),
    ("rfc9421", (401, 202), 202, "rfc9421 cavage", "cavage"),
    ("rfc9421", (400, 202), 202, "rfc9421 cavage", "cavage"),
    ("rfc9421", (500, 202), 202, "rfc9421 cavage", "cavage"),
    ("rfc9421", (403, 202), 202, "rfc9421 cavage", "cavage"),
    ("rfc9421", (500, 401), 500, "rfc9421 cavage", None),
    ("rfc9421", (308,), 308, "rfc9421", None),
]


@pytest.mark.proves("P-070", "P-071", "P-072")
@pytest.mark.parametrize(("known", "statuses", "result", "tried", "learnt"), KNOCKS)
async def test_a_host_that_does_not_understand_is_knocked_once_more_in_the_other_dialect(
    known: Scheme | None,
    statuses: tuple[int, ...],
    result: int,
    tried: str,
    learnt: Scheme | None,
    attic: Peer,
    client: Client,
) -> None:
    attic.answers["/inbox"] = each(*statuses)

    answer, remembered = await client.post(attic.url("/inbox"), BODY, SIGNER, known)

    assert (answer.status, remembered) == (result, learnt)
    assert " ".join(asked.scheme for asked in attic.asked) == tried


@pytest.mark.proves("P-071", "P-060", "P-066")
async def test_both_knocks_bring_the_same_body_each_signed_at_its_own_time(attic: Peer, client: Client) -> None:
    attic.answers["/inbox"] = reply(401)

    await client.post(attic.url("/inbox?x=1"), BODY, SIGNER, None, digest.of(BODY))
    await client.post(attic.url("/inbox?x=1"), BODY, SIGNER, "rfc9421")

    cavage, rfc9421, *_, again = attic.asked
    assert {asked.body for asked in attic.asked} == {BODY}
    assert {asked.headers["content-type"] for asked in attic.asked} == {ACTIVITY_JSON}
    assert {asked.headers["user-agent"] for asked in attic.asked} == {"Boxroom/1"}
    for asked in attic.asked:
        check(asked)
    assert 'headers="(request-target) host date digest content-type"' in cavage.headers["signature"]
    assert ("digest" in cavage.headers, "digest" in rfc9421.headers) == (True, False)
    assert cavage.headers["date"] != again.headers["date"]


@pytest.mark.proves("P-071")
async def test_a_second_knock_that_fails_altogether_leaves_the_first_answer(attic: Peer, client: Client) -> None:
    knocks = itertools.count()

    async def once(writer: asyncio.StreamWriter) -> None:
        if next(knocks):
            writer.close()
        else:
            writer.write(reply(401))

    attic.odd["/inbox"] = once

    answer, learnt = await client.post(attic.url("/inbox"), BODY, SIGNER)

    assert (answer.status, learnt) == (401, None)


@pytest.mark.proves("P-074", "P-165")
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_delivery_does_not_follow_a_redirect(status: int, attic: Peer, client: Client) -> None:
    attic.answers["/inbox"] = reply(status, Location=attic.url("/elsewhere"))

    answer, learnt = await client.post(attic.url("/inbox"), BODY, SIGNER)

    assert (answer.status, answer.headers["location"], learnt) == (status, attic.url("/elsewhere"), None)
    assert [asked.target for asked in attic.asked] == ["/inbox"]


@pytest.mark.proves("P-168", "P-310")
async def test_no_more_of_an_answer_is_read_than_an_operator_would(attic: Peer, client: Client) -> None:
    async def endless(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 202 Thanks\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"3e8\r\n" + b"x" * 1000 + b"\r\n")
            await writer.drain()
            await asyncio.sleep(0)

    attic.odd["/inbox"] = endless

    answer, learnt = await client.post(attic.url("/inbox"), BODY, SIGNER)

    assert (answer.status, len(answer.body), learnt) == (202, 1000, "cavage")


@pytest.mark.proves("P-168", "P-310")
async def test_an_inbox_that_hangs_is_given_up(attic: Peer, client: Client) -> None:
    async def silence(writer: asyncio.StreamWriter) -> None:
        await writer.wait_closed()

    attic.odd["/inbox"] = silence

    async with asyncio.timeout(2):
        with pytest.raises(Unreachable, match="did not answer within"):
            await client.post(attic.url("/inbox"), BODY, SIGNER)


async def test_deliveries_to_one_host_share_a_connection(attic: Peer, client: Client) -> None:
    attic.answers["/inbox"] = reply(202, b"thanks", Set_Cookie="a=b", Content_Encoding="gzip")

    for _ in range(3):
        answer, _ = await client.post(attic.url("/inbox"), BODY, SIGNER)

    assert answer.body == b"thanks"
    assert attic.connections == 1
    assert all("cookie" not in asked.headers for asked in attic.asked)


async def test_none_is_kept_where_too_many_are_open(attic: Peer, client: Client) -> None:
    attic.answers["/inbox"] = reply(202)
    assert isinstance(client.transport, GuardedTransport)
    client.transport.guard.most_kept = 0
    await client.post(attic.url("/inbox"), BODY, SIGNER)

    await client.post(attic.url("/inbox"), BODY, SIGNER)

    assert [asked.headers.get("connection") for asked in attic.asked] == [None, "close"]


@pytest.mark.proves("P-331")
async def test_an_inbox_with_a_line_break_in_its_address_gets_nothing(attic: Peer, client: Client) -> None:
    with pytest.raises(Malformed):
        await client.post(attic.url("/inbox\r\nX: y"), BODY, SIGNER)

    assert attic.connections == 0


async def test_no_proxy_of_the_environment_sees_what_we_send(
    attic: Peer, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    attic.answers["/inbox"] = reply(202)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    answer, _ = await client.post(attic.url("/inbox"), BODY, SIGNER)

    assert answer.status == 202
