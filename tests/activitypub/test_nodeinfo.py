from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from activitypub.nodeinfo import RELEASE, Usage, Version, media_type, well_known, write

SOURCE = "https://code.example/boxroom"
USAGE = Usage(accounts=3, active_month=2, active_half_year=3, posts=120, replies=40)


@pytest.mark.proves("P-040", "P-027")
def test_the_documents_and_the_instance_actor_are_announced() -> None:
    assert well_known("https://ada.example") == {
        "links": [
            {"rel": "http://nodeinfo.diaspora.software/ns/schema/2.1", "href": "https://ada.example/nodeinfo/2.1"},
            {"rel": "http://nodeinfo.diaspora.software/ns/schema/2.0", "href": "https://ada.example/nodeinfo/2.0"},
            {"rel": "https://www.w3.org/ns/activitystreams#Application", "href": "https://ada.example/actor"},
        ]
    }


@pytest.mark.proves("P-041", "P-042")
@pytest.mark.parametrize("version", ["2.0", "2.1"])
def test_a_document_says_what_runs_here_and_how_much(version: Version) -> None:
    document = write(version, SOURCE, USAGE, "Ada", "Maps")

    software = document.pop("software")
    assert document == {
        "version": version,
        "protocols": ["activitypub"],
        "services": {"inbound": [], "outbound": []},
        "openRegistrations": False,
        "usage": {
            "users": {"total": 3, "activeMonth": 2, "activeHalfyear": 3},
            "localPosts": 120,
            "localComments": 40,
        },
        "metadata": {"nodeName": "Ada", "nodeDescription": "Maps", "federation": f"{SOURCE}/FEDERATION.md"},
    }
    assert re.fullmatch("[a-z0-9-]+", software["name"])
    assert software["version"] == RELEASE


@pytest.mark.proves("P-041")
def test_only_the_newer_version_names_the_source() -> None:
    assert write("2.1", SOURCE, USAGE, "Ada")["software"].keys() == {"name", "version", "repository", "homepage"}
    assert write("2.0", SOURCE, USAGE, "Ada")["software"].keys() == {"name", "version"}
    assert write("2.1", "", USAGE, "Ada")["software"].keys() == {"name", "version"}


def test_the_release_is_the_one_that_is_packed() -> None:
    packed = msgspec.toml.decode((Path(__file__).parents[2] / "pyproject.toml").read_bytes())

    assert packed["project"]["version"] == RELEASE


@pytest.mark.proves("P-041")
def test_each_version_has_its_media_type() -> None:
    assert media_type("2.1") == 'application/json; profile="http://nodeinfo.diaspora.software/ns/schema/2.1#"'
    assert media_type("2.0") == 'application/json; profile="http://nodeinfo.diaspora.software/ns/schema/2.0#"'
