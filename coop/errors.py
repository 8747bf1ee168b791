"""What a person can do wrong. The text is shown to that person: it says what to do.

Trouble            400
├── NotAllowed     403
├── NotFound       404
└── Conflict       409
"""

from __future__ import annotations


class Trouble(Exception):
    """Something cannot be done as asked; nothing was changed."""

    status = 400


class NotAllowed(Trouble):
    status = 403


class NotFound(Trouble):
    status = 404


class Conflict(Trouble):
    """It would have been possible, but not in the state that things are in now."""

    status = 409
