"""Projects in the browser: founding one, talking in it, reading what one had of it, asking to be let in."""

from __future__ import annotations

from urllib.parse import quote

from coop import invitations, projects
from coop.admission import Invitation
from coop.statements import Project
from federation.tables import Object
from tests.coop.guild import Guild, found, guild_of
from tests.coop.neighbours import counting
from tests.fediverse import Fediverse, Studio, key_pair
from tests.web.inhabitants import Inhabitant, at_home, forms
from tests.web.visitors import BROWSER, neighbours

ATLAS = {"name": "The <atlas>", "text": "Nine *sheets*.", "public": "yes"}
MOST_STATEMENTS = 20  # of SQL, for one page


def where(uri: str, show: str = "") -> str:
    return f"/project?is={quote(uri, safe='')}" + (f"&show={show}" if show else "")


async def room(fediverse: Fediverse) -> tuple[Guild, Studio, Inhabitant, Inhabitant]:
    """Ada's project, which Bo is in; both are logged in where they live."""
    guild, [bo] = await guild_of(fediverse, "bo")
    return guild, bo, await at_home(guild.ada), await at_home(bo)


async def test_a_project_is_founded_and_listed(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    ada = await at_home(attic)

    done = await ada.sends("/projects/new", "/projects/new", **ATLAS)

    [project] = await attic.knows(Project)
    page = (await ada.sees(done.headers["location"])).text
    assert done.headers["location"] == where(project.uri)
    assert project.public
    assert "The &lt;atlas&gt;" in page
    assert "<em>sheets</em>" in page
    assert "You lead it" in page
    assert "The &lt;atlas&gt;" in (await ada.sees("/projects")).text


async def test_what_can_be_no_project_comes_back_as_it_was_typed(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    ada = await at_home(attic)
    page = (await ada.sees("/projects/new")).text

    for wrong in ({"name": ""}, {"name": "x" * 101}, {"text": "x" * 5_001}, {"name": " \r\n"}):
        typed = {**ATLAS, **wrong}
        answer = await ada.sends_from(page, "/projects/new", **typed)
        [form] = [one for one in forms(answer.text) if one.action == "/projects/new"]
        assert answer.status_code == 422, wrong
        assert "Nothing was done: " in answer.text
        assert form.fields["text"].strip() == typed["text"]

    assert await attic.knows(Project) == []


async def test_a_project_that_is_sent_twice_is_founded_once(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    ada = await at_home(attic)
    page = (await ada.sees("/projects/new")).text

    first, again = [await ada.sends_from(page, "/projects/new", **ATLAS) for _ in range(2)]

    assert first.headers["location"] == again.headers["location"]
    assert len(await attic.knows(Project)) == 1


async def test_members_talk_and_nobody_else_hears_it(fediverse: Fediverse) -> None:
    guild, bo, _, shop = await room(fediverse)
    cy = await fediverse.studio("cy")
    await cy.follows(guild.ada)
    eve = await at_home(cy)

    done = await shop.sends(where(guild.uri), "/say", text="The *ink* is dry.")
    await fediverse.settle()

    assert done.headers["location"] == where(guild.uri)
    assert await guild.talk(guild.ada) == ["<p>The <em>ink</em> is dry.</p>"]
    assert "<em>ink</em>" in (await shop.sees(where(guild.uri))).text
    assert (await eve.sees(where(guild.uri))).status_code == 404
    assert [row for row in await cy.knows(Object) if row.author == bo.uri] == []


async def test_what_is_said_in_its_name_is_for_everybody(fediverse: Fediverse) -> None:
    guild, _, ada, _ = await room(fediverse)

    await ada.sends(where(guild.uri), "/say", text="We are done!", visibility="public")

    [row] = [row for row in await guild.ada.knows(Object) if row.author == guild.ada.uri]
    assert row.visibility == "public"
    assert row.said.uris("audience") == (guild.uri,)


async def test_what_cannot_be_said_there_stays_in_the_box(fediverse: Fediverse) -> None:
    guild, _, ada, _ = await room(fediverse)
    page = (await ada.sees(where(guild.uri))).text

    for wrong in ({"text": " "}, {"visibility": "followers"}):
        answer = await ada.sends_from(page, "/say", **{"text": "Ink", "warning": "Black", **wrong})
        [form] = [one for one in forms(answer.text) if one.action == "/say"]
        assert answer.status_code == 422
        assert "It was not said" in answer.text
        assert (form.fields["warning"], form.fields["project"]) == ("Black", guild.uri)

    assert await guild.talk(guild.ada) == []


async def test_a_guest_reads_and_does_not_write(fediverse: Fediverse) -> None:
    guild = await found(fediverse)
    cy = await fediverse.studio("cy")
    await guild.join(cy, "guest")
    await guild.post(guild.ada, "Ink!")
    reader = await at_home(cy)

    page = (await reader.sees(where(guild.uri))).text
    token = forms(page)[0].fields["token"]
    sent = {"token": token, "text": "Me, too", "visibility": "project", "project": guild.uri}
    answer = await reader.client.post("/say", data=sent, headers=BROWSER)

    assert "Ink!" in page
    assert "You read along here" in page
    assert answer.status_code == 422
    assert await guild.talk(guild.ada) == ["<p>Ink!</p>"]


async def test_who_left_reads_what_they_had(fediverse: Fediverse) -> None:
    guild, _, _, shop = await room(fediverse)
    await guild.post(guild.ada, "Before")

    done = await shop.sends(where(guild.uri, "people"), "/project/leave")
    await fediverse.settle()
    await guild.post(guild.ada, "After")

    page = (await shop.sees(done.headers["location"])).text
    assert await guild.roles(guild.ada) == {"ada": "lead"}
    assert "You were in it until" in page
    assert "Before" in page
    assert "After" not in page
    assert "Catalogue" in (await shop.sees("/projects?show=left")).text
    assert where(guild.uri) not in (await shop.sees("/projects")).text
    assert [one.action for one in forms(page) if "/project/" in one.action or one.action == "/say"] == []


async def test_a_long_list_and_a_long_talk_are_read_page_by_page(fediverse: Fediverse) -> None:
    guild = await found(fediverse)
    ada, pair = await at_home(guild.ada), key_pair(4)
    for number in range(31):
        await guild.ada.does(lambda tx, n=number: projects.create(tx, guild.ada.uri, f"Room {n};", "", pair))  # type: ignore[misc]
    for number in range(21):
        await guild.post(guild.ada, f"word {number};")

    for path, words, count in (("/projects", "Room", 31), (where(guild.uri), "word", 21)):
        first = (await ada.sees(path)).text
        older = first.rpartition('<p class="more"><a href="')[2].partition('"')[0].replace("&amp;", "&")
        second = (await ada.sees(older)).text
        assert all((f"{words} {n};" in first) != (f"{words} {n};" in second) for n in range(count))


async def test_who_asks_to_be_let_in_is_invited_by_a_lead(fediverse: Fediverse) -> None:
    guild = await found(fediverse)
    cy = await fediverse.studio("cy")
    ada, eve = await at_home(guild.ada), await at_home(cy)

    asked = await eve.sends("/projects", "/projects/ask", asked=guild.uri)
    await fediverse.settle()
    listed = (await ada.sees("/projects")).text
    await ada.sends(where(guild.uri, "people"), "/project/let-in", role="guest")
    await fediverse.settle()

    [invitation] = await cy.knows(Invitation)
    assert "You asked to be let in" in (await eve.sees(asked.headers["location"])).text
    assert "Somebody asks to be let into Catalogue" in listed
    assert invitation.role == "guest"
    assert "Catalogue" in (await eve.sees("/projects")).text


async def test_who_asks_may_be_declined(fediverse: Fediverse) -> None:
    guild = await found(fediverse)
    cy = await fediverse.studio("cy")
    ada, eve = await at_home(guild.ada), await at_home(cy)
    await eve.sends("/projects", "/projects/ask", asked=guild.uri)
    await fediverse.settle()

    await ada.sends(where(guild.uri, "people"), "/project/turn-down")
    await fediverse.settle()

    assert "/project/turn-down" not in (await ada.sees(where(guild.uri, "people"))).text
    assert "asks to be let into" not in (await ada.sees("/projects")).text
    assert await cy.knows(Invitation) == []


async def test_what_is_no_project_cannot_be_asked(fediverse: Fediverse) -> None:
    ada = await at_home(await fediverse.studio("attic"))
    page = (await ada.sees("/projects")).text

    for asked in ("", "nobody", "@nobody@nowhere.example", "https://nowhere.example/x", "@attic@attic.example"):
        answer = await ada.sends_from(page, "/projects/ask", asked=asked)
        [form] = [one for one in forms(answer.text) if one.action == "/projects/ask"]
        assert answer.status_code == 422, asked
        assert form.fields["asked"] == asked


async def test_no_page_of_a_project_asks_the_database_too_much(fediverse: Fediverse) -> None:
    guild, bo, ada, _ = await room(fediverse)
    for number in range(5):
        await guild.post(bo, f"Word {number}")
    cy = await fediverse.studio("cy")
    await guild.invite(cy)
    for _ in range(3):
        uri = await bo.does(lambda tx: projects.create(tx, bo.uri, "Atlas", "", key_pair(4)).uri)
        await bo.does(lambda tx, uri=uri: invitations.invite(tx, bo.uri, uri, guild.ada.uri, "member"))  # type: ignore[misc]
    await fediverse.settle()

    for path in ("/projects", *(where(guild.uri, show) for show in ("", "people", "settings"))):
        with counting(guild.ada) as statements:
            answer = await ada.sees(path)
        assert answer.status_code == 200
        assert len(answer.content) < 100_000
        assert len([one for one in statements if not one.startswith(("BEGIN", "PRAGMA"))]) <= MOST_STATEMENTS, path


async def test_a_project_of_others_is_not_to_be_seen(fediverse: Fediverse) -> None:
    guild = await found(fediverse)
    attic, _ = await neighbours(fediverse)
    eve = await at_home(attic)

    for path in (where(guild.uri), where(guild.uri, "people"), where(""), "/project", where("not an address")):
        assert (await eve.sees(path)).status_code == 404, path
