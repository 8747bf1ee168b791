"""When two tags mean the same skill."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from coop import skills

ESCO = "http://data.europa.eu/esco/skill/"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Typesetting", "  typeSETTING "),
        ("web-design", "Web Design"),
        ("Maps", "map"),
        ("Übersetzung", "U\u0308BERSETZUNG"),  # the same in two forms of Unicode
        ("Node.js", "NodeJS"),
        ("ﬁlm studies", "film study"),
        ("Straße", "STRASSE"),
        ("https://www.wikidata.org/wiki/Q644687", "http://www.wikidata.org/entity/Q644687"),
        (
            f"{ESCO}3cd569a2-4f88-4c1e-9995-8dce8c5e51a7",
            f"{ESCO}3cd569a2-4f88-4c1e-9995-8dce8c5e51a7".replace(":", "s:", 1),
        ),
    ],
)
def test_tags_are_the_same_however_they_are_written(one: str, other: str) -> None:
    assert skills.key(one) == skills.key(other) != ""


@pytest.mark.parametrize(
    ("one", "other"),
    [("C", "C++"), ("C", "C#"), ("CSS", "CS"), ("type design", "typesetting"), ("Java", "JavaScript"), ("🎻", "🎺")],
)
def test_other_tags_are_others(one: str, other: str) -> None:
    assert skills.alike(one).isdisjoint(skills.alike(other))


@pytest.mark.parametrize(
    ("asked", "found", "how"),
    [
        ("Illustration", "illustrations", "same"),
        ("Illustratorin", "drawing", "synonym"),
        ("typesetter", "Schriftsatz", "synonym"),
        ("JS", f"{ESCO}3cd569a2-4f88-4c1e-9995-8dce8c5e51a7", "identifier"),
        ("https://www.wikidata.org/wiki/Q644687", "Illustration", "identifier"),
    ],
)
def test_the_list_knows_what_else_a_skill_is_called(asked: str, found: str, how: str) -> None:
    assert skills.key(found) in skills.alike(asked)
    assert skills.how(skills.key(asked), skills.key(found)) == how


def test_a_tag_that_is_in_no_list_is_a_skill_like_any_other() -> None:
    assert skills.alike("Tuning of hurdy-gurdies") == {"tuning of hurdy gurdy"}
    assert skills.names(" Hurdy-Gurdy ") == {"hurdy-gurdy"}
    assert "buchgestaltung" in skills.names("Book Design")


def test_no_name_means_two_skills() -> None:
    listed = msgspec.toml.decode(skills.LIST.read_bytes(), type=dict[str, list[str]])
    keys = [key for name, others in listed.items() for key in {skills.key(one) for one in (name, *others)}]

    assert len(listed) >= 150
    assert len(keys) == len(set(keys))
    assert all(keys)


def test_every_identifier_in_the_list_is_in_its_usual_form() -> None:
    listed = msgspec.toml.decode(skills.LIST.read_bytes(), type=dict[str, list[str]])
    identifiers = [one for others in listed.values() for one in others if "://" in one]

    assert len(identifiers) > 60
    assert [skills.key(one) for one in identifiers] == identifiers
    assert all(one.startswith((ESCO, "https://www.wikidata.org/wiki/Q")) for one in identifiers)


@given(some.text())
def test_any_text_has_a_key_that_fits_and_stays_as_it_is(text: str) -> None:
    key = skills.key(text)

    assert len(key) <= skills.MAX_TAG
    assert key in skills.alike(text)
    assert "\0" not in key
