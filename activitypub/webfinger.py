"""WebFinger: what an address leads to, and which addresses lead to us (RFC 7033, RFC 7565)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from html import escape
from typing import Self
from urllib.parse import quote, unquote, urlsplit

import idna

from activitypub.document import Document, Json
from activitypub.errors import Malformed
from activitypub.html import safe_url
from activitypub.origin import host, origin

JRD = "application/jrd+json"
XRD = "application/xrd+xml"
AS2_TYPE = "application/activity+json"
SELF_TYPES = frozenset({AS2_TYPE, 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"'})

PROFILE_PAGE = "http://webfinger.net/rel/profile-page"
AVATAR = "http://webfinger.net/rel/avatar"
SUBSCRIBE = "http://ostatus.org/schema/1.0/subscribe"
INSTANCE_ACTOR = "https://www.w3.org/ns/activitystreams#Service"  # FEP-d556
INTENT = "https://w3id.org/fep/3b86/"

_USER = re.compile(r"[^\s@/:?#\\<>\"]{1,2048}")
_HOST = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?(?::\d{1,5})?")
_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:")


@dataclass(frozen=True, slots=True)
class Address:
    """``ada@attic.example``: a name at a host. The host is in its ASCII form; the name is as written, case and all."""

    user: str
    host: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Of ``ada@attic.example``, ``@`` or ``acct:`` before it or not. Raise `Malformed` if it is anything else."""
        bare = text[5:] if text[:5].lower() == "acct:" else text.strip()
        user, at, name = unquote(bare).removeprefix("@").rpartition("@")
        if not at or not _USER.fullmatch(user) or not user.isprintable():
            raise Malformed("%(typed)s is not an address like ada@attic.example", typed=repr(text[:200]))
        return cls(user, ascii_host(name))

    def __str__(self) -> str:
        return f"{self.user}@{self.host}"


def ascii_host(name: str) -> str:
    """`name` in lower-case A-labels, port kept, so that it can be compared (P-324). Raise `Malformed` if it is none."""
    plain, colon, port = name.lower().partition(":")
    try:
        found = plain if plain.isascii() else idna.encode(plain, uts46=True).decode()
    except idna.IDNAError as error:
        raise Malformed("%(name)s is not a host", name=repr(name[:200])) from error
    if not _HOST.fullmatch(found + colon + port):
        raise Malformed("%(name)s is not a host", name=repr(name[:200]))
    return found + colon + port


def parse_resource(text: str, hosts: Collection[str]) -> Address | str | None:
    """Whom a query asks for: an address at one of our `hosts`, or a URL there; ``None`` if that is not ours to answer.

    Our own root URL is the address of the instance actor (P-027). Raise `Malformed` for what P-011 answers with 400.
    """
    if text.lower().startswith(("https://", "http://")):
        at = ascii_host(host(text))
        if at not in hosts:
            return None
        return Address(at, at) if urlsplit(text).path in ("", "/") else text
    if _SCHEME.match(text) and not text.lower().startswith("acct:"):
        return None
    address = Address.parse(text)
    return address if address.host in hosts else None


def write(address: Address, actor: str, profile: str, home: str, avatar: str | None = None, asked: str = "") -> Json:
    """The answer for `actor`, always under its one true `address`, however it was `asked` for (P-013, P-014)."""
    subject = f"acct:{address}"
    known = {profile: None, actor: None, asked: None}
    links = [
        {"rel": PROFILE_PAGE, "type": "text/html", "href": profile},
        {"rel": "self", "type": AS2_TYPE, "href": actor},
        {"rel": SUBSCRIBE, "template": f"{home}/authorize?uri={{uri}}"},
        {"rel": f"{INTENT}Follow", "template": f"{home}/authorize?uri={{object}}"},
        {"rel": f"{INTENT}Object", "template": f"{home}/authorize?uri={{object}}"},
    ]
    if address.user == address.host:
        links[2:] = [{"rel": INSTANCE_ACTOR, "type": AS2_TYPE, "href": actor}]
    if avatar:
        links.append({"rel": AVATAR, "href": avatar})
    return {"subject": subject, "aliases": [one for one in known if one and one != subject], "links": links}


def only(jrd: Json, rels: Iterable[str]) -> Json:
    """`jrd` with the links of `rels`, if any are asked for; an unknown one yields none (P-015)."""
    wanted = set(rels)
    return {**jrd, "links": [one for one in jrd["links"] if one["rel"] in wanted]} if wanted else jrd


def host_meta(home: str) -> str:
    """Where to ask: some ask here first, or after a 404 (P-016, RFC 6415)."""
    template = escape(f"{home}/.well-known/webfinger?resource={{uri}}")
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<XRD xmlns="http://docs.oasis-open.org/ns/xri/xrd-1.0">\n'
        f'  <Link rel="lrdd" template="{template}"/>\n'
        "</XRD>\n"
    )


def self_link(jrd: Document) -> str | None:
    """The actor that an answer names: its first ``self`` link of a type that means ActivityPub (P-014, P-017)."""
    links = (one for one in jrd.embeddeds("links") if one.text("rel") == "self" and one.text("type") in SELF_TYPES)
    return next((safe_url(one.uri("href")) for one in links), None)


def way_in(jrd: Document, home: str, uri: str) -> str | None:
    """Where the server at `home`, which answered so, has its people follow or answer what is at `uri`.

    Only an address of that very server counts: nobody is led to where they do not live (P-330).
    """
    templates = (one.text("template") for one in jrd.embeddeds("links") if one.text("rel") == SUBSCRIBE)
    written = next((one for one in templates if "{uri}" in one), "")
    url = safe_url(written.replace("{uri}", quote(uri, safe="")))
    return url if url and origin(url) == origin(home) else None


def subject(jrd: Document) -> Address | None:
    """Whom somebody's answer is about, if that is an address: another than asked has to be asked once more (P-017)."""
    name = jrd.text("subject")
    try:
        return Address.parse(name) if name.lower().startswith("acct:") else None
    except Malformed:
        return None
