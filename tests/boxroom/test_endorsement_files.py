"""Endorsements as files, checked where there is no network: genuine, taken back, altered, and their giver gone."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from activitypub import keys
from activitypub.document import Document, Json
from activitypub.endorsement import Bundle
from activitypub.errors import ProtocolError
from boxroom.assemble import now
from coop import verdicts
from tests.boxroom import sealed_off
from tests.boxroom.house import House, found

FORMS = ["copy", "bare", "badge"]


@dataclass(frozen=True, slots=True)
class Story:
    """Ada vouched for Bo twice, took one back, and is gone with her machine; Bo kept files of all of it."""

    bo: House
    nobody: Path  # a folder without a studio
    files: dict[str, Path]

    def verifies(self, file: Path, data: Path, *, watched: bool) -> tuple[int, Json]:
        """What the command says of a file where there is no network: its exit status and its JSON."""
        command = [
            *sealed_off.program(watched=watched),
            "endorsement",
            "verify",
            str(file),
            "--data",
            str(data),
            "--json",
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=self.bo.environment)
        assert done.returncode in (0, 1), done.stderr
        assert "Traceback" not in done.stderr
        return done.returncode, json.loads(done.stdout) if done.stdout else {"verdict": None, "reason": done.stderr}


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    place = tmp_path_factory.mktemp("endorsements")
    ada, bo = found(place / "ada", "ada"), found(place / "bo", "bo")
    files = {name: place / f"{name}.json" for name in ("copy", "bare", "badge", "before", "after")}
    with ada.open(), bo.open():
        genuine = ada.does("endorse", bo.address, "--skill", "Typesetting", "--text", "Set our *catalogue* with care.")
        doomed = ada.does("endorse", bo.address, "--skill", "Plumbing", "--text", "Fixed our tap.")
        bo.waits_for("endorsements", bo.address, until=doomed)
        bo.does("endorsement", "save", genuine, str(files["copy"]))
        bo.does("endorsement", "export", genuine, str(files["badge"]), "--format", "badge")
        bo.does("endorsement", "save", doomed, str(files["before"]))
        ada.does("endorse", "revoke", doomed)
        bo.waits_for("endorsements", bo.address, until='"revoked"')
        bo.does("endorsement", "save", doomed, str(files["after"]))
    files["bare"].write_bytes(msgspec.json.encode(json.loads(files["copy"].read_text())["endorsement"]))
    shutil.rmtree(ada.folder)
    return Story(bo, place / "nobody", files)


@pytest.mark.parametrize("watched", sealed_off.ways())
def test_shows_coop_4_there_is_no_network_where_endorsements_are_checked(watched: bool) -> None:
    assert sealed_off.tries_the_network(watched=watched) == (sealed_off.CAUGHT if watched else 1)


@pytest.mark.timeout(300)
@pytest.mark.proves("P-242", "P-243", "P-245", "P-335")
@pytest.mark.parametrize("watched", sealed_off.ways())
def test_shows_coop_4_each_endorsement_gets_its_verdict_without_any_network(story: Story, watched: bool) -> None:
    expected = [
        ("copy", True, "valid, offline", "a key that we saw ourselves earlier"),
        ("copy", False, "valid by copy", "a key that came with this copy"),
        ("bare", True, "valid, offline", "a key that we saw ourselves earlier"),
        ("bare", False, "unknown", "is not known here"),
        ("badge", True, "valid, offline", "a key that we saw ourselves earlier"),
        ("badge", False, "unknown", "is not known here"),
        ("before", True, "revoked", f"as of {now().day} {now():%B %Y}"),
        ("before", False, "valid by copy", "a key that came with this copy"),  # nobody told them
        ("after", True, "revoked", f"as of {now().day} {now():%B %Y}"),
        ("after", False, "revoked", f"as of {now().day} {now():%B %Y}"),
    ]

    for name, by_bo, verdict, reason in expected:
        data = story.bo.folder if by_bo else story.nobody
        status, said = story.verifies(story.files[name], data, watched=watched)
        assert (name, by_bo, said["verdict"]) == (name, by_bo, verdict)
        assert reason in said["reason"]
        assert status == (0 if verdict.startswith("valid") else 1)


@pytest.mark.timeout(300)
@pytest.mark.proves("P-334")
@pytest.mark.parametrize("form", FORMS)
def test_shows_coop_4_the_command_notices_an_altered_byte(story: Story, tmp_path: Path, form: str) -> None:
    body = story.files[form].read_bytes()
    places = [body.index(word) for word in (b"Typesetting", b"catalogue", b"proofValue", b"eddsa-jcs", b"peer")]

    for place in places:
        altered = tmp_path / f"{place}.json"
        altered.write_bytes(flipped(body, place, 1))
        status, said = story.verifies(altered, story.bo.folder, watched=not sealed_off.namespace())
        assert (status, said["verdict"] in ("invalid", "unknown", None)) == (1, True), (body[place : place + 20], said)


def flipped(body: bytes, place: int, bits: int) -> bytes:
    return body[:place] + bytes([body[place] ^ bits]) + body[place + 1 :]


@pytest.mark.timeout(600)
@pytest.mark.proves("P-334", "P-335")
@pytest.mark.parametrize("form", FORMS)
def test_shows_coop_4_no_byte_of_it_can_be_altered(story: Story, form: str) -> None:
    """Every byte in turn, in the endorsement in two ways.

    Around it a copy has what proves nothing: that may be altered, if what is said to be valid is the very same.
    """
    copy = Bundle.parse(story.files["copy"].read_bytes())
    memory, body = copy.listed(), story.files[form].read_bytes()
    assert verdict_on(body, memory) == ("valid, offline", copy.endorsement.json)

    for place in range(len(body)):
        for bits in (0x01, 0x20)[: 1 if form == "copy" else 2]:
            verdict, inner = verdict_on(flipped(body, place, bits), memory)
            may_be_valid = form == "copy" and inner == copy.endorsement.json
            assert not verdict.startswith("valid") or may_be_valid, (place, bits, body[max(place - 30, 0) : place + 30])


def verdict_on(body: bytes, memory: dict[str, keys.Key]) -> tuple[str, Any]:
    try:
        inner, found = verdicts.verify_file(body, memory.get, now())
    except ProtocolError:
        return "refused", None
    assert isinstance(inner, Document)
    return found.verdict, inner.json


@pytest.mark.proves("P-244")
def test_others_are_asked_only_if_one_says_so_and_only_by_a_studio(story: Story, house: House) -> None:
    file = str(story.files["copy"])

    alone, asked = house.does("endorsement", "verify", file), house.does("endorsement", "verify", file, "--ask")
    nobody = House(story.nobody, house.url).fails("endorsement", "verify", file, "--ask")

    assert alone.startswith("valid by copy: ")
    assert asked == f"{alone} There was nobody else to ask."
    assert "only a studio can ask others" in nobody
