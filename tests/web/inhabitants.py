"""Whoever is logged in: a browser with cookies, that fills in the forms of the pages which it was given."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

import httpx

from coop import accounts
from federation.store import Transaction
from tests.fediverse import Studio
from tests.web.visitors import BROWSER, visiting
from web.attempts import hash_of

PASSWORD = "one lamp, two windows"
_HASHED = hash_of(PASSWORD)


@dataclass
class Form:
    """One form of a page, as it would be sent if nobody typed anything."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Form] = []
        self._text: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name = given.get("name", "")
        if tag == "form":
            self.found.append(Form(given.get("action", "")))
        elif tag == "input" and name:
            if given.get("type") not in ("radio", "checkbox") or "checked" in given:
                self.found[-1].fields[name] = given.get("value", "")
        elif tag == "textarea":
            self.found[-1].fields[name] = ""
            self._text = name
        elif tag == "select":
            self.found[-1].fields[name] = ""
            self._select = name
        elif tag == "option" and ("selected" in given or not self.found[-1].fields[self._select]):
            self.found[-1].fields[self._select] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._text = None

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            self.found[-1].fields[self._text] += data


def forms(page: str) -> list[Form]:
    parser = _Forms()
    parser.feed(page)
    return parser.found


@dataclass
class Inhabitant:
    """A browser at one studio."""

    studio: Studio
    client: httpx.AsyncClient

    async def sees(self, path: str) -> httpx.Response:
        return await self.client.get(path, headers=BROWSER)

    async def sends(self, page: str, action: str, **typed: str) -> httpx.Response:
        """Open `page`, fill in its first form for `action` and send it; follow nothing."""
        return await self.sends_from((await self.sees(page)).text, action, **typed)

    async def sends_from(self, page: str, action: str, **typed: str) -> httpx.Response:
        """The same for a page that was opened before."""
        form = next(one for one in forms(page) if one.action == action)
        return await self.client.post(action, data={**form.fields, **typed}, headers=BROWSER)

    async def logs_in(self, name: str | None = None, password: str = PASSWORD) -> httpx.Response:
        return await self.sends("/login", "/login", name=name or self.studio.address, password=password)


async def gives_a_password(studio: Studio, handle: str | None = None) -> None:
    name = handle or studio.host.partition(".")[0]

    def give(tx: Transaction) -> None:
        accounts.named(tx.db, name).password = _HASHED

    await studio.does(give)


async def at_home(studio: Studio, client: str = "127.0.0.1") -> Inhabitant:
    """Somebody who is logged in."""
    await gives_a_password(studio)
    one = Inhabitant(studio, visiting(studio, client))
    answer = await one.logs_in()
    assert answer.status_code == 303, answer.text
    return one
