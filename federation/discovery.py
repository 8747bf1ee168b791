"""Finding actors and objects where they live: by URI, by address, by the page that a person sees.

The law: what is fetched is believed only about its own origin, and no request leads to endlessly many others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar
from urllib.parse import quote, urljoin

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from activitypub import html, webfinger
from activitypub.document import Document
from activitypub.errors import Forbidden, Malformed, ProtocolError
from activitypub.origin import host, origin, owner
from federation import actors, known, registry
from federation.answer import GONE, Answer, Refused, is_activity_type
from federation.client import Gone, Unreachable
from federation.instance import Instance
from federation.registry import Keeper
from federation.store import Transaction
from federation.tables import Actor, Object

T = TypeVar("T")

MAX_FETCHES = 20  # for one receipt or one look-up: a chain of documents that refer to each other ends here (P-109)
MAX_TIME = timedelta(seconds=30)
JRD = "application/jrd+json, application/json"
HEAD = 100_000  # octets of a page, in which it names its other form


class Exhausted(ProtocolError):
    """Too much had to be fetched to understand one thing."""


@dataclass(slots=True)
class Budget:
    """What may still be fetched for one purpose: so many documents, until then, and none of them twice."""

    until: datetime
    left: int = MAX_FETCHES
    seen: set[str] = field(default_factory=set)

    def spend(self, uri: str, now: datetime) -> None:
        """Raise `Exhausted` if `uri` may not be fetched any more."""
        if self.left <= 0 or now > self.until or uri in self.seen:
            raise Exhausted("%(uri)s was not fetched: too much refers to too much else", uri=uri)
        self.left -= 1
        self.seen.add(uri)


def budget(here: Instance) -> Budget:
    return Budget(here.now() + MAX_TIME)


async def completing(here: Instance, work: Callable[[Transaction], T], within: Budget | None = None) -> T:
    """Run `work` in a transaction; fetch what it finds `known.Missing`, and run it again, as far as `within` goes.

    Raise what `work` raises, and as `fetch` does.
    """
    within = within or budget(here)
    while True:
        try:
            return await here.store.write(work)
        except known.Missing as missing:
            await fetch(here, missing.uri, within, missing.check)


async def fetch(
    here: Instance,
    uri: str,
    within: Budget | None = None,
    check: Callable[[Transaction, Document], None] | None = None,
    keep: Keeper | None = None,
) -> Document:
    """Fetch what lives at `uri` and keep it, with all that it needs, if `check` agrees. Its id may differ from `uri`.

    It is kept by `keep`, if that is given, else by whoever keeps what is of its kind.

    Raise `ProtocolError` if it is not to be believed or of no use here, `Unreachable` or `Gone` if it is not to be had.
    """
    within = within or budget(here)
    within.spend(uri, here.now())
    if origin(uri) == origin(here.home):
        raise Forbidden("there is no %(uri)s here", uri=uri)  # what lives here is looked up, never requested (P-108)
    document = await here.document(uri)
    keeper = keep or registry.keeper_for(registry.kind(document))
    if keeper is None:
        raise Malformed(
            "%(uri)s is a %(what)s, which means nothing here", uri=uri, what=document.type or "document without a type"
        )
    author = owner(document)
    if author is None or origin(author) != origin(document.id):
        raise Forbidden("%(id)s is not on the server of its author (FEP-fe34)", id=document.id)

    def work(tx: Transaction) -> None:
        if check is not None:
            check(tx, document)
        keeper(tx, document)

    await completing(here, work, within)
    return document


async def refresh(here: Instance, uri: str) -> bool:
    """Ask an actor's server again. Return whether the actor still exists; raise `Unreachable` if nobody answers."""
    try:
        await fetch(here, uri)
    except Gone as error:
        if error.status != 410:
            raise Unreachable(str(error)) from error
        return False
    return True


async def lookup(here: Instance, text: str) -> Actor | Object:
    """Whoever or whatever a person means: ``@ada@attic.example``, a URI, or the address of a page about it.

    Raise `ProtocolError`, `Unreachable` or `Gone`, with words for that person.
    """
    text = text.strip()
    if "://" in text:
        return await _at(here, text)
    address = webfinger.Address.parse(text)
    if found := await here.store.read(lambda db: actors.by_address(db, str(address))):
        return found
    uri, _ = await resolve(here, address)
    actor = await _at(here, uri)
    if not isinstance(actor, Actor) or actor.uri != uri:
        raise Malformed("%(typed)s is the address of no actor", typed=text)
    if await confirm_address(here, uri) is None:
        raise Malformed(
            "%(typed)s leads to %(uri)s, which goes by a name that does not lead back to it", typed=text, uri=uri
        )
    return await here.store.read(lambda db: known.actor(db, uri))


async def resolve(here: Instance, address: webfinger.Address) -> tuple[str, webfinger.Address]:
    """The actor that a WebFinger server names for `address`, unconfirmed by that actor, and the address's true form.

    Raise as `lookup` does.
    """
    jrd = await _jrd(here, address)
    subject = _subject(jrd) or address
    if subject != address:  # it goes by another name, which has to answer for itself (P-017)
        jrd = await _jrd(here, subject)
        if _subject(jrd) != subject:
            raise Malformed("%(subject)s answers in another name", subject=subject)
    uri = webfinger.self_link(jrd)
    if uri is None:
        raise Malformed("%(subject)s leads to no actor", subject=subject)
    return uri, subject


async def confirm_address(here: Instance, uri: str) -> str | None:
    """Find out by WebFinger whether an actor's handle leads back to it, and keep the answer (P-017, P-018).

    A name belongs to one actor only. While nobody can be asked, it stays with whom it was.
    """
    actor = await here.store.read(lambda db: known.actor(db, uri))
    claimed = Document(actor.document).text("webfinger") or f"{actor.handle}@{host(uri)}"
    proven: str | None = None
    try:
        found, address = await resolve(here, webfinger.Address.parse(claimed))
        proven = str(address).lower() if found == uri else None
    except Unreachable:
        proven = actor.address
    except (ProtocolError, Gone):
        proven = None

    def keep(tx: Transaction) -> None:
        if proven:
            taken = (Actor.address == proven, Actor.uri != uri, ~Actor.local)
            tx.db.execute(update(Actor).where(*taken).values(address=None))
        tx.db.execute(update(Actor).where(Actor.uri == uri).values(address=proven, address_asked=tx.now))

    await here.store.write(keep)
    return proven


async def way_in(here: Instance, address: webfinger.Address, uri: str) -> str:
    """The page on which the server of `address` has its people follow or answer what is at `uri`.

    Raise as `lookup` does, and `Malformed` if there is no such page on the very server that answers for `address`.
    """
    answer = await _asked(here, address)
    page = webfinger.way_in(Document.parse(answer.body), answer.url, uri)
    if page is None:
        raise Malformed("%(host)s names no page of its own for that", host=address.host)
    return page


async def _jrd(here: Instance, address: webfinger.Address) -> Document:
    return Document.parse((await _asked(here, address)).body)


async def _asked(here: Instance, address: webfinger.Address) -> Answer:
    if await here.blocks(address.host):
        raise Forbidden("%(host)s is blocked here", host=address.host)
    scheme = here.home.partition("://")[0]  # http only among private hosts, as the client sees to
    url = f"{scheme}://{address.host}/.well-known/webfinger?resource={quote(f'acct:{address}')}"
    answer = await here.client.get(url, accept=JRD)
    if answer.status in GONE:
        raise Gone("%(host)s knows nobody called %(address)s", answer.status, host=address.host, address=address)
    if answer.status != 200:
        raise Refused(
            "%(host)s answers %(status)s when asked for %(address)s",
            answer.status,
            host=address.host,
            status=answer.status,
            address=address,
        )
    return answer


def _subject(jrd: Document) -> webfinger.Address | None:
    subject = jrd.text("subject")
    return webfinger.Address.parse(subject) if subject.lower().startswith("acct:") else None


async def _at(here: Instance, url: str) -> Actor | Object:
    """What we know at `url`, else what is fetched from there or from the document that its page names."""
    if found := await _known_at(here, url):
        return found
    try:
        document = await fetch(here, url)
    except Malformed:
        alternate = await _alternate(here, url)
        if alternate is None:
            raise
        document = await fetch(here, alternate)
    if found := await _known_at(here, document.id):
        return found
    raise Malformed("%(url)s is nothing that can be kept here", url=url)


async def _known_at(here: Instance, url: str) -> Actor | Object | None:
    def find(db: Session) -> Actor | Object | None:
        return db.scalar(select(Actor).where(Actor.uri == url)) or known.find(db, url)

    return await here.store.read(find)


async def _alternate(here: Instance, page: str) -> str | None:
    """The ActivityStreams document that a page names as its other form (P-033)."""
    answer = await here.client.get(page, accept="text/html")
    if answer.status != 200:
        return None
    found = alternate_in(answer.body)
    try:
        return urljoin(answer.url, found) if found else None
    except ValueError:
        return None


def alternate_in(page: bytes) -> str | None:
    """The address, as written in the head of a page, of its form for programs."""
    forms = html.links(page[:HEAD].decode("utf-8", "replace"), "alternate", "link")
    found = (one.get("href") for one in forms if is_activity_type(one.get("type", "")))
    return next((href for href in found if href), None)
