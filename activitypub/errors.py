"""What can be wrong with what another server sent. Each error carries the HTTP status that answers it.

ProtocolError        400
├── Malformed        400  the document means nothing as it is
├── Unverified       401  who sent it is not proven
└── Forbidden        403  who sent it is proven, and may not do this
"""

from __future__ import annotations

from activitypub.sentence import Telling


class ProtocolError(Telling):
    """The other side broke a rule. Its text is sent back to that side's engineer, so it says what to change."""

    status = 400


class Malformed(ProtocolError):
    """The document lacks something without which it means nothing."""


class Unverified(ProtocolError):
    """Who sent it is not proven."""

    status = 401


class Forbidden(ProtocolError):
    """Who sent it is proven, and may not do this."""

    status = 403
