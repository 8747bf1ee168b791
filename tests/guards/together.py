"""What one sees and decides of projects, agreements and promises in the browser: only what is one's own."""

from __future__ import annotations

from tests.guards.guard import Guard

INVITED = "web/pages/invited.py"
DOING = "web/doing.py"

GUARDS = (
    Guard(
        INVITED,
        ".where(Invitation.invitee == me)",
        "",
        "test_invited.py::test_an_invitation_is_answered_once_and_by_whom_it_is_for",
    ),
    Guard(
        INVITED,
        "if project and (is_open or is_in) else None",
        "if project else None",
        "test_invited.py::test_an_invitation_that_is_over_says_so",
    ),
    Guard(
        DOING,
        "await once.do(sha256(said.encode()).hexdigest(), run)",
        "await run()",
        "test_promises.py::test_a_promise_that_is_sent_twice_is_made_once",
    ),
)
