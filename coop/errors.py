"""What a person can do wrong. The text is shown to that person: it says what to do.

Trouble            400
├── NotAllowed     403
├── NotFound       404
└── Conflict       409
"""

from __future__ import annotations

from activitypub.sentence import Sentence, Telling


class Trouble(Telling):
    """Something cannot be done as asked; nothing was changed."""

    status = 400


class NotAllowed(Trouble):
    status = 403


class NotFound(Trouble):
    status = 404


class Conflict(Trouble):
    """It would have been possible, but not in the state that things are in now."""

    status = 409


# How things may stand that are asked for something else, as a part of a sentence.
STANDING = {
    str(one): one
    for one in (
        Sentence("accepted"),
        Sentence("agreed"),
        Sentence("answered"),
        Sentence("countered"),
        Sentence("declined"),
        Sentence("done"),
        Sentence("expired"),
        Sentence("filled"),
        Sentence("kept"),
        Sentence("late"),
        Sentence("open"),
        Sentence("proposed"),
        Sentence("released"),
        Sentence("replaced"),
        Sentence("withdrawn"),
    )
}
