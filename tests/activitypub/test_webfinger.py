from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as some

from activitypub.document import Document
from activitypub.errors import Malformed, ProtocolError
from activitypub.webfinger import Address, ascii_host, host_meta, only, parse_resource, self_link, subject, write
from tests.activitypub.documents import SCHEMES, XSS, hostile

HOSTS = frozenset({"ada.example", "www.ada.example", "xn--bcher-kva.example", "127.0.0.1:8000"})
ADA = Address("ada", "ada.example")
ACTOR, PROFILE, HOME = "https://ada.example/actors/01HZA", "https://ada.example/@ada", "https://ada.example"


@pytest.mark.proves("P-012")
@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("acct:ada@ada.example", ADA),
        ("ACCT:ada@ADA.Example", ADA),
        ("acct:ada%40ada.example", ADA),
        ("ada@ada.example", ADA),
        ("@ada@ada.example", ADA),
        ("acct:Ada@www.ada.example", Address("Ada", "www.ada.example")),
        ("acct:ada@bücher.example", Address("ada", "xn--bcher-kva.example")),
        ("acct:ada@BÜCHER.example", Address("ada", "xn--bcher-kva.example")),
        ("acct:ada@xn--bcher-kva.example", Address("ada", "xn--bcher-kva.example")),
        ("acct:ada@127.0.0.1:8000", Address("ada", "127.0.0.1:8000")),
        ("acct:ada.example@ada.example", Address("ada.example", "ada.example")),
        (ACTOR, ACTOR),
        (PROFILE, PROFILE),
        ("https://ADA.example/@ada", "https://ADA.example/@ada"),
        ("https://bücher.example/@ada", "https://bücher.example/@ada"),
        ("https://ada.example/", Address("ada.example", "ada.example")),
        ("https://ada.example", Address("ada.example", "ada.example")),
    ],
)
def test_we_know_whom_of_ours_a_query_means(asked: str, found: Address | str) -> None:
    assert parse_resource(asked, HOSTS) == found


@pytest.mark.proves("P-011")
@pytest.mark.parametrize(
    "asked",
    [
        *(
            "acct:bo@bo.example",
            "bo@bo.example",
            "https://bo.example/@bo",
            "https://ada.example:8443/",
            "acct:a@ada.example.evil",
        ),
        *(
            "mailto:ada@ada.example",
            "ftp://ada.example/",
            "urn:x:y",
            "acct:ada@sub.ada.example",
            "http://ada.example:8080/x",
        ),
    ],
)
def test_what_is_not_here_is_well_formed_and_not_ours(asked: str) -> None:
    assert parse_resource(asked, HOSTS) is None


@pytest.mark.proves("P-011")
@pytest.mark.parametrize(
    "asked",
    [
        *(
            "",
            " ",
            "ada",
            "acct:",
            "acct:ada",
            "acct:@ada.example",
            "acct:ada@",
            "@",
            "@@",
            "@ada",
            "acct:a b@ada.example",
        ),
        *(
            "acct:a@b@ada.example",
            "acct:ada@ada.example/x",
            "acct:ada@ada..example\n",
            "acct:a%0ab@ada.example",
            "https://",
        ),
        *(
            "https://u@ada.example/",
            "acct:ada@-\u200b",
            "acct:ada@.example",
            "acct:a\u202eb@ada.example",
            "acct:ada@ada.example:x",
        ),
    ],
)
def test_what_means_nobody_is_malformed(asked: str) -> None:
    with pytest.raises(Malformed):
        parse_resource(asked, HOSTS)


@given(
    some.text()
    | some.text().map("acct:{}".format)
    | some.text().map("a@{}".format)
    | some.text().map("https://{}".format)
)
def test_any_text_is_a_resource_or_a_protocol_error(asked: str) -> None:
    try:
        found = parse_resource(asked, HOSTS)
    except ProtocolError:
        return
    assert found is None or isinstance(found, str) or Address.parse(str(found)) == found


@pytest.mark.proves("P-324")
@pytest.mark.parametrize(
    ("written", "ascii"),
    [
        ("faß.example", "xn--fa-hia.example"),
        ("аda.example", "xn--da-6kc.example"),
        ("ada。example", "ada.example"),
        ("ＡＤＡ.example", "ada.example"),
        ("A_b.example:8000", "a_b.example:8000"),
    ],
)
def test_hosts_are_compared_in_their_ascii_form(written: str, ascii: str) -> None:
    assert ascii_host(written) == ascii


def test_an_address_is_written_as_people_write_it() -> None:
    assert str(Address.parse(" @Ada@ATTIC.example ")) == "Ada@attic.example"


@pytest.mark.proves("P-013", "P-014")
def test_the_answer_is_what_mastodon_wants() -> None:
    assert write(
        ADA, ACTOR, PROFILE, HOME, avatar="https://ada.example/media/a.webp", asked="acct:ada@www.ada.example"
    ) == {
        "subject": "acct:ada@ada.example",
        "aliases": [PROFILE, ACTOR, "acct:ada@www.ada.example"],
        "links": [
            {"rel": "http://webfinger.net/rel/profile-page", "type": "text/html", "href": PROFILE},
            {"rel": "self", "type": "application/activity+json", "href": ACTOR},
            {"rel": "http://ostatus.org/schema/1.0/subscribe", "template": f"{HOME}/authorize?uri={{uri}}"},
            {"rel": "https://w3id.org/fep/3b86/Follow", "template": f"{HOME}/authorize?uri={{object}}"},
            {"rel": "https://w3id.org/fep/3b86/Object", "template": f"{HOME}/authorize?uri={{object}}"},
            {"rel": "http://webfinger.net/rel/avatar", "href": "https://ada.example/media/a.webp"},
        ],
    }


@pytest.mark.proves("P-013")
@pytest.mark.parametrize("asked", ["", "acct:ada@ada.example", ACTOR, PROFILE])
def test_the_subject_is_the_same_whatever_was_asked(asked: str) -> None:
    jrd = write(ADA, ACTOR, PROFILE, HOME, asked=asked)

    assert (jrd["subject"], jrd["aliases"]) == ("acct:ada@ada.example", [PROFILE, ACTOR])


@pytest.mark.proves("P-027")
def test_the_instance_answers_for_itself() -> None:
    jrd = write(Address("ada.example", "ada.example"), f"{HOME}/actor", f"{HOME}/about", HOME)

    assert jrd["subject"] == "acct:ada.example@ada.example"
    assert self_link(Document(jrd)) == f"{HOME}/actor"
    assert {"rel": "https://www.w3.org/ns/activitystreams#Service", "type": "application/activity+json"} | {
        "href": f"{HOME}/actor"
    } in jrd["links"]


@pytest.mark.proves("P-015")
def test_links_are_filtered_by_what_was_asked_for() -> None:
    jrd = write(ADA, ACTOR, PROFILE, HOME)

    assert only(jrd, []) == jrd
    assert [one["rel"] for one in only(jrd, ["self", "http://unknown.example"])["links"]] == ["self"]
    assert only(jrd, ["http://unknown.example"]) == {**jrd, "links": []}


@pytest.mark.proves("P-016")
def test_host_meta_says_where_to_ask() -> None:
    [lrdd] = ElementTree.fromstring(host_meta(HOME))  # noqa: S314 (it is our own)

    assert lrdd.attrib == {"rel": "lrdd", "template": f"{HOME}/.well-known/webfinger?resource={{uri}}"}


@pytest.mark.proves("P-014", "P-017")
@pytest.mark.parametrize(
    ("links", "actor"),
    [
        ([{"rel": "self", "type": "application/activity+json", "href": ACTOR}], ACTOR),
        (
            [
                {
                    "rel": "self",
                    "type": 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"',
                    "href": ACTOR,
                }
            ],
            ACTOR,
        ),
        (
            [
                {"rel": "self", "type": "text/html", "href": PROFILE},
                {"rel": "http://webfinger.net/rel/profile-page", "type": "application/activity+json", "href": PROFILE},
                {"rel": "self", "type": "application/activity+json", "href": ACTOR},
                {"rel": "self", "type": "application/activity+json", "href": "https://evil.example/"},
            ],
            ACTOR,
        ),
        ([{"rel": "self", "href": ACTOR}], None),
        ([{"rel": "self", "type": "application/json", "href": ACTOR}], None),
        ([{"rel": "self", "type": "application/activity+json"}], None),
        ([{"rel": "self", "type": "application/activity+json", "href": "javascript:x"}], None),
        (None, None),
    ],
)
def test_the_actor_is_the_first_self_link_of_a_right_type(links: object, actor: str | None) -> None:
    assert self_link(Document({"subject": "acct:ada@ada.example", "links": links})) == actor


@pytest.mark.proves("P-017")
@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("acct:ada@ada.example", ADA),
        ("acct:Ada@ADA.example", Address("Ada", "ada.example")),
        (ACTOR, None),
        ("acct:ada", None),
        (None, None),
    ],
)
def test_an_answer_says_whom_it_is_about(name: object, found: Address | None) -> None:
    assert subject(Document({"subject": name})) == found


@pytest.mark.proves("P-314")
@pytest.mark.parametrize("bad", [*XSS, *SCHEMES])
def test_no_answer_leads_anywhere_but_to_the_web(bad: str) -> None:
    links = [{"rel": "self", "type": "application/activity+json", "href": bad}]

    assert self_link(Document({"subject": bad, "links": links})) is None


@given(hostile("subject", "links", "type", "href"))
def test_any_json_is_an_answer(json: dict[str, Any]) -> None:
    link, about = self_link(Document(json)), subject(Document(json))

    assert link is None or link.startswith("http")
    assert about is None or isinstance(about, Address)
