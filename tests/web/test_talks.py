"""Between two who talk about an offer: other terms until both agree, and what becomes of it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from urllib.parse import quote

import pytest

from activitypub.proposal import Price
from coop import agreements
from coop.admission import Invitation
from coop.agreements import Agreement
from coop.responses import Response
from coop.statements import Project
from tests.coop.neighbours import counting
from tests.coop.test_responses import CATALOGUE, opened, replies, responds
from tests.fediverse import Fediverse, Studio
from tests.web.inhabitants import Inhabitant, at_home, forms
from tests.web.test_board import where
from tests.web.test_projects import MOST_STATEMENTS
from tests.web.visitors import BROWSER

OPEN = replace(CATALOGUE, price=Price("EUR", Decimal(2000), None))
HOURLY = replace(CATALOGUE, purpose="offer", price=Price("EUR", Decimal(50), Decimal(50), "hour"))
FAVOUR = replace(CATALOGUE, price=None)


def agreed(uri: str) -> str:
    return f"/agreement?is={quote(uri, safe='')}"


async def two(fediverse: Fediverse, draft: object = OPEN) -> tuple[Studio, Studio, Inhabitant, Inhabitant, str]:
    attic, shop, offer = await opened(fediverse, draft)  # type: ignore[arg-type]
    return attic, shop, await at_home(attic), await at_home(shop), offer


async def have_agreed(fediverse: Fediverse) -> tuple[Studio, Studio, Inhabitant, Inhabitant, str]:
    """Bo answered on Ada's terms, and she agreed."""
    attic, shop, ada, bo, offer = await two(fediverse)
    await responds(shop, offer)
    done = await ada.sends(where(offer), "/offer/accept")
    await fediverse.settle()
    [row] = await attic.knows(Agreement)
    assert done.headers["location"] == agreed(row.uri)
    return attic, shop, ada, bo, row.uri


async def test_two_propose_other_terms_until_one_agrees(fediverse: Fediverse) -> None:
    attic, shop, ada, bo, offer = await two(fediverse)

    await bo.sends(where(offer), "/offer/respond", text="Me!", amount="2600,00", due="2026-05-01")
    await fediverse.settle()
    asked = (await ada.sees(where(offer))).text
    await ada.sends_from(asked, "/offer/counter", text="A *little* less?", amount="2400")
    await fediverse.settle()
    countered = (await bo.sees(where(offer))).text
    await bo.sends_from(countered, "/offer/accept")
    await fediverse.settle()

    for words in ("€2,600", "1 May 2026"):
        assert words in asked
    for words in ("<em>little</em>", "€2,400", "Answered with other terms"):
        assert words in countered
    for studio in (attic, shop):
        [row] = await studio.knows(Agreement)
        said = await studio.instance.store.read(lambda db, row=row: agreements.terms_of(db, row))  # type: ignore[misc]
        assert said.reciprocal is not None
        assert said.reciprocal.value == 2400
    page = (await ada.sees(agreed(row.uri))).text
    for words in ("Typesetter for a catalogue", "Signed by both", "€2,400", "Shop"):
        assert words in page
    assert "Typesetter for a catalogue" in (await bo.sees("/agreements")).text


@pytest.mark.parametrize(
    ("draft", "fields"), [(OPEN, {"amount", "due"}), (HOURLY, {"times", "due"}), (FAVOUR, {"due"})]
)
async def test_only_what_an_offer_leaves_open_is_asked(fediverse: Fediverse, draft: object, fields: set[str]) -> None:
    _, _, _, bo, offer = await two(fediverse, draft)

    [form] = [one for one in forms((await bo.sees(where(offer))).text) if one.action == "/offer/respond"]
    answer = await bo.sends(where(offer), "/offer/respond", text="Me!", **dict.fromkeys(fields & {"times"}, "3"))

    assert form.fields.keys() & {"amount", "times", "due"} == fields
    assert answer.status_code == 303


async def test_what_cannot_be_proposed_comes_back_as_it_was_typed(fediverse: Fediverse) -> None:
    attic, shop, ada, bo, offer = await two(fediverse)
    await responds(shop, offer)
    mine, theirs = (await bo.sees(where(offer))).text, (await ada.sees(where(offer))).text

    for wrong in ({"text": " "}, {"amount": "much"}, {"amount": "-1"}, {"due": "soon"}, {"due": "2020-01-01"}):
        for one, page, act in ((bo, mine, "/offer/respond"), (ada, theirs, "/offer/counter")):
            typed = {"text": "Me!", "amount": "2400", "due": "2026-05-01", **wrong}
            answer = await one.sends_from(page, act, **typed)
            form = next(one for one in forms(answer.text) if one.action == act)
            assert answer.status_code == 422, wrong
            assert {name: form.fields[name] for name in typed} == typed

    assert [one.state for one in await attic.knows(Response)] == ["open"]


async def test_one_s_own_answer_is_taken_back(fediverse: Fediverse) -> None:
    _, shop, _, bo, offer = await two(fediverse)
    await responds(shop, offer)

    await bo.sends(where(offer), "/offer/take-back")
    await fediverse.settle()

    assert [one.state for one in await shop.knows(Response)] == ["withdrawn"]
    assert "Taken back" in (await bo.sees(where(offer))).text


async def test_other_terms_that_are_sent_twice_are_proposed_once(fediverse: Fediverse) -> None:
    attic, shop, ada, _, offer = await two(fediverse)
    await responds(shop, offer)
    page = (await ada.sees(where(offer))).text

    answers = [await ada.sends_from(page, "/offer/counter", text="Less?", amount="2400") for _ in range(2)]

    assert [one.status_code for one in answers] == [303, 303]
    assert len([one for one in await attic.knows(Response) if one.by == attic.uri]) == 1


async def test_whoever_answers_from_elsewhere_is_asked_for_no_terms(fediverse: Fediverse) -> None:
    _, shop, ada, _, offer = await two(fediverse)
    await replies(shop, offer, "Me, please!")

    page = (await ada.sees(where(offer))).text
    done = await ada.sends_from(page, "/offer/accept")

    assert "/offer/counter" not in page
    assert done.headers["location"] == where(offer)


async def test_one_agrees_and_starts_a_project_in_one_step(fediverse: Fediverse) -> None:
    attic, shop, ada, _, offer = await two(fediverse)
    await responds(shop, offer)

    done = await ada.sends(where(offer), "/offer/accept", name="The catalogue")
    await fediverse.settle()

    [agreement], [project] = await attic.knows(Agreement), await attic.knows(Project)
    assert done.headers["location"] == agreed(agreement.uri)
    assert (agreement.project, project.name) == (project.uri, "The catalogue")
    assert [one.project for one in await shop.knows(Invitation)] == [project.uri]
    assert "Go to its project" in (await ada.sees(agreed(agreement.uri))).text


async def test_a_project_is_started_from_what_was_agreed_on_once(fediverse: Fediverse) -> None:
    attic, shop, ada, bo, uri = await have_agreed(fediverse)
    page = (await ada.sees(agreed(uri))).text

    bad = await ada.sends_from(page, "/agreement/begin", name="x" * 101)
    first, again = [await ada.sends_from(page, "/agreement/begin", name="The catalogue") for _ in range(2)]
    await fediverse.settle()
    late = await bo.sends(agreed(uri), "/agreement/begin", name="Mine") if "/agreement/begin" in page else None

    [project] = await attic.knows(Project)
    assert bad.status_code == 422
    assert first.headers["location"] == again.headers["location"] == f"/project?is={quote(project.uri, safe='')}"
    assert late is None or late.status_code in (303, 422)
    assert [one.project for one in await shop.knows(Invitation)] == [project.uri]


async def test_the_one_whose_offer_it_was_says_that_all_is_done(fediverse: Fediverse) -> None:
    _, shop, ada, bo, uri = await have_agreed(fediverse)

    assert "/agreement/done" not in (await bo.sees(agreed(uri))).text
    await ada.sends(agreed(uri), "/agreement/done", text="Well set!")
    await fediverse.settle()

    assert [one.done for one in await shop.knows(Agreement)] == [fediverse.now]
    for one in (ada, bo):
        page = (await one.sees(agreed(uri))).text
        assert "Done on 2 March 2026" in page
        assert "/agreement/done" not in page


async def test_an_agreement_is_saved_with_both_signatures(fediverse: Fediverse) -> None:
    *_, bo, uri = await have_agreed(fediverse)

    saved = await bo.sees(agreed(uri).replace("/agreement", "/agreement/file"))

    offered, accepted = agreements.read_bundle(saved.content)
    assert saved.headers["content-disposition"] == 'attachment; filename="agreement.json"'
    assert accepted.uris("object") == (offered.id,)


async def test_a_saved_agreement_is_checked_by_anybody(fediverse: Fediverse) -> None:
    *_, bo, uri = await have_agreed(fediverse)
    saved = (await bo.sees(agreed(uri).replace("/agreement", "/agreement/file"))).content
    cy = await at_home(await fediverse.studio("cy"))
    token = forms((await cy.sees("/agreements")).text)[0].fields["token"]

    found = {}
    for name, body in {
        "true": saved,
        "altered": saved.replace(b"2000", b"9000"),
        "nothing": b"",
        "no agreement": b"{}",
        "binary": b"\xff\x00" * 50,
        "deep": b"[" * 5_000,
    }.items():
        sent = await cy.client.post(
            "/agreements", data={"token": token}, files={"file": ("a.json", body)}, headers=BROWSER
        )
        found[name] = (sent.status_code, "Signed by both" in sent.text, "Altered" in sent.text)
    text = await cy.client.post("/agreements", data={"token": token, "file": "x"}, headers=BROWSER)

    assert found.pop("true") == (200, True, False)
    assert found.pop("altered") == (200, False, True)
    assert {*found.values()} == {(422, False, False)}
    assert text.status_code == 422


async def test_an_agreement_is_between_two(fediverse: Fediverse) -> None:
    attic, shop, ada, _, uri = await have_agreed(fediverse)
    cy = await fediverse.studio("cy")
    eve = await at_home(cy)
    token = forms((await eve.sees("/projects")).text)[0].fields["token"]
    ours = forms((await ada.sees("/projects")).text)[0].fields["token"]

    for path in (agreed(uri), agreed(uri).replace("/agreement", "/agreement/file"), agreed(""), "/agreement"):
        assert (await eve.sees(path)).status_code == 404, path
    for act in ("begin", "done"):
        sent = {"agreement": uri, "name": "Mine", "text": "x"}
        strange = await eve.client.post(f"/agreement/{act}", data={**sent, "token": token}, headers=BROWSER)
        forged = await ada.client.post(f"/agreement/{act}", data={**sent, "token": f"{ours}0"}, headers=BROWSER)
        assert (strange.status_code, forged.status_code) == (404, 403)
    for studio in (attic, shop):
        [row] = await studio.knows(Agreement)
        assert (row.project, row.done) == (None, None)


async def test_no_page_of_an_agreement_asks_the_database_too_much(fediverse: Fediverse) -> None:
    attic, _, ada, _, uri = await have_agreed(fediverse)
    [row] = await attic.knows(Agreement)

    for path in (agreed(uri), "/agreements", where(row.offer)):
        with counting(attic) as statements:
            await ada.sees(path)
        assert len([one for one in statements if not one.startswith(("BEGIN", "PRAGMA"))]) <= MOST_STATEMENTS, path
