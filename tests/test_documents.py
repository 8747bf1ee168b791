"""What the documents say of the program is what the program does."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from boxroom.assemble import load_features
from federation import registry

ROOT = Path(__file__).parent.parent
_ROW = re.compile(r"^\| (\w+) \| ([\w, ]+) \|", re.MULTILINE)


@pytest.mark.proves("P-042")
def test_federation_md_names_every_activity_that_is_received() -> None:
    load_features()
    section = (ROOT / "FEDERATION.md").read_text().partition("## Activities that are received")[2].partition("\n## ")[0]

    rows = [found.groups() for found in _ROW.finditer(section) if found[1] != "activity"]
    named = {(activity, None if one == "anything" else one) for activity, kinds in rows for one in kinds.split(", ")}

    assert named == registry.handled()


def test_one_way_out_and_its_guard_alone_open_sockets() -> None:
    sources = [
        file
        for room in ("activitypub", "federation", "coop", "web", "boxroom")
        for file in ROOT.glob(f"{room}/**/*.py")
    ]
    users = {file.relative_to(ROOT).as_posix() for file in sources if _imports(file) & {"httpx", "aiohttp"}}

    assert users == {"federation/transport.py", "federation/guard.py"}


def _imports(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {one.name.partition(".")[0] for one in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").partition(".")[0])
    return found


def test_shows_core_1_the_readme_has_two_commands() -> None:
    readme = (ROOT / "README.md").read_text()

    assert set(re.findall(r"^make (\w+)", readme, re.MULTILINE)) >= {"demo", "test"}


def test_no_document_names_a_machine() -> None:
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / "Makefile"]

    for document in documents:
        assert not re.search(r"(?<![\w.])/(home|root|Users|opt)/", document.read_text()), document.name
