"""Posts and offers that were looked for: nobody sent them to us, and they may be old.

The law: they are kept among what was said when they were, so that nothing takes them for news. Nobody is notified of
them, nothing of them is passed on, and no project boosts them.
"""

from __future__ import annotations

from activitypub.document import Document
from activitypub.errors import Malformed
from coop import offers, posts
from federation import registry
from federation.store import Transaction


def keep(tx: Transaction, document: Document) -> None:
    """Raise `Malformed` for what is neither post nor offer, and as their keepers do."""
    kind = registry.kind(document)
    if kind == "Proposal":
        offers.keep(tx, document, found=True)
    elif kind in posts.READABLE:
        posts.keep(tx, document, found=True)
    else:
        raise Malformed(f"{document.id} is neither a post nor an offer")
