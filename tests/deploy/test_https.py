"""Two studios, each behind the Caddy that we deploy: host names, certificates, HTTP/2, and a machine that is lost."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from activitypub import cavage, keys, rfc9421
from activitypub.message import Request
from federation.answer import AS2
from tests.deploy.land import Home, Land

pytestmark = [
    pytest.mark.timeout(300),  # everything is a process here, and each brings its own Python
    pytest.mark.xdist_group("deploy"),
]

WORDS = "four words nobody guesses"
ACTIVITY_JSON = "application/activity+json"


@pytest.fixture(scope="module")
def founded(country: Land, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Home]]:
    """Ada's studio and Bo's as they were set up, each with Caddy before it."""
    folder = tmp_path_factory.mktemp("founded")
    attic = Home(folder / "attic", "https://attic.example", "ada", land=country, at="8001")
    shop = Home(folder / "shop", "https://shop.example", "bo", land=country, at="8002")
    with country.caddy("attic.example", attic.port), country.caddy("shop.example", shop.port):
        for home in (attic, shop):
            home.does("init", "--url", home.url, "--handle", home.handle)
        yield [attic, shop]


@pytest.fixture
def studios(founded: list[Home], tmp_path: Path) -> list[Home]:
    """Ada's studio and Bo's. Their servers do not run."""
    return [replace(one, folder=shutil.copytree(one.folder, tmp_path / one.folder.name)) for one in founded]


def follows(one: Home, other: Home) -> None:
    one.reaches("follow", f"@{other.address}")
    one.waits_for("following", until='"state": "accepted"')


def signs(ada: Home, request: Request, scheme: str) -> dict[str, str]:
    """The headers of a request that Ada's server sends, with her own key."""
    with closing(sqlite3.connect(ada.folder / "boxroom.db")) as database:
        query = "SELECT id, private FROM keys WHERE owner = ? AND use = 'publicKey' AND private IS NOT NULL"
        [(key_id, pem)] = database.execute(query, (ada.shows("whoami")["uri"],))
    key = keys.load_private(pem)
    assert isinstance(key, RSAPrivateKey)
    sign = cavage.sign if scheme == "cavage" else rfc9421.sign
    return {**request.headers, **sign(request, key_id, key, datetime.now(UTC))}


def test_studios_federate_over_https_by_their_names(studios: list[Home]) -> None:
    ada, bo = studios
    with ada.open(), bo.open():
        follows(bo, ada)
        said = ada.does("post", "The catalogue is at the printer's.")
        bo.waits_for("feed", until=said)
        assert said.startswith("https://attic.example/")

        bo.does("like", said)
        ada.waits_for("notifications", until="https://shop.example/")


@pytest.mark.parametrize("scheme", ["cavage", "rfc9421"])
def test_a_signed_activity_arrives_over_http_2(studios: list[Home], country: Land, scheme: str) -> None:
    ada, bo = studios
    with ada.open(), bo.open():
        whom = bo.does("post", "Who draws a cover?")
        me, inbox = ada.shows("whoami")["uri"], "/inbox"
        like = {"@context": AS2, "id": f"{me}#like-1", "type": "Like", "actor": me, "object": whom}
        request = Request("POST", bo.url, inbox, {"content-type": ACTIVITY_JSON}, json.dumps(like).encode())
        headers = [
            part for name, value in signs(ada, request, scheme).items() for part in ("--header", f"{name}: {value}")
        ]

        told = country.asks(
            "--http2", *headers, "--data-binary", "@-", "--write-out", "%{http_version} %{http_code}",
            bo.url + inbox, body=request.body,
        )  # fmt: skip

        assert told == "2 202"
        bo.waits_for("notifications", until=me)


def test_what_is_asked_for_over_plain_http_is_sent_on_to_https(studios: list[Home], country: Land) -> None:
    ada, _ = studios

    told = country.asks(
        "--output", "/dev/null", "--write-out", "%{http_code} %{redirect_url}", "http://attic.example/@ada"
    )

    assert told == f"308 {ada.url}/@ada"


def test_shows_home_5_a_studio_that_was_lost_is_restored_and_receives_what_was_sent_meanwhile(
    studios: list[Home], tmp_path: Path
) -> None:
    ada, bo = studios
    secret, file = tmp_path / "passphrase", tmp_path / "ada.backup"
    secret.write_text(WORDS)
    with bo.open():
        with ada.open():
            follows(ada, bo)
            follows(bo, ada)
            before = ada.does("post", "Before the flood")
            bo.waits_for("feed", until=before)
            ada.does("backup", str(file), "--passphrase-file", str(secret))
            after = bo.does("post", "Had arrived, and was lost with the machine")
            ada.waits_for("feed", until=after)
        shutil.rmtree(ada.folder)
        meanwhile = bo.does("post", "Sent while nobody was there")
        bo.waits_for("status", until="502")

        again = replace(ada, folder=tmp_path / "new machine")
        again.does("restore", str(file), "--passphrase-file", str(secret))
        with again.open():
            for one in (before, after, meanwhile):
                again.waits_for("feed", until=one)
            assert again.shows("whoami")["address"] == ada.address
            said = again.does("post", "Here I am again")
            bo.waits_for("feed", until=said)
