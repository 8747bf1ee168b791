"""Who may vouch for what: the origin rules of FEP-fe34, in the one place that every activity passes.

The law: an activity speaks for its actor alone. What it embeds is its actor's word only if it lives on the actor's
origin and belongs to the actor; everything else is reduced to a URI, which has to be looked up, fetched from where it
lives, or proven by its own author's signature.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from activitypub.document import Document, Json
from activitypub.errors import Forbidden, Malformed
from activitypub.vocabulary import ACTIVITIES, ACTORS

MAX_URI = 2_048  # octets: what is longer is no address, and no index would hold it
_PORTS = {"https": 443, "http": 80}
_BEGINNING = re.compile(r"https?://[^/?#]*", re.IGNORECASE)  # scheme and authority (RFC 3986, 3.2)
_DISGUISE = re.compile(r"[@\\%]")
_REGISTRIES = frozenset({"ac", "co", "com", "edu", "gov", "ne", "net", "or", "org"})  # below a country: ``co.uk``
_MAX_NESTING = 3  # P-111: an announced activity about an object
_UNTOUCHED = ("proof", "@context")
_OWNER = ("attributedTo", "actor", "owner", "controller")


class Activity(Document):
    """An activity whose sender is proven, in the sender's own words. Only `own_words` makes one (P-303)."""

    __slots__ = ("hearsay",)

    def __init__(self, json: Json, hearsay: dict[str, Document]) -> None:
        super().__init__(json)
        self.hearsay = hearsay  # by URI, what the sender embedded of others: nothing until its own proof is checked

    @property
    def actor(self) -> str:
        return self.require("actor")


@lru_cache(256)  # the same few are asked about again and again while one activity is looked at
def origin(uri: str) -> str:
    """Scheme, host and port: two documents may vouch for each other only within one origin (P-104).

    Raise `Malformed` unless `uri` is an absolute http(s) URL of at most `MAX_URI` octets, without control characters or
    user information (P-331).
    """
    beginning = _BEGINNING.match(uri)
    is_odd = not uri.isprintable() or " " in uri or len(uri.encode()) > MAX_URI
    if beginning is None or is_odd or (found := _origin(beginning[0])) is None:
        raise Malformed(f"{uri[:200]!r} is not a web address")
    return found


@lru_cache(4096)
def _origin(beginning: str) -> str | None:
    """Of a URL that begins so; ``None`` if its host is none."""
    try:
        parts = urlsplit(beginning)
        port = _PORTS[parts.scheme] if parts.port is None else parts.port
    except ValueError:
        return None
    # Some parsers read a backslash as a slash, so the host would be another for them.
    if not parts.hostname or _DISGUISE.search(parts.netloc):
        return None
    name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{name}:{port}"


def host(uri: str) -> str:
    """Host and, if it is an odd one, port: what a delivery lane leads to. Raise `Malformed` as `origin` does."""
    scheme, _, rest = origin(uri).partition("://")
    return rest.removesuffix(f":{_PORTS[scheme]}")


def site(host: str) -> str:
    """The domain that somebody registered, as far as its shape tells: a thousand subdomains count as one."""
    labels = host.partition(":")[0].rstrip(".").split(".")
    below_registry = len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _REGISTRIES
    is_address = labels[-1].isdigit()
    return host if is_address else ".".join(labels[-3 if below_registry else -2 :])


def owner(document: Document) -> str | None:
    """Whose word the document is (P-105): an actor's own, an activity's actor's, a key's owner's, else its author's."""
    types = document.types
    if not ACTORS.isdisjoint(types):  # be it the first or not: who may be an actor is nobody else's word
        return document.uri("id")
    if not ACTIVITIES.isdisjoint(types) and (actor := document.uri("actor")):
        return actor
    return next((uri for name in _OWNER if (uri := document.uri(name))), None)


def own_words(activity: Document) -> Activity:
    """`activity`, with everything that is not its sender's to say reduced to a URI (P-104, P-106).

    A handler therefore never sees an object of a third party as its author's word. Raise `Forbidden` if the activity
    itself is not of its actor's origin, `Malformed` if it has not exactly one actor.
    """
    actors = activity.uris("actor")
    if len(actors) != 1:
        raise Malformed("an activity has exactly one actor")
    home = origin(actors[0])
    if activity.has("id") and origin(activity.id) != home:
        raise Forbidden(f"{activity.id} is not on the server of its actor")
    if _depth(activity) > _MAX_NESTING:
        raise Malformed(f"an object is nested more than {_MAX_NESTING} deep")
    hearsay: dict[str, Document] = {}

    def reduced(value: Any) -> Any:
        if isinstance(value, list):
            return [one if isinstance(one, str) else reduced(one) for one in value]
        if not isinstance(value, dict):
            return value
        document = Document(value)
        if (uri := document.uri("id")) and _is_foreign(document, uri, actors[0], home):
            hearsay[uri] = document
            return uri
        return inside(value)

    def inside(json: Json) -> Json:
        return {
            name: value if name in _UNTOUCHED or isinstance(value, str) else reduced(value)
            for name, value in json.items()
            if name != "signature"  # of Mastodon's making (P-091)
        }

    return Activity(inside({**activity.json, "actor": actors[0]}), hearsay)


def page(document: Document) -> str | None:
    """Where people read `document`: its ``text/html`` link, else its first ``url`` (P-110).

    Only on the host of its id, or it could send its readers to a page of others as if it were its own (P-003).
    """
    links = [one for one in document.embeddeds("url") if one.text("mediaType").startswith("text/html")]
    found = next((one.uri("href") for one in links), None) or document.uri("url")
    try:
        return found if found and host(found) == host(document.id) else None
    except Malformed:
        return None


def _depth(activity: Document) -> int:
    """How many objects are in one another, as far as that is of interest."""
    depth, inner = 0, activity.embedded("object")
    while inner is not None and depth <= _MAX_NESTING:
        depth, inner = depth + 1, inner.embedded("object")
    return depth


def _is_foreign(document: Document, uri: str, actor: str, home: str) -> bool:
    if uri == actor:
        return False
    try:
        elsewhere = origin(uri) != home
    except Malformed:
        return False  # it names nothing that could be looked up, so it is an anonymous part of this document
    owners = {owner(document), *(document.uri(name) for name in _OWNER)}
    return elsewhere or not owners <= {None, actor}  # whoever is named beside them, under whatever name
