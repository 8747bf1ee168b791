"""What the client bears: endless answers, bombs, silence, bad certificates; and what operators read of it."""

from __future__ import annotations

import asyncio
import gzip
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from activitypub.errors import Malformed
from federation.client import Client, Unreachable, transport
from federation.guard import Limits
from tests.federation.peer import QUICK, START, Peer, asking, certificate, listening, reply, tls


@pytest.fixture
async def attic() -> AsyncIterator[Peer]:
    async with listening(Peer("attic.example")) as peer:
        yield peer


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with asking() as client:
        yield client


@pytest.mark.proves("P-172", "P-310")
async def test_a_body_is_read_up_to_its_limit_and_no_further(attic: Peer, client: Client) -> None:
    attic.answers |= {"/fits": reply(200, b"x" * 20_000), "/large": reply(200, b"x" * 20_001)}

    assert len((await client.get(attic.url("/fits"))).body) == 20_000
    with pytest.raises(Malformed, match="larger than 20,000"):
        await client.get(attic.url("/large"))


@pytest.mark.proves("P-172", "P-310")
async def test_what_is_compressed_is_small_when_it_is_not(attic: Peer, client: Client) -> None:
    zipped = gzip.compress(bytes(range(256)) * 70)
    attic.answers |= {
        "/fine": reply(200, zipped, Content_Encoding="GZip"),
        "/bomb": reply(200, gzip.compress(b"\0" * 10_000_000), Content_Encoding="gzip"),
        "/dense": reply(200, gzip.compress(b"\0" * 19_000), Content_Encoding="gzip"),
        "/torn": reply(200, zipped[:-9], Content_Encoding="gzip"),
        "/false": reply(200, b"not gzip", Content_Encoding="gzip"),
        "/twice": reply(200, gzip.compress(zipped), Content_Encoding="gzip, gzip"),
        "/brotli": reply(200, b"x", Content_Encoding="br"),
    }

    assert (await client.get(attic.url("/fine"))).body == bytes(range(256)) * 70
    for path in ("/bomb", "/dense", "/torn", "/false", "/twice", "/brotli"):
        with pytest.raises(Malformed):
            await client.get(attic.url(path))


async def drip(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 Slow\r\nContent-Length: 1000\r\n\r\n")
    await flood(writer, b"x", 0.02)


async def chunks(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 Long\r\nTransfer-Encoding: chunked\r\n\r\n")
    await flood(writer, b"400\r\n" + b"x" * 0x400 + b"\r\n", 0)


async def headers(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 Endless\r\n")
    await flood(writer, b"X: y\r\n", 0)


async def one_header(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 Endless\r\nX: ")
    await flood(writer, b"y" * 1000, 0)


async def silence(writer: asyncio.StreamWriter) -> None:
    await writer.wait_closed()


async def flood(writer: asyncio.StreamWriter, what: bytes, pause: float) -> None:
    while not writer.is_closing():
        writer.write(what)
        await writer.drain()
        await asyncio.sleep(pause)


@pytest.mark.proves("P-310", "P-168")
@pytest.mark.parametrize(
    ("endless", "error", "words"),
    [
        (drip, Unreachable, "did not answer within 0.5 seconds"),
        (silence, Unreachable, "did not answer within 0.5 seconds"),
        (chunks, Malformed, "larger than 20,000"),
        (headers, Unreachable, "does not speak HTTP as we do"),
        (one_header, Unreachable, "does not speak HTTP as we do"),
    ],
)
async def test_no_answer_is_endless(
    endless: Callable[[asyncio.StreamWriter], Awaitable[None]],
    error: type[Exception],
    words: str,
    attic: Peer,
    client: Client,
) -> None:
    attic.odd["/ada"] = endless

    async with asyncio.timeout(2):
        with pytest.raises(error, match=words):
            await client.get(attic.url("/ada"))


@pytest.mark.proves("P-168")
async def test_a_host_has_four_connections_of_ours_at_most(attic: Peer) -> None:
    four, gate = asyncio.Event(), asyncio.Event()

    async def waiting(writer: asyncio.StreamWriter) -> None:
        if len(attic.asked) == 4:
            four.set()
        await gate.wait()
        writer.write(reply(200))

    attic.odd["/"] = waiting
    async with asking(limits=Limits()) as client:
        asked = [asyncio.create_task(client.get(attic.url())) for _ in range(9)]
        await four.wait()
        gate.set()
        answers = await asyncio.gather(*asked)

    assert [answer.status for answer in answers] == [200] * 9
    assert attic.connections == 4


@pytest.mark.proves("P-168")
def test_nothing_takes_longer_than_half_a_minute() -> None:
    limits = Limits()

    assert (limits.dns, limits.connect, limits.total) == (5, 10, 30)
    assert (limits.document, limits.ratio, limits.answer, limits.redirects) == (1_000_000, 100, 65_536, 3)


# What operators are told


async def test_a_connection_refused_is_said_to_be_that(attic: Peer, client: Client) -> None:
    async with listening(Peer("cellar.example")) as gone:
        pass

    with pytest.raises(Unreachable, match=r"^cellar\.example refuses connections$"):
        await client.get(gone.url())


async def test_a_server_that_hangs_up_is_said_to_have_done_so(attic: Peer, client: Client) -> None:
    async def hang_up(writer: asyncio.StreamWriter) -> None:
        writer.close()

    attic.odd["/"] = hang_up
    attic.answers["/noise"] = b"SSH-2.0\r\n\r\n"

    with pytest.raises(Unreachable, match=r"^attic\.example hung up in the middle$"):
        await client.get(attic.url())
    with pytest.raises(Unreachable, match=r"^attic\.example does not speak HTTP"):
        await client.get(attic.url("/noise"))


async def test_a_name_without_an_address_is_said_to_be_that() -> None:
    async with asking(transport(True, Limits())) as client:
        with pytest.raises(Unreachable, match=r"^attic\.invalid has no address$") as caught:
            await client.get("https://attic.invalid/")

    assert caught.value.reason == str(caught.value)


@pytest.mark.proves("P-168")
async def test_a_resolver_that_hangs_is_not_waited_for() -> None:
    async def never(host: str, port: int) -> list[str]:
        await asyncio.Event().wait()
        return []

    async with asking(transport(True, QUICK, never)) as client:
        with pytest.raises(Unreachable, match=r"nobody said within 0\.2 s what the address of attic\.example is"):
            await client.get("https://attic.example/")


@pytest.mark.proves("P-169")
async def test_a_certificate_that_nobody_vouches_for_is_not_trusted(tmp_path: Path, client: Client) -> None:
    async with listening(Peer("tower.example"), tls(certificate(tmp_path, "tower.example"))) as tower:
        with pytest.raises(Unreachable, match=r"the certificate of tower\.example does not verify: self.signed"):
            await client.get(tower.url())

    assert tower.asked == []


@pytest.mark.proves("P-169", "P-308")
async def test_a_certificate_of_another_name_is_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trusted = certificate(tmp_path, "cellar.example")
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    async with listening(Peer("tower.example"), tls(trusted)) as tower, asking() as client:
        with pytest.raises(Unreachable, match=r"the certificate of tower\.example does not verify: Hostname mismatch"):
            await client.get(tower.url())


@pytest.mark.proves("P-169")
async def test_old_tls_is_not_spoken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trusted = certificate(tmp_path, "tower.example")
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    old = tls(trusted)
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1

    async with listening(Peer("tower.example"), old) as tower, asking() as client:
        with pytest.raises(Unreachable, match=r"tower\.example"):
            await client.get(tower.url())

    assert tower.asked == []


class Plain(Peer):
    """Talks at once, and knows no TLS."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Plain\r\n\r\n")
        await reader.read()
        writer.transport.abort()


async def test_a_server_without_tls_is_said_to_be_that(client: Client) -> None:
    async with listening(Plain("attic.example")) as attic:
        with pytest.raises(Unreachable, match=r"^attic\.example and we have no TLS in common"):
            await client.get(attic.url().replace("http:", "https:"))


@pytest.mark.proves("P-168")
async def test_who_does_not_answer_in_tls_is_not_waited_for(attic: Peer) -> None:
    async with asking(limits=Limits(connect=0.2)) as client:
        with pytest.raises(Unreachable, match=r"^attic\.example took too long to connect$"):
            await client.get(attic.url().replace("http:", "https:"))


@pytest.mark.proves("P-056")
@pytest.mark.parametrize(("wrong", "error"), [(0, 0), (90, 90), (-3600, -3600)])
async def test_our_clock_is_compared_with_those_of_others(wrong: int, error: int, client: Client) -> None:
    date = format_datetime(START - timedelta(seconds=wrong), usegmt=True)
    assert client.clock_error is None

    for name in ("attic.example", "cellar.example", "tower.example"):
        async with listening(Peer(name)) as peer:
            peer.answers["/"] = reply(200, Date=date if name != "tower.example" else "long ago")
            peer.answers["/2"] = reply(200, Date="Sun, 06 Nov 1994 08:49:37 GMT")
            await client.get(peer.url("/2" if name == "attic.example" else "/"))
    assert client.clock_error is None
    async with listening(Peer("shop.example")) as peer:
        peer.answers["/"] = reply(200, Date=date)
        await client.get(peer.url())

    assert client.clock_error is not None
    assert abs(client.clock_error.total_seconds() - error) < 10
