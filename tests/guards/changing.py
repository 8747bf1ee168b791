"""What may be changed of what was said, and what is kept of how it was typed."""

from __future__ import annotations

from tests.guards.guard import Guard

SOURCES = "coop/sources.py"
KEPT = "test_sources.py::test_what_is_taken_back_is_not_kept_as_it_was_typed"

GUARDS = (
    Guard(
        "coop/posts.py",
        '    if row.type not in READABLE:\n        raise Trouble("that is more than words',
        '    if False:\n        raise Trouble("that is more than words',
        "test_sources.py::test_what_others_rely_on_is_not_changed",
    ),
    Guard(SOURCES, "    _FORGET.run(tx.db, of=event.object.id)\n", "    return\n", KEPT),
    Guard(SOURCES, "    tx.db.execute(delete(Source).where(Source.object.in_(theirs)))\n", "", KEPT),
    Guard(
        "web/pages/changing.py",
        "        row = posts.changeable(db, visitor.uri, uri)\n",
        '        row = posts.own(db, __import__("federation.known").known.find(db, uri).author, uri)\n',
        "test_changing.py::test_nobody_changes_what_is_not_theirs_or_more_than_words",
    ),
)
