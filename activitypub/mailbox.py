"""What somebody asks of a buddy: to keep a mailbox for them, in which others leave what they shall have on waking."""

from __future__ import annotations

from typing import Final

from activitypub.document import Document, Json
from activitypub.errors import Malformed

KIND: Final = "Mailbox"


def write(uri: str, owner: str) -> Json:
    """The object of an ``Offer``, and of whatever answers or ends it. The id is its owner's to give."""
    return {"id": uri, "type": KIND, "attributedTo": owner}


def read(document: Document, owner: str) -> str:
    """Its id. Raise `Malformed` unless it is a mailbox for `owner`."""
    if document.type != KIND or document.require("attributedTo") != owner:
        raise Malformed("a mailbox is asked for by the one whom it is for")
    return document.id
