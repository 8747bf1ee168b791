"""Where the client connects, and where nobody can make it connect."""

from __future__ import annotations

import asyncio
import resource
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as some
from yarl import URL

from federation.answer import Unreachable
from federation.guard import (
    LOOKUPS,
    LOOKUPS_OF_A_SITE,
    MAX_KEPT,
    Guard,
    Limits,
    NotAllowed,
    affordable,
    is_public,
    is_web_port,
)
from federation.transport import GuardedTransport, tls
from tests.federation.peer import certificate

PUBLIC = [
    "1.1.1.1",
    "93.184.215.14",
    "100.63.255.255",
    "172.32.0.1",
    "192.0.1.1",
    "198.20.0.1",
    "223.255.255.255",
    "2606:4700::1111",
    "2a01:4f8::1",
    "::ffff:1.1.1.1",
    "64:ff9b::101:101",
    "2002:101:101::1",
    "2001:0:101:101::fefe:fefe",  # Teredo: server 1.1.1.1, client 1.1.1.1 with its bits turned
]
NOT_PUBLIC = [
    "0.0.0.0",  # noqa: S104 - nothing is bound to it
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::1.1.1.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "64:ff9b:1:a00:1::",
    "100::1",
    "2001::1",
    "2001:0:7f00:1::fefe:fefe",
    "2001:0:101:101::80ff:fffe",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:c0a8:101::1",
    "2002:a9fe:a9fe::",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "4000::1",
    "2606:4700::1111%eth0x",
    "",
    "localhost",
    "0x7f.1",
    "2130706433",
    "127.1",
    "0177.0.0.1",
    "1.1.1.1.",
]


@pytest.mark.proves("P-307")
@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_that_everybody_can_reach_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.proves("P-307")
@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_an_address_of_a_special_kind_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.proves("P-307")
@given(some.ip_addresses(v=4))
@example(IPv4Address("198.18.0.1"))
@example(IPv4Address("8.8.8.8"))
def test_an_embedded_address_is_as_public_as_it_is_by_itself(address: IPv4Address) -> None:
    number, turned = int(address), int(address) ^ 0xFFFFFFFF
    one = int(IPv4Address("1.1.1.1"))
    embedding = {
        "mapped": 0xFFFF << 32 | number,
        "NAT64": 0x64FF9B << 96 | number,
        "6to4": 0x2002 << 112 | number << 80 | 1,
        "Teredo server": 0x20010000 << 96 | number << 64 | one ^ 0xFFFFFFFF,
        "Teredo client": 0x20010000 << 96 | one << 64 | turned,
    }

    verdicts = {way: is_public(str(IPv6Address(whole))) for way, whole in embedding.items()}

    assert set(verdicts.values()) == {is_public(str(address))}, verdicts


@pytest.mark.proves("P-307")
@given(some.ip_addresses())
def test_what_is_private_to_the_standard_library_is_never_public(address: IPv4Address | IPv6Address) -> None:
    special = address.is_private or address.is_multicast or address.is_loopback or address.is_link_local

    assert not (special and is_public(str(address)))


@given(some.text())
def test_no_text_is_an_address_by_accident(text: str) -> None:
    try:
        ip_address(text)
    except ValueError:
        assert not is_public(text)


@pytest.mark.proves("P-306")
@pytest.mark.parametrize("port", [0, 1, 21, 22, 23, 25, 53, 110, 111, 139, 445, 587, 993, 1023, 2375, 3306, 5432, 6379])
def test_no_other_kind_of_server_is_spoken_to(port: int) -> None:
    assert not is_web_port(port)


@pytest.mark.parametrize("port", [80, 443, 1024, 3000, 8000, 8080, 8443, 49152])
def test_a_web_server_may_be_where_unprivileged_ones_are(port: int) -> None:
    assert is_web_port(port)


def guard(*addresses: str, allow_private: bool = False) -> Guard:
    async def lookup(host: str, port: int) -> list[str]:
        return list(addresses)

    return Guard(allow_private, Limits(), lookup)


def info(address: str, port: int = 443) -> tuple[int, int, int, str, tuple[str, int]]:
    return (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port))


@pytest.mark.proves("P-308")
@pytest.mark.parametrize("mixed", [("1.1.1.1", "10.0.0.1"), ("10.0.0.1", "1.1.1.1"), ("1.1.1.1", "fe80::1")])
async def test_one_private_address_among_several_refuses_them_all(mixed: tuple[str, ...]) -> None:
    with pytest.raises(NotAllowed, match=r"attic\.example is not on the public internet"):
        await guard(*mixed).resolve("attic.example", 443)


async def test_every_public_address_of_a_name_may_be_tried() -> None:
    found = await guard("1.1.1.1", "2606:4700::1111").resolve("attic.example", 443)

    assert [(one["host"], one["family"]) for one in found] == [
        ("1.1.1.1", socket.AF_INET),
        ("2606:4700::1111", socket.AF_INET6),
    ]


@pytest.mark.proves("P-306", "P-308")
@pytest.mark.parametrize(("address", "port"), [("127.0.0.1", 443), ("169.254.169.254", 80), ("1.1.1.1", 22)])
def test_no_socket_is_opened_that_must_not_be_connected(address: str, port: int) -> None:
    with pytest.raises(NotAllowed):
        guard().open(info(address, port))


@pytest.mark.proves("P-306")
async def test_a_private_network_is_open_to_those_who_say_so_but_not_its_databases() -> None:
    at_home = guard("192.168.1.7", allow_private=True)

    [found] = await at_home.resolve("attic.lan", 8000)
    at_home.open(info("192.168.1.7", 8000)).close()

    assert found["host"] == "192.168.1.7"
    with pytest.raises(NotAllowed, match="port 6379"):
        at_home.open(info("192.168.1.7", 6379))


async def knock(transport: GuardedTransport) -> None:
    async with transport.request("GET", URL("https://attic.example/"), {}):
        pass


class Watched(Guard):
    """Lets nothing out, and notes which way it would have gone."""

    went: list[object]

    def open(self, info: object) -> socket.socket:
        Guard.open(self, info).close()  # type: ignore[arg-type]
        self.went.append(info[4])  # type: ignore[index]
        raise ConnectionRefusedError


@pytest.mark.proves("P-308")
async def test_a_name_is_resolved_once_and_that_very_address_is_connected() -> None:
    answers = [["1.1.1.1"], ["127.0.0.1"]]

    async def rebinding(host: str, port: int) -> list[str]:
        return answers.pop(0)

    guard = Watched(False, Limits(), rebinding)
    guard.went = []
    transport = GuardedTransport(guard)

    for _ in range(2):
        with pytest.raises(Unreachable, match="attic"):
            await knock(transport)
    await transport.close()

    assert guard.went == [("1.1.1.1", 443), ("1.1.1.1", 443)]
    assert answers == [["127.0.0.1"]]


@pytest.mark.proves("P-308")
async def test_a_name_that_moves_to_a_private_address_is_refused_from_then_on() -> None:
    transport = GuardedTransport(guard("127.0.0.1"))

    with pytest.raises(Unreachable, match=r"^attic\.example is not on the public internet$"):
        await knock(transport)
    await transport.close()


@dataclass
class Sluggish:
    """The system's resolver: it says nothing of names in ``slow.example`` until `wakes` is set."""

    asked: list[str] = field(default_factory=list)
    wakes: threading.Event = field(default_factory=threading.Event)

    def __call__(self, host: str, port: int, **how: Any) -> list[Any]:
        self.asked.append(host)
        if not host.endswith("slow.example"):
            return [info("1.1.1.1", port)]
        self.wakes.wait()
        raise socket.gaierror(socket.EAI_NONAME, "nobody has that name")


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sluggish]:
    system = Sluggish()
    monkeypatch.setattr(socket, "getaddrinfo", system)
    yield system
    system.wakes.set()


@pytest.mark.proves("P-168", "P-327")
async def test_names_that_hang_keep_no_others_from_being_looked_up(system: Sluggish) -> None:
    guard = Guard(False, Limits(dns=0.1))
    slow = [guard.resolve(f"name{number}.slow.example", 443) for number in range(2 * LOOKUPS)]
    hung = await asyncio.gather(*slow, return_exceptions=True)
    guard.limits = Limits(dns=10)

    [found] = await guard.resolve("friend.example", 443)

    assert {str(one).partition(" s ")[0] for one in hung} == {"nobody said within 0.1"}
    assert len(system.asked) == LOOKUPS_OF_A_SITE + 1
    assert found["host"] == "1.1.1.1"
    await guard.close()


@pytest.mark.proves("P-168")
async def test_a_place_is_free_again_when_the_system_has_answered(system: Sluggish) -> None:
    guard = Guard(False, Limits(dns=0.1))
    slow = [guard.resolve(f"name{number}.slow.example", 443) for number in range(2 * LOOKUPS_OF_A_SITE)]
    await asyncio.gather(*slow, return_exceptions=True)
    guard.limits = Limits(dns=10)

    system.wakes.set()
    for number in range(2 * LOOKUPS_OF_A_SITE):
        with pytest.raises(socket.gaierror):
            await guard.resolve(f"another{number}.slow.example", 443)
    await guard.close()


@pytest.mark.proves("P-169")
async def test_certificates_are_verified_and_old_tls_is_not_spoken() -> None:
    context = tls()

    assert context.check_hostname
    assert context.verify_mode.name == "CERT_REQUIRED"
    assert context.minimum_version.name == "TLSv1_2"


@pytest.mark.proves("P-169")
def test_whoever_runs_us_may_say_whom_we_trust(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate(tmp_path, "tower.example")))
    by_file = tls().get_ca_certs()
    monkeypatch.delenv("SSL_CERT_FILE")
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    by_folder = tls().get_ca_certs()
    monkeypatch.delenv("SSL_CERT_DIR")
    by_default = tls().get_ca_certs()

    assert (len(by_file), len(by_folder)) == (1, 0)  # those in a folder are read when they are needed
    assert len(by_default) > 50


async def test_it_is_known_when_too_many_are_open() -> None:
    crowded = guard(allow_private=True)
    crowded.most_kept = 20
    opened = [crowded.open(info("127.0.0.1")) for _ in range(21)]

    assert crowded.is_crowded
    while opened:
        opened.pop().close()
    assert not crowded.is_crowded


@pytest.mark.parametrize(("files", "kept"), [(1_024, 409), (20_000, MAX_KEPT), (resource.RLIM_INFINITY, MAX_KEPT)])
def test_as_many_connections_are_kept_as_the_system_grants_files_for(files: int, kept: int) -> None:
    assert affordable(files) == kept
