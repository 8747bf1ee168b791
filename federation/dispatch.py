"""From a proven activity to the feature that it is for."""

from __future__ import annotations

from activitypub.document import Document
from activitypub.origin import Activity, own_words
from federation import known, registry
from federation.store import Transaction


def dispatch(tx: Transaction, activity: Activity) -> bool:
    """Run the handler of `activity`; return whether there is one. Raise what it raises."""
    of = known.kind_of(tx.db, activity) if registry.depends_on_kind(activity.type) else None
    handler = registry.handler_for(activity.type, of)
    if handler is None:
        return False  # acknowledged, kept, of no meaning here (P-102)
    handler(tx, activity)
    return True


def disappeared(tx: Transaction, uri: str, owner: str) -> None:
    """`uri` does not exist any more, as its own server says: let it take effect as its owner's Delete would."""
    dispatch(tx, own_words(Document({"type": "Delete", "actor": owner, "object": uri})))
