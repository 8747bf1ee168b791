"""Who a thing is for: ``to`` and ``cc`` read as a visibility, a visibility written as ``to`` and ``cc``.

The law: only `PUBLIC` in ``to`` or ``cc`` makes a thing public. ``audience``, ``bto`` and a followers collection that
is not the author's own never do (P-113), and ``bto`` and ``bcc`` never leave the house (P-160).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from activitypub.document import Document, Json

PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
PUBLIC_ALIASES = frozenset({PUBLIC, "as:Public", "Public"})
MAX_RECIPIENTS = 1_000  # P-111

Visibility = Literal["public", "unlisted", "followers", "direct", "project"]

_ADDRESSED = ("to", "cc", "bto", "bcc", "audience")
_BLIND = frozenset({"bto", "bcc"})


def visibility(note: Document, author_followers: str | None, activity: Document | None = None) -> Visibility:
    """What `note` says of itself; only if it has neither ``to`` nor ``cc``, what the `activity` around it says (P-113).

    Never ``project``: whether ``audience`` or ``context`` names a project is for those to say who know its members.
    """
    said = note if note.has("to") or note.has("cc") or activity is None else activity
    to, cc = said.uris("to"), said.uris("cc")
    if not PUBLIC_ALIASES.isdisjoint(to):
        return "public"
    if not PUBLIC_ALIASES.isdisjoint(cc):
        return "unlisted"
    return "followers" if author_followers and author_followers in (*to, *cc) else "direct"


def addressed(visibility: Visibility, followers: str | None, mentions: Iterable[str] = ()) -> Json:
    """The addressing of both an activity and its object (P-161).

    `followers` is the author's collection. For ``project``, `mentions` are the project and its present members (P-265).
    """
    people, crowd = list(dict.fromkeys(mentions)), [followers] if followers else []
    match visibility:
        case "public":
            return {"to": [PUBLIC], "cc": [*crowd, *people]}
        case "unlisted":
            return {"to": [*crowd, *people], "cc": [PUBLIC]}
        case "followers":
            return {"to": crowd, "cc": people}
        case "direct":
            return {"to": people, "cc": [], "directMessage": True}
        case "project":
            return {"to": people, "cc": []}


def recipients(activity: Document) -> tuple[str, ...]:
    """Everyone `activity` is for but its own actor, blind copies included; collections are not expanded (P-160).

    The first `MAX_RECIPIENTS` of them: whoever names more wants to make others work (P-111).
    """
    everyone = dict.fromkeys(uri for name in _ADDRESSED for uri in activity.uris(name))
    nobody = {*PUBLIC_ALIASES, activity.uri("actor")}
    return tuple(uri for uri in everyone if uri not in nobody)[:MAX_RECIPIENTS]


def without_blind(activity: Json) -> Json:
    """`activity` as others may see it: no ``bto`` or ``bcc`` on itself or on what it embeds as its object (P-160)."""
    seen = {name: value for name, value in activity.items() if name not in _BLIND}
    embedded = seen.get("object")
    if isinstance(embedded, dict):
        seen["object"] = without_blind(embedded)
    elif isinstance(embedded, list):
        seen["object"] = [without_blind(one) if isinstance(one, dict) else one for one in embedded]
    return seen
