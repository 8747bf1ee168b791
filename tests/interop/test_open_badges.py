"""An exported Open Badge, read and verified by programs that are not ours, with the contexts as they were published.

The published JSON Schema is in no package: `tests/activitypub/open_badges.py` says what it asks.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from activitypub.document import Json
from tests.boxroom.house import PATIENCE, House, found
from tests.interop.npm import HERE, NODE, install

pytestmark = [pytest.mark.xdist_group("interop"), pytest.mark.timeout(300)]

OPEN_BADGES = "https://purl.imsglobal.org/spec/vc/ob/vocab.html#"


@pytest.fixture(scope="module")
def bo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    install()
    house = found(tmp_path_factory.mktemp("bo") / "data", "bo")
    with house.open():
        yield house


@pytest.fixture(scope="module")
def badge(ada: House, bo: House, tmp_path_factory: pytest.TempPathFactory) -> Json:
    """Of what Ada said of Bo, exported by Bo."""
    given = ada.does("endorse", bo.address, "--skill", "Typesetting", "--text", "Set our *catalogue* with care.")
    bo.waits_for("endorsements", bo.address, until=given)
    file = tmp_path_factory.mktemp("badge") / "badge.json"
    bo.does("endorsement", "export", given, str(file), "--format", "badge")
    written: Json = json.loads(file.read_text())
    return written


def understood(badge: Json, folder: Path) -> Any:
    """What is wrong with it, and what it says: see ``badge.mjs``."""
    file = folder / "badge.json"
    file.write_text(json.dumps(badge))
    command: list[str | Path] = [NODE, HERE / "badge.mjs", file]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def wrong(said: Any) -> set[str]:
    return {name for name in ("signature", "terms", "shape") if said[name] is not None}


def test_shows_coop_4_others_read_and_verify_an_exported_badge(
    ada: House, bo: House, badge: Json, tmp_path: Path
) -> None:
    said = understood(badge, tmp_path)

    assert wrong(said) == set(), said
    assert said["read"] == {
        "type": ["https://www.w3.org/2018/credentials#VerifiableCredential", f"{OPEN_BADGES}EndorsementCredential"],
        "by": ada.shows("whoami")["uri"],
        "of": bo.shows("whoami")["uri"],
        "comment": "Typesetting (as peer): Set our catalogue with care.",
    }


@pytest.mark.parametrize(
    ("change", "noticed"),
    [
        (lambda one: one["credentialSubject"].update(endorsementComment="Everything."), {"signature"}),
        (lambda one: one["credentialSubject"].update(id="https://mal.example/actors/mal"), {"signature"}),
        (lambda one: one["issuer"].update(id="https://mal.example/actors/mal"), {"signature"}),
        (lambda one: one["signedEndorsement"].update(skill=["Plumbing"]), {"signature"}),
        (lambda one: one["@context"].pop(), {"signature", "terms"}),
        (lambda one: one.update(skill="Typesetting"), {"signature", "terms"}),
        (lambda one: one["credentialSubject"].update(type="EndorsementSubject"), {"signature", "shape"}),
        (lambda one: one["proof"][0].pop("proofPurpose"), {"signature", "shape"}),
    ],
)
def test_shows_coop_4_others_notice_an_altered_badge(
    badge: Json, tmp_path: Path, change: Callable[[Any], object], noticed: set[str]
) -> None:
    altered = json.loads(json.dumps(badge))
    change(altered)

    assert wrong(understood(altered, tmp_path)) == noticed
