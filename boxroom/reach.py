"""Whether others can reach this server: its name, its certificate, and what it answers.

We ask by our public address, as others do, from where we are: a router that does not lead back to itself is reported
as such, not taken for a fault of the server.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Literal
from urllib.parse import quote, urlsplit

from sqlalchemy import select

from activitypub import keys, webfinger
from activitypub.document import Document
from activitypub.errors import ProtocolError
from activitypub.origin import host
from boxroom.settings import Settings
from federation import guard
from federation.client import Client, Gone, Signer, Unreachable
from federation.instance import Instance
from federation.tables import Actor

Verdict = tuple[str, Literal["well", "look", "must"], str, str]

RENEW = timedelta(days=14)  # a certificate that nobody renewed by then will not be
PATIENCE = 10  # seconds
BAD_REQUEST = 400
ASKED_AS = "https://doctor.invalid"  # so that our own address is one of another to the client


async def look(here: Instance, settings: Settings) -> list[Verdict]:
    """Name, certificate, WebFinger, actor, inbox; what cannot work after a failure is not tried."""
    address = urlsplit(here.home)
    name, port = address.hostname or "", address.port or (443 if address.scheme == "https" else 80)
    found = [await name_of(name, port, settings)]
    if found[-1][1] != "must" and address.scheme == "https":
        found.append(await certificate(name, port, here.now()))
    if found[-1][1] == "must":
        return found
    client = Client(guard.transport(True), ASKED_AS, here.now, agent="Boxroom/doctor", allow_private=True)
    try:
        found += await _answers(client, here)
    finally:
        await client.close()
    return found


async def ask_the_time(here: Instance, hosts: list[str]) -> None:
    """Have the client see the clocks of other servers."""
    scheme = urlsplit(here.home).scheme

    async def ask(name: str) -> None:
        with suppress(ProtocolError, Unreachable, Gone):
            await here.client.get(f"{scheme}://{name}/.well-known/nodeinfo", accept="application/json")

    await asyncio.gather(*map(ask, hosts))


async def name_of(name: str, port: int, settings: Settings) -> Verdict:
    try:
        async with asyncio.timeout(PATIENCE):
            found = await asyncio.get_running_loop().getaddrinfo(name, port, type=socket.SOCK_STREAM)
    except (OSError, TimeoutError):
        return "name", "must", f"{name} has no address", f"make a DNS record for {name} that leads to this machine"
    addresses = sorted({str(one[4][0]) for one in found})
    private = [one for one in addresses if not guard.is_public(one)]
    if private and not settings.allow_private_network:
        todo = "others outside cannot come here; set allow_private_network for a LAN, or correct the DNS record"
        return "name", "look", f"{name} leads to {', '.join(private)}, which is private", todo
    return "name", "well", f"{name} leads to {', '.join(addresses)}", ""


async def certificate(name: str, port: int, now: datetime) -> Verdict:
    try:
        async with asyncio.timeout(PATIENCE):
            _, writer = await asyncio.open_connection(name, port, ssl=ssl.create_default_context())
    except ssl.SSLCertVerificationError as error:
        return (
            "certificate",
            "must",
            error.verify_message,
            "renew it; Caddy does so by itself if ports 80 and 443 lead here",
        )
    except (OSError, TimeoutError) as error:
        todo = (
            f"is the proxy running, and do the router's ports lead to this machine? Or does it not lead back ({name})?"
        )
        return "certificate", "must", f"nobody answers at {name}:{port}: {error or 'no answer'}", todo
    ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(writer.get_extra_info("peercert")["notAfter"]), UTC)
    writer.close()
    left = (ends - now).days
    if ends - now < RENEW:
        return (
            "certificate",
            "must",
            f"ends in {left} days",
            "renew it, and find out why that does not happen by itself",
        )
    return "certificate", "well", f"good for {left} more days", ""


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
            return "address", "well", f"{address} leads here", ""
        said = f"{here.home}{path} answers {answer.status}"
    except (ProtocolError, Unreachable, Gone) as error:
        said = str(error)
    todo = f"let {address.host} hand /.well-known/webfinger on to this server (301 to {here.home}, query kept)"
    return "address", "must", said, todo


async def _actor(client: Client, actor: Actor) -> Verdict:
    try:
        document = await client.document(actor.uri)
    except (ProtocolError, Unreachable, Gone) as error:
        todo = "does the proxy pass everything on, with the Accept header and the Host as they came?"
        return "profile", "must", str(error), todo
    same = document.uri("inbox") == actor.inbox
    said = "others see you as you are" if same else "another server answers here"
    return "profile", "well" if same else "must", said, "" if same else "let the proxy lead to this server"


async def _inbox(client: Client, actor: Actor) -> Verdict:
    """An inbox that works says of what is no letter at all that it is none."""
    try:
        answer, _ = await client.post(actor.inbox, b"no letter", Signer(f"{ASKED_AS}/key", keys.new_rsa()))
    except (ProtocolError, Unreachable, Gone) as error:
        return "inbox", "must", str(error), "does the proxy pass POST requests on?"
    if answer.status == BAD_REQUEST:
        return "inbox", "well", "takes letters, and nothing else", ""
    return "inbox", "must", f"answers {answer.status} to what is no letter", "does the proxy pass POST requests on?"
