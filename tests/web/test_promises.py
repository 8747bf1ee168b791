"""Promises in the browser: made, answered, changed, kept, let off; all of them in one list, and in a calendar."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import quote

from coop import joining, promises
from coop.commitments import Commitment
from coop.promises import Draft
from tests.coop.guild import Guild, found
from tests.coop.neighbours import counting
from tests.coop.test_commitments import agree, proposes, standings
from tests.fediverse import Fediverse
from tests.web.inhabitants import at_home, forms
from tests.web.test_projects import MOST_STATEMENTS, room
from tests.web.visitors import BROWSER, ask

PROOFS = {"text": "Read the *proofs*.", "due": "2026-04-01", "hours": "2,5"}


def where(uri: str) -> str:
    return f"/promise?is={quote(uri, safe='')}"


def new(guild: Guild) -> str:
    return f"/promises/new?project={quote(guild.uri, safe='')}"


async def test_a_promise_is_made_and_accepted(fediverse: Fediverse) -> None:
    guild, bo, ada, shop = await room(fediverse)

    done = await ada.sends(new(guild), "/promises/new", **PROOFS)
    await fediverse.settle()
    asked = (await shop.sees("/promises")).text
    await shop.sends_from(asked, "/promise/accept")
    await fediverse.settle()

    [row] = await bo.knows(Commitment)
    assert done.headers["location"] == where(row.uri)
    assert (row.provider, row.receiver, str(row.hours)) == (guild.ada.uri, bo.uri, "2.5")
    assert (row.due and f"{row.due:%Y-%m-%d %H:%M}") == "2026-04-01 23:59"
    assert "Waits for your answer" in asked
    assert await standings(guild.ada) == ["open"]
    for one, path in ((ada, "/promises?show=mine"), (shop, "/promises?show=to-me")):
        assert "Read the proofs." in (await one.sees(path)).text
    assert "Read the proofs." not in (await shop.sees("/promises?show=mine")).text


async def test_one_asks_for_a_promise_and_is_declined_with_a_word(fediverse: Fediverse) -> None:
    guild, bo, ada, shop = await room(fediverse)

    done = await ada.sends(new(guild), "/promises/new", way="ask", **PROOFS)
    await fediverse.settle()
    await shop.sends(done.headers["location"], "/promise/decline", text="Not *this* month.")
    await fediverse.settle()

    [row] = await guild.ada.knows(Commitment)
    assert (row.provider, row.state) == (bo.uri, "declined")
    assert "Not this month." in (await ada.sees(where(row.uri))).text


async def test_what_can_be_no_promise_comes_back_as_it_was_typed(fediverse: Fediverse) -> None:
    guild, bo, ada, _ = await room(fediverse)
    page = (await ada.sees(new(guild))).text
    nonsense: list[dict[str, str]] = [
        {"text": " "},
        {"text": "x" * 2_001},
        {"due": "soon"},
        {"due": "2020-01-01"},
        {"hours": "many"},
        {"hours": "-1"},
        {"hours": "1E+99999999"},
        {"with": guild.ada.uri},
        {"with": "https://nowhere.example/x"},
    ]

    for wrong in nonsense:
        typed = {**PROOFS, "with": bo.uri, **wrong}
        answer = await ada.sends_from(page, "/promises/new", **typed)
        [form] = [one for one in forms(answer.text) if one.action == "/promises/new"]
        assert answer.status_code == 422, wrong
        assert "Nothing was done: " in answer.text
        assert form.fields["text"].strip() == typed["text"].strip()
        assert form.fields["hours"] == typed["hours"]

    assert await guild.ada.knows(Commitment) == []


async def test_a_promise_that_is_sent_twice_is_made_once(fediverse: Fediverse) -> None:
    guild, _, ada, _ = await room(fediverse)
    page = (await ada.sees(new(guild))).text

    first, again = [await ada.sends_from(page, "/promises/new", **PROOFS) for _ in range(2)]

    assert first.headers["location"] == again.headers["location"]
    assert len(await guild.ada.knows(Commitment)) == 1


async def test_one_chooses_in_which_project(fediverse: Fediverse) -> None:
    guild, _, ada, _ = await room(fediverse)

    page = (await ada.sees("/promises/new")).text

    assert f"/promises/new?project={quote(guild.uri)}" in page
    assert "/promises/new" not in [one.action for one in forms(page)]


async def test_in_a_project_of_one_s_own_there_is_nobody_to_promise(fediverse: Fediverse) -> None:
    guild = await found(fediverse)
    ada = await at_home(guild.ada)

    page = (await ada.sees(new(guild))).text

    assert "There is nobody in Catalogue yet" in page


async def test_other_terms_count_once_both_have_signed_them(fediverse: Fediverse) -> None:
    guild, bo, ada, shop = await room(fediverse)
    uri = await agree(guild, guild.ada, bo)

    await ada.sends(where(uri), "/promise/change", text="Read *half* of them.", due="2026-05-01")
    await fediverse.settle()
    asked = (await shop.sees(where(uri))).text
    await shop.sends_from(asked, "/promise/accept")
    await fediverse.settle()

    page = (await shop.sees(where(uri))).text
    assert "Waits for your answer" in asked
    assert "Every version that it had" in page
    assert "Replaced" in page
    assert await standings(guild.ada) == ["replaced", "open"]


async def test_what_was_proposed_is_taken_back(fediverse: Fediverse) -> None:
    guild, bo, ada, _ = await room(fediverse)
    uri = await proposes(guild, guild.ada, bo)

    await ada.sends(where(uri), "/promise/withdraw")
    await fediverse.settle()

    assert await standings(bo) == ["withdrawn"]


async def test_a_promise_is_kept_and_shown_where_both_want_it(fediverse: Fediverse) -> None:
    guild, bo, ada, shop = await room(fediverse)
    uri = await agree(guild, guild.ada, bo)
    page = f"{guild.ada.home}/@ada"

    await ada.sends(where(uri), "/promise/keep", text="Done!", shown="yes")
    await fediverse.settle()
    before, asked = (await ask(guild.ada, page, BROWSER)).text, (await shop.sees(where(uri))).text
    await shop.sends_from(asked, "/promise/keep", shown="yes")
    await fediverse.settle()
    shown = (await ask(guild.ada, page, BROWSER)).text
    await shop.sends(where(uri), "/promise/keep", shown="")
    await fediverse.settle()

    assert "Said to be done: is it?" in asked
    assert await standings(guild.ada) == ["kept"]
    assert ["Read the" in one for one in (before, shown, (await ask(guild.ada, page, BROWSER)).text)] == [
        False,
        True,
        False,
    ]
    assert "Read the proofs." in (await ada.sees("/promises?show=over")).text


async def test_whom_it_is_owed_to_lets_the_other_off(fediverse: Fediverse) -> None:
    guild, bo, ada, shop = await room(fediverse)
    uri = await agree(guild, guild.ada, bo)

    assert "/promise/release" not in (await ada.sees(where(uri))).text
    await shop.sends(where(uri), "/promise/release")
    await fediverse.settle()

    assert await standings(guild.ada) == ["released"]
    assert "Let off" in (await ada.sees(where(uri))).text


async def test_what_is_late_says_so(fediverse: Fediverse) -> None:
    guild, bo, ada, _ = await room(fediverse)
    await agree(guild, guild.ada, bo, due=fediverse.now + timedelta(days=1))

    fediverse.later(days=2)

    assert "Late" in (await ada.sees("/promises")).text


async def test_a_long_list_is_read_page_by_page_what_is_due_first_comes_first(fediverse: Fediverse) -> None:
    guild, bo, ada, _ = await room(fediverse)
    for number in range(43):
        due = fediverse.now + timedelta(days=50 - number) if number % 2 else None
        draft = Draft(f"Number {number};", due)
        await guild.ada.does(
            lambda tx, draft=draft: promises.propose(tx, guild.ada.uri, guild.uri, guild.ada.uri, bo.uri, draft)  # type: ignore[misc]
        )

    first = (await ada.sees("/promises")).text
    more = first.rpartition('<p class="more"><a href="')[2].partition('"')[0].replace("&amp;", "&")
    second = (await ada.sees(more)).text

    assert all((f"Number {n};" in first) != (f"Number {n};" in second) for n in range(43))
    assert first.index("Number 41;") < first.index("Number 1;") < first.index("Number 0;")


async def test_what_is_due_is_in_a_calendar(fediverse: Fediverse) -> None:
    guild, bo, ada, _ = await room(fediverse)
    await agree(guild, guild.ada, bo, due=fediverse.now + timedelta(days=3))

    made = (await ada.sends("/promises", "/promises/calendar")).text
    address = made.partition("<code>")[2].partition("</code>")[0]
    found = [(await ask(guild.ada, address, BROWSER)).text, (await ada.sees("/promises/file")).text]

    assert all("Read the proofs." in one and "BEGIN:VCALENDAR" in one for one in found)
    assert address not in (await ada.sees("/promises")).text


async def test_a_promise_is_between_two(fediverse: Fediverse) -> None:
    guild, bo, ada, _ = await room(fediverse)
    cy = await fediverse.studio("cy")
    await guild.join(cy)
    uri = await agree(guild, guild.ada, bo)
    waiting = await proposes(guild, guild.ada, bo)
    eve = await at_home(cy)
    token = forms((await eve.sees("/promises")).text)[0].fields["token"]
    ours = forms((await ada.sees("/promises")).text)[0].fields["token"]

    for act in ("accept", "decline", "withdraw", "change", "keep", "release"):
        sent = {"promise": waiting if act in ("accept", "decline", "withdraw") else uri, "text": "Mine"}
        strange = await eve.client.post(f"/promise/{act}", data={**sent, "token": token}, headers=BROWSER)
        forged = await ada.client.post(f"/promise/{act}", data={**sent, "token": f"{ours}0"}, headers=BROWSER)
        assert (strange.status_code, forged.status_code) == (403, 403), act
    seen = [(await eve.sees(where(one))).status_code for one in (uri, "", "https://nowhere.example/x")]
    await fediverse.settle()

    assert seen == [403, 404, 404]
    assert await standings(bo) == ["open", "proposed"]
    assert "Read the proofs." not in (await eve.sees("/promises")).text


async def test_no_page_of_promises_asks_the_database_too_much(fediverse: Fediverse) -> None:
    guild, bo, ada, _ = await room(fediverse)
    uri = await agree(guild, guild.ada, bo)
    await proposes(guild, bo, guild.ada)

    for path in ("/promises", f"/promises?project={quote(guild.uri, safe='')}", where(uri), new(guild)):
        with counting(guild.ada) as statements:
            answer = await ada.sees(path)
        assert answer.status_code == 200
        assert len([one for one in statements if not one.startswith(("BEGIN", "PRAGMA"))]) <= MOST_STATEMENTS, path


async def test_all_that_is_news_leads_to_where_it_is_shown(fediverse: Fediverse) -> None:
    guild, bo, ada, shop = await room(fediverse)
    cy = await fediverse.studio("cy")
    await cy.meets(guild.ada)
    await cy.does(lambda tx: joining.ask(tx, cy.uri, guild.uri))
    await agree(guild, guild.ada, bo)
    await proposes(guild, bo, guild.ada)

    for one, places in ((ada, {"/promise", "/project"}), (shop, {"/promise", "/invitation"})):
        page = (await one.sees("/notifications")).text
        links = [part.partition('"')[0] for part in page.split('<p class="quote"><a href="')[1:]]
        assert {link.partition("?")[0] for link in links} == places
        assert {(await one.sees(link)).status_code for link in links} == {200}
