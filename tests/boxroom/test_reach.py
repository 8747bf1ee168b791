"""Whether others would reach us: names and certificates, as a stranger sees them."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from boxroom import certificate, reach
from boxroom.settings import Settings
from tests.boxroom.certificates import NOW, made


@asynccontextmanager
async def tls_server(folder: Path, *, days: int, life: int = 91) -> AsyncIterator[tuple[int, Path]]:
    """A server on this machine whose certificate ends in `days`; its port, and the file with the certificate."""
    file = made(folder, "localhost", days, life)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    server = await asyncio.start_server(lambda _, writer: writer.close(), "localhost", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1], file
    finally:
        server.close()


async def test_a_certificate_that_nobody_vouches_for_is_to_be_replaced(tmp_path: Path) -> None:
    async with tls_server(tmp_path, days=90) as (port, _):
        what, state, said, todo = await certificate.look("localhost", port, NOW)

    assert (what, state) == ("certificate", "must")
    assert "self" in said
    assert "get one that everybody trusts" in todo


@pytest.mark.parametrize(("days", "state"), [(90, "well"), (15, "well"), (13, "must"), (1, "must")])
async def test_a_certificate_is_to_be_renewed_two_weeks_before_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: int, state: str
) -> None:
    async with tls_server(tmp_path, days=days) as (port, file):
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        found = await certificate.look("localhost", port, NOW)

    assert found[1] == state
    assert f"{days}" in found[2]


async def test_a_certificate_that_lives_for_days_alone_need_not_be_renewed_after_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with tls_server(tmp_path, days=2, life=6) as (port, file):
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        assert (await certificate.look("localhost", port, NOW))[1] == "well"
        assert (await certificate.look("localhost", port, NOW + timedelta(days=1)))[1] == "must"


async def test_a_port_where_nobody_answers_is_told_from_a_bad_certificate() -> None:
    _, state, said, _ = await certificate.look("localhost", 9, NOW)

    assert state == "must"
    assert "nobody answers at localhost:9" in said


@pytest.mark.parametrize(
    ("name", "private", "state", "said"),
    [
        ("nowhere.invalid", False, "must", "has no address"),
        ("localhost", False, "look", "which is private"),
        ("localhost", True, "well", "localhost leads to"),
    ],
)
async def test_a_name_leads_to_an_address_that_others_can_reach(
    name: str, private: bool, state: str, said: str
) -> None:
    settings = Settings(url=f"https://{name}", allow_private_network=private)

    found = await reach.name_of(name, 443, settings)

    assert found[1] == state
    assert said in found[2]
