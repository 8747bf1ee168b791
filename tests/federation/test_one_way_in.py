"""There is one way in: what a handler gets can be made by the origin rules alone, and only from proven receipts."""

from __future__ import annotations

import ast
import inspect
import typing
from collections.abc import Iterator
from pathlib import Path

import pytest

from activitypub.origin import Activity
from boxroom.assemble import load_features
from federation import registry
from federation.store import Transaction

ROOT = Path(__file__).parent.parent.parent
SOURCES = ("activitypub", "federation", "coop", "web", "boxroom")

load_features()


def uses(name: str) -> set[str]:
    """Where the thing called `name` is called or passed on, by file and function."""
    return {
        f"{file.relative_to(ROOT)} {function}"
        for folder in SOURCES
        for file in (ROOT / folder).rglob("*.py")
        for function in _calling(ast.parse(file.read_text()), name)
    }


def _calling(module: ast.Module, name: str) -> Iterator[str]:
    for function in ast.walk(module):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            calls = [node.func for node in ast.walk(function) if isinstance(node, ast.Call)]
            if name in {getattr(one, "id", None) or getattr(one, "attr", None) for one in calls}:
                yield function.name


@pytest.mark.proves("P-303", "P-302")
def test_every_handler_takes_a_proven_activity_and_nothing_less() -> None:
    for pair in registry.handled():
        handler = registry.handler_for(*pair)
        assert handler is not None
        hints = typing.get_type_hints(handler)
        names = list(inspect.signature(handler).parameters)
        assert [hints[name] for name in names] == [Transaction, Activity], f"{handler} receives {pair}"


@pytest.mark.proves("P-303")
def test_only_the_origin_rules_make_such_an_activity() -> None:
    made = {place for place in uses("Activity") if place.startswith(("activitypub", "web", "boxroom"))}
    bare = {place for folder in SOURCES for file in (ROOT / folder).rglob("*.py") for place in _bare(file)}

    assert made == {"activitypub/origin.py own_words"}
    assert bare == {"activitypub/origin.py"}


def _bare(file: Path) -> Iterator[str]:
    """The file, if it makes an `origin.Activity` of its own: the one that takes what is hearsay."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Activity":
            taken = [ast.unparse(one) for one in node.args]
            if len(taken) == 2 and taken[1] == "hearsay":
                yield str(file.relative_to(ROOT))


@pytest.mark.proves("P-303")
def test_the_origin_rules_are_applied_where_receipts_are_worked_on() -> None:
    assert uses("own_words") == {
        "federation/receipts.py _handle",  # of what its sender's signature or proof vouches for
        "federation/dispatch.py disappeared",  # of what its own server says
        "coop/reactions.py _unwrap",  # of what its author's proof vouches for
        "coop/handovers.py _learn",  # the same, of what is handed on: whoever learns it checks the proof
        "activitypub/statement.py _check_that_it_travels",  # to see that others could read it, and for nothing else
    }


@pytest.mark.proves("P-303")
def test_handlers_are_called_from_one_place() -> None:
    assert uses("handler_for") == {"federation/dispatch.py dispatch"}
    assert uses("dispatch") == {
        "federation/receipts.py _handle",
        "federation/dispatch.py disappeared",
        "coop/reactions.py _unwrap",
    }


@pytest.mark.proves("P-303")
def test_only_the_inbox_and_our_own_outbox_write_receipts() -> None:
    writers = {
        f"{file.relative_to(ROOT)}"
        for folder in SOURCES
        for file in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).endswith((".add_new", ".add_all_new", ".insert", "insert"))
        and node.args
        and ast.unparse(node.args[0]) == "Receipt"
    }

    assert writers == {"federation/inbox.py", "federation/outbox.py"}
