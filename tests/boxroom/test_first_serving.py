"""The program without a studio: it prints a link, and as soon as one is founded it is its server, at the same port."""

from __future__ import annotations

import re
import signal
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import httpx
import pytest

from boxroom.folder import DRAFT, LOCK
from boxroom.settings import FILE
from tests.boxroom.house import House, free_port
from tests.web.inhabitants import forms
from tests.web.visitors import BROWSER

PASSWORD = "one lamp, two windows"


@pytest.fixture
def house(tmp_path: Path) -> House:
    """Where there is nothing yet."""
    return House(tmp_path / "data", f"http://localhost:{free_port()}")


def link_of(server: subprocess.Popen[str], house: House) -> str:
    """The link that it prints."""
    assert server.stdout is not None
    assert "no studio in" in server.stdout.readline(), house.log
    link = server.stdout.readline().strip()
    assert "https://YOUR-NAME/first?key=" in server.stdout.readline()
    return link


def browser() -> httpx.Client:
    return httpx.Client(headers=BROWSER, follow_redirects=True, timeout=60)


def sends(client: httpx.Client, page: httpx.Response, action: str, **typed: str) -> httpx.Response:
    form = next(one for one in forms(page.text) if one.action == action)
    return client.post(page.url.join(action), data={**form.fields, **typed})


def comes_to_the_address(client: httpx.Client, link: str) -> httpx.Response:
    return sends(client, client.get(link), "/first", name="Ada", handle="ada", kind="person")


def test_the_server_of_a_studio_takes_over_as_soon_as_it_is_founded(house: House) -> None:
    with house.starts("serve", "--port", house.port) as server, browser() as ada:
        page = comes_to_the_address(ada, link_of(server, house))
        page = sends(ada, page, "/first/address", where="trial")
        page = sends(ada, page, "/first/address/take")
        page = sends(ada, page, "/first/way-in", way="password", password=PASSWORD)
        page = sends(ada, page, "/first/found", kept="yes")
        enter = re.search(r'href="(http[^"]+/welcome\?by=[^"]+)"', page.text)
        assert enter is not None
        page = ada.get(enter[1])

        assert page.url.path == "/welcome/you"
        assert ada.get(f"{house.url}/today").status_code == 200
        assert house.shows("whoami")["address"] == house.address
        server.send_signal(signal.SIGTERM)
        assert server.wait(30) == 0

    assert {file.name for file in house.folder.iterdir()} == {FILE, "boxroom.db", LOCK}
    assert "Traceback" not in house.log
    assert PASSWORD not in house.log
    with house.open(), browser() as ada:
        page = sends(ada, ada.get(f"{house.url}/login"), "/login", name="ada", password=PASSWORD)
        assert page.url.path == "/today"


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_first_run_that_ends_too_early_goes_on_at_the_next_start(house: House, ending: signal.Signals) -> None:
    with house.starts("serve", "--port", house.port) as server, browser() as ada:
        old = link_of(server, house)
        comes_to_the_address(ada, old)
        server.send_signal(ending)
        assert server.wait(30) == (-ending if ending == signal.SIGKILL else 0)
    assert {file.name for file in house.folder.iterdir()} == {DRAFT, LOCK}

    with house.starts("serve", "--port", house.port) as server, browser() as ada:
        new = link_of(server, house)
        assert ada.get(old).status_code == 403
        assert "for ever" in ada.get(new).text
        assert 'value="Ada"' in ada.get(f"{house.url.replace('localhost', '127.0.0.1')}/first").text
    assert "Traceback" not in house.log


def test_a_studio_that_is_set_up_by_command_meanwhile_is_left_as_it_is(house: House) -> None:
    with house.starts("serve", "--port", house.port) as server:
        link_of(server, house)
        house.does("init", "--url", "https://other.example", "--handle", "bo")
        server.send_signal(signal.SIGTERM)
        assert server.wait(30) == 0

    assert house.shows("whoami")["address"] == "bo@other.example"


def test_nobody_founds_a_studio_among_other_things(house: House) -> None:
    house.folder.mkdir()
    (house.folder / "letter.txt").write_text("dear Bo")

    with house.starts("serve", "--port", house.port) as server:
        assert server.wait(60) == 1

    assert "is not empty; choose another folder" in house.log
    assert [file.name for file in house.folder.iterdir()] == ["letter.txt"]


def test_one_folder_has_one_first_run(house: House) -> None:
    with house.starts("serve", "--port", house.port) as first:
        link_of(first, house)
        with house.starts("serve", "--port", "0") as second:
            assert second.wait(60) == 1
    assert "is being served already" in house.log


def test_what_other_servers_ask_meanwhile_is_refused(house: House) -> None:
    with house.starts("serve", "--port", house.port) as server:
        link_of(server, house)
        for path in ("/", "/.well-known/webfinger?resource=acct:ada@x.example", "/first"):
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(f"{house.url}{path}", timeout=30)  # noqa: S310 - our own
            assert refused.value.code == 403
            refused.value.close()
