"""What a browser makes of a page, and what others write that no studio of ours would."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

from sqlalchemy import select

from activitypub.actor import Actor as Profile
from activitypub.document import Document, Json
from coop.accounts import profile_url, public_keys
from federation.store import Transaction
from federation.tables import Actor, Object
from tests.fediverse import Studio

ALLOWED = {"html", "head", "meta", "title", "link", "body", "header", "footer", "main", "aside", "section", "article"}
ALLOWED |= {"div", "span", "p", "a", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "dl", "dt", "dd", "time"}
ALLOWED |= {"code", "pre", "blockquote", "b", "strong", "i", "em", "u", "del", "br", "details", "summary", "img"}
ALLOWED |= {"svg", "rect", "path", "use", "text", "form", "input", "label", "button", "script"}


class Reader(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def values(self, attribute: str) -> list[str]:
        return [value for _, attrs in self.tags if (value := attrs.get(attribute)) is not None]


class Items(HTMLParser):
    """What a page says in microformats: each item by what it is, with the properties that are its own."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, list[str]]] = []
        self._open: list[tuple[str, int]] = []  # tags, and in which of the items they stand
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        classes = (dict(attrs).get("class") or "").split()
        around = self._open[-1][1] if self._open else -1
        if around >= 0:
            self.found[around][1].extend(one for one in classes if one.startswith(("p-", "u-", "dt-", "e-")))
        if roots := [one for one in classes if one.startswith("h-")]:
            self.found.append((roots[0], []))
            around = len(self.found) - 1
        if tag not in ("img", "br", "meta", "link"):
            self._open.append((tag, around))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Of SVG, which says nothing."""

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def of(self, root: str) -> list[list[str]]:
        return [properties for name, properties in self.found if name == root]


def check_harmless(page: str, home: str) -> None:
    """Nothing runs, nothing is loaded from elsewhere, nothing is styled or sent by what others wrote."""
    read = Reader(page)
    assert {tag for tag, _ in read.tags} <= ALLOWED
    for tag, attrs in read.tags:
        assert not [one for one in attrs if one.startswith("on") or one in ("style", "srcdoc", "formaction")]
        assert (attrs.get("action") or "").startswith("/") is (tag == "form"), attrs
        if tag in ("img", "link") and attrs.get("rel") in (None, "stylesheet", "icon"):
            assert (attrs.get("src") or attrs.get("href") or "").startswith(("/", f"{home}/"))
        if tag == "script":
            assert attrs == {"type": "application/ld+json"}
        if tag == "meta":
            assert "http-equiv" not in attrs
        if tag == "a" and (href := attrs.get("href")):
            assert href.startswith(("https://", "/", "#")), href
    assert "60481729" not in page  # what a template would make of the above


async def tell(studio: Studio, change: Json) -> None:
    """Let somebody's actor say of itself what it never should, past all that checks what we write."""

    def write(tx: Transaction) -> None:
        actor = tx.db.scalars(select(Actor).where(Actor.uri == studio.uri)).one()
        plain = replace(Profile.read(Document(actor.document)), url=profile_url(studio.home, actor.handle))
        actor.document = plain.write(public_keys(tx.db, studio.uri)) | change
        actor.name = str(change.get("name", actor.name))

    await studio.does(write)


async def rewrite(studio: Studio, uri: str, change: Json) -> None:
    def write(tx: Transaction) -> None:
        row = tx.db.scalars(select(Object).where(Object.uri == uri)).one()
        row.document = {**row.document, **change}

    await studio.does(write)
