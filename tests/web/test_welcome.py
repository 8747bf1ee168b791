"""The first steps in a new studio: coming in by the link, a way in, skills, somebody to follow, an offer."""

from __future__ import annotations

import pytest

from coop import accounts, logins, posts
from coop.accounts import Account
from coop.follows import Follow
from coop.logins import LINK_LASTS, Login
from coop.offers import Offer
from coop.posts import Draft
from federation.store import Transaction
from tests.fediverse import Fediverse, Studio
from tests.web.inhabitants import PASSWORD, Inhabitant, at_home
from tests.web.visitors import BROWSER, visiting

LINK = "a-link-that-nobody-guesses"


async def founded(fediverse: Fediverse, host: str = "attic") -> tuple[Studio, Inhabitant]:
    """A studio that was founded just now, without a password, and whoever has the link that lets them in."""
    studio = await fediverse.studio(host)

    def let_in(tx: Transaction) -> None:
        logins.let_in(tx, logins.hashed(LINK), accounts.named(tx.db, host).id)

    await studio.does(let_in)
    return studio, Inhabitant(studio, visiting(studio))


async def test_from_the_link_to_the_desk(fediverse: Fediverse) -> None:
    attic, one = await founded(fediverse)
    shop = await fediverse.studio("shop")

    came = await one.sees(f"/welcome?by={LINK}")
    key = await one.sees(came.headers["location"])
    chosen = await one.sends_from(key.text, "/settings/password", new=PASSWORD)
    skills = {"skill-0": "Maps", "skill-1": "", "skill-2": " Sheet music "}
    told = await one.sends(chosen.headers["location"], "/welcome/you", availability="From March", **skills)
    followed = await one.sends(told.headers["location"], "/welcome/follow", asked=f"@{shop.address}")
    offered = await one.sends(followed.headers["location"], "/board/new", title="Maps", text="By hand")
    await fediverse.settle()

    assert chosen.headers["location"] == "/welcome/you"
    assert offered.headers["location"] == "/today"
    assert (await one.sees("/today")).status_code == 200
    [account] = await attic.knows(Account)
    assert (account.skills, account.availability) == (["Maps", "Sheet music"], "From March")
    [follow] = await attic.knows(Follow)
    assert (follow.followed, follow.state) == (shop.uri, "accepted")
    [offer] = await attic.knows(Offer)
    assert offer.author == attic.uri


async def test_the_link_lets_one_browser_in_once(fediverse: Fediverse) -> None:
    _, one = await founded(fediverse)
    other = Inhabitant(one.studio, visiting(one.studio))

    came = await one.sees(f"/welcome?by={LINK}")
    again = await one.sees(f"/welcome?by={LINK}")
    elsewhere = await other.sees(f"/welcome?by={LINK}")

    assert (came.status_code, again.headers["location"]) == (303, "/today")
    assert elsewhere.status_code == 404
    assert "has let somebody in before" in elsewhere.text
    assert (await other.sees("/today")).status_code == 303


async def test_the_link_is_too_old_after_an_hour(fediverse: Fediverse) -> None:
    _, one = await founded(fediverse)

    fediverse.later(seconds=LINK_LASTS.total_seconds() + 1)

    assert (await one.sees(f"/welcome?by={LINK}")).status_code == 404


@pytest.mark.parametrize("by", ["", "x", "é", "%00", "x" * 5_000])
async def test_a_guessed_link_lets_nobody_in(fediverse: Fediverse, by: str) -> None:
    _, one = await founded(fediverse)

    assert (await one.sees(f"/welcome?by={by}")).status_code == 404


async def test_the_secret_of_the_link_is_no_login_by_itself(fediverse: Fediverse) -> None:
    attic, one = await founded(fediverse)
    one.client.cookies.set("__Host-boxroom", LINK.ljust(43, "x"))
    await attic.does(lambda tx: logins.let_in(tx, logins.hashed(LINK.ljust(43, "x")), accounts.first(tx.db).id))

    assert (await one.sees("/today")).status_code == 303
    assert (await one.sees("/login")).status_code == 200


async def test_a_browser_that_was_logged_out_is_no_link(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    one = await at_home(attic)
    secret = one.client.cookies["__Host-boxroom"]
    await one.sends("/settings", "/logout")

    answer = await Inhabitant(attic, visiting(attic)).sees(f"/welcome?by={secret}")

    assert answer.status_code == 404
    assert len(await attic.knows(Login)) == 1


async def test_whoever_has_a_password_changes_it_by_the_old_one_alone(fediverse: Fediverse) -> None:
    one = await at_home(await fediverse.studio("attic"))

    answer = await one.sends("/settings/logins", "/settings/password", new="a whole new one")
    key = await one.sees("/welcome/key")

    assert answer.status_code == 422
    assert "The old password is not that one" in answer.text
    assert key.headers["location"] == "/welcome/you"


async def test_nobody_is_followed_by_what_is_no_address_and_it_comes_back(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    one = await at_home(attic)
    post = await attic.does(lambda tx: posts.publish(tx, attic.uri, Draft("Something that was said")).uri)

    for asked in ("nobody", "@nobody@nowhere.example", post, ""):
        answer = await one.sends("/welcome/follow", "/welcome/follow", asked=asked)
        assert answer.status_code == 422
        assert f'value="{asked}"' in answer.text
    assert await attic.knows(Follow) == []


async def test_skills_that_were_named_before_stay(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    one = await at_home(attic)
    await attic.does(lambda tx: setattr(accounts.named(tx.db, "attic"), "skills", ["a", "b", "c", "d"]))

    page = (await one.sees("/welcome/you")).text
    answer = await one.sends_from(page, "/welcome/you", **{"skill-1": "B"})
    long = await one.sends_from(page, "/welcome/you", **{"skill-1": "x" * 100})

    assert answer.status_code == 303
    assert (long.status_code, "x" * 100 in long.text) == (422, True)
    assert (await attic.knows(Account))[0].skills == ["a", "B", "c", "d"]


@pytest.mark.parametrize("path", ["/welcome/you", "/welcome/follow"])
async def test_a_forged_form_does_nothing(fediverse: Fediverse, path: str) -> None:
    one = await at_home(await fediverse.studio("attic"))
    stranger = visiting(one.studio)

    assert (await one.client.post(path, data={"token": "0" * 64}, headers=BROWSER)).status_code == 403
    assert (await stranger.post(path, data={"asked": "x"}, headers=BROWSER)).status_code == 403
    assert (await stranger.get(path, headers=BROWSER)).status_code == 303


async def test_where_nobody_has_a_way_in_the_login_says_what_to_do(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    one = Inhabitant(attic, visiting(attic))

    shut = (await one.sees("/login")).text
    await at_home(attic)
    open_ = (await one.sees("/login")).text

    assert "Nobody here has a password or a passkey yet" in shut
    assert "<code>boxroom password</code> sets one" in shut
    assert "Nobody here has a password" not in open_
