"""Vouching by command: asked for, answered, handed on, and told how one knows whoever it was."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.boxroom.house import House
from tests.boxroom.test_everyday import with_bo

BO = "bo"  # of two who live in one house, where neither needs a server to be heard


@pytest.fixture
def shared(house: House) -> House:
    return with_bo(house)


def asks(house: House, *more: str) -> str:
    return house.does("endorsement", "ask", house.handle, "--skill", "Layout", *more, "--as", BO)


def test_a_request_is_asked_listed_and_answered(shared: House) -> None:
    asked = asks(shared, "--work", "https://attic.example/atlas", "--text", "You saw the *atlas*.")

    [waits] = shared.shows("endorsement", "requests")
    given = shared.does("endorse", BO, "--request", asked, "--text", "Every page sits.")

    assert (waits["uri"], waits["skills"], waits["text"]) == (asked, ["Layout"], "You saw the atlas.")
    assert shared.shows("endorsement", "requests") == []
    [answered] = shared.shows("endorsement", "requests", "--mine", "--as", BO)
    assert (answered["state"], answered["answer"], answered["work"]) == (
        "answered",
        given,
        "https://attic.example/atlas",
    )
    [endorsed] = shared.shows("endorsements", BO, "--as", BO)
    assert (endorsed["skills"], endorsed["verdict"]) == (["Layout"], "valid")
    assert "endorsement" in {one["kind"] for one in shared.shows("notifications", "--as", BO)}


def test_a_request_is_declined_and_says_so(shared: House) -> None:
    asked = asks(shared)

    shared.does("endorsement", "decline", asked, "--reason", "I know too little of it.")

    [declined] = shared.shows("endorsement", "requests", "--mine", "--as", BO)
    assert (declined["state"], declined["reason"]) == ("declined", "I know too little of it.")
    assert "declined already" in shared.fails("endorse", BO, "--request", asked, "--text", "After all.")
    assert "asked them already" in shared.fails("endorsement", "ask", shared.handle, "--skill", "Layout", "--as", BO)
    assert shared.runs("endorse", BO, "--text", "Well.").exit_code == 2


def test_an_endorsement_is_handed_on_in_every_form(shared: House, tmp_path: Path) -> None:
    uri = shared.does("endorse", BO, "--skill", "Layout", "--text", "Every page sits.")
    files = {form: tmp_path / f"bo.{form}" for form in ("badge", "html", "print")}

    for form, file in files.items():
        assert shared.does("endorsement", "export", uri, str(file), "--format", form) == str(file)
    assert shared.does("endorsement", "export", uri, "--format", "badge") == files["badge"].read_text().strip()

    assert json.loads(files["badge"].read_text())["type"] == ["VerifiableCredential", "EndorsementCredential"]
    assert "<h1>Layout</h1>" in files["html"].read_text()
    assert ' class="code"' in files["print"].read_text()
    assert shared.shows("endorsement", "verify", str(files["badge"]))["verdict"].startswith("valid")
    shared.does("endorse", "revoke", uri)
    assert "took it back" in shared.fails("endorsement", "export", uri, "--format", "html")


def test_one_is_told_how_one_knows_somebody(shared: House) -> None:
    assert "Nobody near you knows" in shared.runs("trust", BO).stderr
    uri = shared.does("endorse", BO, "--skill", "Layout", "--text", "Sits.", "--work", "https://attic.example/atlas")

    [way] = shared.shows("trust", BO)
    assert way["words"].startswith("You have worked with Bo above the shop (bo@")
    assert way["words"].endswith(
        "once and vouch for Bo above the shop (bo@127.0.0.1:" + shared.url.rpartition(":")[2] + "): Layout"
    )
    assert way["steps"][0]["endorsements"] == [uri]
    assert shared.does("trust", BO) == f"{way['words']}."
