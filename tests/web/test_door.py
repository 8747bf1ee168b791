"""Coming in and going out: what is guessed, forged, stolen or sent twice opens nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some
from sqlalchemy import update

from coop import accounts, logins
from coop.logins import Login
from tests.fediverse import Fediverse, key_pair
from tests.web.inhabitants import PASSWORD, Inhabitant, at_home, forms, gives_a_password
from tests.web.visitors import BROWSER, visiting
from web.pages.settings import named
from web.session import way_back


async def test_whoever_knows_the_password_comes_in_where_they_wanted_to_go(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    await gives_a_password(attic)
    one = Inhabitant(attic, visiting(attic))

    asked = await one.sees("/notifications?before=1")
    form = await one.sees(asked.headers["location"])
    answer = await one.sends_from(form.text, "/login", name="Attic", password=PASSWORD)
    page = await one.sees(answer.headers["location"])

    assert (asked.status_code, answer.status_code, page.status_code) == (303, 303, 200)
    assert answer.headers["location"] == "/notifications?before=1"
    assert page.headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize("name", ["attic", "nobody", "", "attic@elsewhere.example"])
async def test_a_wrong_name_or_password_is_told_alike_and_what_was_typed_is_kept(
    fediverse: Fediverse, name: str
) -> None:
    attic = await fediverse.studio("attic")
    await gives_a_password(attic)
    one = Inhabitant(attic, visiting(attic))

    answer = await one.sends("/login", "/login", name=name, password="a wrong one")

    assert answer.status_code == 422
    assert "do not go together" in answer.text
    assert forms(answer.text)[0].fields["name"] == name
    assert forms(answer.text)[0].fields["password"] == ""
    assert (await one.sees("/today")).status_code == 303


async def test_nobody_comes_in_who_has_no_password(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    one = Inhabitant(attic, visiting(attic))

    assert (await one.logs_in(password="")).status_code == 422
    assert (await one.logs_in(password="the password of nobody")).status_code == 422


async def test_who_guesses_has_to_wait_and_who_lives_here_does_not(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    owner = await at_home(attic)
    await owner.sends("/today", "/logout")
    crowd = [Inhabitant(attic, visiting(attic, f"192.0.2.{number}")) for number in range(5)]

    guessed = [(await one.logs_in(password=f"guess {one} {number}")) for one in crowd for number in range(6)]
    stranger = Inhabitant(attic, visiting(attic, "192.0.2.200"))

    assert any("Wait" in one.text for one in guessed)
    assert "Wait" in (await stranger.logs_in()).text  # with the right one: nobody can tell
    assert (await owner.logs_in()).status_code == 303


async def test_the_secret_of_a_browser_is_another_after_each_login_and_is_not_kept(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    await gives_a_password(attic)
    one = Inhabitant(attic, visiting(attic))

    before = (await one.sees("/login")).headers["set-cookie"]
    answer = await one.logs_in()
    after = answer.headers["set-cookie"]
    secret = one.client.cookies["__Host-boxroom"]

    assert before.partition(";")[0] != after.partition(";")[0]
    assert all(word in after for word in ("HttpOnly", "Secure", "SameSite=lax", "Path=/", "__Host-boxroom="))
    [kept] = [row.browser for row in await attic.knows(Login)]
    assert kept == logins.hashed(secret)
    assert secret not in kept


@pytest.mark.parametrize("token", ["", "0" * 64, "é", None])
async def test_a_form_of_another_page_does_nothing(fediverse: Fediverse, token: str | None) -> None:
    attic = await fediverse.studio("attic")
    one = await at_home(attic)

    sent = {"other": ""} if token is None else {"token": token}
    answer = await one.client.post("/logout", data=sent, headers=BROWSER)

    assert answer.status_code == 403
    assert "nothing was done" in answer.text
    assert (await one.sees("/today")).status_code == 200


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ],
)
async def test_what_another_page_had_the_browser_send_does_nothing(fediverse: Fediverse, name: str, value: str) -> None:
    attic = await fediverse.studio("attic")
    one = await at_home(attic)
    [form] = [one for one in forms((await one.sees("/today")).text) if one.action == "/logout"]

    answer = await one.client.post("/logout", data=form.fields, headers={**BROWSER, name: value})

    assert answer.status_code == 403
    assert (await one.sees("/today")).status_code == 200


async def test_who_shares_a_house_goes_from_one_to_the_other(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    await attic.does(lambda tx: accounts.create(tx, "press", "The Attic Press", "studio", key_pair(1)).uri)
    await gives_a_password(attic, "press")
    one = await at_home(attic)

    await one.logs_in("press")
    as_press = (await one.sees("/today")).text
    await one.sends_from(as_press, "/switch")
    as_attic = (await one.sees("/today")).text
    await one.sends_from(as_attic, "/logout")
    again = (await one.sees("/today")).text

    assert "<span>The Attic Press</span>" in as_press
    assert "<span>Attic</span>" in as_attic
    assert "<span>The Attic Press</span>" in again


async def test_nobody_becomes_somebody_who_is_not_logged_in_there(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    await attic.does(lambda tx: accounts.create(tx, "press", "The Attic Press", "studio", key_pair(1)).uri)
    one = await at_home(attic)
    numbers = await attic.instance.store.read(accounts.numbers)
    token = forms((await one.sees("/today")).text)[0].fields["token"]

    sent = [{"token": token, "account": each} for each in (str(max(numbers.values())), "", "x", "9" * 30, "-1")]
    answers = [await one.client.post("/switch", data=each, headers=BROWSER) for each in sent]

    assert [one.status_code for one in answers] == [404, 400, 400, 400, 400]
    assert "<span>Attic</span>" in (await one.sees("/today")).text


async def test_a_new_password_ends_all_other_logins(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    lost, here = await at_home(attic), await at_home(attic)

    wrong = await here.sends("/settings/logins", "/settings/password", old="no", new="a whole new one")
    short = await here.sends("/settings/logins", "/settings/password", old=PASSWORD, new="short")
    done = await here.sends("/settings/logins", "/settings/password", old=PASSWORD, new="a whole new one")

    assert (wrong.status_code, short.status_code, done.status_code) == (422, 422, 303)
    assert (await lost.sees("/today")).status_code == 303
    assert (await here.sees("/today")).status_code == 200
    assert (await lost.logs_in()).status_code == 422
    assert (await lost.logs_in(password="a whole new one")).status_code == 303


async def test_what_was_left_open_elsewhere_can_be_closed_from_here(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    lost, here = await at_home(attic), await at_home(attic)

    await here.sends("/settings/logins", "/settings/browsers")

    assert (await lost.sees("/today")).status_code == 303
    assert (await here.sees("/today")).status_code == 200


async def test_a_login_ends_when_nobody_came_by_for_long(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    one = await at_home(attic)

    fediverse.later(days=89)
    await one.sees("/today")
    fediverse.later(days=89)
    still = await one.sees("/today")
    fediverse.later(days=91)
    ended = await one.sees("/today")

    assert (still.status_code, ended.status_code) == (200, 303)


async def test_whoever_is_suspended_is_logged_in_no_more(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    one = await at_home(attic)

    await attic.does(lambda tx: tx.db.execute(update(accounts.Account).values(suspended=True)) and None)

    assert (await one.sees("/today")).status_code == 303


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Mobile Safari/604.1",
            "Safari on an iPhone",
        ),
        ("Mozilla/5.0 (Windows NT 10.0; Win64) Chrome/150.0.0.0 Safari/537.36 Edg/150.0.0.0", "Edge on Windows"),
        ("curl/8.0", "A browser"),
        ("", "A browser"),
    ],
)
def test_a_browser_is_listed_under_a_name_that_people_know(agent: str, name: str) -> None:
    assert named(agent) == name


@given(path=some.text(max_size=30) | some.from_regex(r"[/\\.a-z:]{1,12}", fullmatch=True))
def test_a_login_leads_to_no_other_server(path: str) -> None:
    way = way_back(path)

    assert way.startswith("/")
    assert not way.startswith(("//", "/\\"))
    assert way.isprintable()
