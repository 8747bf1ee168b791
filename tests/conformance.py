"""Prints each MUST of the wire that no test cites, and each id that a test cites but nobody knows: `make check`."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
TABLE = HERE.parent / "docs" / "conformance.md"
_ROW = re.compile(r"^\| (P-\d+) \| (MUST|MUST NOT|SHOULD|MAY) \| (.*?) \| (.*?) \|$", re.MULTILINE)


def requirements() -> dict[str, tuple[str, str, str]]:
    """By id: its level, what it asks in short, and why it comes later, if it does."""
    return {found[1]: (found[2], found[3], found[4]) for found in _ROW.finditer(TABLE.read_text())}


def cited() -> set[str]:
    """Every id in a ``proves`` mark of a test."""
    return {one for file in HERE.rglob("test_*.py") for one in _in(ast.parse(file.read_text()))}


def _in(module: ast.Module) -> Iterator[str]:
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "proves":
            yield from (one.value for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str))


def main() -> int:
    known, found = requirements(), cited()
    due = {one for one, (level, _, later) in known.items() if level.startswith("MUST") and not later}
    for one in sorted(due - found):
        print(f"{one} has no test: {known[one][1]}")
    for one in sorted(found - known.keys()):
        print(f"{one} is cited by a test, but is no requirement")
    print(f"{len(due & found)} of {len(due)} requirements of this stage have a test")
    return 1 if due - found or found - known.keys() else 0


if __name__ == "__main__":
    sys.exit(main())
