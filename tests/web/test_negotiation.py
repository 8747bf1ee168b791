"""Who wants a document and who wants a page, by what servers and browsers really send."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from coop import offers, posts
from tests.fediverse import Fediverse
from tests.web.visitors import BROWSER, ask, neighbours
from web.negotiation import wants_document

LD = 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"'
PROGRAMS = {
    "Mastodon fetches": "application/activity+json, application/ld+json",
    "Mastodon resolves": f"{LD}, application/activity+json, text/html;q=0.1",
    "Mastodon dereferences": f"{LD}, application/activity+json",
    "GoToSocial": f"{LD},application/activity+json",
    "Misskey": f"application/activity+json, {LD}",
    "Lemmy": "application/activity+json",
    "Mitra": LD,
    "Fedify": "application/activity+json, application/ld+json",
    "shouting": "APPLICATION/ACTIVITY+JSON",
    "with a charset": "application/activity+json; charset=utf-8",
    "any profile": 'application/ld+json; profile="https://elsewhere.example/, odd;q=0"',
    "named first of equals": "application/activity+json, text/html",
    "named before anything": "application/activity+json, */*",
    "anything before it names nothing": "*/*, application/activity+json",
}
BROWSERS = {
    "Firefox": BROWSER["accept"],
    "Safari": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "named first of equals": "text/html, application/activity+json",
    "better liked": "application/activity+json;q=0.5, text/html;q=0.6",
    "not at all": "application/activity+json;q=0, text/html;q=0.1",
    "anything else before the document": "application/activity+json;q=0.5, */*",
    "odd quality": "application/activity+json;q=banana;q=0, text/html",
}
UNDECIDED = {"curl": "*/*", "nothing": "", "a picture": "image/webp", "plain JSON": "application/json"}


@pytest.mark.proves("P-030")
@pytest.mark.parametrize("accept", PROGRAMS.values(), ids=PROGRAMS)
def test_a_program_wants_a_document(accept: str) -> None:
    assert wants_document(accept)
    assert wants_document(accept, otherwise=True)


@pytest.mark.proves("P-030")
@pytest.mark.parametrize("accept", BROWSERS.values(), ids=BROWSERS)
def test_a_browser_wants_a_page(accept: str) -> None:
    assert not wants_document(accept)
    assert not wants_document(accept, otherwise=True)


@pytest.mark.proves("P-030")
@pytest.mark.parametrize("accept", UNDECIDED.values(), ids=UNDECIDED)
def test_whoever_does_not_say_gets_what_the_address_is_for(accept: str) -> None:
    assert not wants_document(accept)
    assert wants_document(accept, otherwise=True)


@given(some.text(alphabet=' ,;=*/"\\q01.application/activity+json text/html', max_size=300))
def test_any_header_is_one_or_the_other(accept: str) -> None:
    assert wants_document(accept) in (True, False)


@pytest.mark.proves("P-019", "P-030", "P-031")
@pytest.mark.parametrize("accept", PROGRAMS.values(), ids=PROGRAMS)
async def test_a_document_has_the_one_type_that_everybody_takes(fediverse: Fediverse, accept: str) -> None:
    attic = await fediverse.studio("attic")
    post = await attic.does(lambda tx: posts.publish(tx, attic.uri, posts.Draft("Ink!")).uri)

    for url in (attic.uri, f"{attic.home}/@attic", post, f"{attic.home}/actor"):
        answer = await ask(attic, url, {"accept": accept})

        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/activity+json"
        assert answer.json()["id"] == (attic.uri if "@" in url else url)
        assert "Accept" in answer.headers["vary"]


@pytest.mark.proves("P-030")
@pytest.mark.parametrize("accept", ["*/*", ""])
async def test_whoever_says_nothing_gets_pages_of_people_and_documents_of_the_protocol(
    fediverse: Fediverse, accept: str
) -> None:
    attic = await fediverse.studio("attic")
    post = await attic.does(lambda tx: posts.publish(tx, attic.uri, posts.Draft("Ink!")).uri)

    pages = [await ask(attic, url, {"accept": accept}) for url in (f"{attic.home}/@attic", post)]
    documents = [await ask(attic, attic.uri + path, {"accept": accept}) for path in ("", "/outbox", "/followers")]
    inbox = await ask(attic, f"{attic.uri}/inbox", {"accept": accept})

    assert {one.headers["content-type"] for one in pages} == {"text/html; charset=utf-8"}
    assert {one.headers["content-type"] for one in documents} == {"application/activity+json"}
    assert (inbox.status_code, inbox.headers["allow"]) == (405, "POST")


@pytest.mark.proves("P-033")
async def test_a_page_leads_to_its_document_once_by_header_and_once_by_link(fediverse: Fediverse) -> None:
    attic, _ = await neighbours(fediverse)
    post = await attic.does(lambda tx: posts.publish(tx, attic.uri, posts.Draft("Ink!")).uri)
    offer = await attic.does(lambda tx: offers.open(tx, attic.uri, offers.Draft("offer", "Maps", "By the day")).uri)

    for url, document in ((f"{attic.home}/@attic", attic.uri), (post, post), (offer, offer)):
        page = await ask(attic, url, BROWSER)

        assert page.headers["link"] == f'<{document}>; rel="alternate"; type="application/activity+json"'
        assert page.text.count('type="application/activity+json"') == 1
        assert f'<link rel="alternate" type="application/activity+json" href="{document}">' in page.text
        assert '<meta name="fediverse:creator" content="@attic@attic.example">' in page.text


async def test_a_person_who_opens_the_id_of_an_actor_is_led_to_the_profile(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")

    profile, house = await ask(attic, attic.uri, BROWSER), await ask(attic, f"{attic.home}/actor", BROWSER)

    assert (profile.status_code, profile.headers["location"]) == (303, "/@attic")
    assert (house.status_code, house.headers["location"]) == (303, "/")
