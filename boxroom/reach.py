"""Whether others can reach this server: its name, its certificate, and what it answers.

We ask by our public address, as others do, from where we are: a router that does not lead back to itself is reported
as such, not taken for a fault of the server.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from ipaddress import ip_address
from urllib.parse import quote, urlsplit

from sqlalchemy import select

from activitypub import keys, webfinger
from activitypub.document import Document
from activitypub.errors import ProtocolError
from activitypub.message import Scheme
from activitypub.origin import host
from activitypub.sentence import Sentence
from boxroom import certificate
from boxroom.certificate import PATIENCE, Verdict
from boxroom.settings import Settings
from federation import guard
from federation.client import Client, Gone, Signer, Unreachable
from federation.instance import Instance
from federation.tables import Actor
from federation.transport import transport
from web.first.app import MARK
from web.wellknown import ARRIVED, PASSED_ON

BAD_REQUEST = 400
DIALECTS: tuple[Scheme, ...] = ("cavage", "rfc9421")
UNENCRYPTED: Verdict = (
    "certificate",
    "must",
    Sentence("the address begins with http:, where nobody outside of your own network asks"),
    Sentence("set up a studio with an https address; one that stands already keeps the address it has"),
)
_NOBODY = Sentence("start it (systemctl start boxroom, or boxroom serve), at the port that the proxy sends to")
PROXY_ALONE = {  # what it answers when what came to us is no letter to us
    421: (
        Sentence("it asks for another name than it was asked for"),
        Sentence("let it pass the Host header on as it came, not its own"),
    ),
    **dict.fromkeys((502, 503, 504), (Sentence("it finds no server behind it"), _NOBODY)),
}
ASKED_AS = "https://doctor.invalid"  # so that our own address is one of another to the client


async def look(here: Instance, settings: Settings) -> list[Verdict]:
    """Name, certificate, proxy, WebFinger, actor, inbox; what cannot work after a failure is not tried."""
    async with asking(here.now) as client:
        found = await door(client, here.home, settings, here.now())
        return found if is_stuck(found) else found + await _answers(client, here)


async def door(client: Client, home: str, settings: Settings, now: datetime) -> list[Verdict]:
    """Name, certificate, proxy: what has to be right for any server at that address."""
    address = urlsplit(home)
    name, port = address.hostname or "", address.port or (443 if address.scheme == "https" else 80)
    found = [await name_of(name, port, settings)]
    if address.scheme == "https" and not is_stuck(found):
        found.append(await certificate.look(name, port, now))
    elif not settings.allow_private_network and address.scheme == "http":
        found.append(UNENCRYPTED)
    if not is_stuck(found):
        found += await passed_on(client, home, mine=any(map(_is_mine, await _addresses(name, port))))
    return found


@asynccontextmanager
async def asking(now: Callable[[], datetime]) -> AsyncIterator[Client]:
    """A client that asks as a stranger would, and to which our own address is one of another."""
    client = Client(transport(True), ASKED_AS, now, agent="Boxroom/doctor", allow_private=True)
    try:
        yield client
    finally:
        await client.close()


async def comes_back(client: Client, home: str, mark: str) -> Verdict:
    """Whether what answers at `home` is this very program, before anybody lives in it, with its name unchanged."""
    try:
        answer = await client.get(f"{home}{MARK}", accept="application/json")
        told = Document.parse(answer.body) if answer.is_success else Document({})
    except (ProtocolError, Unreachable, Gone) as error:
        return (
            "machine",
            "must",
            str(error),
            Sentence("start the proxy, and let it lead here; do the router's ports 80 and 443 lead here, too?"),
        )
    if told.text("mark") != mark:
        return (
            "machine",
            "must",
            Sentence("somebody else answers at %(home)s", home=home),
            Sentence("let the name and the proxy lead to this machine"),
        )
    if told.text("host") != host(home):
        return "machine", "must", *PROXY_ALONE[421]
    return "machine", "well", Sentence("%(home)s leads to this very program", home=home), ""


def is_stuck(found: list[Verdict]) -> bool:
    """Whether the last thing that was looked at does not work, so that those after it cannot."""
    return bool(found) and found[-1][1] == "must"


async def ask_the_time(here: Instance, hosts: list[str]) -> None:
    """Have the client see the clocks of other servers."""
    scheme = urlsplit(here.home).scheme

    async def ask(name: str) -> None:
        with suppress(ProtocolError, Unreachable, Gone):
            await here.client.get(f"{scheme}://{name}/.well-known/nodeinfo", accept="application/json")

    await asyncio.gather(*map(ask, hosts))


async def name_of(name: str, port: int, settings: Settings) -> Verdict:
    addresses = await _addresses(name, port)
    if not addresses:
        return (
            "name",
            "must",
            Sentence("%(name)s has no address", name=name),
            Sentence("make a DNS record for %(name)s that leads to this machine", name=name),
        )
    private = [one for one in addresses if not guard.is_public(one)]
    if private and not settings.allow_private_network:
        todo = Sentence(
            "others outside cannot come here; set allow_private_network for a LAN, or correct the DNS record"
        )
        return (
            "name",
            "look",
            Sentence("%(name)s leads to %(names)s, which is private", name=name, names=", ".join(private)),
            todo,
        )
    return "name", "well", Sentence("%(name)s leads to %(names)s", name=name, names=", ".join(addresses)), ""


async def _addresses(name: str, port: int) -> list[str]:
    try:
        async with asyncio.timeout(PATIENCE):
            found = await asyncio.get_running_loop().getaddrinfo(name, port, type=socket.SOCK_STREAM)
    except (OSError, TimeoutError):
        return []
    return sorted({str(one[4][0]) for one in found})


def _is_mine(address: str) -> bool:
    return ip_address(address).is_loopback


async def passed_on(client: Client, home: str, *, mine: bool) -> list[Verdict]:
    """What the proxy lets through of a letter in each dialect, as the server behind it tells.

    The name leads to this very machine if `mine`: then it is right that it seems to be us who ask.
    """
    stranger = Signer(f"{ASKED_AS}/key", keys.new_rsa())
    arrived: set[str] = set()
    for dialect in DIALECTS:
        try:
            answer, _ = await client.post(f"{home}{ARRIVED}", b"{}", stranger, dialect)
            if answer.status in PROXY_ALONE:
                return [("proxy", "must", *PROXY_ALONE[answer.status])]
            if not answer.is_success:
                return []
            told = Document.parse(answer.body)
        except (ProtocolError, Unreachable, Gone):
            return []  # those who ask next say more about it
        arrived |= {*told.strings("headers")}
    if lost := sorted(set(PASSED_ON) - arrived):
        todo = Sentence("let the proxy pass every header on as it came: without these no signature can be verified")
        return [("proxy", "must", Sentence("it takes away %(names)s", names=", ".join(lost)), todo)]
    if told.json.get("from") is None and not mine:
        todo = Sentence(
            "let the proxy say in X-Forwarded-For who asks; as it is, nobody can be refused who asks too often"
        )
        return [("proxy", "must", Sentence("it does not say who asks"), todo)]
    return [("proxy", "well", Sentence("passes on what others send, and says who they are"), "")]


async def _answers(client: Client, here: Instance) -> list[Verdict]:
    query = select(Actor).where(Actor.local, Actor.type != "Application").order_by(Actor.id).limit(1)
    actor = await here.store.read(lambda db: db.scalars(query).one())
    address = webfinger.Address.parse(actor.address or f"{actor.handle}@{host(here.home)}")
    return [
        await _webfinger(client, here, address, actor.uri),
        await _actor(client, actor),
        await _inbox(client, actor),
    ]


async def _webfinger(client: Client, here: Instance, address: webfinger.Address, uri: str) -> Verdict:
    path = f"/.well-known/webfinger?resource={quote(f'acct:{address}')}"
    try:
        answer = await client.get(f"{here.home}{path}", accept="application/jrd+json")
        if answer.is_success and webfinger.self_link(Document.parse(answer.body)) == uri:
            return "address", "well", Sentence("%(address)s leads here", address=address), ""
        said: str = Sentence("%(url)s answers %(status)s", url=f"{here.home}{path}", status=answer.status)
    except (ProtocolError, Unreachable, Gone) as error:
        said = str(error)
    todo = Sentence(
        "let %(host)s hand /.well-known/webfinger on to this server (301 to %(home)s, query kept)",
        host=address.host,
        home=here.home,
    )
    return "address", "must", said, todo


async def _actor(client: Client, actor: Actor) -> Verdict:
    try:
        document = await client.document(actor.uri)
    except (ProtocolError, Unreachable, Gone) as error:
        todo = Sentence("does the proxy pass everything on, with the Accept header and the Host as they came?")
        return "profile", "must", str(error), todo
    same = document.uri("inbox") == actor.inbox
    said = Sentence("others see you as you are") if same else Sentence("another server answers here")
    return "profile", "well" if same else "must", said, "" if same else Sentence("let the proxy lead to this server")


async def _inbox(client: Client, actor: Actor) -> Verdict:
    """An inbox that works says of what is no letter at all that it is none."""
    try:
        answer, _ = await client.post(actor.inbox, b"no letter", Signer(f"{ASKED_AS}/key", keys.new_rsa()))
    except (ProtocolError, Unreachable, Gone) as error:
        return "inbox", "must", str(error), Sentence("does the proxy pass POST requests on?")
    if answer.status == BAD_REQUEST:
        return "inbox", "well", Sentence("takes letters, and nothing else"), ""
    return (
        "inbox",
        "must",
        Sentence("answers %(status)s to what is no letter", status=answer.status),
        Sentence("does the proxy pass POST requests on?"),
    )
