"""The first run in a browser: who may begin, what is kept, and that nothing is founded before it is confirmed."""

from __future__ import annotations

import asyncio
import re
import resource
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from activitypub import identity
from boxroom.folder import DRAFT, LOCK, SCAFFOLD
from boxroom.settings import FILE
from tests.boxroom.beginnings import PASSWORD, FirstRun
from web.first import draft
from web.first.beginning import STEPS
from web.first.draft import Draft

NOTHING = {DRAFT}  # that is a studio


@pytest.fixture
def run(tmp_path: Path) -> FirstRun:
    return FirstRun(tmp_path / "data")


def left_in(run: FirstRun) -> set[str]:
    return {file.name for file in run.folder.iterdir()}


async def test_a_studio_is_founded_in_a_browser_and_not_before_it_is_confirmed(run: FirstRun) -> None:
    ada = run.browser()
    sheet = (await ada.comes_to_the_sheet(run)).text
    before = left_in(run)

    unconfirmed = await ada.sends_from(sheet, "/first/found", kept="")
    still = left_in(run)
    answer = await ada.founds(sheet)

    assert (unconfirmed.status_code, answer.status_code, before, still) == (422, 200, NOTHING, NOTHING)
    assert left_in(run) == {FILE, "boxroom.db"}
    assert f'href="{run.home}/welcome?by=' in answer.text
    assert run.ended == 1
    assert (run.folder / FILE).read_text() == f'url = "{run.home}"\nallow_private_network = true\n'  # to try it out
    with closing(sqlite3.connect(run.folder / "boxroom.db")) as database:
        [(hashed, codes)] = database.execute("SELECT password, (SELECT count(*) FROM spare_codes) FROM accounts")
    assert PasswordHasher().verify(hashed, PASSWORD)
    assert codes == len(run.beginning.codes)


@pytest.mark.proves("P-079")
async def test_what_is_on_the_sheet_is_kept_nowhere(run: FirstRun) -> None:
    ada = run.browser()
    sheet = (await ada.comes_to_the_sheet(run)).text
    secret = identity.write_secret(run.beginning.recovery)

    await ada.founds(sheet)

    kept = b"".join(file.read_bytes() for file in run.folder.iterdir())
    for written in (secret, *run.beginning.codes):
        assert written in sheet
        assert written.encode() not in kept
    assert run.beginning.recovery.private_bytes_raw() not in kept


async def test_a_studio_that_is_founded_twice_is_founded_once(run: FirstRun) -> None:
    ada = run.browser()
    sheet = (await ada.comes_to_the_sheet(run)).text

    one, other = await asyncio.gather(ada.founds(sheet), ada.founds(sheet))

    links = [re.search(r"welcome\?by=([\w-]{43})", answer.text) for answer in (one, other)]
    assert links[0] is not None
    assert links[1] is not None
    assert links[0][1] == links[1][1]


async def test_a_disk_that_takes_no_more_founds_nothing_and_loses_nothing(run: FirstRun) -> None:
    ada = run.browser()
    sheet = (await ada.comes_to_the_sheet(run)).text

    with no_room():
        full = await ada.founds(sheet)
    left = left_in(run)
    answer = await ada.founds(sheet)

    assert "Nothing was founded, and nothing is lost" in full.text
    assert run.beginning.codes[0] in full.text  # the sheet that they have written down still holds
    assert left == NOTHING
    assert f'href="{run.home}/welcome?by=' in answer.text


@contextmanager
def no_room() -> Iterator[None]:
    """No file can grow beyond a few pages meanwhile: to a program that is a disk that fills up."""
    most, limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limit))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, limit))


async def test_the_first_run_speaks_as_the_browser_asks(run: FirstRun) -> None:
    ada = run.browser(accept_language="de")

    await ada.sees(run.link)
    page = (await ada.sees("/first")).text
    wrong = (await ada.says_whose(handle="a b")).text

    assert '<html lang="de" dir="ltr">' in page
    assert "Ein Name hat bis zu 30 Buchstaben" in wrong


# --- Who may -------------------------------------------------------------------------------------------------------


async def test_the_link_lets_in_the_first_browser_that_has_it_and_no_other(run: FirstRun) -> None:
    ada, other = run.browser(), run.browser()

    opened = await ada.sees(run.link)
    again = await ada.sees(run.link)
    elsewhere = await other.sees(run.link)

    assert (opened.status_code, opened.headers["location"], again.status_code) == (303, "/first", 200)
    assert elsewhere.status_code == 403
    assert "in another browser" in elsewhere.text
    for path in STEPS.values():
        assert (await other.sees(path)).status_code == 403
    for path in ("/first", "/first/address", "/first/address/take", "/first/way-in", "/first/found"):
        assert (await other.client.post(path, data={"name": "Eve", "handle": "eve"})).status_code == 403
    assert run.beginning.draft == Draft()


@pytest.mark.parametrize("key", ["", "x", "é", "0" * 43])
async def test_a_guessed_link_opens_nothing(run: FirstRun, key: str) -> None:
    eve = run.browser()

    answer = await eve.sees(f"/first?key={key}")

    assert answer.status_code == 403
    assert "not the one that the program printed" in answer.text
    assert (await eve.sees("/")).status_code == 403
    assert (await run.browser().sees(run.link)).status_code == 303


async def test_the_link_is_too_old_after_half_an_hour(run: FirstRun) -> None:
    run.later = timedelta(minutes=31)

    assert (await run.browser().sees(run.link)).status_code == 403


@pytest.mark.parametrize(("address", "status"), [("127.0.0.1", 303), ("172.31.83.9", 303), ("192.0.2.1", 403)])
async def test_only_this_machine_and_its_proxies_come_so_far(tmp_path: Path, address: str, status: int) -> None:
    run = FirstRun(tmp_path / "data", proxies=("172.31.83.0/24",))

    assert (await run.browser(address).sees(run.link)).status_code == status


@pytest.mark.parametrize("headers", [{"origin": "https://evil.example"}, {"sec_fetch_site": "cross-site"}])
async def test_what_another_page_had_the_browser_send_is_not_taken(run: FirstRun, headers: dict[str, str]) -> None:
    ada = run.browser()
    await ada.sees(run.link)
    ada.client.headers.update({name.replace("_", "-"): value for name, value in headers.items()})

    assert (await ada.says_whose()).status_code == 403
    assert run.beginning.draft == Draft()


@pytest.mark.parametrize("token", ["", "0" * 64])
async def test_a_forged_form_is_not_taken(run: FirstRun, token: str) -> None:
    ada = run.browser()
    await ada.sees(run.link)

    assert (await ada.says_whose(token=token)).status_code == 403
    assert run.beginning.draft == Draft()


async def test_behind_a_proxy_with_tls_the_browser_is_known_by_a_cookie_for_that(run: FirstRun) -> None:
    ada = run.browser(home="https://studio.example", x_forwarded_proto="https", origin="https://studio.example")

    opened = await ada.sees(run.link)

    assert "__Host-boxroom=" in opened.headers["set-cookie"]
    assert (await ada.says_whose()).headers["location"] == "/first/address"


@pytest.mark.parametrize("host", ["", "a b", "a@b", "x" * 3_000, "%00"])
async def test_whoever_asks_for_an_odd_name_is_refused(run: FirstRun, host: str) -> None:
    answer = await run.browser().client.get(run.link, headers={"host": host})

    assert answer.status_code == 403
    assert run.beginning.browser is None


# --- What is typed -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"name": " "}, "by what name"),
        ({"name": "x" * 200}, "The name is one line"),
        ({"handle": "ada."}, "A handle has"),
        ({"handle": ""}, "A handle has"),
        ({"kind": "crowd"}, "one person"),
    ],
)
async def test_a_form_that_cannot_be_taken_comes_back_with_all_that_was_typed(
    run: FirstRun, typed: dict[str, str], said: str
) -> None:
    ada = run.browser()
    await ada.sees(run.link)

    answer = await ada.says_whose(**typed)

    assert answer.status_code == 422
    assert said in answer.text
    for name, value in {"name": "Ada Verne", "handle": "ada", **typed}.items():
        assert name == "kind" or f'value="{value.strip()}"' in answer.text
    assert run.beginning.draft == Draft()


@pytest.mark.parametrize(
    "url", ["", "not an address", "https://a.example/blog", "a.example?x", "ftp://a", "a..b", "a_b.c"]
)
async def test_what_is_no_address_is_not_looked_at(run: FirstRun, url: str) -> None:
    ada = run.browser()
    await ada.sees(run.link)
    await ada.says_whose()

    answer = await ada.sends("/first/address", "/first/address", where="own", url=url)

    assert answer.status_code == 422
    assert run.beginning.draft.url == ""
    assert (await ada.sees("/first/way-in")).headers["location"] == "/first/address"


@pytest.mark.parametrize(
    ("typed", "home"),
    [
        ("studio.example", "https://studio.example"),
        ("https://Studio.example:443/", "https://studio.example"),
        ("http://studio.example:80", "http://studio.example"),
        ("https://müller.example.", "https://xn--mller-kva.example"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
    ],
)
def test_an_address_is_kept_as_servers_ask_for_it(run: FirstRun, typed: str, home: str) -> None:
    assert run.beginning.ground.home(typed) == home


async def test_an_address_that_leads_nowhere_is_told_with_its_cure_and_may_be_taken_nevertheless(
    run: FirstRun,
) -> None:
    ada = run.browser()
    await ada.sees(run.link)
    await ada.says_whose()

    await ada.looks_at("studio.invalid")
    page = (await ada.sees("/first/address")).text
    took = await ada.sends_from(page, "/first/address/take")

    assert "studio.invalid has no address" in page
    assert "make a DNS record for studio.invalid" in page
    assert "nevertheless" in page
    assert took.headers["location"] == "/first/way-in"
    assert run.beginning.draft.url == "https://studio.invalid"


async def test_an_address_is_not_taken_before_it_was_looked_at(run: FirstRun) -> None:
    ada = run.browser()
    await ada.sees(run.link)
    await ada.says_whose()
    await ada.looks_at("studio.invalid")
    page = (await ada.sees("/first/address")).text
    await ada.looks_at("other.invalid")

    answer = await ada.sends_from(page, "/first/address/take")

    assert answer.status_code == 422
    assert not run.beginning.draft.is_taken


async def test_an_address_where_another_program_answers_is_told(run: FirstRun, tmp_path: Path) -> None:
    ada, other = run.browser(), FirstRun(tmp_path / "other")
    await ada.sees(run.link)
    await ada.says_whose()

    async with other.is_served():
        await ada.looks_at(other.home)

    assert run.beginning.is_stuck
    assert f"somebody else answers at {other.home}" in (await ada.sees("/first/address")).text


async def test_an_address_for_trying_out_leads_to_this_very_program(run: FirstRun) -> None:
    await run.browser().comes_to_the_sheet(run)

    assert {what: state for what, state, *_ in run.beginning.seen} == dict.fromkeys(
        ("permissions", "disk", "name", "proxy", "machine"), "well"
    )


async def test_the_environment_may_have_said_the_address_already(tmp_path: Path) -> None:
    run = FirstRun(tmp_path / "data", {"BOXROOM_URL": "https://studio.invalid"})
    ada = run.browser()
    await ada.sees(run.link)
    await ada.says_whose()

    page = (await ada.sees("/first/address")).text
    answer = await ada.looks_at("https://other.invalid")

    assert 'value="https://studio.invalid"' in page
    assert "the environment says" in answer.text.lower()


@pytest.mark.parametrize(
    ("way", "said"),
    [
        ({"way": "password", "password": "short"}, "10 characters"),
        ({"way": "window", "password": PASSWORD}, "Choose how"),
    ],
)
async def test_a_way_in_that_is_none_is_not_taken(run: FirstRun, way: dict[str, str], said: str) -> None:
    ada = run.browser()

    answer = await ada.comes_to_the_sheet(run, **way)
    told = await ada.sends("/first/way-in", "/first/way-in", **way)

    assert answer.headers["location"] == "/first/way-in"
    assert (told.status_code, said in told.text) == (422, True)


@pytest.mark.parametrize(
    ("url", "takes"),
    [
        ("https://studio.example", True),
        ("http://localhost:8000", True),
        ("http://studio.example", False),
        ("https://192.0.2.1", False),
        ("https://[2001:db8::1]", False),
        ("http://127.0.0.1:8000", False),
    ],
)
async def test_a_passkey_is_offered_where_browsers_make_one(run: FirstRun, url: str, takes: bool) -> None:
    ada = run.browser()
    await ada.sees(run.link)
    run.beginning.type(Draft("Ada", "ada", url=url, is_taken=True))

    page = (await ada.sees("/first/way-in")).text
    answer = await ada.sends_from(page, "/first/way-in", way="passkey")

    assert ('value="passkey"' in page, answer.status_code == 303) == (takes, takes)


# --- What goes wrong -----------------------------------------------------------------------------------------------


async def test_what_was_typed_outlives_the_program_but_for_what_is_secret(run: FirstRun) -> None:
    before = run.browser()
    await before.comes_to_the_sheet(run)
    key, codes = run.beginning.key, run.beginning.codes

    run.starts()
    after = run.browser()
    opened = await after.sees(run.link)

    assert run.beginning.key != key
    assert run.beginning.codes != codes
    assert opened.headers["location"] == "/first/way-in"
    assert 'value="Ada Verne"' in (await after.sees("/first")).text
    assert (await before.sees("/first")).status_code == 403
    assert PASSWORD not in (run.folder / DRAFT).read_text()


@pytest.mark.parametrize("kept", [b"", b"{", b"\xff", b'{"kind": "crowd"}', b"[]", b'{"url": 7}'])
def test_what_was_kept_and_cannot_be_read_is_forgotten(kept: bytes) -> None:
    assert draft.read(kept) == Draft()


async def test_a_folder_that_cannot_be_written_in_is_told_and_costs_nothing_that_was_typed(run: FirstRun) -> None:
    ada = run.browser()
    sheet = (await ada.comes_to_the_sheet(run)).text
    (run.folder / "letter.txt").write_text("dear Bo")  # as somebody puts there meanwhile

    refused = await ada.founds(sheet)
    left = left_in(run)
    (run.folder / "letter.txt").unlink()
    answer = await ada.founds(refused.text)

    assert refused.status_code == 422
    assert "is not empty" in refused.text
    assert all(code in refused.text for code in run.beginning.codes)
    assert (left, answer.status_code) == (NOTHING | {"letter.txt"}, 200)


async def test_a_founding_that_was_cut_short_is_begun_anew(run: FirstRun) -> None:
    ada = run.browser()
    sheet = (await ada.comes_to_the_sheet(run)).text
    (run.folder / SCAFFOLD).mkdir()
    (run.folder / SCAFFOLD / "boxroom.db").write_bytes(b"half of a database")

    answer = await ada.founds(sheet)

    assert answer.status_code == 200
    assert left_in(run) == {FILE, "boxroom.db"}


async def test_whoever_comes_in_too_soon_is_sent_to_the_studio(run: FirstRun) -> None:
    ada = run.browser()
    await ada.founds((await ada.comes_to_the_sheet(run)).text)

    answer = await ada.sees("/welcome?by=x%C3%A9")
    odd = await ada.sees(f"{run.home}//evil.example/")

    assert (answer.status_code, answer.headers["location"]) == (307, f"{run.home}/welcome?by=x%C3%A9")
    assert odd.headers["location"] == f"{run.home}//evil.example/"
    assert answer.headers["connection"] == "close"


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(typed=some.dictionaries(some.sampled_from(["name", "handle", "kind", "form", "x"]), some.text(max_size=80)))
async def test_whatever_is_sent_is_answered(run: FirstRun, typed: dict[str, str]) -> None:
    run.beginning.browser = None
    ada = run.browser()
    await ada.sees(run.link)

    for path in ("/first", "/first/address", "/first/way-in", "/first/found"):
        answer = await ada.client.post(path, data={**typed, "token": _token((await ada.sees("/first")).text)})
        assert answer.status_code in (303, 422)
    assert FILE not in left_in(run)
    assert LOCK not in left_in(run)


def _token(page: str) -> str:
    found = re.search(r'name="token" value="(\w+)"', page)
    assert found is not None
    return found[1]
