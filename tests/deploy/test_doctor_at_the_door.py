"""What may be wrong between the world and a studio: each thing is done to the real Caddy, and the doctor names it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.boxroom.certificates import made
from tests.deploy.land import Home, Land

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("deploy")]

HOST = "attic.example"
FIRST_LETTERS = "@letters method POST\n\trespond @letters 405\n\t"
NO_WEBFINGER = "respond /.well-known/webfinger 404\n\t"


class Fault(NamedTuple):
    """What is said of `what`, and with what cure, when Caddy is configured as `site`, or is not there without one."""

    name: str
    site: str
    what: str
    said: str
    todo: str
    url: str = f"https://{HOST}"


def passing(how: str = "", before: str = "", name: str = HOST) -> str:
    return f"{name} {{\n\t{before}reverse_proxy 127.0.0.1:8001 {{\n\t\t{how}\n\t}}\n}}\n"


FAULTS = [
    Fault("no address", "", "name", "nowhere.example has no address", "make a DNS record", "https://nowhere.example"),
    Fault(
        "private address",
        "",
        "name",
        "192.168.7.7, which is private",
        "correct the DNS record",
        "https://cellar.example",
    ),
    Fault(
        "port closed", "", "certificate", f"nobody answers at {HOST}:443", "do the router's ports lead to this machine"
    ),
    Fault(
        "http only", passing(name=f"http://{HOST}"), "certificate", "over plain http alone", "let the proxy serve https"
    ),
    Fault(
        "http at 443",
        passing(name=f"http://{HOST}:8443"),
        "certificate",
        "speaks no TLS",
        "let the proxy serve https there",
        f"https://{HOST}:8443",
    ),
    Fault(
        "http for ever",
        passing(name=f"http://{HOST}"),
        "certificate",
        "begins with http:",
        "with an https address",
        f"http://{HOST}",
    ),
    Fault(
        "another name's proxy",
        passing(name="shop.example"),
        "certificate",
        "has no certificate for that name",
        "journalctl -u caddy",
    ),
    Fault(
        "Host", passing("header_up Host localhost"), "proxy", "for another name", "pass the Host header on as it came"
    ),
    Fault("Signature", passing("header_up -Signature"), "proxy", "it takes away signature", "pass every header on"),
    Fault("Digest", passing("header_up -Digest"), "proxy", "it takes away digest", "pass every header on"),
    Fault("RFC 9421", passing("header_up -Signature-Input"), "proxy", "signature-input", "pass every header on"),
    Fault(
        "X-Forwarded-For", passing("header_up -X-Forwarded-For"), "proxy", "does not say who asks", "X-Forwarded-For"
    ),
    Fault("no server", passing().replace("8001", "8009"), "proxy", "no server behind it", "systemctl start boxroom"),
    Fault("POST", passing(before=FIRST_LETTERS), "inbox", "answers 405", "pass POST requests on"),
    Fault("WebFinger", passing(before=NO_WEBFINGER), "address", "answers 404", "301 to https://attic.example"),
    Fault(
        "somebody else", f'{HOST} {{\n\trespond "Hello"\n}}\n', "profile", "not ActivityStreams", "the Accept header"
    ),
]


@pytest.fixture(scope="module")
def ada(country: Land, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """Ada's studio, whose server runs all the time."""
    home = Home(tmp_path_factory.mktemp("ada") / "attic", f"https://{HOST}", "ada", land=country, at="8001")
    home.does("init", "--url", home.url, "--handle", home.handle)
    with home.open():
        yield home


def examines(ada: Home, **environment: str) -> dict[str, dict[str, str]]:
    examined = ada.tries("doctor", "--json", **environment)
    assert examined.stderr == ""
    return {one["what"]: one for one in json.loads(examined.stdout)}


def test_a_studio_behind_the_caddy_that_is_deployed_is_well(ada: Home, country: Land) -> None:
    with country.caddy(HOST, ada.port):
        found = examines(ada)

    assert {name: one["state"] for name, one in found.items() if one["state"] != "well"} == {
        "backup": "look",  # there is none yet
        "clock": "look",  # nobody else is known here whose clock could be compared
    }
    assert {"name", "certificate", "proxy", "address", "profile", "inbox"} <= found.keys()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_what_is_wrong_at_the_door_is_named_with_its_cure(ada: Home, country: Land, fault: Fault) -> None:
    at = re.search(r"http://[^ ]+", fault.site)
    ready = at[0] if at else f"http://{HOST}" if "shop" in fault.site else ""
    with country.caddy(HOST, ada.port, fault.site, ready) if fault.site else nullcontext():
        found = examines(ada, BOXROOM_URL=fault.url)

    assert found[fault.what]["state"] == ("look" if fault.name == "private address" else "must")
    assert fault.said in found[fault.what]["said"]
    assert fault.todo in found[fault.what]["todo"]


@pytest.mark.parametrize(
    ("name", "days", "trusted", "said", "todo"),
    [
        (HOST, 90, False, "self-signed certificate", "get one that everybody trusts"),
        (HOST, -1, True, "certificate has expired", "renew it"),
        (HOST, 5, True, "ends in 5 days", "find out why that does not happen by itself"),
        ("shop.example", 90, True, "not valid for 'attic.example'", "get one for this name"),
    ],
)
def test_what_is_wrong_with_a_certificate_is_named_with_its_cure(
    ada: Home, country: Land, tmp_path: Path, name: str, days: int, trusted: bool, said: str, todo: str
) -> None:
    file = made(tmp_path, name, days)
    authority = file if trusted else country.authority
    with country.caddy(HOST, ada.port, passing(before=f"tls {file} {file}\n\t")):
        found = examines(ada, SSL_CERT_FILE=str(authority))

    assert found["certificate"]["state"] == "must"
    assert said in found["certificate"]["said"]
    assert todo in found["certificate"]["todo"]
