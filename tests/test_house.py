"""What the house promises to those who carry on the work: its size, its requirements, and where a new thing goes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests import budget, conformance

ROOT = Path(__file__).parent.parent

FEATURE = '''
"""Posts that somebody would rather not hear of again."""

from __future__ import annotations

from sqlalchemy.orm import Mapped, mapped_column

from activitypub.origin import Activity
from federation import known
from federation.registry import receives
from federation.store import Transaction
from federation.tables import Row


class Snub(Row):
    __tablename__ = "snubs"

    actor: Mapped[str] = mapped_column(primary_key=True)
    object: Mapped[str] = mapped_column(primary_key=True)


@receives("Ignore", "Note")
def ignore(tx: Transaction, activity: Activity) -> None:
    tx.add_new(Snub, actor=activity.actor, object=known.thing(tx, activity.require("object")).uri)
'''

STORY = """
import asyncio, pathlib, sys

import coop

coop.__path__.append(sys.argv[1])

from coop.snubs import Snub
from tests.coop.neighbours import made_up, neighbours, says, sends
from tests.databases import Files
from tests.fediverse import Fediverse


async def story():
    fediverse = Fediverse(Files(pathlib.Path(sys.argv[1])))
    attic, shop = await neighbours(fediverse)
    post = await says(attic, "Who would like a third kitten?")
    receipt = await sends(shop, attic, made_up(shop, "Ignore", object=post.uri))
    print(receipt.state, *[(one.actor == shop.uri, one.object == post.uri) for one in await attic.knows(Snub)])
    await fediverse.close()


asyncio.run(story())
"""


def test_shows_core_5_the_code_keeps_to_its_size() -> None:
    assert budget.findings() == []


def test_shows_core_6_every_requirement_of_this_stage_has_a_test(capsys: pytest.CaptureFixture[str]) -> None:
    assert conformance.main() == 0, capsys.readouterr().out


def test_shows_core_7_a_new_activity_type_with_a_table_of_its_own_is_one_file(tmp_path: Path) -> None:
    (tmp_path / "snubs.py").write_text(FEATURE)

    told = subprocess.run(
        [sys.executable, "-c", STORY, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert (told.stderr, told.stdout) == ("", "done (True, True)\n")
