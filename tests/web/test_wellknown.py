"""What the rest of the network looks for at fixed addresses."""

from __future__ import annotations

from contextlib import suppress
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from activitypub.document import Json
from activitypub.errors import Malformed
from activitypub.webfinger import parse_resource
from coop import departures, posts
from tests.fediverse import Fediverse, Studio
from tests.web.visitors import BROWSER, ask

SCHEMA = "http://nodeinfo.diaspora.software/ns/schema/"

AUTHORIZE = {
    "https://shop.example/notes/1": 200,
    "acct:shop@shop.example": 200,
    "@shop@shop.example": 200,
    "javascript:alert(1)": 400,
    "//evil.example": 400,
    "https://good.example@evil.example/": 400,
    "": 400,
}


async def finger(studio: Studio, query: str, method: str = "GET") -> tuple[int, Json]:
    answer = await ask(studio, f"/.well-known/webfinger{query}", {"accept": "*/*"}, method)
    assert answer.headers["access-control-allow-origin"] == "*"
    return answer.status_code, answer.json()


@pytest.mark.proves("P-010")
@pytest.mark.parametrize("accept", ["application/jrd+json, application/json", "text/html", "", "*/*"])
async def test_webfinger_answers_everybody_in_its_own_type(fediverse: Fediverse, accept: str) -> None:
    attic = await fediverse.studio("attic")
    url = "/.well-known/webfinger?resource=acct%3Aattic%40attic.example"

    answer = await ask(attic, url, {"accept": accept})
    head = await ask(attic, url, {"accept": accept}, "HEAD")

    assert answer.status_code == head.status_code == 200
    assert answer.headers["content-type"] == "application/jrd+json"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert int(answer.headers["cache-control"].removeprefix("max-age=")) >= 60


@pytest.mark.proves("P-011")
@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 400),
        ("?resource=", 400),
        ("?resource=%20", 400),
        ("?resource=attic", 400),
        ("?resource=acct:attic", 400),
        ("?resource=acct:@attic.example", 400),
        ("?resource=acct:at%00tic@attic.example", 400),
        ("?resource=acct:attic@elsewhere.example", 404),
        ("?resource=https://elsewhere.example/@attic", 404),
        ("?resource=mailto:attic@attic.example", 404),
        ("?resource=acct:nobody@attic.example", 404),
        ("?resource=https://attic.example/@nobody", 404),
        ("?resource=https://attic.example/actors/nobody", 404),
    ],
)
async def test_webfinger_says_what_is_wrong_with_a_question(fediverse: Fediverse, query: str, status: int) -> None:
    attic = await fediverse.studio("attic")

    found, body = await finger(attic, query)

    assert found == status
    assert set(body) == {"error"}


@pytest.mark.proves("P-011")
async def test_webfinger_tells_who_has_left(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    await attic.does(lambda tx: departures.leave(tx, attic.uri))

    status, _ = await finger(attic, "?resource=acct:attic@attic.example")

    assert status == 410


@pytest.mark.proves("P-012", "P-013", "P-014")
@pytest.mark.parametrize(
    "asked",
    [
        "acct:attic@attic.example",
        "ACCT:Attic@ATTIC.example",
        "acct%3Aattic%40attic.example",
        "attic@attic.example",
        "@attic@attic.example",
        "https://attic.example/@attic",
        "ID",
    ],
)
async def test_whatever_is_asked_the_answer_has_the_one_true_address(fediverse: Fediverse, asked: str) -> None:
    attic = await fediverse.studio("attic")

    status, jrd = await finger(attic, f"?resource={attic.uri if asked == 'ID' else asked}")

    assert (status, jrd["subject"]) == (200, "acct:attic@attic.example")
    assert {attic.uri, "https://attic.example/@attic"} <= {*jrd["aliases"]}
    links = {one["rel"]: one for one in jrd["links"]}
    assert links["self"] == {"rel": "self", "type": "application/activity+json", "href": attic.uri}
    assert links["http://webfinger.net/rel/profile-page"]["href"] == "https://attic.example/@attic"


@pytest.mark.proves("P-012")
async def test_a_host_beyond_ascii_is_found_in_both_its_forms(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("xn--mller-kva")

    for host in ("müller.example", "xn--mller-kva.example"):
        status, jrd = await finger(attic, f"?resource=acct:xn--mller-kva@{host}")

        assert (status, jrd["subject"]) == (200, "acct:xn--mller-kva@xn--mller-kva.example")


@pytest.mark.proves("P-012", "P-027")
@pytest.mark.parametrize("asked", ["acct:attic.example@attic.example", "https://attic.example/"])
async def test_the_server_itself_is_found(fediverse: Fediverse, asked: str) -> None:
    attic = await fediverse.studio("attic")

    status, jrd = await finger(attic, f"?resource={asked}")
    actor = (await ask(attic, "/actor")).json()

    assert (status, jrd["subject"]) == (200, "acct:attic.example@attic.example")
    links = {one["rel"]: one["href"] for one in jrd["links"]}
    assert links["self"] == links["https://www.w3.org/ns/activitystreams#Service"] == "https://attic.example/actor"
    assert (actor["type"], actor["preferredUsername"]) == ("Application", "attic.example")
    assert actor["inbox"] == "https://attic.example/actor/inbox"


@pytest.mark.proves("P-015")
async def test_links_are_those_that_are_asked_for(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    asked = "?resource=acct:attic@attic.example"

    _, one = await finger(attic, f"{asked}&rel=self")
    _, two = await finger(attic, f"{asked}&rel=self&rel=http://webfinger.net/rel/profile-page")
    _, none = await finger(attic, f"{asked}&rel=https://odd.example/")

    assert [link["rel"] for link in one["links"]] == ["self"]
    assert len(two["links"]) == 2
    assert (none["links"], none["subject"]) == ([], "acct:attic@attic.example")


@pytest.mark.proves("P-014", "P-330")
async def test_every_template_leads_to_a_page_that_there_is(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")
    _, jrd = await finger(attic, "?resource=acct:attic@attic.example")

    templates = [one["template"] for one in jrd["links"] if "template" in one]

    assert templates
    for template in templates:
        for wanted, status in AUTHORIZE.items():
            answer = await ask(attic, template.replace("{uri}", wanted).replace("{object}", wanted), BROWSER)
            assert answer.status_code == status
            assert "location" not in answer.headers
            assert 'href="javascript' not in answer.text


@pytest.mark.proves("P-016")
async def test_host_meta_says_where_to_ask(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")

    answer = await ask(attic, "/.well-known/host-meta", {"accept": "*/*"})
    [link] = ElementTree.fromstring(answer.text)  # noqa: S314 - it is our own

    assert answer.headers["content-type"] == "application/xrd+xml"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert link.attrib == {
        "rel": "lrdd",
        "template": "https://attic.example/.well-known/webfinger?resource={uri}",
    }


@pytest.mark.proves("P-027", "P-040")
async def test_nodeinfo_is_found_and_names_the_server(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")

    answer = await ask(attic, "/.well-known/nodeinfo", {"accept": "*/*"})
    links = {one["rel"]: one["href"] for one in answer.json()["links"]}

    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert links[f"{SCHEMA}2.1"] == "https://attic.example/nodeinfo/2.1"
    assert links[f"{SCHEMA}2.0"] == "https://attic.example/nodeinfo/2.0"
    assert links["https://www.w3.org/ns/activitystreams#Application"] == "https://attic.example/actor"


@pytest.mark.proves("P-041", "P-042")
@pytest.mark.parametrize("version", ["2.0", "2.1"])
async def test_nodeinfo_counts_those_who_live_here_and_what_they_said_in_public(
    fediverse: Fediverse, version: str
) -> None:
    attic = await fediverse.studio("attic", source="https://code.example/boxroom")
    first = await attic.does(lambda tx: posts.publish(tx, attic.uri, posts.Draft("One")).uri)
    await attic.does(lambda tx: posts.publish(tx, attic.uri, posts.Draft("Two", reply_to=first)))
    await attic.does(lambda tx: posts.publish(tx, attic.uri, posts.Draft("Three", "followers")))
    fediverse.later(days=40)

    answer = await ask(attic, f"/nodeinfo/{version}", {"accept": "*/*"})
    said = answer.json()

    assert answer.headers["content-type"] == f'application/json; profile="{SCHEMA}{version}#"'
    assert answer.headers["access-control-allow-origin"] == "*"
    assert (said["version"], said["software"]["name"], said["openRegistrations"]) == (version, "boxroom", False)
    assert ("repository" in said["software"]) == (version == "2.1")
    assert said["protocols"] == ["activitypub"]
    assert said["services"] == {"inbound": [], "outbound": []}
    assert said["usage"] == {
        "users": {"total": 1, "activeMonth": 0, "activeHalfyear": 1},
        "localPosts": 1,
        "localComments": 1,
    }
    assert said["metadata"]["federation"].endswith("/FEDERATION.md")


async def test_there_is_no_other_version_of_nodeinfo(fediverse: Fediverse) -> None:
    attic = await fediverse.studio("attic")

    answer = await ask(attic, "/nodeinfo/1.0", {"accept": "*/*"})

    assert answer.status_code == 404


@settings(max_examples=200)
@given(some.text(max_size=80))
def test_any_question_is_an_address_or_none_or_malformed(resource: str) -> None:
    with suppress(Malformed):
        parse_resource(resource, {"attic.example"})
