from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import structlog

from tests.boxroom.house import House, found
from tests.interop.fedify import Peer, served
from tests.interop.npm import install


@pytest.fixture(scope="module", autouse=True)
def nothing_stays() -> Iterator[None]:
    """The program sets up its process; the tests of others begin without that."""
    before = os.umask(0o077)
    os.umask(before)
    yield
    os.umask(before)
    structlog.reset_defaults()


@pytest.fixture(scope="module")
def ada(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Ada's studio, a real server that talks with anybody on this machine."""
    house = found(tmp_path_factory.mktemp("ada") / "data", "ada", "--name", "Ada in the attic")
    with house.open():
        yield house


@pytest.fixture(scope="module")
def peers(ada: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Peer]]:
    """Two servers made with Fedify, one for each dialect of signatures; Ada and a fay of each follow each other."""
    install()
    logs = tmp_path_factory.mktemp("fedify")
    with served("cavage", logs / "cavage") as cavage, served("rfc9421", logs / "rfc9421") as rfc9421:
        for peer in (cavage, rfc9421):
            befriend(ada, peer)
        yield {"cavage": cavage, "rfc9421": rfc9421}


@pytest.fixture(params=["cavage", "rfc9421"])
def peer(peers: dict[str, Peer], request: pytest.FixtureRequest) -> Peer:
    return peers[request.param]


def befriend(ada: House, peer: Peer) -> None:
    """Both ask by address, which each has to look up at the other."""
    peer.does("follow", name="fay", whom=f"@{ada.address}")
    ada.does("follow", f"@{peer.address('fay')}")
    uri = ada.shows("whoami")["uri"]
    peer.waits_for("following", until=uri, name="fay")
    peer.waits_for("followers", until=uri, name="fay")
    ada.waits_for("followers", until=peer.uri("fay"))
    ada.waits_for("following", until=f'"{peer.uri("fay")}", "state": "accepted"')
