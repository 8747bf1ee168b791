"""Archives are brought when whoever sent one has said so, and one at a time."""

from __future__ import annotations

from tests.guards.guard import Guard

IMPORTS = "coop/imports.py"
ONE = "test_imports.py::test_nothing_is_brought_before_it_was_looked_at_and_confirmed"

GUARDS = (
    Guard(IMPORTS, '    if row is None or row.state != "looked":\n', "    if row is None:\n", ONE),
    Guard(IMPORTS, "    if row.is_busy:\n", "    if False:\n", ONE),
)
